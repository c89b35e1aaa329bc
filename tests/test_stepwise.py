"""Stepwise selection, best subsets and their stability: laws, edge cases, wrong input."""

import itertools

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy.stats import f as f_distribution

import csat
from csat.design import Replication
from csat.drivers.selection.criteria import Rule, log_tail
from csat.drivers.selection.search import ENDS, Task, search
from csat.drivers.selection.stability import selections
from csat.drivers.selection.subsets import best_subsets
from csat.drivers.selection.sweeps import layout_of
from csat.drivers.terms import Factor, terms_of
from csat.replicates import replicate_sums

NAMES = ["x0", "x1", "x2", "x3"]


def answers(rng, n=300, k=4):
    x = rng.normal(size=(n, k)) @ (np.eye(k) + 0.4)
    y = x @ np.arange(k) / 2 + rng.normal(size=n)
    data = pd.DataFrame(x, columns=[f"x{j}" for j in range(k)]).assign(y=y, w=rng.uniform(0.5, 2, n))
    data["hall"] = rng.integers(0, 30, n).astype(str)
    return data


@pytest.fixture
def mixed(rng):
    """Numbers, categories and interactions; effects weak enough for replicates to differ."""
    n = 240
    data = pd.DataFrame(rng.normal(size=(n, 4)) @ (np.eye(4) + 0.3), columns=list("abcd"))
    data["g"] = rng.choice(["p", "q", "r"], n)
    data["h"] = rng.choice(["s", "t"], n)
    effect = 0.15 * data["a"] + 0.12 * data["b"] + 0.2 * (data["g"] == "q") + 0.2 * data["a"] * (data["h"] == "t")
    data["y"] = effect + rng.normal(size=n)
    data["w"] = rng.uniform(0.4, 2.5, n)
    data["hall"] = (np.arange(n) // 6).astype(str)
    data["city"] = (np.arange(n) // 60).astype(str)
    return csat.read_survey(data, design=csat.Design(weight="w", stratum="city", psu="hall"))


TERMS = ["a", "b", "c", "d", "g", "h", "a:h", "c:g"]


# ------------------------------------------------------------------ one sample


def test_the_sample_is_fixed_before_the_first_step(rng):
    data = answers(rng)
    data.loc[:99, "x0"] = np.nan  # x0 has no effect: it stays out, yet its gaps decide the sample
    got = csat.stepwise(csat.read_survey(data), "y", NAMES)
    assert "x0" not in got.selected
    assert got.n == got.final.n == 200
    assert got.left_out == 100


def test_the_sample_is_fixed_by_factors_and_interactions_too(rng):
    data = answers(rng).assign(g=lambda d: np.where(d["x0"] > 1.5, None, np.where(d["w"] > 1, "p", "q")))
    source = csat.read_survey(data)
    got = csat.stepwise(source, "y", ["x1", "x2", "x3", "g", "x1:g"], se="classical")
    complete = int((data["x0"] <= 1.5).sum())
    assert got.n == got.final.n == complete < 300
    assert "g" not in got.selected


def test_nothing_enters_when_nothing_helps(rng):
    data = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "y"])
    data[["a", "b"]] -= data[["y"]].to_numpy() * (data[["a", "b"]].T @ data["y"]).to_numpy() / (data["y"] @ data["y"])
    for rule in ("p", "bic"):
        got = csat.stepwise(csat.read_survey(data), "y", ["a", "b"], rule=rule)
        assert got.final is None
        assert got.selected == ()
        assert set(got.excluded["term"]) == {"a", "b"}
        assert got.steps.empty
        assert got.glance()[["steps", "r2"]].iloc[0].tolist() == [0, 0]


def test_a_driver_without_room_left_does_not_enter(rng):
    data = answers(rng)
    data["twin"] = data["x3"] + rng.normal(scale=1e-3, size=len(data))
    source = csat.read_survey(data)
    for rule in ("p", "aic"):
        got = csat.stepwise(source, "y", ["x1", "x2", "x3", "twin"], rule=rule)
        assert len({"x3", "twin"} & set(got.selected)) == 1
        out = got.excluded.set_index("term")
        assert out.loc[out.index.isin(["x3", "twin"]), "tolerance"].max() < 1e-4
    source = csat.read_survey(data.assign(y=data["twin"] - data["x3"]))
    assert csat.stepwise(source, "y", "twin", forced="x3", tolerance=1e-9).selected == ("x3", "twin")
    assert csat.stepwise(source, "y", "twin", forced="x3").selected == ("x3",)


def test_the_result_says_what_to_beware_of(rng):
    source = csat.read_survey(answers(rng))
    assert "optimistic" in csat.stepwise(source, "y", NAMES).glance()["note"][0]
    assert "does not know the design" in csat.stepwise(source, "y", NAMES, rule="aic").caution
    assert "optimistic" in best_subsets(source, "y", NAMES).glance()["note"][0]


