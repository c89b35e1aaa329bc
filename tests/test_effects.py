"""`Sem.effects`: direct, indirect and total effects; laws, circles, draws, and errors in words."""

import warnings

import numpy as np
import pandas as pd
import pytest

import csat
from csat.design import Design, Replication
from csat.errors import ModelError, OptionError

MODEL = "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9\n"
PATHS = "textual ~ a*visual + age\nspeed ~ b*textual + c*visual\n"
DEFINED = "ind := a*b\ntot := a*b + c"
LOOP = "y1 ~ y2 + x1\ny2 ~ y1 + x2\nz ~ y2\ny1 ~~ 0*y2"


@pytest.fixture(scope="module")
def pupils(fixtures):
    return csat.read_survey(pd.read_csv(fixtures / "lavaan" / "rows.csv"))


@pytest.fixture(scope="module")
def fit(pupils):
    return csat.sem(pupils, MODEL + PATHS + DEFINED)


def row(frame, kind, cause, outcome, **more):
    found = frame[(frame["kind"] == kind) & (frame["rhs"] == cause) & (frame["lhs"] == outcome)]
    for key, value in more.items():
        found = found[found[key] == value]
    assert len(found) == 1
    return found.iloc[0]


def test_columns_and_which_effects_there_are(fit):
    frame = fit.effects().tidy()
    assert list(frame) == [
        *("group", "kind", "lhs", "rhs", "via", "estimate", "se", "statistic", "p", "low", "high", "std_all", "note"),
    ]
    assert set(zip(frame["rhs"], frame["lhs"], frame["kind"], strict=True)) == {
        ("visual", "textual", "direct"), ("visual", "textual", "total"),
        ("age", "textual", "direct"), ("age", "textual", "total"),
        ("visual", "speed", "direct"), ("visual", "speed", "indirect"), ("visual", "speed", "total"),
        ("textual", "speed", "direct"), ("textual", "speed", "total"),
        ("age", "speed", "indirect"), ("age", "speed", "total"),
    }  # fmt: skip
    assert fit.effects().glance()["stability"].iloc[0] == 0


def test_effects_equal_the_definitions_written_out(fit):
    """Two ways to the same figures: arithmetic of labels, and the inverse of I − A."""
    frame, defined = fit.effects().tidy(), fit.tidy().set_index("lhs")
    for kind, name in (("indirect", "ind"), ("total", "tot")):
        mine = row(frame, kind, "visual", "speed")
        for key in ("estimate", "se", "statistic", "p", "low", "high", "std_all"):
            assert mine[key] == pytest.approx(defined.loc[name, key], rel=1e-10)
    standardized = fit.standardized().set_index("lhs")
    at = row(frame, "indirect", "visual", "speed").name
    assert fit.effects().standardized.se[at] == pytest.approx(standardized.loc["ind", "se"], rel=1e-10)


def test_direct_effects_are_the_paths(fit):
    frame, paths = fit.effects().tidy(), fit.tidy().query("op == '~'")
    for path in paths.itertuples():
        mine = row(frame, "direct", path.rhs, path.lhs)
        assert mine["estimate"] == pytest.approx(path.estimate, rel=1e-12)
        assert mine["se"] == pytest.approx(path.se, rel=1e-10)


def test_total_is_direct_plus_indirect_with_its_covariance(fit):
    found = fit.effects().estimates
    frame = fit.effects().tidy()
    direct, indirect, total = (row(frame, kind, "visual", "speed").name for kind in ("direct", "indirect", "total"))
    weights = np.zeros((1, len(frame)))
    weights[0, [direct, indirect, total]] = 1, 1, -1
    nothing = found.contrast(weights, ["nothing"])
    assert nothing.estimate[0] == pytest.approx(0, abs=1e-12)
    assert nothing.se[0] == pytest.approx(0, abs=1e-7)


def test_single_ways_add_up_to_the_indirect_effect(pupils):
    model = MODEL + "textual ~ visual\nspeed ~ textual + visual\nage ~ speed + textual + visual"
    frame = csat.sem(pupils, model).effects(
        ["visual → textual → age", "visual -> speed -> age", "visual → textual → speed → age"]
    ).tidy()  # fmt: skip
    ways = frame[frame["kind"] == "specific"]
    assert list(ways["via"]) == ["textual", "speed", "textual → speed"]
    assert ways["estimate"].sum() == pytest.approx(row(frame, "indirect", "visual", "age")["estimate"], rel=1e-10)
    assert ways["std_all"].sum() == pytest.approx(row(frame, "indirect", "visual", "age")["std_all"], rel=1e-10)


def test_arrows_from_construct_to_indicator_carry_effects(pupils):
    """x4 is measured by `textual` and explained by age beside it."""
    frame = csat.sem(pupils, MODEL + "textual ~ age\nx4 ~ age").effects().tidy()
    own, by = row(frame, "direct", "age", "x4"), row(frame, "indirect", "age", "x4")
    assert by["estimate"] == pytest.approx(row(frame, "direct", "age", "textual")["estimate"], rel=1e-10)
    assert row(frame, "total", "age", "x4")["estimate"] == pytest.approx(own["estimate"] + by["estimate"], rel=1e-10)


