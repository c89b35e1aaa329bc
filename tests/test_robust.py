"""Robust inference of structural models: agreement with other roads to the same figure, laws, errors in words."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Design, Replication
from csat.errors import CsatError, DesignIgnoredWarning, OptionError, SampleError
from csat.structural import sem
from csat.structural.comparing.comparison import ComparisonError, compare_models
from csat.structural.comparing.nested import reproduced
from csat.structural.engine.discrepancy import MaximumLikelihood, Sample
from csat.structural.engine.fit import minimise_many
from csat.structural.measures import Statistic
from csat.structural.uncertainty import gamma
from csat.structural.uncertainty.gamma import MomentCovariance, ProductScores, moment_covariance, observed_in
from csat.structural.uncertainty.robust import FewUnitsWarning, ScalingWarning, baseline, doubts_of_design
from csat.structural.uncertainty.scaled import Traces, correction, scaled_measures
from csat.variance import linearised_scores

CFA = "f =~ a + b + c\ng =~ d + e + h"
NAMES = ("a", "b", "c", "d", "e", "h")


def answers(n=400, seed=3):
    """Skewed answers of two constructs, in two branches, 25 halls, weights and a finite population of halls."""
    rng = np.random.default_rng(seed)
    hall = rng.integers(0, 25, n)
    common = np.array([1.0, 0.5])[None] * rng.gamma(2.0, 1.0, (25, 2))[hall] / 2
    latent = rng.exponential(1.0, (n, 2)) @ np.array([[1.0, 0.4], [0.0, 0.9]]) + common
    load = np.kron(np.eye(2), np.array([[1.0, 0.8, 1.2]]))
    frame = pd.DataFrame(latent @ load + rng.normal(0, 0.7, (n, 6)), columns=list(NAMES))
    return frame.assign(
        branch=rng.choice(["x", "y"], n), hall=hall.astype(str), stratum=np.where(hall < 12, "s1", "s2"),
        halls=np.where(hall < 12, 30.0, 60.0), w=rng.gamma(4.0, 0.25, n), clerk=rng.integers(0, 3, n).astype(str),
        clerks=8.0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def data():
    return answers()


def survey(frame, **design):
    return csat.read_survey(frame, design=Design(**design))


def test_the_kernel_gives_the_sums_that_grams_give(rng):
    z = np.column_stack([np.ones(50), rng.normal(2, 1, (50, 3))])
    scores = ProductScores(rng.normal(0, 1, 3), np.eye(3) + 0.1)
    weight = rng.gamma(2, 1, 50)
    assert scores.size == 10 == scores(z, weight).shape[1]
    assert observed_in(scores.size) == 3
    assert_allclose(scores.of_gram((z * weight[:, None]).T @ z), weight @ scores(z, weight), rtol=1e-12)


@pytest.mark.parametrize(
    "design",
    [
        {"psu": "hall"},
        {"psu": "hall", "stratum": "stratum", "weight": "w"},
        {"psu": "hall", "stratum": "stratum", "fpc": "halls"},
        {"psu": "hall", "ssu": "clerk", "fpc": "halls", "fpc2": "clerks", "stratum": "stratum"},
    ],
    ids=["units", "strata", "population", "two stages"],
)
@pytest.mark.parametrize("by", [(), ("branch",)], ids=["one", "groups"])
def test_sums_of_units_give_what_a_pass_over_rows_gives(data, design, by):
    source = survey(data, **design)
    groups = source.groups(list(NAMES), by, "listwise")
    scores = {d: ProductScores(groups.moments(d).mean - groups.midpoint, groups.moments(d).cov) for d in groups.domains}
    rows = linearised_scores(source, groups, scores)
    n, weight = groups.n.sum(), groups.gram[:, 0, 0].sum()
    found = moment_covariance(source, groups)
    assert_allclose(found.joint, rows * n / weight**2, rtol=1e-9, atol=1e-9 * np.abs(found.joint).max())
    saved = moment_covariance(groups, groups)
    assert np.array_equal(saved.joint, found.joint)


def test_a_saved_summary_with_units_is_enough(data):
    source = survey(data, psu="hall", weight="w")
    saved = source.groups([*NAMES], (), "listwise")
    one, other = (sem(each, CFA, estimator="MLR") for each in (source, saved))
    assert np.array_equal(one.vcov, other.vcov)
    assert one.provenance.variance == "robust sandwich, observed information; linearisation"


def test_replicates_of_a_jackknife_give_the_linearised_covariance(data):
    """Score sums are linear in the weights, so that deleting units one by one is the same thing."""
    plain = sem(survey(data, psu="hall", stratum="stratum"), CFA, estimator="MLR")
    jackknife = sem(survey(data, psu="hall", stratum="stratum", replication=Replication("JKn")), CFA, estimator="MLR")
    assert_allclose(jackknife.vcov, plain.vcov, rtol=1e-9)
    assert_allclose(jackknife.robust.scaled.scaling, plain.robust.scaled.scaling, rtol=1e-9)
    assert jackknife.provenance.variance.endswith("replicates: JKn")


@pytest.mark.parametrize("group", [None, "branch"])
def test_standard_errors_against_refits_without_one_unit(data, group):
    """Delete-one-unit jackknife of the estimates: the models are fitted anew, all in one batch."""
    source = survey(data, psu="hall", weight="w")
    options = {} if group is None else {"group": group, "equal": ["loadings", "intercepts"]}
    found = sem(source, CFA, estimator="MLR", **options)
    parts = [data[data["hall"] != hall] for hall in sorted(set(data["hall"]))]
    samples = []
    for g, label in enumerate(found.groups):
        mine = [part if group is None else part[part[group] == label] for part in parts]
        share = np.array([part["w"].sum() for part in mine]) / [part["w"].sum() for part in parts]
        mean = np.array([np.average(part[[*NAMES]], axis=0, weights=part["w"]) for part in mine])
        cov = np.array([np.cov(part[[*NAMES]].T, aweights=part["w"], ddof=0) for part in mine])
        samples.append(Sample(cov, mean, share))
        assert found.samples[g].mean is not None
    start = np.tile(found.optimum.theta, (len(parts), 1))
    refits = minimise_many(found.layout, MaximumLikelihood(tuple(samples)), start)
    assert refits.converged.all()
    jackknife = np.sqrt((len(parts) - 1) / len(parts) * np.square(refits.theta - refits.theta.mean(axis=0)).sum(axis=0))
    ratio = jackknife / np.sqrt(np.diag(found.vcov))
    assert np.abs(ratio - 1).max() < 0.2  # 25 units: the jackknife is more than first-order
    assert abs(np.median(ratio) - 1) < 0.05


def test_weights_of_two_are_rows_twice(data):
    weighted = sem(survey(data.assign(w=np.where(data["branch"] == "x", 2.0, 1.0)), weight="w"), CFA, estimator="MLR")
    doubled = sem(survey(pd.concat([data, data[data["branch"] == "x"]])), CFA, estimator="MLR")
    assert_allclose(weighted.optimum.theta, doubled.optimum.theta, rtol=1e-6, atol=1e-7)
    assert weighted.measures.n == len(data)
    assert doubled.measures.n == len(data) + (data["branch"] == "x").sum()


def test_groups_count_by_weight(data):
    """Equal loadings of two groups lie nearer to the group with more weight, whatever its number of rows."""
    weighted = data.assign(w=np.where(data["branch"] == "x", 3.0, 1.0))
    tripled = pd.concat([data, *[data[data["branch"] == "x"]] * 2])
    options = {"group": "branch", "equal": "loadings"}
    one = sem(survey(weighted, weight="w"), CFA, estimator="MLR", **options)
    other = sem(survey(tripled), CFA, estimator="ML", **options)
    assert_allclose(one.optimum.theta, other.optimum.theta, rtol=1e-6, atol=1e-7)
    assert_allclose(one.measures.srmr, other.measures.srmr, rtol=1e-6)


@pytest.mark.parametrize(
    ("design", "factor"),
    [({"psu": "hall"}, 1.0), ({"psu": "hall", "weight": "w", "stratum": "stratum"}, 1.0), ({"weight": "w"}, 400 / 399)],
)
def test_a_regression_has_the_errors_of_csat_regress(data, design, factor):
    """Without units csat.regress multiplies by n/(n − 1); robust structural models, as lavaan, do not."""
    source = survey(data, **design)
    regression = csat.regress(source, "h", ["a", "b"]).coefficients
    found = sem(source, "h ~ a + b", estimator="MLR").tidy().query("op == '~'")
    assert_allclose(found["estimate"], regression.estimate[1:], rtol=1e-7)
    assert_allclose(found["se"] * np.sqrt(factor), regression.se[1:], rtol=1e-7)


@pytest.mark.parametrize("estimator", ["MLR", "MLM"])
def test_normal_answers_need_no_correction(estimator):
    rng = np.random.default_rng(11)
    latent = rng.normal(0, 1, (40_000, 2)) @ np.array([[1.0, 0.5], [0.0, 0.8]])
    load = np.kron(np.eye(2), np.array([[1.0, 0.8, 1.2]]))
    source = csat.read_survey(pd.DataFrame(latent @ load + rng.normal(0, 1, (40_000, 6)), columns=list(NAMES)))
    plain, robust = sem(source, CFA), sem(source, CFA, estimator=estimator)
    assert np.array_equal(plain.optimum.theta, robust.optimum.theta)
    assert_allclose(robust.robust.scaled.scaling, 1, atol=0.03)
    assert_allclose(np.diag(robust.vcov), np.diag(plain.vcov), rtol=0.05)


def test_the_unit_of_weights_and_of_a_variable_does_not_matter(data):
    one = sem(survey(data, weight="w"), CFA, estimator="MLR")
    other = sem(survey(data.assign(w=100 * data["w"], e=10 * data["e"]), weight="w"), CFA, estimator="MLR")
    assert_allclose(other.robust.scaled.chisq_scaled, one.robust.scaled.chisq_scaled, rtol=1e-7)
    assert_allclose(other.tidy()["statistic"], one.tidy()["statistic"], rtol=1e-5)


def test_equal_labels_and_an_equation_are_the_same_restriction(data):
    source = survey(data, weight="w")
    label = sem(source, "f =~ a + k*b + c\ng =~ d + k*e + h", estimator="MLR")
    equation = sem(source, "f =~ a + k*b + c\ng =~ d + m*e + h\nk == m", estimator="MLR")
    assert_allclose(equation.tidy()["se"], label.tidy()["se"], rtol=1e-6)
    assert_allclose(equation.robust.scaled.chisq_scaled, label.robust.scaled.chisq_scaled, rtol=1e-7)


def test_predictors_taken_from_the_sample_or_estimated_give_the_same_test(data):
    text = f"{CFA}\nf + g ~ w"
    given, random = (sem(survey(data), text, estimator="MLR", fixed_x=fixed) for fixed in (True, False))
    assert given.measures.npar == random.measures.npar - 1
    assert_allclose(given.robust.scaled.chisq_scaled, random.robust.scaled.chisq_scaled, rtol=1e-7)


def test_columns_after_the_plain_ones(data):
    plain, robust = (sem(survey(data), CFA, estimator=estimator).glance() for estimator in ("ML", "MLR"))
    added = [name for name in robust if name not in plain]
    assert added == [
        *("chisq_scaled", "df_scaled", "p_scaled", "scaling", "shift", "baseline_chisq_scaled", "baseline_p_scaled"),
        *("baseline_scaling", "cfi_scaled", "tli_scaled", "rmsea_scaled", "rmsea_low_scaled", "rmsea_high_scaled"),
        *("rmsea_p_scaled", "cfi_robust", "tli_robust", "rmsea_robust", "rmsea_low_robust", "rmsea_high_robust"),
        "rmsea_p_robust",
    ]
    assert list(robust).index("sabic") + 1 == list(robust).index("chisq_scaled")
    assert robust["chisq"][0] == plain["chisq"][0]
    found = sem(survey(data), CFA, estimator="MLR")
    assert repr(found).startswith("Sem (MLR): n = 400, scaled χ²(8) = ")
    assert f"robust CFI = {robust['cfi_robust'][0]:.3f}" in repr(found)


def test_a_saturated_model_has_nothing_to_correct(data):
    found = sem(survey(data), "h ~ a + b", estimator="MLM").robust.scaled
    assert (found.chisq_scaled, found.cfi_robust, found.tli_scaled, found.rmsea_robust) == (0, 1, 1, 0)
    assert np.isnan([found.p_scaled, found.scaling, found.rmsea_p_scaled]).all()


def test_the_design_is_ignored_only_by_plain_estimators(data):
    source = survey(data, weight="w", psu="hall")
    with pytest.warns(DesignIgnoredWarning, match=r"has weights, sampling units.*estimator='MLR' takes the design"):
        plain = sem(source, CFA, means=True)
    assert "estimator='ML'" in plain.notes[0]
    assert sem(source, CFA, estimator="MLR").notes == ()
    assert sem(source, CFA, estimator="MLR").measures.npar == plain.measures.npar
    assert sem(source, CFA, estimator="MLR", means=False).measures.npar == plain.measures.npar - 6


def test_few_units_are_told(data):
    few = data.assign(hall=data["hall"].astype(int).mod(6).astype(str))
    with pytest.warns(FewUnitsWarning, match=r"5 degrees of freedom .* for a χ² of 8: the corrected"):
        found = sem(survey(few, psu="hall"), CFA, estimator="MLR")
    assert "rough" in found.notes[0]


def test_a_correction_that_does_not_exist_is_told(data):
    found = sem(survey(data), CFA, estimator="MLR")
    lost = scaled_measures(Statistic(20.0, 8, 500.0, 15), Traces(-1.0, 15.0), 400, 1)
    assert (lost.df_scaled, np.isnan(lost.chisq_scaled), np.isnan(lost.cfi_robust)) == (8, True, True)
    groups = survey(data).groups([*NAMES], (), "listwise")
    ((kind, text),) = doubts_of_design(replace(found.robust, scaled=lost), groups, 8)
    assert kind is ScalingWarning
    assert "The correction of χ² is not positive" in text


def test_a_baseline_without_a_correction_costs_only_what_is_compared_with_it():
    """Answers that differ much between units, with means in the model."""
    source = survey(answers(4000), psu="hall")
    with pytest.warns(ScalingWarning, match=r"correction of the baseline's χ² is not positive.*estimator='MLM' has"):
        found = sem(source, CFA, estimator="MLR").robust.scaled
    assert np.isnan([found.cfi_robust, found.tli_scaled, found.baseline_chisq_scaled]).all()
    assert np.isfinite([found.chisq_scaled, found.rmsea_robust, found.rmsea_high_scaled]).all()
    assert np.isfinite(sem(source, CFA, estimator="MLM").robust.scaled.cfi_robust)


def test_corrections_of_mean_and_variance():
    """Eigenvalues 1 of UΓ need no correction; equal eigenvalues c divide by c, whichever correction is asked for."""
    for square in (np.nan, 10.0):
        assert correction(10, 10.0, square).of(13.0) == pytest.approx(13.0)
    for square in (np.nan, 40.0):
        assert correction(10, 20.0, square).of(30.0) == pytest.approx(15.0)
    adjusted = correction(10, 12.0, 30.0)
    assert adjusted.of(12.0) == pytest.approx(10.0)  # the expected χ² becomes df


def test_the_baseline_is_the_independence_model(data):
    found = sem(
        survey(data.assign(v=data["w"] + np.arange(400.0) % 7)), f"{CFA}\nf + g ~ w + v", estimator="ML", means=True
    )
    null = baseline(found.layout, found.samples)
    sigma = null.points[0].sigma
    names = list(found.observed)
    x = [names.index("w"), names.index("v")]
    sample = found.samples[0].cov
    assert_allclose(np.diag(sigma), np.diag(sample))
    assert_allclose(sigma[np.ix_(x, x)], sample[np.ix_(x, x)])
    assert np.count_nonzero(sigma) == len(names) + 2
    assert_allclose(null.points[0].mu, found.samples[0].mean)
    assert len(null.layout.names) == 12


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        ("published", {}, SampleError, r"fourth moments are not in a covariance matrix\. Use estimator='ML' here"),
        ("summary", {}, SampleError, r"need the respondents' rows, or the sums of declared sampling units"),
        ("two stages", {}, SampleError, r"need the respondents' rows, or the sums of declared sampling units"),
        ("rows", {"likelihood": "wishart"}, OptionError, r"likelihood='wishart' is for estimator='ML'; MLR takes"),
        ("rows", {"engine": "semopy"}, OptionError, r"second opinion on estimator='ML' only"),
    ],
)
def test_what_robust_inference_cannot_use(data, source, options, error, message):
    rows = survey(data)
    stages = {"psu": "hall", "fpc": "halls", "stratum": "stratum", "fpc2": "many"}
    given = {
        "rows": rows,
        "two stages": survey(data.assign(many=100.0), **stages).groups([*NAMES], (), "listwise"),
        "summary": rows.groups([*NAMES], (), "listwise"),
        "published": csat.from_covariance(data[[*NAMES]].cov(), 400),
    }
    with pytest.raises(error, match=message):
        sem(given[source], CFA, estimator="MLR", **options)


def test_rows_are_not_summed_for_a_model_that_fails(data, monkeypatch):
    def never(*_):
        raise AssertionError("a pass over the rows")

    monkeypatch.setattr(gamma, "row_squares", never)
    with pytest.raises(CsatError, match="not identified"):
        sem(survey(data), "f =~ a + b", estimator="MLR")


# Comparisons of nested models.


@pytest.fixture(scope="module")
def pairs(data):
    """Models from free to restricted: correlated constructs, uncorrelated ones, equal loadings."""
    source, tight = survey(data), "f =~ a + k*b + c\ng =~ d + k*e + h"
    return {
        estimator: (
            sem(source, CFA, estimator=estimator),
            sem(source, tight, estimator=estimator),
            sem(source, tight, estimator=estimator, orthogonal=True),
        )
        for estimator in ("ML", "MLR", "MLM", "MLMV")
    }


def test_plain_differences(pairs):
    free, equal, apart = pairs["ML"]
    found = compare_models(apart, free, equal, names=["apart", "free", "equal"])
    table = found.tidy()
    assert found.method == "plain"
    assert table["model"].tolist() == ["free", "equal", "apart"]
    assert_allclose(table["chisq_diff"][1:], [equal.measures.chisq - free.measures.chisq,
                                              apart.measures.chisq - equal.measures.chisq])  # fmt: skip
    assert table["df_diff"].tolist()[1:] == [1, 1]
    assert_allclose(table["delta_cfi"][2], apart.measures.cfi - equal.measures.cfi)
    assert table["note"].tolist() == ["", "", ""]
    assert table["chisq_scaled"].isna().all()
    best = found.glance().iloc[0]
    assert (best["models"], best["n"], best["method"]) == (3, 400, "plain")
    assert best["bic"] == table.loc[table["bic"].idxmin(), "model"]


@pytest.mark.parametrize("method", ["satorra-bentler-2001", "satorra-bentler-2010", "satorra-2000"])
@pytest.mark.parametrize("estimator", ["MLR", "MLM"])
def test_a_restriction_tested_against_a_saturated_model_is_the_model_test(data, estimator, method):
    """Without restrictions nothing is left to correct but the restricted model's own χ²."""
    source = survey(data)
    large = sem(source, "c ~ a + b\nh ~ a + b\nc ~~ h", estimator=estimator, fixed_x=False)
    small = sem(source, "c ~ a + b\nh ~ a + b\nc ~~ 0*h", estimator=estimator, fixed_x=False)
    assert large.measures.df == 0
    table = compare_models(large, small, method=method).tidy()
    relative = 1e-9 if method != "satorra-2000" else 0.1
    assert_allclose(table["chisq_diff"][1], small.robust.scaled.chisq_scaled, rtol=relative)