@pytest.mark.parametrize("scale", [1.0, 1 / 3, 1e6])
@pytest.mark.parametrize("direction", ["both", "forward"])
@pytest.mark.parametrize("rule", ["p", "bic", "adjr2"])
def test_a_selection_ends_where_nothing_is_left_to_explain(rng, direction, scale, rule):
    """A driver that determines the outcome used to divide by a residual of zero."""
    data = answers(rng).assign(y=lambda d: scale * d["x2"] + 7)
    got = csat.stepwise(csat.read_survey(data), "y", NAMES, direction=direction, rule=rule)
    assert (got.selected, got.ended) == (("x2",), "exact")
    step = got.tidy().iloc[0]
    assert (step["f"], step["p"], step["r2"], step["sigma"]) == (np.inf, 0, 1, 0)
    assert got.excluded[["f", "p"]].isna().all(axis=None)
    assert got.glance()["ended"][0] == "exact"


def test_backward_selection_of_an_exact_model_removes_nothing(rng):
    data = answers(rng).assign(y=lambda d: d["x1"] - d["x2"])
    got = csat.stepwise(csat.read_survey(data), "y", ["x0", "x1", "x2"], direction="backward")
    assert (got.selected, got.ended, len(got.steps)) == (("x0", "x1", "x2"), "exact", 0)


def test_forced_terms_stay_whatever_they_are_worth(rng):
    source = csat.read_survey(answers(rng).assign(idle=rng.normal(size=300)))
    for options in ({}, {"start": "full"}, {"direction": "backward"}, {"rule": "bic", "start": "full"}):
        got = csat.stepwise(source, "y", ["x3", "x2"], forced=["idle"], enter=1e-6, remove=1e-5, **options)
        assert got.selected[0] == "idle" == got.forced[0]
        assert got.final.tidy().set_index("term").loc["idle", "p"] > 0.02
        assert "idle" not in set(got.steps["term"]) | set(got.excluded["term"])


def test_forcing_all_but_one_that_stays_out_is_the_regression(rng):
    source = csat.read_survey(answers(rng), design=csat.Design(weight="w", psu="hall"))
    got = csat.stepwise(source, "y", "x0", forced=["x1", "x2", "x3"])
    assert got.selected == ("x1", "x2", "x3")
    full = csat.regress(source, "y", ["x1", "x2", "x3"])
    assert_allclose(got.final.coefficients.vcov, full.coefficients.vcov, rtol=1e-10)
    assert_allclose(got.final.coefficients.estimate, full.coefficients.estimate, rtol=1e-12)


def test_a_selection_that_keeps_everything_is_the_full_regression(rng):
    source = csat.read_survey(answers(rng), design=csat.Design(weight="w"))
    got = csat.stepwise(source, "y", NAMES, direction="backward", enter=0.5, remove=1.0)
    full = csat.regress(source, "y", NAMES)
    assert got.selected == tuple(NAMES)
    assert_allclose(got.final.coefficients.vcov, full.coefficients.vcov, rtol=1e-12)


@pytest.mark.parametrize("rule", ["p", "aic", "bic", "adjr2"])
def test_units_of_weights_and_variables_do_not_matter(rng, rule):
    data = answers(rng)
    other = data.assign(w=data["w"] * 1000, x1=data["x1"] * 1e6 + 5, y=data["y"] / 3)
    one, two = (
        csat.stepwise(csat.read_survey(d, design=csat.Design(weight="w")), "y", NAMES, rule=rule, start="full")
        for d in (data, other)
    )
    assert one.steps["term"].tolist() == two.steps["term"].tolist()
    assert_allclose(one.steps["p"], two.steps["p"], rtol=1e-7)
    assert_allclose(one.steps["statistic"], two.steps["statistic"], rtol=1e-7)


def test_an_interaction_waits_for_its_parts_and_keeps_them(rng):
    n = 400
    data = pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "b"])
    data["y"] = data["a"] * data["b"] + 0.3 * data["a"] + 0.2 * data["b"] + rng.normal(size=n) / 10
    source = csat.read_survey(data)
    got = csat.stepwise(source, "y", ["a:b", "a", "b"], rule="p", enter=0.5, remove=0.6)
    assert got.steps["term"].tolist()[-1] == "a:b"
    assert got.steps["drivers"].tolist() == [1, 2, 3]
    data["y"] = data["a"] * data["b"] + rng.normal(size=n) / 10  # the parts by themselves are worth nothing
    whole = csat.stepwise(csat.read_survey(data), "y", ["a:b", "a", "b"], direction="backward")
    assert set(whole.selected) == {"a:b", "a", "b"}
    none = csat.stepwise(csat.read_survey(data), "y", ["a:b", "a", "b"], direction="forward", enter=1e-6)
    assert none.selected == ()
    assert np.isnan(none.excluded.set_index("term").loc["a:b", "f"])


