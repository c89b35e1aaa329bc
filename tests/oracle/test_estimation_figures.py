"""R survey 4.1-1: shares and their intervals, quantiles, variances, tests between groups, cross tables, planning.

`estimation.json` holds 96 made-up rows with R's figures for them (estimation.R); the other fixtures hold figures of
the reference cases with sums per sampling unit. Tests marked `shared` read the rows of those cases.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat import estimation as est
from csat.estimation.crosstabs import Cells, rao_scott, wald_tests
from csat.estimation.intervals import share_bounds
from csat.estimation.means import totals
from csat.estimation.quantiles import RULES
from csat.moments import Groups
from csat.planning import detectable_gap, sample_size

EXACT, ENDS = {"rtol": 1e-8}, {"rtol": 1e-6}
CSAT = csat.Design(weight="w", stratum="stratum", psu="psu", fpc="npsu_pop")
INTERVALS = {"t": "mean", "logit": "logit", "xlogit": "xlogit", "beta": "beta", "asin": "asin"}


def groups_of(names: list[str], cells: list[dict], by: tuple[str, ...] = ()) -> Groups:
    """A summary as another program would hand it over: sums per (group, stratum, unit), or per stratum."""
    labelled = [tuple(str(label) for label in cell["group"]) for cell in cells]
    domains, strata = sorted(set(labelled)), sorted({cell["stratum"] for cell in cells})
    clustered = "psu" in cells[0]
    psus = sorted({(cell["stratum"], cell["psu"]) for cell in cells}) if clustered else []
    population = {cell["stratum"]: np.inf if cell["population"] is None else cell["population"] for cell in cells}
    respondents = {cell["stratum"]: cell["n"] for cell in cells}
    return Groups(
        names=tuple(names),
        rule="available",
        midpoint=np.zeros(len(names)),
        by=by,
        domains=tuple(domains),
        strata=tuple(strata),
        psus=tuple(psus),
        units=np.array([sum(s == h for s, _ in psus) if clustered else respondents[h] for h in strata]),
        population=np.array([population[stratum] for stratum in strata]),
        domain=np.array([domains.index(label) for label in labelled]),
        stratum=np.array([strata.index(cell["stratum"]) for cell in cells]),
        psu=np.array([psus.index((cell["stratum"], cell["psu"])) if clustered else -1 for cell in cells]),
        gram=np.array([cell["gram"] for cell in cells]),
        square=None if clustered else np.array([cell["square"] for cell in cells]),
        n=np.array([cell["n"] for cell in cells]),
        counts=np.array([cell["counts"] for cell in cells]),
    )


def numbers(values: list) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], float)


@pytest.fixture(scope="module")
def figures(oracle) -> dict:
    return oracle("estimation")


@pytest.fixture(scope="module")
def rows(figures) -> csat.Survey:
    data = pd.DataFrame(figures["rows"])
    return csat.read_survey(data, design=csat.Design(weight="w", stratum="stratum", psu="psu", fpc="size"))


# shares


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize(("name", "levels"), [("top", [9, 10]), ("rare", [1, 2, 3])])
def test_intervals_of_a_box(rows, figures, interval, name, levels):
    expected = figures["shares"][name][INTERVALS[interval]]
    found = est.box(rows, "y", levels=levels, interval=interval)
    # svyglm stops its iterations at 1e-9 of the link: "logit" alone is less exact.
    exact = {"rtol": 1e-7} if interval == "logit" else EXACT
    assert_allclose(found.estimate[0], expected["share"], **exact)
    assert_allclose(found.se[0], expected["se"], **EXACT)
    assert_allclose(np.ravel(found.interval), expected["ci"], **ENDS)


@pytest.mark.parametrize("interval", INTERVALS)
def test_intervals_at_another_level(rows, figures, interval):
    found = est.box(rows, "y", levels=[9, 10], interval=interval, level=0.9)
    assert_allclose(np.ravel(found.interval), figures["shares90"][INTERVALS[interval]]["ci"], **ENDS)


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("name", ["top2", "bottom"])
def test_intervals_of_the_reference_survey(oracle, interval, name):
    live, case = oracle("ciprop_csat"), oracle("svy_csat_metrics")
    found = csat.mean(groups_of(case["summary"]["names"], case["summary"]["all"]), name)
    expected = live[name][INTERVALS[interval]]
    assert_allclose(found.estimate[0], expected["share"], **EXACT)
    assert_allclose(found.se[0], expected["se"], **EXACT)
    ends = share_bounds(interval, found.estimate, found.se, found.n, found.df, 0.95)
    assert_allclose(np.ravel(ends), expected["ci"], **ENDS)
    if name == "top2" and interval == "logit":
        assert_allclose(np.ravel(ends), case["result"]["ciprop_top2"]["logit"]["ci"], **ENDS)


def test_wilson_and_clopper_pearson_of_plain_samples(figures):
    for case in figures["wilson"]["cases"]:
        p = np.array([case["x"] / case["n"]])
        se = np.sqrt(p * (1 - p) / case["n"])
        ends = share_bounds("wilson", p, se, np.array([case["n"]]), np.inf, case["level"])
        assert_allclose(np.ravel(ends), case["ci"], rtol=1e-10, atol=1e-12)
    for case in figures["clopper"]["cases"]:
        p, n = np.array([case["x"] / case["n"]]), np.array([case["n"]])
        ends = share_bounds("beta", p, np.sqrt(p * (1 - p) / n), n, n - 1.0, 0.95)
        assert_allclose(np.ravel(ends), case["ci"], rtol=1e-10, atol=1e-12)


def test_nps_boxes_and_index_of_the_reference_survey(oracle):
    case = oracle("svy_csat_metrics")
    expected, summary = case["result"], case["summary"]
    found = csat.mean(groups_of(summary["names"], summary["all"]), ["nps", "top2", "bottom"])
    for i, name in enumerate(("nps", "top2box", "bottombox")):
        assert_allclose(found.estimate[i], expected[name]["est"], **EXACT)
        assert_allclose(found.vcov[i, i], expected[name]["vcov"]["values"][0][0], **EXACT)
        assert_allclose([end[i] for end in found.interval], [expected[name]["ci_lower"], expected[name]["ci_upper"]])
    by = csat.mean(groups_of(summary["names"], summary["segment"], ("segment",)), "nps", by="segment")
    assert_allclose(by.estimate, expected["nps_by_segment"]["est"], **EXACT)
    assert_allclose(by.se, expected["nps_by_segment"]["se"], **EXACT)
    gap = by.contrast(np.array([[0.0, 1.0, -1.0]]), ["postpaid − prepaid"]).tidy().iloc[0]
    difference = expected["nps_diff_postpaid_prepaid"]
    assert_allclose([gap["estimate"], gap["se"]], [difference["est"], difference["se"][0][0]], **EXACT)
    assert_allclose(gap["p"], difference["p"][0][0], atol=1e-6)


@pytest.mark.shared
def test_nps_and_boxes_from_rows(oracle, shared_case):
    expected = oracle("svy_csat_metrics")["result"]
    survey = csat.read_survey(pd.read_csv(shared_case("svy_csat_metrics.csv")), design=CSAT)
    nps = est.nps(survey, "recommend", by="segment")
    assert_allclose(nps.estimate, expected["nps_by_segment"]["est"], **EXACT)
    assert_allclose(nps.se, expected["nps_by_segment"]["se"], **EXACT)
    top = est.box(survey, "sat", levels=[9, 10], interval="logit")
    assert_allclose(top.estimate[0], expected["top2box"]["est"], **EXACT)
    assert_allclose(np.ravel(top.interval), expected["ciprop_top2"]["logit"]["ci"], **ENDS)


# means, totals, ratios of the further cases


@pytest.mark.parametrize("name", ["svy_apiclus1_basic", "svy_apistrat_basic"])
def test_means_totals_and_ratio(oracle, name):
    case = oracle(name)
    expected, source = case["result"], groups_of(case["summary"]["names"], case["summary"]["all"])
    scores, shares = ["api00", "api99", "enroll"], ["stype=E", "stype=H", "stype=M"]
    for method, names, key in (
        (csat.mean, scores, "mean"),
        (csat.total, scores, "total"),
        (csat.mean, shares, "prop"),
        (csat.total, shares, "count"),
    ):
        found = method(source, names)
        # Strata known exactly: R writes 0, the sums leave rounding of squares near 1e-16 (shares), 1e-8 (counts).
        scale = np.abs(found.estimate).max() ** 2
        assert_allclose(found.estimate, expected[key]["est"], **EXACT)
        assert_allclose(found.vcov, expected[key]["vcov"]["values"], rtol=1e-7, atol=1e-13 * scale)
        assert (np.asarray(found.df) == expected[key]["df"]).all()
    mean = csat.mean(source, scores)
    assert_allclose(mean.interval[0], expected["mean"]["ci_lower"], **ENDS)
    assert_allclose(mean.n / mean.n_eff, expected["mean_deff_replace"], **EXACT)
    ratio = csat.ratio(source, "api_stu", "enroll")
    assert_allclose([ratio.estimate[0], ratio.se[0]], [expected["ratio"]["est"], expected["ratio"]["se"]], **EXACT)


def test_domains_of_the_schools(oracle):
    case = oracle("svy_apiclus1_domain")
    expected = case["result"]
    source = groups_of(["api00"], case["summary"]["stype"], ("stype",))
    means, total = csat.mean(source, "api00", by="stype"), csat.total(source, "api00", by="stype")
    assert_allclose(means.estimate, expected["mean"], **EXACT)
    assert_allclose(means.vcov, expected["vcov"]["values"], **EXACT)
    # A group has the degrees of freedom of its own units, R's degf of the subset; R's `confint` was given the design's.
    assert np.asarray(means.df).tolist() == [group["degf"] for group in expected["domain_degf"]]
    assert_allclose(replace(means, df=expected["design"]["degf"]).interval[1], expected["ci_upper"], **ENDS)
    assert_allclose(total.estimate, expected["total"], **EXACT)
    assert_allclose(total.se, expected["total_se"], **EXACT)


def test_two_waves(oracle):
    case = oracle("svy_waves")
    expected = case["result"]
    source = groups_of(case["summary"]["names"], case["summary"]["wave"], ("wave",))
    means = csat.mean(source, ["recommend", "nps"], by="wave")
    turn = [0, 2, 1, 3]  # R sorts by variable, then wave
    assert_allclose(means.estimate[turn], [*expected["by"]["recommend"], *expected["by"]["nps"]], **EXACT)
    assert_allclose(means.vcov[np.ix_(turn, turn)], expected["vcov"]["values"], rtol=1e-8, atol=1e-14)
    for name in ("recommend", "nps"):
        row, test = est.difference(source, name, "wave").tidy().iloc[0], expected[f"ttest_{name}"]
        assert_allclose([row["estimate"], row["statistic"]], [test["diff"], test["t"]], **EXACT)
        assert row["df"] == test["df"]
        assert_allclose(row["p"], test["p"], atol=1e-6)
        assert_allclose([row["low"], row["high"]], test["ci"], **ENDS)


# quantiles


@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize("name", ["y", "z"])
def test_quantile_rules(rows, figures, name, rule):
    expected = figures["quantiles"][name][rule]
    found = est.quantile(rows, name, figures["probs"], rule=rule, ties="rows")
    assert_allclose(found.estimate, expected["quantile"], **EXACT)
    for got, key in ((found.interval[0], "low"), (found.interval[1], "high"), (found.se, "se")):
        given = numbers(expected[key])  # R finds no end where its share exceeds 1 by rounding
        assert_allclose(got[~np.isnan(given)], given[~np.isnan(given)], rtol=1e-6, atol=1e-12)
    assert np.isfinite(found.interval).all()


@pytest.mark.parametrize("interval", ["t", "beta", "xlogit", "asin"])
def test_woodruff_intervals(rows, figures, interval):
    expected = figures["woodruff"][INTERVALS[interval]]
    found = est.quantile(rows, "z", figures["probs"], interval=interval)
    assert_allclose(found.estimate, expected["quantile"], **EXACT)
    assert_allclose(found.interval, [expected["low"], expected["high"]], **ENDS)
    assert_allclose(found.se, expected["se"], **ENDS)


def test_medians_by_group(rows, figures):
    found = est.quantile(rows, "z", 0.5, by="g3")
    for i, group in enumerate(found.keys["g3"]):
        expected = figures["median_by"][group]
        assert_allclose(found.estimate[i], expected["quantile"], **EXACT)
        assert_allclose([end[i] for end in found.interval], [expected["low"], expected["high"]], **ENDS)
        assert_allclose(found.se[i], expected["se"], **ENDS)
        assert np.asarray(found.df)[i] == expected["df"]


@pytest.mark.shared
@pytest.mark.parametrize("rule", sorted(RULES))
@pytest.mark.parametrize(
    ("case", "name", "design"),
    [
        ("svy_csat_quantile", "sat", CSAT),
        ("svy_apistrat_quantile", "api00", csat.Design(weight="pw", stratum="stype", fpc="fpc")),
    ],
)
def test_quantiles_of_the_reference_surveys(shared_case, case, name, design, rule):
    expected = pd.read_json(shared_case(f"{case}.json"), typ="series")["result"]
    survey = csat.read_survey(pd.read_csv(shared_case(f"{case}.csv")), design=design)
    found = est.quantile(survey, name, expected["probs"], rule=rule, ties="rows")
    figures = expected["qrule"][rule]
    assert_allclose(found.estimate, next(figures[key] for key in figures if key.startswith("quantile")), **EXACT)
    for got, key in ((found.interval[0], "ci.2.5"), (found.interval[1], "ci.97.5"), (found.se, "se")):
        given = numbers(figures[key])
        assert_allclose(got[~np.isnan(given)], given[~np.isnan(given)], rtol=1e-6, atol=1e-12)


@pytest.mark.shared
@pytest.mark.parametrize("interval", ["t", "beta", "xlogit", "asin"])
def test_woodruff_intervals_of_the_reference_survey(shared_case, interval):
    expected = pd.read_json(shared_case("svy_apistrat_quantile.json"), typ="series")["result"]
    design = csat.Design(weight="pw", stratum="stype", fpc="fpc")
    survey = csat.read_survey(pd.read_csv(shared_case("svy_apistrat_quantile.csv")), design=design)
    found = est.quantile(survey, "api00", expected["probs"], interval=interval)
    figures = expected["interval_type"][INTERVALS[interval]]
    assert_allclose(found.interval, [figures["ci.2.5"], figures["ci.97.5"]], **ENDS)
    assert_allclose(found.se, figures["se"], **ENDS)


# variances


def test_variances_and_their_errors(rows, figures):
    found = est.var(rows, ["y", "z"])
    spread = est.sd(rows, ["y", "z"])
    for i, name in enumerate(("y", "z")):
        expected = figures["variance"][name]
        assert_allclose([found.estimate[i], found.se[i]], [expected["var"], expected["se"]], **EXACT)
        assert_allclose(spread.estimate[i] ** 2, expected["var"], **EXACT)
        assert_allclose(2 * spread.estimate[i] * spread.se[i], expected["se"], **EXACT)
    by = est.var(rows, "y", by="g2")
    for i, group in enumerate(by.keys["g2"]):
        expected = figures["variance"][f"y_{group}"]
        assert_allclose([by.estimate[i], by.se[i]], [expected["var"], expected["se"]], **EXACT)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("case", "names", "design", "of_rows"),
    [
        ("svy_csat_basic", ["sat", "recommend"], CSAT, 417),
        ("svy_apiclus1_basic", ["api00", "api99", "enroll"], csat.Design(weight="pw", psu="dnum", fpc="fpc"), 183),
        ("svy_apistrat_basic", ["api00", "api99", "enroll"], csat.Design(weight="pw", stratum="stype", fpc="fpc"), 200),
    ],
)
def test_variances_of_the_reference_surveys(shared_case, case, names, design, of_rows):
    expected = pd.read_json(shared_case(f"{case}.json"), typ="series")["result"]["var"]
    data = pd.read_csv(shared_case(f"{case}.csv"))
    if case == "svy_csat_basic":  # R drops rows with any of the two missing, but takes n/(n − 1) from all 417
        data.loc[data[names].isna().any(axis=1), names] = np.nan
    found = est.var(csat.read_survey(data, design=design), names)
    n, k = found.n[0], len(names)
    factor = of_rows / (of_rows - 1) * (n - 1) / n
    diagonal = np.arange(k) * (k + 1)
    assert_allclose(found.estimate * factor, np.array(expected["est"])[diagonal], **EXACT)
    assert_allclose(found.se * factor, np.array(expected["se"])[diagonal], **EXACT)


# tests between groups


@pytest.mark.parametrize("name", ["y", "z"])
def test_two_and_three_means(rows, figures, name):
    row, expected = est.difference(rows, name, "g2").tidy().iloc[0], figures["differences"][f"{name}_g2"]
    assert_allclose([row["estimate"], row["statistic"]], [expected["estimate"], expected["t"]], **EXACT)
    assert_allclose(row["p"], expected["p"], atol=1e-8)
    assert_allclose([row["low"], row["high"]], expected["ci"], **ENDS)
    assert row["df"] == expected["df"]
    test, expected = est.difference(rows, name, "g3").test, figures["differences"][f"{name}_g3"]
    assert_allclose([test.statistic, test.p], [expected["f"], expected["p"]], **EXACT)
    assert (test.df, test.df2) == (expected["df"], expected["ddf"])


@pytest.mark.parametrize("kind", ["wilcoxon", "vanderwaerden", "median", "kruskal"])
@pytest.mark.parametrize(("name", "ties"), [("y", "rows"), ("z", "rows"), ("z", "weight")])
def test_rank_tests(rows, figures, name, ties, kind):
    expected = figures["ranks"][f"{name}_g2"][kind]
    row = est.ranktest(rows, name, "g2", kind=kind, ties=ties).tidy().iloc[0]
    assert_allclose([row["estimate"], row["statistic"]], [expected["difference"], expected["t"]], **EXACT)
    assert_allclose(row["p"], expected["p"], atol=1e-8)
    assert row["df"] == expected["df"]
    test, expected = est.ranktest(rows, name, "g3", kind=kind, ties=ties).test, figures["ranks"][f"{name}_g3"][kind]
    assert_allclose([test.statistic * test.df, test.p], [expected["chisq"], expected["p"]], **EXACT)
    assert (test.df, test.df2) == (expected["df"], expected["ddf"])


def test_t_test_of_two_domains(oracle):
    """svyttest is a regression on the group: its 23 degrees of freedom are 24 of the design less one slope."""
    case = oracle("svy_csat_ttest")
    expected = case["result"]["svyttest"]
    found = est.difference(groups_of(["sat"], case["summary"]["sex"], ("sex",)), "sat", "sex")
    row = found.tidy().iloc[0]
    assert_allclose([row["estimate"], row["statistic"]], [expected["est"], expected["t"]], **EXACT)
    assert row["df"] == expected["df"] == 23
    assert_allclose(row["p"], expected["p"], atol=1e-6)
    assert_allclose([row["low"], row["high"]], expected["ci"], **ENDS)
    assert_allclose(found.test.p, row["p"], rtol=1e-10)


def test_t_test_of_the_schools(oracle):
    case = oracle("svy_apiclus1_domain")
    expected = case["result"]["svyttest"]
    source = groups_of(["api00"], case["summary"]["comp_imp"], ("comp_imp",))
    row = est.difference(source, "api00", "comp_imp").tidy().iloc[0]
    assert_allclose([row["estimate"], row["statistic"]], [expected["est"], expected["t"]], **EXACT)
    assert row["df"] == expected["df"]
    assert_allclose([row["low"], row["high"]], expected["ci"], **ENDS)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("case", "name", "two", "three", "design"),
    [
        ("svy_csat_domain", "sat", "sex", "segment", CSAT),
        ("svy_apiclus1_domain", "api00", "comp_imp", "stype", csat.Design(weight="pw", psu="dnum", fpc="fpc")),
    ],
)
def test_rank_tests_of_the_reference_surveys(shared_case, case, name, two, three, design):
    expected = pd.read_json(shared_case(f"{case}.json"), typ="series")["result"]
    survey = csat.read_survey(pd.read_csv(shared_case(f"{case}.csv")), design=design)
    row, figure = est.ranktest(survey, name, two, ties="rows").tidy().iloc[0], expected["svyranktest_wilcoxon"]
    assert_allclose([row["estimate"], row["statistic"]], [figure["diff"], figure["t"]], **EXACT)
    assert (row["df"], round(row["p"], 6)) == (figure["df"], round(figure["p"], 6))
    # The case stores what svyranktest calls them: χ² under `df`, its degrees of freedom under `stat`.
    test, figure = est.ranktest(survey, name, three, kind="kruskal", ties="rows").test, expected["svyranktest_kruskal"]
    assert_allclose([test.statistic * test.df, test.p], [figure["df"][0][0], figure["p"]], **EXACT)
    assert test.df == figure["stat"]


# cross tables


def chisq_agrees(found: tuple, expected: dict) -> None:
    pearson, second, first, wald, adjusted = found
    for test, key in ((second, "F"), (wald, "Wald"), (adjusted, "adjWald")):
        assert_allclose(test.statistic, np.ravel(expected[key]["statistic"])[0], **EXACT)
        assert_allclose([test.df, test.df2], expected[key]["parameter"], **EXACT)
        assert_allclose(test.p, expected[key]["p"], rtol=1e-6, atol=1e-15)
    assert_allclose(pearson, expected["Chisq"]["statistic"], **EXACT)
    assert_allclose([first.df, first.p], [np.ravel(expected["Chisq"]["parameter"])[0], expected["Chisq"]["p"]], **ENDS)


def test_cross_table_with_missing_answers(rows, figures):
    found = est.crosstab(rows, "g3", "use", base="total")
    expected = {key: dict(value) for key, value in figures["chisq"].items()}
    chisq_agrees((found.pearson, found.test, found.first_order, found.wald, found.adjusted_wald), expected)
    frame = found.tidy().set_index(["g3", "use"])
    for name, share, se in zip(*(figures["table"][key] for key in ("names", "share", "se")), strict=True):
        assert_allclose(frame.loc[tuple(name.split(".")), ["estimate", "se"]].astype(float), [share, se], **EXACT)


@pytest.mark.parametrize(("name", "row"), [("svy_csat_chisq", "segment"), ("svy_apiclus1_chisq", "sch_wide")])
def test_independence_from_sums(oracle, name, row):
    case = oracle(name)
    summary = case["summary"]
    groups = groups_of(summary["names"], summary[row], (row,))
    table, vcov = totals(groups)
    assert_allclose(table, case["result"]["table"]["values"], **EXACT)
    respondents = (
        groups.over_domains(groups.n)[:, None] * np.ones(table.shape) / table.shape[1]
    )  # only their sum counts
    cells = Cells(table, vcov.reshape(table.size, -1), respondents, groups.df)
    chisq_agrees((*rao_scott(cells), *wald_tests(cells)), case["result"])


@pytest.mark.shared
@pytest.mark.parametrize(
    ("case", "row", "column", "design"),
    [
        ("svy_csat_chisq", "segment", "agegrp", CSAT),
        ("svy_apiclus1_chisq", "sch_wide", "comp_imp", csat.Design(weight="pw", psu="dnum", fpc="fpc")),
    ],
)
def test_cross_tables_of_the_reference_surveys(shared_case, case, row, column, design):
    expected = pd.read_json(shared_case(f"{case}.json"), typ="series")["result"]
    found = est.crosstab(csat.read_survey(pd.read_csv(shared_case(f"{case}.csv")), design=design), row, column)
    chisq_agrees((found.pearson, found.test, found.first_order, found.wald, found.adjusted_wald), expected)
    frame, percent = found.tidy().set_index([row, column]), expected["row_percent"]
    for i, r in enumerate(percent[row]):
        for c in found.columns:
            assert_allclose(frame.loc[(r, c), "estimate"], percent[f"{column}{c}"][i], **EXACT)
            assert_allclose(frame.loc[(r, c), "se"], percent[f"se.{column}{c}"][i], rtol=1e-8, atol=1e-15)


# planning


def test_sample_sizes_of_the_t_test(figures):
    for case in figures["power"]["n"]:
        found = sample_size(
            case["gap"], sd=case["sd"], power=case["power"], level=1 - case["alpha"], against=case["against"]
        )
        assert found.respondents[0] == np.ceil(case["n"])
    many = sample_size(3, sd=21, power=0.9, comparisons=6)
    assert many.respondents[0] == np.ceil(figures["power"]["n"][2]["n"])
    for case in figures["power"]["gap"]:
        found = detectable_gap(case["n"], sd=case["sd"], against=case["against"])
        assert_allclose(found.gap[0], case["gap"], rtol=1e-6)