def test_the_corrections_of_a_difference_agree_roughly(pairs):
    free, equal, _ = pairs["MLM"]
    found = [
        compare_models(free, equal, method=method, a_matrix=a_matrix).tidy()["chisq_diff"][1]
        for method, a_matrix in (
            ("satorra-bentler-2001", "delta"),
            ("satorra-bentler-2010", "delta"),
            ("satorra-2000", "delta"),
            ("satorra-2000", "exact"),
        )
    ]
    assert_allclose(found, found[0], rtol=0.1)


def test_the_default_correction_of_each_estimator(pairs):
    methods = {estimator: compare_models(*pairs[estimator]).method for estimator in pairs}
    assert methods == {
        "ML": "plain", "MLR": "satorra-bentler-2001", "MLM": "satorra-bentler-2001", "MLMV": "satorra-2000",
    }  # fmt: skip


def test_how_the_larger_model_is_written_does_not_change_a_correction(data):
    source = survey(data)
    small = sem(source, CFA, estimator="MLM", orthogonal=True)
    by_loading, by_variance = sem(source, CFA, estimator="MLM"), sem(source, CFA, estimator="MLM", std_lv=True)
    turned = sem(source, "g =~ h + e + d\nf =~ c + b + a", estimator="MLM")
    found = [
        compare_models(large, small, method="satorra-bentler-2010").tidy()["chisq_diff"][1]
        for large in (by_loading, by_variance, turned)
    ]
    assert_allclose(found, found[0], rtol=1e-6)


