"""Reliability of scales: laws, agreement of methods, designs, what is asked wrongly."""

import warnings

import numpy as np
import pandas as pd
import pytest

import csat
from csat.consistency import alpha, composite_reliability, heterotrait_ratio, variance_extracted
from csat.errors import DesignIgnoredWarning, SampleError
from csat.measurement import LIMITS, FactorModelWarning, ImproperFactorsWarning, ReversedItemWarning
from csat.measurement.factors import FactorModel
from csat.measurement.figures import Figures
from csat.measurement.scales import Scales
from csat.measurement.sums import by_gram, covariances

SCALES = {"quality": ["q1", "q2", "q3", "q4"], "value": ["v1", "v2"], "loyalty": ["l1", "l2", "l3"]}
ITEMS = [item for items in SCALES.values() for item in items]
LOADINGS = np.array([0.8, 0.7, 0.75, 0.6, 0.8, 0.7, 0.7, 0.65, 0.8])
OWNER = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])
PHI = np.array([[1.0, 0.5, 0.4], [0.5, 1.0, 0.3], [0.4, 0.3, 1.0]])
POPULATION = pd.DataFrame(
    np.outer(LOADINGS, LOADINGS) * PHI[np.ix_(OWNER, OWNER)] + np.diag(1 - LOADINGS**2), ITEMS, ITEMS
)


