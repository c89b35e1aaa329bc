"""Invariance, modification indices, score tests and latent means: laws, agreement with refits, errors in words."""

import warnings
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import csat
from csat.distributions import noncentral_chi2
from csat.errors import ModelError, ModelIdentificationError, OptionError, SampleError, UnknownColumnError
from csat.moments import from_covariance
from csat.structural import sem
from csat.structural.comparing import modification
from csat.structural.comparing.equality import equality_tests
from csat.structural.comparing.invariance import NOT_SUPPORTED, SUPPORTED, UNCLEAR, _verdict, invariance
from csat.structural.comparing.modification import modification_indices

MODEL = "quality =~ q1 + q2 + q3\nloyalty =~ l1 + l2 + l3"
NAMES = ("q1", "q2", "q3", "l1", "l2", "l3")


def exact(cov, mean, n, rng):
    """(n, p) answers with exactly these moments (divisor n)."""
    z = rng.standard_normal((n, len(mean)))
    z -= z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(z.T @ z / n)).T
    return z @ np.linalg.cholesky(cov).T + mean


def moments(load=None, intercept=None, means=(0.0, 0.0), size=1.0):
    """Covariances and means of the two constructs' items."""
    load = np.array([1.0, 0.8, 1.2, 1.0, 0.9, 0.7]) if load is None else load
    intercept = np.arange(3.0, 9.0) if intercept is None else intercept
    loads = np.zeros((6, 2))
    loads[:3, 0], loads[3:, 1] = load[:3], load[3:]
    cov = loads @ (size * np.array([[1.0, 0.5], [0.5, 1.2]])) @ loads.T + np.diag(np.linspace(0.4, 0.9, 6))
    return cov, intercept + loads @ np.asarray(means)


def branches(seed=0, sizes=(260, 300, 340), **changes):
    """Answers in three branches with the same measurement, means 0, (.3, -.2), (.6, 0); changes in the last one."""
    rng = np.random.default_rng(seed)
    means = [(0.0, 0.0), (0.3, -0.2), (0.6, 0.0)]
    parts = []
    for name, n, mean in zip("abc", sizes, means, strict=True):
        cov, centre = moments(means=mean, size=1.5 if name == "b" else 1.0, **(changes if name == "c" else {}))
        parts.append(pd.DataFrame(exact(cov, centre, n, rng), columns=NAMES).assign(branch=name))
    return csat.read_survey(pd.concat(parts, ignore_index=True))


def noisy(seed=1, n=400):
    """Answers of two branches as they are drawn."""
    rng = np.random.default_rng(seed)
    parts = []
    for name, mean in (("north", (0.0, 0.0)), ("south", (0.4, -0.3))):
        cov, centre = moments(means=mean)
        answers = rng.multivariate_normal(centre, cov, n)
        parts.append(pd.DataFrame(answers, columns=NAMES).assign(branch=name))
    return csat.read_survey(pd.concat(parts, ignore_index=True))


# Invariance


def test_groups_that_differ_in_constructs_only_are_invariant():
    """Means and variances of constructs may differ as they like: all steps reproduce the moments."""
    found = invariance(branches(), MODEL, "branch")
    assert np.all(found.tidy()["chisq"] < 1e-6)
    assert found.verdicts == (SUPPORTED,) * 4
    assert (found.reached, found.broken) == ("strict", "")
    means = found.latent_means("all").tidy()
    np.testing.assert_allclose(means["estimate"], [0.3, 0.6, 0.3, -0.2, 0.0, 0.2], atol=1e-7)
    spread = [1.0, 1.5, 1.0]
    n = [260, 300, 340]
    pooled = [np.sqrt((n[g] * spread[g] + n[h] * spread[h]) / (n[g] + n[h])) for g, h in ((0, 1), (0, 2), (1, 2))]
    np.testing.assert_allclose(means["effect"][:3], np.array([0.3, 0.6, 0.3]) / pooled, atol=1e-7)
    assert means["against"].tolist() == ["a", "a", "b"] * 2


