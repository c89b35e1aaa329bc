"""Every figure of a reliability analysis as one vector, a function of the items' covariances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from csat.consistency import (
    alpha,
    alpha_without,
    composite_reliability,
    correlations,
    heterotrait_ratio,
    item_rest,
    variance_extracted,
)
from csat.measurement.factors import FactorModel, Factors, Fit
from csat.variance import gradient

#: Figures of a scale, of an item, of a pair of scales; those of a factor model, and the one between its factors.
OF_SCALE = ("alpha", "alpha_std", "omega", "omega_model", "rho_c", "ave", "ave_raw")
OF_ITEM = ("item_rest", "alpha_without", "loading")
OF_PAIR = ("htmt", "htmt2", "correlation")
MODELLED = frozenset({"omega", "omega_model", "rho_c", "ave", "ave_raw", "loading", "correlation"})


@dataclass(frozen=True, slots=True)
class Label:
    """What a figure is about: kind "scale", "item" or "pair"; `other` is the second scale of a pair."""

    kind: str
    scale: str
    measure: str
    item: str = ""
    other: str = ""

    @property
    def term(self) -> str:
        """The scale, the item, or both scales."""
        return {"scale": self.scale, "item": self.item, "pair": f"{self.scale} ~~ {self.other}"}[self.kind]


@dataclass(frozen=True, eq=False)
class Figures:
    """The q figures of a set of scales."""

    model: FactorModel

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """(q,) what each figure is."""
        scales = self.model.scales
        of_scale = (Label("scale", name, measure) for name in scales.names for measure in OF_SCALE)
        of_item = (
            Label("item", name, measure, item)
            for name, items in zip(scales.names, scales.members, strict=True)
            for item in items
            for measure in OF_ITEM
        )
        measures = OF_PAIR if self.model.joint else OF_PAIR[:-1]
        of_pair = (
            Label("pair", scales.names[a], measure, other=scales.names[b])
            for a, b in self._pairs
            for measure in measures
        )
        return (*of_scale, *of_item, *of_pair)

    @cached_property
    def _pairs(self) -> tuple[tuple[int, int], ...]:
        return tuple(combinations(self.model.scales.several, 2))

    @cached_property
    def modelled(self) -> np.ndarray:
        """(q,) which figures come from the factor model."""
        return np.array([label.measure in MODELLED for label in self.labels])

    @cached_property
    def single(self) -> np.ndarray:
        """(q,) which figures would need more items than the scale has."""
        size = dict(zip(self.model.scales.names, map(len, self.model.scales.members), strict=True))
        return np.array([size[label.scale] < (3 if label.measure == "alpha_without" else 2) for label in self.labels])

    def values(self, cov: np.ndarray, theta: np.ndarray | None) -> np.ndarray:
        """(…, q) figures from covariances (…, p, p) and parameters (…, k) of the factor model; None: it has none."""
        corr = correlations(cov)
        lead = cov.shape[:-2]
        factors = None if theta is None else self.model.at(theta)
        parts = [*self._scales(cov, corr, factors), *self._items(cov, factors), *self._relations(corr, factors)]
        return np.stack([np.broadcast_to(part, lead) for part in parts], axis=-1)

    def _scales(self, cov: np.ndarray, corr: np.ndarray, factors: Factors | None) -> Iterator[np.ndarray]:
        for at in self.model.scales.places:
            own = cov[..., at[:, None], at]
            yield alpha(own)
            yield alpha(corr[..., at[:, None], at])
            yield from _explained(own, factors, at)

    def _items(self, cov: np.ndarray, factors: Factors | None) -> Iterator[np.ndarray]:
        for at in self.model.scales.places:
            own = cov[..., at[:, None], at]
            rest, without = item_rest(own) if len(at) > 1 else np.full(own.shape[:-1], np.nan), alpha_without(own)
            loading = np.full(own.shape[:-1], np.nan) if factors is None else _standardized(factors)[..., at]
            for i in range(len(at)):
                yield from (rest[..., i], without[..., i], loading[..., i])

    def _relations(self, corr: np.ndarray, factors: Factors | None) -> Iterator[np.ndarray]:
        places = self.model.scales.places
        for a, b in self._pairs:
            yield heterotrait_ratio(corr, places[a], places[b])
            yield heterotrait_ratio(corr, places[a], places[b], geometric=True)
            if self.model.joint:
                yield np.asarray(np.nan) if factors is None else factors.correlation[..., a, b]

    def at(self, cov: np.ndarray, fit: Fit | None) -> np.ndarray:
        """(q,) figures of one group."""
        return self.values(cov, None if fit is None else fit.state.theta)

    def slopes(self, cov: np.ndarray, fit: Fit | None) -> np.ndarray:
        """(q, p, p) symmetric derivatives of the figures by the covariances (p, p); 0 where there is no figure."""

        def along(moved: np.ndarray) -> np.ndarray:
            return self.values(moved, None if fit is None else self.model.moved(fit, moved))

        with np.errstate(all="ignore"):
            return np.nan_to_num(gradient(along, cov), nan=0.0, posinf=0.0, neginf=0.0)


def _standardized(factors: Factors) -> np.ndarray:
    return np.asarray(factors.loading / np.sqrt(factors.loading**2 + factors.unique))


def _explained(cov: np.ndarray, factors: Factors | None, at: np.ndarray) -> list[np.ndarray]:
    """What the factor explains of one scale: omega over the observed and the implied variance, CR, AVE twice."""
    if factors is None:
        return [np.full(cov.shape[:-2], np.nan)] * 5
    loading, unique, standard = (x[..., at] for x in (factors.loading, factors.unique, _standardized(factors)))
    common, squares = loading.sum(axis=-1) ** 2, (loading**2).sum(axis=-1)
    own = unique.sum(axis=-1)
    return [
        common / cov.sum(axis=(-1, -2)),
        common / (common + own),
        composite_reliability(standard),
        variance_extracted(standard),
        squares / (squares + own),
    ]