def answers(n=400, seed=7):
    rng = np.random.default_rng(seed)
    y = rng.multivariate_normal(np.zeros(9), POPULATION, n) * 2 + 6
    frame = pd.DataFrame(np.clip(np.round(y), 1, 10), columns=ITEMS)
    return frame.assign(city=np.repeat(["a", "b"], [n // 2, n - n // 2]), hall=[f"h{i // 10}" for i in range(n)])


@pytest.fixture(scope="module")
def frame():
    return answers()


@pytest.fixture(scope="module")
def found(frame):
    return csat.reliability(csat.read_survey(frame), SCALES)


def figure(result, term, measure):
    tidy = result.tidy()
    return tidy[(tidy["term"] == term) & (tidy["measure"] == measure)].iloc[0]


def equal_items(k, r):
    return pd.DataFrame(
        np.full((k, k), r) + (1 - r) * np.eye(k), [f"x{i}" for i in range(k)], [f"x{i}" for i in range(k)]
    )


# laws


@pytest.mark.parametrize(("k", "r"), [(2, 0.5), (3, 0.3), (8, 0.6)])
def test_alpha_of_parallel_items_is_spearman_brown(k, r):
    """All coefficients are the same for parallel items: k·r / (1 + (k − 1)·r); Spearman (1910), Brown (1910)."""
    result = csat.reliability(csat.from_covariance(equal_items(k, r), 200), {"f": [f"x{i}" for i in range(k)]})
    row = result.constructs().iloc[0]
    for name in ("alpha", "alpha_std", "omega", "omega_model", "rho_c"):
        assert row[name] == pytest.approx(k * r / (1 + (k - 1) * r), abs=1e-9)
    assert row["ave"] == pytest.approx(r, abs=1e-8)
    np.testing.assert_allclose(result.items()["loading"], np.sqrt(r), atol=1e-8)


def test_population_figures():
    """Of the model that made the covariances: its own loadings, correlations, CR and AVE."""
    result = csat.reliability(csat.from_covariance(POPULATION, 500), SCALES)
    constructs, items, pairs = result.constructs(), result.items(), result.discriminant()
    np.testing.assert_allclose(items["loading"], LOADINGS, atol=1e-7)
    np.testing.assert_allclose(pairs["correlation"], [0.5, 0.4, 0.3], atol=1e-7)
    for c in range(3):
        own = LOADINGS[c == OWNER]
        assert constructs["rho_c"][c] == pytest.approx(own.sum() ** 2 / (own.sum() ** 2 + (1 - own**2).sum()), abs=1e-7)
        assert constructs["ave"][c] == pytest.approx((own**2).mean(), abs=1e-7)
    np.testing.assert_allclose(pairs["shared"], pairs["correlation"] ** 2)
    assert pairs["ave_least"][0] == pytest.approx(constructs["ave"][:2].min())


def test_htmt2_is_the_correlation_of_congeneric_scales_and_htmt_that_of_tau_equivalent_ones():
    pairs = csat.reliability(csat.from_covariance(POPULATION, 500), SCALES).discriminant()
    np.testing.assert_allclose(pairs["htmt2"], [0.5, 0.4, 0.3], atol=1e-12)
    loading = np.array([0.8] * 3 + [0.6] * 3)
    corr = np.outer(loading, loading) * np.kron(np.array([[1, 0.5], [0.5, 1]]), np.ones((3, 3)))
    np.fill_diagonal(corr, 1)
    assert heterotrait_ratio(corr, range(3), range(3, 6)) == pytest.approx(0.5)


def test_alpha_is_at_most_omega_of_congeneric_items():
    """Novick & Lewis (1967): equality for tau-equivalent items only; shown at the population."""
    row = csat.reliability(csat.from_covariance(POPULATION, 500), SCALES).constructs()
    assert (row["alpha"][[0, 2]] < row["omega"][[0, 2]]).all()


def test_alpha_without_is_alpha_of_the_others(found, frame):
    cov = frame[SCALES["quality"]].cov()
    for item in SCALES["quality"]:
        rest = [other for other in SCALES["quality"] if other != item]
        assert figure(found, item, "alpha_without")["estimate"] == pytest.approx(alpha(cov.loc[rest, rest].to_numpy()))
        total = frame[rest].sum(axis=1)
        assert figure(found, item, "item_rest")["estimate"] == pytest.approx(frame[item].corr(total))


def test_two_items_are_spearman_brown_and_said_so(found, frame):
    r = frame["v1"].corr(frame["v2"])
    assert figure(found, "value", "alpha_std")["estimate"] == pytest.approx(2 * r / (1 + r))
    assert "Two items only: value" in " ".join(found.notes)
    alone = csat.reliability(csat.read_survey(frame), {"value": SCALES["value"]})
    assert alone.constructs()["omega"][0] == pytest.approx(alone.constructs()["alpha"][0], abs=1e-8)


def test_figures_do_not_depend_on_the_unit_of_the_sum(found, frame):
    """Weights twice as large are the same sample; a weight of 2 is the same row twice."""
    twice = frame.loc[np.repeat(frame.index, np.where(frame.index < 100, 2, 1))].reset_index(drop=True)
    weighted = frame.assign(w=np.where(frame.index < 100, 2.0, 1.0))
    ours = csat.reliability(csat.read_survey(weighted, design=csat.Design(weight="w")), SCALES)
    theirs = csat.reliability(csat.read_survey(twice), SCALES)
    np.testing.assert_allclose(ours.estimates.estimate, theirs.estimates.estimate, atol=1e-8)
    doubled = csat.reliability(csat.read_survey(frame.assign(w=2.0), design=csat.Design(weight="w")), SCALES)
    np.testing.assert_allclose(doubled.estimates.se, found.estimates.se, rtol=1e-6)


def test_twice_the_rows_halve_the_variance(found, frame):
    twice = csat.reliability(csat.read_survey(pd.concat([frame, frame], ignore_index=True)), SCALES)
    known = np.isfinite(found.estimates.se)
    np.testing.assert_allclose(twice.estimates.se[known], found.estimates.se[known] / np.sqrt(2), rtol=2e-3)


# kernels


@pytest.mark.parametrize("joint", [True, False])
def test_slopes_are_those_of_refits(joint):
    figures = Figures(FactorModel(Scales(tuple(SCALES), tuple(map(tuple, SCALES.values()))), joint))
    cov = answers()[ITEMS].cov().to_numpy()
    rng = np.random.default_rng(3)
    step = rng.standard_normal(cov.shape)
    step = 1e-5 * (step + step.T)
    slopes = figures.slopes(cov, figures.model.fit(cov, 400))
    up, down = (figures.at(cov + sign * step, figures.model.fit(cov + sign * step, 400)) for sign in (1, -1))
    known = np.isfinite(up)
    np.testing.assert_allclose(np.einsum("qij,ij->q", slopes, step)[known], ((up - down) / 2)[known], atol=1e-11)


@pytest.mark.parametrize("rule", ["listwise", "available"])
def test_slopes_by_sums_are_those_of_finite_differences(rule, rng):
    y = rng.standard_normal((40, 3)) + 1
    m = np.where(rng.random(y.shape) < 0.2, 0.0, 1.0) if rule == "available" else np.ones_like(y)
    z = np.column_stack([np.ones(40), m, m * y] if rule == "available" else [np.ones(40), y])
    gram = z.T @ z
    slopes = np.eye(3)[:, :, None] * np.eye(3)[:, None] + 0.3
    move = 1e-6 * z[:5].T @ z[:5]
    change = (covariances(gram + move, rule) - covariances(gram - move, rule)) / 2
    ours = np.einsum("qij,ij->q", by_gram(slopes, gram, rule), move)
    np.testing.assert_allclose(ours, np.einsum("qij,ij->q", slopes, change), atol=1e-12)
    np.testing.assert_allclose(np.einsum("qij,ij->q", by_gram(slopes, gram, rule), gram), 0, atol=1e-12)


def test_kernels_take_leading_axes():
    cov = np.stack([POPULATION.to_numpy(), 2 * POPULATION.to_numpy()])
    np.testing.assert_allclose(alpha(cov), alpha(cov[0]))
    np.testing.assert_allclose(composite_reliability(np.stack([LOADINGS] * 2)), composite_reliability(LOADINGS))
    np.testing.assert_allclose(variance_extracted(np.stack([LOADINGS] * 2)), (LOADINGS**2).mean())
    assert heterotrait_ratio(np.eye(4), [0, 1], [2, 3]) == np.inf


# how sure


def test_normal_errors_of_alpha_are_those_of_van_zyl_neudecker_and_nel():
    """Their closed form, Psychometrika 65(3), 271–280: Q = 2k²/(k−1)²/(jVj)³·[jVj(tr V² + tr²V) − 2 tr V·jV²j]."""
    v = POPULATION.loc[SCALES["quality"], SCALES["quality"]].to_numpy()
    j, k, n = np.ones(4), 4, 300
    whole, own = j @ v @ j, np.trace(v)
    q = 2 * k**2 / (k - 1) ** 2 / whole**3 * (whole * (np.trace(v @ v) + own**2) - 2 * own * (j @ v @ v @ j))
    result = csat.reliability(csat.from_covariance(POPULATION, n), SCALES)
    assert figure(result, "quality", "alpha")["se"] == pytest.approx(np.sqrt(q / n), rel=1e-9)


def test_linearisation_is_distribution_free_for_a_simple_random_sample(found, frame):
    """Maydeu-Olivares, Coffman & Hartmann (2007): 1/n times the variance of the influences; ours divides by n − 1."""
    x = frame[SCALES["quality"]].to_numpy()
    centred = x - x.mean(axis=0)
    cov, k, n = centred.T @ centred / len(x), 4, len(x)
    whole, own = cov.sum(), np.trace(cov)
    influence = (
        k / (k - 1) * (own / whole**2 * (centred.sum(axis=1) ** 2 - whole) - ((centred**2).sum(axis=1) - own) / whole)
    )
    assert figure(found, "quality", "alpha")["se"] == pytest.approx(np.sqrt(influence.var(ddof=1) / n), rel=1e-9)


def test_errors_of_loadings_and_correlations_are_those_of_a_robust_structural_model(found, frame):
    """`csat.sem` with MLR, itself checked against lavaan; its sandwich divides by n, linearisation by n − 1."""
    text = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in SCALES.items())
    other = csat.sem(csat.read_survey(frame), text, estimator="MLR").standardized("all")
    loadings = other[other["op"] == "=~"].set_index("rhs")
    ours = found.items().set_index("term")
    np.testing.assert_allclose(ours["loading"], loadings.loc[ours.index, "estimate"], atol=1e-6)
    np.testing.assert_allclose(ours["loading_se"], loadings.loc[ours.index, "se"] * np.sqrt(400 / 399), rtol=1e-4)
    pairs = other[(other["op"] == "~~") & (other["lhs"] != other["rhs"])].set_index(["lhs", "rhs"])
    for row in found.discriminant().itertuples():
        assert row.correlation_se == pytest.approx(
            pairs.loc[(row.scale, row.other), "se"] * np.sqrt(400 / 399), rel=1e-4
        )


def test_errors_of_a_clustered_weighted_sample_are_those_of_a_robust_structural_model(frame):
    text = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in SCALES.items())
    weighted = frame.assign(w=np.where(frame.index % 3, 1.0, 2.0))
    survey = csat.read_survey(weighted, design=csat.Design(weight="w", stratum="city", psu="hall"))
    other = csat.sem(survey, text, estimator="MLR").standardized("all")
    loadings = other[other["op"] == "=~"].set_index("rhs")
    ours = csat.reliability(survey, SCALES).items().set_index("term")
    np.testing.assert_allclose(ours["loading"], loadings.loc[ours.index, "estimate"], atol=1e-6)
    np.testing.assert_allclose(ours["loading_se"], loadings.loc[ours.index, "se"], rtol=1e-3)


def test_a_normal_model_that_fits_has_the_errors_of_expected_information():
    text = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in SCALES.items())
    source = csat.from_covariance(POPULATION, 400, divisor="n")
    other = csat.sem(source, text).standardized("all")
    loadings = other[other["op"] == "=~"].set_index("rhs")
    ours = csat.reliability(source, SCALES).items().set_index("term")
    np.testing.assert_allclose(ours["loading_se"], loadings.loc[ours.index, "se"], rtol=1e-5)