@pytest.mark.parametrize(
    ("changes", "broken", "suspect"),
    [
        ({"load": np.array([1.0, 0.8, 0.5, 1.0, 0.9, 0.7])}, "metric", "quality =~ q3"),
        ({"intercept": np.array([3.0, 4.0, 5.0, 6.0, 8.2, 8.0])}, "scalar", "l2 ~1"),
    ],
)
def test_a_parameter_that_differs_is_found(changes, broken, suspect):
    found = invariance(branches(**changes), MODEL, "branch")
    assert found.broken == broken
    assert found.glance().loc[0, "suspect"] == suspect
    tests = found.score_tests().tidy()
    assert set(tests["op"]) == {"=~" if broken == "metric" else "~1"}
    parts = tests[~tests["whole"] & ((tests["lhs"] + " " + tests["op"] + " " + tests["rhs"]).str.strip() == suspect)]
    assert parts.loc[parts["chisq"].idxmax(), "group"] == "c"
    assert found.latent_means().reason is not None
    assert "cannot be compared" in found.latent_means().tidy()["note"][0]
    assert found.latent_means().tidy()["estimate"].isna().all()
    again = invariance(branches(**changes), MODEL, "branch", partial=suspect.replace(" ", ""))
    assert np.all(again.tidy()["chisq"] < 1e-6) == (broken == "metric" or broken == "scalar")
    assert again.reached == "strict"
    np.testing.assert_allclose(again.latent_means().tidy()["estimate"], [0.3, 0.6, -0.2, 0.0], atol=1e-6)


def test_units_of_constructs_and_reference_do_not_change_the_fit():
    survey = noisy()
    one = invariance(survey, MODEL, "branch")
    for options in ({"std_lv": True}, {"reference": "south"}, {"std_lv": True, "reference": "south"}):
        other = invariance(survey, MODEL, "branch", **options)
        np.testing.assert_allclose(other.tidy()["chisq"], one.tidy()["chisq"], atol=1e-6)
        sign = -1.0 if "reference" in options else 1.0
        effects = (found.latent_means().tidy()["effect"] for found in (one, other))
        np.testing.assert_allclose(next(effects), sign * next(effects), atol=1e-6)
    means = other.fit("scalar").tidy().query("op == '~1' and lhs == 'quality'").set_index("group")["estimate"]
    assert means["south"] == 0.0 != means["north"]
    assert other.reference == "south"


def test_each_step_is_the_model_of_sem():
    survey = noisy()
    found = invariance(survey, MODEL, "branch", partial="q2 ~1", steps=["configural", "scalar"], estimator="MLR")
    direct = sem(survey, MODEL, group="branch", equal=["loadings", "intercepts"], partial="q2 ~1", estimator="MLR")
    pd.testing.assert_frame_equal(found.fit("scalar").tidy(), direct.tidy())
    assert found.comparison.method == "satorra-bentler-2001"
    assert found.tidy()["df_diff"].tolist()[1] == 4 + 3
    assert found.glance().loc[0, "partial"] == "q2 ~1"


def test_verdicts():
    assert [_verdict(*code) for code in ((False, False, False), (True, False, False), (False, False, True))] == [
        SUPPORTED
    ] * 3
    assert [_verdict(*code) for code in ((True, False, True), (False, True, True))] == [UNCLEAR] * 2
    assert _verdict(True, True, True) == NOT_SUPPORTED


def test_cut_offs_are_shown_by_step_and_size():
    large = invariance(noisy(), MODEL, "branch").tidy()
    small = invariance(noisy(n=120), MODEL, "branch").tidy()
    columns = ["cut_cfi", "cut_rmsea", "cut_srmr"]
    assert large[columns][:1].isna().all(axis=None)
    np.testing.assert_array_equal(large[columns][1:3], [[-0.01, 0.015, 0.03], [-0.01, 0.015, 0.01]])
    np.testing.assert_array_equal(small[columns][1:3], [[-0.005, 0.01, 0.025], [-0.005, 0.01, 0.005]])