def test_a_model_that_comes_back_ends_the_search(rng):
    """With enter above remove, which stepwise refuses, a term goes in and out."""
    data = pd.DataFrame(rng.normal(size=(80, 3)), columns=["a", "b", "y"])
    terms = terms_of(csat.read_survey(data), "y", ["a", "b"])
    task = Task(terms, layout_of(terms, 0), Rule("p", "both", 0.99, 1e-6, 1e-4), np.zeros(2, bool), 80)
    found = search(np.corrcoef(data.to_numpy().T)[None], task)
    assert ENDS[int(found.ended[0])] == "cycling"
    assert found.moves[:, 0].tolist()[0] == found.moves[:, 0].tolist()[1]


def test_terms_of_different_width_are_compared_by_p_even_where_it_is_too_small_for_a_number(rng):
    n = 20_000
    g = rng.choice(list("pqrst"), n)
    data = pd.DataFrame({"a": rng.normal(size=n), "g": g})
    data["y"] = 3 * data["a"] + 3.05 * np.array([list("pqrst").index(v) for v in g]) / np.sqrt(2) + rng.normal(size=n)
    source = csat.read_survey(data)
    got = csat.stepwise(source, "y", ["a", "g"], se="classical")
    assert (got.steps["p"] == 0).all()
    gain = {t: csat.regress(source, "y", [t], se="classical").r2 for t in ("a", "g")}
    assert got.selected[0] == max(gain, key=gain.get)


def test_logarithms_of_tails_continue_below_the_smallest_number():
    f = np.array([1e-3, 1.0, 30.0, 400.0])
    assert_allclose(log_tail(f, np.array(3.0), np.array(200.0)), f_distribution.logsf(f, 3, 200), rtol=1e-9, atol=1e-14)
    near = np.array([352.0, 356.0, 360.0, 364.0, 368.0])
    assert f_distribution.sf(364, 4, 1e4) < 1e-290 < f_distribution.sf(360, 4, 1e4)
    steps = np.diff(log_tail(near, np.array(4.0), np.array(1e4)))
    assert_allclose(steps, steps[0], rtol=0.01)  # no jump where the form changes


def test_a_selection_by_p_is_that_of_a_loop_over_statsmodels(rng):
    data = answers(rng, n=250, k=8)
    data["y"] = data[["x0", "x3", "x5"]] @ [0.3, -0.2, 0.15] + rng.normal(size=250)
    names = [f"x{j}" for j in range(8)]

    def p_of(inside, name):
        return sm.WLS(data["y"], sm.add_constant(data[inside]), weights=data["w"]).fit().pvalues[name]

    inside, order = [], []
    while True:
        p = {name: p_of(inside, name) for name in inside}
        if p and max(p.values()) >= 0.30:
            inside.remove(max(p, key=p.get))
            continue
        p = {name: p_of([*inside, name], name) for name in names if name not in inside}
        if not p or min(p.values()) > 0.15:
            break
        inside.append(min(p, key=p.get))
        order.append(min(p.values()))
    got = csat.stepwise(
        csat.read_survey(data, design=csat.Design(weight="w")), "y", names, enter=0.15, remove=0.30, se="classical"
    )
    assert list(got.selected) == inside
    assert_allclose(got.steps.query("action == 'enter'")["p"], order, rtol=1e-8)


# ------------------------------------------------------------------ a plain search, for comparison


def plain_fit(gram: np.ndarray, columns: list[int]) -> tuple[float, np.ndarray]:
    """Residual sum of squares and slopes on some columns of a Gram matrix [1, columns, outcome]."""
    at = [0, *(1 + column for column in columns)]
    coefficients = np.linalg.solve(gram[np.ix_(at, at)], gram[at, -1])
    return gram[-1, -1] - coefficients @ gram[at, -1], coefficients[1:]


