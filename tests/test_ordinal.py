"""Ordered items in `csat.structural`: normal probabilities, polychoric correlations, WLSMV; laws, and refusals."""

import warnings

import numpy as np
import pandas as pd
import pytest

from csat import Design, Replication, from_covariance, read_survey
from csat.errors import (
    CollinearityError,
    ModelError,
    ModelIdentificationError,
    NegativeVarianceWarning,
    OptionError,
    SampleError,
    UnknownColumnError,
)
from csat.model import Model
from csat.structural import sem
from csat.structural.engine.discrepancy import DiagonalLeastSquares, Sample, hessian
from csat.structural.engine.structure import build, evaluate
from csat.structural.ordered import influence
from csat.structural.ordered.binormal import binormal_cdf, binormal_density, normal_cdf, normal_density, normal_quantile
from csat.structural.ordered.categories import SparseCategoryWarning, counts_of, items_of
from csat.structural.ordered.correlations import PerfectCorrelationWarning, polychoric
from csat.structural.ordered.ordinal import IndefiniteCorrelationWarning, KurtosisWarning, with_units

ITEMS = [f"q{i}" for i in range(1, 7)]
CFA = "quality =~ q1 + q2 + q3\nloyalty =~ q4 + q5 + q6"


def latent(n, seed=1):
    """(n, 6) normal responses of two constructs that correlate at .5."""
    rng = np.random.default_rng(seed)
    constructs = rng.normal(size=(n, 2)) @ np.linalg.cholesky([[1.0, 0.5], [0.5, 1.0]]).T
    loads = np.array([0.8, 0.7, 0.6, 0.75, 0.65, 0.7])
    return constructs[:, np.arange(6) // 3] * loads + rng.normal(size=(n, 6)) * np.sqrt(1 - loads**2)


def answers(n=600, seed=1, cuts=(-0.9, 0.2, 1.1)):
    """Items with uneven categories, a weight, halls and a continuous measurement."""
    y = latent(n, seed)
    data = pd.DataFrame((y[:, :, None] > np.asarray(cuts)).sum(axis=2) + 1, columns=ITEMS)
    rng = np.random.default_rng(seed + 100)
    more = {
        "spend": 3 + 2 * (0.6 * y[:, 0] + 0.8 * rng.normal(size=n)), "w": rng.uniform(0.5, 2, n),
        "branch": np.where(np.arange(n) % 3 == 0, "north", "south"), "hall": [f"h{i % 40}" for i in range(n)],
        "own": [f"r{i}" for i in range(n)],
    }  # fmt: skip
    return data.assign(**more)


def survey(data=None, **design):
    return read_survey(answers() if data is None else data, design=Design(**design))


def fit(source, model=CFA, **options):
    return sem(source, model, **({"estimator": "WLSMV", "ordered": True} | options))


def of_kind(found, kind):
    frame = found.tidy()
    return frame[frame["kind"] == kind].reset_index(drop=True)


class TestNormalProbabilities:
    def test_the_area_is_the_integral_of_the_conditional_one(self, rng):
        from scipy.integrate import quad

        for _ in range(60):
            h, k, rho = *rng.normal(size=2) * 1.5, np.tanh(rng.normal() * 2)
            spread = np.sqrt(1 - rho**2)

            def density(x, k=k, rho=rho, spread=spread):
                return float(normal_density(x) * normal_cdf((k - rho * x) / spread))

            near = [place for place in (k / rho,) if -12 < place < h]
            area = quad(density, -12, h, epsabs=1e-13, epsrel=1e-12, limit=300, points=near)[0]
            assert binormal_cdf(h, k, rho) == pytest.approx(area, abs=1e-12)

    def test_limits_and_symmetries(self):
        h, k = np.meshgrid([-np.inf, -1.3, -0.0, 0.0, 0.7, np.inf], [-np.inf, -0.4, 0.0, 0.7, np.inf])
        for rho in (-0.9999, -0.5, 0.0, 0.3, 0.9999):
            area = binormal_cdf(h, k, rho)
            np.testing.assert_allclose(area, binormal_cdf(k, h, rho), rtol=0, atol=1e-15)
            np.testing.assert_allclose(area + binormal_cdf(h, -k, -rho), normal_cdf(h), rtol=0, atol=2e-15)
            np.testing.assert_allclose(area[-1], normal_cdf(h[-1]), rtol=0, atol=1e-15)
            assert not area[:, 0].any()
        assert binormal_cdf(0.0, 0.0, 0.5) == pytest.approx(1 / 3, abs=1e-15)

    def test_derivatives_by_the_correlation(self):
        h, k, rho, step = np.array([-1.2, 0.0, 0.4, np.inf]), np.array([0.3, 0.9, -2.0, 0.1]), 0.63, 1e-5
        density, slope = binormal_density(h, k, rho)
        rise = binormal_cdf(h, k, rho + step) - binormal_cdf(h, k, rho - step)
        np.testing.assert_allclose(density, rise / (2 * step), rtol=0, atol=1e-9)
        rise = binormal_density(h, k, rho + step)[0] - binormal_density(h, k, rho - step)[0]
        np.testing.assert_allclose(slope, rise / (2 * step), rtol=0, atol=1e-9)


class TestCounts:
    def test_tables_are_those_of_the_answers(self):
        data = answers()
        items = items_of(survey(data), ITEMS, ITEMS, ())
        _, (counts,) = counts_of(survey(data), items, ())
        for (i, j), table in zip(counts.pairs, counts.tables, strict=True):
            assert np.array_equal(table, pd.crosstab(data[ITEMS[i]], data[ITEMS[j]]))
        assert np.array_equal(counts.empty, (counts.tables == 0).sum(axis=(1, 2)))

    def test_weighted_tables_sum_to_the_respondents(self):
        data = answers()
        source = survey(data, weight="w")
        _, (counts,) = counts_of(source, items_of(source, ITEMS, ITEMS, ()), ())
        table = pd.crosstab(data["q1"], data["q2"], data["w"], aggfunc="sum").fillna(0.0)
        np.testing.assert_allclose(counts.tables[0], table * len(data) / data["w"].sum(), rtol=1e-12)

    def test_items_of_different_sizes_and_respondents_with_gaps(self):
        data = answers().assign(q2=lambda d: (d["q2"] > 2).astype(float))
        data.loc[:49, "q1"] = np.nan
        source = survey(data)
        found = polychoric(source, ["q1", "q2", "q3"])
        _, (counts,) = counts_of(source, items_of(source, ["q1", "q2", "q3"], ["q1", "q2", "q3"], ()), ())
        assert counts.n == 550
        assert found.left_out == 50
        assert list(counts.sizes) == [4, 2, 4]
        assert np.array_equal(counts.tables[0][:, :2], pd.crosstab(data["q1"], data["q2"]))
        assert not counts.tables[0][:, 2:].any()
        assert found.answers[1] == (0.0, 1.0)


class TestPolychoric:
    def test_likelihood_is_largest_there(self):
        """Brute force over each table with scipy's own distribution function."""
        from scipy.optimize import minimize_scalar
        from scipy.stats import multivariate_normal

        data = answers(300)
        found = polychoric(survey(data), ["q1", "q2"])
        table = pd.crosstab(data["q1"], data["q2"]).to_numpy()
        limits = [np.r_[-8, normal_quantile(np.cumsum(table.sum(axis=1 - a))[:-1] / 300), 8] for a in (0, 1)]

        def misfit(rho):
            places = np.stack(np.meshgrid(*limits, indexing="ij"), axis=-1)
            area = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf(places)
            return -np.sum(table * np.log(np.diff(np.diff(area, axis=0), axis=1)))

        best = minimize_scalar(misfit, bounds=(0, 0.9), method="bounded", options={"xatol": 1e-9})
        assert found.matrix().loc["q1", "q2"] == pytest.approx(best.x, abs=1e-5)
        np.testing.assert_allclose(of_kind(found, "threshold")["estimate"][:3], limits[0][1:-1], rtol=1e-12)

    def test_two_categories_are_reproduced(self):
        data = answers().assign(q1=lambda d: d["q1"] > 2, q2=lambda d: d["q2"] > 1).astype({"q1": int, "q2": int})
        found = polychoric(survey(data), ["q1", "q2"])
        share = ((data["q1"] == 0) & (data["q2"] == 0)).mean()
        first, second = of_kind(found, "threshold")["estimate"]
        assert binormal_cdf(first, second, found.matrix().loc["q1", "q2"]) == pytest.approx(share, abs=1e-12)

    def test_turning_an_item_round_turns_the_sign(self):
        data = answers()
        plain = polychoric(survey(data), ITEMS)
        turned = polychoric(survey(data.assign(q2=5 - data["q2"])), ITEMS)
        sign = np.where(np.array(ITEMS) == "q2", -1.0, 1.0)
        np.testing.assert_allclose(turned.matrix(), plain.matrix() * np.outer(sign, sign), rtol=0, atol=1e-12)
        np.testing.assert_allclose(of_kind(turned, "polychoric")["se"], of_kind(plain, "polychoric")["se"], rtol=1e-10)
        cuts = of_kind(plain, "threshold").set_index("term")["estimate"]
        assert of_kind(turned, "threshold").set_index("term")["estimate"]["q2 | t1"] == pytest.approx(-cuts["q2 | t3"])

    def test_permuting_items_permutes_the_figures(self):
        source = survey()
        order = ["q4", "q1", "q6", "q2"]
        one, other = polychoric(source, ["q1", "q2", "q4", "q6"]), polychoric(source, order)
        pd.testing.assert_frame_equal(other.matrix(), one.matrix().loc[order, order], rtol=1e-11)
        ours = dict(zip(one.estimates.term, one.estimates.se, strict=True))
        for term, se in zip(other.estimates.term, other.estimates.se, strict=True):
            same = term if term in ours else " ~~ ".join(reversed(term.split(" ~~ ")))
            assert se == pytest.approx(ours[same], rel=1e-9)

    def test_labels_of_the_categories_do_not_matter(self):
        data = answers()
        other = data.assign(q1=data["q1"].map({1: -7, 2: 0, 3: 0.5, 4: 99}))
        one, two = polychoric(survey(data), ITEMS[:3]), polychoric(survey(other), ITEMS[:3])
        np.testing.assert_allclose(one.estimates.estimate, two.estimates.estimate, rtol=0, atol=1e-13)
        assert two.answers[0] == (-7.0, 0.0, 0.5, 99.0)

    def test_with_many_categories_it_nears_the_correlation_of_the_responses(self):
        y = latent(20_000, seed=5)[:, :2]
        cuts = np.linspace(-2, 2, 11)
        data = pd.DataFrame((y[:, :, None] > cuts).sum(axis=2), columns=["a", "b"])
        found = polychoric(read_survey(data), ["a", "b"])
        pearson = np.corrcoef(y.T)[0, 1]
        assert found.matrix().loc["a", "b"] == pytest.approx(pearson, abs=0.004)
        se = of_kind(found, "polychoric")["se"].iloc[0]
        assert se == pytest.approx((1 - pearson**2) / np.sqrt(20_000), rel=0.05)

    def test_weights_of_two_are_respondents_twice(self):
        data = answers(400)
        twice = data.assign(w=np.where(data.index < 100, 2.0, 1.0))
        doubled = pd.concat([data, data[data.index < 100]])
        one = polychoric(survey(twice, weight="w"), ["q1", "q2", "spend"], continuous="spend")
        two = polychoric(survey(doubled), ["q1", "q2", "spend"], continuous="spend")
        np.testing.assert_allclose(one.estimates.estimate, two.estimates.estimate, rtol=0, atol=1e-9)

    def test_the_unit_of_the_weights_does_not_matter(self):
        data = answers()
        one = polychoric(survey(data, weight="w"), ["q1", "q2", "spend"], continuous="spend").estimates
        two = polychoric(survey(data.assign(w=37 * data["w"]), weight="w"), ["q1", "q2", "spend"], continuous="spend")
        np.testing.assert_allclose(one.estimate, two.estimates.estimate, rtol=0, atol=1e-10)
        np.testing.assert_allclose(one.se, two.estimates.se, rtol=1e-8)

    def test_groups_are_estimated_by_themselves(self):
        data = answers()
        whole = polychoric(survey(data), ["q1", "q2", "spend"], continuous="spend", by="branch")
        alone = polychoric(survey(data[data["branch"] == "south"]), ["q1", "q2", "spend"], continuous="spend")
        ours = whole.tidy().query("branch == 'south'")
        np.testing.assert_allclose(ours["estimate"], alone.estimates.estimate, rtol=0, atol=1e-12)
        np.testing.assert_allclose(ours["se"], alone.estimates.se, rtol=1e-9)
        pd.testing.assert_frame_equal(whole.matrix("south"), alone.matrix())
        across = whole.estimates.vcov[np.ix_(ours.index, np.setdiff1d(np.arange(len(whole.tidy())), ours.index))]
        assert not across.any()

    def test_standard_errors_agree_with_the_jackknife(self):
        """Leaving one respondent out at a time, thresholds and correlations anew."""
        data, names = answers(150, seed=4), ["q1", "q4", "q5"]
        found = polychoric(survey(data), names)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SparseCategoryWarning)
            each = [polychoric(survey(data.drop(i)), names).estimates.estimate for i in range(150)]
        spread = np.sqrt(149**2 / 150 * np.var(each, axis=0, ddof=1))
        np.testing.assert_allclose(found.estimates.se[:9], spread[:9], rtol=0.03)
        # Information from products of slopes is noisy in so small a sample.
        np.testing.assert_allclose(found.estimates.se[9:], spread[9:], rtol=0.13)

    def test_a_correlation_with_a_measurement_is_the_most_likely_one(self):
        from scipy.optimize import minimize_scalar

        data = answers(500)
        found = polychoric(survey(data), ["q1", "spend"], continuous="spend")
        z = ((data["spend"] - data["spend"].mean()) / data["spend"].std(ddof=0)).to_numpy()
        limits = np.r_[-np.inf, of_kind(found, "threshold")["estimate"], np.inf]
        code = data["q1"].to_numpy() - 1

        def misfit(rho):
            spread = np.sqrt(1 - rho**2)
            places = (limits[code + 1] - rho * z) / spread, (limits[code] - rho * z) / spread
            return -np.log(normal_cdf(places[0]) - normal_cdf(places[1])).sum()

        best = minimize_scalar(misfit, bounds=(0, 0.9), method="bounded", options={"xatol": 1e-10})
        assert found.matrix().loc["q1", "spend"] == pytest.approx(best.x, abs=1e-7)
        assert list(of_kind(found, "polyserial")["term"]) == ["q1 ~~ spend"]