def test_a_model_that_fits_nowhere_is_broken_at_the_first_step():
    rng = np.random.default_rng(3)
    topics = rng.standard_normal((400, 3)) + 0.7 * rng.standard_normal((400, 1))
    answers = pd.DataFrame(np.tile(topics, 2) + 0.7 * rng.standard_normal((400, 6)), columns=NAMES)
    survey = csat.read_survey(answers.assign(branch=np.where(np.arange(400) % 2, "a", "b")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        found = invariance(survey, MODEL, "branch", steps=["configural", "metric", "scalar"])
    assert found.verdicts[0] == NOT_SUPPORTED
    assert (found.reached, found.broken) == ("", "configural")
    assert found.glance().loc[0, "suspect"] == ""


def test_a_warning_of_several_steps_is_given_once():
    survey = csat.read_survey(_frame(60))
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        invariance(survey, MODEL, "branch")
    texts = [str(one.message) for one in raised]
    assert len(texts) == len(set(texts)) > 0


def _frame(n):
    rng = np.random.default_rng(1)
    cov, centre = moments()
    answers = pd.DataFrame(rng.multivariate_normal(centre, cov, 2 * n), columns=NAMES)
    return answers.assign(branch=np.repeat(["north", "south"], n))


def test_latent_means_need_the_scalar_step():
    found = invariance(noisy(), MODEL, "branch", steps=["configural", "metric"])
    assert (
        str(found.latent_means().reason) == "the intercepts were not held equal: means of constructs cannot be compared"
    )
    assert found.latent_means().overall()["p"].isna().all()
    assert found.latent_means().glance().loc[0, "different"] == 0


def test_corrections_for_pairs():
    means = invariance(branches(seed=5), MODEL, "branch").latent_means("all").tidy()
    for _, of in means.groupby("construct"):
        order = of.sort_values("p")
        steps = np.minimum(np.maximum.accumulate(order["p"] * [3, 2, 1]), 1.0)
        np.testing.assert_allclose(order["p_holm"], steps)


# Score tests against refits


def near_miss(size):
    """Covariances of two constructs that correlate, with a small residual covariance and a small cross-loading."""
    cov, _ = moments()
    bump = np.zeros((6, 6))
    bump[0, 4] = bump[4, 0] = size
    return from_covariance(pd.DataFrame(cov + bump, NAMES, NAMES), 1000, divisor="n")


@pytest.mark.parametrize("estimator", ["ML", "GLS", "ULS"])
@pytest.mark.parametrize("relation", ["q1 ~~ l2", "quality =~ l2", "loyalty =~ q1", "q1 ~~ l1"])
def test_an_index_is_what_a_refit_gains(estimator, relation):
    """Close to the model the score test, the likelihood ratio and the estimate agree."""
    source = near_miss(0.01)
    base, freed = (sem(source, text, estimator=estimator) for text in (MODEL, f"{MODEL}\n{relation}"))
    frame = modification_indices(base).tidy()
    lhs, op, rhs = relation.split()
    row = frame[(frame["op"] == op) & frame[["lhs", "rhs"]].isin([lhs, rhs]).all(axis=1)].iloc[0]
    gained = base.measures.chisq - freed.measures.chisq
    assert row["mi"] == pytest.approx(gained, rel=0.05)
    after = freed.tidy().query("lhs == @lhs and op == @op and rhs == @rhs").iloc[0]
    assert row["epc"] == pytest.approx(after["estimate"], rel=0.05)
    assert row["sepc_all"] == pytest.approx(after["std_all"], rel=0.06)


def test_an_index_does_not_depend_on_how_constructs_are_scaled():
    marker, unit = (modification_indices(sem(near_miss(0.05), MODEL, std_lv=std_lv)) for std_lv in (False, True))
    one, other = (found.tidy().set_index(["lhs", "op", "rhs"]).sort_index() for found in (marker, unit))
    pd.testing.assert_frame_equal(one.drop(columns="epc"), other.drop(columns="epc"), rtol=1e-6, atol=1e-9)
    assert marker.unidentified == unit.unidentified == 2


def test_indices_do_not_depend_on_how_many_are_computed_together(monkeypatch):
    found = sem(near_miss(0.05), MODEL)
    whole = modification_indices(found).tidy()
    monkeypatch.setattr(modification, "_TOGETHER", 4)
    pd.testing.assert_frame_equal(modification_indices(found).tidy(), whole, rtol=1e-9)


def test_which_indices_are_shown():
    found = sem(near_miss(0.12), MODEL)
    unsorted, some = modification_indices(found, sort=False), modification_indices(found, minimum=3.84)
    assert unsorted.tidy()["op"].tolist() == ["=~"] * 6 + ["~~"] * 15
    assert some.tidy()["mi"].min() >= 3.84
    assert some.tidy()["mi"].is_monotonic_decreasing
    assert some.glance().loc[0, "parameters"] == 21
    assert some.glance().loc[0, "shown"] == len(some.tidy()) < 21
    # The correction is for all that were looked at, shown or not.
    whole = modification_indices(found).tidy()
    np.testing.assert_allclose(some.tidy()["p_holm"], whole["p_holm"][: len(some.tidy())])


def test_fixed_parameters_are_candidates():
    """A loading fixed away from its value, and a covariance fixed at 0, gain what freeing them gains."""
    fixed = "quality =~ q1 + 0.7*q2 + q3\nloyalty =~ l1 + l2 + l3\nquality ~~ 0.45*loyalty"
    base = sem(near_miss(0.0), fixed)
    frame = modification_indices(base).tidy().set_index(["lhs", "op", "rhs"])
    assert frame.loc[("quality", "=~", "q2"), "mi"] > 4
    assert frame.loc[("quality", "~~", "loyalty"), "mi"] > 0
    freed = sem(near_miss(0.0), fixed.replace("0.7*", ""))
    change = freed.tidy().query("rhs == 'q2' and op == '=~'")["estimate"].iloc[0] - 0.7
    assert frame.loc[("quality", "=~", "q2"), "epc"] == pytest.approx(change, rel=0.15)


def test_power_and_decisions():
    found = modification_indices(sem(near_miss(0.05), MODEL), delta=0.05)
    shift = found.mi * (0.05 / found.sepc_all) ** 2
    np.testing.assert_allclose(found.power, [1 - noncentral_chi2(3.841458820694124, 1.0, s) for s in shift], atol=1e-12)
    # Significant or not × the change known within .015 or within .2: Saris, Satorra & van der Veld (2009), table 1.
    cells = {(4.0, 0.015): "misspecified", (3.0, 0.2): "misspecified", (0.5, 0.015): "fine", (0.5, 0.2): "inconclusive"}
    z, se = np.array(list(cells)).T
    four = replace(found, mi=z**2, sepc_all=z * se)
    assert four.decision == list(cells.values())
    # A significant change that is known well and is too small to matter.
    assert replace(found, mi=np.array([9.0]), sepc_all=np.array([0.03])).decision == ["fine"]


def test_indices_of_a_saturated_model_are_none():
    found = modification_indices(sem(near_miss(0.0), "q1 ~ q2 + q3"))
    assert len(found.tidy()) == 0
    assert found.glance().loc[0, "largest"] == 0.0


def test_equalities_against_refits():
    survey = noisy(n=4000)
    equal, free = (
        sem(survey, MODEL, group="branch", equal="loadings", partial=partial) for partial in ((), "quality =~ q3")
    )
    row = equality_tests(equal).tidy().query("rhs == 'q3'").iloc[0]
    assert row["chisq"] == pytest.approx(equal.measures.chisq - free.measures.chisq, rel=0.02)
    loads = free.tidy().query("rhs == 'q3' and op == '=~'")["estimate"].tolist()
    assert row["epc"] == pytest.approx(loads[1] - loads[0], rel=0.05)


def test_a_label_and_an_equation_are_the_same_equality():
    by_label = equality_tests(sem(near_miss(0.05), "quality =~ q1 + a*q2 + a*q3\nloyalty =~ l1 + l2 + l3"))
    by_equation = equality_tests(sem(near_miss(0.05), "quality =~ q1 + a*q2 + b*q3\nloyalty =~ l1 + l2 + l3\na == b"))
    one, other = by_label.tidy().iloc[0], by_equation.tidy().iloc[0]
    assert one["chisq"] == pytest.approx(other["chisq"], rel=1e-6)
    assert abs(one["epc"]) == pytest.approx(abs(other["epc"]), rel=1e-6)
    assert (other["lhs"], other["op"], other["rhs"]) == ("a", "==", "b")
    for tests in (by_label, by_equation):
        assert tests.df == 1
        assert tests.chisq == pytest.approx(one["chisq"], rel=1e-6)


def test_a_label_of_three_is_tested_whole_and_part_by_part():
    frame = equality_tests(sem(near_miss(0.05), "quality =~ q1 + a*q2 + a*q3\nloyalty =~ l1 + a*l2 + l3")).tidy()
    assert frame["whole"].tolist() == [True, False, False, False]
    assert frame["df"].tolist() == [2, 1, 1, 1]
    assert frame["chisq"][0] >= frame["chisq"][1:].max()


def test_without_equalities_there_is_nothing_to_test():
    found = equality_tests(sem(near_miss(0.05), MODEL))
    assert len(found.tidy()) == 0
    assert found.glance().loc[0, ["equalities", "chisq", "df"]].tolist() == [0, 0, 0]
    assert np.isnan(found.glance().loc[0, "p"])


# Errors in words


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": "scalar"}, r"two or more different steps are needed, in the order 'configural', 'metric'"),
        ({"steps": ["metric", "configural"]}, "in the order"),
        ({"steps": ["configural", "metrik"]}, "steps='metrik' is not known; choose one of 'configural'"),
        ({"partial": "q9 ~1"}, r"partial: the model has no relation 'q9 ~1'. Did you mean 'q3 ~1'"),
        ({"partial": "quality =~ q1"}, r"'quality =~ q1' would be free anyway. The last step, 'strict', holds equal:"),
        ({"partial": "q2 ~1", "steps": ["configural", "metric"]}, r"'q2 ~1' would be free anyway"),
        ({"reference": "west"}, r"reference='west' is not known; choose one of 'north', 'south'"),
        ({"group": "q1"}, "group='q1' is a variable of the model"),
        ({"model": 3}, "model is a text"),
    ],
)
def test_wrong_requests_of_invariance(options, message):
    arguments = {"model": MODEL, "group": "branch"} | options
    with pytest.raises(OptionError, match=message):
        invariance(noisy(n=100), **arguments)