def plain_selection(gram: np.ndarray, task: Task, forced: int = 0) -> tuple[set[int], np.ndarray]:
    """One term at a time, every model fitted anew: what the search over replicates has to equal."""
    terms, rule, n = task.terms, task.rule, task.n
    m, inside = len(terms.labels), set(np.flatnonzero(task.begin).tolist())

    def columns(model):
        return [column for term in sorted(model) for column in terms.of(term)]

    def fit(model):
        at = columns(model)
        return plain_fit(gram, at)[0], n - 1 - len(at)

    def score(model):
        rss, df = fit(model)
        if rule.name == "adjr2":
            return rss / df
        return n * np.log(rss) + (2 if rule.name == "aic" else np.log(n)) * (n - df)

    def p_of(small, large):
        (rss0, df0), (rss1, df1) = fit(small), fit(large)
        return f_distribution.sf((rss0 - rss1) / (df0 - df1) / (rss1 / df1), df0 - df1, df1)

    seen = [set(inside)]
    while True:
        out = [t for t in inside if t >= forced and not any(t in terms.needs[u] for u in inside)]
        into = [t for t in range(m) if t not in inside and terms.needs[t] <= inside]
        out = [] if rule.direction == "forward" else out
        into = [] if rule.direction == "backward" else into
        if rule.name == "p":
            leaving = {t: p_of(inside - {t}, inside) for t in out}
            entering = {t: p_of(inside, inside | {t}) for t in into}
            if leaving and max(leaving.values()) >= rule.remove:
                inside = inside - {max(leaving, key=leaving.get)}
            elif entering and min(entering.values()) <= rule.enter:
                inside = inside | {min(entering, key=entering.get)}
            else:
                break
        else:
            scores = {t: score(inside - {t}) for t in out} | {t: score(inside | {t}) for t in into}
            if not scores or min(scores.values()) >= score(inside):
                break
            inside = inside ^ {min(scores, key=scores.get)}
        if inside in seen:
            break
        seen.append(set(inside))
    slopes = np.zeros(len(terms.columns))
    slopes[columns(inside)] = plain_fit(gram, columns(inside))[1]
    return inside, slopes


@pytest.mark.parametrize("rule", ["p", "aic", "bic", "adjr2"])
@pytest.mark.parametrize(
    ("direction", "start"), [("both", "empty"), ("both", "full"), ("forward", "empty"), ("backward", "full")]
)
@pytest.mark.parametrize("forced", [0, 2])
def test_replicates_are_searched_as_one_by_one(mixed, rule, direction, start, forced):
    asked = ["g", "c", *[t for t in TERMS if t not in "gc"]] if forced else TERMS
    terms = terms_of(mixed, "y", asked)
    drawn = mixed.replicated(Replication("subbootstrap", size=200, seed=5)).groups(terms.variables, (), "listwise")
    grams = replicate_sums(drawn, grams=True)[:, 0]
    layout = layout_of(terms, forced)
    how = Rule(rule, direction, 0.15, 0.25, 1e-9)
    task = Task(terms, layout, how, layout.forced | (start == "full"), 240)
    inside, slopes, ended = selections(grams, task)
    assert (ended == 0).all()
    expected = [plain_selection(gram, task, forced) for gram in grams]
    assert [set(np.flatnonzero(row).tolist()) for row in inside] == [model for model, _ in expected]
    assert_allclose(slopes, [each for _, each in expected], rtol=1e-6, atol=1e-9)
    assert len({tuple(row) for row in inside.tolist()}) > 3  # replicates disagree, else this would show nothing


def test_a_replicate_of_a_cycling_rule_ends_like_the_one_sample(mixed):
    terms = terms_of(mixed, "y", ["a", "b", "c"])
    drawn = mixed.replicated(Replication("subbootstrap", size=50, seed=5)).groups(terms.variables, (), "listwise")
    grams = replicate_sums(drawn, grams=True)[:, 0]
    task = Task(terms, layout_of(terms, 0), Rule("p", "both", 0.9, 0.05, 1e-4), np.zeros(3, bool), 240)
    inside, _, ended = selections(grams, task)
    assert (ended == ENDS.index("cycling")).sum() > 10
    expected = [plain_selection(gram, task)[0] for gram in grams]
    assert [set(np.flatnonzero(row).tolist()) for row in inside] == expected


# ------------------------------------------------------------------ stability


def test_stability_counts_what_the_replicates_select(mixed):
    got = csat.stepwise(mixed, "y", TERMS, rule="aic", replicates=300, seed=9, level=0.9)
    stable = got.stability
    terms = terms_of(mixed, "y", TERMS)
    drawn = mixed.replicated(Replication("subbootstrap", size=300, seed=9)).groups(terms.variables, (), "listwise")
    task = Task(terms, layout_of(terms, 0), Rule("aic", "both", 0.05, 0.1, 1e-4), np.zeros(8, bool), got.n)
    inside, slopes, _ = selections(replicate_sums(drawn, grams=True)[:, 0], task)
    table = stable.tidy().set_index("term")
    assert list(table.index) == TERMS
    assert_allclose(table["frequency"], inside.mean(axis=0))
    assert_allclose(table["frequency_se"], np.sqrt(table["frequency"] * (1 - table["frequency"]) / 300))
    assert table["chosen"].tolist() == [term in got.selected for term in TERMS]
    a = slopes[:, 0]
    row = table.loc["a"]
    assert_allclose(row["positive"], (a > 0).sum() / inside[:, 0].sum())
    assert_allclose(row["mean_selected"], a[inside[:, 0]].mean())
    assert_allclose(row["estimate"], a.mean())
    assert_allclose([row["percentile_low"], row["percentile_high"]], np.quantile(a, [0.05, 0.95]))
    assert np.isnan(table.loc["g", "estimate"])  # two columns: see the table of coefficients
    columns = stable.columns.set_index("term")
    assert columns.loc[["g=q", "g=r"], "of"].tolist() == ["g", "g"]
    assert_allclose(columns.loc["g=q", "frequency"], table.loc["g", "frequency"])
    assert_allclose(columns.loc["g=q", "estimate"], slopes[:, terms.names.index("g=q")].mean())