class TestDesign:
    def test_single_respondents_as_units_change_nothing(self):
        names, options = ["q1", "q2", "spend"], {"continuous": "spend"}
        one = polychoric(survey(weight="w"), names, **options).estimates
        two = polychoric(survey(weight="w", psu="own"), names, **options).estimates
        np.testing.assert_allclose(two.se, one.se, rtol=1e-9)
        assert two.df == 599
        assert two.provenance.variance == "linearisation"

    def test_sums_of_units_in_parts_are_the_same(self, monkeypatch):
        source, names = survey(weight="w", psu="hall", stratum="branch"), [*ITEMS, "spend"]
        whole = polychoric(source, names, continuous="spend").estimates.vcov
        monkeypatch.setattr(influence, "_AT_ONCE", 100 * 40.0)
        np.testing.assert_allclose(
            polychoric(source, names, continuous="spend").estimates.vcov, whole, rtol=1e-9, atol=0
        )

    def test_replicate_weights_and_linearisation_agree(self):
        one = polychoric(survey(weight="w", psu="hall"), ["q1", "q2"]).estimates
        two = polychoric(survey(weight="w", psu="hall", replication=Replication("JK1")), ["q1", "q2"]).estimates
        np.testing.assert_allclose(two.se, one.se, rtol=1e-9)

    def test_clusters_move_standard_errors_of_a_model(self):
        data = answers().sort_values("q1").assign(hall=np.repeat(np.arange(60).astype(str), 10))
        plain, units = fit(survey(data)), fit(survey(data, psu="hall"))
        np.testing.assert_allclose(units.optimum.theta, plain.optimum.theta, rtol=0.2)
        ratio = units.parameters.se / plain.parameters.se
        first = list(units.parameters.term).index("q1 | t2")
        assert ratio[first] > 2
        assert "linearisation" in units.provenance.variance
        assert "respondents" in plain.provenance.variance