def test_invariance_without_constructs():
    with pytest.raises(ModelError, match="this model has none"):
        invariance(noisy(n=100), "q1 ~ q2", "branch")


def test_a_step_that_cannot_be_estimated_is_named():
    model = "quality =~ q1 + q2 + q3\nloyalty =~ l1 + l2 + l3\ng =~ quality + loyalty + q1"
    with pytest.raises(ModelIdentificationError, match="Step 'configural': The model is not identified"):
        invariance(noisy(n=100), model, "branch")


def test_groups_that_no_model_can_be_fitted_to():
    frame = _frame(100)
    for change, message in (
        (frame.assign(branch="north"), "group='branch': the column has one category only, 'north'"),
        (
            frame.assign(q1=frame["q1"].where(frame["branch"] == "north", 3.0)),
            r"In group 'south' of 'branch': No variation in 'q1'",
        ),
        (
            frame.assign(branch=frame["branch"].where(frame.index > 4, "west")),
            r"In group 'west' of 'branch': .* at least 7 complete answers; 5 found",
        ),
    ):
        with pytest.raises(SampleError, match=message):
            sem(csat.read_survey(change), MODEL, group="branch")
    many = frame.assign(branch=frame["branch"].where(frame.index > 9, (frame.index % 3).astype(str)))
    with pytest.raises(SampleError, match=r"In group '0' .* Other groups that cannot be used: '1', '2'\."):
        sem(csat.read_survey(many), MODEL, group="branch")
    with pytest.raises(UnknownColumnError, match=r"^group: No column 'brunch'.*Did you mean 'branch'"):
        sem(csat.read_survey(frame), MODEL, group="brunch")
    with pytest.raises(ModelError, match=r"speaks of 3 groups, as in c\(a, b\)\*x; there are 2: north, south"):
        sem(csat.read_survey(frame), MODEL.replace("q2", "c(a, b, d)*q2"), group="branch")
    with pytest.raises(OptionError, match="names one of several groups; name their column"):
        sem(csat.read_survey(frame), MODEL, reference="north")


