"""Laws: the order of rows, merged counts, units of customers and hours; two ways to the same figure."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import csat
from csat.service.survival import curve_of

COUNTS = st.lists(st.integers(0, 400), min_size=6, max_size=6).filter(lambda counts: sum(counts[:3]) * sum(counts[3:]))


def causes(counts, customers=(5000, 8000)):
    return pd.DataFrame({
        "cause": ["a", "b", "c"] * 2, "branch": ["x"] * 3 + ["y"] * 3, "complaints": counts,
        "customers": np.repeat(customers, 3),
    })  # fmt: skip


def visits(rng, sites=8, each=2):
    return pd.DataFrame([
        {"site": f"s{site}", "visit": visit, "criterion": criterion, "full_marks": full, "score": full - lost}
        for site in range(sites) for visit in range(each) for criterion, full in (("p", 20), ("q", 10), ("r", 5))
        for lost in [int(rng.integers(0, 5))]
    ])  # fmt: skip


def same(found, expected, columns=("estimate", "se", "low", "high")):
    pd.testing.assert_frame_equal(
        found.tidy().sort_values("term", ignore_index=True)[["term", *columns]],
        expected.tidy().sort_values("term", ignore_index=True)[["term", *columns]],
    )


@settings(max_examples=25, deadline=None)
@given(counts=COUNTS)
def test_counts_of_branches_add_up(counts):
    whole = csat.complaints(causes(counts))
    by = csat.complaints(causes(counts), by="branch")
    halves = by.count.reshape(2, 4)
    np.testing.assert_array_equal(whole.count, halves.sum(axis=0))
    np.testing.assert_allclose(whole.estimates.estimate * 13, by.estimates.estimate.reshape(2, 4).T @ [5, 8])
    np.testing.assert_allclose(whole.shares.estimate.sum(), 1)
    low, high = whole.estimates.interval
    assert (low <= whole.estimates.estimate).all() and (whole.estimates.estimate <= high).all()


@settings(max_examples=25, deadline=None)
@given(counts=COUNTS, seed=st.integers(0, 99))
def test_the_order_of_rows_does_not_matter(counts, seed):
    table = causes(counts)
    same(csat.complaints(table.sample(frac=1, random_state=seed)), csat.complaints(table))


def test_a_log_of_single_complaints_is_the_same_as_counts():
    table = causes([3, 4, 0, 5, 1, 2])
    log = table.loc[table.index.repeat(table["complaints"]), ["cause", "branch"]]
    found = csat.complaints(log, by="branch", customers={"x": 5000, "y": 8000}).tidy().set_index(["branch", "term"])
    expected = csat.complaints(table, by="branch").tidy().set_index(["branch", "term"])
    columns = ["count", "estimate", "low", "high", "share"]
    pd.testing.assert_frame_equal(found[columns].sort_index(), expected[columns].sort_index(), check_dtype=False)


def test_ten_times_the_customers_is_a_tenth_of_the_rate_and_per_only_scales():
    one, ten = csat.complaints(causes([9] * 6)), csat.complaints(causes([9] * 6, (50_000, 80_000)))
    np.testing.assert_allclose(one.estimates.estimate, 10 * ten.estimates.estimate)
    np.testing.assert_allclose(one.estimates.interval, 10 * np.array(ten.estimates.interval))
    scaled = csat.complaints(causes([9] * 6, (50_000, 80_000)), per=10_000)
    np.testing.assert_allclose(scaled.estimates.interval, one.estimates.interval)


def test_the_total_varies_with_its_causes():
    found = csat.complaints(causes([30, 12, 5, 3, 9, 1])).estimates
    made = found.contrast(np.array([[1.0, 1.0, 1.0, -1.0]]), ["nothing"])
    np.testing.assert_allclose([made.estimate[0], made.se[0]], 0, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(before=st.integers(0, 90), after=st.integers(0, 90), scale=st.floats(0.1, 9))
def test_turning_time_round_turns_the_ratio_over(before, after, scale):
    table = pd.DataFrame({"cause": "c", "period": ["1", "2"], "complaints": [before, after]})
    sizes = {"1": 1000.0, "2": 1000.0 * scale}
    forth, back = (csat.complaint_changes(table, *order, customers=sizes) for order in (("1", "2"), ("2", "1")))
    np.testing.assert_allclose(forth.p, back.p, rtol=1e-9)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(1 / forth.estimates.interval[1], back.estimates.interval[0], rtol=1e-9)
        np.testing.assert_allclose(1 / forth.estimates.estimate, back.estimates.estimate, rtol=1e-9)


def test_no_silent_customer_is_assumed_unless_asked():
    plain, assumed = csat.complaints(causes([4] * 6)), csat.complaints(causes([4] * 6), silent=24)
    assert "dissatisfied" not in plain.tidy() and np.isnan(plain.dissatisfied).all()
    np.testing.assert_array_equal(assumed.tidy()["dissatisfied"], 25 * assumed.count)
    same(plain, assumed)


def test_visits_of_sites_seen_once_are_a_mean_with_its_t_interval(rng):
    table = visits(rng, each=1)
    found = csat.audits(table).tidy().set_index("term")
    p = table[table["criterion"] == "p"]["score"] / 20
    assert found.loc["p", "estimate"] == pytest.approx(p.mean())
    assert found.loc["p", "se"] == pytest.approx(p.std(ddof=1) / np.sqrt(8))
    assert found.loc["p", "df"] == 7


def test_audits_do_not_care_for_order_or_for_the_unit_of_marks(rng):
    table = visits(rng)
    expected = csat.audits(table)
    same(csat.audits(table.sample(frac=1, random_state=1)), expected)
    half = table.assign(full_marks=table["full_marks"] / 2, score=table["score"] / 2)
    same(csat.audits(half), expected)
    np.testing.assert_allclose(csat.audits(half).lost, expected.lost / 2)
    np.testing.assert_allclose(expected.losses.estimate.sum(), 1)
    np.testing.assert_allclose(expected.losses.joint.sum(axis=0), 0, atol=1e-15)


def test_two_periods_of_the_same_halls_are_compared_hall_by_hall(rng):
    table = pd.concat([visits(rng).assign(period=period) for period in ("2026Q1", "2026Q2")])
    found = csat.audits(table, by="period").estimates
    pick = [i for i, term in enumerate(found.term) if term == "total"]
    matrix = np.zeros((1, len(found.term)))
    matrix[0, pick] = [-1, 1]
    made = found.contrast(matrix, ["change"])
    halls = table.groupby(["site", "period"])[["score", "full_marks"]].sum()
    change = (halls["score"] / halls["full_marks"]).unstack().diff(axis=1).iloc[:, 1]
    assert made.estimate[0] == pytest.approx(change.mean())
    assert made.se[0] == pytest.approx(change.std(ddof=1) / np.sqrt(8))


def test_time_stamps_and_hours_say_the_same():
    hours = np.array([1.5, 30, 22.25, 24, 50, 3])
    start = pd.Timestamp("2026-07-01 08:00") + pd.to_timedelta(np.arange(6) * 5, unit="h")
    log = pd.DataFrame({"step": "fix", "start": start, "end": start + pd.to_timedelta(hours, unit="h")})
    plain = csat.sla(pd.DataFrame({"step": "fix", "hours": hours}), {"fix": 24})
    stamped = csat.sla(log, {"fix": 24})
    np.testing.assert_allclose(stamped.estimates.estimate, plain.estimates.estimate)
    np.testing.assert_allclose(stamped.median.estimate, plain.median.estimate)
    assert plain.estimates.estimate[0] == pytest.approx(2 / 6)
    days = csat.sla(pd.DataFrame({"step": "fix", "hours": hours / 24}), {"fix": 1})
    np.testing.assert_allclose(days.estimates.interval, plain.estimates.interval)


@settings(max_examples=40, deadline=None)
@given(hours=st.lists(st.integers(0, 60), min_size=2, max_size=40), seed=st.integers(0, 99), limit=st.integers(1, 50))
def test_the_share_lies_between_its_bounds(hours, seed, limit):
    open_cases = np.random.default_rng(seed).random(len(hours)) < 0.3
    found = csat.sla(pd.DataFrame({"step": "s", "hours": hours, "open": open_cases}), {"s": limit})
    assert found.least[0] - 1e-12 <= found.estimates.estimate[0] <= found.most[0] + 1e-12
    low, high = found.estimates.interval
    ends = np.array([0, low[0], found.estimates.estimate[0], high[0], 1])
    assert (np.diff(ends) >= -1e-12).all()
    if not open_cases.any():
        np.testing.assert_allclose([found.least, found.most], [found.estimates.estimate] * 2)


def test_steps_of_the_same_case_are_correlated(rng):
    slow = rng.normal(size=400)
    hours = [np.exp(slow + 0.3 * rng.normal(size=400)) for _ in range(2)]
    table = pd.DataFrame({
        "case": np.tile(np.arange(400), 2), "step": np.repeat(["a", "b"], 400), "hours": np.concatenate(hours),
    })  # fmt: skip
    found = csat.sla(table, {"a": 1, "b": 1}).estimates
    over = [(part > 1).astype(float) for part in hours]
    assert found.joint[0, 1] == pytest.approx(np.cov(*over, ddof=0)[0, 1] / 400)
    apart = csat.sla(table.drop(columns="case"), {"a": 1, "b": 1}).estimates
    assert apart.joint[0, 1] == 0
    np.testing.assert_allclose(np.diag(apart.joint), np.diag(found.joint))


def test_without_open_cases_the_curve_is_the_share_that_is_longer(rng):
    hours = rng.integers(1, 30, 200).astype(float)
    curve = curve_of(hours, np.full(200, True))
    np.testing.assert_allclose(
        [curve.at(limit) for limit in range(31)], [(hours > limit).mean() for limit in range(31)]
    )
    share = curve.at(12)
    assert curve.variance_at(12) == pytest.approx(share * (1 - share) / 200)
