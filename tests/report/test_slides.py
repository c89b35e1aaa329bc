"""How slides are filled: what belongs together stands together, nothing leaves its slide, nothing is too small."""

import io
from dataclasses import replace

import pptx
import pytest

import csat
from csat.report.chart import Chart, Series
from csat.report.description import Cell, Column, Description
from csat.report.document import Document, Picture, Prose, Section, Tabular
from csat.report.office import charts, marks, slides, tables
from csat.report.office.deck import HIGH, WIDE
from csat.report.words import Word, words

SAID = ("The first is highest.", "The second cannot be told apart from it. " * 3, "The third is lowest.")


def picture(chart=None, size=(880, 500)):
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (size[0] * 2, size[1] * 2)).save(file, "png")
    return Picture(file.getvalue(), "image/png", "what is drawn", size[0], chart)


def chart(rows, kind="bars", unit="score", **more):
    values = [50.0 + row / 7 for row in range(rows)]
    series = (Series.of("", values, [value - 2 for value in values], [value + 2 for value in values]),)
    named = tuple(f"row {row}" for row in range(rows))
    extra = {"notes": ("base of it",), "native": True, **more}
    return Chart(kind, "Scores", "alt text", named, series, unit, 0.95, **extra)


def sentences(title="In short", note="so far"):
    rows = tuple((Cell(line),) for line in SAID)
    return Tabular(Description("said", title, (Column("sentence", title),), rows, notes=(note,)), "sentences")


def table(rows, name="Table"):
    heads = (Column("name", "name"), Column("value", "value", "score"))
    body = tuple((Cell(f"{name} {row}"), Cell(float(row))) for row in range(rows))
    return Tabular(Description(name, name, heads, body, notes=(f"base of {name}",)))


@pytest.fixture
def made(tmp_path):
    """Slides of a section after the first, read back."""

    def write(*blocks, title="Part"):
        slides.render(Document("Study", "en", (), (Section("s", title, blocks),)), tmp_path / "a.pptx")
        return list(pptx.Presentation(tmp_path / "a.pptx").slides)[1:]

    return write


def kinds(slide):
    found = {"table": slide.shapes, "chart": slide.shapes}
    counted = {name: sum(getattr(shape, f"has_{name}") for shape in shapes) for name, shapes in found.items()}
    return counted | {"picture": sum(shape.shape_type == 13 for shape in slide.shapes)}


def texts(slide):
    return "\n".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)


def boxes(slide):
    """Edges in inches of what a slide holds."""
    return [
        (shape.left / 914400, shape.top / 914400, (shape.left + shape.width) / 914400,
         (shape.top + shape.height) / 914400)
        for shape in slide.shapes
    ]  # fmt: skip


def test_sentences_stand_beside_their_chart(made):
    (slide,) = made(Prose("An introduction."), sentences(), picture(chart(6)))
    assert kinds(slide) == {"table": 0, "chart": 1, "picture": 0}
    assert all(line.strip() in texts(slide) for line in SAID)
    assert "so far" in texts(slide) and "base of it" in texts(slide)
    assert {"so far", "what is drawn", "base of it"} <= set(slide.notes_slide.notes_text_frame.text.split("\n"))


def test_a_picture_stands_beside_sentences_too(made):
    (slide,) = made(sentences(), picture())
    assert kinds(slide)["picture"] == 1


def test_small_tables_share_a_slide_and_each_has_its_title(made):
    (slide,) = made(Prose("Introduction."), table(3, "first"), table(4, "second"))
    assert kinds(slide)["table"] == 2
    assert {"first", "second", "base of first", "base of second"} <= set(texts(slide).split("\n"))


def test_a_few_words_stand_alone_only_before_something_large(made):
    first, *_ = made(Prose("Introduction."), picture(chart(24)), title="Part")
    assert kinds(first) == {"table": 0, "chart": 0, "picture": 0}
    (slide,) = made(Prose("Introduction."), picture(chart(5)))
    assert kinds(slide)["chart"] == 1


def test_a_tall_picture_of_scores_is_divided_into_bars_with_the_same_figures(made):
    scores = chart(40, "dots", native=False)
    found = made(picture(scores, (880, 1500)))
    drawn = [shape.chart for slide in found for shape in slide.shapes if shape.has_chart]
    assert len(drawn) == len(found) == 2
    values = [value for one in drawn for value in one.plots[0].series[0].values]
    assert values == list(scores.series[0].values)
    assert {(one.value_axis.minimum_scale, one.value_axis.maximum_scale) for one in drawn} == {(0.0, 60.0)}
    assert all(one._chartSpace.xpath(".//c:errBars") for one in drawn)


@pytest.mark.parametrize(("kind", "unit"), [("dots", "percent"), ("picture", "score")])
def test_a_tall_picture_that_bars_would_distort_stays_one(kind, unit, made):
    (slide,) = made(picture(chart(40, kind, unit, native=False), (880, 1500)))
    assert kinds(slide) == {"table": 0, "chart": 0, "picture": 1}


def test_rows_of_a_long_table_are_shared_evenly(made):
    found = made(table(43))
    rows = [len(shape.table.rows) - 1 for slide in found for shape in slide.shapes if shape.has_table]
    assert sum(rows) == 43 and max(rows) - min(rows) <= 2