def test_the_models_of_the_replicates_are_counted(mixed):
    got = csat.stepwise(mixed, "y", ["a", "b", "c", "d"], replicates=200)
    models = got.stability.models
    assert models["replicates"].sum() == 200
    assert_allclose(models["share"].sum(), 1)
    assert models["share"].is_monotonic_decreasing
    whole = models[models["whole"]]
    assert len(whole) == 1
    assert set(whole["terms"].iloc[0]) == set(got.selected)
    assert got.stability.glance()["share_of_chosen"][0] == whole["share"].iloc[0]
    each = [sum(row.share for row in models.itertuples() if term in row.terms) for term in "abcd"]
    assert_allclose(got.stability.frequency, each)


def test_the_same_seed_gives_the_same_figures(mixed):
    one, two, other = (
        csat.stepwise(mixed, "y", ["a", "b", "c", "d"], replicates=100, seed=seed).stability for seed in (3, 3, 4)
    )
    assert one.tidy().equals(two.tidy())
    assert not one.tidy().equals(other.tidy())


@pytest.mark.parametrize("design", [{}, {"psu": "hall"}, {"stratum": "city", "psu": "hall"}, {"stratum": "city"}])
def test_what_is_always_selected_has_the_error_of_the_design(mixed, design):
    """Without a selection the smoothed coefficient is the coefficient: its error is that of linearisation."""
    source = csat.read_survey(mixed.frame(), design=csat.Design(weight="w", **design))
    got = csat.stepwise(source, "y", ["d"], forced=["a", "b", "c"], enter=1e-300, replicates=2000)
    assert got.stability.estimates.provenance.variance == "replicates: subbootstrap, smoothed"
    smoothed = got.stability.estimates.se[:3]
    assert_allclose(smoothed, got.final.coefficients.se[1:], rtol=0.12)
    assert_allclose(got.stability.estimates.estimate[:3], got.final.coefficients.estimate[1:], atol=0.02)


def test_smoothed_errors_do_not_grow_with_the_noise_of_few_replicates(mixed):
    """Without the correction, 240 respondents and 300 replicates would nearly double the variance."""
    source = csat.read_survey(mixed.frame(), design=csat.Design(weight="w"))
    many, few = (
        csat.stepwise(source, "y", ["a", "b", "c", "d"], rule="aic", replicates=size).stability.estimates.se
        for size in (4000, 300)
    )
    assert_allclose(few, many, rtol=0.2)


def test_with_very_few_replicates_the_plain_spread_is_used(mixed):
    source = csat.read_survey(mixed.frame(), design=csat.Design(weight="w"))
    stable = csat.stepwise(source, "y", ["a", "b"], replicates=40).stability
    assert stable.estimates.provenance.variance == "replicates: subbootstrap"
    assert "smoothed" in csat.stepwise(source, "y", ["a", "b"], replicates=400).stability.glance()["variance"][0]


def test_a_smoothed_error_is_never_above_the_plain_one(mixed):
    """Efron (2014), corollary 1."""
    terms = terms_of(mixed, "y", TERMS)
    stable = csat.stepwise(mixed, "y", TERMS, rule="bic", replicates=600).stability
    drawn = mixed.replicated(Replication("subbootstrap", size=600)).groups(terms.variables, (), "listwise")
    task = Task(terms, layout_of(terms, 0), Rule("bic", "both", 0.05, 0.1, 1e-4), np.zeros(8, bool), 240)
    _, slopes, _ = selections(replicate_sums(drawn, grams=True)[:, 0], task)
    assert (stable.estimates.se <= slopes.std(axis=0, ddof=1) * (1 + 1e-9)).all()
    assert (stable.estimates.se < 0.97 * slopes.std(axis=0, ddof=1)).any()
    assert np.linalg.eigvalsh(stable.estimates.vcov)[0] > -1e-12


