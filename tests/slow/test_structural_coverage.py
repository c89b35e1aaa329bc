"""Are structural models recovered, and do their 95 % intervals cover 95 %? Simulation; results in docs/coverage.md.

Run with `make slow`. Set CSAT_COVERAGE=path to write the table of results.
"""

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat

pytestmark = pytest.mark.slow

DRAWS = 2000
#: Three Monte Carlo standard errors around 93–97 %.
LOW, HIGH = 0.93 - 3 * 0.0049, 0.97 + 3 * 0.0049

MODEL = """
quality =~ q1 + q2 + q3
satisfaction =~ s1 + s2 + s3
loyalty =~ l1 + l2 + l3
satisfaction ~ a*quality
loyalty ~ b*satisfaction + c*quality
indirect := a*b
"""
ITEMS = [f"{construct}{i}" for construct in "qsl" for i in (1, 2, 3)]
LOADS = np.array([1.0, 0.8, 1.2])
PATHS = {"a": 0.6, "b": 0.5, "c": 0.3, "indirect": 0.3}


def constructs(shocks: np.ndarray) -> np.ndarray:
    """Three constructs from independent shocks (n, 3) of variance 1."""
    quality = shocks[:, 0]
    satisfaction = PATHS["a"] * quality + 0.7 * shocks[:, 1]
    return np.column_stack(
        [quality, satisfaction, PATHS["b"] * satisfaction + PATHS["c"] * quality + 0.6 * shocks[:, 2]]
    )