def test_bootstrap_agrees_with_linearisation(found, frame):
    drawn = csat.reliability(csat.read_survey(frame), SCALES, se="bootstrap", replicates=600, seed=3)
    measures = {"alpha", "alpha_std", "omega", "rho_c", "ave", "item_rest", "loading", "htmt", "correlation"}
    at = found.tidy()["measure"].isin(measures).to_numpy()
    ratio = drawn.estimates.se[at] / found.estimates.se[at]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.05)
    assert ((ratio > 0.85) & (ratio < 1.2)).all()
    low, high = (np.asarray(end)[at] for end in drawn.estimates.interval)
    ours = [np.asarray(end)[at] for end in found.estimates.interval]
    np.testing.assert_allclose(low, ours[0], atol=0.05)
    np.testing.assert_allclose(high, ours[1], atol=0.05)
    assert drawn.glance()["variance"][0] == "bootstrap of respondents, 600 replicates"
    again = csat.reliability(csat.read_survey(frame), SCALES, se="bootstrap", replicates=600, seed=3)
    assert np.array_equal(again.estimates.se, drawn.estimates.se, equal_nan=True)


def test_jackknife_of_sampling_units_agrees_with_linearisation(frame):
    design = csat.Design(stratum="city", psu="hall")
    linear = csat.reliability(csat.read_survey(frame, design=design), SCALES)
    jackknife = csat.reliability(
        csat.read_survey(frame, design=csat.Design(stratum="city", psu="hall", replication=csat.Replication("JKn"))),
        SCALES,
    )
    known = np.isfinite(linear.estimates.se) & (linear.tidy()["measure"] != "htmt2").to_numpy()
    np.testing.assert_allclose(jackknife.estimates.se[known], linear.estimates.se[known], rtol=0.15)
    assert linear.estimates.df[0] == jackknife.estimates.df[0] == 38
    assert jackknife.glance()["variance"][0].startswith("refits on replicates: JKn")


