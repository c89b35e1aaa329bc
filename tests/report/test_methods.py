"""The notes on methods name what the page shows, and no more."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

import csat
from csat.report import plan, references
from csat.report.methods import methods_of
from csat.report.names import Names
from csat.report.tables.standing import is_shrunken, ranked_groups

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
DRIVERS = ("importance", "ipa", "regression", "stepwise")


@pytest.fixture(scope="module")
def about(study):
    return plan(csat.read_survey(SAMPLE / "2026Q3.csv", study))


@pytest.fixture(scope="module")
def peers(about, study):
    return csat.index(about.everyone, by=about.peer_column, nodes=[study.root])


def keys(about, made=None):
    return [word.key.removeprefix("method.") for word in methods_of(about, "en", made)]


@dataclass(frozen=True)
class Chosen:
    stability: object


def test_without_results_the_methods_are_those_that_the_study_asks_for(about):
    assert {"shrunken", "standing", *DRIVERS, "stability", "structural"} <= set(keys(about))


def test_methods_whose_cells_failed_are_left_out(about):
    assert not {"shrunken", "standing", *DRIVERS, "stability", "structural", "pls", "mix"} & set(keys(about, {}))
    assert {"index", "gap", "bases"} <= set(keys(about, {}))
    for name in DRIVERS[:3]:
        assert {*DRIVERS, "stability"} & set(keys(about, {name: object()})) == {name}


def test_stability_is_named_where_the_selection_was_redone(about):
    assert {*DRIVERS, "stability"} & set(keys(about, {"stepwise": Chosen(None)})) == {"stepwise"}
    (word,) = [
        word for word in methods_of(about, "en", {"stepwise": Chosen(SimpleNamespace(replicates=77))})
        if word.key == "method.stability"
    ]  # fmt: skip
    assert word.blanks == {"replicates": 77}


def test_shrunken_figures_are_named_where_the_table_shows_them(about, peers, study):
    shown = "shrunken" in [column.name for column in csat.table(peers, "en", study, kind="standing").columns]
    assert is_shrunken(ranked_groups(peers, Names("en", study))) is shown
    assert ("shrunken" in keys(about, {"peers": peers})) is shown
    assert "standing" in keys(about, {"peers": peers})
    moved = ranked_groups(peers, Names("en", study)).assign(rank=lambda frame: frame["rank"].to_numpy()[::-1])
    assert is_shrunken(moved)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_references_are_those_of_the_methods_named(about, lang):
    every, few = references(about, lang).sentences, references(about, lang, {}).sentences
    assert set(few) < set(every)
    assert [said for said in every if "Martilla" in said] and not [said for said in few if "Martilla" in said]