def test_declared_bootstrap_weights_are_used(mixed, rng):
    data = mixed.frame()
    units = data["hall"].unique()
    drawn = dict(zip(units, rng.multinomial(39, np.full(40, 1 / 40), 120).T, strict=True))
    factors = np.array([drawn[unit] * 40 / 39 for unit in data["hall"]])
    weights = pd.DataFrame(factors * data[["w"]].to_numpy(), columns=[f"r{i}" for i in range(120)], index=data.index)
    design = csat.Design(weight="w", replicates=tuple(weights), replication=Replication("subbootstrap"))
    source = csat.read_survey(pd.concat([data, weights], axis=1), design=design)
    stable = csat.stepwise(source, "y", ["a", "b", "c"], replicates=7).stability
    assert stable.drawn == "declared: subbootstrap"
    assert stable.replicates == 120
    groups = source.groups(["a", "b", "c", "y"], rule="listwise")
    terms = terms_of(source, "y", ["a", "b", "c"])
    task = Task(terms, layout_of(terms, 0), Rule("p", "both", 0.05, 0.1, 1e-4), np.zeros(3, bool), 240)
    inside, _, _ = selections(replicate_sums(groups, grams=True)[:, 0], task)
    assert_allclose(stable.frequency, inside.mean(axis=0))


@pytest.mark.parametrize("kind", ["JKn", "bootstrap"])
def test_replicates_too_near_to_the_sample_are_replaced(mixed, kind):
    """The jackknife leaves one unit out; the plain bootstrap of 2 units per stratum halves the variance."""
    data = mixed.frame().assign(pair=lambda d: (d["hall"].astype(int) // 2).astype(str))
    stratum = "pair" if kind == "bootstrap" else "city"
    design = csat.Design(weight="w", stratum=stratum, psu="hall", replication=Replication(kind))
    stable = csat.stepwise(csat.read_survey(data, design=design), "y", ["a", "b"], replicates=80).stability
    assert stable.drawn == f"made: subbootstrap of sampling units, instead of the declared {kind}"
    assert stable.replicates == 80


def test_a_summary_with_units_is_enough_and_a_printed_matrix_is_not(mixed):
    groups = mixed.groups(["a", "b", "c", "y"], rule="listwise")
    one = csat.stepwise(groups, "y", ["a", "b", "c"], replicates=60).stability
    two = csat.stepwise(mixed, "y", ["a", "b", "c"], replicates=60).stability
    figures = [each.tidy().drop(columns=["term", "note"]).astype(float) for each in (one, two)]
    assert_allclose(*figures)
    printed = csat.from_covariance(groups.moments().cov, n=240, names=["a", "b", "c", "y"])
    with pytest.raises(csat.CsatError, match="Redoing a selection on replicates needs the respondents' rows"):
        csat.stepwise(printed, "y", ["a", "b", "c"], se="classical", replicates=60)


def test_replicates_without_a_rare_category_are_counted_as_failed(mixed):
    data = mixed.frame().assign(rare=lambda d: np.where(d["hall"].isin(["3", "17"]), "yes", "no"))
    source = csat.read_survey(data, design=csat.Design(weight="w", psu="hall"))
    stable = csat.stepwise(source, "y", ["a", "rare"], replicates=400).stability
    assert 20 < stable.failed < 120  # both units are missing from (38/40)^39 of the replicates: 54 of 400
    assert stable.failed + stable.replicates == 400
    nobody = data.assign(rare=np.where(np.arange(240) == 0, "yes", "no"))
    few = csat.read_survey(nobody.iloc[:12], design=csat.Design(psu="hall"))
    assert csat.stepwise(few, "y", ["rare"], se="classical", replicates=20).stability.failed > 0


def test_the_selection_of_a_part_uses_the_whole_design(mixed):
    part = mixed.where(city=["0", "1"])
    stable = csat.stepwise(part, "y", ["a", "b"], replicates=100).stability
    assert stable.estimates.n.tolist() == [120, 120]
    assert stable.estimates.df == 36


def test_many_rows_are_drawn_in_groups(rng):
    n = 25_000
    data = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "y"])
    stable = csat.stepwise(csat.read_survey(data), "y", "b", forced="a", replicates=400).stability
    assert stable.drawn == "made: subbootstrap of random groups of respondents"
    assert_allclose(stable.estimates.se[0], n**-0.5, rtol=0.2)


# ------------------------------------------------------------------ best subsets


def least_squares(data: pd.DataFrame, names: list[str], outcome: str) -> float:
    x = np.column_stack([np.ones(len(data)), data[names].to_numpy()])
    left = data[outcome] - x @ np.linalg.lstsq(x, data[outcome], rcond=None)[0]
    return float(left @ left)


