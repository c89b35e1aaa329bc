"""Predictions of path models: refits fold by fold on rows, laws, tests of predictive ability, words of errors."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.composites import folds as kernel
from csat.composites.predict import _folds
from csat.composites.rows import rows_of
from csat.design import Design
from csat.errors import ConvergenceError, OptionError, SampleError, UnknownColumnError

A = ["a1", "a2", "a3"]
ITEMS = [*A, "b1", "b2", "c1", "c2", "d1", "d2"]
BLOCKS = "a =~ a1 + a2 + a3\nb =~ b1 + b2\nc =~ c1 + c2\nd =~ d1 + d2"
MODEL = f"{BLOCKS}\nb ~ a\nc ~ a + b\nd ~ c"
PREDICTED = ITEMS[3:]
OWNER = dict(zip(ITEMS, "aaabbccdd", strict=True))


def answers(n):
    """Answers to nine items, weights, halls in strata, and two brands."""
    rng = np.random.default_rng(7)
    hall = rng.integers(20, size=n)
    a = rng.normal(size=n) + 0.5 * rng.normal(size=20)[hall]
    b = 0.5 * a + 0.8 * rng.normal(size=n)
    c = 0.4 * a + 0.3 * b + 0.6 * rng.normal(size=n)
    scores = dict(zip("abcd", (a, b, c, 0.6 * c + 0.7 * rng.normal(size=n)), strict=True))
    found = {item: np.round(6 + 1.2 * scores[item[0]] + 0.8 * rng.normal(size=n)) for item in ITEMS}
    return pd.DataFrame(found).assign(
        w=rng.uniform(0.5, 2.0, n),
        hall=hall.astype(str),
        stratum=np.where(hall < 10, "n", "s"),
        brand=np.array(["x", "y"])[rng.integers(2, size=n)],
    )


@pytest.fixture(scope="module")
def rows():
    return answers(n=150)


@pytest.fixture(scope="module")
def survey(rows):
    return csat.read_survey(rows, design=Design(weight="w"))


@pytest.fixture(scope="module")
def result(survey):
    return csat.pls(survey, MODEL, replicates=50)


def by_rows(rows, fold, *, earliest=False, chosen=None, **options):
    """Predictions of each row by models estimated anew from the rows of the other folds: path model, linear, means."""
    found = {name: pd.DataFrame(np.nan, rows.index, PREDICTED) for name in ("pls", "linear", "mean")}
    chosen = chosen or (lambda item: [other for other in ITEMS if OWNER[other] != OWNER[item]])
    explained = {"b": ["a"], "c": ["a", "b"], "d": ["c"]}
    for f in np.unique(fold):
        train, test = rows[fold != f], rows[fold == f]
        own = csat.pls(csat.read_survey(train, design=Design(weight="w")), MODEL, replicates=50, **options)
        scores = own.scores(csat.read_survey(test, design=Design(weight="w"))).scores
        table = own.tidy().set_index(["kind", "lhs", "rhs"])["estimate"]
        weight = train["w"].to_numpy()
        mean = np.average(train[ITEMS], axis=0, weights=weight)
        sd = np.sqrt(np.average((train[ITEMS] - mean) ** 2, axis=0, weights=weight))
        hat = scores.copy()
        for to, by in explained.items():
            use = hat if earliest else scores
            hat[to] = sum(table["path", to, other] * use[other] for other in by)
        root = np.sqrt(weight)[:, None]
        for item in PREDICTED:
            i = ITEMS.index(item)
            load = table["loading", OWNER[item], item]
            found["pls"].loc[test.index, item] = mean[i] + sd[i] * load * hat[OWNER[item]].to_numpy()
            found["mean"].loc[test.index, item] = mean[i]
            x = np.column_stack([np.ones(len(train)), train[chosen(item)]])
            slopes = np.linalg.lstsq(x * root, train[item].to_numpy() * root[:, 0], rcond=None)[0]
            line = np.column_stack([np.ones(len(test)), test[chosen(item)]]) @ slopes
            found["linear"].loc[test.index, item] = line
    return found


def errors(rows, found):
    apart = rows[PREDICTED] - found
    weight = rows["w"].to_numpy()
    rmse = np.sqrt(np.average(apart**2, axis=0, weights=weight))
    return rmse, np.average(np.abs(apart), axis=0, weights=weight)


@pytest.mark.parametrize(
    ("antecedents", "benchmark", "options"),
    [
        ("direct", "all", {}),
        ("earliest", "antecedents", {"scheme": "centroid"}),
        ("direct", "all", {"scaled": False, "modes": {"a": "B"}}),
    ],
)
def test_folds_are_refits_on_rows(rows, survey, antecedents, benchmark, options):
    result = csat.pls(survey, MODEL, replicates=50, **options)
    found = csat.pls_predict(result, survey, folds=4, seed=5, antecedents=antecedents, benchmark=benchmark)
    fold = _folds(rows_of(survey, result, 0, ""), 4, np.random.default_rng(5))
    chosen = None if benchmark == "all" else lambda _: A
    wanted = by_rows(rows, fold, earliest=antecedents == "earliest", chosen=chosen, **options)
    assert found.items == tuple(PREDICTED)
    for name, each in wanted.items():
        rmse, mae = errors(rows, each)
        assert_allclose(found.rmse[name], rmse, rtol=1e-7)
        assert_allclose(found.mae[name], mae, rtol=1e-7)
    gained = 1 - found.rmse["pls"] ** 2 / found.rmse["mean"] ** 2
    assert_allclose(found.q2, gained)
    sizes = np.bincount(fold)
    assert sizes.max() - sizes.min() <= 1


def test_means_over_repetitions(rows, survey, result):
    found = csat.pls_predict(result, survey, folds=3, repeats=2, seed=9)
    rng, base = np.random.default_rng(9), rows_of(survey, result, 0, "")
    both = [by_rows(rows, _folds(base, 3, rng))["pls"] for _ in range(2)]
    assert_allclose(found.rmse["pls"], errors(rows, sum(both) / 2)[0], rtol=1e-7)


def test_weight_2_is_a_row_twice_in_the_same_fold(rows, result):
    values = rows[ITEMS].to_numpy()
    weight = np.where(rows.index % 3 == 0, 2.0, 1.0)
    fold = rows.index.to_numpy() % 5
    again = np.repeat(np.arange(len(rows)), weight.astype(int))
    blocks, columns = result.blocks, np.arange(3, 9)
    by = blocks.block[:, None] != blocks.block[columns]

    def found(values, weight, fold):
        task = kernel.Task(values, weight, columns, blocks, result.layout.settings, False, by)
        return kernel.predicted(task, fold)

    one, other = found(values, weight, fold), found(values[again], np.ones(len(again)), fold[again])
    for name in ("pls", "linear", "mean", "pls_in", "linear_in"):
        assert_allclose(getattr(one, name)[again], getattr(other, name), rtol=1e-8)


def test_blocks_of_folds_do_not_matter(survey, result, monkeypatch):
    whole = csat.pls_predict(result, survey, folds="loo")
    monkeypatch.setattr(kernel, "MOST_CELLS", 700)
    parts = csat.pls_predict(result, survey, folds="loo")
    for name in whole.rmse:
        assert_allclose(parts.rmse[name], whole.rmse[name])


def test_in_sample_is_the_mean_of_models_that_have_seen_a_row(rows, survey, result):
    """Two folds: the only other model; the linear model then fits better than anything out of sample."""
    found = csat.pls_predict(result, survey, folds=2, seed=2)
    fold = _folds(rows_of(survey, result, 0, ""), 2, np.random.default_rng(2))
    wanted = by_rows(rows.assign(w=rows["w"]), 1 - fold)["linear"]
    out = errors(rows, wanted)[0]
    assert_allclose(found.rmse["linear"], out, rtol=1e-7)
    assert (found.rmse["linear_in"] < found.rmse["linear"]).all()
    x = np.column_stack([np.ones(len(rows)), rows[A + ITEMS[5:]]])
    fitted = np.empty(len(rows))
    for f in (0, 1):
        mine = fold == f
        root = np.sqrt(rows["w"].to_numpy()[mine])
        slopes = np.linalg.lstsq(x[mine] * root[:, None], rows["b1"].to_numpy()[mine] * root, rcond=None)[0]
        fitted[mine] = x[mine] @ slopes
    assert_allclose(found.rmse["linear_in"][0], np.sqrt(np.average((rows["b1"] - fitted) ** 2, weights=rows["w"])))


def test_predictive_ability_is_a_paired_t_test(rows):
    from scipy.stats import ttest_rel

    survey = csat.read_survey(rows, design=Design())
    result = csat.pls(survey, MODEL, replicates=50)
    found = csat.pls_predict(result, survey, folds=5, seed=1)
    fold = _folds(rows_of(survey, result, 0, ""), 5, np.random.default_rng(1))
    wanted = by_rows(rows.assign(w=1.0), fold)
    table = found.cvpat().set_index(["construct", "benchmark"])
    for construct in ("b", "c", "d", "overall"):
        items = [item for item in PREDICTED if construct in (OWNER[item], "overall")]
        loss = {name: ((rows[items] - each[items]) ** 2).mean(axis=1) for name, each in wanted.items()}
        for benchmark in ("mean", "linear"):
            test = ttest_rel(loss["pls"], loss[benchmark])
            row = table.loc[construct, benchmark]
            assert_allclose([row["statistic"], row["p"], row["df"]], [test.statistic, test.pvalue, test.df], rtol=1e-6)
            low, high = test.confidence_interval(0.95)
            assert_allclose([row["low"], row["high"]], [low, high], rtol=1e-6)
            assert_allclose([row["loss"], row["benchmark_loss"]], [loss["pls"].mean(), loss[benchmark].mean()])


def test_errors_of_differences_are_those_of_the_design(rows):
    """Losses are the same answers to csat.mean, whose design-based errors R's survey package confirms."""
    design = Design(weight="w", psu="hall", stratum="stratum")
    survey = csat.read_survey(rows, design=design)
    result = csat.pls(survey, MODEL, replicates=50)
    found = csat.pls_predict(result, survey, folds=5, seed=4)
    base = rows_of(survey, result, 0, "")
    fold = _folds(base, 5, np.random.default_rng(4))
    assert (pd.Series(fold).groupby(base.unit).nunique() == 1).all()
    wanted = by_rows(rows, fold)
    apart = ((rows[PREDICTED] - wanted["pls"]) ** 2 - (rows[PREDICTED] - wanted["mean"]) ** 2).mean(axis=1)
    again = csat.mean(csat.read_survey(rows.assign(apart=apart), design=design), "apart")
    at = found.differences.term.index("overall, mean")
    assert_allclose(found.differences.estimate[at], again.estimate[0], rtol=1e-7)
    assert_allclose(found.differences.se[at], again.se[0], rtol=1e-6)
    assert found.differences.df == again.df