def test_a_summary_with_units_gives_the_same_as_its_rows(frame):
    survey = csat.read_survey(frame, design=csat.Design(psu="hall"))
    summary = survey.groups(ITEMS, ["city"], "listwise")
    ours, theirs = csat.reliability(summary, SCALES, by="city"), csat.reliability(survey, SCALES, by="city")
    np.testing.assert_allclose(ours.estimates.vcov, theirs.estimates.vcov, atol=1e-14)


def test_groups_are_those_of_the_parts(frame):
    both = csat.reliability(csat.read_survey(frame), SCALES, by="city")
    alone = csat.reliability(csat.read_survey(frame[frame["city"] == "b"].reset_index(drop=True)), SCALES)
    ours = both.constructs()
    ours = ours[ours["city"] == "b"].reset_index(drop=True)
    for name in ("alpha", "omega", "ave"):
        np.testing.assert_allclose(ours[name], alone.constructs()[name], atol=1e-7)
        np.testing.assert_allclose(ours[f"{name}_se"], alone.constructs()[f"{name}_se"], rtol=0.02)
    assert both.sizes == (200, 200)
    contrast = np.zeros((1, len(both.estimates.term)))
    size = contrast.shape[1] // 2
    contrast[0, 0], contrast[0, size] = -1, 1
    difference = both.estimates.contrast(contrast, ["alpha b − a"])
    assert difference.se[0] == pytest.approx(np.hypot(both.estimates.se[0], both.estimates.se[size]), rel=1e-6)


def test_intervals(found):
    tidy = found.tidy().dropna(subset="se")
    assert (tidy["low"] < tidy["estimate"]).all()
    assert (tidy["high"] > tidy["estimate"]).all()
    bounded = tidy[tidy["measure"].isin(["alpha", "omega", "rho_c", "ave", "item_rest"])]
    assert (bounded["high"] < 1).all()


