"""Importance-performance maps: R's jackknife, Monte Carlo, laws, the sample study, wrong calls."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Replication
from csat.drivers.maps.ipa import ipa
from csat.drivers.maps.maps import COLUMNS, radius
from csat.drivers.maps.orthants import below, below_both
from csat.drivers.maps.quadrants import QUADRANTS, cross_zones, diagonal_zones, standardized

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
STUDY = """
[study]
name = "maps"
outcome = "y"
[scales.ten]
low = 1
high = 10
[scales.five]
low = 1
high = 5
[items]
y = { scale = "ten", en = "Overall" }
ia = { scale = "five", en = "How important is a" }
ib = { scale = "five", en = "How important is b" }
ic = { scale = "five", en = "How important is c" }
id = { scale = "five", en = "How important is d" }
[processes]
a = { scale = "ten", en = "A" }
b = { scale = "ten", en = "B" }
c = { scale = "ten", en = "C" }
d = { scale = "ten", en = "D" }
"""
DRIVERS = ["a", "b", "c", "d"]
DESIGN = csat.Design(weight="w", stratum="city", psu="hall")
#: Figures of R in driver_maps.json, in the order of the vector.
BLOCKS = {"lmg": 1, "correlation": 2, "beta": 3, "b": 4}


@pytest.fixture(scope="module")
def rows():
    return pd.read_csv(Path(__file__).parent / "fixtures" / "r" / "driver_maps.csv")


@pytest.fixture(scope="module")
def asked(study):
    return study(STUDY)


@pytest.fixture(scope="module")
def survey(rows, asked):
    return csat.read_survey(rows, asked, design=DESIGN)


@pytest.fixture(scope="module")
def jackknifed(rows, asked):
    design = csat.Design(weight="w", stratum="city", psu="hall", replication=Replication("JKn"))
    return csat.read_survey(rows, asked, design=design)


@pytest.fixture(scope="module")
def sample():
    return csat.read_survey(SAMPLE / "2026Q3.csv", csat.read_questionnaire(SAMPLE / "study.toml"))


def block(expected: dict, *which: int) -> tuple[np.ndarray, np.ndarray]:
    at = np.concatenate([np.arange(4 * i, 4 * i + 4) for i in which])
    return np.array(expected["est"])[at], np.array(expected["vcov"])[np.ix_(at, at)]


# ------------------------------------------------------------------------------------------ R's figures


@pytest.mark.parametrize("method", BLOCKS)
def test_the_jackknife_of_r_jointly_for_both_axes(oracle, jackknifed, method):
    estimate, vcov = block(oracle("driver_maps")["maps"]["jackknife"], 0, BLOCKS[method])
    got = ipa(jackknifed, importance=method)
    assert_allclose(got.estimates.estimate, estimate, rtol=1e-10)
    assert_allclose(got.estimates.vcov, vcov, rtol=1e-8, atol=1e-10 * np.abs(vcov).max())
    assert got.estimates.keys["axis"] == ("performance",) * 4 + ("importance",) * 4


@pytest.mark.parametrize("method", BLOCKS)
def test_linearisation_is_close_to_the_jackknife_of_r(oracle, survey, method):
    _, vcov = block(oracle("driver_maps")["maps"]["jackknife"], 0, BLOCKS[method])
    got = ipa(survey, importance=method)
    assert_allclose(got.estimates.se, np.sqrt(np.diag(vcov)), rtol=0.04)  # 30 units: they differ by O(1/units)
    scale = np.sqrt(np.outer(np.diag(vcov), np.diag(vcov)))
    assert_allclose(got.estimates.vcov / scale, vcov / scale, atol=0.06)


def test_performance_has_the_covariance_of_svymean(oracle, survey):
    expected = oracle("driver_maps")["maps"]["performance"]
    got = ipa(survey).performance
    assert_allclose(got.estimate, expected["est"], rtol=1e-10)
    assert_allclose(got.vcov, expected["vcov"], rtol=1e-9)


def test_stated_importance_has_rs_jackknife(oracle, jackknifed):
    estimate, vcov = block(oracle("driver_maps")["maps"]["stated"], 0, 1)
    for items in ({d: f"i{d}" for d in DRIVERS}, [f"i{d}" for d in DRIVERS]):
        got = ipa(jackknifed, importance=items)
        assert_allclose(got.estimates.estimate, estimate, rtol=1e-10)
        assert_allclose(got.estimates.vcov, vcov, rtol=1e-8, atol=1e-10 * np.abs(vcov).max())
    assert got.importance == "stated"
    assert got.outcome is None
    assert got.tidy()["potential"].isna().all()


def test_bivariate_probabilities_of_mvtnorm(oracle):
    limits = oracle("driver_maps")["orthants"]
    for h, k, rho, df, p in zip(*(limits[name] for name in ("h", "k", "rho", "df", "p")), strict=True):
        assert_allclose(below_both(h, k, rho, df or np.inf), p, atol=1e-12)


def test_the_normal_agrees_with_scipy(rng):
    from scipy.stats import multivariate_normal

    for h, k, rho in zip(rng.normal(size=50), rng.normal(size=50), np.tanh(rng.normal(size=50) * 2), strict=True):
        expected = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([h, k])
        assert_allclose(below_both(h, k, rho), expected, atol=1e-12)


@pytest.mark.parametrize(("h", "k", "rho", "expected"), [
    (0.3, np.inf, 0.5, below(0.3, 9)), (0.3, -np.inf, 0.5, 0.0), (-np.inf, 1.0, -0.5, 0.0),
    (np.inf, -0.4, -0.5, below(-0.4, 9)), (0.3, 0.9, 1.0, below(0.3, 9)),
    (0.3, -0.2, -1.0, below(0.3, 9) + below(-0.2, 9) - 1), (-1.0, -1.0, -1.0, 0.0),
])  # fmt: skip
def test_limits_of_the_bivariate_t(h, k, rho, expected):
    assert_allclose(below_both(h, k, rho, 9.0), expected, atol=1e-14)


# ------------------------------------------------------------------- agreement with drawing at random


def draws(rng, point, vcov, df, size=400_000):
    normal = rng.multivariate_normal([0, 0], vcov, size)
    return point + normal / np.sqrt(rng.chisquare(df, size) / df)[:, None]


@pytest.mark.parametrize("df", [6.0, 200.0])
def test_probabilities_of_the_quadrants_by_monte_carlo(rng, df):
    vcov = np.array([[1.0, -0.55], [-0.55, 0.7]])
    for point in ([0.4, 0.3], [-1.2, 0.2], [0.1, -0.9]):
        x, y = draws(rng, np.array(point), vcov, df).T
        counted = [np.mean((x > 0) & (y > 0)), np.mean((x < 0) & (y > 0)), np.mean((x < 0) & (y < 0))]
        assert_allclose(cross_zones(np.array(point), vcov, df)[:3], counted, atol=0.004)
        above = y > x
        counted = [np.mean(~above & (y > 0)), np.mean(above), np.mean(~above & (x < 0)), np.mean((y < 0) & (x > 0))]
        assert_allclose(diagonal_zones(np.array(point), vcov, df), counted, atol=0.004)


@pytest.mark.parametrize("df", [np.inf, 8.0])
def test_the_ellipse_holds_its_share_of_estimates(rng, df):
    size, vcov = 20_000, np.array([[2.0, 0.8], [0.8, 1.0]])
    centre = rng.multivariate_normal([0, 0], vcov, size)
    found = np.broadcast_to(vcov, (size, 2, 2))
    if np.isfinite(df):  # the covariance is estimated too: Wishart with that many degrees of freedom
        scatter = rng.multivariate_normal([0, 0], vcov, (size, int(df)))
        found = np.einsum("rdi,rdj->rij", scatter, scatter) / df
    distance = np.einsum("ri,rij,rj->r", centre, np.linalg.inv(found), centre)
    for level in (0.8, 0.95):
        assert_allclose(np.mean(distance <= radius(df, level) ** 2), level, atol=0.006)


def test_the_outline_is_at_the_radius(survey):
    got = ipa(survey)
    at = np.array([1, 5])
    centre, vcov = got.estimates.estimate[at], got.estimates.vcov[np.ix_(at, at)]
    outline = got.ellipse("b", 50) - centre
    distance = np.einsum("pi,ij,pj->p", outline, np.linalg.inv(vcov), outline)
    df = got.estimates.df[1]
    from scipy.stats import f

    assert_allclose(distance, 2 * df / (df - 1) * f.ppf(0.95, 2, df - 1), rtol=1e-9)
    assert_allclose(outline[0], outline[-1], atol=1e-9)


def test_standard_errors_agree_with_the_bootstrap(survey):
    drawn = survey.replicated(Replication("subbootstrap", size=600, seed=3))
    for method in ("lmg", "correlation", "b", "johnson"):
        got, again = (ipa(source, importance=method) for source in (survey, drawn))
        assert_allclose(got.estimates.estimate, again.estimates.estimate, rtol=1e-10)
        assert_allclose(got.estimates.se, again.estimates.se, rtol=0.12)  # 600 draws: 3 % of an SE, and the curvature
        assert_allclose(got.distance.se, again.distance.se, rtol=0.15)


@pytest.mark.parametrize("cut", ["means", "iso"])
def test_probabilities_agree_with_the_share_of_bootstrap_samples(survey, cut):
    """Each bootstrap sample draws its own map with its own lines; the shares per quadrant are the probabilities."""
    from csat.drivers.maps.axes import Plan
    from csat.drivers.maps.quadrants import Place
    from csat.drivers.maps.scored import scores_of
    from csat.replicates import replicate_sums

    codes = [*DRIVERS, "y"]
    groups = survey.replicated(Replication("subbootstrap", size=1500, seed=9)).groups(codes, (), "listwise")
    plan = Plan(scores_of(survey.questionnaire, codes), groups.midpoint, 4, "lmg", True)
    figures = plan(replicate_sums(groups, grams=True))[:, 0]
    counts = np.zeros((4, 4))
    for drawn in figures:
        axes = [axis if cut == "means" else standardized(axis)[0] for axis in (drawn[:4], drawn[4:8])]
        place = Place(axes[0] - axes[0].mean(), axes[1] - axes[1].mean(), np.eye(8), 27.0, cut == "iso")
        for driver, zone in enumerate(place.quadrant):
            counts[driver, QUADRANTS.index(zone)] += 1
    assert_allclose(ipa(survey, cut=cut).zones, counts / len(figures), atol=0.045)  # the delta method's own error


def test_the_slopes_are_those_of_a_regression(survey):
    got, fitted = ipa(survey), csat.regress(survey, "y", DRIVERS).coefficients
    assert_allclose(got.slopes.estimate, fitted.estimate[1:], rtol=1e-9)  # y and drivers have the same scale
    assert_allclose(got.slopes.vcov, fitted.vcov[1:, 1:], rtol=1e-7)
    assert_allclose(got.gain(5).estimate, 5 * fitted.estimate[1:], rtol=1e-9)
    assert_allclose(got.gain(5).se, 5 * fitted.se[1:], rtol=1e-7)
    room = 100 - got.performance.estimate
    assert_allclose(got.potential.estimate, fitted.estimate[1:] * room, rtol=1e-9)
    assert got.gain().unit == got.potential.unit == "points"


@pytest.mark.parametrize("by", [None, "city"])
def test_coefficients_have_the_degrees_of_freedom_of_the_regression(survey, by):
    """27 of the design for what is no regression, 4 fewer for coefficients and what is made of them."""
    got, fitted = ipa(survey, by=by), csat.regress(survey, "y", DRIVERS, by=by).coefficients
    expected = np.broadcast_to(fitted.df, len(fitted.term)).reshape(-1, 5)[:, 1:].ravel()
    for found in (got.slopes, got.potential, got.gain()):
        assert found.df.tolist() == expected.tolist()
    low, high = (end.reshape(-1, 5)[:, 1:].ravel() for end in fitted.interval)
    assert_allclose(got.slopes.interval, [low, high], rtol=1e-7)
    assert got.performance.df.tolist() == (expected + 4).tolist()


def test_where_the_regression_has_no_degrees_of_freedom_left_the_map_remains(survey, rows):
    halls = rows.loc[rows["city"] == "north", "hall"].unique().tolist()
    got = ipa(survey.where(city="north", hall=halls[:5])).tidy()  # 4 degrees of freedom, and 4 drivers
    assert np.isfinite(got[["performance_se", "importance_se", "p_quadrant", "slope", "potential"]]).all(axis=None)
    assert got[["slope_se", "slope_low", "potential_se", "potential_high"]].isna().all(axis=None)
    assert set(got["note"]) == {str(csat.Unavailable("df_zero"))}
    nothing = ipa(survey.where(city="north", hall=halls[0])).tidy()
    assert nothing[["performance_se", "importance_se", "p_quadrant", "slope_se"]].isna().all(axis=None)
    assert np.isfinite(nothing[["performance", "importance", "slope"]]).all(axis=None)


def test_effective_size_of_the_weights(survey, rows):
    weights = rows.dropna(subset=[*DRIVERS, "y"])["w"]
    assert_allclose(ipa(survey).tidy()["n_eff"], weights.sum() ** 2 / (weights**2).sum(), rtol=1e-12)


@pytest.mark.parametrize("method", ["lmg", "johnson", "first", "last", "pratt", "betasq", "car", "pmvd"])
def test_shares_are_those_of_importance_and_gradients_those_of_differences(survey, method):
    from csat.drivers.maps.axes import Plan
    from csat.drivers.maps.scored import scores_of

    codes = [*DRIVERS, "y"]
    groups = survey.groups(codes, (), "listwise")
    plan = Plan(scores_of(survey.questionnaire, codes), groups.midpoint, 4, method, True)
    gram = groups.moments().gram
    slopes = plan.slopes(gram)
    rng = np.random.default_rng(0)
    step = rng.normal(size=gram.shape) * np.sqrt(np.outer(np.diag(gram), np.diag(gram))) * 1e-6
    step = step + step.T
    change = (plan(gram + step) - plan(gram - step)) / 2
    assert_allclose((slopes * step).sum(axis=(1, 2)), change, rtol=1e-5, atol=1e-9)
    parts = plan(gram)[12:]
    got, whole = ipa(survey, importance=method), csat.importance(survey, "y", DRIVERS, method=method)
    assert_allclose(got.importances.estimate, 100 * parts / parts.sum(), rtol=1e-10)
    assert_allclose(parts, whole.estimates.estimate, rtol=1e-9)
    assert_allclose(got.importances.estimate, whole.share, rtol=1e-9)
    for found, wanted in zip(got.importances.interval, whole.shares.interval, strict=True):
        assert_allclose(found, wanted, rtol=1e-7)


@pytest.mark.parametrize("cut", ["means", (70.0, 20.0)])
def test_importance_beyond_the_cut_is_a_contrast_of_parts(survey, cut):
    """P(share > c) from Estimates.contrast of the parts with c per cent of their sum."""
    got, parts = ipa(survey, cut=cut), csat.importance(survey, "y", DRIVERS).estimates
    apart = parts.contrast(np.eye(4) - (0.25 if cut == "means" else 0.2), DRIVERS)
    expected = [below(t, 27.0) for t in apart.statistic]
    assert_allclose(got.zones[:, [0, 1]].sum(axis=1), expected, atol=1e-8)


# ------------------------------------------------------------------------------------------------ laws


@pytest.mark.parametrize("cut", ["means", "iso", (70.0, 20.0)])
@pytest.mark.parametrize("method", ["lmg", "correlation", "b"])
def test_probabilities_sum_to_one_and_name_the_likely_quadrant(survey, cut, method):
    got = ipa(survey, cut=cut, importance=method)
    frame = got.tidy()
    zones = frame[[f"p_{zone}" for zone in QUADRANTS]]
    assert_allclose(zones.sum(axis=1), 1, atol=1e-9)
    assert (zones.to_numpy() >= 0).all()
    for _, row in frame.iterrows():
        assert row["p_quadrant"] == row[f"p_{row['quadrant']}"]
    sure = frame[zones.max(axis=1) > 0.8]
    assert len(sure)
    assert (sure["p_quadrant"] > 0.8).all()


def test_quadrants_follow_the_cut(survey):
    got = ipa(survey, cut=(70.0, 25.0)).tidy()
    wanted = {(True, True): "keep_up", (False, True): "concentrate", (False, False): "low_priority"}
    for _, row in got.iterrows():
        place = (row["performance"] >= 70, row["importance"] >= 25)
        assert row["quadrant"] == wanted.get(place, "overkill")
    assert got.set_index("term")["quadrant"].tolist() == ["keep_up", "low_priority", "concentrate", "low_priority"]


def test_the_cut_at_the_means_is_in_the_middle_and_uncertain(survey):
    got = ipa(survey)
    performance, importance = got.performance.estimate, got.importances.estimate
    assert_allclose(got.cut, [performance.mean(), importance.mean()], rtol=1e-12)
    assert_allclose((performance - got.cut[0]).sum(), 0, atol=1e-9)
    # The same lines, taken as known, give other probabilities: halls move all drivers together, and the mean with them.
    assert np.abs(got.zones - ipa(survey, cut=got.cut).zones).max() > 0.02


def test_the_cut_counts_its_own_uncertainty(survey):
    """P(above the mean) from the contrast with the mean of all drivers, by `Estimates.contrast`."""
    got = ipa(survey, importance="b")
    performance, importance = got.performance, got.importances
    rest = np.eye(4) - 0.25
    for figures, high in ((performance, [0, 3]), (importance, [0, 1])):
        apart = figures.contrast(rest, DRIVERS)
        expected = [below(t, 27.0) for t in apart.statistic]
        assert_allclose(got.zones[:, high].sum(axis=1), expected, atol=1e-9)


def test_the_iso_line_passes_through_the_means(survey):
    got = ipa(survey, cut="iso")
    intercept, slope = got.lines[0]
    performance, importance = got.performance.estimate, got.importances.estimate
    assert_allclose(intercept + slope * performance.mean(), importance.mean(), rtol=1e-12)
    above = importance > intercept + slope * performance
    assert (np.array(got.quadrant) == "concentrate").tolist() == above.tolist()
    assert (got.distance.estimate > 0).tolist() == above.tolist()
    assert got.cut == "iso"
    ratio = got.distance.estimate / got.distance.se
    assert_allclose(got.zones[:, 1], [below(t, 27.0) for t in ratio], atol=1e-9)


def test_standardizing_has_exact_derivatives(rng):
    values = rng.normal(size=5)
    scaled, slopes = standardized(values)
    assert_allclose([scaled.mean(), scaled.std(ddof=1)], [0, 1], atol=1e-12)
    step = rng.normal(size=5) * 1e-6
    change = (standardized(values + step)[0] - standardized(values - step)[0]) / 2
    assert_allclose(slopes @ step, change, rtol=1e-6)


def test_other_units_of_the_answers_leave_the_map_alone(rows, survey, study):
    """Answers 2, 4 … 20 on a scale of 2–20 are the same performance and the same importance."""
    double = STUDY.replace("[scales.five]", "[scales.twenty]\nlow = 2\nhigh = 20\nstep = 2\n[scales.five]")
    double = double.replace('a = { scale = "ten"', 'a = { scale = "twenty"')
    other = csat.read_survey(rows.assign(a=2 * rows["a"]), study(double), design=DESIGN)
    for method in ("lmg", "correlation", "b"):
        got, again = ipa(survey, importance=method), ipa(other, importance=method)
        assert_allclose(again.estimates.estimate, got.estimates.estimate, rtol=1e-10)
        assert_allclose(again.estimates.vcov, got.estimates.vcov, rtol=1e-8, atol=1e-12)
        assert_allclose(again.zones, got.zones, atol=1e-9)


def test_grade_scores_off_the_line_are_recoded(study):
    """A conversion that is no line: performance is the mean of the scores, and importance uses them too."""
    text = """