def test_a_group_and_missing_answers(rows):
    some = rows.assign(a1=rows["a1"].where(rows.index % 10 != 0))
    survey = csat.read_survey(some, design=Design())
    result = csat.pls(survey, MODEL, by="brand", replicates=50)
    found = csat.pls_predict(result, survey, folds=3, group="y")
    mine = some[some["brand"] == "y"]
    alone = csat.read_survey(mine, design=Design())
    again = csat.pls_predict(csat.pls(alone, MODEL, replicates=50), alone, folds=3)
    assert_allclose(found.rmse["pls"], again.rmse["pls"])
    assert (found.n, found.left_out) == (mine["a1"].notna().sum(), mine["a1"].isna().sum())


def test_folds_without_estimates_are_counted(rows):
    """An item that only one respondent answers otherwise does not vary without this one."""
    few = rows.head(30).assign(a1=[9.0] + [4.0] * 29)
    survey = csat.read_survey(few, design=Design())
    with pytest.warns(csat.CsatWarning, match="have no estimates"):
        result = csat.pls(survey, MODEL, replicates=50)
    found = csat.pls_predict(result, survey, folds="loo")
    assert found.unpredicted == 1
    assert np.isfinite(found.rmse["pls"]).all()
    assert found.glance().loc[0, "unpredicted"] == 1