def test_groups_have_their_own_effects(pupils):
    both = csat.sem(pupils, MODEL + "textual ~ visual\nspeed ~ textual", group="school").effects()
    for group in ("Old", "New"):
        alone = csat.sem(pupils.where(school=group), MODEL + "textual ~ visual\nspeed ~ textual", means=True).effects()
        mine = row(both.tidy(), "indirect", "visual", "speed", group=group)
        own = row(alone.tidy(), "indirect", "visual", "speed")
        assert (mine["estimate"], mine["se"]) == pytest.approx((own["estimate"], own["se"]), rel=1e-6)
    assert set(both.estimates.n) == {145, 156}


@pytest.mark.parametrize("how", ["bootstrap", "replicates"])
def test_errors_follow_the_draws_where_the_fit_has_them(pupils, how, fixtures):
    source = pupils
    if how == "replicates":
        frame = pd.read_csv(fixtures / "lavaan" / "rows.csv")
        source = csat.read_survey(frame, design=Design(psu="cl", replication=Replication("JK1")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        found = csat.sem(source, MODEL + PATHS + DEFINED, se=how, replicates=60)
    frame, defined = found.effects().tidy(), found.tidy().set_index("lhs")
    for kind, name in (("indirect", "ind"), ("total", "tot")):
        mine = row(frame, kind, "visual", "speed")
        for key in ("se", "statistic", "p", "low", "high"):
            assert mine[key] == pytest.approx(defined.loc[name, key], rel=1e-9), key


def test_tests_follow_the_degrees_of_freedom_of_the_design(fixtures):
    source = csat.read_survey(pd.read_csv(fixtures / "lavaan" / "rows.csv"), design=Design(psu="school"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        found = csat.sem(source, "x7 ~ a*x4 + x9\nx9 ~ b*x4 + x1\nx1 ~ x4", estimator="MLR")
    frame, paths = found.effects().tidy(), found.tidy().query("op == '~'")
    mine, path = row(frame, "direct", "x4", "x7"), paths.query("lhs == 'x7' and rhs == 'x4'").iloc[0]
    for key in ("se", "statistic", "p", "low", "high"):
        assert mine[key] == pytest.approx(path[key], rel=1e-9), key
    assert found.effects().estimates.df == found.df == 1


def loop(forth, back):
    """Covariances that a circle of two variables implies, exactly."""
    a = np.zeros((5, 5))
    a[0, 1], a[0, 3], a[1, 0], a[1, 4], a[2, 1] = forth, 0.8, back, 0.7, 0.6
    reach = np.linalg.inv(np.eye(5) - a)
    names = ["y1", "y2", "z", "x1", "x2"]
    return csat.from_covariance(pd.DataFrame(reach @ reach.T, names, names), 5000)


def test_effects_in_a_circle_sum_up_all_ways_round():
    found = csat.sem(loop(0.5, 0.3), LOOP).effects()
    frame = found.tidy()
    assert found.glance()["stability"].iloc[0] == pytest.approx(np.sqrt(0.15), abs=1e-6)
    assert row(frame, "total", "x1", "y1")["estimate"] == pytest.approx(0.8 / (1 - 0.15), abs=1e-6)
    assert row(frame, "total", "y1", "y2")["estimate"] == pytest.approx(0.3 / (1 - 0.15), abs=1e-6)
    assert row(frame, "indirect", "y1", "y2")["estimate"] == pytest.approx(0.3 / (1 - 0.15) - 0.3, abs=1e-6)
    assert row(frame, "total", "x1", "z")["estimate"] == pytest.approx(0.8 * 0.3 * 0.6 / (1 - 0.15), abs=1e-6)
    said = repr(csat.table(found, "en"))
    assert "Paths form a circle" in said and "0.387" in said


def test_a_circle_that_amplifies_itself_has_no_total_effects():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        found = csat.sem(loop(1.6, 0.9), LOOP).effects()
    frame = found.tidy()
    assert found.glance()["stability"].iloc[0] > 1
    gone = frame["kind"] != "direct"
    assert frame.loc[gone, ["estimate", "se", "p", "std_all"]].isna().all(axis=None)
    assert frame.loc[gone, "note"].str.startswith("paths in a circle amplify each other").all()
    assert frame.loc[~gone, "estimate"].notna().all()
    assert "add up to no finite sum" in repr(csat.table(found, "en"))


def test_tables_in_both_languages(fit):
    for result in (fit, fit.effects("visual → textual → speed")):
        for lang, word in (("en", "Indirect"), ("zh", "间接")):
            assert word in repr(csat.table(result, lang, kind="effects"))
    assert "visual → textual → speed" in repr(csat.table(fit.effects("visual → textual → speed"), "zh"))


def test_wrong_input_is_said_in_words(pupils, fit):
    with pytest.raises(ModelError, match=r"no paths, so that there are no effects\. Add a relation such as"):
        csat.sem(pupils, MODEL).effects()
    with pytest.raises(OptionError, match="names three or more variables, as in 'a → b → c'"):
        fit.effects("visual → speed")
    with pytest.raises(OptionError, match=r"no variable 'txtual'\. Did you mean 'textual'"):
        fit.effects("visual → txtual → speed")
    with pytest.raises(OptionError, match="no arrow from 'speed' to 'textual'"):
        fit.effects("visual → speed → textual")
    for wrong in (3, [3], "", " → → "):
        with pytest.raises(OptionError, match="specific"):
            fit.effects(wrong)