def test_a_delta_interval_is_straight(frame):
    straight = csat.reliability(csat.read_survey(frame), SCALES, interval="delta", level=0.9)
    row = figure(straight, "quality", "alpha")
    assert row["high"] - row["estimate"] == pytest.approx(row["estimate"] - row["low"])
    assert (row["high"] - row["low"]) / row["se"] == pytest.approx(2 * 1.6487, abs=1e-3)


# missing answers


def test_gaps(frame):
    holes = frame.copy()
    holes.loc[:49, "q1"] = np.nan
    holes.loc[30:89, "l2"] = np.nan
    survey = csat.read_survey(holes)
    complete = csat.reliability(survey, SCALES)
    assert complete.sizes == (310,)
    assert complete.left_out == 90
    pairwise = csat.reliability(survey, SCALES, missing="pairwise")
    quality = holes[SCALES["quality"]]
    pairs = quality.notna().astype(int).T @ quality.notna().astype(int)
    theirs = quality.cov() * (pairs - 1) / pairs  # pandas divides by n − 1 of each pair, around the means over the pair
    assert figure(pairwise, "quality", "alpha")["estimate"] == pytest.approx(alpha(theirs.to_numpy()), abs=1e-12)
    assert figure(pairwise, "quality", "alpha")["se"] < figure(complete, "quality", "alpha")["se"]
    missing = complete.items().set_index("term")["missing"]
    assert missing["q1"] == pytest.approx(50 / 400)
    assert missing["v1"] == 0
    assert complete.items().set_index("term").loc["q1", "mean"] == pytest.approx(holes["q1"].mean())


def test_pairwise_is_listwise_without_gaps(found, frame):
    pairwise = csat.reliability(csat.read_survey(frame), SCALES, missing="pairwise")
    np.testing.assert_allclose(pairwise.estimates.estimate, found.estimates.estimate, atol=1e-9)
    np.testing.assert_allclose(pairwise.estimates.se, found.estimates.se, rtol=1e-6)
    assert pairwise.glance()["sample"][0] == "pairwise"


# what is a scale


def test_scales_of_a_model(frame):
    model = csat.Model("quality =~ q1 + q2 + q3 + q4\nvalue <~ v1 + v2\nloyalty =~ l1 + l2 + l3\nloyalty ~ quality")
    result = csat.reliability(csat.read_survey(frame), model)
    assert result.scales.names == ("quality", "loyalty")
    assert any("composed (<~)" in note and "value" in note for note in result.notes)


def test_scales_of_the_questionnaire(study):
    asked = study(
        """
[study]
name = "s"
index = "all"
[scales.ten]
low = 1
high = 10
"""
        + "".join(f'[items.{item}]\nscale = "ten"\nen = "{item}"\n' for item in ITEMS)
        + '[dimensions.all]\nen = "All"\nchildren = ["quality", "other"]\n'
        + '[dimensions.quality]\nen = "Quality"\nchildren = ["q1", "q2", "q3", "q4"]\n'
        + '[dimensions.other]\nen = "Other"\nchildren = ["value", "loyalty"]\n'
        + '[dimensions.value]\nen = "Value"\nchildren = ["v1", "v2"]\n'
        + '[dimensions.loyalty]\nen = "Loyalty"\nchildren = ["l1", "l2", "l3"]\n'
    )
    result = csat.reliability(csat.read_survey(answers()[ITEMS], asked))
    assert dict(zip(result.scales.names, map(list, result.scales.members), strict=True)) == SCALES


def test_a_single_item_has_no_reliability(frame):
    result = csat.reliability(
        csat.read_survey(frame), {"quality": ["q1", "q2", "q3"], "one": "v1", "l": ["l1", "l2", "l3"]}
    )
    row = result.constructs().set_index("scale").loc["one"]
    assert np.isnan(row["alpha"])
    assert row["note"] == "too few items in the scale for this figure"
    assert len(result.discriminant()) == 1
    assert any("A single item: one" in note for note in result.notes)


def test_separate_models_are_those_of_each_scale_alone(frame):
    survey = csat.read_survey(frame)
    apart = csat.reliability(survey, SCALES, factors="separate")
    for name, items in SCALES.items():
        alone = csat.reliability(survey, {name: items})
        ours, theirs = (x.constructs().set_index("scale").loc[name] for x in (apart, alone))
        for measure in ("omega", "rho_c", "ave"):
            assert ours[measure] == pytest.approx(theirs[measure], abs=1e-7)
            assert ours[f"{measure}_se"] == pytest.approx(theirs[f"{measure}_se"], rel=1e-4)
    assert "correlation" not in apart.discriminant()
    assert apart.discriminant()["shared"].isna().all()


