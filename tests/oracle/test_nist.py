"""Linear regressions of the kinds that NIST certifies: exact rational arithmetic is the oracle.

The exact answer is computed here for the very floats that csat is given, and itself compared with NIST's certified
figures of Longley and Wampler. Longley's rows come with statsmodels; those of Wampler, and problems with the shape of
Norris, Pontius and Filip, are formulas. LRE: log relative error, about the number of correct digits.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from statsmodels.datasets.longley import load_pandas as load_longley

import csat

DIGITS = 15
#: Wampler3 is Wampler1 plus these; they are orthogonal to polynomials of degree 5, so that all coefficients stay 1.
NOISE = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048, 2048]
NOISE += NOISE[-2::-1]
STEPS = range(21)


@dataclass
class Exact:
    """Least squares in rationals: coefficients, squared standard errors, residual variance, R²."""

    est: list[Fraction]
    variance: list[Fraction]
    residual: Fraction
    r2: Fraction


def exact(columns, y) -> Exact:
    """Solve the normal equations without rounding; `columns` (p) lists of numbers, `y` a list."""
    columns, y = [list(map(Fraction, column)) for column in columns], list(map(Fraction, y))
    p, n = len(columns), len(y)
    cross = [[_dot(a, b) for b in columns] for a in columns]
    table = [[*cross[i], *(Fraction(i == j) for j in range(p)), _dot(columns[i], y)] for i in range(p)]
    for i in range(p):
        pivot = table[i][i]
        table[i] = [cell / pivot for cell in table[i]]
        for j in range(p):
            if j != i:
                factor = table[j][i]
                table[j] = [a - factor * b for a, b in zip(table[j], table[i], strict=True)]
    est = [row[-1] for row in table]
    left = [value - _dot(est, row) for value, row in zip(y, zip(*columns, strict=True), strict=True)]
    rss, mean = _dot(left, left), sum(y) / n
    centred = [value - mean if all(cell == 1 for cell in columns[0]) else value for value in y]
    return Exact(
        est, [rss / (n - p) * table[i][p + i] for i in range(p)], rss / (n - p), 1 - rss / _dot(centred, centred)
    )


def _dot(a, b) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def lre(found, truth) -> float:
    """Correct digits of the worst of several figures, at most 15."""
    error = [
        abs(float(Fraction(float(f)) - t)) / (abs(float(t)) if t else 1.0)
        for f, t in zip(np.ravel(found).tolist(), truth, strict=True)
    ]
    return min(DIGITS, -np.log10(max(*error, 10.0**-DIGITS)))


def powers(x, degree):
    """Columns x, x², … as floats."""
    return {f"x{k}": [float(v) ** k for v in x] for k in range(1, degree + 1)}


def wampler(number):
    """The five of Wampler: y is a polynomial, with more and more noise from the third on."""
    ratio = Fraction(1, 10) if number == 2 else Fraction(1)
    noise = {3: 1, 4: 100, 5: 10_000}.get(number, 0)
    y = [sum((ratio * x) ** k for k in range(6)) + noise * e for x, e in zip(STEPS, NOISE, strict=True)]
    return powers(STEPS, 5), [float(v) for v in y]


def longley():
    """Longley (1967), as statsmodels ships it."""
    data = load_longley().data.astype(float)
    return {name: data[name].tolist() for name in data.columns if name != "TOTEMP"}, data["TOTEMP"].tolist()


def noint(number):
    """The two through the origin."""
    x, y = ([4, 5, 6], [3, 4, 4]) if number == 2 else (range(60, 71), range(130, 141))
    return powers(x, 1), [float(v) for v in y]


def line():
    """The shape of Norris: 36 readings of an instrument, hardly off a line."""
    x = [round(0.2 + 999 * (11 * i % 36 / 35) ** 1.5, 1) for i in range(36)]
    return powers(x, 1), [round(1.002 * v - 0.25 + (5 * i % 7 - 3) / 4, 1) for i, v in enumerate(x)]


def parabola():
    """The shape of Pontius: loads up to three millions, twice; the quadratic term is 1e-15 in size."""
    x = [150_000.0 * (k % 20 + 1) for k in range(40)]
    y = [6.7e-4 + 7.3e-7 * v - 3.2e-15 * v * v + (13 * i % 17 - 8) * 3e-5 for i, v in enumerate(x)]
    return powers(x, 2), [round(v, 5) for v in y]


def tenth():
    """The shape of Filip: a polynomial of degree 10 between -9 and -3."""
    x = [round(-8.8 + 5.7 * i / 81, 6) for i in range(82)]
    return powers(x, 10), [round(0.85 + 0.06 * np.sin(2 * v) + (7 * i % 11 - 5) / 1000, 4) for i, v in enumerate(x)]


def regression(columns, y, **options):
    survey = csat.read_survey(pd.DataFrame({**columns, "y": y}))
    return csat.regress(survey, "y", list(columns), se="classical", **options)


#: Data → correct digits of the coefficients that are asked for. Where it is less than 10, QR on the rows has no more.
CASES = {
    "longley": (longley(), 10.5),
    "wampler1": (wampler(1), 9),
    "wampler2": (wampler(2), 11),
    "wampler3": (wampler(3), 8.5),
    "wampler4": (wampler(4), 6.5),
    "wampler5": (wampler(5), 5),
    "line": (line(), 11),
    "parabola": (parabola(), 11),
    "noint1": (noint(1), 14),
    "noint2": (noint(2), 14),
}


@pytest.mark.parametrize("name", CASES)
def test_the_digits_that_double_precision_allows(name):
    (columns, y), wanted = CASES[name]
    intercept = not name.startswith("noint")
    truth = exact([*([[1] * len(y)] if intercept else []), *columns.values()], y)
    got = regression(columns, y, intercept=intercept)
    assert lre(got.coefficients.estimate, truth.est) >= wanted
    assert lre(got.r2, [truth.r2]) >= 12
    if name in ("wampler1", "wampler2"):  # an exact fit
        assert (got.coefficients.se == 0).all()
        assert got.sigma < 1e-6
    else:
        assert lre(got.coefficients.se**2, truth.variance) >= 9
        assert lre(got.sigma**2, [truth.residual]) >= 9


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("noint")])
def test_sums_of_products_lose_no_digit_that_qr_on_the_rows_keeps(name):
    (columns, y), _ = CASES[name]
    rows = np.column_stack([np.ones(len(y)), *columns.values()])
    q, r = np.linalg.qr(rows)
    truth = exact(rows.T.tolist(), y).est
    assert lre(regression(columns, y).coefficients.estimate, truth) > lre(np.linalg.solve(r, q.T @ y), truth) - 1


@pytest.mark.parametrize("number", [1, 3, 4, 5])
def test_the_exact_coefficients_of_wampler_are_one(number):
    columns, y = wampler(number)
    assert exact([[1] * len(y), *columns.values()], y).est == [1] * 6


CERTIFIED = {"nist_longley": longley(), "nist_wampler1": wampler(1), "nist_wampler3": wampler(3)}


@pytest.fixture(scope="module")
def certified(oracle):
    """Read NIST's figures of a problem."""
    return lambda name: oracle("regression_cases")[name]["result"]


