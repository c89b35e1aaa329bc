"""Measurement invariance: whether constructs of several groups may be compared, and if so, their means.

Each step holds one more kind of parameter equal over the groups (Meredith 1993, Psychometrika 58(4), 525–543).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import CsatError, ModelError, OptionError, check_choice
from csat.model import Model
from csat.moments import Source, as_names, one_name, shown
from csat.results import Shown, Unavailable
from csat.structural.comparing.comparison import Comparison, compare_models
from csat.structural.comparing.equality import EqualityTests, equality_tests
from csat.structural.comparing.latent_means import LatentMeans, latent_means, pairs_of
from csat.structural.estimate import sem
from csat.structural.ordered.ordinal import ORDINAL
from csat.structural.result import Sem

#: What each step adds to what groups share.
STEPS = {"configural": "", "metric": "loadings", "scalar": "intercepts", "strict": "residuals"}
#: Steps of ordered items: each group has thresholds of its own, which take the place of intercepts and residuals.
ORDERED_STEPS = ("configural", "metric")
#: Verdicts on a step.
SUPPORTED, UNCLEAR, NOT_SUPPORTED = "supported", "unclear", "not_supported"
#: Changes of CFI and RMSEA, and of SRMR by step, beyond which equality is doubted (Chen 2007, Structural Equation
#: Modeling 14(3), 464–504; the one of CFI also Cheung & Rensvold 2002, ibid. 9(2), 233–255). The second set is Chen's
#: for up to 300 respondents.
_CUTOFFS = {
    "large": {"cfi": -0.010, "rmsea": 0.015, "srmr": 0.010, "srmr_metric": 0.030},
    "small": {"cfi": -0.005, "rmsea": 0.010, "srmr": 0.005, "srmr_metric": 0.025},
}
_SMALL = 300
#: Fit that the first step, which has nothing to compare with, should have (Bentler & Bonett 1980, Psychological
#: Bulletin 88(3), for CFI; Hu & Bentler 1999, Structural Equation Modeling 6(1), for SRMR).
_LEAST_CFI, _MOST_SRMR = 0.90, 0.08
_ALPHA = 0.05


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Invariance(Shown):
    """Steps of measurement invariance, from the least to the most restricted.

    group : column whose categories are compared. reference : the group whose constructs have mean 0.
    steps : (S,) names. fits : (S,) the estimated models. comparison : their tests and indices.
    partial : relations that were left free all the same.
    """

    group: str
    reference: str
    steps: tuple[str, ...]
    fits: tuple[Sem, ...]
    comparison: Comparison
    partial: tuple[str, ...]

    def fit(self, step: str) -> Sem:
        """The estimated model of a step."""
        check_choice("step", step, self.steps)
        return self.fits[self.steps.index(step)]

    def tidy(self) -> pd.DataFrame:
        """One row per step.

        Returns
        -------
        DataFrame
            step; the columns of `Comparison.tidy`: fit of the step, test against the step before, changes of the
            indices; cut_cfi, cut_rmsea, cut_srmr, the usual limits of these changes; verdict; note.
        """
        frame = self.comparison.tidy().rename(columns={"model": "step"})
        note = frame.pop("note")
        limits = pd.DataFrame([self._cutoffs(step) for step in self.steps])
        return frame.assign(**{f"cut_{key}": limits[key] for key in limits}, verdict=self.verdicts, note=note)

    @property
    def verdicts(self) -> tuple[str, ...]:
        """(S,) whether each step holds, given the step before.

        "supported": the test is not significant at 5 % and CFI changes no more than its cut-off, or no index changes
        more than its cut-off. "not_supported": the test is significant and CFI changes more. Otherwise "unclear".
        Under robust estimators CFI and RMSEA are the robust ones. The first step is judged by its own fit: CFI of at
        least .90 and SRMR of at most .08, or one of them ("unclear").
        """
        frame = self.comparison.tidy()
        robust = all(
            key in frame and frame[key][1:].notna().all() for key in ("delta_cfi_robust", "delta_rmsea_robust")
        )
        kind = "_robust" if robust else ""
        found = [self._of_first()]
        for at in range(1, len(self.steps)):
            row, limit = frame.iloc[at], self._cutoffs(self.steps[at])
            worse = row[f"delta_cfi{kind}"] <= limit["cfi"]
            beyond = worse or row[f"delta_rmsea{kind}"] >= limit["rmsea"] or row["delta_srmr"] >= limit["srmr"]
            found.append(_verdict(bool(row["p"] < _ALPHA), bool(worse), bool(beyond)))
        return tuple(found)

    def _of_first(self) -> str:
        measures, robust = self.fits[0].measures, self.fits[0].robust
        cfi = measures.cfi if robust is None or np.isnan(robust.scaled.cfi_robust) else robust.scaled.cfi_robust
        good = (cfi >= _LEAST_CFI) + (measures.srmr <= _MOST_SRMR)
        return (NOT_SUPPORTED, UNCLEAR, SUPPORTED)[int(good)]

    def _cutoffs(self, step: str) -> dict[str, float]:
        """Limits of the changes at a step; NaN at the first."""
        if step == self.steps[0]:
            return dict.fromkeys(("cfi", "rmsea", "srmr"), np.nan)
        limits = _CUTOFFS["small" if self.fits[0].measures.n <= _SMALL else "large"]
        return {key: limits[key] for key in ("cfi", "rmsea")} | {
            "srmr": limits["srmr_metric" if step == "metric" else "srmr"]
        }

    @property
    def ordered(self) -> bool:
        """Whether there are ordered items, so that loadings are compared, and no intercepts, residuals and means."""
        return self.fits[0].thresholds is not None

    @property
    def broken(self) -> str:
        """The first step that is not supported; "" if none."""
        return next((s for s, verdict in zip(self.steps, self.verdicts, strict=True) if verdict == NOT_SUPPORTED), "")

    @property
    def reached(self) -> str:
        """The last step before a broken one; "" if the first is broken."""
        last = self.steps.index(self.broken) if self.broken else len(self.steps)
        return self.steps[last - 1] if last else ""

    def score_tests(self, step: str | None = None) -> EqualityTests:
        """Which equalities a step would fit better without: those it adds to the step before.

        Parameters
        ----------
        step : None: the first that is not supported, or else the last.
        """
        fit = self.fit(step or self.broken or self.steps[-1])
        at = self.fits.index(fit)
        before = {row.relation for row in self.fits[at - 1].layout.rows if row.tie} if at else set()
        return equality_tests(fit, without=before)

    def latent_means(self, pairs: str = "reference") -> LatentMeans:
        """Means of the constructs compared between groups, at the scalar step.

        Parameters
        ----------
        pairs : each group against the "reference", or "all" pairs of groups.

        Returns
        -------
        LatentMeans
            Without figures, and with the reason, if a step up to the scalar one is not supported, or was not asked for.
        """
        check_choice("pairs", pairs, ("reference", "all"))
        asked = "scalar" if "scalar" in self.steps else self.steps[-1]
        fit, groups = self.fit(asked), self.fits[0].groups
        return latent_means(fit, pairs_of(len(groups), groups.index(self.reference), pairs), self._no_means())

    def _no_means(self) -> Unavailable | None:
        if "scalar" not in self.steps:
            return Unavailable("no_scalar_step")
        upto = self.steps.index("scalar") + 1
        return Unavailable("not_invariant") if NOT_SUPPORTED in self.verdicts[:upto] else None

    def glance(self) -> pd.DataFrame:
        """One row: groups, respondents, how far invariance reaches, where it breaks and which relation is suspected."""
        first = self.fits[0]
        found = {
            "group": self.group, "groups": len(first.groups), "reference": self.reference, "n": first.measures.n,
            "estimator": first.estimator, "method": self.comparison.method, "partial": ", ".join(self.partial),
            "reached": self.reached, "broken": self.broken, "suspect": self._suspect() if self.broken else "",
        }  # fmt: skip
        return pd.DataFrame([found])

    def _suspect(self) -> str:
        """The relation that the broken step would gain most from leaving free; "" if it added none."""
        tests = self.score_tests().tidy().query("whole").nlargest(1, "chisq")
        return " ".join(tests.iloc[0][["lhs", "op", "rhs"]]).strip() if len(tests) else ""


def _verdict(significant: bool, worse: bool, beyond: bool) -> str:
    if worse and significant:
        return NOT_SUPPORTED
    return SUPPORTED if not beyond or not (significant or worse) else UNCLEAR


def invariance(
    source: Source,
    model: Model | str,
    group: str,
    *,
    steps: str | Sequence[str] | None = None,
    partial: str | Sequence[str] = (),
    reference: str | None = None,
    estimator: str = "ML",
    likelihood: str = "normal",
    level: float = 0.95,
    std_lv: bool = False,
    fixed_x: bool | None = None,
    auto_cov_y: bool = True,
    orthogonal: bool = False,
    ordered: bool | str | Sequence[str] = (),
    missing: str = "listwise",
) -> Invariance:
    """Test in steps whether groups (branches, waves …) understand the questions alike; compare means if they do.

    Parameters
    ----------
    source, model : as in `sem`. group : column whose categories are compared.
    steps : two or more of "configural" (same pattern), "metric" (and loadings), "scalar" (and intercepts), "strict"
        (and residual variances), in this order; each holds equal what those left out before it do. None: all four;
        the first two if items are ordered.
    partial : relations that stay free all the same, e.g. ``["x3 ~1", "visual =~ x2"]``.
    reference : group with latent means of 0; None: the first.
    estimator, likelihood, level, std_lv, fixed_x, auto_cov_y, orthogonal, ordered, missing : as in `sem`; robust
        estimators correct the tests of the differences too. Ordered items have the first two steps, see Notes.

    Returns
    -------
    Invariance
        Fit of every step, tests, verdicts; `latent_means` and `score_tests`.

    Raises
    ------
    OptionError, ModelError
        If the steps are not known or not in order, a relation of `partial` would be free anyway, or the model has no
        constructs.
    CsatError
        If a step cannot be estimated; it is named.

    Notes
    -----
    A large sample makes any difference significant and a small one none; hence the changes of the fit indices. All
    limits are conventions: they are shown, and the models are there whatever the verdict.

    The latent responses of ordered items have variance 1 and mean 0 in every group, and thresholds of their own
    ("WLSMV", "DWLS"). Loadings can be compared on that scale; what "scalar" and "strict" are about, thresholds shared
    by the groups with scales and means free, is not estimated (Wu & Estabrook 2016, Psychometrika 81(4), 1014–1045).
    To compare means of constructs take the answers as numbers: estimator="MLR".
    """
    model = Model(model) if isinstance(model, str) else model
    chosen, free = _chosen(steps, estimator), as_names(partial, "partial")
    _check_model(model, chosen, free, one_name(group, "group"))
    options: dict[str, Any] = {
        "estimator": estimator, "likelihood": likelihood, "level": level, "std_lv": std_lv, "fixed_x": fixed_x,
        "auto_cov_y": auto_cov_y, "orthogonal": orthogonal, "ordered": ordered, "missing": missing,
        "reference": reference,
    }  # fmt: skip
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        fits = tuple(_fitted(source, model, group, step, free, options) for step in chosen)
    for text, kind in dict.fromkeys((str(one.message), one.category) for one in raised):
        warnings.warn(text, kind, stacklevel=2)
    names = fits[0].groups
    return Invariance(
        group, names[0] if reference is None else reference, chosen, fits, compare_models(*fits, names=chosen), free
    )


def _fitted(
    source: Source, model: Model, group: str, step: str, partial: Sequence[str], options: dict[str, Any]
) -> Sem:
    equal = equal_of(step)
    try:
        return sem(source, model, group=group, equal=equal, partial=partial if equal else (), **options)
    except CsatError as error:
        raise type(error)(f"Step {step!r}: {error}") from None


def equal_of(step: str) -> list[str]:
    """Kinds of parameters that groups share at a step."""
    names = list(STEPS)
    return [STEPS[name] for name in names[1 : names.index(step) + 1]]


def _chosen(steps: Any, estimator: str) -> tuple[str, ...]:
    ordered = isinstance(estimator, str) and estimator in ORDINAL
    if steps is None:
        return ORDERED_STEPS if ordered else tuple(STEPS)
    chosen = as_names(steps, "steps")
    for step in chosen:
        check_choice("steps", step, tuple(STEPS))
        if ordered and step not in ORDERED_STEPS:
            raise OptionError(
                f"steps: {step!r} is about {STEPS[step]}, which ordered items do not have: every group has its own "
                "thresholds. Take 'configural' and 'metric'; to compare means of constructs take the answers as "
                "numbers, estimator='MLR' without ordered=…."
            )
    if len(chosen) < 2 or [step for step in STEPS if step in chosen] != list(chosen):
        order = ", ".join(map(repr, STEPS))
        raise OptionError(f"steps={list(chosen)}: two or more different steps are needed, in the order {order}.")
    return chosen


def _check_model(model: Any, steps: Sequence[str], partial: Sequence[str], group: str) -> None:
    """Refuse a model without constructs, and relations in `partial` that no step holds equal."""
    if not isinstance(model, Model):
        raise OptionError(f"model is a text such as 'quality =~ q1 + q2', or a csat.Model; found {shown(model)}.")
    if not any(term.op == "=~" for term in model.terms):
        raise ModelError("Invariance is about the measurement of constructs; this model has none. Add a line with =~.")
    if group in model.observed:
        raise OptionError(f"group={group!r} is a variable of the model; it cannot also tell the groups apart.")
    equal = equal_of(steps[-1])
    spare = [asked for asked in partial if not _tied_without(model, asked, equal)]
    if spare:
        held = dict.fromkeys(row.relation for row in model.expand(groups=2, means=True, equal=equal) if row.tie)
        raise OptionError(
            f"partial: {', '.join(map(repr, spare))} would be free anyway. The last step, {steps[-1]!r}, holds equal: "
            f"{', '.join(held) or 'nothing'}."
        )


def _tied_without(model: Model, relation: str, equal: Sequence[str]) -> bool:
    """Whether the relation is tied unless it is spared."""
    ties = [sum(bool(row.tie) for row in model.expand(groups=2, means=True, equal=equal, partial=spared))
            for spared in ((), (relation,))]  # fmt: skip
    return ties[0] > ties[1]
