"""Replicate weights: laws, hand calculations, agreement with linearisation, and what cannot be done in words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Replication
from csat.replicates import hadamard, replicate_covariance, sampled_units, unit_factors
from csat.survey import rows as survey_rows
from csat.variance import linearised, totals_covariance

KINDS = ("JKn", "subbootstrap", "bootstrap")


@pytest.fixture
def data(rng):
    """Three strata of 4, 3 and 6 halls, two variables with gaps, three segments."""
    size = 240
    stratum = rng.choice(["east", "north", "west"], size)
    halls = {"east": 4, "north": 3, "west": 6}
    x = rng.integers(1, 11, size).astype(float)
    y = np.clip(x + rng.normal(0, 2, size).round(), 1, 10)
    y[rng.random(size) < 0.15] = np.nan
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "w": rng.uniform(0.5, 3, size),
            "stratum": stratum,
            "psu": [f"{s}{rng.integers(halls[s])}" for s in stratum],
            "size": [{"east": 9.0, "north": 8.0, "west": 30.0}[s] for s in stratum],
            "segment": rng.choice(["a", "b", "c"], size),
        }
    )


def survey(data, replication=None, *, psu="psu", fpc=None, **design):
    return csat.read_survey(data, design=csat.Design("w", "stratum", psu, fpc, replication=replication, **design))


def scores_of_totals(groups):
    k = len(groups.names)
    return np.hstack([np.zeros((k, 1)), np.diag(groups.midpoint), np.eye(k)])[None]


def total_covariance(source, names):
    groups = source.groups(names)
    return totals_covariance(groups, scores_of_totals(groups))[0, :, 0, :]


def units_of(*sizes, population=np.inf, kind="JKn", lone_psu="fail"):
    labels = tuple(f"h{i}" for i in range(len(sizes)))
    return sampled_units(np.array(sizes), np.broadcast_to(population, len(sizes)).astype(float), labels, lone_psu, kind)


class TestMaking:
    def test_jackknife_of_unequal_strata_by_hand(self):
        made = unit_factors(units_of(2, 3), Replication("JKn"))
        assert_allclose(
            made,
            [
                [0, 2, 1, 1, 1],
                [2, 0, 1, 1, 1],
                [1, 1, 0, 1.5, 1.5],
                [1, 1, 1.5, 0, 1.5],
                [1, 1, 1.5, 1.5, 0],
            ],
        )

    @pytest.mark.parametrize("at_least", range(1, 41))
    def test_hadamard_columns_are_orthogonal(self, at_least):
        matrix = hadamard(at_least)
        n = len(matrix)
        assert at_least <= n <= at_least + 8
        assert_allclose(matrix.T @ matrix, n * np.eye(n), atol=1e-9)
        assert (matrix[:, 0] == 1).all()
        assert set(np.unique(matrix)) <= {-1.0, 1.0}

    def test_hadamard_of_order_12_exists_though_it_is_no_power_of_two(self):
        assert len(hadamard(9)) == 12

    @pytest.mark.parametrize("strata", [1, 3, 10, 25])
    def test_half_samples_are_balanced(self, strata):
        made = unit_factors(units_of(*[2] * strata, kind="BRR"), Replication("BRR")) - 1
        assert_allclose(made.sum(axis=1), 0, atol=1e-12)
        first = made[::2]
        assert_allclose(first @ first.T, made.shape[1] * np.eye(strata), atol=1e-9)

    @pytest.mark.parametrize("kind", ["bootstrap", "subbootstrap"])
    def test_bootstrap_factors_keep_each_stratum_and_average_one(self, kind):
        size = 2000
        made = unit_factors(units_of(5, 12, kind=kind), Replication(kind, size=size))
        assert_allclose(made[:5].sum(axis=0), 5)
        assert_allclose(made[5:].sum(axis=0), 12)
        assert_allclose(made.mean(axis=1), 1, atol=5 * np.sqrt(1.25 / size))

    def test_rao_wu_factors_carry_the_finite_population_correction(self):
        whole = unit_factors(units_of(6, kind="subbootstrap"), Replication("subbootstrap")) - 1
        part = unit_factors(units_of(6, population=8, kind="subbootstrap"), Replication("subbootstrap")) - 1
        assert_allclose(part, whole * np.sqrt(1 - 6 / 8))

    def test_bootstrap_of_a_known_population_draws_without_replacement(self):
        made = unit_factors(units_of(6, population=7, kind="bootstrap"), Replication("bootstrap"))
        assert made.max() == 2  # one unit stands for two of the seven
        assert_allclose(made.sum(axis=0), 6)

    def test_a_stratum_taken_whole_counts_fully_in_every_replicate(self):
        made = unit_factors(units_of(1, 3, population=[1, 9]), Replication("JKn"))
        assert made.shape == (4, 3)
        assert (made[0] == 1).all()

    def test_the_same_seed_gives_the_same_figures(self, data):
        first, again, other = (
            csat.mean(survey(data, Replication("subbootstrap", size=50, seed=seed)), "x").se for seed in (1, 1, 2)
        )
        assert first == again
        assert first != other


class TestAgreement:
    @pytest.mark.parametrize("psu", ["psu", None])
    @pytest.mark.parametrize("fpc", ["size", None])
    def test_jackknife_equals_linearisation_for_totals(self, data, psu, fpc):
        data["size"] = data["size"] if psu else 1000.0
        names = ["x", "y"]
        jackknife = total_covariance(survey(data, Replication("JKn"), psu=psu, fpc=fpc), names)
        assert_allclose(jackknife, total_covariance(survey(data, psu=psu, fpc=fpc), names), rtol=1e-9)

    def test_fay_and_half_samples_equal_linearisation_for_totals(self, data):
        data = data[data["psu"].isin(["east0", "east1", "north0", "north1", "west0", "west1"])]
        taylor = total_covariance(survey(data, fpc="size"), ["x", "y"])
        for replication in (Replication("BRR"), Replication("Fay", rho=0.4)):
            assert_allclose(total_covariance(survey(data, replication, fpc="size"), ["x", "y"]), taylor, rtol=1e-9)

    @pytest.mark.parametrize("by", [None, "segment"])
    def test_jackknife_is_near_linearisation_for_means(self, data, by):
        jackknife = csat.mean(survey(data, Replication("JKn"), psu=None), ["x", "y"], by=by)
        taylor = csat.mean(survey(data, psu=None), ["x", "y"], by=by)
        assert_allclose(jackknife.se, taylor.se, rtol=0.03)
        assert_allclose(jackknife.estimate, taylor.estimate, rtol=0)
        assert np.all(jackknife.df == 237)
        assert np.all(taylor.df <= 237)

    @pytest.mark.parametrize("kind", ["bootstrap", "subbootstrap"])
    @pytest.mark.parametrize("psu", ["psu", None])
    def test_many_bootstrap_replicates_approach_linearisation(self, data, kind, psu):
        size = 4000
        if kind == "bootstrap":
            data = data.assign(stratum="all")  # one multiplier serves all strata, so they must be alike
        drawn = np.sqrt(np.diag(total_covariance(survey(data, Replication(kind, size=size), psu=psu), ["x", "y"])))
        exact = np.sqrt(np.diag(total_covariance(survey(data, psu=psu), ["x", "y"])))
        assert_allclose(drawn, exact, rtol=5 / np.sqrt(2 * size))

    @pytest.mark.parametrize("kind", KINDS)
    def test_respondents_as_units_or_as_named_units_are_the_same(self, data, kind):
        data = data.sort_values("stratum", kind="stable").assign(person=[f"{i:04}" for i in range(len(data))])
        replication = Replication(kind, size=60)
        rows = csat.mean(survey(data, replication, psu=None), ["x", "y"], by="segment")
        units = csat.mean(survey(data, replication, psu="person"), ["x", "y"], by="segment")
        assert_allclose(rows.vcov, units.vcov, rtol=1e-9, atol=1e-15)
        assert np.array_equal(rows.df, units.df)

    @pytest.mark.parametrize("psu", ["psu", None])
    def test_batches_do_not_matter(self, data, monkeypatch, psu):
        whole = csat.mean(survey(data, Replication("subbootstrap", size=40), psu=psu), ["x", "y"], by="segment")
        monkeypatch.setattr(survey_rows, "BATCH_ROWS", 37)
        parts = csat.mean(survey(data, Replication("subbootstrap", size=40), psu=psu), ["x", "y"], by="segment")
        assert_allclose(parts.vcov, whole.vcov, rtol=1e-9, atol=1e-15)


class TestGivenWeights:
    @pytest.fixture
    def given(self, data, rng):
        weights = pd.DataFrame(rng.gamma(4, 0.25, (len(data), 30)), columns=[f"r{i}" for i in range(30)])
        return pd.concat([data, weights], axis=1), tuple(weights.columns)

    def by_hand(self, data, columns, name, rows, factor=1.0):
        answered = rows & data[name].notna()
        means = [np.average(data.loc[answered, name], weights=(data[c] * factor)[answered].to_numpy()) for c in columns]
        return np.sqrt(((means - np.mean(means)) ** 2).sum() / (len(columns) - 1))

    def test_means_over_those_who_answered_by_hand(self, given):
        data, columns = given
        design = csat.Design("w", replicates=columns, replication=Replication("bootstrap"))
        got = csat.mean(csat.read_survey(data, design=design), ["x", "y"], by="segment").tidy()
        for row in got.itertuples():
            assert_allclose(row.se, self.by_hand(data, columns, row.term, data["segment"] == row.segment), rtol=1e-9)
        assert (got["df"] == 29).all()

    def test_factors_of_the_weight(self, given):
        data, columns = given
        design = csat.Design("w", replicates=columns, replication=Replication("bootstrap", combined=False))
        got = csat.mean(csat.read_survey(data, design=design), "y")
        expected = self.by_hand(data, columns, "y", np.ones(len(data), bool), data["w"])
        assert_allclose(got.se[0], expected, rtol=1e-9)

    def test_a_filter_and_a_group_are_the_same(self, given):
        data, columns = given
        design = csat.Design("w", replicates=columns, replication=Replication("BRR"))
        whole = csat.read_survey(data, design=design)
        group = csat.mean(whole, "y", by="segment").tidy().set_index("segment").loc["b"]
        only = csat.mean(whole.where(segment="b"), "y").tidy().iloc[0]
        assert_allclose(only[["estimate", "se", "df"]].astype(float), group[["estimate", "se", "df"]].astype(float))

    def test_summaries_of_two_files_add_up(self, given):
        data, columns = given
        design = csat.Design("w", replicates=columns, replication=Replication("BRR"))

        def summary(rows):
            return csat.read_survey(rows, design=design).groups(["x"], ("segment",))

        whole, cut = summary(data), 100
        first, second = summary(data[:cut]), summary(data[cut:])
        shifted = replace(second, midpoint=first.midpoint)  # x spans 1 … 10 in both
        assert_allclose(csat.mean(first + shifted, "x", by="segment").vcov, csat.mean(whole, "x", by="segment").vcov)
        assert_allclose(csat.mean(first + shifted, "x").vcov, csat.mean(whole, "x").vcov, rtol=1e-9)
        assert (first + shifted).df == whole.df == 29

    def test_fewer_variables_of_a_summary_keep_their_replicates(self, given):
        data, columns = given
        design = csat.Design("w", replicates=columns, replication=Replication("BRR"))
        source = csat.read_survey(data, design=design)
        for rule in ("available", "listwise"):
            summary = source.groups(["x", "y"], ("segment",), rule)
            wanted = csat.mean(source, ["y", "x"], rule=rule)
            assert_allclose(csat.mean(summary, ["y", "x"], rule=rule).vcov, wanted.vcov, rtol=1e-9)
            assert_allclose(csat.mean(summary, "y", rule=rule).vcov, wanted.vcov[:1, :1], rtol=1e-9)

    def test_deviations_from_the_whole_sample_are_larger(self, given):
        data, columns = given
        around_mean, around_whole = (
            csat.mean(
                csat.read_survey(data, design=csat.Design("w", replicates=columns, replication=replication)), "x"
            ).se[0]
            for replication in (Replication("BRR"), Replication("BRR", mse=True))
        )
        assert around_whole > around_mean

    @pytest.mark.parametrize(
        ("replication", "scale"),
        [
            (Replication("BRR"), 1 / 30),
            (Replication("Fay", rho=0.5), 4 / 30),
            (Replication("JK1"), 29 / 30),
            (Replication("JK2"), 1),
            (Replication("bootstrap"), 1 / 29),
            (Replication("ACS"), 4 / 30),
            (Replication("other", scale=0.07), 0.07),
            (Replication("JKn", rscales=[0.5] * 30), 0.5),
        ],
        ids=lambda value: getattr(value, "kind", None),
    )
    def test_multipliers_of_each_kind(self, given, replication, scale):
        data, columns = given

        def variance(kind):
            design = csat.Design("w", replicates=columns, replication=kind)
            return csat.mean(csat.read_survey(data, design=design), "x").se[0] ** 2

        assert_allclose(variance(replication), scale * variance(Replication("other", scale=1.0)))

    def test_repeated_columns_add_no_degrees_of_freedom(self, given):
        data, columns = given
        data = data.assign(twice=data["r0"], sum=data["r1"] + data["r2"])
        design = csat.Design("w", replicates=(*columns, "twice", "sum"), replication=Replication("BRR"))
        assert csat.mean(csat.read_survey(data, design=design), "x").df.item() == 29
        fixed = replace(design, replication=Replication("BRR", df=12))
        assert csat.mean(csat.read_survey(data, design=fixed), "x").df.item() == 12


class TestFigures:
    def test_index_and_gaps_use_replicates(self, data, tmp_path):
        text = (
            '[study]\nname="s"\nindex="all"\n[scales.ten]\nlow=1\nhigh=10\n[items]\nx={scale="ten"}\ny={scale="ten"}\n'
            "[dimensions.all]\nchildren={x=0.3,y=0.7}\n[columns]\nsegment={kind='category'}\n"
        )
        (tmp_path / "study.toml").write_text(text, encoding="utf-8")
        asked = csat.read_questionnaire(tmp_path / "study.toml")
        design = csat.Design("w", "stratum", "psu", replication=Replication("JKn"))
        source = csat.read_survey(data, asked, design=design)
        index = csat.index(source, by="segment").estimates
        assert index.provenance.variance == "replicates: JKn"
        place = {(term, s): i for i, (term, s) in enumerate(zip(index.term, index.keys["segment"], strict=True))}
        contrast = np.zeros((1, len(index.term)))
        contrast[0, [place["all", "b"], place["all", "a"]]] = 1, -1
        between = index.contrast(contrast, ["b − a"])
        gaps = csat.gaps(source, by="segment", against="a", own="b").estimates
        assert gaps.provenance.variance == "replicates: JKn"
        assert_allclose(gaps.se[gaps.term.index("all")], between.se[0], rtol=1e-9)

        def scores(rows, weight):
            means = [np.average(rows[v][rows[v].notna()], weights=weight[rows[v].notna()]) for v in ("x", "y")]
            return (0.3 * means[0] + 0.7 * means[1] - 1) / 9 * 100

        units = data.groupby("stratum")["psu"].nunique()
        parts = []
        for (stratum, psu), _ in data.groupby(["stratum", "psu"]):
            n = units[stratum]
            raised = np.where(data["stratum"] == stratum, n / (n - 1), 1.0) * (data["psu"] != psu) * data["w"]
            a, b = (scores(data[data["segment"] == s], raised[data["segment"] == s]) for s in "ab")
            parts.append(((n - 1) / n, a, b - a))
        share, a, gap = np.array(parts).T
        assert_allclose(index.se[place["all", "a"]] ** 2, (share * (a - a.mean()) ** 2).sum(), rtol=1e-9)
        assert_allclose(between.se[0] ** 2, (share * (gap - gap.mean()) ** 2).sum(), rtol=1e-9)

    def test_refits_equal_one_fit_after_the_other(self, data):
        source = survey(data, Replication("subbootstrap", size=30), psu=None)
        groups = source.groups(["x", "y"], (), "listwise")

        def slope(gram):
            return np.linalg.solve(gram[..., :2, :2], gram[..., :2, 2:])[..., 1, :]

        got = linearised(source, groups, np.zeros((1, 1, 3, 3)), slope)[0, 0, 0, 0]
        singly = [slope(gram[None])[0, 0] for gram in groups.replicate_sums[0]]
        assert_allclose(got, np.var(singly, ddof=1), rtol=1e-9)

    def test_regression_by_first_order_replicates_is_near_linearisation(self, data):
        replicated = csat.regress(survey(data, Replication("JKn"), psu=None), "y", ["x"]).coefficients
        taylor = csat.regress(survey(data, psu=None), "y", ["x"]).coefficients
        assert_allclose(replicated.se, taylor.se, rtol=0.03)

    def test_a_figure_that_a_replicate_does_not_define_has_no_standard_error(self, data):
        data["segment"] = np.where(data["psu"] == "west1", "only there", "elsewhere")
        got = csat.mean(survey(data, Replication("JKn")), ["x", "y"], by="segment")
        there = np.array(got.keys["segment"]) == "only there"
        assert np.isfinite(got.estimate).all()
        assert np.isnan(got.se[there]).all()
        assert np.isfinite(got.se[~there]).all()

    def test_any_statistic_of_replicates(self):
        grams = np.array([[2.0, 1.0], [4.0, 1.0], [3.0, 2.0]])
        ratio = replicate_covariance(lambda g: g[:, :1] / g[:, 1:], grams, np.array([3.0, 1.0]), 0.5, np.ones(3))
        assert_allclose(ratio, [[0.5 * np.sum((np.array([2, 4, 1.5]) - 2.5) ** 2)]])

    def test_replicates_with_multiplier_zero_are_not_computed(self):
        grams = np.array([[2.0, 1.0], [4.0, 1.0], [3.0, 0.0]])
        found = replicate_covariance(lambda g: g[:, :1] / g[:, 1:], grams, np.array([3.0, 1.0]), 1, np.array([1, 1, 0]))
        assert_allclose(found, [[2.0]])


class TestLoneUnits:
    @pytest.fixture
    def lone(self):
        return pd.DataFrame({"x": [1.0, 3, 5, 9], "stratum": list("aaab"), "w": [1.0, 1, 2, 2]})

    @pytest.mark.parametrize("psu", [None, "psu"])
    def test_by_hand(self, lone, psu):
        lone["psu"] = list("1234")
        mean = np.average(lone["x"], weights=lone["w"])
        u = (lone["w"] * (lone["x"] - mean) / lone["w"].sum()).to_numpy()
        rest = 3 / 2 * ((u[:3] - u[:3].mean()) ** 2).sum()
        expected = {"certainty": rest, "adjust": rest + u[3] ** 2, "average": 2 * rest}
        for rule, variance in expected.items():
            got = csat.mean(survey(lone, psu=psu, lone_psu=rule), "x")
            assert_allclose(got.se[0] ** 2, variance, rtol=1e-9)

    def test_an_average_of_nothing_is_refused(self, lone):
        with pytest.raises(csat.CsatError, match="Only one primary sampling unit in stratum 'a', 'b'"):
            csat.mean(survey(lone[2:], psu=None, lone_psu="average"), "x")

    def test_the_remedies_are_named(self, lone):
        with pytest.raises(csat.CsatError, match=r"choose a rule: Design\(lone_psu='certainty'\), 'adjust' or"):
            csat.mean(survey(lone, psu=None), "x")
        with pytest.raises(csat.CsatError, match="Only one primary sampling unit in stratum 'b'"):
            csat.mean(survey(lone, Replication("JKn"), psu=None), "x")

    def test_replicates_leave_a_certain_unit_alone(self, lone):
        replicated = csat.mean(survey(lone, Replication("JKn"), psu=None, lone_psu="certainty"), "x")
        assert len(unit_factors(units_of(3, 1, lone_psu="certainty"), Replication("JKn")).T) == 3
        means = [np.average(lone["x"], weights=f) for f in ([0, 1.5, 3, 2], [1.5, 0, 3, 2], [1.5, 1.5, 0, 2])]
        assert_allclose(replicated.se[0] ** 2, 2 / 3 * np.sum((means - np.mean(means)) ** 2))


class TestWording:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"kind": "BRRR"}, "kind='BRRR' is not known; choose one of 'JK1'"),
            ({"kind": "Fay"}, "rho=None with kind='Fay': Fay's method needs 0 ≤ rho < 1"),
            ({"kind": "BRR", "rho": 0.3}, "rho=0.3 with kind='BRR'"),
            ({"kind": "Fay", "rho": 1.0}, "rho=1.0 with kind='Fay'"),
            ({"kind": "bootstrap", "size": 1}, "size=1: a bootstrap needs at least 2"),
            ({"kind": "other", "scale": 0.0}, "scale=0.0: the multiplier"),
            ({"kind": "other", "rscales": [1, -1]}, "rscales: the multiplier of each replicate is 0 or more"),
            ({"kind": "BRR", "df": 0}, "df=0: degrees of freedom are above 0"),
        ],
    )
    def test_replication(self, arguments, message):
        with pytest.raises(csat.CsatError, match=message):
            Replication(**arguments)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"lone_psu": "merge"}, "lone_psu='merge' is not known; choose one of 'fail', 'certainty'"),
            ({"replication": Replication("ACS")}, "kind 'ACS' can be given, not made"),
            ({"replication": Replication("JKn"), "lone_psu": "adjust"}, "'adjust' is a rule of linearisation"),
            ({"replication": Replication("BRR"), "replicates": ("a",)}, "One column of replicate weights"),
            ({"replication": Replication("JKn"), "replicates": ("a", "b")}, "JKn weights need rscales="),
            ({"replication": Replication("other"), "replicates": ("a", "b")}, "'other' need scale="),
            (
                {"replication": Replication("BRR", rscales=[1, 1, 1]), "replicates": ("a", "b")},
                "rscales has 3 multipliers for 2 columns",
            ),
        ],
    )
    def test_design(self, arguments, message):
        with pytest.raises(csat.CsatError, match=message):
            csat.Design(**arguments)

    def test_given_weights_of_an_unknown_kind(self, data):
        data["r1"] = data["r2"] = data["w"]
        with pytest.raises(csat.CsatError, match="2 columns of replicate weights but not their kind: add replication="):
            csat.mean(csat.read_survey(data, design=csat.Design("w", replicates=("r1", "r2"))), "x")

    def test_a_kind_that_does_not_suit_the_strata(self, data):
        with pytest.raises(csat.CsatError, match="JK1 is for one stratum; this design has 3"):
            csat.mean(survey(data, Replication("JK1")), "x")
        with pytest.raises(csat.CsatError, match="BRR needs two units in every stratum; stratum 'east' has 4"):
            csat.mean(survey(data, Replication("BRR")), "x")

    def test_nothing_left_to_replicate(self):
        with pytest.raises(csat.CsatError, match="no replicate differs from the sample"):
            units_of(1, 2, population=[1, 2])

    def test_more_units_than_the_population(self):
        with pytest.raises(csat.CsatError, match="3 units were sampled but the population-size column says 2"):
            units_of(3, population=2)

    def test_multipliers_of_made_weights_must_fit(self, data):
        with pytest.raises(csat.CsatError, match="rscales has 3 multipliers for 13 replicates"):
            csat.mean(survey(data, Replication("JKn", rscales=[1, 1, 1])), "x")

    def test_weights_made_for_respondents_do_not_add_up(self, data):
        summary = survey(data, Replication("JKn"), psu=None).groups(["x"])
        with pytest.raises(csat.CsatError, match="belong to one survey: their summaries do not add up"):
            summary + summary

    def test_different_replications_do_not_add_up(self, data):
        first, second = (survey(data, kind).groups(["x"]) for kind in (Replication("JKn"), None))
        with pytest.raises(csat.CsatError, match="the same replication add up"):
            first + second

    def test_products_of_pairs_are_not_replicated(self, data):
        source = survey(data, Replication("JKn"), psu=None)
        groups = source.groups(["x", "y"])
        with pytest.raises(csat.CsatError, match="needs the respondents' rows"):
            linearised(source, groups, np.zeros((1, 1, 5, 5)))

    def test_a_replicate_without_information_is_worded(self, data):
        data = data[data["psu"].isin(["east0", "east1"])].assign(x=lambda d: (d["psu"] == "east0") + 0.0)
        source = survey(data, Replication("JKn"))
        groups = source.groups(["x", "y"], (), "listwise")

        def slope(gram):
            return np.linalg.solve(gram[..., :2, :2], gram[..., :2, 2:])[..., 1, :]

        with pytest.raises(csat.CsatError, match="leaves too few different answers"):
            linearised(source, groups, np.zeros((1, 1, 3, 3)), slope)