def test_repeated_items_leave_the_linear_model_without_an_estimate(rows):
    """The path model has one: mode A does not mind."""
    twin = rows.assign(a2=rows["a1"])
    survey = csat.read_survey(twin, design=Design())
    found = csat.pls_predict(csat.pls(survey, MODEL, replicates=50), survey, folds=3)
    assert np.isfinite(found.rmse["pls"]).all()
    assert np.isnan(found.rmse["linear"]).all()
    table = found.cvpat().query("benchmark == 'linear'")
    assert (table["note"] == "drivers repeat each other exactly here").all()
    assert table["p"].isna().all()


def test_tables(survey, result):
    found = csat.pls_predict(result, survey)
    assert list(found.tidy()["item"]) == PREDICTED
    assert list(found.tidy().columns[:5]) == ["construct", "item", "rmse", "mae", "q2"]
    glance = found.glance().loc[0]
    assert (glance["folds"], glance["repeats"], glance["n"]) == (10, 1, 150)
    assert glance["items_positive"] == (found.q2 > 0).sum()
    assert repr(found).startswith("Prediction: 6 rows")
    again = csat.pls_predict(result, survey)
    assert_allclose(again.rmse["pls"], found.rmse["pls"], rtol=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"folds": 1}, "folds=int 1 is a whole number from 2 on, or 'loo'"),
        ({"folds": "all"}, "folds=str 'all' is a whole number from 2 on, or 'loo'"),
        ({"folds": "loo", "repeats": 3}, "folds='loo' leaves each respondent out once"),
        ({"repeats": 0}, "repeats is a whole number, 1 to 1000; found int 0"),
        ({"antecedents": "all"}, "antecedents='all' is not known; choose one of 'direct', 'earliest'"),
        ({"benchmark": "mean"}, "benchmark='mean' is not known; choose one of 'all', 'antecedents'"),
        ({"group": "north"}, "group: the model was estimated without groups; leave it out. Found str 'north'"),
    ],
)
def test_words_of_options(survey, result, options, message):
    with pytest.raises(OptionError, match=message):
        csat.pls_predict(result, survey, **options)


