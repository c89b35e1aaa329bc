"""Whether correlations are worth factoring, and into how many factors: sampling adequacy, sphericity, eigenvalues."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.distributions import chi2_tail
from csat.errors import CsatWarning, DesignIgnoredWarning, OptionError, SampleError
from csat.moments import Groups, Source, as_names, shown, source_of
from csat.results import Provenance, Shown, check_level
from csat.structural.engine.checks import check_sample
from csat.structural.exploratory.loading_errors import Spread, spread_of
from csat.structural.uncertainty.robust import design_ignored

#: Sampling adequacy below which Kaiser (1974, Psychometrika 39(1), 31–36) calls factoring unacceptable.
UNACCEPTABLE = 0.5
#: Draws of a parallel analysis at most: beyond, nothing changes but the time it takes.
_MOST_DRAWS = 100_000
#: Numbers of random correlations held at once: 80 MB.
_AT_ONCE = 10**7


class SamplingAdequacyWarning(CsatWarning):
    """Items that share too little to be factored."""


@dataclass(frozen=True, slots=True, eq=False)
class Correlations:
    """Correlations to be factored.

    names : (p,) items. corr : (p, p). n : complete respondents. left_out : those without an answer to some item.
    groups : their sums. designed : whether the sample is weighted, stratified or clustered.
    """

    names: tuple[str, ...]
    corr: np.ndarray
    n: int
    left_out: int
    groups: Groups
    designed: bool

    @property
    def sample(self) -> str:
        """The rule that says who counts."""
        return "published" if self.groups.published else "listwise"


@dataclass(frozen=True, slots=True, eq=False)
class Suitability:
    """How much the items share.

    kmo : overall measure of sampling adequacy, 0–1. msa : (p,) of each item; NaN of one without any correlation.
    chisq, df, p : Bartlett's test that all correlations are 0.
    """

    kmo: float
    msa: np.ndarray
    chisq: float
    df: int
    p: float


def correlations_of(source: Source, items: Any, what: str) -> Correlations:
    """Correlations of complete respondents; `items` None are all questions on a scale, or all of a published matrix.

    Raises
    ------
    OptionError, UnknownColumnError, SampleError, CollinearityError
    """
    asked = source.questionnaire
    if items is None and isinstance(source, Groups) and source.published:
        items = source.names
    if items is None and asked is None:
        raise OptionError(f'{what} needs items: this source has no questionnaire that names them. Give items=["…", …].')
    names = asked.codes if items is None and asked is not None else as_names(items, "items")
    if len(names) < 3 or len(set(names)) < len(names):
        raise OptionError(f"{what} needs three or more different items; found {len(set(names))} in items={names}.")
    groups = source.groups(list(names), (), "listwise")
    moments = groups.moments()
    if moments.n <= len(names):
        raise SampleError.too_few(f"{what} of {len(names)} items", moments.n, len(names) + 1)
    check_sample(names, moments.cov, moments.mean - moments.midpoint, moments.n)
    designed = bool(design_ignored(groups, "ML"))
    return Correlations(names, moments.corr, moments.n, groups.incomplete, groups, designed)


def doubts_of_design(found: Correlations, what: str) -> list[tuple[type[CsatWarning], str]]:
    """That the sampling design was left out of `what`, in words."""
    if not found.designed:
        return []
    text = (
        f"The sample has weights, strata or sampling units: weights enter the correlations, but {what} are those of a "
        "simple random sample of the same n."
    )
    return [(DesignIgnoredWarning, text)]


def suitability(corr: np.ndarray, n: int, scaling: float = 1.0) -> Suitability:
    """Sampling adequacy and sphericity of correlations (p, p) of n respondents; `scaling` divides χ².

    References
    ----------
    Kaiser & Rice (1974), Educational and Psychological Measurement 34(1), 111–117; Bartlett (1951), Biometrika
    38(3/4), 337–344.
    """
    p = len(corr)
    inverse = np.linalg.inv(corr)
    size = np.sqrt(np.diag(inverse))
    off = 1.0 - np.eye(p)
    shared, partial = (corr * off) ** 2, (inverse / np.outer(size, size) * off) ** 2
    each, both = shared.sum(axis=0), (shared + partial).sum(axis=0)
    chisq = -(n - 1 - (2 * p + 5) / 6) * float(np.linalg.slogdet(corr)[1]) / scaling
    df = p * (p - 1) // 2
    return Suitability(
        kmo=float(each.sum() / both.sum()) if both.sum() > 0 else np.nan,
        msa=np.divide(each, both, out=np.full(p, np.nan), where=both > 0),
        chisq=chisq,
        df=df,
        p=float(chi2_tail(chisq, df)),
    )


def doubts_of_items(names: Sequence[str], found: Suitability) -> list[tuple[type[CsatWarning], str]]:
    """Items that share too little, in words."""
    if not found.kmo >= UNACCEPTABLE:
        text = (
            f"Sampling adequacy (KMO) is {found.kmo:.2f}, below {UNACCEPTABLE:g}: these items share too little to be "
            "factored. Choose items that measure something in common."
        )
        return [(SamplingAdequacyWarning, text)]
    low = [f"{name} ({value:.2f})" for name, value in zip(names, found.msa, strict=True) if not value >= UNACCEPTABLE]
    if low:
        text = f"Sampling adequacy below {UNACCEPTABLE:g}: {', '.join(low)}. Think of leaving these items out."
        return [(SamplingAdequacyWarning, text)]
    return []


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FactorNumber(Shown):
    """How many factors correlations have room for.

    names : (p,) items. eigenvalues : (p,) of the correlations, largest first.
    random : (p,) mean eigenvalues of as many uncorrelated items and respondents. limit : (p,) their quantile at
        `level`. averages : (p,) mean squared partial correlation after so many components, from none on.
    suitability : sampling adequacy and sphericity. n, left_out : respondents. n_eff : respondents drawn at random one
        by one whose correlations would be as sure; of so many are the random eigenvalues.
    draws, seed : of the parallel analysis.
    """

    names: tuple[str, ...]
    eigenvalues: np.ndarray
    random: np.ndarray
    limit: np.ndarray
    averages: np.ndarray
    suitability: Suitability
    n: int
    n_eff: float
    left_out: int
    level: float
    draws: int
    seed: int
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def parallel(self) -> int:
        """Horn's rule: eigenvalues above those of uncorrelated items, up to the first that is not."""
        below = self.eigenvalues <= self.limit
        return int(np.argmax(below)) if below.any() else len(below)

    @property
    def kaiser(self) -> int:
        """Eigenvalues above 1; too many factors as a rule."""
        return int((self.eigenvalues > 1.0).sum())

    @property
    def map(self) -> int:
        """Velicer's rule: components after which the items share least."""
        return int(np.argmin(self.averages))

    @property
    def items(self) -> pd.DataFrame:
        """One row per item: ``term msa``, its sampling adequacy."""
        return pd.DataFrame({"term": list(self.names), "msa": self.suitability.msa})

    def tidy(self) -> pd.DataFrame:
        """One row per factor.

        Returns
        -------
        DataFrame
            ``factor``, ``eigenvalue``, ``share`` of the items' variance, ``cumulative`` share, ``random`` and ``limit``
            (mean and quantile for uncorrelated items), ``partial`` (mean squared partial correlation once this factor
            is out), ``keep``, whether the parallel analysis keeps it.
        """
        p = len(self.names)
        share = self.eigenvalues / p
        place = np.arange(1, p + 1)
        partial = np.append(self.averages[1:], np.nan)
        return pd.DataFrame({
            "factor": place, "eigenvalue": self.eigenvalues, "share": share, "cumulative": np.cumsum(share),
            "random": self.random, "limit": self.limit, "partial": partial, "keep": place <= self.parallel,
        })  # fmt: skip

    def glance(self) -> pd.DataFrame:
        """One row: the number of factors by each rule, sampling adequacy and sphericity."""
        about = self.suitability
        return pd.DataFrame([{
            "n": self.n, "n_eff": self.n_eff, "left_out": self.left_out, "items": len(self.names),
            "parallel": self.parallel, "map": self.map, "kaiser": self.kaiser, "kmo": about.kmo,
            "sphericity": about.chisq, "sphericity_df": about.df, "sphericity_p": about.p, "draws": self.draws,
            "seed": self.seed, "level": self.level, "sample": self.provenance.sample,
            "version": self.provenance.version,
        }])  # fmt: skip