def test_respondents_without_a_group_are_counted():
    frame = _frame(200)
    frame.loc[:9, "branch"] = None
    frame.loc[8:14, "q1"] = np.nan
    assert sem(csat.read_survey(frame), MODEL, group="branch").left_out == 15


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minimum": -1}, "minimum=-1: a number 0 or more is needed"),
        ({"minimum": "big"}, "minimum='big'"),
        ({"delta": 0}, "delta=0: a number above 0 is needed"),
        ({"delta": True}, "delta=True"),
        ({"delta": np.nan}, "delta=nan"),
    ],
)
def test_wrong_numbers(options, message):
    with pytest.raises(OptionError, match=message):
        modification_indices(sem(near_miss(0.05), MODEL), **options)


def test_results_of_sem_are_needed():
    with pytest.raises(OptionError, match=r"modification_indices takes a result of csat\.sem; found str 'x'"):
        modification_indices("x")
    with pytest.raises(OptionError, match=r"equality_tests takes a result of csat\.sem; found None"):
        equality_tests(None)
    with pytest.raises(OptionError, match="step='weak' is not known; choose one of 'configural'"):
        invariance(noisy(n=100), MODEL, "branch").fit("weak")


def test_results_show_themselves():
    found = invariance(noisy(), MODEL, "branch")
    for result in (found, found.score_tests(), found.latent_means(), modification_indices(found.fit("strict"))):
        assert repr(result).startswith(type(result).__name__)
        assert "<table" in result._repr_html_()
        assert len(result.glance()) == 1
    assert [a < b for a, b in pairwise(found.tidy()["df"])] == [True] * 3
