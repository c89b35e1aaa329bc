"""Data and questions that a driver analysis used to answer wrongly, or in words that were not true."""

import numpy as np
import pandas as pd
import pytest

import csat
from csat.errors import CsatError, OptionError, SampleError, UnknownColumnError, closest


@pytest.fixture
def data(rng):
    n = 60
    frame = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n), "y": rng.normal(size=n)})
    frame["b"] = rng.integers(1, 10, n).astype(str)
    frame["date"] = [f"day {i}" for i in range(n)]
    return frame


@pytest.mark.parametrize("ask", [csat.regress, csat.stepwise])
def test_numbers_with_a_slip_among_them_are_no_category_unless_asked(data, ask):
    data.loc[3, "b"] = "n/a?"
    survey = csat.read_survey(data)
    with pytest.raises(OptionError, match=r"'b' holds text: '1', '2', '3' …, but also 'n/a\?'.*csat.Factor\('b'\)"):
        ask(survey, "y", ["x", "b"])
    assert ask(survey, "y", ["x", csat.Factor("b")]).n == len(data)


@pytest.mark.parametrize(("levels", "refused"), [(("1", "2", "3", "4", "?"), True), (("1", "2", "3", "?"), False)])
def test_one_slip_in_five_levels_is_a_slip(data, levels, refused):
    data["b"] = np.array(levels)[np.arange(len(data)) % len(levels)]
    if refused:
        with pytest.raises(OptionError, match=r"category of 5 levels"):
            csat.regress(csat.read_survey(data), "y", ["b"])
    else:
        assert len(csat.regress(csat.read_survey(data), "y", ["b"]).coefficients.term) == 4


def test_numbers_as_text_are_no_category_unless_asked(data):
    survey = csat.read_survey(data)
    with pytest.raises(OptionError, match=r"'b' holds text: '1', '2', '3' …, not numbers; it would be taken"):
        csat.regress(survey, "y", ["x", "b"])
    assert csat.regress(survey, "y", ["x", csat.Factor("b")]).n == len(data)


@pytest.mark.parametrize("ask", [csat.regress, csat.stepwise, csat.diagnose])
def test_a_category_of_too_many_levels_is_named(data, ask):
    with pytest.raises(SampleError, match=r"60 (drivers|candidates) \(59 of them for the levels of 'date'\)"):
        ask(csat.read_survey(data), "y", ["x", "date"])


def test_no_variable_is_named_as_the_constant(data):
    survey = csat.read_survey(data.rename(columns={"z": "(intercept)"}))
    with pytest.raises(OptionError, match="is the name of the constant"):
        csat.regress(survey, "y", ["x", "(intercept)"])


def test_a_column_with_a_colon_in_its_name_is_that_column(data):
    data["x:z"] = np.cos(data["x"])
    own = csat.regress(csat.read_survey(data), "y", ["x", "z", "x:z"])
    other = csat.regress(csat.read_survey(data.rename(columns={"x:z": "c"})), "y", ["x", "z", "c"])
    assert own.coefficients.estimate.tolist() == other.coefficients.estimate.tolist()


@pytest.mark.parametrize("factor", [1e-200, 1e-160])
@pytest.mark.parametrize("ask", [csat.regress, csat.diagnose])
def test_differences_that_vanish_when_squared_are_told_as_that(data, factor, ask):
    data[["x", "y"]] *= factor
    with pytest.raises(SampleError, match=r"'x'.* vanish.*another unit"):
        ask(csat.read_survey(data), "y", ["x"])


def test_the_other_case_is_the_nearest_name(data):
    assert closest("p1", ["P10", "P1", "p2"]) == "'P1'"
    with pytest.raises(UnknownColumnError, match="Did you mean 'x'"):
        csat.regress(csat.read_survey(data), "y", ["X"])


@pytest.mark.parametrize("joined", ["x, z", "x+z"])
def test_names_in_one_text_are_told_apart(data, joined):
    with pytest.raises(UnknownColumnError, match=r"given as a list: \['x', 'z'\]"):
        csat.regress(csat.read_survey(data), "y", joined)


def test_a_matrix_has_no_groups():
    matrix = csat.from_covariance([[1, 0.5], [0.5, 1]], names=["y", "x"], n=100)
    with pytest.raises(CsatError, match="No column 'q' in this summary: it has no columns to choose from"):
        csat.regress(matrix, "y", "x", by="q", se="classical")


def test_without_drivers_nothing_is_explained(data):
    assert csat.best_subsets(csat.read_survey(data), "y", ["x", "z"]).table["r2"].iloc[0] == 0


def test_a_driver_that_nobody_answered_has_no_bands(data):
    data["e"] = np.nan
    with pytest.raises(SampleError, match="Nobody answered 'e'"):
        csat.reward_penalty(csat.read_survey(data), "y", ["e", "x"], low=3, high=7)


@pytest.mark.parametrize("se", ["design", "HC0", "HC1"])
def test_a_level_with_one_respondent_has_no_error_of_its_own(data, se):
    data["g"] = ["a"] * 30 + ["c"] * 29 + ["z"]
    got = csat.regress(csat.read_survey(data), "y", ["x", "g"], se=se).tidy().set_index("term")
    assert got["se"].isna().tolist() == [False, False, False, True]
    assert np.isnan(got.loc["g=z", "p"])
    assert "determines a coefficient alone" in got.loc["g=z", "note"]
    without = csat.regress(csat.read_survey(data[:-1]), "y", ["x", "g"], se="HC0").tidy().set_index("term")
    np.testing.assert_allclose(got.loc["g=c", "estimate"], without.loc["g=c", "estimate"], rtol=1e-10)
    if se == "HC0":
        np.testing.assert_allclose(got.loc["g=c", "se"], without.loc["g=c", "se"], rtol=1e-10)