def test_words_of_samples_and_models(rows, survey, result):
    with pytest.raises(SampleError, match="folds=200: only 150 respondents have all answers; use fewer folds"):
        csat.pls_predict(result, survey, folds=200)
    clustered = csat.read_survey(rows, design=Design(psu="hall"))
    with pytest.raises(SampleError, match="folds=30: only 20 sampling units have all answers"):
        csat.pls_predict(result, clustered, folds=30)
    with pytest.raises(SampleError, match="Prediction of answers needs the respondents' rows"):
        csat.pls_predict(result, csat.from_covariance(rows[ITEMS].cov(), n=150))
    with pytest.raises(UnknownColumnError, match="No column 'a1'"):
        csat.pls_predict(result, csat.read_survey(rows.drop(columns="a1"), design=Design(weight="w")))
    for model in (f"{BLOCKS}\nu <~ a + b\nc ~ u\nd ~ c", f"{BLOCKS}\nc ~ a + b + a:b\nd ~ c"):
        with pytest.raises(OptionError, match="models of plain constructs"):
            csat.pls_predict(csat.pls(survey, model, replicates=50), survey)
    with pytest.raises(OptionError, match=r"result is what csat\.pls gives"):
        csat.pls_predict(survey, survey)
    flat = csat.read_survey(rows.assign(a1=4.0), design=Design(weight="w"))
    with pytest.raises(ConvergenceError, match="no estimates without any of the folds=10"):
        csat.pls_predict(result, flat)
