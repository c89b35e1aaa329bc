"""Regression: what it promises, laws, groups, and wrong input in words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Replication
from csat.drivers.linear.least_squares import fit_least_squares
from csat.drivers.terms import Factor
from csat.moments import Recode
from csat.survey import Survey

COV = pd.DataFrame(
    [[1.0, 0.5, 0.3, 0.6], [0.5, 1.0, 0.2, 0.4], [0.3, 0.2, 1.0, 0.3], [0.6, 0.4, 0.3, 1.0]],
    index=list("abcy"), columns=list("abcy"),
)  # fmt: skip
CLUSTERED = csat.Design(weight="w", psu="hall")


@pytest.fixture
def data(rng):
    n = 300
    x = rng.normal(loc=6, size=(n, 4)) @ (np.eye(4) + 0.4)
    frame = pd.DataFrame(x, columns=[f"x{j}" for j in range(4)]).assign(w=rng.uniform(0.5, 2, n))
    frame["y"] = x @ np.arange(4) / 2 + rng.normal(size=n)
    frame["hall"] = (np.arange(n) // 10).astype(str)
    frame["brand"] = rng.choice(["easyown", "gotone", "mzone"], n)
    frame["branch"] = np.array(["xian", "yulin", "hanzhong"])[np.arange(n) % 3]
    return frame


@pytest.fixture
def survey(data):
    return csat.read_survey(data, design=CLUSTERED)


class TestPublished:
    def test_slopes_of_a_printed_matrix(self):
        got = csat.regress(csat.from_covariance(COV, n=100), "y", ["a", "b", "c"], se="classical")
        assert_allclose(got.beta[1:], np.linalg.solve(COV.iloc[:3, :3], COV.iloc[:3, 3]), rtol=1e-12)
        assert np.isnan(got.coefficients.estimate[0])  # no means were published, so there is no intercept
        assert got.tidy()["note"].tolist() == ["this source is a summary without rows", "", "", ""]
        assert np.isnan(got.condition)  # indices are about the columns as they are, with their means
        assert got.n_eff == 100
        assert np.isfinite(got.aic)

    @pytest.mark.parametrize("se", ["design", "HC0", "HC3"])
    def test_errors_of_rows_need_rows(self, se):
        with pytest.raises(csat.CsatError, match=r"needs the respondents' rows.*pass a Survey"):
            csat.regress(csat.from_covariance(COV, n=100), "y", ["a"], se=se)

    def test_the_origin_needs_means(self):
        with pytest.raises(csat.CsatError, match=r"through the origin needs the means.*keep the intercept"):
            csat.regress(csat.from_covariance(COV, n=100), "y", ["a"], se="classical", intercept=False)
        given = csat.from_covariance(COV, n=100, mean=[1.0, 2, 3, 4], divisor="n")
        got = csat.regress(given, "y", ["a"], se="classical", intercept=False)
        assert_allclose(got.coefficients.estimate, (0.6 + 1 * 4) / (1 + 1 * 1), rtol=1e-12)

    def test_nothing_is_refined_without_rows(self):
        near = pd.DataFrame(
            [[1, 1 - 1e-8, 0.5], [1 - 1e-8, 1, 0.5], [0.5, 0.5, 1]], index=list("aby"), columns=list("aby")
        )
        got = csat.regress(csat.from_covariance(near, n=50, mean=[0, 0, 0]), "y", ["a", "b"], se="classical")
        assert got.further["refined"] == 0
        assert got.vif[1] > 1e6


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"drivers": ["x0", "x0"]}, "'x0' is named twice"),
            ({"drivers": ["y"]}, "'y' is named twice"),
            ({"drivers": ["nope"]}, "No column 'nope'"),
            ({"drivers": ["brand:x0"]}, "Interaction 'brand:x0' without 'x0': .* no effect. Name 'x0' as a driver too"),
            ({"se": "HC9"}, "se='HC9' is not known; choose one of 'design'"),
            ({"family": "probit"}, "family='probit' is not known; choose one of 'linear'"),
            ({"intercept": "no"}, "intercept is True or False; found str 'no'"),
            ({"family": "logit", "intercept": False}, "intercept=False is for family='linear'"),
            ({"level": 95}, "the confidence level lies between 0 and 1"),
            ({"complete": 7}, "complete are names of variables; found int 7"),
            ({"complete": ["nope"]}, "No column 'nope'"),
            ({"complete": [Recode("x0", "x1", {1.0: 1.0})]}, "another variable named 'x0' in the model"),
            ({"by": ["branch", "branch"]}, "by names column 'branch' twice"),
        ],
    )  # fmt: skip
    def test_wrong_calls_say_what_to_do(self, data, options, message):
        wanted = {"outcome": "y", "drivers": ["x0"]} | options
        with pytest.raises(csat.CsatError, match=message):
            csat.regress(csat.read_survey(data), **wanted)

    def test_more_coefficients_than_can_be_compared(self, data):
        many = data.assign(**{f"z{j}": data["x0"] ** 2 + j for j in range(20)})
        with pytest.raises(csat.CsatError, match="Column 'w' has 300 different values: 300 groups × 21 figures"):
            csat.regress(csat.read_survey(many), "y", [f"z{j}" for j in range(20)], by="w")

    @pytest.mark.parametrize("name", ["beta", "condition", "share"])
    def test_a_group_named_like_a_figure_is_refused(self, data, name):
        with pytest.raises(csat.CsatError, match=f"column '{name}' has the name of a result's column"):
            csat.regress(csat.read_survey(data.rename(columns={"branch": name})), "y", ["x0"], by=name)

    def test_too_few_answers(self):
        data = pd.DataFrame({"y": [1.0, 2, 3], "a": [2.0, 1, 3], "b": [1.0, 5, 2]})
        with pytest.raises(csat.CsatError, match="needs at least 4 complete answers; 3 found"):
            csat.regress(csat.read_survey(data), "y", ["a", "b"])

    def test_more_drivers_than_units(self, data):
        source = csat.read_survey(
            data.assign(psu=(np.arange(len(data)) % 3).astype(str)), design=csat.Design(psu="psu")
        )
        with pytest.raises(csat.CsatError, match="4 drivers but only 2 degrees of freedom"):
            csat.regress(source, "y", ["x0", "x1", "x2", "x3"])


class TestCollinear:
    def test_an_exact_combination_is_named(self, data):
        data["copy"] = 2 * data["x1"] - data["x3"]
        with pytest.raises(csat.CsatError, match="'copy' is an exact linear combination of 'x1', 'x3'"):
            csat.regress(csat.read_survey(data), "y", ["x0", "x1", "x2", "x3", "copy"])

    def test_a_category_that_repeats_another_is_named_as_a_whole(self, data):
        data["city"] = data["branch"].str.upper()
        with pytest.raises(csat.CsatError, match="'city' is an exact linear combination of 'branch'"):
            csat.regress(csat.read_survey(data), "y", ["x0", "branch", "city"])

    def test_an_interaction_that_repeats_its_part_is_named(self, data):
        data["x1"] = np.where(data["brand"] == "easyown", 1.0, data["x1"])
        with pytest.raises(csat.CsatError, match="'x1:brand' is an exact linear combination of 'x1', 'brand'"):
            csat.regress(csat.read_survey(data), "y", ["x0", "x1", "brand", "x1:brand"])

    def test_a_reference_level_without_complete_answers(self, data):
        data.loc[data["brand"] == "easyown", "x0"] = np.nan
        with pytest.raises(csat.CsatError, match="'brand=mzone' is an exact linear combination of 'brand=gotone'"):
            csat.regress(csat.read_survey(data), "y", ["x0", "brand"])

    def test_a_constant_driver_is_named(self, data):
        with pytest.raises(csat.CsatError, match="No variation in 'flat'"):
            csat.regress(csat.read_survey(data.assign(flat=3.0)), "y", ["x0", "flat"])

    def test_a_constant_is_the_intercept_of_a_regression_through_the_origin(self, data):
        source = csat.read_survey(data.assign(one=1.0), design=CLUSTERED)
        usual = csat.regress(source, "y", ["x0"]).coefficients
        origin = csat.regress(source, "y", ["one", "x0"], intercept=False).coefficients
        assert_allclose(origin.estimate, usual.estimate, rtol=1e-10)
        assert_allclose(origin.vcov, usual.vcov, rtol=1e-9)
        assert origin.df == usual.df

    def test_a_nearly_constant_driver_of_large_size_is_kept(self, data, rng):
        got = csat.regress(csat.read_survey(data.assign(year=2020 + rng.integers(0, 2, 300))), "y", ["x0", "year"])
        assert np.isfinite(got.coefficients.se).all()


class TestPromises:
    @pytest.mark.parametrize("se", ["design", "classical", "HC0", "HC1", "HC2", "HC3"])
    def test_an_exact_regression_is_not_tested(self, data, se):
        data["y"] = 2 * data["x1"] - data["x2"] / 3 + 5
        got = csat.regress(csat.read_survey(data), "y", ["x1", "x2"], se=se)
        assert_allclose(got.coefficients.estimate, [5, 2, -1 / 3])
        assert (got.coefficients.se == 0).all()
        assert got.r2 == pytest.approx(1)
        frame = got.tidy()
        assert frame[["statistic", "p"]].isna().all(axis=None)
        assert set(frame["note"]) == {"nothing varies: no test"}
        assert np.isnan(got.test.p)
        assert got.terms[["f", "p"]].isna().all(axis=None)
        assert got.loglik == np.inf

    def test_an_exact_regression_with_a_driver_without_effect(self):
        corners = pd.DataFrame({"a": [-1.0, -1, 1, 1], "b": [-1.0, 1, -1, 1], "y": [-2.0, -2, 2, 2]})
        got = csat.regress(csat.read_survey(corners), "y", ["a", "b"], se="classical")
        assert_allclose(got.coefficients.estimate, [0, 2, 0], atol=1e-15)
        assert_allclose(got.partial, [np.nan, 1, np.nan])

    def test_drivers_may_be_one_name_or_a_recode(self, survey, data):
        one = csat.regress(survey, "y", "x1").coefficients.estimate
        assert_allclose(csat.regress(survey, "y", ["x1"]).coefficients.estimate, one)
        mzone = Recode("is_mzone", "brand", {"mzone": 1.0, "gotone": 0.0, "easyown": 0.0})
        got = csat.regress(survey, mzone, ["x1", Factor("brand", "mzone")][:1])
        by_hand = csat.regress(
            csat.read_survey(data.assign(m=data["brand"] == "mzone").astype({"m": float}), design=CLUSTERED),
            "m",
            ["x1"],
        )
        assert got.outcome == "is_mzone"
        assert_allclose(got.coefficients.vcov, by_hand.coefficients.vcov, rtol=1e-10)

    def test_complete_fixes_the_sample(self, data):
        data.loc[:49, "x3"] = np.nan
        data.loc[50:59, "brand"] = None
        source = csat.read_survey(data, design=CLUSTERED)
        assert (csat.regress(source, "y", ["x0"]).n, csat.regress(source, "y", ["x0"], complete=["x3"]).n) == (300, 250)
        got = csat.regress(source, "y", ["x0"], complete=["x3", "brand", "x0:x3"])
        assert (got.n, got.left_out) == (240, 60)
        rows = data.dropna(subset=["x3", "brand"])
        alone = csat.regress(csat.read_survey(rows, design=CLUSTERED), "y", ["x0"])
        assert_allclose(got.coefficients.estimate, alone.coefficients.estimate, rtol=1e-12)

    def test_one_respondent_who_decides_alone_leaves_no_jackknifed_error(self, data):
        data["vip"] = (np.arange(300) == 7).astype(float)
        got = csat.regress(csat.read_survey(data), "y", ["x0", "vip"], se="HC3")
        assert np.isnan(got.coefficients.se).all()
        assert set(got.tidy()["note"]) == {
            "a respondent determines a coefficient alone: it has no standard error of this kind"
        }
        other = csat.regress(csat.read_survey(data), "y", ["x0", "vip"], se="HC1").coefficients
        assert np.isfinite(other.se).tolist() == [True, True, False]

    def test_a_replicate_that_defines_no_coefficient_is_an_error_in_words(self, data):
        data["rare"] = (data["hall"] == "3").astype(float) * data["x0"]
        source = csat.read_survey(data, design=CLUSTERED).replicated(Replication("JKn"))
        with pytest.raises(csat.CsatError, match="One of the replicates leaves too few different answers"):
            csat.regress(source, "y", ["x1", "rare"])

    def test_tables_have_their_columns(self, survey):
        got = csat.regress(survey, "y", ["x0", "brand"])
        assert list(got.tidy()) == [
            "term", "estimate", "se", "statistic", "df", "p", "low", "high", "n", "n_eff", "beta", "partial",
            "semipartial", "vif", "tolerance", "note",
        ]  # fmt: skip
        assert list(got.glance()) == [
            "outcome", "family", "n", "left_out", "r2", "adj_r2", "sigma", "f", "df1", "df2", "p", "aic", "bic",
            "loglik", "condition", "n_eff", "rule", "se", "version", "refined",
        ]  # fmt: skip
        assert list(got.terms) == ["term", "df", "f", "df2", "p", "gvif", "gvif_scaled"]
        assert got.terms["term"].tolist() == ["x0", "brand"]
        assert_allclose(got.terms["gvif"][0], got.vif[1])
        assert_allclose(got.vif * got.tolerance, [np.nan, 1, 1, 1])
        shares = got.collinearity.groupby("term")["share"].sum()
        assert_allclose(shares, 1)

    def test_representations_are_short_deterministic_and_escaped(self):
        name = "<b>a</b>"
        source = csat.from_covariance([[1, 0.5], [0.5, 1]], n=50, names=[name, "y"], mean=[0, 0])
        got = csat.regress(source, "y", [name], se="classical")
        assert repr(got) == repr(csat.regress(source, "y", [name], se="classical"))
        assert "<b>" not in got._repr_html_()
        assert "&lt;b&gt;a" in got._repr_html_()

    @pytest.mark.parametrize(
        ("design", "se", "passes"),
        [
            (csat.Design(), "classical", 1), (csat.Design(), "design", 2), (csat.Design(weight="w"), "classical", 1),
            (csat.Design(weight="w"), "HC3", 2), (CLUSTERED, "design", 1),
        ],
    )  # fmt: skip
    def test_rows_are_read_no_more_often_than_needed(self, data, monkeypatch, design, se, passes):
        read = []
        batches = Survey.batches
        monkeypatch.setattr(Survey, "batches", lambda self, columns: read.append(1) or batches(self, columns))
        csat.regress(csat.read_survey(data, design=design), "y", ["x0", "x1"], se=se)
        assert len(read) == passes


class TestJointTests:
    def test_one_coefficient_is_its_t_test(self, survey):
        got = csat.regress(survey, "y", ["x0", "x1", "brand"])
        t = got.tidy().set_index("term").loc["x1"]
        for test in (got.test_of("x1"), got.test_of(["x1"])):
            assert_allclose([test.statistic, test.p, test.df2], [t["statistic"] ** 2, t["p"], t["df"]], rtol=1e-9)
        assert_allclose(got.terms.set_index("term").loc["x1", ["f", "p"]].astype(float), [t["statistic"] ** 2, t["p"]])

    def test_all_terms_together_are_the_overall_test(self, survey):
        got = csat.regress(survey, "y", ["x0", "brand"])
        assert_allclose(got.test_of(["x0", "brand"]).statistic, got.test.statistic, rtol=1e-10)
        assert_allclose(got.test_of(["x0", "brand=mzone", "brand=gotone"]).p, got.test.p, rtol=1e-10)

    @pytest.mark.parametrize(
        ("asked", "message"),
        [
            ("x9", "No column 'x9' in this regression. Did you mean 'x0'"),
            ([], "No term is named"),
            (3, "terms must be"),
        ],
    )
    def test_unknown_terms_are_refused(self, survey, asked, message):
        with pytest.raises(csat.CsatError, match=message):
            csat.regress(survey, "y", ["x0"]).test_of(asked)


class TestGroups:
    def test_a_row_per_group(self, survey):
        got = csat.regress(survey, "y", ["x0", "brand"], by="branch")
        assert got.groups == [("hanzhong",), ("xian",), ("yulin",)]
        glance = got.glance()
        assert glance["branch"].tolist() == ["hanzhong", "xian", "yulin"]
        assert glance["n"].tolist() == [100, 100, 100]
        assert glance["ungrouped"].tolist() == [0, 0, 0]
        assert got.tidy()["branch"].tolist() == sorted(["hanzhong", "xian", "yulin"] * 4)
        assert len(got.terms) == 6
        assert len(got.collinearity) == 3 * 16
        assert got.coefficients.vcov.shape == (12, 12)

    def test_left_out_is_counted_in_its_group(self, data):
        data.loc[data.index[data["branch"] == "xian"][:20], "x0"] = np.nan
        data.loc[:2, "branch"] = None
        got = csat.regress(csat.read_survey(data, design=CLUSTERED), "y", ["x0"], by="branch")
        assert got.left_out.tolist() == [0, 19, 0]
        assert got.n.tolist() == [99, 80, 99]
        assert got.further["ungrouped"] == 3

    def test_units_shared_by_groups_make_their_coefficients_depend(self, survey, data):
        got = csat.regress(survey, "y", ["x0"], by="branch").coefficients
        assert (got.vcov[:2, 2:4] != 0).all()
        apart = csat.regress(
            csat.read_survey(data, design=csat.Design(weight="w")), "y", ["x0"], by="branch"
        ).coefficients
        assert np.abs(apart.vcov[:2, 2:4]).max() < 0.05 * apart.vcov[0, 0]

    def test_a_group_that_cannot_be_fitted_says_why(self, data):
        data.loc[data["branch"] == "xian", "x0"] = 1.0
        data.loc[data["branch"] == "yulin", "x1"] = 2 * data["x0"]
        few = data[:4].assign(branch="ankang")
        nobody = data[4:6].assign(branch="tongchuan", x0=np.nan)
        source = csat.read_survey(pd.concat([data, few, nobody]), design=CLUSTERED)
        for se in ("design", "classical", "HC1", "HC3"):
            got = csat.regress(source, "y", ["x0", "x1", "x2"], by="branch", se=se)
            reason = got.tidy().groupby("branch")["note"].first()
            assert reason.to_dict() == {
                "ankang": "no more complete answers than coefficients", "hanzhong": "",
                "tongchuan": "no valid answers", "xian": "a variable does not vary here",
                "yulin": "drivers repeat each other exactly here",
            }  # fmt: skip
            known = got.tidy()["branch"] == "hanzhong"
            assert np.isfinite(got.tidy().loc[known, ["estimate", "se", "p", "low"]]).all(axis=None)
            assert got.tidy().loc[~known, ["estimate", "se", "p", "low", "beta", "vif"]].isna().all(axis=None)
            alone = csat.regress(source.where(branch="hanzhong"), "y", ["x0", "x1", "x2"], se=se)
            assert_allclose(got.coefficients.se[known], alone.coefficients.se, rtol=1e-10)
            assert (
                got.glance()
                .loc[got.glance()["branch"] != "hanzhong", ["r2", "f", "p", "condition"]]
                .isna()
                .all(axis=None)
            )

    def test_no_group_can_be_fitted(self, survey):
        got = csat.regress(survey, "y", ["x0", "branch"], by="branch")
        assert got.tidy()["estimate"].isna().all()
        assert set(got.tidy()["note"]) == {"a variable does not vary here"}

    def test_a_group_without_enough_units_has_no_interval(self, data):
        data["branch"] = np.where(np.arange(300) < 20, "small", "large")
        got = csat.regress(csat.read_survey(data, design=CLUSTERED), "y", ["x0", "x1"], by="branch").tidy()
        small = got[got["branch"] == "small"]
        assert np.isfinite(small["estimate"]).all()
        assert small[["se", "statistic", "p", "low", "high"]].isna().all(axis=None)
        assert (small["df"] == 0).all()
        assert set(small["note"]) == {"too few sampling units with answers: no degrees of freedom, no interval"}

    def test_a_replicate_that_leaves_a_group_out_leaves_the_others_alone(self, data):
        data["rare"] = np.where((data["branch"] == "xian") & (data["hall"] != "3"), 0.0, data["x2"])
        source = csat.read_survey(data, design=CLUSTERED).replicated(Replication("JKn"))
        got = csat.regress(source, "y", ["x1", "rare"], by="branch").tidy()
        assert got.groupby("branch")["note"].first().to_dict() == {
            "hanzhong": "", "xian": "not identified by the data", "yulin": ""
        }  # fmt: skip
        assert np.isfinite(got.loc[got["branch"] != "xian", "se"]).all()

    def test_a_saved_summary_has_groups_too(self, survey):
        kept = survey.groups(["x0", "x1", "y"], ["branch"], "listwise")
        got, rows = (csat.regress(source, "y", ["x0", "x1"], by="branch") for source in (kept, survey))
        assert_allclose(got.coefficients.vcov, rows.coefficients.vcov, rtol=1e-12)
        assert got.left_out.tolist() == [0, 0, 0]
        assert np.isnan(got.aic).all()

    def test_the_test_of_one_group(self, survey):
        got = csat.regress(survey, "y", ["x0", "brand"], by="branch")
        alone = csat.regress(survey.where(branch="yulin"), "y", ["x0", "brand"])
        for group in ("yulin", ("yulin",)):
            assert_allclose(got.test_of("brand", group).p, alone.test_of("brand").p, rtol=1e-8)
        for call, message in (
            (lambda: got.test, "There are 3 regressions here, one per group: see .tests"),
            (lambda: got.test_of("brand"), "3 groups: pass group='hanzhong'"),
            (lambda: got.test_of("brand", "xi'an"), "No column \"xi'an\" in the groups. Did you mean 'xian'"),
        ):
            with pytest.raises(csat.CsatError, match=message):
                call()


@pytest.mark.parametrize("family", ["linear", "logit", "ordered"])
def test_each_coefficient_shows_the_effective_size_of_the_whole(data, family):
    cuts = [0.3, 0.7] if family == "ordered" else [0.5]
    data = data.assign(w=np.linspace(0.5, 3, len(data)), y=np.searchsorted(data["y"].quantile(cuts), data["y"]))
    for by in (None, "branch"):
        got = csat.regress(csat.read_survey(data, design=csat.Design(weight="w")), "y", ["x0"], family=family, by=by)
        kish = [rows["w"].sum() ** 2 / (rows["w"] ** 2).sum() for _, rows in data.groupby(by or (lambda _: 0))]
        assert_allclose(got.glance()["n_eff"], kish, rtol=1e-12)
        assert_allclose(got.tidy()["n_eff"], np.repeat(kish, len(got.tidy()) // len(kish)), rtol=1e-12)


class TestDifferences:
    def test_against_a_group_and_against_the_others(self, survey):
        got = csat.regress(survey, "y", ["x0", "x1"], by="branch")
        b = got.coefficients.estimate.reshape(3, 3)
        one = got.differences(against="xian")
        assert_allclose(one.estimate.reshape(2, 3), b[[0, 2]] - b[1], rtol=1e-12)
        assert one.keys["branch"] == ("hanzhong",) * 3 + ("yulin",) * 3
        others = got.differences()
        assert_allclose(others.estimate.reshape(3, 3)[0], b[0] - (b[1] + b[2]) / 2, rtol=1e-12)
        assert set(others.keys["against"]) == {"others"}
        assert (others.se > 0).all()
        assert others.tidy()["p"].between(0, 1).all()

    def test_a_group_without_a_regression_is_not_among_the_others(self, data):
        data.loc[data["branch"] == "xian", "x0"] = 1.0
        got = csat.regress(csat.read_survey(data, design=CLUSTERED), "y", ["x0"], by="branch")
        b = got.coefficients.estimate.reshape(3, 2)
        found = got.differences().tidy()
        assert_allclose(found["estimate"][:2], b[0] - b[2], rtol=1e-12)
        assert found.loc[found["branch"] == "xian", "estimate"].isna().all()
        assert set(found.loc[found["branch"] == "xian", "note"]) == {"a variable does not vary here"}

    def test_a_group_without_standard_errors_takes_none_from_the_others(self, data):
        """20 respondents of two halls bear no error; the base is the smaller side, the others together being one."""
        data["branch"] = np.where(np.arange(300) < 20, "small", np.array(["p", "q", "r"])[np.arange(300) % 3])
        result = csat.regress(csat.read_survey(data, design=CLUSTERED), "y", ["x0", "x1"], by="branch")
        n, got = result.glance().set_index("branch")["n"], result.differences()
        contrast = np.kron([[1, -0.5, -0.5, 0]], np.eye(3))
        expected = result.coefficients.contrast(contrast, ["(intercept)", "x0", "x1"])
        assert_allclose(got.estimate[:3], expected.estimate, rtol=1e-12)
        assert_allclose(got.se[:3], expected.se, rtol=1e-12)
        found = got.tidy().groupby("branch").first()
        assert found["n"].to_dict() == {"p": n["p"], "q": n["q"], "r": n["r"], "small": n["small"]}
        assert np.isnan(found.loc["small", "se"])
        assert "too few sampling units" in found.loc["small", "note"]
        lone = result.differences("p").tidy().groupby("branch").first()
        assert lone["n"].to_dict() == {"q": min(n["p"], n["q"]), "r": min(n["p"], n["r"]), "small": n["small"]}

    def test_the_others_together_are_one_base(self, data):
        data["branch"] = np.repeat(["large", "p", "q"], [220, 40, 40])
        got = csat.regress(csat.read_survey(data), "y", ["x0"], by="branch").differences().tidy()
        assert got["n"].tolist() == [80, 80, 40, 40, 40, 40]

    def test_where_no_other_has_errors_the_difference_has_none(self, data):
        data["branch"] = np.where(np.arange(300) < 20, "small", "large")
        result = csat.regress(csat.read_survey(data, design=CLUSTERED), "y", ["x0", "x1"], by="branch")
        got, b = result.differences(), result.coefficients.estimate.reshape(2, 3)
        assert_allclose(got.estimate, np.r_[b[0] - b[1], b[1] - b[0]], rtol=1e-12)
        assert np.isnan(got.se).all()

    def test_several_grouping_columns(self, survey):
        got = csat.regress(survey, "y", ["x0"], by=["branch", "brand"]).differences(against=("xian", "mzone"))
        assert len(got.term) == 8 * 2
        assert set(got.keys["against"]) == {"xian × mzone"}

    def test_words_for_what_cannot_be_compared(self, survey):
        with pytest.raises(csat.CsatError, match="ask for a regression with by=… two groups or more"):
            csat.regress(survey, "y", ["x0"]).differences()
        with pytest.raises(csat.CsatError, match=r"No column 'xi' in the groups\. Did you mean 'xian'"):
            csat.regress(survey, "y", ["x0"], by="branch").differences(against="xi")
        with pytest.raises(csat.CsatError, match="A group is named by its label"):
            csat.regress(survey, "y", ["x0"], by="branch").differences(against=3)


class TestLaws:
    """What must not depend on units, the size of weights, the order of terms or the reference level."""

    @pytest.mark.parametrize("se", ["design", "classical", "HC3"])
    def test_units_of_drivers_and_outcome(self, data, se):
        moved = data.assign(x0=1000 * data["x0"] - 3, y=5 * data["y"] + 100)
        usual, other = (
            csat.regress(csat.read_survey(each, design=CLUSTERED), "y", ["x0", "x1", "brand"], se=se)
            for each in (data, moved)
        )
        slopes = slice(1, None)
        assert_allclose(
            other.coefficients.estimate[slopes], usual.coefficients.estimate[slopes] * [0.005, 5, 5, 5], rtol=1e-9
        )
        for name in ("beta", "partial", "semipartial", "vif"):
            assert_allclose(getattr(other, name), getattr(usual, name), rtol=1e-8)
        assert_allclose(other.coefficients.statistic[slopes], usual.coefficients.statistic[slopes], rtol=1e-7)
        assert_allclose(
            [other.r2, other.test.statistic, other.sigma / 5], [usual.r2, usual.test.statistic, usual.sigma]
        )
        assert_allclose(other.terms["f"], usual.terms["f"], rtol=1e-7)

    @pytest.mark.parametrize("se", ["design", "classical", "HC1", "HC2", "HC3"])
    @pytest.mark.parametrize("intercept", [True, False])
    def test_the_unit_of_weights(self, data, se, intercept):
        usual, other = (
            csat.regress(
                csat.read_survey(data.assign(w=factor * data["w"]), design=csat.Design(weight="w")),
                "y", ["x0", "brand"], se=se, intercept=intercept,
            )
            for factor in (1, 1000)
        )  # fmt: skip
        assert_allclose(other.coefficients.vcov, usual.coefficients.vcov, rtol=1e-8)
        figures = ("beta", "vif", "r2", "adj_r2", "aic", "bic", "loglik", "condition", "n_eff")
        for name in figures:
            assert_allclose(getattr(other, name), getattr(usual, name), rtol=1e-9, err_msg=name)
        assert_allclose(other.sigma, usual.sigma * np.sqrt(1000), rtol=1e-9)  # a weighted sum, as R's
        assert_allclose(other.terms["f"], usual.terms["f"], rtol=1e-8)

    @pytest.mark.parametrize("drivers", [["x0", "brand"], ["x0", "brand", "x0:brand"]], ids=["additive", "crossed"])
    @pytest.mark.parametrize("se", ["design", "classical", "HC3"])
    def test_the_reference_level(self, survey, drivers, se):
        usual = csat.regress(survey, "y", drivers, se=se)
        turned = [Factor("brand", "mzone") if name == "brand" else name for name in drivers]
        other = csat.regress(survey, "y", turned, se=se)
        assert other.coefficients.term[2] == "brand=easyown"
        assert_allclose(other.terms[["f", "df", "p"]], usual.terms[["f", "df", "p"]], rtol=1e-7)
        assert_allclose(
            [other.r2, other.sigma, other.aic, other.test.p],
            [usual.r2, usual.sigma, usual.aic, usual.test.p],
            rtol=1e-9,
        )
        if len(drivers) == 2:
            assert_allclose(other.terms["gvif"], usual.terms["gvif"], rtol=1e-10)
        assert_allclose(
            other.coefficients.estimate[0], usual.coefficients.estimate[0] + usual.coefficients.estimate[3], rtol=1e-9
        )

    def test_the_order_of_the_drivers(self, survey):
        usual = csat.regress(survey, "y", ["x0", "brand", "x2"]).tidy().set_index("term")
        other = csat.regress(survey, "y", ["x2", "x0", "brand"]).tidy().set_index("term").loc[usual.index]
        pd.testing.assert_frame_equal(usual, other, rtol=1e-8)

    def test_rows_that_weigh_two_are_two_rows_to_the_coefficients(self, data):
        heavy = csat.regress(csat.read_survey(data.assign(w=2.0), design=csat.Design(weight="w")), "y", ["x0", "brand"])
        twice = csat.regress(csat.read_survey(pd.concat([data, data])), "y", ["x0", "brand"])
        assert_allclose(heavy.coefficients.estimate, twice.coefficients.estimate, rtol=1e-10)
        assert_allclose(heavy.beta, twice.beta, rtol=1e-10)

    def test_a_correction_of_nothing_changes_nothing(self, survey):
        moments = survey.groups(["x0", "x1", "y"], rule="listwise").moments()
        fit = fit_least_squares(moments)
        assert not fit.fragile
        same = fit.moved(np.zeros(3), fit.rss)
        assert_allclose(np.r_[same.coef, same.centred, same.beta], np.r_[fit.coef, fit.centred, fit.beta])
        wrong = replace(fit, centred=fit.centred + np.array([0.1, 0, 0.2]))
        away = wrong.moved(np.array([-0.1, 0, -0.2]), fit.rss)
        assert_allclose(away.centred, fit.centred, rtol=1e-12)