@pytest.mark.parametrize("name", CERTIFIED)
def test_the_exact_figures_are_the_certified_ones(certified, name):
    """So the rows are those of NIST, and the oracle computes what NIST does."""
    (columns, y), figures = CERTIFIED[name], certified(name)
    truth = exact([[1] * len(y), *columns.values()], y)
    assert lre(figures["est"], truth.est) > 14
    assert lre(np.array(figures["se"]) ** 2, truth.variance) > 14
    assert lre(figures["residual_sd"] ** 2, [truth.residual]) > 14
    assert lre(figures["r2"], [truth.r2]) > 14


@pytest.mark.parametrize(("name", "wanted", "refined"), [("nist_longley", 9, 0), ("nist_wampler3", 6, 2)])
def test_certified_figures_of_ill_conditioned_problems(certified, name, wanted, refined):
    got, figures = regression(*CERTIFIED[name]), certified(name)
    assert lre(got.coefficients.estimate, figures["est"]) > wanted
    assert lre(got.coefficients.se, figures["se"]) > wanted
    for ours, theirs in ((got.sigma, "residual_sd"), (got.r2, "r2"), (got.test.statistic, "f_stat")):
        assert lre(ours, [figures[theirs]]) > wanted
    assert got.test.df2 == figures["df_resid"]
    assert got.further["refined"] == refined


@pytest.mark.parametrize("se", ["classical", "design", "HC3"])
def test_a_certified_exact_fit_has_no_errors(certified, se):
    columns, y = wampler(1)
    got = csat.regress(csat.read_survey(pd.DataFrame({**columns, "y": y})), "y", list(columns), se=se)
    assert lre(got.coefficients.estimate, certified("nist_wampler1")["est"]) > 9
    assert (got.coefficients.se < 1e-6).all()
    assert got.sigma < 1e-6
    assert got.r2 == 1


def test_powers_that_cannot_be_told_apart_are_refused():
    """Sums of products have no digit left to tell the highest powers from the lower: one is named, not estimated."""
    with pytest.raises(csat.CsatError, match=r"'x(9|10)' is an exact linear combination of 'x1', 'x2'"):
        regression(*tenth())