def items(latent: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Answers (n, 9) with errors of variance 0.49 and mean 7."""
    answers = 7 + latent @ np.kron(np.eye(3), LOADS) + rng.normal(0, 0.7, (len(latent), 9))
    return pd.DataFrame(answers, columns=ITEMS)


def skewed(rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
    """Shocks with variance 1, skewness 1.4 and kurtosis 6."""
    return (rng.gamma(2.0, 1.0, size) - 2.0) / np.sqrt(2.0)


def truth() -> dict[str, float]:
    """Values of the free parameters in the population of `constructs` and `items`."""
    known = {f"{name} =~ {name[0]}{i}": LOADS[i - 1] for name in ("quality", "satisfaction", "loyalty") for i in (2, 3)}
    known |= {"satisfaction ~ quality": 0.6, "loyalty ~ satisfaction": 0.5, "loyalty ~ quality": 0.3, "indirect": 0.3}
    known |= {f"{item} ~~ {item}": 0.49 for item in ITEMS}
    return known | {"quality ~~ quality": 1.0, "satisfaction ~~ satisfaction": 0.49, "loyalty ~~ loyalty": 0.36}


def named(table: pd.DataFrame) -> pd.DataFrame:
    """A table by relation, or by name for definitions."""
    relation = table["lhs"] + " " + table["op"] + " " + table["rhs"]
    return table.set_index(relation.where(table["op"] != ":=", table["lhs"]))


def simulated(fit, target: dict[str, float], draws: int = DRAWS) -> pd.DataFrame:
    """Bias in standard deviations, SE over SD, and coverage of each parameter over draws; `fit` maps a generator."""
    rng = np.random.default_rng(7)
    names, values = list(target), np.array(list(target.values()))
    tables = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(draws):
            table = named(fit(rng)).loc[names]
            tables.append(table[["estimate", "se", "low", "high"]].to_numpy())
    estimate, se, low, high = np.moveaxis(np.array(tables), -1, 0)
    spread = estimate.std(axis=0)
    return pd.DataFrame(
        {"bias": (estimate.mean(axis=0) - values) / spread, "ratio": np.sqrt((se**2).mean(axis=0)) / spread,
         "coverage": ((low <= values) & (values <= high)).mean(axis=0)},
        index=names,
    )  # fmt: skip


def report(name: str, found: pd.DataFrame) -> None:
    target = os.environ.get("CSAT_COVERAGE")
    if target:
        paths = found.loc[[key for key in found.index if " ~ " in key or key == "indirect"]]
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(
                f"{name}\tcoverage {found['coverage'].mean():.4f} from {found['coverage'].min():.4f} to "
                f"{found['coverage'].max():.4f}\tof paths {paths['coverage'].mean():.4f}\tlargest bias "
                f"{found['bias'].abs().max():.3f}\tSE/SD {found['ratio'].min():.3f} to {found['ratio'].max():.3f}\n"
            )


def check(name: str, found: pd.DataFrame, bias: float = 0.15) -> None:
    report(name, found)
    assert found["coverage"].between(LOW, HIGH).all(), found
    assert (found["bias"].abs() < bias).all(), found
    assert found["ratio"].between(0.93, 1.07).all(), found


def test_maximum_likelihood_of_normal_answers():
    def fit(rng):
        sample = items(constructs(rng.normal(0, 1, (300, 3))), rng)
        return csat.sem(csat.read_survey(sample), MODEL).tidy()

    check("ML, normal, n = 300", simulated(fit, truth()))


def test_robust_errors_of_skewed_answers():
    def fit(rng, estimator="MLR"):
        sample = items(constructs(skewed(rng, (500, 3))), rng)
        return csat.sem(csat.read_survey(sample), MODEL, estimator=estimator).tidy()

    check("MLR, skewed, n = 500", simulated(fit, truth()))
    plain = simulated(lambda rng: fit(rng, "ML"), truth(), 500)
    report("ML, skewed, n = 500", plain)
    variances = ["quality ~~ quality", "satisfaction ~~ satisfaction", "loyalty ~~ loyalty"]
    assert (plain.loc[variances, "coverage"] < 0.93).all()  # the correction is needed


@pytest.fixture(scope="module")
def population():
    """60,000 customers of 600 halls in two strata; constructs vary between halls, answers are skewed."""
    rng = np.random.default_rng(2026)
    hall = np.repeat(np.arange(600), 100)
    shocks = 0.9 * skewed(rng, (60_000, 3)) + rng.normal(0, 0.45, (600, 3))[hall]
    stratum = (hall >= 300).astype(int)
    shocks[:, 0] += 0.3 * stratum
    return items(constructs(shocks), rng).assign(hall=hall.astype(str), stratum=stratum.astype(str), rank=hall)


def halls_drawn(population, rng):
    """60 of 300 halls of the first stratum, 30 of 300 of the second, 8 customers each."""
    halls = [rng.choice(300, 60, replace=False), 300 + rng.choice(300, 30, replace=False)]
    rows = np.concatenate([hall * 100 + rng.choice(100, 8, replace=False) for hall in np.concatenate(halls)])
    sample = population.iloc[rows]
    return sample.assign(w=np.where(sample["stratum"] == "0", 5.0, 10.0))


def test_robust_errors_of_a_weighted_sample_of_halls(population):
    target = named(csat.sem(csat.read_survey(population), MODEL).tidy())["estimate"].loc[list(truth())].to_dict()
    design = csat.Design(weight="w", stratum="stratum", psu="hall")

    def fit(rng, estimator="MLR"):
        sample = halls_drawn(population, rng)
        return csat.sem(csat.read_survey(sample, design=design), MODEL, estimator=estimator).tidy()

    found = simulated(fit, target)
    check("MLR, weighted sample of 90 halls, n = 720", found, bias=0.2)
    plain = simulated(lambda rng: fit(rng, "ML"), target, 500)
    report("ML, weighted sample of 90 halls, n = 720", plain)
    assert plain["coverage"].min() < 0.91  # the design matters


def test_full_information_where_gaps_depend_on_other_answers():
    """A third leaves loyalty out, mostly those with low first answers: missing at random."""

    def fit(rng, missing="fiml"):
        sample = items(constructs(rng.normal(0, 1, (400, 3))), rng)
        gone = rng.random(len(sample)) < 1 / (1 + np.exp(1.2 * (sample["q1"] - 6.2)))
        sample.loc[gone, ["l1", "l2", "l3"]] = np.nan
        sample.loc[rng.random(len(sample)) < 0.1, "s2"] = np.nan
        return csat.sem(csat.read_survey(sample), MODEL, missing=missing).tidy()

    check("FIML, a third of one construct missing at random, n = 400", simulated(fit, truth()))
    complete = simulated(lambda rng: fit(rng, "listwise"), truth(), 500)
    report("listwise, the same", complete)
    assert complete.loc["quality ~~ quality", "coverage"] < 0.8  # who is left out matters


def test_ordered_answers_of_five_levels():
    """Standardized loadings and paths of what lies behind five categories."""
    cuts = np.array([-1.2, -0.5, 0.3, 1.1])
    latent_sd = np.array([1.0, np.sqrt(0.36 + 0.49), 0.0])
    latent_sd[2] = np.sqrt(0.25 * 0.85 + 0.09 + 2 * 0.5 * 0.3 * 0.6 + 0.36)
    load = np.kron(latent_sd, LOADS)
    standard = load / np.sqrt(load**2 + 0.49)
    names = ("quality", "satisfaction", "loyalty")
    target = {f"{names[i // 3]} =~ {item}": value for i, (item, value) in enumerate(zip(ITEMS, standard, strict=True))}
    target |= {
        "satisfaction ~ quality": 0.6 / latent_sd[1], "loyalty ~ satisfaction": 0.5 * latent_sd[1] / latent_sd[2],
        "loyalty ~ quality": 0.3 / latent_sd[2],
    }  # fmt: skip

    def fit(rng):
        behind = items(constructs(rng.normal(0, 1, (400, 3))), rng) - 7
        total = np.sqrt(load**2 + 0.49)
        answers = np.searchsorted(cuts, (behind / total).to_numpy()) + 1.0
        source = csat.read_survey(pd.DataFrame(answers, columns=ITEMS))
        return csat.sem(source, MODEL, estimator="WLSMV", ordered=True).standardized()

    check("WLSMV, five levels, n = 400", simulated(fit, target), bias=0.2)


def test_percentiles_of_an_indirect_effect_in_a_small_sample():
    """80 skewed answers: the product of two paths is skewed itself; 400 samples of 400 draws."""

    def fit(rng, method):
        sample = items(constructs(skewed(rng, (80, 3))), rng)
        found = csat.sem(csat.read_survey(sample), MODEL, se="bootstrap", replicates=400, seed=int(rng.integers(2**31)))
        return found.intervals(method).assign(statistic=np.nan)

    target = {key: truth()[key] for key in ("satisfaction ~ quality", "loyalty ~ satisfaction", "indirect")}
    for method in ("percentile", "bca"):
        found = simulated(lambda rng, method=method: fit(rng, method), target, 400)
        report(f"bootstrap ({method}), skewed, n = 80", found)
        assert found["coverage"].between(0.90, 0.985).all(), found