def test_a_table_that_just_does_not_fit_gets_smaller_letters(made):
    tall = next(rows for rows in range(5, 60) if len(made(table(rows))) > 1)
    (slide,) = made(table(tall - 1))
    (shape,) = [shape for shape in slide.shapes if shape.has_table]
    assert shape.table.cell(1, 0).text_frame.paragraphs[0].runs[0].font.size.pt == tables.SMALL < tables.LETTERS


def test_sentences_are_shared_evenly_between_slides(made):
    lines = tuple((Cell(f"{place} " + "many words in a row " * 12),) for place in range(16))
    said = Description("said", "Said", (Column("sentence", "Said"),), lines)
    found = [texts(slide).count("many words in a row") for slide in made(Tabular(said, "sentences"))]
    assert len(found) > 1 and sum(found) == 16 * 12 and min(found) >= 0.6 * max(found)


def test_nothing_leaves_its_slide(made):
    blocks = [Prose("Words. " * 40), sentences(), picture(), table(3), table(30), picture(chart(30)), sentences("More")]
    for slide in made(*blocks, table(2), picture(size=(400, 1200)), picture(chart(3)), table(1)):
        for left, top, right, bottom in boxes(slide):
            assert left >= 0 and top >= 0 and right <= WIDE + 0.01 and bottom <= HIGH


def test_probabilities_are_drawn_natively(made):
    """Their format has a sign that XML knows otherwise."""
    chances = Chart("bars", "P", "alt", ("a", "b"), (Series.of("", [0.9999, 0.4]),), "chance", native=True)
    (slide,) = made(picture(chances))
    (drawn,) = (shape.chart for shape in slide.shapes if shape.has_chart)
    assert drawn.plots[0].series[0].values == (0.9999, 0.4)
    assert drawn.plots[0].series[0].data_labels.number_format.startswith("[>")


@pytest.mark.parametrize(
    ("lang", "wrong", "bars", "upright"),
    [
        ("en", "Shaded: within ±2 points", "Bars: 95% interval", "Upright lines: 95% interval"),
        ("zh", "浅色：在噪声范围内", "横线：95%置信区间", "竖线：95%置信区间"),
    ],
)
def test_notes_below_charts_of_office_speak_of_what_these_show(made, lang, wrong, bars, upright):
    band = words(lang).say(Word("plot.bands", {"level": 0.95}))
    (slide,) = made(picture(chart(4, notes=("base", wrong, band))))
    assert wrong not in texts(slide) and wrong not in slide.notes_slide.notes_text_frame.text
    assert "base" in texts(slide) and bars in texts(slide)
    assert marks.redrawn(("base", wrong, band), upright=True) == ("base", upright)
    (slide,) = made(picture(chart(4, notes=("base", wrong), native=False)))
    assert wrong in slide.notes_slide.notes_text_frame.text


def test_grades_and_answers_have_the_colours_of_their_order():
    grades = Chart("stacked", "t", "a", ("x",), tuple(Series.of(str(i), [0.2]) for i in range(5)), "percent")
    assert charts.colours(grades) == list(charts.GRADES)
    sides = [-0.1, -0.2, -0.3, 0.1, 0.2, 0.3]
    answers = Chart("diverging", "t", "a", ("x",), tuple(Series.of("", [value]) for value in sides), "percent")
    assert charts.colours(answers) == [*charts.BELOW, *charts.ABOVE]
    nobody = replace(answers, series=(*answers.series[:2], Series.of("", [-0.0]), *answers.series[3:]))
    assert charts.colours(nobody) == [*charts.BELOW, *charts.ABOVE]  # an answer that nobody gave
    two = Chart("stacked", "t", "a", ("x",), grades.series[:2], "percent")
    assert charts.colours(two) == list(charts.SERIES[:2])


def test_an_answer_that_nobody_gave_has_no_label(made):
    sides = [Series.of(name, [value]) for name, value in (("low", -0.0), ("high", 0.93))]
    (slide,) = made(picture(Chart("diverging", "P", "alt", ("a",), tuple(sides), "percent", native=True)))
    (drawn,) = (shape.chart for shape in slide.shapes if shape.has_chart)
    for series in drawn.plots[0].series:
        assert series.data_labels.number_format == "0%;0%;"


def test_the_figures_of_a_results_slides_are_those_of_the_result(whole, asked, made):
    shown = csat.table(whole, "en", asked)
    (slide,) = made(Tabular(shown))
    written = [cell.text for shape in slide.shapes if shape.has_table for row in shape.table.rows for cell in row.cells]
    for value in whole.tidy()["estimate"]:
        assert f"{value:.2f}" in written


def test_five_cards_stand_in_one_row(made):
    heads = (Column("a", "a"), Column("b", "b", "score"), Column("c", "c"))
    five = tuple((Cell(f"card {place}"), Cell(60.0 + place), Cell("95% interval 1 to 2")) for place in range(5))
    (slide,) = made(Tabular(Description("headline", "Headline", heads, five), "cards"))
    placed = [shape for shape in slide.shapes if shape.has_text_frame and "card " in shape.text_frame.text]
    assert len(placed) == 5 and len({shape.top for shape in placed}) == 1
    assert max((shape.left + shape.width) / 914400 for shape in placed) <= WIDE - 0.6
