"""Evaluations and factor weights for people: tables and charts in both languages, small bases hidden, words true."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pytest

import csat
from csat.errors import OptionError
from csat.fuzzy.remarks import REMARKS
from csat.fuzzy.sensitivity import NEVER, ONLY, UNKNOWN
from csat.fuzzy.weights import NOTES
from csat.questionnaire import Grade
from csat.report.cards import headline
from csat.report.plots import PLOTS
from csat.report.plots.evaluation_grades import look
from csat.report.tables import TABLES
from csat.report.tables.evaluation_doubt import WHY
from csat.report.tables.evaluation_notes import drawn
from csat.report.text import to_json
from csat.report.words import Word, words

R = [[0.2, 0.5, 0.3, 0.0], [0.1, 0.3, 0.5, 0.1], [0.0, 0.1, 0.6, 0.3], [0.0, 0.4, 0.5, 0.1], [0.5, 0.3, 0.2, 0.0]]
A = [0.1, 0.1, 0.15, 0.3, 0.35]
FOUR = [
    Grade(code, {}, score, cut)
    for code, score, cut in (("very_satisfied", 100, 90), ("satisfied", 80, 70), ("basically_satisfied", 60, 50),
                             ("dissatisfied", 40, 0))
]  # fmt: skip
JUDGES = {
    "张": {("quality", "value"): 3, ("quality", "fairness"): 5, ("value", "fairness"): 2},
    "李": {("quality", "value"): 1, ("quality", "fairness"): 3, ("value", "fairness"): 3},
    "王": {("quality", "value"): 1 / 2, ("quality", "fairness"): 2, ("value", "fairness"): 5},
}


@pytest.fixture(scope="module")
def found(own):
    judged = csat.ahp(JUDGES)
    sets = {"judges": judged, "entropy": "entropy", "equal": "equal"}
    return {
        "whole": csat.evaluate(own, replicates=60),
        "by": csat.evaluate(own, "city", replicates=60),
        "typed": csat.evaluate(R, weights=A, grades=FOUR),
        "nameless": csat.evaluate(R, weights=A),
        "ahp": judged,
        "entropy": csat.factor_weights(own, "service_value", method="entropy"),
        "compared": csat.compare_weights(own, sets, replicates=60),
        "compared by": csat.compare_weights(own, sets, "brand", replicates=60),
    }


TABLED = [
    *(("whole", kind) for kind in TABLES["Evaluation"] if kind != "differences"),
    *(("by", kind) for kind in TABLES["Evaluation"]),
    *(("typed", kind) for kind in TABLES["Evaluation"] if kind != "differences"),
    ("nameless", "evaluation"), ("nameless", "operators"), ("entropy", None),
    *(("ahp", kind) for kind in TABLES["Ahp"]),
    *((name, kind) for name in ("compared", "compared by") for kind in TABLES["WeightComparison"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), TABLED, ids=str)
def test_every_table_is_said_in_both_languages_with_the_same_figures(found, study, name, kind):
    english, chinese = (json.loads(to_json([csat.table(found[name], lang, study, kind=kind)]))[0]
                        for lang in ("en", "zh"))  # fmt: skip
    figures = [
        [[value for value in row.values() if isinstance(value, int | float)] for row in one["rows"]]
        for one in (english, chinese)
    ]
    assert figures[0] == figures[1]
    assert english["rows"]
    text = str(csat.table(found[name], "zh", study, kind=kind))
    assert "replicates" not in text
    assert "verdict" not in text.casefold()


def test_the_table_says_score_interval_verdict_probability_and_how_it_was_found(found, study):
    table = csat.table(found["whole"], "en", study)
    row = json.loads(to_json([table]))[0]["rows"][0]
    top = found["whole"].verdicts().iloc[0]
    for name in ("score", "low", "high", "probability", *found["whole"].grades):
        assert row[name] == pytest.approx(top[name])
    assert (row["strongest"], row["reading"]) == ("Satisfied", "Decided")
    assert row["between"] == "between satisfied and basically satisfied"
    assert "share of 60 replicates" in str(table)
    assert "sampling units drawn again" in str(table)
    assert "介于满意与基本满意之间" in str(csat.table(found["whole"], "zh", study))


def test_a_verdict_below_the_level_is_too_close_to_call(found, study):
    rows = json.loads(to_json([csat.table(found["whole"], "en", study)]))[0]["rows"]
    close = found["whole"].verdicts()["probability"] < 0.95
    assert close.any()
    assert [row["reading"] == "Too close to call" for row in rows] == close.tolist()


def test_equal_grades_are_called_equal(study):
    even = csat.evaluate([[0.5, 0.5, 0, 0, 0]], weights=[1.0])
    assert even.tied.all()
    assert not even.decided.any()
    assert "Several grades share the largest membership" in str(csat.table(even, "en", study, kind="operators"))
    assert not csat.evaluate(R, weights=A).tied[0]


def test_the_worked_example_under_every_operator(found):
    rows = json.loads(to_json([csat.table(found["typed"], "en", kind="operators")]))[0]
    assert [row["strongest"] for row in rows["rows"]] == [
        "Basically satisfied", "Very satisfied", "Very satisfied", "Satisfied", "Basically satisfied",
    ]  # fmt: skip
    assert [row["agree"] for row in rows["rows"]] == ["Yes", "No", "No", "No", "Yes"]
    assert any("depends on the operator" in note for note in rows["notes"])


def test_the_smallest_change_stands_first(found):
    rows = json.loads(to_json([csat.table(found["typed"], "en", kind="sensitivity")]))[0]["rows"]
    sizes = [abs(row["weight_change"]) for row in rows if row["weight_change"] is not None]
    assert sizes == sorted(sizes)
    assert [row["why_not"] for row in rows if row["weight_change"] is None] == ["No weight from 0 to 1 flips it"] * 2
    tidy = found["typed"].sensitivity()
    assert sizes[0] == pytest.approx(tidy["change"].abs().min())


def test_small_groups_are_hidden_in_tables_and_charts(own, study):
    few = csat.evaluate(own, "city", replicates=20)
    sizes = dict(zip(few.score.keys["city"], few.score.n, strict=True))
    limit = sorted(sizes.values())[1] + 1
    from dataclasses import replace

    strict = replace(study, bases=csat.bases.Bases(int(limit), int(limit)))
    hidden = {city for city, n in sizes.items() if n < limit}
    assert hidden
    for kind in ("summary", "operators", "differences", "memberships", "verdicts"):
        rows = json.loads(to_json([csat.table(few, "en", strict, kind=kind, codes=True)]))[0]["rows"]
        roots = [row for row in rows if row["term"] == study.root and row["city"] in hidden]
        figures = ("score", "probability", "strongest", "estimate", "membership")
        assert roots
        assert all(not row.get(figure) for row in roots for figure in figures)
    for kind in ("evaluation", "verdict", "operators"):
        text = " ".join(t.get_text() for t in csat.plot(few, kind, names=strict).figure.findobj(plt.Text))
        assert "not shown" in text
    with pytest.raises(OptionError, match="draws one group; name it with group="):
        csat.plot(few, "hierarchy", names=strict)
    plt.close("all")


DRAWN = [
    *(("whole", kind) for kind in PLOTS["Evaluation"]), ("by", None), ("by", "verdict"), ("by", "operators"),
    *(("typed", kind) for kind in PLOTS["Evaluation"]), ("nameless", None), ("ahp", None), ("entropy", None),
    ("compared", "weights"), ("compared", "verdict"), ("compared by", "verdict"),
]  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("name", "kind"), DRAWN, ids=str)
def test_every_chart_is_drawn_with_every_glyph_and_nothing_cut_off(found, study, name, kind, lang, tmp_path):
    """Warnings are errors here: matplotlib warns of a glyph that no font has."""
    axes = csat.plot(found[name], kind, lang, names=study)
    axes.figure.savefig(tmp_path / "chart.png")
    renderer = axes.figure.canvas.get_renderer()
    width, height = axes.figure.canvas.get_width_height()
    texts = [text for text in [*axes.texts, axes.title, axes.xaxis.label] if text.get_text()]
    assert texts
    for text in texts:
        box = text.get_window_extent(renderer)
        assert box.x0 > -2, text.get_text()
        assert box.x1 < width + 2, text.get_text()
        assert box.y0 > -2, text.get_text()
        assert box.y1 < height + 2, text.get_text()
    plt.close("all")


@pytest.mark.parametrize("size", [2, 3, 4, 5, 7])
def test_grades_differ_in_black_and_white(size):
    """By lightness, or else by hatching."""
    from matplotlib.colors import to_rgb

    looks = [look(place, size) for place in range(size)]
    greys = [(float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114))), hatch) for colour, hatch in looks]
    for i, (grey, hatch) in enumerate(greys):
        for other, theirs in greys[:i]:
            assert hatch != theirs or abs(grey - other) > 0.07


def test_one_group_of_a_hierarchy_is_drawn_by_name(found, study):
    axes = csat.plot(found["by"], "hierarchy", "zh", names=study, group="兰州")
    assert "兰州" in axes.get_title("left")
    with pytest.raises(OptionError, match="group='nowhere' is not known"):
        csat.plot(found["by"], "hierarchy", names=study, group="nowhere")
    with pytest.raises(OptionError, match="group= is for an evaluation by groups"):
        csat.plot(found["whole"], "hierarchy", names=study, group="x")
    plt.close("all")


def test_a_ladder_needs_rungs(found):
    with pytest.raises(OptionError, match='kind="verdict" needs grades with scores'):
        csat.plot(found["nameless"], "verdict")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_all_remarks_and_reasons_have_words(lang):
    catalogue = words(lang)
    assert {f"weighing.{kind}" for kind in NOTES} <= set(catalogue)
    worded = {"draws": "probability"}
    assert {f"fuzzy.note.{worded.get(kind, kind)}" for kind in REMARKS} <= set(catalogue)
    assert set(WHY) == {ONLY, NEVER, UNKNOWN}
    assert set(WHY.values()) <= set(catalogue)


@pytest.mark.parametrize(("said", "key"), [
    ("bootstrap of respondents", "respondents"), ("bootstrap of sampling units", "units"),
    ("bootstrap of random groups of respondents", "random_groups"),
    ("bootstrap of respondents, calibrated weights taken as given", "calibrated"),
    ("replicates: bootstrap", "declared"), ("normal draws, replicates: JKn", "normal_declared"),
    ("normal draws, linearisation", "linearised"),
])  # fmt: skip
def test_how_draws_were_made_has_words(said, key):
    made = drawn(said)
    assert isinstance(made, Word)
    assert made.key == f"fuzzy.drawn.{key}"
    assert words("zh").say(made)


def test_the_words_of_notes_are_those_of_the_engine():
    english = words("en")
    for kind in ("negative", "clipped", "no_spread", "fixed_sd", "disagree", "unlike", "unknown_part", "inconsistent"):
        assert english.sentences[f"weighing.{kind}"] == NOTES[kind]


def test_the_card_says_how_sure_the_verdict_is(found, own, study):
    index = csat.index(own)
    shown = str(headline(index, found["whole"], "zh", study))
    assert "隶属度最大，概率>99%" in shown
    assert "95%置信区间" in shown
    every = [row[2].value for row in headline(index, found["whole"], "en", study).table.rows]
    assert any(isinstance(said, Word) and said.key == "fuzzy.card" for said in every)


def test_notes_and_legend_take_no_room_from_few_rows(found):
    axes = csat.plot(found["whole"], lang="en")
    figure = axes.get_figure(root=True)
    figure.canvas.draw()
    rows = axes.get_ylim()[0] - axes.get_ylim()[1]
    inches = axes.get_window_extent().height / figure.dpi / abs(rows)
    assert inches > 0.3, "room for a row and the letters on its bar"
    plt.close("all")


def test_headings_of_the_evaluation_are_short_enough_for_a_page(found):
    """With the long word for the base its last column is cut at 1280 pixels."""
    table = csat.table(found["whole"], "en")
    heads = [table.say(column.heading) for column in table.columns]
    assert "n" in heads and "Respondents" not in heads
