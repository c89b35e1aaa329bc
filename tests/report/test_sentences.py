"""Sentences by rule: they say what the figures say, and never more than intervals and corrected p values allow."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat
from csat.errors import OptionError
from csat.questionnaire.tables import questionnaire_from
from csat.report import apart, compared, course, leads, mix, standing, strengths, summary
from csat.report.tables.dispersion import AGREED, DIVIDED, dispersion
from csat.report.tables.pairs import pairs_of
from csat.report.tenths import distance, figures
from csat.report.words import words

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
LANGUAGES = ("en", "zh")
#: Keys of sentences that compare nothing, or say that a comparison is open.
OPEN = {
    *("summary.index", "summary.index_only", "summary.change_within_noise", "summary.verdict_close", "summary.score"),
    *("standing.place_open", "standing.direct_rank", "standing.all_open", "standing.nobody"),
    *("compared.index_open", "compared.no_item"),
    *("strengths.no_order", "strengths.same_spread"),
    *("apart.none", "apart.no_item", "apart.no_halves", "apart.small", "apart.hidden", "apart.too_few"),
    *("course.whole_open", "course.no_step", "course.one_step_open", "course.no_node", "course.mix_open"),
}


@pytest.fixture(scope="module")
def survey(study):
    return csat.read_survey(SAMPLE / "2026Q3.csv", study)


@pytest.fixture(scope="module")
def found(results, survey, own):
    return {
        **results,
        "branches": csat.index(survey, by="branch", nodes=["satisfaction"]),
        "line": csat.index(own, by="line"),
    }


def keys(made):
    return [row[0].value.key for row in made.table.rows]


def wider(estimates, times=100.0):
    """The same figures from a far smaller sample."""
    return replace(estimates, vcov=np.asarray(estimates.vcov) * times**2, n_eff=estimates.n_eff / times**2, bounds=None)


def everything(found, study, lang="en"):
    return [
        summary(found["index"], found["evaluation"], lang, study, trend=found["trend"]),
        standing(found["branches"], lang, study, own="gansu"),
        standing(found["branches"], lang, study),
        compared(found["gaps"], lang, study),
        strengths(found["index"], lang, study),
        apart(found["by"], lang, study),
        apart(found["line"], lang, study),
        course(found["trend"], lang, study),
        mix(found["split"], lang, study),
    ]


def widened(found):
    """Every result as if its standard errors were a hundred times as large; groups stay as they are."""
    evaluation = found["evaluation"]
    even = np.full(evaluation.probability.shape, 1 / len(evaluation.grades))
    score = evaluation.score
    return {
        "index": _wide(found["index"]),
        "by": _wide(found["by"]),
        "line": _wide(found["line"]),
        "evaluation": replace(evaluation, score=wider(score), probability=even),
        "trend": replace(found["trend"], levels=wider(found["trend"].levels), changes=wider(found["trend"].changes)),
        "gaps": replace(found["gaps"], estimates=wider(found["gaps"].estimates)),
        "split": replace(found["split"], estimates=wider(found["split"].estimates)),
        "branches": _wide(found["branches"]),
    }


def _wide(index):
    return replace(index, estimates=wider(index.estimates))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_without_information_no_comparison_is_left(found, study, lang):
    for made in everything(widened(found), study, lang):
        assert set(keys(made)) <= OPEN, (made.table.name, made.sentences)


def test_the_law_can_fail(found, study):
    said = {key for made in everything(found, study) for key in keys(made)}
    assert {"summary.verdict", "standing.lower", "compared.behind", "strengths.best", "apart.higher_by"} <= said


def test_both_languages_make_the_same_claims(found, study):
    for english, chinese in zip(everything(found, study), everything(found, study, "zh"), strict=True):
        assert keys(english) == keys(chinese)
        assert all(english.sentences) and all(chinese.sentences)


def test_small_bases_are_not_quoted(found, study):
    few = replace(found["index"], estimates=replace(found["index"].estimates, n=found["index"].estimates.n * 0 + 20))
    trend = found["trend"]
    hidden = replace(
        trend,
        levels=replace(trend.levels, n=trend.levels.n * 0 + 20),
        changes=replace(trend.changes, n=trend.changes.n * 0 + 20),
    )
    split = replace(found["split"], estimates=replace(found["split"].estimates, n=found["split"].estimates.n * 0 + 20))
    gaps = replace(found["gaps"], n_peer=found["gaps"].n_peer * 0 + 20)
    for made in (
        summary(few, found["evaluation"], names=study, trend=hidden),
        strengths(few),
        course(hidden),
        mix(split),
    ):
        assert not any("." in sentence.rstrip(".") for sentence in made.sentences), made.sentences
    assert keys(compared(gaps, names=study)) == ["compared.none"]


def test_hidden_groups_take_no_part_and_give_nothing_away(index, asked):
    made = apart(index, "en", asked)
    assert keys(made)[-2:] == ["apart.hidden", "apart.small"]
    assert "97" not in " ".join(made.sentences) and "99.0" not in " ".join(made.sentences)
    low = index.estimates.n.copy()
    low[:6] = 20
    none = apart(replace(index, estimates=replace(index.estimates, n=low)), "en", asked)
    assert keys(none)[0] == "apart.too_few"


def test_the_summary_has_index_change_and_verdict(found, study):
    made = summary(found["index"], found["evaluation"], "zh", study, trend=found["trend"])
    top = found["index"].tidy().iloc[0]
    assert f"{top['estimate']:.1f}分（满分100分，95%置信区间{top['low']:.1f}至{top['high']:.1f}）" in made.sentences[0]
    assert "不能认定上升或下降" in made.sentences[1]
    assert "“满意”（概率>99%）" in made.sentences[2]
    assert "介于满意与基本满意之间" in made.sentences[-1] and not made.table.notes
    graded = replace(found["evaluation"], membership_kind="share")
    (note,) = summary(found["index"], graded, "zh", study).table.notes
    assert note.key == "note.fuzzy_scale", "another scale than that of the index is named"


def test_a_change_is_told_with_its_side(found, study):
    trend = found["trend"]
    place = int(np.flatnonzero(np.array(trend.changes.term) == "satisfaction")[-1])
    for shift, key, said in ((5.0, "summary.change_up", "up by"), (-5.0, "summary.change_down", "down by")):
        moved = trend.changes.estimate.copy()
        moved[place] = shift
        made = summary(
            found["index"], names=study, trend=replace(trend, changes=replace(trend.changes, estimate=moved))
        )
        assert keys(made)[1] == key and f"{said} 5.0 points" in made.sentences[1]


def test_a_verdict_from_few_units_says_that_its_probability_is_too_sure(found, study):
    evaluation = found["evaluation"]
    for df, said in ((2.0, True), (4.0, False)):
        few = replace(evaluation, score=replace(evaluation.score, df=np.full(len(evaluation.score.term), df)))
        assert ("fuzzy.note.few_units" in keys(summary(found["index"], few, "en", study))) is said
        assert ("With 2 degrees of freedom" in repr(csat.table(few, "en", study))) is said


def test_a_verdict_below_the_level_is_too_close_to_call(found, study):
    evaluation = found["evaluation"]
    even = np.full(evaluation.probability.shape, 1 / len(evaluation.grades))
    made = summary(found["index"], replace(evaluation, probability=even), "zh", study)
    assert "summary.verdict_close" in keys(made) and "概率仅20%" in " ".join(made.sentences)


def test_letters_and_sentences_agree(survey):
    tops = csat.index(survey, by="branch", nodes=["satisfaction"]).estimates
    letters = csat.letters(tops, "branch").tidy()
    pairs = pairs_of(tops, [range(len(letters))])
    apart_pairs = {(row["high"], row["low"]) for row in pairs[pairs["apart"]].to_dict("records")}
    wanted = {
        (i, list(letters["letter"]).index(lower)) for i, said in enumerate(letters["higher_than"]) for lower in said
    }
    assert apart_pairs == wanted and wanted


def test_the_groups_table_has_the_letters(survey, study):
    by = csat.index(survey, by="branch")
    shown = csat.table(by, "en", study, kind="groups")
    tops = csat.letters(csat.index(survey, by="branch", nodes=["satisfaction"]).estimates, "branch")
    at = [column.name for column in shown.columns]
    assert [row[at.index("letter")].value for row in shown.rows] == list(tops.letter)
    assert [row[at.index("higher_than")].value for row in shown.rows] == list(tops.higher_than)
    assert any(note.key == "note.pairs_holm" for note in shown.notes)


def test_standing_is_ranked_and_lettered(survey, study):
    by = csat.index(survey, by="branch", nodes=["satisfaction"])
    shown = csat.table(by, "en", study, kind="standing")
    at = [column.name for column in shown.columns]
    tidy = csat.shrink(by.estimates).tidy().sort_values("rank")
    assert [row[at.index("rank")].value for row in shown.rows] == tidy["rank"].tolist()
    assert [row[at.index("rank_high")].value for row in shown.rows] == tidy["rank_high"].tolist()
    assert [row[at.index("estimate")].value for row in shown.rows] == tidy["direct"].tolist()
    said = standing(by, "zh", study, own="gansu").sentences
    assert said[0].startswith("甘肃指数67.5分，在4个单位中排第3") and said[1].startswith("甘肃低于西安（相差4.4分")
    assert "青海、竞争对手" in said[2]


def test_two_groups_are_compared_without_ranks_of_three(index, study, asked):
    small = replace(index, estimates=replace(index.estimates, n=np.repeat([250, 120, 0, 0], 3)))
    assert keys(standing(small, "en", asked, own="g"))[0].startswith("standing.")
    few = replace(index, estimates=replace(index.estimates, n=index.estimates.n * 0 + 20))
    assert keys(standing(few, "en", asked, own="g")) == ["standing.too_few", "apart.hidden"]
    for hidden, rows in ((few, 4), (small, 2)):
        shown = csat.table(hidden, "en", asked, kind="standing")
        last = [row[0].value for row in shown.rows[-rows:]]
        assert len(shown.rows) == 4 and not any(isinstance(value, float | int) for value in last), "hidden, not lost"


def test_items_stand_side_by_side_with_the_letters_of_their_family(survey, study):
    by = csat.index(survey, by="branch")
    shown = csat.table(by, "en", study, kind="across")
    tidy, terms = by.tidy(), list(dict.fromkeys(by.tidy()["term"]))
    assert len(shown.rows) == len(terms) and [column.kind for column in shown.columns[1::2]] == ["score"] * 4
    items = [rows.index.tolist() for term, rows in tidy[tidy["kind"] == "item"].groupby("term", sort=False)]
    pairs = pairs_of(by.estimates, items)
    letters = sum(len(row[at].value) for row, term in zip(shown.rows, terms, strict=True) for at in (2, 4, 6, 8)
                  if tidy.set_index("term")["kind"][term].iloc[0] == "item")  # fmt: skip
    assert letters == int(pairs["apart"].sum()) > 0
    with pytest.raises(OptionError, match="puts 2 to 6 groups side by side"):
        csat.table(csat.index(survey, by="city", nodes=[study.root]), kind="across")


def test_small_groups_side_by_side_are_hidden(index, asked):
    shown = csat.table(index, "en", asked, kind="across")
    first = [cell.value for cell in shown.rows[0][1::2]]
    assert first == [68.224, 61.5, None, None] and not any(cell.value for cell in shown.rows[0][2::2][2:])


def test_dispersion_finds_the_item_that_divides(whole, found, study):
    index = found["index"]
    rows = [i for i, kind in enumerate(index.estimates.keys["kind"]) if kind == "item"]
    sd = index.sd.copy()
    sd[rows] = 22.0
    level = replace(index, sd=sd)
    assert not any(dispersion(level, rows, _names(study)))
    sd[rows[3]], sd[rows[4]] = 32.0, 12.0
    told = dispersion(replace(level, sd=sd), rows, _names(study)).tolist()
    assert (told[3], told[4]) == (DIVIDED, AGREED) and sum(map(bool, told)) == 2
    assert not any(dispersion(whole, [1, 2], _names(study))), "two items have no average to differ from"


def _names(study):
    from csat.report.names import Names

    return Names("en", study)


def test_paths_of_composites_are_told_as_far_as_known(own, study):
    model = "q =~ C21 + C22 + C23\nv =~ C31 + C32 + C33\ns =~ overall + S1\ns ~ q + v"
    found = csat.pls(own, model, replicates=50)
    told = keys(leads(found, "zh", study))
    assert told[-1] == "reading.share" and {"reading.strongest_up", "reading.first_up"} & set(told)
    vague = replace(found, draws=None, estimates=wider(found.estimates))
    assert keys(leads(vague, "en", study)) == ["reading.open"]


def test_figures_keep_their_side_of_zero():
    assert figures(2.0, 0.04, 4.0)["low"] == "0.04"
    assert figures(-2.0, -4.0, -0.04, sign=True) == {"estimate": "−2.0", "low": "−4.0", "high": "−0.04"}
    assert distance(-2.0, -4.0, -0.5) == {"estimate": "2.0", "low": "0.5", "high": "4.0"}


def test_several_groups_are_refused(found, study):
    for call in (
        lambda: summary(found["by"]),
        lambda: strengths(found["by"]),
        lambda: apart(found["index"]),
        lambda: apart(found["cells"]),
        lambda: compared(found["gaps all"]),
        lambda: course(found["trend by"]),
    ):
        with pytest.raises(OptionError):
            call()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_sentence_of_the_catalogue_has_two_decimals(lang):
    said = words(lang).sentences
    rooms = ("summary.", "standing.", "compared.", "strengths.", "apart.", "course.")
    assert not [key for key, text in said.items() if key.startswith(rooms) and ".2f" in text]


def constant(**scores):
    """Groups, or periods, of which every member gives the same answer."""
    asked = questionnaire_from({
        "study": {"name": "s", "index": "all"}, "scales": {"ten": {"low": 1, "high": 10}},
        "items": {"a": {"scale": "ten"}}, "dimensions": {"all": {"children": ["a"]}},
        "columns": {"t": {"kind": "category"}},
    })  # fmt: skip
    rows = [{"t": label, "a": score} for label, score in scores.items() for _ in range(150)]
    return csat.read_survey(pd.DataFrame(rows), asked)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_does_not_vary_is_in_no_sure_order(lang):
    index = csat.index(constant(x=7, y=8), by="t")
    assert keys(standing(index, lang, own="x")) == ["standing.place_open", "standing.all_open"]
    assert keys(standing(index, lang)) == ["standing.nobody"]
    assert keys(apart(index, lang))[0] == "apart.none"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_course_without_a_change_says_why(lang):
    for survey, key in (
        (constant(**{"2026Q1": 7}), "course.one_period"),
        (constant(**{"2026Q1": 7, "2026Q2": 8}), "course.untested"),
    ):
        made = course(csat.trend(survey, "t"), lang)
        assert keys(made) == [key] and all(made.sentences)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_gaps_are_about_the_two_groups_compared_and_count_items_only(survey, found, study, lang):
    from csat.report import plan

    about = plan(survey)
    peer = about.against[0]
    sizes = [len(about.everyone.where(branch=group)) for group in (about.own_label, peer)]
    said = words(lang).say(about.compared(lang)[peer])
    assert re.findall(r"n = ([\d,]+)", said) == [f"{size:,}" for size in sizes]
    assert f"{len(about.everyone):,}" not in said
    assert about.whole().compared(lang) == {}
    counts = words(lang).sentences["compared.note_items"]
    made = compared(found["gaps"], lang, study)
    assert counts in [made.table.say(note) for note in made.table.notes]
    items = compared(csat.gaps(survey, "branch", peer, own=about.own_label, nodes=study.leaves), lang, study)
    assert counts not in [items.table.say(note) for note in items.table.notes]