class TestLatentResponses:
    def chain(self):
        """Items that explain items: A path model in which the residual variances of explained items follow."""
        model = Model("b ~ a\nc ~ b + a\nd ~ c + b\nc ~~ 0*e\ne ~ d\nf =~ g + h\ng ~ e")
        ordered = {"a", "b", "c", "d", "g", "h"}
        rows = with_units(model.expand(fixed_x=False), ordered)
        size = len(model.observed)
        return model, build(rows, model.observed, [np.eye(size)], [None])

    def test_variances_of_latent_responses_are_one(self):
        model, layout = self.chain()
        theta = np.linspace(0.1, 0.5, len(layout.names))
        variance = dict(zip(model.observed, np.diag(evaluate(layout, theta).points[0].sigma), strict=True))
        for name in ("a", "b", "c", "d", "g", "h"):
            assert variance[name] == pytest.approx(1, abs=1e-13)
        assert variance["e"] != pytest.approx(1, abs=1e-3)

    def test_derivatives_are_those_of_the_values(self):
        model, layout = self.chain()
        k, p, step = len(layout.names), len(model.observed), 1e-6
        theta = np.linspace(0.1, 0.5, k)
        rng = np.random.default_rng(2)
        weight = rng.uniform(0.5, 2, (p, p))
        for of, _ in layout.groups[0].units:
            weight[of, of] = 0.0
        cov = 0.3 + 0.7 * np.eye(p)
        function = DiagonalLeastSquares((Sample(cov, None),), (weight + weight.T,), (np.zeros(p),))
        ends = [[evaluate(layout, theta + sign * step * unit) for sign in (1, -1)] for unit in np.eye(k)]
        slopes = [(function.value(up) - function.value(down)) / (2 * step) for up, down in ends]
        np.testing.assert_allclose(function.gradient(evaluate(layout, theta)), slopes, rtol=0, atol=1e-8)
        bends = [(function.gradient(up) - function.gradient(down)) / (2 * step) for up, down in ends]
        np.testing.assert_allclose(hessian(layout, function, theta), bends, rtol=0, atol=1e-8)
        state = evaluate(layout, theta)
        by_sigma = state.collect(0, state.points[0].jacobian()[0].reshape(p * p, -1)).reshape(p, p, k)
        rises = [(up.points[0].sigma - down.points[0].sigma) / (2 * step) for up, down in ends]
        np.testing.assert_allclose(by_sigma, np.stack(rises, axis=-1), rtol=0, atol=1e-8)
        metric = np.linalg.inv(cov)
        short = state.points[0].curvature(metric, means=False)
        cells = state.points[0].jacobian()[0]
        long = np.einsum("ab,bcx,cd,day->xy", metric, cells, metric, cells)
        np.testing.assert_allclose(short, long, rtol=1e-10, atol=1e-12)

    def test_replicates_are_evaluated_together(self):
        _, layout = self.chain()
        theta = np.linspace(0.1, 0.5, len(layout.names))
        both = evaluate(layout, np.stack([theta, 0.8 * theta])).points[0]
        for r, factor in enumerate((1.0, 0.8)):
            one = evaluate(layout, factor * theta).points[0]
            np.testing.assert_allclose(both.sigma[r], one.sigma, rtol=1e-13)
            np.testing.assert_allclose(both.jacobian()[0][r], one.jacobian()[0], rtol=1e-11, atol=1e-13)

    def test_a_saturated_chain_of_items_reproduces_their_correlations(self):
        source = survey()
        found = fit(source, "q2 ~ q1\nq3 ~ q2 + q1", fixed_x=False)
        names = list(found.observed)
        pd.testing.assert_frame_equal(found.implied(), polychoric(source, names).matrix(), rtol=1e-8)
        assert found.measures.df == 0
        assert found.measures.chisq == pytest.approx(0, abs=1e-10)

    def test_a_single_item_stands_for_its_construct(self):
        source = survey()
        one = fit(source, "quality =~ q1 + q2 + q3\nlone =~ q4\nlone ~ quality")
        two = fit(source, "quality =~ q1 + q2 + q3\nq4 ~ quality")
        assert one.measures.chisq == pytest.approx(two.measures.chisq, abs=1e-8)
        frame = one.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
        assert frame["q4", "~~", "q4"] == 0
        assert frame["lone", "~~", "lone"] == pytest.approx(
            two.tidy().set_index(["lhs", "op", "rhs"])["estimate"]["q4", "~~", "q4"], abs=1e-7
        )