def test_a_reference_with_one_respondent_leaves_all_it_is_compared_with_unknown(data):
    data["g"] = ["a"] + ["c"] * 29 + ["z"] * 30
    got = csat.regress(csat.read_survey(data), "y", ["x", "g"]).tidy()
    assert got["se"].isna().tolist() == [True, False, True, True]


@pytest.mark.parametrize("n", [60, 3000])
def test_a_number_that_one_respondent_changes_is_found_as_well(rng, n):
    frame = pd.DataFrame({"y": rng.normal(size=n), "x": rng.normal(size=n), "k": 5.0, "w": rng.uniform(0.5, 2, n)})
    frame.loc[7, "k"] = 6.0
    got = csat.regress(csat.read_survey(frame, design=csat.Design(weight="w")), "y", ["x", "k"])
    assert got.tidy()["se"].isna().tolist() == [True, False, True]
    frame.loc[8, "k"] = 6.0
    assert csat.regress(csat.read_survey(frame), "y", ["x", "k"]).tidy()["se"].notna().all()


def test_only_the_group_with_the_lone_respondent_loses_its_error(data):
    data["g"], data["half"] = ["a", "c"] * 29 + ["z", "a"], ["one"] * 30 + ["two"] * 30
    data.loc[0, "g"], data.loc[1, "g"] = "z", "z"
    got = csat.regress(csat.read_survey(data), "y", ["x", "g"], by="half").tidy()
    assert got[got["se"].isna()][["half", "term"]].to_numpy().tolist() == [["two", "g=z"]]


def test_steps_on_a_printed_matrix_need_no_rows():
    matrix = csat.from_covariance([[1, 0.5, 0.2], [0.5, 1, 0.3], [0.2, 0.3, 1]], names=["y", "a", "c"], n=100)
    found = csat.stepwise(matrix, "y", ["a", "c"])
    assert found.final.coefficients.provenance.variance == "classical"
    with pytest.raises(SampleError, match=r"se='design' needs the respondents' rows.*Say se='classical'"):
        csat.regress(matrix, "y", ["a", "c"])
    with pytest.raises(SampleError, match="se='design' needs"):
        csat.stepwise(matrix, "y", ["a", "c"], se="design")


def halls(rng, lone):
    n = 80
    frame = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n), "hall": (np.arange(n) // 5).astype(str)})
    frame["y"] = frame["x"] + rng.normal(size=n)
    frame["region"] = np.where(frame["hall"] == "0", "far", "near")
    return csat.read_survey(frame, design=csat.Design(psu="hall", stratum="region", lone_psu=lone))


@pytest.mark.parametrize("lone", ["adjust", "average"])
def test_a_selection_is_redone_where_lone_units_have_a_rule_of_linearisation(rng, lone):
    state = rng.bit_generator.state
    found = csat.stepwise(halls(rng, lone), "y", ["x", "z"], replicates=40).stability
    rng.bit_generator.state = state
    certain = csat.stepwise(halls(rng, "certainty"), "y", ["x", "z"], replicates=40).stability
    assert found.frequency.tolist() == certain.frequency.tolist()
    assert f"lone units taken as certain instead of '{lone}'" in found.drawn
    assert "lone units" not in certain.drawn
    assert any("single sampling unit" in str(note) for note in _notes(found))


def test_declared_replicates_are_used_whatever_was_asked_for_and_that_is_said(rng):
    n = 80
    frame = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n), "y": rng.normal(size=n)})
    weights = [f"r{i}" for i in range(30)]
    for name in weights:
        frame[name] = rng.multinomial(n, np.full(n, 1 / n)).astype(float)
    design = csat.Design(replicates=tuple(weights), replication=csat.Replication("bootstrap"))
    found = csat.stepwise(csat.read_survey(frame, design=design), "y", ["x", "z"], replicates=100).stability
    assert (found.replicates, found.asked) == (30, 100)
    assert found.glance()["asked"].tolist() == [100]
    assert any("30 bootstrap replicates of its own" in note for note in _notes(found))


def _notes(found):
    from csat.report.tables import table

    made = table(found, "en", None, kind="stability")
    return [made.say(note) for note in made.notes]


def test_terms_of_several_columns_say_where_their_coefficients_are(data):
    data["g"] = np.array(["a", "b", "c"])[np.arange(len(data)) % 3]
    found = csat.stepwise(csat.read_survey(data), "y", ["x", "g"], replicates=20).stability.tidy().set_index("term")
    assert found["note"].to_dict() == {"x": "", "g": "several columns: see .columns"}


def test_the_path_begins_with_what_was_in_the_model(data):
    from csat.report.plots import plot

    data["y"] += data["x"] + data["z"]
    found = csat.stepwise(csat.read_survey(data), "y", ["x"], forced=["z"])
    ax = plot(found, lang="en")
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[0] == "before the first step"
    alone = csat.regress(csat.read_survey(data), "y", ["z"]).r2
    assert ax.patches[0].get_width() == pytest.approx(alone)


@pytest.mark.parametrize("labels", [("yes", "no"), ("是", "否"), ("Not", "Yes")])
def test_the_advice_for_an_outcome_of_words_models_that_it_is_so(data, labels):
    data["complained"] = np.array(labels)[np.arange(len(data)) % 2]
    event = next(label for label in labels if label.casefold() in ("yes", "是"))
    with pytest.raises(
        SampleError, match=f"for '{event}' against the others.*Recode.'complained={event}'.*'{event}': 1"
    ):
        csat.regress(csat.read_survey(data), "complained", ["x"], family="logit")
