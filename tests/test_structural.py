"""`csat.structural`: laws of covariance structures, doubts about solutions, errors in words."""

import warnings

import numpy as np
import pandas as pd
import pytest

from csat.errors import (
    CollinearityError,
    ConvergenceError,
    DesignIgnoredWarning,
    LatentCovarianceWarning,
    ModelError,
    ModelIdentificationError,
    NegativeVarianceWarning,
    OptionError,
    SampleError,
    StandardizedPathWarning,
    UnknownColumnError,
)
from csat.model import Model
from csat.moments import from_covariance
from csat.structural import sem
from csat.structural.engine.checks import moment_jacobian, proper
from csat.structural.engine.discrepancy import LeastSquares, MaximumLikelihood, Sample, hessian
from csat.structural.engine.fit import minimise, minimise_many
from csat.structural.engine.start import starting_values
from csat.structural.engine.structure import build, evaluate
from csat.structural.guards import DiscriminantValidityWarning

NAMES = ("q1", "q2", "q3", "s1", "s2", "s3", "l1", "l2", "l3")
CFA = "quality =~ q1 + q2 + q3\nsatisfaction =~ s1 + s2 + s3\nloyalty =~ l1 + l2 + l3"
PATHS = CFA + "\nsatisfaction ~ a*quality\nloyalty ~ b*satisfaction + c*quality\nind := a*b\ntotal := c + a*b"
LOADINGS = {"q2": 0.8, "q3": 1.2, "s2": 0.9, "s3": 1.1, "l2": 1.3, "l3": 0.7}