class TestModels:
    def test_population_is_recovered(self):
        found = fit(survey(answers(40_000, seed=9)))
        loads = found.tidy().query("op == '=~'")["std_all"]
        np.testing.assert_allclose(loads, [0.8, 0.7, 0.6, 0.75, 0.65, 0.7], atol=0.02)
        between = found.tidy().query("lhs == 'quality' and rhs == 'loyalty'")["std_all"]
        assert between.iloc[0] == pytest.approx(0.5, abs=0.02)
        assert found.measures.df == 8
        assert found.robust.scaled.p_scaled > 0.001

    def test_thresholds_are_parameters(self):
        found = fit(survey())
        frame, names = found.tidy(), found.parameters.term
        cuts = frame[frame["op"] == "|"]
        assert list(cuts["rhs"]) == ["t1", "t2", "t3"] * 6
        assert np.array_equal(cuts["std_all"], cuts["estimate"])
        assert found.measures.npar == len(names) == 4 + 3 + 18
        np.testing.assert_allclose(found.parameters.se[names.index("q1 | t1")], cuts["se"].iloc[0])
        correlations = polychoric(survey(), list(found.observed))
        np.testing.assert_allclose(cuts["se"], of_kind(correlations, "threshold")["se"], rtol=1e-10)
        assert found.thresholds.answers["q1"] == (1.0, 2.0, 3.0, 4.0)

    def test_order_of_items_and_unit_of_constructs_do_not_matter(self):
        source = survey()
        one, two = fit(source), fit(source, "loyalty =~ q6 + q4 + q5\nquality =~ q3 + q1 + q2", std_lv=True)
        assert two.measures.chisq == pytest.approx(one.measures.chisq, rel=1e-8)
        assert two.robust.scaled.chisq_scaled == pytest.approx(one.robust.scaled.chisq_scaled, rel=1e-8)
        ours = one.standardized().set_index(["lhs", "op", "rhs"])
        theirs = (
            two.standardized()
            .set_index(["lhs", "op", "rhs"])
            .loc[ours.index.difference([("quality", "~~", "loyalty")])]
        )
        np.testing.assert_allclose(theirs["estimate"], ours.loc[theirs.index, "estimate"], atol=1e-7)
        np.testing.assert_allclose(theirs["se"], ours.loc[theirs.index, "se"], atol=1e-7)

    def test_plain_and_robust_estimates_are_the_same(self):
        source = survey()
        plain, robust = fit(source, estimator="DWLS"), fit(source)
        np.testing.assert_allclose(plain.optimum.theta, robust.optimum.theta, rtol=1e-12)
        assert plain.robust is None
        assert plain.measures.chisq == robust.measures.chisq
        assert not np.allclose(plain.parameters.se[:10], robust.parameters.se[:10], rtol=0.01)
        assert "chisq_scaled" in robust.glance()
        assert "chisq_scaled" not in plain.glance()
        assert "scaled χ²(8)" in repr(robust)

    def test_groups_without_equality_are_separate_fits(self):
        data = answers()
        both = fit(survey(data), group="branch")
        parts = [fit(survey(data[data["branch"] == label])) for label in both.groups]
        assert both.measures.chisq == pytest.approx(sum(part.measures.chisq for part in parts), rel=1e-8)
        frame = both.tidy()
        for label, part in zip(both.groups, parts, strict=True):
            ours = frame[frame["group"] == label]
            np.testing.assert_allclose(ours["estimate"], part.tidy()["estimate"], atol=1e-7)
            np.testing.assert_allclose(ours["se"], part.tidy()["se"], atol=1e-7)
        assert "q1 | t1 (north)" in both.parameters.term

    def test_equal_loadings_over_groups(self):
        found = fit(survey(), group="branch", equal="loadings")
        loads = found.tidy().query("op == '=~'")
        for _, pair in loads.groupby(["lhs", "rhs"]):
            assert pair["estimate"].nunique() == 1
        assert found.measures.df == 8 + 8 + 4

    def test_a_measurement_beside_items_keeps_its_mean_and_variance(self):
        data = answers()
        found = fit(survey(data), "quality =~ q1 + q2 + q3 + spend", ordered=["q1", "q2", "q3"])
        frame = found.tidy().set_index(["lhs", "op", "rhs"])
        assert frame.loc[("spend", "~1", ""), "estimate"] == pytest.approx(data["spend"].mean())
        assert frame.loc[("q1", "~1", ""), "se"] == 0
        assert found.implied().loc["spend", "spend"] == pytest.approx(data["spend"].var(ddof=0))
        assert found.robust.scaled.chisq_scaled > 0
        assert np.isnan(found.robust.scaled.cfi_robust)
        assert "scaled CFI" in repr(found)

    def test_an_item_of_two_constructs_starts_well(self):
        found = fit(survey(), "quality =~ q1 + q2 + q3 + q4\nloyalty =~ q4 + q5 + q6 + q1")
        assert found.converged
        np.testing.assert_allclose(np.diag(found.implied()), 1, rtol=1e-12)

    def test_definitions_and_constraints(self):
        found = fit(survey(), CFA.replace("q2 +", "a*q2 +").replace("q5", "b*q5") + "\na == b\nboth := a + b")
        values = found.tidy().set_index("label")["estimate"]
        assert values["a"].tolist() if hasattr(values["a"], "tolist") else values["a"] == pytest.approx(values["b"])
        assert values["both"] == pytest.approx(2 * values["b"])
        assert found.measures.df == 9


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "wording"),
        [
            ({"ordered": ()}, "estimator='WLSMV' is for ordered items"),
            ({"ordered": False}, "ordered=True for all"),
            ({"ordered": "q9"}, "ordered='q9' is not known; choose one of 'q1'"),
            ({"ordered": 5}, "ordered must be a name or several"),
            ({"estimator": "ML"}, "estimator='ML' takes answers as numbers; for ordered=… use estimator='WLSMV'"),
            ({"likelihood": "wishart"}, "likelihood='wishart' is for estimator='ML'"),
            ({"engine": "semopy"}, "second opinion on estimator='ML' only"),
            ({"group": "branch", "equal": "intercepts"}, "own thresholds of ordered items.*can share 'loadings'"),
        ],
    )
    def test_options(self, options, wording):
        with pytest.raises(OptionError, match=wording):
            fit(survey(), **options)

    def test_predictors_that_are_taken_as_given(self):
        with pytest.raises(OptionError, match=r"'spend': observed predictors cannot be taken as given.*fixed_x=False"):
            fit(survey(), "quality =~ q1 + q2 + q3\nquality ~ spend", ordered=ITEMS[:3])

    @pytest.mark.parametrize(
        ("model", "wording"),
        [
            (CFA + "\nq1 ~ 1", "'q1' cannot have an intercept here"),
            (CFA + "\nquality ~ 1", "'quality' cannot have an intercept here"),
            (CFA + "\nq1 ~~ 0.5*q1", "q1 ~~ 0.5\\*q1: the residual variance of an ordered item.*cannot be fixed"),
            (CFA + "\nq1 ~~ v*q1\nq2 ~~ v*q2", "'v' labels the variance of 'q1', which follows from"),
            (CFA + "\nq1 ~~ v*q1\nv == 0.4", "'v' labels the variance of 'q1'"),
        ],
    )
    def test_models(self, model, wording):
        with pytest.raises(ModelError, match=wording):
            fit(survey(), model)

    def test_a_fixed_share_of_error_of_a_single_item(self):
        """A reliability of .7: the construct has the rest of the variance of 1."""
        found = fit(survey(), "quality =~ q1 + q2 + q3\nlone =~ q4\nq4 ~~ 0.3*q4\nlone ~~ quality")
        frame = found.tidy().set_index(["lhs", "op", "rhs"])["estimate"]
        assert frame["lone", "~~", "lone"] == pytest.approx(0.7)

    def test_a_label_of_a_residual_variance_may_be_used_in_definitions(self):
        found = fit(survey(), CFA + "\nq1 ~~ v*q1\nexplained := 1 - v")
        frame = found.tidy().set_index("label")
        assert frame.loc["explained", "estimate"] == pytest.approx(found.r2.set_index("term").loc["q1", "r2"])
        assert frame.loc["explained", "se"] == pytest.approx(frame.loc["v", "se"])

    def test_too_few_indicators(self):
        with pytest.raises(ModelIdentificationError, match="quality =~ q2"):
            fit(survey(), "quality =~ q1 + q2")

    def test_summaries_have_no_answers(self):
        source = from_covariance(np.eye(6), 100, names=ITEMS)
        for call in (lambda: fit(source), lambda: polychoric(source, ITEMS)):
            with pytest.raises(SampleError, match="Correlating ordered items needs the respondents' rows"):
                call()

    def test_unknown_items(self):
        with pytest.raises(UnknownColumnError, match=r"No column 'q9'.*its constructs are 'quality'"):
            fit(survey(), "quality =~ q1 + q2 + q9")
        with pytest.raises(UnknownColumnError, match="No column 'q9'"):
            polychoric(survey(), ["q1", "q9"])

    def test_names(self):
        with pytest.raises(OptionError, match="two or more different variables"):
            polychoric(survey(), "q1")
        with pytest.raises(OptionError, match="two or more different variables"):
            polychoric(survey(), ["q1", "q1"])
        with pytest.raises(OptionError, match="Name the items to correlate"):
            polychoric(survey())
        with pytest.raises(OptionError, match="continuous='q9' is not known"):
            polychoric(survey(), ["q1", "q2"], continuous="q9")
        with pytest.raises(OptionError, match="group='east' is not known"):
            polychoric(survey(), ["q1", "q2"], by="branch").matrix("east")

    @pytest.mark.parametrize(
        ("change", "wording"),
        [
            (lambda d: d.assign(q2=4), "'q2' has only 4: an ordered item needs at least two categories"),
            (lambda d: d.assign(q2=np.nan), "'q2' has no answers"),
            (lambda d: d.assign(q2=np.arange(len(d)) % 13), "'q2' has 13 different answers, from 0 to 12; up to 12"),
            (lambda d: d.assign(q2=d["q2"].map({1: "bad", 2: "fair", 3: "good", 4: "top"})), "holds categories"),
        ],
    )
    def test_items_that_are_no_scale(self, change, wording):
        with pytest.raises(SampleError, match=wording):
            polychoric(read_survey(change(answers())), ["q1", "q2"])

    def test_a_category_that_a_group_lacks(self):
        data = answers()
        data.loc[(data["branch"] == "north") & (data["q2"] == 4), "q2"] = 3
        with pytest.raises(SampleError, match=r"Nobody in group 'north'.* chose 4 of 'q2', though others did"):
            polychoric(survey(data), ["q1", "q2"], by="branch")

    def test_a_category_that_complete_answers_lack(self):
        data = answers()
        data.loc[data["q2"] == 4, "q1"] = np.nan
        with pytest.raises(SampleError, match=r"Nobody with an answer to every question chose 4 of 'q2'"):
            polychoric(survey(data), ["q1", "q2"])

    def test_a_measurement_without_variation_or_of_two_values(self):
        with pytest.raises(SampleError, match="No variation in 'spend'"):
            polychoric(survey(answers().assign(spend=3.0)), ["q1", "spend"], continuous="spend")
        halves = answers().assign(spend=lambda d: (d["spend"] > 3).astype(float))
        with pytest.raises(SampleError, match=r"'spend' takes only two values.*among the ordered items"):
            polychoric(survey(halves), ["q1", "spend"], continuous="spend")


