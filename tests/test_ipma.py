"""Importance–performance map: the reference case, scores of rows, a loop over respondents, laws, words of errors."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

import csat
from csat.composites import pls
from csat.design import Design
from csat.errors import OptionError, ReversedItemWarning

from .test_composites import BLOCKS, MODEL, PATHS, answers

LIMITS = (1, 10)
AXES = ("importance", "performance", "potential")


@pytest.fixture(scope="module")
def rows():
    return answers()


def weighted(rows, **design):
    return csat.read_survey(rows, design=Design(weight="w", **design))


def plain(rows):
    return csat.read_survey(rows, design=Design())


def by_term(found, column="importance"):
    frame = found.tidy()
    return dict(zip(frame["term"], frame[column], strict=True))


def test_reference_case(fixtures):
    case = json.loads((fixtures / "pls" / "cases.json").read_text(encoding="utf-8"))["pls_mobi_ipma"]
    part = json.loads((fixtures / "pls" / "moments.json").read_text(encoding="utf-8"))
    source = csat.from_covariance(
        np.array(part["all"]["cov"]), part["all"]["n"], part["all"]["mean"], names=part["names"]
    )
    found = pls(source, case["model"].replace("<~", "=~"), limits=LIMITS).ipma("LOY")
    expected, frame = case["result"], found.tidy()
    for kind, prefix in (("construct", ""), ("item", "item_")):
        mine = frame[frame["kind"] == kind].set_index("term")
        importance = expected[prefix + ("importance" if prefix else "importance_on_target")]
        assert {name for name, value in importance.items() if value} == set(mine.index)
        for name, row in mine.iterrows():
            assert row["importance"] == pytest.approx(importance[name], abs=1e-8)
            assert row["performance"] == pytest.approx(expected[prefix + "performance"][name], abs=1e-8)
    assert found.glance()["performance"].item() == pytest.approx(expected["performance"]["LOY"], abs=1e-8)
    assert set(frame["note"]) == {"this source is a summary without rows"}
    assert frame[["importance_se", "performance_low", "potential_high"]].isna().all(axis=None)


def test_regressions_of_scores_on_0_to_100_say_the_same(rows):
    # Importance is a matter of scores and slopes: score the respondents, regress, multiply along all ways.
    survey = weighted(rows)
    result = pls(survey, MODEL, limits=LIMITS, replicates=50)
    scores = result.scores(survey, unit="points").scores
    root = np.sqrt(rows["w"].to_numpy())
    centred = scores - np.average(scores, axis=0, weights=rows["w"])
    slopes = np.zeros((4, 4))
    names = list(BLOCKS)
    for to, by in PATHS.items():
        x, y = centred[by].to_numpy() * root[:, None], centred[to].to_numpy() * root
        slopes[names.index(to), [names.index(one) for one in by]] = np.linalg.lstsq(x, y, rcond=None)[0]
    total = np.linalg.inv(np.eye(4) - slopes) - np.eye(4)
    frame = result.ipma("loyalty").tidy().set_index("term")
    assert list(frame.index[:3]) == ["image", "quality", "value"]
    assert_allclose(frame["importance"].iloc[:3], total[3, :3], atol=1e-9)
    assert_allclose(frame["performance"].iloc[:3], np.average(scores, axis=0, weights=rows["w"])[:3], atol=1e-9)
    for name in ("image", "quality", "value"):
        items = frame[(frame["construct"] == name) & (frame["kind"] == "item")]
        assert items["importance"].sum() == pytest.approx(frame.loc[name, "importance"], abs=1e-12)
        assert items["potential"].sum() == pytest.approx(frame.loc[name, "potential"], abs=1e-10)


def test_corrected_for_attenuation_it_is_about_the_constructs(rows):
    # Slopes from the covariances of the scores, whose variances are cut down to the reliable part.
    survey = plain(rows)
    result = pls(survey, MODEL, limits=LIMITS, consistent=True, replicates=50)
    cov = np.cov(result.scores(survey, unit="points").scores.to_numpy().T, bias=True)
    reliable = result.constructs()["rho_a"].to_numpy()
    np.fill_diagonal(cov, np.diag(cov) * reliable)
    names = list(BLOCKS)
    slopes = np.zeros((4, 4))
    for to, by in PATHS.items():
        at = [names.index(one) for one in by]
        slopes[names.index(to), at] = np.linalg.solve(cov[np.ix_(at, at)], cov[at, names.index(to)])
    total = np.linalg.inv(np.eye(4) - slopes) - np.eye(4)
    assert_allclose(result.ipma("loyalty").tidy()["importance"].iloc[:3], total[3, :3], atol=1e-9)


def test_standard_errors_are_those_of_leaving_each_respondent_out():
    rows = answers(60)
    found = pls(plain(rows), MODEL, limits=LIMITS, se="jackknife").ipma("loyalty")
    again = [pls(plain(rows.drop(i)), MODEL, limits=LIMITS, replicates=50).ipma("loyalty").tidy() for i in rows.index]
    for axis in AXES:
        left = np.array([frame[axis] for frame in again])
        variance = 59 / 60 * np.sum((left - left.mean(axis=0)) ** 2, axis=0)
        assert_allclose(found.tidy()[f"{axis}_se"], np.sqrt(variance), rtol=1e-8)
    frame = found.tidy()
    assert_allclose(frame["importance_high"] - frame["importance"], frame["importance"] - frame["importance_low"])


def test_intervals_are_quantiles_of_the_draws(rows):
    result = pls(weighted(rows, psu="hall", stratum="stratum"), MODEL, limits=LIMITS, replicates=200)
    found = result.ipma("loyalty")
    solution, sample = result.draws.solution, result.draws.items
    # The only way from value to loyalty is direct: its importance is the slope between the two indices.
    slope = 100 / 9
    index = {}
    for name, j in (("value", 2), ("loyalty", 3)):
        at = result.blocks.columns(j)
        raw = solution.weights[:, 0, at] / solution.sd[:, 0, at]
        shares = raw / raw.sum(axis=1, keepdims=True) * slope
        index[name] = np.sqrt(np.einsum("ri,rij,rj->r", shares, sample.cov[:, 0, at[:, None], at], shares))
    draws = solution.paths[:, 0, 3, 2] * index["loyalty"] / index["value"]
    row = found.tidy().set_index("term").loc["value"]
    assert row["importance_low"] < np.quantile(draws, 0.04) < row["importance"] < np.quantile(draws, 0.96)
    assert row["importance_low"] == pytest.approx(np.quantile(draws, 0.025), abs=0.02 * np.ptp(draws))
    assert row["importance_se"] == pytest.approx(np.std(draws, ddof=1), rel=0.02)


def test_a_weight_of_two_is_a_respondent_twice(rows):
    twice = np.arange(len(rows)) % 3 == 0
    doubled = rows.loc[np.repeat(rows.index, 1 + twice)].reset_index(drop=True)
    one = pls(weighted(rows.assign(w=1.0 + twice)), MODEL, limits=LIMITS, replicates=50).ipma("value").tidy()
    other = pls(plain(doubled), MODEL, limits=LIMITS, replicates=50).ipma("value").tidy()
    assert_allclose(one[list(AXES)], other[list(AXES)], atol=1e-9)


def test_units_of_the_answers_do_not_matter(rows):
    limits = {item: LIMITS for block in BLOCKS.values() for item in block} | {"b2": (0, 900), "d1": (-4, 5)}
    other = rows.assign(b2=(rows["b2"] - 1) * 100, d1=rows["d1"] - 5)
    one = pls(plain(rows), MODEL, limits=LIMITS, replicates=50).ipma("loyalty").tidy()
    two = pls(plain(other), MODEL, limits=limits, replicates=50).ipma("loyalty").tidy()
    columns = [f"{axis}{part}" for axis in AXES for part in ("", "_se", "_low", "_high")]
    assert_allclose(one[columns], two[columns], atol=1e-8)


def test_a_target_that_is_good_when_low_turns_importance_round(rows):
    limits = {item: LIMITS for block in BLOCKS.values() for item in block}
    one = pls(plain(rows), MODEL, limits=limits, replicates=50)
    other = pls(plain(rows), MODEL, limits=limits | {"d1": (10, 1), "d2": (10, 1)}, replicates=50)
    assert_allclose(
        list(by_term(other.ipma("loyalty")).values()), -np.array(list(by_term(one.ipma("loyalty")).values())), atol=1e-9
    )
    assert other.ipma("loyalty").target_performance == pytest.approx(100 - one.ipma("loyalty").target_performance)


def test_groups_are_maps_of_their_own(rows):
    found = pls(plain(rows), MODEL, limits=LIMITS, by="brand", replicates=60).ipma("loyalty")
    frame = found.tidy()
    assert list(frame.columns[:4]) == ["brand", "kind", "term", "construct"]
    for brand in ("x", "y"):
        alone = pls(plain(rows[rows["brand"] == brand]), MODEL, limits=LIMITS, replicates=60).ipma("loyalty").tidy()
        mine = frame[frame["brand"] == brand]
        assert_allclose(mine[list(AXES)], alone[list(AXES)], atol=1e-9)
        assert_allclose(mine["priority"], alone["priority"])
    # Independent groups: their figures do not covary beyond the noise of the draws.
    k = len(found.importance.term) // 2
    se = found.importance.se
    across = found.importance.vcov[:k, k:] / np.outer(se[:k], se[k:])
    assert np.abs(across).mean() < 0.2
    assert found.glance()["n"].tolist() == [int((rows["brand"] == b).sum()) for b in ("x", "y")]
    assert found.cuts().shape == (2, 2)


def test_priority_ranks_what_a_perfect_score_would_bring(rows):
    frame = pls(plain(rows), MODEL, limits=LIMITS, replicates=50).ipma("loyalty").tidy()
    assert_allclose(frame["potential"], frame["importance"] * (100 - frame["performance"]))
    for _, part in frame.groupby("kind"):
        assert part.sort_values("priority")["potential"].is_monotonic_decreasing
        assert sorted(part["priority"]) == list(range(1, len(part) + 1))


def test_a_scale_that_is_not_known_leaves_its_constructs_out(rows):
    known = {item: LIMITS for name in ("quality", "value", "loyalty") for item in BLOCKS[name]}
    found = pls(plain(rows), MODEL, limits=known, replicates=50).ipma("loyalty")
    frame = found.tidy().set_index("term")
    assert frame.loc[["image", "a1"], ["importance", "performance", "importance_se"]].isna().all(axis=None)
    assert set(frame.loc[["image", "a1"], "note"]) == {
        "the scale or the mean of an item is not known: no figure on 0–100"
    }
    whole = pls(plain(rows), MODEL, limits=LIMITS, replicates=50).ipma("loyalty").tidy().set_index("term")
    assert frame.loc["value", "importance"] == pytest.approx(whole.loc["value", "importance"], abs=1e-12)
    assert np.isnan(frame.loc["image", "priority"])


def test_bca_is_bias_corrected_here(rows):
    result = pls(plain(rows[:80]), MODEL, limits=LIMITS, interval="bca", replicates=60)
    assert result.ipma("value").glance()["interval"].item() == "bias-corrected"


def test_negative_weights_are_told(rows):
    with pytest.warns(ReversedItemWarning, match=r"chance: b4 \(quality: -0\.\d\d\)\. If they"):
        result = pls(plain(rows.assign(b4=11 - rows["b4"])), MODEL, limits=LIMITS, replicates=50)
    found = result.ipma("loyalty")
    assert found.notes[0].startswith("Weights below 0: 'b4'.")
    assert "Weights below 0" in repr(found)
    assert "Weights below 0" in found._repr_html_()
    assert pls(plain(rows), MODEL, limits=LIMITS, replicates=50).ipma("loyalty").notes == ()


def test_wrong_input(rows):
    result = pls(plain(rows), MODEL, replicates=50)
    with pytest.raises(OptionError, match="ipma needs the ends of the scales"):
        result.ipma("loyalty")
    with pytest.raises(OptionError, match="target='image' is not known; choose one of 'quality', 'value', 'loyalty'"):
        result.ipma("image")
    with pytest.raises(OptionError, match="loyalty"):
        result.ipma("loyality")
    with pytest.raises(OptionError, match="target=None"):
        result.ipma(None)
