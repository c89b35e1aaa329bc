"""The tables of the Gansu Mobile customer-satisfaction study: what follows from them, and their own mistakes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat

STUDY = Path(__file__).parent / "fixtures" / "study"


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(STUDY / name)


def test_brand_table_composites_follow_from_the_shares():
    table = read("brands.csv").set_index("brand_en")
    brands = table.drop("Overall")
    got = csat.gaps(brands[["own", "rival"]], own="own", against="rival", weights=brands["share"].to_dict())
    frame = got.tidy().set_index("term")
    assert_allclose(frame.loc[brands.index, "estimate"], brands["gap"], atol=1e-9)
    row = frame.loc["composite", ["own", "peer", "estimate"]].astype(float).round(2)
    assert (row["own"], row["peer"], row["estimate"]) == (79.21, 65.89, 13.32)
    assert_allclose(table.loc["Overall", ["own", "rival", "gap"]].astype(float), [79.21, 65.89, 13.32])


def test_branch_gap_table_follows_from_the_scores():
    table = read("branch_gaps.csv").set_index("factor_en")
    frame = csat.gaps(table[["gansu", "xian"]], own="gansu", against="xian").tidy().set_index("term")
    assert_allclose(frame["estimate"], table["gap"], atol=1e-9)
    assert frame["se"].isna().all()
    assert set(frame["note"]) == {"published without a standard deviation: no interval"}


def test_rank_table_mistakes_are_found():
    items = read("items.csv").set_index("code")
    checked = csat.check_ranks(items["score"], items["rank_published"])
    found = checked.tidy().set_index("term")
    assert found.loc[["C27", "C22", "C45", "C43", "C21"], "rank"].tolist() == [11, 16, 17, 18, 19]
    assert set(found.index[found["finding"] == "left_out"]) == {"C22", "C27"}
    assert set(found.index[found["finding"] == "wrong_rank"]) == {"C45", "C43"}
    assert checked.glance()["mistakes"][0] == 4
    assert set(checked.mistakes["term"]) == {"C22", "C27", "C45", "C43"}


def test_dimension_scores_outside_their_items_are_found():
    items, dimensions = read("items.csv"), read("dimensions.csv").set_index("scope_en")
    parts = {name: group["score"].to_numpy() for name, group in items.groupby("dimension")}
    overall = dimensions.loc["Overall"]
    checked = csat.check_composites({name: float(overall[name]) for name in parts}, parts).tidy().set_index("term")
    assert checked.loc["quality", "finding"] == "outside"  # 63.04
    assert checked.loc["fairness", "finding"] == "outside"  # 79.69
    assert checked.loc["image", "finding"] == "agrees"  # 66.11


def test_composite_lies_within_its_dimensions():
    table = read("dimensions.csv").set_index("scope_en")
    parts = {scope: row[["image", "quality", "fairness", "value"]].astype(float) for scope, row in table.iterrows()}
    assert set(csat.check_composites(table["composite"].to_dict(), parts).tidy()["finding"]) == {"agrees"}


def test_audit_table_adds_up():
    audit = read("club_audit.csv").set_index("criterion_en")
    parts = audit.drop("Total")
    assert_allclose(
        parts[["full_marks", "score", "lost"]].sum(), audit.loc["Total", ["full_marks", "score", "lost"]].astype(float)
    )
    assert_allclose(audit["score"] - audit["full_marks"], audit["lost"])


def test_overall_score_lies_between_satisfied_and_basically_satisfied():
    """68.22 is published as a score only; a membership row with that score gives the published wording."""
    share = (68.22 - 60) / 20
    membership = np.array([[0, share, 1 - share, 0, 0]])
    frame = csat.evaluate(membership, weights=[1.0]).verdicts()
    assert_allclose(frame["score"], 68.22)
    assert (frame["upper"][0], frame["lower"][0]) == ("satisfied", "basically_satisfied")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: csat.check_ranks({"a": 1.0}, {"b": 1}), "Rank of 'b' but no score"),
        (lambda: csat.check_ranks({"a": float("nan")}, {"a": 1}), "score of 'a' is empty"),
        (lambda: csat.check_composites({"a": 1.0}, {}), "No parts given for the composite 'a'"),
        (lambda: csat.gaps(pd.DataFrame({"x": [1.0]}), against="x"), "has no group besides 'x'"),
        (lambda: csat.gaps(pd.DataFrame({"x": [1.0], "y": [2.0]})), "needs against="),
        (lambda: csat.gaps(pd.DataFrame({"x": [1.0], "y": [2.0]}), against="z"), "No group 'z' in the published table"),
        (
            lambda: csat.gaps(pd.DataFrame({"x": [1.0], "y": [2.0]}, index=["t"]), against="y", weights={"t": 0.5}),
            "sum to 0.5",
        ),
        (lambda: csat.gaps(pd.DataFrame({"x": [1.0], "y": [2.0]}), against="y", weights={"t": 1.0}), "they differ at"),
    ],
)
def test_wrong_tables_are_refused(call, message):
    with pytest.raises(csat.CsatError, match=message):
        call()