@pytest.mark.parametrize("number", range(12))
def test_branch_and_bound_finds_what_enumeration_finds(number):
    rng = np.random.default_rng(number)
    k, n = int(rng.integers(3, 10)), int(rng.integers(15, 70))
    names = [f"x{j}" for j in range(k)]
    data = pd.DataFrame(rng.normal(size=(n, k)), columns=names)
    if number % 3 == 0:
        data["x1"] = data["x0"] + rng.normal(size=n) * 10.0 ** -rng.integers(2, 6)
    data["y"] = data @ (rng.normal(size=k) * rng.integers(0, 2, k)) + rng.normal(size=n)
    best, fixed = int(rng.integers(1, 5)), names[: number % 2]
    got = best_subsets(csat.read_survey(data), "y", names[len(fixed) :], forced=fixed, best=best).tidy()
    for size in range(len(fixed), k + 1):
        chosen = itertools.combinations(names[len(fixed) :], size - len(fixed))
        every = sorted((least_squares(data, [*fixed, *more], "y"), (*fixed, *more)) for more in chosen)[:best]
        part = got[got["size"] == size]
        assert part["terms"].tolist() == [terms for _, terms in every]
        assert part["rank"].tolist() == list(range(1, len(every) + 1))
        assert_allclose(part["rss"], [rss for rss, _ in every], rtol=1e-6)


def test_factors_are_units_of_a_subset(mixed):
    got = best_subsets(mixed, "y", ["a", Factor("g"), "h", "d"], forced="b", best=20)
    table = got.tidy()
    assert len(table) == 16
    assert {2 if "g" in terms else 0 for terms in table["terms"]} == {0, 2}
    width = {"a": 1, "b": 1, "g": 2, "h": 1, "d": 1}
    assert table["size"].tolist() == [sum(width[term] for term in terms) for terms in table["terms"]]
    for row in table.sample(6, random_state=1).itertuples():
        fit = csat.regress(mixed, "y", list(row.terms), se="classical", complete=["a", "g", "h", "d"])
        assert_allclose([row.r2, row.adj_r2], [fit.r2, fit.adj_r2], rtol=1e-9)
    assert got.forced == ("b",)


def test_the_largest_size_of_interest_bounds_the_table(rng):
    data = answers(rng, k=8)
    names = [f"x{j}" for j in range(8)]
    short, long = (best_subsets(csat.read_survey(data), "y", names, most=most) for most in (3, None))
    assert short.tidy()["size"].max() == 3
    pd.testing.assert_frame_equal(short.tidy(), long.tidy().head(4))


def test_the_best_subset_by_a_criterion_is_at_least_as_good_as_any_stepwise_result(rng):
    data = answers(rng, n=80, k=9)
    data["y"] = data[["x0", "x4", "x7"]] @ [0.3, -0.2, 0.15] + rng.normal(size=80)
    source, names = csat.read_survey(data), [f"x{j}" for j in range(9)]
    for rule in ("aic", "bic", "adjr2"):
        best = best_subsets(source, "y", names, criterion=rule)
        assert best.selected == best.best[rule]
        alone = csat.stepwise(source, "y", list(best.selected), rule=rule, direction="backward")
        assert set(alone.selected) == set(best.selected)
        column = {"aic": "aic", "bic": "bic", "adjr2": "adj_r2"}[rule]
        table = best.tidy()
        mine = table.loc[table["terms"] == best.selected, column].iloc[0]
        assert mine == (table[column].max() if rule == "adjr2" else table[column].min())
        sign = -1 if rule == "adjr2" else 1
        null = csat.stepwise(source, "y", names, rule=rule)
        gain = sign * (null.steps["criterion"].iloc[-1] - null.start_criterion)
        assert sign * (mine - table[column].iloc[0]) <= gain + 1e-9


def test_subsets_of_an_exact_model(rng):
    data = answers(rng).assign(y=lambda d: d["x1"] - d["x2"])
    got = best_subsets(csat.read_survey(data), "y", NAMES)
    assert set(got.best.values()) == {("x1", "x2")}
    assert got.tidy()["cp"].tolist()[2:] == [3.0, 4.0, 5.0]


