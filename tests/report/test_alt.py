"""Sentences on charts: they say what the figures say, and no more than the intervals allow."""

import pytest

from csat.report.alt import Story, alt
from csat.report.chart import Chart, Series

LANGUAGES = ("en", "zh")


def dots(values, half=None, names=None, **more):
    low, high = ((), ()) if half is None else ([v - half for v in values], [v + half for v in values])
    series = Series.of("", values, low, high)
    return Chart("dots", "Scores", "", tuple(names or "abcdefgh"[: len(values)]), (series,), "score",
                 0.9 if half is not None else None, **more)  # fmt: skip


def test_dots_in_words():
    said = alt(dots([70, 60.5, 65], 2, ["North", "South", "East"]), "en")
    assert said == (
        "Scores. 3 rows. Highest: North 70.00 (90% interval 68.00 to 72.00). "
        "Lowest: South 60.50 (90% interval 58.50 to 62.50). The intervals of the highest and the lowest do not overlap."
    )
    chinese = alt(dots([70, 60.5, 65], 2, ["北", "南", "东"]), "zh")
    assert chinese == (
        "Scores。共3行。最高：北 70.00（90%置信区间68.00至72.00）。最低：南 60.50（90%置信区间58.50至62.50）。"
        "最高与最低的区间不重叠。"
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_wider_intervals_leave_no_claim(lang):
    """The law: what is said to differ is no longer said when the intervals grow."""
    apart, overlap = {"en": ("do not overlap", "overlap."), "zh": ("不重叠", "有重叠")}[lang]
    assert apart in alt(dots([70, 60], 2), lang)
    for half in (5, 20, 100):
        said = alt(dots([70, 60], half), lang)
        assert apart not in said and overlap in said
    bare = alt(dots([70, 60]), lang)
    assert apart not in bare and overlap not in bare
    assert "90%" not in bare


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_differs_from_nothing_is_counted_by_the_intervals(lang):
    story = Story(null=0.0)
    counts = [alt(dots([5, -4, 1], half), lang, story) for half in (2, 4.5, 10)]
    expected = {
        "en": ["above 0: 1; clearly below: 1; not clear: 1", "above 0: 1; clearly below: 0; not clear: 2",
               "above 0: 0; clearly below: 0; not clear: 3"],
        "zh": ["高于0：1行；明确低于：1行；不明确：1行", "高于0：1行；明确低于：0行；不明确：2行",
               "高于0：0行；明确低于：0行；不明确：3行"],
    }[lang]  # fmt: skip
    assert all(part in said for part, said in zip(expected, counts, strict=True))


def test_the_results_own_verdicts_go_before_its_intervals():
    said = alt(dots([5, -4, 1], 2), "en", Story(null=0.0, clear=(False, True, False)))
    assert "Clearly above 0: 0; clearly below: 1; not clear: 2." in said
    assert "+5.00" in said


def test_lines_say_first_and_last_and_whether_their_intervals_meet():
    one = Series.of("Index", [60, 65, 70], [58, 63, 68], [62, 67, 72])
    two = Series.of("Image", [60, float("nan"), 61], [55, 0, 56], [65, 0, 66])
    chart = Chart("lines", "Over time", "", ("Q1", "Q2", "Q3"), (one, two), "score", 0.95)
    said = alt(chart, "en")
    assert "Lines: 2, over 3 periods from Q1 to Q3." in said
    assert "Index: Q1 60.00 (95% interval 58.00 to 62.00); Q3 70.00 (95% interval 68.00 to 72.00). These two" in said
    assert said.count("These two intervals do not overlap.") == 1
    assert said.count("These two intervals overlap.") == 1
    assert "1 figures are not shown" in said


def test_parts_say_the_largest_and_sides_both_sides():
    parts = (Series.of("good", [0.6, 0.2]), Series.of("bad", [0.4, 0.8]))
    said = alt(Chart("stacked", "Shares", "", ("x", "y"), parts, "percent"), "en")
    assert said.endswith("x: the largest part is good, 60.0%. y: the largest part is bad, 80.0%.")
    sides = (Series.of("no", [-0.3]), Series.of("yes", [0.7]))
    said = alt(Chart("diverging", "Answers", "", ("x",), sides, "percent"), "en")
    assert said.endswith("x: 30.0% on the lower side of the middle, 70.0% on the upper.")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pictures_have_their_own_sentences_and_titles_keep_their_stop(lang):
    assert alt(Chart("picture", "Does it hold?", ""), lang, Story(said=("One.",))).startswith("Does it hold?")
    assert "?." not in alt(Chart("picture", "Does it hold?", ""), lang)
    hidden = alt(dots([float("nan")] * 2), lang)
    assert hidden.startswith("Scores") and "nan" not in hidden


@pytest.mark.parametrize("lang", LANGUAGES)
def test_one_row_and_braces_are_no_problem(lang):
    assert "60.00" in alt(dots([60], 1, ["{x} <b>"]), lang)
    assert "{x} <b>" in alt(dots([60], 1, ["{x} <b>"]), lang)
