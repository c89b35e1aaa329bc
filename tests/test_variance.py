"""Designs that cannot support a standard error say so; those that can, do by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Replication


def test_stratified_clusters_by_hand():
    data = pd.DataFrame(
        {
            "x": [1.0, 3, 5, 2, 8, 9, 7, 4],
            "w": [1.0, 2, 1, 1, 3, 1, 2, 1],
            "st": list("aaaabbbb"),
            "psu": list("11221122"),
            "size": [10] * 4 + [4] * 4,
        }
    )
    got = csat.mean(csat.read_survey(data, design=csat.Design(weight="w", stratum="st", psu="psu", fpc="size")), "x")
    mean = np.average(data["x"], weights=data["w"])
    u = (data["w"] * (data["x"] - mean) / data["w"].sum()).groupby([data["st"], data["psu"]]).sum()
    variance = sum((1 - 2 / size) * 2 * ((u[st] - u[st].mean()) ** 2).sum() for st, size in (("a", 10), ("b", 4)))
    assert_allclose(got.estimate, mean)
    assert_allclose(got.se**2, variance)
    assert got.df == 2


def test_unit_labels_may_repeat_between_strata():
    data = pd.DataFrame({"x": range(8), "st": list("aaaabbbb"), "psu": list("11221122")})
    source = csat.read_survey(data, design=csat.Design(stratum="st", psu="psu"))
    assert len(source.groups(["x"]).psus) == 4


def test_a_domain_keeps_units_without_respondents_in_it():
    data = pd.DataFrame({"x": [1.0, 2, 3, 4, 5, 6], "g": list("aabbba"), "psu": list("112233")})
    source = csat.read_survey(data, design=csat.Design(psu="psu"))
    groups = source.groups(["x"], ("g",))
    assert groups.units.tolist() == [3]
    u = np.array([(1 - 3) + (2 - 3), 0, 6 - 3]) / 3
    assert_allclose(csat.mean(source, "x", by="g").se[0] ** 2, 3 / 2 * ((u - u.mean()) ** 2).sum(), atol=1e-15)


def test_a_group_within_one_unit_has_no_standard_error():
    data = pd.DataFrame({"x": [1.0, 2, 3, 4, 5, 6], "g": list("aabbbb"), "psu": list("112233")})
    got = csat.mean(csat.read_survey(data, design=csat.Design(psu="psu")), "x", by="g")
    assert np.isnan(got.se[0]) and got.se[1] > 0
    assert "too few sampling units" in got.tidy()["note"][0]


def test_a_lone_unit_is_named():
    data = pd.DataFrame({"x": [1.0, 2, 3], "st": ["a", "a", "b"]})
    with pytest.raises(csat.CsatError, match="Only one primary sampling unit in stratum 'b'"):
        csat.mean(csat.read_survey(data, design=csat.Design(stratum="st")), "x")


def test_a_stratum_that_was_taken_whole_needs_no_second_unit():
    data = pd.DataFrame({"x": [1.0, 2, 3], "st": ["a", "a", "b"], "size": [100, 100, 1]})
    got = csat.mean(csat.read_survey(data, design=csat.Design(stratum="st", fpc="size")), "x")
    assert np.isfinite(got.se).all()


def test_more_units_than_the_population_is_refused():
    data = pd.DataFrame({"x": [1.0, 2, 3], "size": 2})
    with pytest.raises(csat.CsatError, match="3 units were sampled but the population-size column says 2"):
        csat.mean(csat.read_survey(data, design=csat.Design(fpc="size")), "x")


def test_two_population_sizes_in_a_stratum_are_refused():
    data = pd.DataFrame({"x": [1.0, 2, 3], "size": [9, 9, 8]})
    with pytest.raises(csat.CsatError, match="one population size per stratum"):
        csat.mean(csat.read_survey(data, design=csat.Design(fpc="size")), "x")


def test_one_respondent_and_equal_answers():
    with pytest.raises(csat.CsatError, match="Only one primary sampling unit"):
        csat.mean(csat.read_survey(pd.DataFrame({"x": [5.0]})), "x")
    same = csat.mean(csat.read_survey(pd.DataFrame({"x": [5.0, 5, 5]})), "x")
    assert (same.estimate[0], same.se[0]) == (5.0, 0.0)


def test_one_column_for_two_roles_is_refused():
    with pytest.raises(csat.CsatError, match="uses column 'w' for two roles"):
        csat.Design(weight="w", stratum="w")


def test_contrast_of_something_not_computable_has_its_reason():
    data = pd.DataFrame({"x": [1.0, 2, np.nan, np.nan, 4, 6], "g": list("aabbcc")})
    means = csat.mean(csat.read_survey(data), "x", by="g")
    got = means.contrast(np.array([[1, -1, 0], [1, 0, -1.0]]), ["a − b", "a − c"]).tidy()
    assert np.isnan(got["estimate"][0])
    assert got["note"][0] == "no valid answers"
    assert_allclose(got["estimate"][1], 1.5 - 5)
    assert np.isfinite(got["se"][1])


@pytest.mark.parametrize(("q", "unit"), [(0, "scale"), (1, "total")])
def test_units_are_named(q, unit):
    source = csat.read_survey(pd.DataFrame({"x": [1.0, 2, 3]}))
    assert (csat.mean, csat.total)[q](source, "x").unit == unit


def test_nps_by_hand(study):
    data = pd.DataFrame({"x": [0.0, 6, 7, 8, 9, 10, 10, 10]})
    asked = study('[study]\nname="s"\n[scales.nps]\nlow=0\nhigh=10\n[items]\nx={scale="nps"}\n')
    source = csat.read_survey(data, asked)
    got = csat.nps(source, "x")
    p, d, n = 4 / 8, 2 / 8, 8
    assert_allclose(got.estimate, 100 * (p - d))
    assert_allclose(got.se, 100 * np.sqrt((p + d - (p - d) ** 2) / (n - 1)))


def test_nps_of_another_scale_is_refused():
    with pytest.raises(csat.CsatError, match="needs a 0–10"):
        csat.nps(csat.read_survey(pd.DataFrame({"x": ["a", "b"]})), "x")


DESIGNS = (
    {},
    {"psu": "unit"},
    {"stratum": "half"},
    {"stratum": "half", "psu": "unit"},
    {"replication": Replication("JK1")},
    {"psu": "unit", "replication": Replication("JK1")},
)


@pytest.fixture
def constant(rng):
    """Two groups that never disagree within themselves, with weights that are no round numbers."""
    n = 240
    group, weight = np.tile(["a", "b", "b"], n // 3), rng.uniform(0.3, 3, n)
    data = pd.DataFrame({"x": np.where(group == "a", 7.3, 6.1), "y": rng.normal(7, 1, n), "g": group, "w": weight})
    return data.assign(unit=np.repeat(np.arange(24), 10).astype(str), half=np.repeat(["1", "2"], n // 2))


@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_constant_answers_have_no_error_and_no_test(constant, design):
    source = csat.read_survey(constant, design=csat.Design(weight="w", **design))
    found = csat.mean(source, ["x", "y"], by="g")
    frame = found.tidy()
    same = frame["term"] == "x"
    assert (frame.loc[same, "se"] == 0).all()
    assert (frame.loc[~same, "se"] > 0.01).all()
    assert (found.vcov[np.ix_(same, ~same)] == 0).all()
    assert (frame.loc[same, "low"] == frame.loc[same, "estimate"]).all()
    assert frame.loc[same, "n_eff"].isna().all()
    assert frame["note"].tolist() == ["nothing varies: no test", "", "nothing varies: no test", ""]
    gap = found.contrast(np.array([[1.0, 0, -1, 0], [0, 1, 0, -1]]), ["x", "y"]).tidy()
    assert_allclose(gap["estimate"][0], 1.2)
    assert gap[["statistic", "p"]].isna().to_numpy().tolist() == [[True, True], [False, False]]
    assert gap["note"].tolist() == ["nothing varies: no test", ""]


@pytest.mark.parametrize("design", DESIGNS, ids=str)
def test_shares_of_nobody_and_everybody(constant, design):
    source = csat.read_survey(constant, design=csat.Design(weight="w", **design))
    shares = csat.share(source, "g", by="g", values=["a", "b"], interval="t").tidy()
    assert_allclose(shares["estimate"], [1, 0, 0, 1])
    assert (shares["se"] == 0).all()
    assert (shares["low"] == shares["high"]).all()


def test_weights_and_offsets_of_any_size_leave_no_false_variance(rng):
    for n in (3, 50, 3000):
        for weight in (np.full(n, 0.1), rng.uniform(0.3, 3, n), 1e9 * rng.choice([0.7, 1.3], n)):
            for value in (1 / 3, 7.3, -1e6, 1e-9):
                data = pd.DataFrame({"x": value, "z": rng.normal(size=n), "w": weight})
                data.loc[0, "x"], data["g"] = value + 1, np.where(np.arange(n) == 0, "odd", "rest")
                source = csat.read_survey(data, design=csat.Design(weight="w"))
                assert csat.mean(source, "x", by="g").se[1] == 0


def test_small_spreads_are_kept(rng):
    """Rounding is cut at 1e-13 of the variance around the midpoint; a spread of a millionth of the range is none."""
    data = pd.DataFrame({"x": np.r_[0.0, 1e5 + rng.normal(0, 0.1, 400)], "g": ["far"] + ["near"] * 400})
    found = csat.mean(csat.read_survey(data), "x", by="g").tidy().set_index("g").loc["near"]
    assert_allclose(found["se"], data["x"][1:].std() / 20, rtol=1e-2)
    assert found["note"] == ""


def test_two_answers_that_always_agree_differ_by_nothing(constant):
    source = csat.read_survey(constant.assign(z=constant["y"]), design=csat.Design(weight="w"))
    gap = csat.mean(source, ["y", "z"]).contrast(np.array([[1.0, -1.0]]), ["y − z"]).tidy().iloc[0]
    assert (gap["estimate"], gap["se"], gap["note"]) == (0, 0, "nothing varies: no test")


def test_figures_that_are_not_finite_say_why():
    published = csat.mean(csat.from_covariance([[1.0]], 50, names=["x"]), "x").tidy().iloc[0]
    assert np.isnan(published["estimate"])
    assert published["note"] == "this source is a summary without rows"


def test_a_contrast_names_its_columns_by_a_table(constant):
    means = csat.mean(csat.read_survey(constant), "y", by="g")
    row = means.contrast(np.array([[1.0, -1.0]]), ["y"], {"from": ("b",)}).tidy()
    assert list(row.columns[:3]) == ["term", "from", "estimate"]
    with pytest.raises(csat.CsatError, match="keys is a table: name of a column → its 1 values"):
        means.contrast(np.array([[1.0, -1.0]]), ["y"], {"from": ("b", "c")})
    with pytest.raises(csat.CsatError, match="Column 'se' has the name of a result's column"):
        means.contrast(np.array([[1.0, -1.0]]), ["y"], {"se": ("b",)})


def test_numbers_that_cannot_be_squared_are_refused(rng):
    data = pd.DataFrame(rng.normal(size=(40, 2)), columns=["a", "b"])
    data.loc[3, "a"] = 1e200
    with pytest.raises(csat.CsatError, match=r"'a' has values 5e\+199 away from the middle .* Check the column"):
        csat.mean(csat.read_survey(data), ["b", "a"])