# doubts


def test_a_reversed_item_is_named(frame):
    turned = frame.assign(q3=11 - frame["q3"])
    with pytest.warns(
        ReversedItemWarning, match="scale 'quality' correlate negatively: .* q3 seems to run the other way"
    ):
        result = csat.reliability(csat.read_survey(turned), SCALES)
    assert any("q3 seems" in note for note in result.notes)
    with pytest.warns(ReversedItemWarning, match="v1 and v2 correlate -0.* One of them may be worded the other way"):
        csat.reliability(
            csat.read_survey(frame.assign(v2=11 - frame["v2"])), {"value": ["v1", "v2"], "q": ["q1", "q2", "q3"]}
        )


def test_htmt_does_not_mind_the_direction_of_an_item(frame, found):
    with pytest.warns(ReversedItemWarning):
        turned = csat.reliability(csat.read_survey(frame.assign(q3=11 - frame["q3"])), SCALES)
    for measure in ("htmt", "htmt2"):
        np.testing.assert_allclose(turned.discriminant()[measure], found.discriminant()[measure], atol=1e-12)
        np.testing.assert_allclose(
            turned.discriminant()[f"{measure}_se"], found.discriminant()[f"{measure}_se"], rtol=1e-8
        )


def test_a_factor_model_without_a_solution(frame):
    copy = frame.assign(q2=frame["q1"])
    with pytest.warns(FactorModelWarning, match="has no solution: too few answers, items that repeat each other"):
        result = csat.reliability(csat.read_survey(copy), SCALES)
    row = result.constructs().iloc[0]
    assert np.isfinite(row["alpha_se"])
    assert np.isnan(row["omega"])
    assert row["note"] == "the factor model of the scales has no solution here"


def test_improper_solutions_are_said():
    near = equal_items(4, 0.3)
    near.iloc[:2, 2:] = near.iloc[2:, :2] = 0.45
    with pytest.warns(ImproperFactorsWarning, match="Scales 'a' and 'b' correlate beyond 1 \\(1.500\\)"):
        csat.reliability(csat.from_covariance(near, 300), {"a": ["x0", "x1"], "b": ["x2", "x3"]})
    heywood = pd.DataFrame([[1, 0.8, 0.7], [0.8, 1, 0.4], [0.7, 0.4, 1.0]], list("abc"), list("abc"))
    with pytest.warns(ImproperFactorsWarning, match="Heywood case\\) of a: .* Leave the item out, or use factors"):
        csat.reliability(csat.from_covariance(heywood, 300), {"f": list("abc")})
    with pytest.warns(ImproperFactorsWarning, match="Leave the item out\\.$"):
        csat.reliability(csat.from_covariance(heywood, 300), {"f": list("abc")}, factors="separate")
    signs = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    items = [f"{name}{i}" for name in "abc" for i in (1, 2, 3)]
    cov = 0.2 * np.kron(signs, np.ones((3, 3)))
    np.fill_diagonal(cov, 1.0)
    with pytest.warns(ImproperFactorsWarning, match="are not possible together: they contradict each other"):
        scales = {name: [item for item in items if item[0] == name] for name in "abc"}
        csat.reliability(csat.from_covariance(pd.DataFrame(cov, items, items), 300), scales)


def test_groups_that_cannot_be_analysed(frame):
    small = frame.assign(city=np.where(frame.index < 1, "c", frame["city"]))
    small.loc[small["city"] == "b", "v1"] = 5
    with pytest.warns(FactorModelWarning, match="no solution in group 'b': too few answers, items that"):
        result = csat.reliability(csat.read_survey(small), SCALES, by="city")
    table = result.constructs()
    notes = table[table["scale"] == "value"].set_index("city")["note"]
    assert notes.to_dict() == {"a": "", "b": "a variable does not vary here", "c": "only one valid answer: no variance"}


