"""The sample moments of each group that a structural model is fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.errors import ModelError, UnknownColumnError
from csat.model import Model
from csat.moments import Groups, Source, one_name
from csat.structural.checks import check_sample
from csat.structural.discrepancy import Sample


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """What a model is fitted to.

    summary : listwise moments of the observed variables, by group. labels : (G,) of the groups; ("",) for one.
    covs, means : (G,) of (p, p) with divisor n, and (p,). sizes : (G,) respondents.
    masses : (G,) weights of the respondents, scaled to sum to n over all groups.
    """

    summary: Groups
    labels: tuple[str, ...]
    covs: tuple[np.ndarray, ...]
    means: tuple[np.ndarray, ...]
    sizes: tuple[int, ...]
    masses: tuple[float, ...]

    def samples(self, *, means: bool, wishart: bool) -> tuple[Sample, ...]:
        """Moments as they are fitted, each group with its share in the fit function."""
        multipliers = self.multipliers(wishart=wishart)
        found = zip(self.covs, self.means, self.masses, multipliers, strict=True)
        return tuple(Sample(cov * n / m, mean if means else None, m / sum(multipliers)) for cov, mean, n, m in found)

    def multipliers(self, *, wishart: bool) -> tuple[float, ...]:
        """(G,) what multiplies the fit function of each group: its mass, less 1 under the Wishart likelihood."""
        return tuple(mass - wishart for mass in self.masses)


def check_groups(model: Model, labels: Sequence[str]) -> None:
    """Refuse a model that speaks of another number of groups than there are."""
    if model.groups not in (1, len(labels)):
        raise ModelError(
            f"The model speaks of {model.groups} groups, as in c(a, b)*x; there are {len(labels)}"
            + (f": {', '.join(labels)}." if len(labels) > 1 else "; name their column in group=….")
        )


def unknown_column(error: UnknownColumnError, model: Model) -> UnknownColumnError:
    """A column that the data lack, with what the model takes for columns."""
    return UnknownColumnError(
        f"{error} The model takes every name for a column that no =~ or <~ has on its left; "
        f"its constructs are {', '.join(map(repr, model.latents)) or 'none'}."
    )


def listwise(source: Source, model: Model, group: str | None) -> Data:
    """Moments of complete respondents.

    Raises
    ------
    UnknownColumnError, SampleError, CollinearityError
        If the data lack a variable, respondents or variation, or repeat a variable.
    """
    by = () if group is None else (one_name(group, "group"),)
    try:
        summary = source.groups(list(model.observed), by, "listwise")
    except UnknownColumnError as error:
        raise unknown_column(error, model) from None
    parts = [summary.moments(domain) for domain in summary.domains]
    for moments in parts:
        check_sample(model.observed, moments.cov, moments.mean, moments.n)
    n_over_weight = sum(moments.n for moments in parts) / sum(moments.weight for moments in parts)
    return Data(
        summary,
        tuple(domain[0] for domain in summary.domains) if by else ("",),
        tuple(moments.cov for moments in parts),
        tuple(moments.mean for moments in parts),
        tuple(moments.n for moments in parts),
        tuple(moments.weight * n_over_weight for moments in parts),
    )