[study]
name = "grades"
outcome = "y"
[scales.bent]
low = 1
high = 3
conversion = "grade"
scores = { 1 = 0, 2 = 90, 3 = 100 }
[items]
y = { scale = "bent", en = "y" }
[processes]
a = { scale = "bent", en = "a" }
b = { scale = "bent", en = "b" }
"""
    rng = np.random.default_rng(8)
    data = pd.DataFrame(rng.integers(1, 4, (200, 3)), columns=["a", "b", "y"])
    scores = data.replace({1: 0, 2: 90, 3: 100})
    got = ipa(csat.read_survey(data, study(text)), importance="correlation")
    assert_allclose(got.performance.estimate, scores[["a", "b"]].mean(), rtol=1e-12)
    assert_allclose(got.importances.estimate, scores.corr()["y"].iloc[:2], rtol=1e-10)


def test_weights_have_no_unit(rows, asked, survey):
    again = ipa(csat.read_survey(rows.assign(w=1000 * rows["w"]), asked, design=DESIGN))
    got = ipa(survey)
    assert_allclose(again.estimates.vcov, got.estimates.vcov, rtol=1e-9)
    assert_allclose(again.zones, got.zones, atol=1e-10)


def test_missing_answers_leave_out_whole_respondents(survey, rows):
    got = ipa(survey)
    complete = rows[[*DRIVERS, "y"]].notna().all(axis=1)
    assert got.left_out == (~complete).sum() == 65
    assert got.tidy()["n"].tolist() == [complete.sum()] * 4


# ---------------------------------------------------------------------------------------------- groups


def test_a_map_per_group_is_that_of_the_domain(survey):
    got = ipa(survey, by="city")
    assert got.groups == (("north",), ("south",), ("west",))
    assert got.tidy().columns.tolist() == ["term", "city", *COLUMNS]
    for city in ("north", "south", "west"):
        alone, one = ipa(survey.where(city=city)), got.of(city)
        assert_allclose(one.estimates.estimate, alone.estimates.estimate, rtol=1e-10)
        assert_allclose(one.estimates.vcov, alone.estimates.vcov, rtol=1e-8, atol=1e-12)
        assert_allclose(one.zones, alone.zones, atol=1e-9)
        assert_allclose(one.cut, alone.cut, rtol=1e-12)
        assert one.priority.tolist() == alone.priority.tolist()
    # Cities are strata: their figures are independent. By anything else they need not be.
    across = got.estimates.vcov[:8, 8:16]
    assert_allclose(across, 0, atol=1e-12)
    assert len(got.glance()) == 3


def test_groups_within_halls_are_correlated(rows, asked):
    halves = csat.read_survey(rows.assign(half=np.where(np.arange(len(rows)) % 2, "p", "q")), asked, design=DESIGN)
    got = ipa(halves, by="half")
    difference = got.performance.contrast(np.hstack([np.eye(4), -np.eye(4)]), DRIVERS)
    expected = csat.mean(halves, [*DRIVERS, "y"], by="half", rule="listwise")
    apart = expected.contrast(np.hstack([np.eye(5), -np.eye(5)]), [*DRIVERS, "y"])
    assert_allclose(difference.se, apart.se[:4] * 100 / 9, rtol=1e-8)


def test_a_group_too_small_has_a_reason_and_harms_no_other(rows, asked):
    data = rows.assign(size=np.where(np.arange(len(rows)) < 4, "few", "many"))
    got = ipa(csat.read_survey(data, asked, design=DESIGN), by="size")
    frame = got.tidy().set_index(["size", "term"])
    assert frame.loc["few", "performance"].isna().all()
    assert (frame.loc["few", "note"] == "no more complete answers than coefficients").all()
    assert (frame.loc["few", "quadrant"] == "").all()
    assert frame.loc["few", "p_quadrant"].isna().all()
    assert np.isfinite(frame.loc["many", "importance_se"]).all()
    assert (frame.loc["many", "note"] == "").all()
    assert np.isnan(got.of("few").ellipse("a")).all()
    assert np.isfinite(got.of("many").ellipse("a")).all()


# ------------------------------------------------------------------------------------- other sources


def test_a_published_matrix_gives_the_map_without_errors():
    cov = np.full((4, 4), 0.4) + 0.6 * np.eye(4)
    cov[3, :3] = cov[:3, 3] = [0.6, 0.5, 0.3]
    source = csat.from_covariance(cov, n=250, mean=[7, 6, 8, 7], names=["p", "q", "r", "y"])
    got = ipa(source, "y", ["p", "q", "r"], importance="beta")
    assert_allclose(got.importances.estimate, np.linalg.solve(cov[:3, :3], cov[:3, 3]), rtol=1e-12)
    assert got.performance.estimate.tolist() == [7, 6, 8]
    assert got.tidy()["note"].tolist() == ["this source is a summary without rows"] * 3
    assert got.tidy()["p_quadrant"].isna().all()
    assert got.quadrant == ("keep_up", "concentrate", "overkill")
    assert np.isnan(got.ellipse("p")).all()
    assert got.potential is None  # raw units: nobody knows what a perfect answer is
    assert got.ranked_by == "distance"


def test_a_saved_summary_gives_the_same_as_the_survey(survey):
    saved = survey.groups([*DRIVERS, "y"], (), "listwise")
    assert_allclose(ipa(saved).estimates.vcov, ipa(survey).estimates.vcov, rtol=1e-12)


def test_respondents_as_units(rows, asked):
    """Without a design the jackknife over respondents is the reference: 935 of them."""
    plain = rows.dropna().head(150)
    survey = csat.read_survey(plain, asked, design=csat.Design(weight="w"))
    jack = csat.read_survey(plain, asked, design=csat.Design(weight="w", replication=Replication("JK1")))
    assert_allclose(ipa(survey).estimates.se, ipa(jack).estimates.se, rtol=0.06)


def test_units_without_a_questionnaire(rows):
    got = ipa(csat.read_survey(rows, design=DESIGN), "y", DRIVERS, importance="b")
    assert_allclose(got.performance.estimate, ipa_raw(rows), rtol=1e-10)
    assert got.performance.unit == "scale"
    assert got.importances.unit == "units per unit"
    assert got.gain(1).unit == "units"


def ipa_raw(rows):
    full = rows.dropna(subset=[*DRIVERS, "y"])
    return np.average(full[DRIVERS], axis=0, weights=full["w"])


def test_stated_importance_may_have_units_of_its_own(rows, study):
    short = "".join(line for line in STUDY.splitlines(True) if "How important" not in line)
    got = ipa(csat.read_survey(rows, study(short), design=DESIGN), importance=[f"i{d}" for d in DRIVERS])
    assert (got.performance.unit, got.importances.unit) == ("points", "scale")
    full = rows.dropna(subset=DRIVERS)
    stated = np.average(full[[f"i{d}" for d in DRIVERS]], axis=0, weights=full["w"])
    assert_allclose(got.importances.estimate, stated, rtol=1e-10)


def test_two_drivers_have_no_distance(survey):
    got = ipa(survey, drivers=["a", "b"])
    assert got.tidy()["distance"].isna().all()
    assert got.distance.tidy()["note"].tolist() == ["not identified by the data"] * 2
    assert_allclose(got.zones.sum(axis=1), 1, atol=1e-9)


# --------------------------------------------------------------------------------- the sample study


def test_the_nine_processes_of_the_study(sample):
    got = ipa(sample)
    frame = got.tidy().set_index("term")
    assert frame.index.tolist() == [f"P{i}" for i in range(1, 10)]
    assert got.outcome == "overall"
    # The generator gives P1, P4 and P7 the largest effects (.271, .183, .154), and P3 and P9 none.
    assert set(frame["importance"].nlargest(3).index) == {"P1", "P4", "P7"}
    assert set(frame["importance"].nsmallest(2).index) == {"P3", "P9"}
    assert (frame.loc[["P3", "P9"], ["p_low_priority", "p_overkill"]].sum(axis=1) > 0.999).all()
    assert frame.loc["P1", "priority"] == 1
    shares = csat.importance(sample, "overall", list(frame.index))
    assert_allclose(frame["importance"], shares.share, rtol=1e-10)


def test_it_reads_like_a_result(sample):
    got = ipa(sample, by="branch")
    assert "Ipa: 36 rows" in repr(got)
    assert "<table" in got._repr_html_()
    row = got.glance().iloc[0]
    assert (row["outcome"], row["importance"], row["cut"], row["drivers"]) == ("overall", "lmg", "means", 9)
    assert got.left_out + sum(got.glance()["n"]) == 1600


# ------------------------------------------------------------------------------------------ wrong calls


@pytest.mark.parametrize(("options", "message"), [
    ({"cut": "middle"}, "cut='middle' is not known; choose one of 'means', 'iso'"),
    ({"cut": (1,)}, r"two numbers \(performance, importance\)"),
    ({"cut": ("70", "20")}, r"two numbers \(performance, importance\)"),
    ({"cut": b"ab"}, r"two numbers \(performance, importance\)"),
    ({"cut": (10**400, 1)}, r"two numbers \(performance, importance\)"),
    ({"cut": None}, r"two numbers \(performance, importance\)"),
    ({"cut": {70: 1, 20: 2}}, r"two numbers \(performance, importance\)"),
    ({"cut": ((1, 2), 3)}, r"two numbers \(performance, importance\)"),
    ({"cut": 70}, r"two numbers \(performance, importance\)"),
    ({"cut": (70, float("nan"))}, r"two numbers \(performance, importance\)"),
    ({"importance": "magic"}, "importance='magic' is not known; choose one of 'lmg'"),
    ({"importance": ["ia", "ib"]}, "lists 2 items for 4 drivers"),
    ({"importance": {"a": "ia", "b": "ib"}, "drivers": DRIVERS}, "exactly the drivers; they differ at 'c'"),
    ({"importance": {"a": "ia", "b": "ia"}}, "'ia' is named twice"),
    ({"importance": {"a": "ia", "b": "b"}}, "'b' is named twice"),
    ({"importance": 3}, "importance: names of variables are needed; found int 3"),
    ({"drivers": ["a"]}, "At least two drivers are compared; found 'a'"),
    ({"drivers": ["a", "a"]}, "'a' is named twice"),
    ({"drivers": ["a", "y"]}, "'y' is named twice"),
    ({"drivers": ["a", "w"]}, "'w' is no scaled question of the questionnaire"),
    ({"drivers": ["a", "nope"]}, "'nope' is no scaled question"),
    ({"drivers": 5}, "drivers: names of variables are needed; found int 5"),
    ({"drivers": ["a", 5]}, "drivers: the name of a variable or an item"),
    ({"outcome": 5}, "the outcome: the name of a variable or an item"),
    ({"outcome": "nope"}, "No column 'nope'"),
    ({"outcome": "city"}, "'city' holds categories"),
    ({"cut": "iso", "drivers": ["a", "b"]}, "at least 3"),
    ({"level": 95}, "the confidence level lies between 0 and 1"),
    ({"by": "importance"}, "'importance' has the name of a result's column"),
    ({"by": "nope"}, "No column 'nope'"),
])  # fmt: skip
def test_wrong_calls_say_what_to_do(survey, options, message):
    with pytest.raises(csat.CsatError, match=message):
        ipa(survey, **options)


def test_without_a_questionnaire_names_are_needed(rows):
    plain = csat.read_survey(rows, design=DESIGN)
    with pytest.raises(csat.CsatError, match="outcome is not named, and this source has no questionnaire"):
        ipa(plain)
    with pytest.raises(csat.CsatError, match="drivers are not named, and this source has no questionnaire"):
        ipa(plain, "y")


def test_wrong_questions_to_the_result(survey):
    got = ipa(survey, by="city")
    with pytest.raises(csat.CsatError, match=r"There are 3 maps \('north', 'south', 'west'\): pick one with of"):
        got.ellipse("a")
    with pytest.raises(csat.CsatError, match="There are 3 maps"):
        _ = got.cut
    with pytest.raises(csat.CsatError, match="group='east' is not known; choose one of 'north'"):
        got.of("east")
    one = got.of("north")
    with pytest.raises(csat.CsatError, match="term='z' is not known; choose one of 'a'"):
        one.ellipse("z")
    with pytest.raises(csat.CsatError, match="at least 8 points"):
        one.ellipse("a", 3)
    with pytest.raises(csat.CsatError, match="a number of points is needed"):
        one.gain("5")
    stated = ipa(survey, importance={d: f"i{d}" for d in DRIVERS})
    with pytest.raises(csat.CsatError, match="name the outcome in ipa"):
        stated.gain()
    assert ipa(survey, "y", importance={d: f"i{d}" for d in DRIVERS}).gain().unit == "points"


def test_bad_data_end_in_words(rows, asked):
    twin = rows.assign(b=rows["a"])
    with pytest.raises(csat.CsatError, match="'b' is an exact linear combination of 'a'"):
        ipa(csat.read_survey(twin, asked, design=DESIGN))
    with pytest.raises(csat.CsatError, match="No variation in 'c'"):
        ipa(csat.read_survey(rows.assign(c=5), asked, design=DESIGN))
    with pytest.raises(csat.CsatError, match="needs at least 6 complete answers; 4 found"):
        ipa(csat.read_survey(rows.dropna().head(4), asked, design=csat.Design()))
    with pytest.raises(csat.CsatError, match="Performance is a mean, and this summary has none"):
        ipa(csat.from_covariance(np.eye(3) + 0.2, n=50), "x3", ["x1", "x2"])