def number_of_factors(
    source: Source, items: Sequence[str] | None = None, *, draws: int = 500, level: float = 0.95, seed: int = 1
) -> FactorNumber:
    """Ask how many factors stand behind items, and whether they are worth factoring at all.

    Parameters
    ----------
    source : a survey, a summary, or a published correlation matrix (`csat.from_covariance`), as that of
        `csat.polychoric`. Respondents with an answer to every item count.
    items : three or more; None: all questions on a scale, or all of a published matrix.
    draws : random samples of the parallel analysis.
    level : quantile of their eigenvalues that a factor must exceed.
    seed : of the random numbers.

    Returns
    -------
    FactorNumber

    Raises
    ------
    OptionError, UnknownColumnError
        Arguments that make no sense.
    SampleError, CollinearityError
        Too few respondents, items without variation, or items that repeat each other.

    Warns
    -----
    SamplingAdequacyWarning
        If the items share too little.
    DesignIgnoredWarning
        If the sample is weighted, stratified or clustered, and has no rows to tell what that does to the correlations.

    Notes
    -----
    Under weights, strata or sampling units the random items have as many respondents as a simple random sample with
    correlations as sure (``n_eff``): else factors are found in noise. Sphericity's χ² is divided by its mean over df.
    Correlation matrices of uncorrelated normal items are drawn directly, by Bartlett's decomposition of a Wishart
    matrix: the time does not depend on the number of respondents.

    References
    ----------
    Horn (1965), Psychometrika 30(2), 179–185; Glorfeld (1995), Educational and Psychological Measurement 55(3), on the
    quantile; Velicer (1976), Psychometrika 41(3), 321–327; Bartlett (1933), Proceedings of the Royal Society of
    Edinburgh 53, 260–283, on the decomposition.
    """
    check_draws(draws, level, seed)
    source = source_of(source)
    found = correlations_of(source, items, "The number of factors")
    spread = spread_of(source, found.groups) if found.designed else None
    about = suitability(found.corr, found.n, 1.0 if spread is None else spread.of_none)
    unknown = [] if spread else doubts_of_design(found, "random eigenvalues and sphericity")
    raised = unknown + doubts_of_items(found.names, about)
    for kind, text in raised:
        warnings.warn(text, kind, stacklevel=2)
    return number_of(found, spread, about, draws, level, seed, tuple(text for _, text in raised))


