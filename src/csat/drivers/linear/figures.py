"""What a regression says besides its coefficients: standardized ones, explained variance, tests, likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log, nan, pi

import numpy as np

from csat.drivers.linear.collinearity import dimensions
from csat.drivers.linear.joint import TermTest, generalised_vif, term_tests, wald
from csat.drivers.linear.least_squares import EXACT, Fit
from csat.drivers.terms import Terms
from csat.results import Test


@dataclass(frozen=True, slots=True, eq=False)
class About:
    """Figures of one regression of q coefficients; NaN where there is no fit.

    beta, partial, semipartial, tolerance : (q,), NaN for the intercept.
    dimensions : condition indices (q,) and shares (q, q). terms : a test of each term.
    """

    beta: np.ndarray
    partial: np.ndarray
    semipartial: np.ndarray
    tolerance: np.ndarray
    r2: float
    adj_r2: float
    sigma: float
    loglik: float
    test: Test
    terms: list[TermTest]
    dimensions: tuple[np.ndarray, np.ndarray]


def about(
    fit: Fit | None, terms: Terms, estimate: np.ndarray, vcov: np.ndarray, df: float, log_weights: float, *, usual: bool
) -> About:
    """Figures of one regression.

    Parameters
    ----------
    fit : None if there is none.
    terms : of its k columns.
    estimate, vcov, df : its q coefficients, their covariance and degrees of freedom.
    log_weights : Σ log w.
    usual : the covariance is the classical one, and the overall test F from sums of squares.
    """
    k, q = len(terms.columns), len(estimate)
    beta, partial, semipartial, tolerance = np.full((4, q), nan)
    r2 = adjusted = sigma = loglik = f = nan
    slopes, spread = estimate[q - k :], vcov[q - k :, q - k :]
    if fit is not None:
        r2, sigma, loglik = fit.r2, float(np.sqrt(fit.rss / fit.df)), log_likelihood(fit, log_weights)
        adjusted = 1 - (1 - r2) * (fit.n - fit.intercept) / fit.df
        beta[q - k :], tolerance[q - k :] = fit.beta, fit.tolerance
        semipartial = beta * np.sqrt(tolerance)
        if fit.exact:  # what rounding left of a driver without effect
            semipartial[np.square(semipartial) < EXACT] = 0.0
        with np.errstate(invalid="ignore"):  # an exact fit leaves nothing to a driver without effect: 0/0
            partial = semipartial / np.sqrt(np.square(semipartial) + 1 - r2)
        f = (fit.tss - fit.rss) / k / (fit.rss / fit.df) if usual and not fit.exact else nan
    f = f if usual else wald(slopes, spread, range(k)) / k
    return About(
        beta, partial, semipartial, tolerance, r2, adjusted, sigma, loglik, Test("all slopes are zero", f, k, df),
        term_tests(terms, slopes, spread, df, None if fit is None else generalised_vif(fit, terms)), dimensions(fit, q),
    )  # fmt: skip


def log_likelihood(fit: Fit, log_weights: float) -> float:
    """Normal log-likelihood at its maximum, with weights as inverse variances, as logLik of R's lm; inf if exact."""
    if fit.exact:
        return inf
    return 0.5 * (log_weights - fit.n * (log(2 * pi) + 1 - log(fit.n) + log(fit.rss)))