def test_a_group_without_a_complete_answer(frame):
    holes = frame.assign(q1=frame["q1"].where(frame["city"] == "b"))
    for options in ({}, {"se": "bootstrap", "replicates": 60}):
        result = csat.reliability(csat.read_survey(holes), SCALES, by="city", **options)
        rows = result.constructs().set_index(["city", "scale"])
        assert rows.loc[("a", "quality"), "note"] == "no valid answers"
        assert np.isfinite(rows.loc[("b", "quality"), ["alpha_se", "omega_low"]].astype(float)).all()


def test_given_replicate_weights(frame):
    """Draws of respondents as weights: the same variance as linearisation, and quantiles on request."""
    rng = np.random.default_rng(2)
    names = [f"r{i}" for i in range(300)]
    weights = pd.DataFrame(rng.multinomial(400, np.full(400, 1 / 400), 300).T.astype(float), columns=names)
    design = csat.Design(weight="w", replicates=tuple(names), replication=csat.Replication("bootstrap"))
    survey = csat.read_survey(pd.concat([frame.assign(w=1.0), weights], axis=1), design=design)
    given, linear = csat.reliability(survey, SCALES), csat.reliability(csat.read_survey(frame), SCALES)
    row = [figure(result, "quality", "omega")["se"] for result in (given, linear)]
    assert row[0] == pytest.approx(row[1], rel=0.15)
    assert given.glance()["variance"][0] == "refits on replicates: bootstrap, 300 replicates"
    drawn = csat.reliability(survey, SCALES, se="bootstrap")
    np.testing.assert_array_equal(drawn.estimates.se, given.estimates.se)
    assert figure(drawn, "quality", "omega")["low"] == pytest.approx(figure(given, "quality", "omega")["low"], abs=0.02)


def test_two_items_that_are_the_same_are_perfectly_reliable(frame):
    with pytest.warns(FactorModelWarning):
        result = csat.reliability(csat.read_survey(frame.assign(q2=frame["q1"])), {"q": ["q1", "q2"]})
    row = figure(result, "q", "alpha")
    assert row["estimate"] == pytest.approx(1.0)
    assert row["se"] == 0


def test_normal_errors_of_a_weighted_sample_warn(frame):
    survey = csat.read_survey(frame.assign(w=np.where(frame.index % 2, 1.0, 3.0)), design=csat.Design(weight="w"))
    with pytest.warns(DesignIgnoredWarning, match="se='design' follows the design"):
        csat.reliability(survey, SCALES, se="normal")


# wrong input


@pytest.mark.parametrize(
    ("scales", "options", "message"),
    [
        ({}, {}, "scales is empty"),
        (["q1", "q2"], {}, 'scales is a table of scales and their items, e.g. {"quality"'),
        ({"a": []}, {}, "Scale 'a' has no items"),
        ({"a": ["q1", "q2"], "b": ["q2", "q3"]}, {}, "Item 'q2' stands in scales 'a' and 'b'; it belongs to one scale"),
        ({"a": ["q1", "q1"]}, {}, "Item 'q1' stands twice in scale 'a'"),
        ({"a": ["q1"], "b": ["q2"]}, {}, "Every scale has a single item"),
        ({"a": ["q1", "nope"]}, {}, "nope"),
        (csat.Model("a <~ q1 + q2"), {}, "No construct of this model is measured by items"),
        (SCALES, {"factors": "one"}, "factors='one' is not known"),
        (SCALES, {"se": "magic"}, "se='magic' is not known"),
        (SCALES, {"missing": "fiml"}, "missing='fiml' is not known"),
        (SCALES, {"interval": "percentile"}, "add se='bootstrap'"),
        (SCALES, {"missing": "pairwise", "se": "bootstrap"}, "takes complete answers"),
        (SCALES, {"replicates": 10, "se": "bootstrap"}, "replicates is a whole number, 50 or more"),
        (SCALES, {"replicates": 10**7, "se": "bootstrap"}, "replicates is 100000 at most"),
        (SCALES, {"by": "scale"}, "has the name of a result's column"),
        (SCALES, {"level": 95}, "level=95"),
    ],
)
def test_wrong_questions(frame, scales, options, message):
    with pytest.raises(csat.CsatError, match=None) as error:
        csat.reliability(csat.read_survey(frame), scales, **options)
    assert message in str(error.value)


def test_a_published_matrix_has_no_design():
    with pytest.raises(csat.CsatError, match="se='bootstrap' needs respondents"):
        csat.reliability(csat.from_covariance(POPULATION, 300), SCALES, se="bootstrap")