class TestDoubts:
    def test_rare_answers_are_named_and_kept(self):
        data = answers()
        data.loc[[3, 8], "q2"] = 9
        with pytest.warns(SparseCategoryWarning, match=r"fewer than 5 answers: q2 = 9 \(2\).*kept, not merged"):
            found = polychoric(survey(data), ["q1", "q2"])
        assert found.answers[1] == (1.0, 2.0, 3.0, 4.0, 9.0)
        assert "q2 = 9 (2)" in found.notes[0]
        data.loc[4, "branch"], data.loc[[3, 8], "branch"] = "south", "north"
        data.loc[4, "q2"] = 9
        with pytest.warns(SparseCategoryWarning, match=r"q2 = 9 \(2 in north\), q2 = 9 \(1 in south\)"):
            polychoric(survey(data), ["q1", "q2"], by="branch")

    def test_answers_that_nobody_gave_are_noted(self, study):
        text = (
            '[study]\nname = "s"\n[scales.s]\nlow = 1\nhigh = 5\n[items]\nq1 = { scale = "s" }\nq2 = { scale = "s" }\n'
        )
        found = polychoric(read_survey(answers()[["q1", "q2"]], study(text)))
        assert found.answers[0] == (1, 2, 3, 4)
        assert any("Nobody chose q1 = 5, q2 = 5" in note for note in found.notes)

    def test_items_that_tell_each_other_correlate_at_one(self):
        data = answers().assign(q2=lambda d: d["q1"], q3=lambda d: 5 - d["q1"])
        with pytest.warns(PerfectCorrelationWarning, match="q1 and q2, q1 and q3, q2 and q3 correlate at ±1"):
            found = polychoric(survey(data), ["q1", "q2", "q3", "q4"])
        frame = of_kind(found, "polychoric").set_index("term")
        assert frame.loc["q1 ~~ q2", "estimate"] == 1
        assert frame.loc["q1 ~~ q3", "estimate"] == -1
        assert np.isnan(frame.loc["q1 ~~ q2", "se"])
        assert "no standard error" in frame.loc["q1 ~~ q2", "note"]
        assert frame.loc["q1 ~~ q4", "se"] > 0
        with pytest.raises(CollinearityError, match=r"'q1' and 'q2' correlate perfectly \(\+1\)"):
            fit(survey(data), "quality =~ q1 + q2 + q4")

    def test_an_empty_cell_of_four_is_filled_by_a_half(self):
        data = pd.DataFrame({"a": [0] * 40 + [1] * 60, "b": [0] * 40 + [0] * 10 + [1] * 50})
        found = polychoric(read_survey(data), ["a", "b"])
        assert found.notes == (
            "1 table(s) of two-category items have an empty cell; ½ was added there, with the margins kept, for the "
            "correlation not to be ±1.",
        )
        first, second = of_kind(found, "threshold")["estimate"]
        assert binormal_cdf(first, second, found.matrix().loc["a", "b"]) == pytest.approx(0.395, abs=1e-12)
        assert found.glance().loc[0, "empty_cells"] == 1

    def test_correlations_that_contradict_each_other(self):
        rng = np.random.default_rng(1)
        y = rng.normal(size=(80, 1)) + 0.4 * rng.normal(size=(80, 8))
        data = pd.DataFrame((y > rng.normal(size=8) * 0.5).astype(int), columns=[f"v{i}" for i in range(8)])
        with pytest.warns(IndefiniteCorrelationWarning, match=r"not positive definite \(smallest eigenvalue -0"):
            found = polychoric(read_survey(data), list(data))
        assert found.glance().loc[0, "smallest_eigenvalue"] < 0

    def test_a_measurement_far_from_normal(self):
        data = answers().assign(spend=lambda d: np.exp(d["spend"]))
        with pytest.warns(KurtosisWarning, match=r"Kurtosis of spend \(.*far from that of a normal variable, 3"):
            polychoric(survey(data), ["q1", "spend"], continuous="spend")

    def test_a_negative_residual_variance_is_reported(self):
        """Correlations .8, .8 and .4 need a loading of √1.6."""
        root = np.linalg.cholesky([[1.0, 0.8, 0.8], [0.8, 1.0, 0.4], [0.8, 0.4, 1.0]])
        y = np.random.default_rng(8).normal(size=(800, 3)) @ root.T
        data = pd.DataFrame((y[:, :, None] > [-0.7, 0.6]).sum(axis=2), columns=["a", "b", "c"])
        with pytest.warns(NegativeVarianceWarning, match=r"Heywood case\).*a \(-0\.[4-8]"):
            found = sem(read_survey(data), "f =~ b + c + a", estimator="WLSMV", ordered=True)
        assert found.r2["r2"].isna().sum() == 1


def test_a_survey_of_24_items_takes_a_moment():
    """Ten categories each: thresholds, 276 correlations, their joint covariance and a model."""
    from time import perf_counter

    rng = np.random.default_rng(3)
    y = rng.normal(size=(2000, 3))[:, np.arange(24) % 3] * 0.7 + rng.normal(size=(2000, 24)) * 0.7
    cuts = np.quantile(y, np.linspace(0, 1, 11)[1:-1], axis=0)
    data = pd.DataFrame((y[:, None, :] > cuts).sum(axis=1), columns=[f"v{i}" for i in range(24)])
    model = "\n".join(f"f{k} =~ " + " + ".join(f"v{i}" for i in range(k, 24, 3)) for k in range(3))
    source = read_survey(data)
    fit(source, model)
    start = perf_counter()
    found = fit(source, model)
    assert perf_counter() - start < 5
    assert len(found.parameters.term) == 24 * 9 + 24 + 3