def population():
    """(9, 9) covariance of a chain of three constructs with known parameters."""
    load = np.zeros((9, 3))
    for i, name in enumerate(NAMES):
        load[i, i // 3] = LOADINGS.get(name, 1.0)
    effect = np.linalg.inv(np.eye(3) - np.array([[0, 0, 0], [0.6, 0, 0], [0.2, 0.5, 0]]))
    latent = effect @ np.diag([1.0, 0.5, 0.4]) @ effect.T
    return pd.DataFrame(load @ latent @ load.T + np.diag(np.linspace(0.4, 0.9, 9)), NAMES, NAMES)


def disturbed(size=0.06):
    """A sample-like covariance: the population's with a symmetric disturbance that no parameter explains."""
    noise = size * np.sin(np.arange(81.0)).reshape(9, 9)
    return population() + noise @ noise.T + size * (noise + noise.T)


def fit(cov, model, n=300, **options):
    return sem(from_covariance(cov, n, divisor="n"), model, **options)


def estimates(found):
    frame = found.tidy()
    return dict(zip(frame["lhs"] + frame["op"] + frame["rhs"], frame["estimate"], strict=True))


def test_population_parameters_are_recovered():
    found = fit(population(), PATHS)
    values = estimates(found)
    assert values["satisfaction~quality"] == pytest.approx(0.6, abs=1e-6)
    assert values["loyalty~quality"] == pytest.approx(0.2, abs=1e-6)
    assert values["loyalty=~l2"] == pytest.approx(1.3, abs=1e-6)
    assert values["ind:=a*b"] == pytest.approx(0.3, abs=1e-6)
    assert found.measures.chisq == pytest.approx(0, abs=1e-8)
    assert found.measures.cfi == 1
    assert found.notes == ()


def test_a_saturated_model_reproduces_the_sample():
    cov = disturbed().loc[["q1", "s1", "l1"], ["q1", "s1", "l1"]]
    found = fit(cov, "l1 ~ s1 + q1\ns1 ~ q1", fixed_x=False)
    pd.testing.assert_frame_equal(found.implied().loc[cov.index, cov.columns], cov, rtol=1e-8)
    glance = found.glance().iloc[0]
    assert glance["df"] == 0
    assert glance["chisq"] == pytest.approx(0, abs=1e-9)
    assert np.isnan(glance["p"])
    assert np.isnan(glance["rmsea_p"])
    assert (glance["cfi"], glance["tli"], glance["rmsea"], glance["rmsea_high"]) == (1, 1, 0, 0)
    assert glance["loglik"] == pytest.approx(glance["unrestricted_loglik"])


def test_the_unit_of_an_indicator_moves_only_its_own_parameters():
    cov, unit = disturbed(), pd.Series(1.0, NAMES)
    unit["s2"] = 10.0
    plain, rescaled = fit(cov, PATHS), fit(cov.mul(unit, axis=0).mul(unit, axis=1), PATHS)
    assert rescaled.measures.chisq == pytest.approx(plain.measures.chisq, rel=1e-9)
    assert rescaled.condition == pytest.approx(plain.condition, rel=1e-5)
    expected = plain.tidy().set_index(["lhs", "op", "rhs"])["estimate"].copy()
    expected["satisfaction", "=~", "s2"] *= 10
    expected["s2", "~~", "s2"] *= 100
    np.testing.assert_allclose(rescaled.tidy()["estimate"], expected, rtol=1e-6)
    np.testing.assert_allclose(rescaled.tidy()["std_all"], plain.tidy()["std_all"], rtol=1e-6)


def test_the_order_of_variables_does_not_matter():
    turned = (
        "loyalty =~ l1 + l3 + l2\nquality =~ q1 + q3 + q2\nsatisfaction =~ s1 + s3 + s2\n" + PATHS.split("\n", 3)[3]
    )
    one, other = fit(disturbed(), PATHS), fit(disturbed().loc[::-1, ::-1], turned)
    assert other.measures.chisq == pytest.approx(one.measures.chisq, rel=1e-9)
    left, right = estimates(one), estimates(other)
    assert left.keys() == right.keys()
    np.testing.assert_allclose([right[key] for key in left], list(left.values()), rtol=1e-6)


def test_what_sets_the_unit_of_a_construct_does_not_change_the_fit():
    by_loading, by_variance = fit(disturbed(), CFA), fit(disturbed(), CFA, std_lv=True)
    assert by_variance.measures.chisq == pytest.approx(by_loading.measures.chisq, rel=1e-9)
    loadings = by_variance.tidy().query("op == '=~'")
    np.testing.assert_allclose(loadings["estimate"], loadings["std_lv"], rtol=1e-12)
    np.testing.assert_allclose(loadings["std_all"], by_loading.tidy().query("op == '=~'")["std_all"], rtol=1e-6)


def test_equal_labels_are_one_parameter():
    found = fit(disturbed(), CFA.replace("q2 + q3", "k*q2 + k*q3"))
    values = estimates(found)
    assert values["quality=~q2"] == values["quality=~q3"]
    assert found.measures.npar == fit(disturbed(), CFA).measures.npar - 1
    assert found.parameters.term.count("k") == 1


def test_a_fixed_value_has_no_uncertainty():
    frame = fit(disturbed(), PATHS.replace("c*quality", "0.2*quality").replace("total := c + a*b", "")).tidy()
    row = frame.query("lhs == 'loyalty' and op == '~' and rhs == 'quality'").iloc[0]
    assert (row["estimate"], row["se"], row["low"], row["high"]) == (0.2, 0.0, 0.2, 0.2)
    assert np.isnan(row["p"])


def test_the_wishart_likelihood_gives_the_same_parameters_when_all_moments_scale():
    normal, wishart = fit(disturbed(), CFA, std_lv=True), fit(disturbed(), CFA, std_lv=True, likelihood="wishart")
    ratio = wishart.tidy().query("op == '=~'")["estimate"] / normal.tidy().query("op == '=~'")["estimate"]
    np.testing.assert_allclose(ratio, np.sqrt(300 / 299), rtol=1e-7)
    assert wishart.measures.chisq / normal.measures.chisq == pytest.approx(299 / 300, rel=1e-8)


@pytest.fixture(scope="module")
def engine():
    """Two groups that share loadings and have intercepts, with a label, a covariance and an equation."""
    cov = disturbed().to_numpy()
    model = Model(PATHS.replace("s2 + s3", "k*s2 + m*s3") + "\nq1 ~~ s1\nl1 ~ q3\nk == 2*m - 1")
    rows = model.expand(means=True, groups=2, equal=("loadings", "intercepts"))
    mean = np.linspace(1.0, 2.0, len(cov))
    samples = (Sample(cov, mean, 0.4), Sample(cov * 1.1, mean + 0.2, 0.6))
    layout = build(rows, model.observed, [cov, cov * 1.1], [mean, mean + 0.2], ("a", "b"), model.constraints)
    return layout, samples


def nearby(layout, samples):
    return starting_values(layout, samples) + 0.05 * np.cos(np.arange(len(layout.names)))


FUNCTIONS = {
    "ML": MaximumLikelihood,
    "GLS": lambda samples: LeastSquares(samples, tuple(np.linalg.inv(s.cov) for s in samples)),
    "ULS": lambda samples: LeastSquares(samples, tuple(np.eye(len(s.cov)) for s in samples)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient_against_differences(engine, name):
    layout, samples = engine
    function, theta = FUNCTIONS[name](samples), nearby(layout, samples)
    slope = function.gradient(evaluate(layout, theta))
    for k in range(len(theta)):
        step = np.eye(len(theta))[k] * 1e-6
        up, down = (function.value(evaluate(layout, theta + sign * step)) for sign in (1, -1))
        assert slope[k] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_exact_curvature_against_differences_of_the_gradient(engine, name):
    layout, samples = engine
    function, theta = FUNCTIONS[name](samples), nearby(layout, samples)
    exact = hessian(layout, function, theta)
    steps = 1e-6 * np.eye(len(theta))
    slopes = [
        function.gradient(evaluate(layout, theta + s)) - function.gradient(evaluate(layout, theta - s)) for s in steps
    ]
    np.testing.assert_allclose(exact, np.array(slopes) / 2e-6, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_where_the_model_holds_expected_and_exact_curvature_agree(engine, name):
    layout, samples = engine
    theta = nearby(layout, samples)
    points = evaluate(layout, theta).points
    exactly = tuple(Sample(p.sigma, p.mu, s.share) for p, s in zip(points, samples, strict=True))
    function = FUNCTIONS[name](exactly)
    expected = function.curvature(evaluate(layout, theta))
    np.testing.assert_allclose(hessian(layout, function, theta), expected, rtol=1e-9, atol=1e-10)


def test_curvature_is_the_inner_product_of_the_derivatives():
    cov = disturbed().to_numpy()
    model = Model(PATHS)
    samples = (Sample(cov, None),)
    layout = build(model.expand(), model.observed, [cov], [None])
    state = evaluate(layout, nearby(layout, samples))
    jacobian = moment_jacobian(state)
    np.testing.assert_allclose(
        jacobian.T @ jacobian, MaximumLikelihood(samples).curvature(state), rtol=1e-9, atol=1e-12
    )


def test_many_samples_together_are_each_by_itself(rng):
    model = Model(PATHS)
    covs = np.array([np.cov(rng.multivariate_normal(np.zeros(9), disturbed(), 400).T) for _ in range(7)])
    layout = build(model.expand(), model.observed, [covs[0]], [None])
    alone = [minimise(layout, MaximumLikelihood((Sample(cov, None),)), _start(layout, cov)).theta for cov in covs]
    start = np.array([_start(layout, cov) for cov in covs])
    together = minimise_many(layout, MaximumLikelihood((Sample(covs, None),)), start)
    assert together.converged.all()
    np.testing.assert_allclose(together.theta, alone, atol=1e-5)


def _start(layout, cov):
    return starting_values(layout, (Sample(cov, None),))


def test_delta_errors_of_definitions():
    found = fit(disturbed(), PATHS)
    frame = found.tidy().set_index("label")
    at = {name: i for i, name in enumerate(found.parameters.term)}
    slope = np.zeros(len(at))
    slope[at["a"]], slope[at["b"]] = frame.loc["b", "estimate"], frame.loc["a", "estimate"]
    assert frame.loc["ind", "se"] == pytest.approx(np.sqrt(slope @ found.vcov @ slope), rel=1e-10)


def test_starting_values_are_used_and_do_not_move_the_optimum():
    model, cov = Model(PATHS.replace("a*quality", "a*start(0.9)*quality")), disturbed().to_numpy()
    layout = build(model.expand(), model.observed, [cov], [None])
    assert _start(layout, cov)[layout.names.index("a")] == 0.9
    assert fit(disturbed(), model).measures.chisq == pytest.approx(fit(disturbed(), PATHS).measures.chisq, rel=1e-10)


def test_far_starting_values_reach_the_same_optimum():
    model, cov = Model(PATHS), disturbed().to_numpy()
    layout = build(model.expand(), model.observed, [cov], [None])
    function = MaximumLikelihood((Sample(cov, None),))
    near = minimise(layout, function, _start(layout, cov))
    far = _start(layout, cov) * 3 + 0.4
    assert proper(evaluate(layout, far))
    np.testing.assert_allclose(minimise(layout, function, far).theta, near.theta, atol=1e-6)


def test_an_equation_between_parameters_holds():
    found = fit(disturbed(), CFA.replace("q2 + q3", "a*q2 + b*q3") + "\na == b^2")
    values = found.tidy().set_index("label")["estimate"]
    assert values["a"] == pytest.approx(values["b"] ** 2, rel=1e-9)
    assert found.measures.df == fit(disturbed(), CFA).measures.df + 1
    assert found.measures.chisq > fit(disturbed(), CFA).measures.chisq


def test_equal_by_equation_is_equal_by_label():
    by_label = fit(disturbed(), CFA.replace("q2 + q3", "a*q2 + a*q3"))
    by_equation = fit(disturbed(), CFA.replace("q2 + q3", "a*q2 + b*q3") + "\na == b")
    columns = ["estimate", "se", "std_all"]
    np.testing.assert_allclose(by_equation.tidy()[columns], by_label.tidy()[columns], rtol=1e-6)
    assert by_equation.measures.npar == by_label.measures.npar


@pytest.mark.parametrize("model", [PATHS, CFA.replace("q2 + q3", "k*q2 + k*q3"), "l1 ~ q1 + s1\ns1 ~ q1 + q2"])
def test_semopy_finds_the_same_optimum(model):
    own, peer = fit(disturbed(), model), fit(disturbed(), model, engine="semopy")
    np.testing.assert_allclose(peer.tidy()["estimate"], own.tidy()["estimate"], atol=2e-5)
    np.testing.assert_allclose(peer.tidy()["se"], own.tidy()["se"], rtol=1e-4, atol=1e-12)
    assert peer.measures.chisq == pytest.approx(own.measures.chisq, abs=1e-6)
    assert peer.glance()["engine"].item() == "semopy"


def heywood():
    names = ["a", "b", "c"]
    return pd.DataFrame([[1, 0.8, 0.7], [0.8, 1, 0.2], [0.7, 0.2, 1]], names, names)


def test_semopy_stuck_at_its_bound_says_so():
    with pytest.raises(ConvergenceError, match="keeps variances at or above zero"):
        fit(heywood(), "f =~ a + b + c", engine="semopy")


def test_semopy_has_no_composites():
    with pytest.raises(ModelError, match=r"semopy has no composites \(<~\)"):
        fit(disturbed(), "q <~ 1*q1 + q2\ns1 ~ q\ns2 ~ q", engine="semopy")


def test_a_composite_is_a_weighted_sum_without_residual():
    found = fit(disturbed(), "q <~ 1*q1 + q2\ns1 ~ q\ns2 ~ q")
    weight = estimates(found)["q<~q2"]
    cov = disturbed()
    expected = cov.loc["q1", "q1"] + 2 * weight * cov.loc["q1", "q2"] + weight**2 * cov.loc["q2", "q2"]
    assert found.latent_covariance().loc["q", "q"] == pytest.approx(expected)
    assert found.measures.df == 1


def test_a_negative_variance_is_warned_of_and_noted():
    with pytest.warns(NegativeVarianceWarning, match=r"Negative variance \(Heywood case\) of a \(-1\.8\)"):
        found = fit(heywood(), "f =~ a + b + c")
    assert "Negative variance" in found.notes[0]
    assert "Note: Negative variance" in repr(found)
    assert "Heywood" in found._repr_html_()


def test_constructs_that_correlate_beyond_one():
    names = ["a1", "a2", "b1", "b2"]
    cov = pd.DataFrame(
        [[1, 0.5, 0.6, 0.6], [0.5, 1, 0.6, 0.6], [0.6, 0.6, 1, 0.5], [0.6, 0.6, 0.5, 1]], names, names
    )  # between-construct correlations above within: latent r = 1.2
    with (
        pytest.warns(DiscriminantValidityWarning, match=r"a and b \(1\.200\)"),
        pytest.warns(LatentCovarianceWarning, match="constructs a, b is not positive definite"),
    ):
        fit(cov, "a =~ a1 + a2\nb =~ b1 + b2")


def test_a_standardized_path_beyond_one():
    names = ["y", "x", "z"]
    cov = pd.DataFrame([[1, 0.5, 0.1], [0.5, 1, 0.9], [0.1, 0.9, 1]], names, names)
    with pytest.warns(StandardizedPathWarning, match=r"y ~ x \(2\.16\), y ~ z \(-1\.84\)"):
        fit(cov, "y ~ x + z")


def test_unidentified_models_name_what_is_loose():
    with pytest.raises(ModelIdentificationError, match="quality =~ q1, ") as caught:
        fit(disturbed(), CFA.replace("=~ q1", "=~ NA*q1"))
    message = str(caught.value)
    assert "quality =~ q2" in message
    assert "quality ~~ quality" in message
    assert "loyalty =~ l2" not in message


def test_identification_that_hangs_on_a_correlation():
    """Two indicators per construct: identified by the constructs' correlation, here zero in the sample."""
    names = ["a1", "a2", "b1", "b2"]
    cov = pd.DataFrame(np.kron(np.eye(2), [[1, 0.5], [0.5, 1]]), names, names)
    with pytest.raises(ModelIdentificationError, match="not identified"):
        fit(cov, "a =~ a1 + a2\nb =~ b1 + b2")
    cov.iloc[:2, 2:] = cov.iloc[2:, :2] = 0.2
    assert fit(cov, "a =~ a1 + a2\nb =~ b1 + b2").measures.df == 1


def test_too_few_respondents():
    with pytest.raises(SampleError, match="9 observed variables needs at least 10 complete answers; 9 found"):
        fit(disturbed(), CFA, n=9)


def test_a_variable_without_variation():
    cov = disturbed()
    cov.loc["q2"] = cov.loc[:, "q2"] = 0.0
    with pytest.raises(SampleError, match="No variation in 'q2'"):
        fit(cov, CFA)


def test_a_variable_that_repeats_others():
    cov = disturbed()
    mix = np.eye(9)
    mix[2] = mix[0] + mix[1]  # q3 becomes the sum of q1 and q2
    cov = pd.DataFrame(mix @ cov.to_numpy() @ mix.T, NAMES, NAMES)
    with pytest.raises(CollinearityError, match=r"'q\d' is an exact linear combination of 'q\d', 'q\d'\."):
        fit(cov, CFA)


def test_an_unknown_variable_suggests_names_and_constructs():
    with pytest.raises(UnknownColumnError, match=r"No column 'q33' in .*'q3'.*constructs are 'quality'"):
        fit(disturbed(), "quality =~ q1 + q2 + q33")
    with pytest.raises(UnknownColumnError, match=r"No column 'qualty'.*constructs are 'quality'"):
        fit(disturbed(), "quality =~ q1 + q2 + q3\nl1 ~ qualty")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": "PLS"}, "estimator='PLS' is not known; choose one of 'ML'"),
        ({"likelihood": "gamma"}, "likelihood='gamma' is not known; choose one of 'normal', 'wishart'"),
        ({"engine": "lisrel"}, "engine='lisrel' is not known; choose one of 'csat', 'semopy'"),
        ({"level": 95}, "level=95: the confidence level lies between 0 and 1"),
    ],
)
def test_options_outside_what_is_known(options, message):
    with pytest.raises(OptionError, match=message):
        fit(disturbed(), CFA, **options)
    with pytest.raises(OptionError, match="kind='nox' is not known"):
        fit(disturbed(), CFA).standardized("nox")
    with pytest.raises(OptionError, match="kind='z' is not known"):
        fit(disturbed(), CFA).residuals("z")


def test_intercepts_need_means():
    with pytest.raises(SampleError, match=r"Intercepts need means: give from_covariance\(…, mean=…\)"):
        fit(disturbed(), CFA + "\nq1 ~ 1")


def test_starting_values_that_contradict_each_other():
    with pytest.raises(ModelError, match="starting values imply a covariance matrix that is not positive definite"):
        fit(disturbed(), CFA + "\nq1 ~~ start(50)*q2")


def test_the_level_sets_the_intervals():
    wide, narrow = (fit(disturbed(), CFA, level=level).tidy() for level in (0.99, 0.5))
    free = wide["se"] > 0
    ratio = ((wide["high"] - wide["low"]) / (narrow["high"] - narrow["low"]))[free]
    np.testing.assert_allclose(ratio, 2.5758293035489 / 0.6744897501960817, rtol=1e-10)


def test_a_weighted_sample_is_said_to_be_treated_as_a_simple_one():
    groups = from_covariance(disturbed(), 300, divisor="n")
    weighted = type(groups)(
        **{name: getattr(groups, name) for name in groups.__dataclass_fields__} | {"gram": 2.5 * groups.gram}
    )
    with pytest.warns(DesignIgnoredWarning, match="The sample has weights; standard errors") as raised:
        found = sem(weighted, CFA)
    assert len(raised) == 1
    assert found.notes[0] == str(raised[0].message)
    plain = fit(disturbed(), CFA)
    pd.testing.assert_frame_equal(found.tidy(), plain.tidy(), rtol=1e-8)


def test_the_result_shows_itself():
    found = fit(disturbed(), PATHS)
    assert repr(found) == repr(fit(disturbed(), PATHS))
    assert repr(found).startswith("Sem: n = 300, χ²(24) = ")
    assert found._repr_html_().startswith("<p>Sem: n = 300, χ²(24) = ")
    assert list(found.tidy().columns) == [
        "lhs", "op", "rhs", "group", "label", "estimate", "se", "statistic", "p", "low", "high", "std_all", "std_lv",
    ]  # fmt: skip
    assert found.glance().shape[0] == 1
    assert found.provenance.variance == "expected information"
    pd.testing.assert_frame_equal(found.residuals(), disturbed().loc[NAMES, NAMES] - found.implied())


def test_a_sound_solution_raises_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fit(disturbed(), PATHS).notes == ()