def test_a_summary_of_single_respondents_has_no_rows(frame):
    summary = csat.read_survey(frame).groups(ITEMS, (), "listwise")
    with pytest.raises(csat.CsatError, match="se='normal' needs none"):
        csat.reliability(summary, SCALES)
    assert csat.reliability(summary, SCALES, se="normal").glance()["variance"][0] == "normal theory"


def test_too_little(frame):
    with pytest.raises(csat.CsatError, match="'q1'"):
        csat.reliability(csat.read_survey(frame.assign(q1=5.0)), SCALES)
    with pytest.raises(csat.CsatError, match="Reliability"):
        csat.reliability(csat.read_survey(frame.head(1)), SCALES)


def test_limits_are_shown_and_do_not_judge(found):
    assert LIMITS == {"alpha": (0.70, 0.80), "ave": (0.50,), "htmt": (0.85, 0.90)}
    assert not {"verdict", "passed"} & {*found.tidy(), *found.constructs()}
    assert repr(found).startswith("Reliability: 57 rows")


def test_scales_fitted_one_by_one_do_not_need_one_another():
    rng = np.random.default_rng(3)
    common = rng.normal(size=(200, 1))
    frame = pd.DataFrame(common + rng.normal(size=(200, 4)), columns=["a1", "a2", "a3", "b2"])
    frame = frame.assign(b3=common[:, 0] + rng.normal(size=200), b1=frame["a1"])
    survey = csat.read_survey(frame)
    both = {"A": ["a1", "a2", "a3"], "B": ["b1", "b2", "b3"]}
    found = csat.reliability(survey, both, factors="separate").constructs().set_index("scale")
    for name, items in both.items():
        alone = csat.reliability(survey, {name: items}).constructs().iloc[0]
        for measure in ("omega", "omega_se", "rho_c", "ave"):
            assert found.loc[name, measure] == pytest.approx(alone[measure], rel=1e-6)
    few = csat.read_survey(frame.drop(columns="b1").assign(b1=rng.normal(size=200) + common[:, 0]).head(6))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert csat.reliability(few, both, factors="separate").glance()["n"].tolist() == [6]


@pytest.mark.parametrize("se", ["design", "normal", "bootstrap"])
def test_an_item_that_does_not_vary_in_a_group_leaves_the_other_scales_alone(se):
    rng = np.random.default_rng(4)
    both = rng.normal(size=(240, 2)) @ [[1.0, 0.5], [0.0, 0.9]]
    frame = pd.DataFrame(
        both.repeat(3, axis=1) + rng.normal(size=(240, 6)), columns=["a1", "a2", "a3", "b1", "b2", "b3"]
    )
    frame = frame.assign(g=np.where(np.arange(240) % 2, "x", "y"))
    frame.loc[frame["g"] == "y", "a1"] = 3.0
    scales = {"A": ["a1", "a2", "a3"], "B": ["b1", "b2", "b3"]}
    survey = csat.read_survey(frame)
    with pytest.warns(
        FactorModelWarning, match=r"in group 'y': too few answers, items that repeat each other or do not"
    ):
        found = csat.reliability(survey, scales, by="g", se=se, replicates=60)
    table = found.constructs().set_index(["g", "scale"])
    alone = csat.reliability(survey, {"B": scales["B"]}, by="g", se=se, replicates=60).constructs().set_index("g")
    for measure in ("alpha", "alpha_se", "alpha_low", "alpha_std"):
        assert table.loc[("y", "B"), measure] == pytest.approx(alone.loc["y", measure], rel=1e-9)
    assert np.isnan(table.loc[("y", "A"), "alpha"])
    assert table.loc[("y", "A"), "note"] == "a variable does not vary here"
    assert table.loc[("y", "B"), "note"] == "the factor model of the scales has no solution here"
    assert np.isfinite(table.loc["x"][["alpha", "omega", "omega_se"]].to_numpy(float)).all()


def test_two_answers_leave_no_doubt_that_could_be_shown(frame):
    with pytest.raises(SampleError, match="at least 3 complete answers; 2 found"):
        csat.reliability(csat.read_survey(frame.head(2)), {"f": ["q1", "q2"]})
    few = frame.assign(city=np.where(frame.index < 2, "c", frame["city"]))
    table = csat.reliability(csat.read_survey(few), {"f": ["q1", "q2"]}, by="city").constructs().set_index("city")
    assert table.loc["c", "note"] == "no more complete answers than items"
    assert np.isnan(table.loc["c", ["alpha", "alpha_se"]].astype(float)).all()
