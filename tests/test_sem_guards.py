"""Every guard of `csat.sem` on data that must set it off and on data, one step away, that must not.

`test_structural_guards.py` holds the limits and the figures behind them; here stand the sentences, the estimators, the
groups, and the stress cases of the reference material.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat
from csat.errors import (
    CollinearityError,
    IllConditionedWarning,
    LatentCovarianceWarning,
    ModelIdentificationError,
    NegativeVarianceWarning,
    SampleError,
    StandardizedPathWarning,
)
from csat.structural.guards import (
    DiscriminantValidityWarning,
    EmpiricalIdentificationWarning,
    FewCasesWarning,
    LatentCorrelationWarning,
    NearCollinearityWarning,
    WeakIndicatorWarning,
)

LAVAAN = Path(__file__).parent / "fixtures" / "lavaan"


def square(matrix, names):
    return pd.DataFrame(np.asarray(matrix, float), list(names), list(names))


def measured(phi, load=0.6):
    """Correlations of three indicators of each construct, and the model that made them."""
    k = len(phi)
    loads = np.kron(np.eye(k), np.full((3, 1), load))
    corr = loads @ np.asarray(phi) @ loads.T
    np.fill_diagonal(corr, 1.0)
    names = [f"{letter}{i}" for letter in "abc"[:k] for i in (1, 2, 3)]
    text = "\n".join(f"{letter} =~ {letter}1 + {letter}2 + {letter}3" for letter in "abc"[:k])
    return square(corr, names), text


def one_factor(last):
    """Loadings follow from the correlations: that of x1 is the root of .64 / r(x2, x3)."""
    return square([[1, 0.8, 0.8], [0.8, 1, last], [0.8, last, 1]], ["x1", "x2", "x3"]), "f =~ x1 + x2 + x3"


def triangle(last):
    """Three constructs, two pairs of which correlate .85."""
    return measured([[1, 0.85, 0.85], [0.85, 1, last], [0.85, last, 1]])


def two_predictors(b1, b2):
    """Predictors that correlate .9."""
    one, other = b1 + 0.9 * b2, 0.9 * b1 + b2
    return square([[1, one, other], [one, 1, 0.9], [other, 0.9, 1]], ["y", "x1", "x2"]), "y ~ x1 + x2"


def twins(r):
    return square([[1, 0.5, 0.5], [0.5, 1, r], [0.5, r, 1]], ["y", "x1", "x2"]), "y ~ x1 + x2"


def effects(r):
    """A construct with two causes that correlate r."""
    side = 0.3 + 0.3 * r
    corr, text = measured([[1, r, side], [r, 1, side], [side, side, 1]], 0.8)
    return corr, f"{text}\nc ~ a + b"


def weak(load):
    corr, text = measured([[1, 0.5], [0.5, 1]])
    corr.loc["b3", :] *= load / 0.6
    corr.loc[:, "b3"] *= load / 0.6
    corr.loc["b3", "b3"] = 1.0
    return corr, text


def told(corr, model, n=2000, **options):
    """The result, and kind → sentence of what was raised."""
    source = csat.from_covariance(corr, n, divisor="n") if isinstance(corr, pd.DataFrame) else corr
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        found = csat.sem(source, model, **options)
    return found, {w.category: str(w.message) for w in raised}


#: Kind, data that set it off, data that do not, what the sentence must name, and what it must advise.
CASES = [
    (NegativeVarianceWarning, one_factor(0.6), one_factor(0.7), ["x1 (-0.0667)"], ["leave", "fix", "Do not report"]),
    (LatentCovarianceWarning, triangle(0.3), triangle(0.5),
     ["constructs a, b, c", "a and b (0.850)", "no data can have"], ["merge", "drop", "Do not report"]),
    (StandardizedPathWarning, two_predictors(1.3, -0.6), two_predictors(0.9, -0.1),
     ["y ~ x1 (1.30)"], ["Merge", "drop", "csat.importance"]),
    (LatentCorrelationWarning, effects(0.96), effects(0.94), ["a and b (0.960)"], ["Merge", "drop", "use PLS"]),
    (DiscriminantValidityWarning, effects(0.91), effects(0.89), ["a and b (0.910)"], ["Merge", "drop"]),
    (IllConditionedWarning, effects(0.9998), effects(0.998), ["above all c ~", "c ~ a", "c ~ b"], ["merge", "use PLS"]),
    (EmpiricalIdentificationWarning, effects(0.996), effects(0.97),
     ["hardly identify c ~", "c ~ a", "c ~ b"], ["Fix", "merge", "add"]),
    (NearCollinearityWarning, twins(0.99995), twins(0.999), ["x1", "x2"], ["Drop", "mean"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "bad", "good", "names", "advice"), CASES, ids=[case[0].__name__ for case in CASES])
def test_each_guard_speaks_when_it_must_and_only_then(kind, bad, good, names, advice):
    found, raised = told(*bad)
    assert kind in raised
    for part in (*names, *advice):
        assert part in raised[kind]
    assert raised[kind] in found.notes
    assert kind in {doubt.kind for doubt in found.doubts}
    found, raised = told(*good)
    assert kind not in raised
    assert kind not in {doubt.kind for doubt in found.doubts}


def test_a_weak_indicator_is_noted_with_its_construct():
    found, raised = told(*weak(0.38))
    (note,) = found.notes
    assert raised == {}
    assert [doubt.kind for doubt in found.doubts] == [WeakIndicatorWarning]
    assert "b3 of b (0.38)" in note and "think of dropping" in note
    assert told(*weak(0.42))[0].notes == ()


def test_too_few_cases_advise_another_method():
    corr, text = measured([[1, 0.5], [0.5, 1]])
    _, raised = told(corr, text, n=60)
    assert "60 respondents for 13 free parameters, 4.6 each" in raised[FewCasesWarning]
    assert "Simplify the model, average indicators, or use PLS." in raised[FewCasesWarning]
    assert told(corr, text, n=70)[1] == {}


def test_a_variance_below_zero_of_a_construct_is_said_to_be_the_reason():
    """Not a correlation, which then does not exist."""
    corr = square([[1, 0.8, 0.8], [0.8, 1, 0.6], [0.8, 0.6, 1]], ["a1", "a2", "a3"])
    _, raised = told(corr, "a =~ 1*a1 + 1*a2 + 1*a3\na ~~ -0.2*a", n=500)
    assert "the variance of a (-0.2) is below 0" in raised[LatentCovarianceWarning]


# Estimators, gaps and groups: the guards are not those of maximum likelihood alone


@pytest.fixture(scope="module")
def heywood():
    """Rows whose covariances are exactly those of the Heywood case."""
    corr, _ = one_factor(0.6)
    rows = np.random.default_rng(2).standard_normal((400, 3))
    rows -= rows.mean(axis=0)
    rows = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T, bias=True))).T @ np.linalg.cholesky(corr).T
    return pd.DataFrame(rows, columns=list(corr))


@pytest.mark.parametrize(
    "options",
    [{"estimator": "GLS"}, {"estimator": "ULS"}, {"estimator": "MLR"}, {"estimator": "MLM"}, {"missing": "fiml"},
     {"likelihood": "wishart"}, {"std_lv": True}],
    ids=str,
)  # fmt: skip
def test_a_negative_variance_is_found_by_every_estimator(heywood, options):
    _, raised = told(csat.read_survey(heywood), "f =~ x1 + x2 + x3", **options)
    assert "Heywood case) of x1 (" in raised[NegativeVarianceWarning]


def test_of_ordered_items_too(heywood):
    cut = heywood[["x1", "x2", "x3"]].apply(lambda column: pd.qcut(column, 4, labels=False)).astype(float)
    _, raised = told(csat.read_survey(cut), "f =~ x1 + x2 + x3", estimator="WLSMV", ordered=True)
    assert "Heywood case) of x1 (" in raised[NegativeVarianceWarning]


def test_the_group_is_named(heywood):
    sound = np.random.default_rng(4).multivariate_normal(np.zeros(3), one_factor(0.75)[0], 200)
    frame = pd.concat([heywood.assign(g="north"), pd.DataFrame(sound, columns=["x1", "x2", "x3"]).assign(g="south")])
    _, raised = told(csat.read_survey(frame.reset_index(drop=True)), "f =~ x1 + x2 + x3", group="g")
    assert "x1 (-0.0667) in group 'north'" in raised[NegativeVarianceWarning]
    assert "south" not in raised[NegativeVarianceWarning]


# Stress cases of the reference material


def case(name):
    found = json.loads((LAVAAN / f"{name}.json").read_text(encoding="utf-8"))
    matrix = found["result"].get("sample_cov", {}).get("all")
    return found, None if matrix is None else square(matrix["values"], np.atleast_1d(matrix["rows"]))


def test_the_unidentified_case_is_an_error_that_names_the_parameters():
    found = json.loads((LAVAAN / "sem_underidentified.json").read_text(encoding="utf-8"))
    corr = square([[1, 0.5], [0.5, 1]], csat.Model(found["model"]).observed)
    with pytest.raises(ModelIdentificationError, match="4 free parameters, 3 variances and covariances") as caught:
        csat.sem(csat.from_covariance(corr, 300), found["model"])
    for name in csat.Model(found["model"]).observed[1:]:
        assert f"=~ {name}" in str(caught.value)
    assert "Fix one of them" in str(caught.value) and "add indicators" in str(caught.value)


def test_the_heywood_case_is_warned_of_and_flagged():
    found, sample = case("sem_heywood")
    result, raised = told(sample, found["model"], found["result"]["nobs"]["all"])
    assert NegativeVarianceWarning in raised
    named = raised[NegativeVarianceWarning].split("of ")[1].split(" (")[0]
    table = result.tidy().query("op == '~~' and lhs == rhs")
    assert table.loc[table["estimate"] < 0, "lhs"].tolist() == [named]


def test_exact_collinearity_is_an_error_that_names_the_variables(heywood):
    frame = heywood.assign(x4=heywood["x1"] - heywood["x2"])
    with pytest.raises(CollinearityError, match=r"'x\d' is an exact linear combination of 'x\d', 'x\d'"):
        csat.sem(csat.read_survey(frame), "f =~ x1 + x2 + x3 + x4")
    with pytest.raises(SampleError, match="No variation in 'x4'"):
        csat.sem(csat.read_survey(heywood.assign(x4=5.0)), "f =~ x1 + x2 + x3 + x4")


def test_every_warning_of_sem_is_in_its_documentation():
    """What `sem` warns of stands under Warns, kind by kind."""
    import csat.structural as room

    documented = csat.sem.__doc__.split("Warns\n")[1].split("Notes\n")[0]
    files = Path(room.__file__).parent
    others = {"efa.py", "suitability.py", "correlations.py"}
    for path in files.glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("class ") and "CsatWarning" in line and path.name not in others:
                name = line.split()[1].split("(")[0]
                assert name in documented or name == "WeakIndicatorWarning", name