def test_the_larger_model_reproduces_what_the_smaller_one_implies(pairs):
    free, equal, apart = pairs["ML"]
    assert_allclose(reproduced(free, apart).points[0].sigma, apart.implied().to_numpy(), atol=1e-6)
    assert reproduced(apart, free) is None
    assert reproduced(free, equal) is not None


def test_models_that_are_not_nested_have_no_test_and_a_note(data):
    source = survey(data)
    crossed = sem(source, "f =~ a + b\ng =~ d + e + h\na ~~ c\nf ~~ c")
    tight = sem(source, "f =~ a + b + c\ng =~ d + k*e + k*h")
    same = sem(source, CFA)
    turned = sem(source, CFA, std_lv=True)
    table = compare_models(crossed, tight).tidy()
    assert np.isnan(table["p"][1])
    assert table["note"][1].startswith("not nested: the larger model cannot reproduce")
    assert np.isfinite(table["aic"]).all()
    table = compare_models(turned, same).tidy()
    assert np.isnan(table["chisq_diff"][1])
    assert table["note"][1] == "the same degrees of freedom: no test"


def test_a_negative_correction_recommends_the_positive_one(pairs):
    free, _, apart = pairs["MLR"]
    shrunk = replace(apart.robust.sandwich, trace=0.5 * free.robust.sandwich.trace)
    robust = replace(apart.robust, sandwich=shrunk)
    table = compare_models(free, replace(apart, robust=robust)).tidy()
    assert table["scaling"][1] < 0
    assert np.isnan(table["p"][1])
    assert table["note"][1] == "the correction is not positive: use method='satorra-bentler-2010'"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda s, d: [sem(s, CFA)], OptionError, r"takes two or more results of csat\.sem"),
        (lambda s, d: [sem(s, CFA), 3], OptionError, r"takes results of csat\.sem; found"),
        (lambda s, d: [sem(s, CFA), sem(s, CFA, estimator="MLR")], ComparisonError, r"estimators 'ML' and 'MLR'"),
        (lambda s, d: [sem(s, CFA), sem(s, "f =~ a + b + c + d")], ComparisonError, r"only one of them has 'e', 'h'"),
        (
            lambda s, d: [sem(s, CFA), sem(s, CFA, group="branch")],
            ComparisonError,
            r"groups \[''\] and \['x', 'y'\]",
        ),
        (
            lambda s, d: [sem(s, CFA), sem(survey(d[:300]), CFA, orthogonal=True)],
            ComparisonError,
            r"400 and 300 respondents\. Use the same survey",
        ),
        (
            lambda s, d: [sem(s, CFA), sem(s, CFA, means=True, orthogonal=True)],
            ComparisonError,
            r"only one of them has intercepts",
        ),
        (
            lambda s, d: [sem(s, "h ~ a + b"), sem(s, "h ~ a + b", fixed_x=False)],
            ComparisonError,
            r"different predictors' moments",
        ),
        (
            lambda s, d: [sem(s, CFA), sem(survey(answers(seed=4)), CFA, orthogonal=True)],
            ComparisonError,
            r"their sample moments differ",
        ),
    ],
)
def test_models_that_cannot_be_compared(data, make, error, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = make(survey(data), data)
    with pytest.raises(error, match=message):
        compare_models(*models)


@pytest.mark.parametrize(
    ("estimator", "options", "message"),
    [
        ("ML", {"method": "satorra-2000"}, r"these models have estimator='ML'\. Estimate them with estimator='MLR'"),
        ("MLR", {"method": "wald"}, r"method='wald' is not known; choose one of 'default'"),
        ("MLR", {"a_matrix": "numeric"}, r"a_matrix='numeric' is not known; choose one of 'delta', 'exact'"),
        ("ML", {"names": ["a", "a", "b"]}, r"names: 3 different names are needed"),
        ("ML", {"names": ["a"]}, r"names: 3 different names are needed"),
    ],
)
def test_options_of_a_comparison(pairs, estimator, options, message):
    with pytest.raises(OptionError, match=message):
        compare_models(*pairs[estimator], **options)


def test_representations_of_a_comparison(pairs):
    found = compare_models(*pairs["MLR"])
    assert repr(found).startswith("Comparison: 3 rows\n")
    assert found._repr_html_().count("<tr") == 4  # heading and three models


def test_moments_of_the_model_without_means(data):
    groups = survey(data).groups([*NAMES], ("branch",), "listwise")
    found = moment_covariance(survey(data), groups)
    shares = [groups.moments(d).n / 400 for d in groups.domains]
    whole, without = found.moments(shares, means=True), found.moments(shares, means=False)
    assert whole.shape == (2, 27, 2, 27)
    assert np.array_equal(whole[:, 6:, :, 6:], without)
    d = data.loc[data["branch"] == "x", [*NAMES]].to_numpy()
    d = d - d.mean(axis=0)
    fourth = np.mean(d[:, 0] ** 2 * d[:, 1] ** 2) - np.mean(d[:, 0] * d[:, 1]) ** 2
    assert without[0, 1, 0, 1] == pytest.approx(fourth / shares[0])  # the covariance of b and a
    assert isinstance(found, MomentCovariance)
    assert np.count_nonzero(whole[0, :, 1]) == 0
