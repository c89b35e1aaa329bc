"""`Reliability`: how well scales are measured, item by item and pair by pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.measurement.doubts import Remark
from csat.measurement.figures import OF_ITEM, OF_PAIR, OF_SCALE
from csat.measurement.scales import Scales
from csat.results import Estimates, Shown, check_level

#: Values from which on a figure is usually called sufficient; HTMT, and the squared correlation against AVE, must stay
#: below theirs. Shown, never enforced. Sources: Nunnally (1978), Psychometric Theory, for .70, .80 for decisions;
#: Fornell & Larcker (1981); Henseler, Ringle & Sarstedt (2015) for .85, .90 where constructs are alike.
LIMITS = {"alpha": (0.70, 0.80), "ave": (0.50,), "htmt": (0.85, 0.90)}
#: What the ends of intervals, standard errors and notes are called in wide tables.
_ABOUT = ("se", "low", "high")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reliability(Shown):
    """How well scales are measured.

    scales : names and items. by : grouping columns.
    estimates : every figure of every group, with key columns kind ("scale", "item", "pair"), scale, other and measure:

        - of a scale: ``alpha``, ``alpha_std`` (of standardized items), ``omega`` (explained by the factor, over the
          observed variance of the sum), ``omega_model`` (over the variance that the model implies), ``rho_c`` (CR, of
          standardized items), ``ave``, ``ave_raw`` (of items in their own units);
        - of an item: ``item_rest`` (correlation with the sum of the others), ``alpha_without`` it, ``loading``;
        - of a pair of scales: ``htmt``, ``htmt2`` (geometric means), ``correlation`` (of the factors).
    mean, sd, missing : (D, p) of the answers to each item, and the share of respondents without one.
    sizes : (D,) respondents behind the figures. left_out : respondents who did not count.
    factors : "joint" or "separate". remarks : doubts, and what else should be known.
    failed : replicates on which the factor model has no optimum.
    """

    scales: Scales
    by: tuple[str, ...]
    domains: tuple[tuple[str, ...], ...]
    estimates: Estimates
    mean: np.ndarray
    sd: np.ndarray
    missing: np.ndarray
    sizes: tuple[int, ...]
    left_out: int
    factors: str
    remarks: tuple[Remark, ...] = ()
    failed: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks in English, those first that were warned of."""
        return tuple(remark.text for remark in self.remarks)

    def tidy(self) -> pd.DataFrame:
        """One row per figure: ``term``, the group, ``kind scale other measure``, ``estimate se … low high … note``."""
        return self.estimates.tidy()

    def constructs(self) -> pd.DataFrame:
        """One row per scale and group: ``scale``, ``items``, every figure with ``_se``, ``_low``, ``_high``, ``n``."""
        wide = self._wide("scale", [*self.by, "scale"], OF_SCALE)
        count = dict(zip(self.scales.names, map(len, self.scales.members), strict=True))
        wide.insert(len(self.by) + 1, "items", [count[name] for name in wide["scale"]])
        return wide

    def items(self) -> pd.DataFrame:
        """One row per item and group: the group, ``scale``, ``term``, ``mean``, ``sd``, ``missing``, figures, ``n``."""
        wide = self._wide("item", [*self.by, "scale", "term"], OF_ITEM)
        place = len(self.by) + 2
        for name in ("missing", "sd", "mean"):
            wide.insert(place, name, getattr(self, name).ravel())
        return wide

    def discriminant(self) -> pd.DataFrame:
        """One row per pair of scales and group: ``scale``, ``other``, HTMT, HTMT2 and correlation with intervals.

        ``shared`` is the squared correlation of the factors and ``ave_least`` the smaller AVE, which should be larger
        (Fornell & Larcker 1981); NaN where factors were fitted one by one.
        """
        measures = OF_PAIR if self.factors == "joint" else OF_PAIR[:-1]
        wide = self._wide("pair", [*self.by, "scale", "other"], measures)
        extracted = self.constructs().set_index([*self.by, "scale"])["ave"]
        least = [
            min(extracted[(*key, a)] if key else extracted[a], extracted[(*key, b)] if key else extracted[b])
            for *key, a, b in wide[[*self.by, "scale", "other"]].itertuples(index=False, name=None)
        ]
        shared = wide["correlation"] ** 2 if self.factors == "joint" else np.nan
        at = list(wide.columns).index("n")
        wide.insert(at, "ave_least", np.array(least, float))
        wide.insert(at, "shared", shared)
        return wide

    def feldt(self, level: float = 0.95) -> pd.DataFrame:
        """Feldt's interval of alpha: exact for normal, parallel items of a simple random sample.

        Returns
        -------
        DataFrame
            The group, ``scale``, ``alpha``, ``low``, ``high``.

        Raises
        ------
        OptionError
            If the level is no number between 0 and 1.

        References
        ----------
        Feldt (1965), Psychometrika 30(3), 357–370; Feldt, Woodruff & Salih (1987), Applied Psychological Measurement
        11(1), 93–103, equation 8.
        """
        from scipy.special import fdtri

        check_level(level)
        frame = self.constructs()
        own, rest = frame["n"] - 1.0, (frame["n"] - 1.0) * (frame["items"] - 1.0)
        error = 1.0 - frame["alpha"]
        low, high = (1.0 - error * fdtri(own, rest, tail) for tail in ((1 + level) / 2, (1 - level) / 2))
        return frame[[*self.by, "scale", "alpha"]].assign(low=low, high=high)

    def glance(self) -> pd.DataFrame:
        """One row: numbers of scales, items and respondents, and how the figures were made."""
        about = self.estimates.provenance
        return pd.DataFrame([{
            "scales": len(self.scales.names), "items": len(self.scales.items), "n": sum(self.sizes),
            "left_out": self.left_out, "factors": self.factors, "level": self.estimates.level,
            "replicates_failed": self.failed, "sample": about.sample, "variance": about.variance,
            "version": about.version,
        }])  # fmt: skip

    def _wide(self, kind: str, keys: list[str], measures: tuple[str, ...]) -> pd.DataFrame:
        """The figures of one kind, a row for each value of `keys`."""
        tidy = self.tidy()
        tidy = tidy[tidy["kind"] == kind].reset_index(drop=True)
        rows = tidy.iloc[:: len(measures)]
        wide = rows[keys].reset_index(drop=True)
        for at, measure in enumerate(measures):
            part = tidy.iloc[at :: len(measures)].reset_index(drop=True)
            wide[measure] = part["estimate"]
            wide = wide.assign(**{f"{measure}_{end}": part[end] for end in _ABOUT})
        notes = tidy["note"].to_numpy(object).reshape(-1, len(measures))
        return wide.assign(n=rows["n"].to_numpy(), note=[next(filter(None, row), "") for row in notes])