def check_draws(draws: Any, level: Any, seed: Any) -> None:
    """Refuse options of a parallel analysis that make no sense."""
    check_level(level)
    for what, value, least in (("draws", draws, 20), ("seed", seed, 0)):
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or not least <= value:
            raise OptionError(f"{what} is a whole number, {least} or more; found {shown(value)}.")
    if draws > _MOST_DRAWS:
        raise OptionError(f"draws={draws}: {_MOST_DRAWS} at most are of use.")


def number_of(
    found: Correlations, spread: Spread | None, about: Suitability, draws: int, level: float, seed: int,
    notes: tuple[str, ...],
) -> FactorNumber:  # fmt: skip
    """The number of factors of correlations, by every rule; `spread` of the design, None without or if not known."""
    n_eff = float(found.n) if spread is None else spread.effective(found.corr, found.n)
    # Fewer than one respondent per item have no correlation matrix of full rank to draw.
    random = random_eigenvalues(len(found.names), max(n_eff, len(found.names) + 1.0), draws, seed)
    return FactorNumber(
        names=found.names,
        eigenvalues=np.linalg.eigvalsh(found.corr)[::-1],
        random=random.mean(axis=0),
        limit=np.quantile(random, level, axis=0),
        averages=average_partials(found.corr),
        suitability=about,
        n=found.n,
        n_eff=n_eff,
        left_out=found.left_out,
        level=level,
        draws=draws,
        seed=seed,
        notes=notes,
        provenance=Provenance(found.sample, "none"),
    )


def random_eigenvalues(p: int, n: float, draws: int, seed: int) -> np.ndarray:
    """(draws, p) eigenvalues, largest first, of correlations of p uncorrelated normal items over n respondents."""
    if n <= p:
        raise SampleError.too_few(f"{p} items", int(n), p + 1)
    generator = np.random.default_rng(seed)
    at_once = max(1, _AT_ONCE // p**2)
    parts = [_drawn(p, n, min(at_once, draws - start), generator) for start in range(0, draws, at_once)]
    return np.concatenate(parts)


def _drawn(p: int, n: float, draws: int, generator: np.random.Generator) -> np.ndarray:
    """(draws, p) eigenvalues of random correlations: a Wishart matrix is L Lᵀ, L lower triangular with χ above."""
    lower = np.tril(generator.standard_normal((draws, p, p)), -1)
    diagonal = np.arange(p)
    lower[:, diagonal, diagonal] = np.sqrt(generator.chisquare(n - 1.0 - diagonal, (draws, p)))
    lower /= np.sqrt(np.sum(lower**2, axis=2, keepdims=True))
    return np.linalg.eigvalsh(lower @ lower.swapaxes(1, 2))[:, ::-1]


def average_partials(corr: np.ndarray) -> np.ndarray:
    """(p,) mean squared correlation of the items given their first 0, 1, … p − 1 principal components."""
    p = len(corr)
    values, vectors = np.linalg.eigh(corr)
    loadings = vectors[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0.0))
    out = np.full(p, np.inf)
    for m in range(p):
        left = corr - loadings[:, :m] @ loadings[:, :m].T
        variance = np.diag(left)
        if (variance <= 1e-10).any():
            break
        squares = left**2 / np.outer(variance, variance)
        out[m] = (squares.sum() - p) / (p * (p - 1))
    return out