# ------------------------------------------------------------------ wrong input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"enter": 0.1, "remove": 0.05}, "steps would cycle"),
        ({"enter": "a"}, "0 < enter < remove ≤ 1 is needed"),
        ({"direction": "up"}, "direction='up' is not known"),
        ({"rule": "r2"}, "rule='r2' is not known; choose one of 'p', 'aic', 'bic', 'adjr2'"),
        ({"start": "half"}, "start='half' is not known"),
        ({"direction": "forward", "start": "full"}, "direction='forward' with start='full': no term could ever enter"),
        ({"direction": "backward", "start": "empty"}, "no term could ever leave"),
        ({"tolerance": 0.0}, "tolerance=0.0: a share of variance"),
        ({"candidates": ["x0", "x1"], "forced": ["x1", "x0"]}, "every candidate is forced in; nothing is left"),
        ({"forced": 5}, "forced are names of variables; found int 5"),
        ({"candidates": []}, "No driver is named: name at least one"),
        ({"candidates": ["x0", "x0"]}, "'x0' is named twice"),
        ({"candidates": ["x0", "x9"]}, "No column 'x9' in this survey. Did you mean"),
        ({"candidates": ["x0", "flat"]}, "No variation in 'flat'"),
        ({"candidates": ["x0", "y"]}, "outcome and drivers must"),
        ({"candidates": ["x0", "x1"], "forced": ["x0:x1"]}, "'x0:x1' is forced but its part 'x0' is a candidate"),
        ({"candidates": ["x1", "x2"], "forced": ["x0", "twice"]}, "'twice' is an exact linear combination of 'x0'"),
        ({"replicates": 1}, "one replicate has no spread"),
        ({"replicates": -5}, "replicates=-5: a whole number from 0 to 10000 is needed"),
        ({"replicates": 10**9}, "replicates=1000000000: a whole number"),
        ({"seed": 0.5}, "seed=0.5: a whole number"),
        ({"se": "HC9"}, "se='HC9' is not known"),
        ({"level": 95}, "level=95: the confidence level lies between 0 and 1"),
    ],
)
def test_wrong_calls_say_what_to_do(rng, options, message):
    source = csat.read_survey(answers(rng).assign(flat=3.0, twice=lambda d: 2 * d["x0"]))
    with pytest.raises(csat.CsatError, match=message):
        csat.stepwise(**({"source": source, "outcome": "y", "candidates": NAMES} | options))


def test_collinear_candidates_are_named_where_the_start_has_them_all(rng):
    source = csat.read_survey(answers(rng).assign(sum=lambda d: d["x0"] + d["x1"]))
    with pytest.raises(csat.CsatError, match="'sum' is an exact linear combination of 'x0', 'x1'"):
        csat.stepwise(source, "y", ["x0", "x1", "sum"], direction="backward")
    assert len(csat.stepwise(source, "y", ["x0", "x1", "sum"], rule="aic").selected) < 3
    with pytest.raises(csat.CsatError, match="'sum' is an exact linear combination"):
        best_subsets(source, "y", ["x0", "x1", "sum"])


def test_too_few_answers_for_the_candidates():
    data = pd.DataFrame({"y": [1.0, 2, 3, 5], "a": [2.0, 1, 3, 3], "b": [1.0, 5, 2, 3], "c": [1.0, 0, 0, 1]})
    with pytest.raises(csat.CsatError, match="A selection among 3 candidates needs at least 5 complete answers; 4"):
        csat.stepwise(csat.read_survey(data), "y", ["a", "b", "c"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"criterion": "r2"}, "criterion='r2' is not known; choose one of 'adjr2', 'bic', 'aic', 'cp'"),
        ({"most": 9}, "most=9: a whole number from 1 to 4 is needed"),
        ({"best": 0}, "best=0: a whole number from 1 to 1000"),
        ({"forced": NAMES}, "every candidate is forced in; nothing is left to select from"),
        ({"candidates": ["x0", "x1", "x0:x1"]}, "'x0:x1' is an interaction of candidates; a subset may lack its parts"),
        ({"candidates": "nope"}, "No column 'nope' in this survey"),
    ],
)
def test_wrong_subsets_say_what_to_do(rng, options, message):
    source = csat.read_survey(answers(rng))
    with pytest.raises(csat.CsatError, match=message):
        best_subsets(**({"source": source, "outcome": "y", "candidates": NAMES} | options))


def test_more_candidates_than_subsets_can_search(rng):
    names = [f"x{j}" for j in range(51)]
    source = csat.read_survey(pd.DataFrame(rng.normal(size=(80, 52)), columns=[*names, "y"]))
    with pytest.raises(csat.CsatError, match=r"up to 50 candidates; 51 were given. Use csat.stepwise"):
        best_subsets(source, "y", names)


def test_an_interaction_of_forced_terms_may_be_a_candidate(rng):
    got = best_subsets(csat.read_survey(answers(rng)), "y", ["x0:x1", "x2"], forced=["x0", "x1"])
    assert set(got.tidy()["terms"]) >= {("x0", "x1"), ("x0", "x1", "x0:x1", "x2")}


def test_representations_are_short_and_escaped(rng):
    data = answers(rng).rename(columns={"x3": "<b>"})
    got = csat.stepwise(csat.read_survey(data), "y", ["x0", "x1", "x2", "<b>"], replicates=50)
    for result in (got, got.stability, best_subsets(csat.read_survey(data), "y", ["x0", "<b>"])):
        assert "<b>" not in result._repr_html_()
        assert "&lt;b&gt;" in result._repr_html_()
        assert len(result.glance()) == 1
