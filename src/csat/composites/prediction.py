"""`Prediction`: how well a path model predicts answers that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.distributions import two_sided_p
from csat.results import Estimates, Shown
from csat.version import __version__

#: Which predictions errors are of: the path model, the linear model and the means, without the row's fold, and the two
#: models on average over the other folds.
PREDICTIONS = ("pls", "linear", "mean", "pls_in", "linear_in")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Prediction(Shown):
    """Errors of predictions of the items of explained constructs, and what the path model gains over simpler ones.

    items, constructs : (c,) the predicted items, and what each measures.
    rmse, mae : prediction (`PREDICTIONS`) → (c,) root mean squared and mean absolute errors, in units of the answers,
        weighted.
    q2 : (c,) share of the squared errors of the items' means that the path model saves, out of sample.
    losses : prediction → (g,) mean squared errors of constructs and "overall" (`groups`), on average over items.
    groups : (g,) explained constructs, then "overall".
    differences : (2g,) losses of the path model less those of a benchmark, with design-based covariance: keys
        construct, benchmark ("mean": the means of the items; "linear"). Negative: the path model predicts better.
    n : respondents. unpredicted : those of them without a prediction, as the model of their fold has no estimates.
    left_out : respondents without all answers.
    folds, repeats, seed, antecedents, benchmark : as asked.
    """

    items: tuple[str, ...]
    constructs: tuple[str, ...]
    rmse: Mapping[str, np.ndarray]
    mae: Mapping[str, np.ndarray]
    q2: np.ndarray
    losses: Mapping[str, np.ndarray]
    groups: tuple[str, ...]
    differences: Estimates
    n: int
    unpredicted: int
    left_out: int
    folds: int | str
    repeats: int
    seed: int
    antecedents: str
    benchmark: str

    def tidy(self) -> pd.DataFrame:
        """One row per predicted item.

        Returns
        -------
        DataFrame
            construct, item; rmse, mae, q2 of the path model out of sample; linear_rmse, linear_mae of the linear model;
            rmse_in, mae_in, linear_rmse_in, linear_mae_in in sample.
        """
        columns: dict[str, object] = {"construct": self.constructs, "item": self.items}
        columns |= {"rmse": self.rmse["pls"], "mae": self.mae["pls"], "q2": self.q2}
        columns |= {"linear_rmse": self.rmse["linear"], "linear_mae": self.mae["linear"]}
        columns |= {"rmse_in": self.rmse["pls_in"], "mae_in": self.mae["pls_in"]}
        columns |= {"linear_rmse_in": self.rmse["linear_in"], "linear_mae_in": self.mae["linear_in"]}
        return pd.DataFrame(columns)

    def cvpat(self) -> pd.DataFrame:
        """Cross-validated predictive ability tests: one row per explained construct, and overall, and benchmark.

        Returns
        -------
        DataFrame
            construct, benchmark, loss (mean squared error of the path model), benchmark_loss, difference, se,
            statistic, df, p, low, high, note. A negative difference speaks for the path model.

        References
        ----------
        Liengaard, Sharma, Hult, Jensen, Sarstedt, Hair & Ringle (2021), Decision Sciences 52(2), 362–392; Sharma,
        Liengaard, Hair, Sarstedt & Ringle (2023), European Journal of Marketing 57(6), 1662–1677.
        """
        found = self.differences
        low, high = found.interval
        return pd.DataFrame(
            {
                "construct": found.keys["construct"],
                "benchmark": found.keys["benchmark"],
                "loss": np.tile(self.losses["pls"], 2),
                "benchmark_loss": np.concatenate([self.losses["mean"], self.losses["linear"]]),
                "difference": found.estimate,
                "se": found.se,
                "statistic": found.statistic,
                "df": found.df,
                "p": two_sided_p(found.statistic, found.df),
                "low": low,
                "high": high,
                "note": [str(found.unavailable.get(i, "")) for i in range(len(found.estimate))],
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row: bases, how it was done, mean squared errors overall, items better predicted than linearly."""
        better = np.sum(self.rmse["pls"] < self.rmse["linear"])
        facts = {
            "n": self.n, "left_out": self.left_out, "unpredicted": self.unpredicted, "folds": self.folds,
            "repeats": self.repeats, "seed": self.seed, "antecedents": self.antecedents, "benchmark": self.benchmark,
            "items": len(self.items), "items_better": int(better), "items_positive": int(np.sum(self.q2 > 0)),
            "loss": self.losses["pls"][-1], "mean_loss": self.losses["mean"][-1],
            "linear_loss": self.losses["linear"][-1], "version": __version__,
        }  # fmt: skip
        return pd.DataFrame([facts])
