"""Slides, Word and Markdown: editable, with the figures, marks and notes of the results; text is text."""

import io
import re
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

import csat
from csat.report import markdown
from csat.report.cards import headline
from csat.report.chart import Chart, Series
from csat.report.description import Cell, Column, Description
from csat.report.document import Document, Lines, Missing, Output, Picture, Prose, Section, Tabular
from csat.report.format import number
from csat.report.office import charts, grid, slides, tables, word, zipped
from csat.report.office.deck import BOTTOM, lines_in
from csat.report.office.prose import paragraphs
from csat.report.words import Word

SCRIPT = "<script>alert(1)</script>"
#: Libraries of LibreOffice that open a format.
MODULES = {"pptx": "libsdlo.so", "docx": "libswlo.so"}
LONG = "网络覆盖" * 60
BARS = Chart(
    "bars", "Shares =1+1", "Two bars: A 60 %, B 20 %, C not shown.", ("A", "B", SCRIPT),
    (Series.of("own", [0.6, 0.2, float("nan")], [0.5, 0.1, float("nan")], [0.75, 0.3, float("nan")]),),
    "percent", 0.95, ("Respondents: own (n = 700).",), True,
)  # fmt: skip


def drawn(size=(400, 300)):
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", size).save(file, "png")
    return Picture(file.getvalue(), "image/png", "a picture of nothing", 400)


def document(*blocks, lang="en", title=f"Study {SCRIPT}"):
    head = (Prose("# Report\n\nintro"), Lines("masthead", ("Period: Q3", "=1+1"), "Study"))
    return Document(title, lang, head, (Section("s", "Section <b>", blocks),), ("fact",), ("m",))


def written(tmp_path, *blocks, writer=slides, name="a.pptx", **options):
    path = tmp_path / name
    writer.render(document(*blocks, **options), path)
    return path


@pytest.fixture
def shown(tmp_path):
    """Slides of some blocks, read back."""
    import pptx

    return lambda *blocks, **options: list(pptx.Presentation(written(tmp_path, *blocks, **options)).slides)


def native(slide):
    return [[cell.text for cell in row.cells] for shape in slide.shapes if shape.has_table for row in shape.table.rows]


def texts(slide):
    return [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]


def long_table(rows=60, columns=4):
    heads = (Column("name", "name"), *(Column(f"c{i}", f"figure {i}", "score") for i in range(columns)))
    note = Word("reason.no_answers")
    body = tuple(
        (Cell(f"row {i}"), *(Cell(float(i), note if i == 40 else None) for _ in range(columns))) for i in range(rows)
    )
    return Description("long", "Long table", heads, body, notes=("base line",))


def test_a_table_on_a_slide_has_the_figures_of_the_result(whole, asked, shown):
    (slide,) = [slide for slide in shown(Tabular(csat.table(whole, names=asked))) if native(slide)]
    rows = native(slide)[1:]
    tidy = whole.tidy()
    heads = native(slide)[0]
    assert [row[1] for row in rows] == [number(value, "score") for value in tidy["estimate"]]
    ends = [[number(value, "score") for value in pair] for pair in zip(tidy["low"], tidy["high"], strict=True)]
    assert [row[heads.index("95% interval")] for row in rows] == [f"[{low}, {high}]" for low, high in ends]
    assert rows[0][0] == "Index"
    assert rows[1][0] == '<script>alert("&")</script>'


def test_marks_stand_raised_beside_figures_and_footnotes_below(index, asked, shown):
    table = csat.table(index, "zh", asked)
    assert table.footnotes()
    found = [slide for slide in shown(Tabular(table), lang="zh") if native(slide)]
    raised = [
        run.text
        for slide in found
        for shape in slide.shapes
        if shape.has_table
        for cell in shape.table.iter_cells()
        for run in cell.text_frame.paragraphs[0].runs
        if run._r.rPr.get("baseline") == "30000"
    ]
    assert raised
    said = "\n".join(text for slide in found for text in texts(slide))
    for mark in set(",".join(raised).split(",")):
        assert f"({mark}) " in said
    notes = found[0].notes_slide.notes_text_frame.text
    assert all(table.say(note) in notes for note in (*table.footnotes(), *table.notes))
    assert "99.00" not in said + str([native(slide) for slide in found])


def test_a_long_table_goes_on_and_loses_no_row(shown):
    found = [slide for slide in shown(Tabular(long_table())) if native(slide)]
    assert len(found) > 2
    assert [row[0] for slide in found for row in native(slide)[1:]] == [f"row {i}" for i in range(60)]
    assert [slide.shapes.title.text for slide in found][:2] == [f"Long table ({i} of {len(found)})" for i in (1, 2)]
    assert all(native(slide)[0][0] == "name" for slide in found)
    marked = [any(text.startswith("(a) ") for text in "\n".join(texts(slide)).split("\n")) for slide in found]
    assert marked.count(True) == 1, "a footnote stands where its mark is"
    assert all("base line" in "\n".join(texts(slide)) for slide in found)


def test_a_wide_table_repeats_the_names_of_its_rows():
    parts = grid.split(grid.grid(long_table(3, 30)), 80)
    assert len(parts) > 1
    assert {part.heads[0] for part in parts} == {"name"}
    assert [head for part in parts for head in part.heads[1:]] == [f"figure {i}" for i in range(30)]


@pytest.mark.parametrize("rows", [0, 1, 200])
def test_no_table_is_higher_than_its_slide(rows):
    pages = tables.place(grid.grid(long_table(rows)))
    assert sum(len(page.table.rows) for page in pages) == rows
    for page in pages:
        high = tables.TOP + sum(page.heights) + tables._noted(page.notes)
        assert high <= BOTTOM


def test_long_texts_give_way_to_figures():
    table = Description("t", LONG, (Column("a", LONG), Column("b", "b", "score")), ((Cell(LONG), Cell(1.0)),))
    made = grid.grid(table)
    sizes = grid.fitted(made, 80)
    assert sum(sizes) <= 80.001
    assert sizes[1] == made.sizes()[1]


def test_a_native_chart_holds_the_figures_and_the_intervals(shown):
    found = [shape for slide in shown(Picture(b"", "image/png", BARS.alt, None, BARS)) for shape in slide.shapes]
    (frame,) = [shape for shape in found if shape.has_chart]
    plot = frame.chart.plots[0]
    assert list(plot.categories) == list(BARS.categories)
    assert plot.series[0].values == (0.6, 0.2, None)
    assert frame._element.xpath(".//p:cNvPr")[0].get("descr") == BARS.alt
    element = plot.series[0]._element
    order = [child.tag.split("}")[1] for child in element]
    assert order.index("errBars") < order.index("cat") < order.index("val")
    ends = {
        side: [float(point.text) for point in element.findall(f".//{{*}}errBars/{{*}}{side}//{{*}}v")]
        for side in ("plus", "minus")
    }
    assert ends["plus"] == pytest.approx([0.15, 0.1])
    assert ends["minus"] == pytest.approx([0.1, 0.1])
    axis = frame.chart.value_axis
    assert axis.minimum_scale == 0
    assert axis.maximum_scale >= 0.75
    assert any("n = 700" in shape.text_frame.text for shape in found if shape.has_text_frame)


def test_the_workbook_of_a_chart_has_no_formula(tmp_path):
    import openpyxl

    path = written(tmp_path, Picture(b"", "image/png", BARS.alt, None, BARS))
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".xlsx")]
        book = openpyxl.load_workbook(io.BytesIO(archive.read(name)))
    cells = [cell for row in book.active.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert {SCRIPT, 0.6} <= {cell.value for cell in cells}


@pytest.mark.parametrize("kind", ["dots", "picture"])
def test_what_only_a_picture_can_show_stays_one(kind, shown):
    from dataclasses import replace

    picture = replace(drawn(), chart=replace(BARS, kind=kind))
    found = [shape for slide in shown(picture) for shape in slide.shapes]
    assert not [shape for shape in found if shape.has_chart]
    (image,) = [shape for shape in found if shape._element.tag.endswith("}pic")]
    assert image._element.xpath(".//p:cNvPr")[0].get("descr") == "a picture of nothing"
    assert not charts.drawable(replace(BARS, native=False))


def test_a_chart_of_many_rows_is_divided_with_one_axis():
    values = [float(i) for i in range(50)]
    chart = Chart("bars", "t", "a", tuple(map(str, range(50))), (Series.of("s", values, values, values),), native=True)
    parts = charts.divided(chart)
    assert [category for part in parts for category in part.categories] == list(chart.categories)
    assert [value for part in parts for value in part.series[0].low] == values
    assert max(len(part.categories) for part in parts) <= charts.MOST
    assert charts.limits(chart)[:2] == (0, 50)


def test_bars_begin_at_zero_and_lines_need_not():
    both = [Series.of("s", [-3.0, 6.0]), Series.of("t", [60.0, 61.0])]
    assert charts.limits(Chart("bars", "", "", ("a", "b"), (both[1],)))[0] == 0
    assert charts.limits(Chart("lines", "", "", ("a", "b"), (both[1],)))[0] >= 50
    assert charts.limits(Chart("diverging", "", "", ("a", "b"), (both[0], both[0]))) == (-10, 15, 5)


def test_texts_cards_and_failures_are_on_slides(whole, asked, shown):
    said = "\n".join(
        text
        for slide in shown(
            Prose("one **two** `three` <b>x</b>\n\n- four"),
            Tabular(headline(whole, names=asked).table, "cards"),
            Missing("too few"),
            Output("a  b\nc", "<b>x</b>"),
        )
        for text in texts(slide)
    )
    for text in ("one two three <b>x</b>", "four", "68.2", "too few", "a  b", "Period: Q3", "=1+1", "Section <b>"):
        assert text in said
    assert SCRIPT in said


def test_every_slide_has_a_title_and_a_language(shown):
    found = shown(Prose("x"), Tabular(long_table(3)), drawn(), lang="zh")
    assert all(slide.shapes.title.text for slide in found)
    tags = {run.get("lang") for slide in found for run in slide._element.iter("{*}rPr")}
    assert tags == {"zh-CN"}


def test_fonts_are_named_for_latin_and_chinese(tmp_path):
    with zipfile.ZipFile(written(tmp_path, Prose("x"))) as archive:
        themes = [archive.read(name).decode() for name in archive.namelist() if "/theme/" in name]
    assert themes
    for theme in themes:
        assert set(re.findall(r'<a:ea typeface="([^"]*)"', theme)) == {"Microsoft YaHei"}


def test_markdown_becomes_runs_and_html_stays_text():
    found = paragraphs(f"# One *two*\n\ntext {SCRIPT} [l](http://x)\n\n1. a\n   - b\n\n```\nc  d\n```\n\n{SCRIPT}")
    assert [(part.form, part.level, part.text) for part in found] == [
        ("heading", 1, "One two"),
        ("text", 1, f"text {SCRIPT} l (http://x)"),
        ("number", 1, "a"),
        ("bullet", 2, "b"),
        ("code", 1, "c  d"),
        ("text", 1, SCRIPT),
    ]
    assert found[0].runs[1].italic


def test_control_characters_reach_no_file(shown):
    table = Description("t", "a\x00b", (Column("a", "h\x0b"),), ((Cell("c\x01d\ne"),),))
    found = shown(Tabular(table), Prose("f\x02g"), Output("h\x1bi"), title="j\x03k")
    said = "\n".join(text for slide in found for text in texts(slide)) + str([native(slide) for slide in found])
    assert "ab" in said
    assert "cd e" in said
    assert "fg" in said
    assert "hi" in said
    assert "jk" in said


def test_the_same_document_gives_the_same_bytes_later(tmp_path):
    blocks = (Tabular(long_table(3)), drawn(), Picture(b"", "image/png", BARS.alt, None, BARS))
    first = written(tmp_path, *blocks).read_bytes()
    time.sleep(2.1)
    assert written(tmp_path, *blocks, name="b.pptx").read_bytes() == first


def test_settling_keeps_what_is_in_an_archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("docProps/core.xml", "<dcterms:created xsi:type='x'>2026-01-02T03:04:05Z</dcterms:created>")
        archive.writestr("b", "2026-01-02T03:04:05Z")
    with zipfile.ZipFile(io.BytesIO(zipped.settled(file.getvalue()))) as archive:
        assert archive.namelist() == ["docProps/core.xml", "b"]
        assert archive.read("b") == b"2026-01-02T03:04:05Z"
        assert b"2000-01-01T00:00:00Z" in archive.read("docProps/core.xml")
        assert {member.date_time[0] for member in archive.infolist()} == {1980}


def test_lines_are_counted_with_chinese_twice_as_wide():
    assert lines_in("网" * 50, 5, 12) == lines_in("x" * 100, 5, 12)


@pytest.fixture
def word_of(tmp_path):
    """A Word document of some blocks, read back."""
    import docx

    return lambda *blocks, **options: docx.Document(
        str(written(tmp_path, *blocks, writer=word, name="a.docx", **options))
    )


def in_word(file):
    return "\n".join(line.text for line in file.paragraphs)


def test_a_table_in_word_has_the_figures_of_the_result_and_its_headings_repeat(whole, asked, word_of):
    file = word_of(Tabular(csat.table(whole, names=asked)))
    (table,) = file.tables
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    tidy = whole.tidy()
    assert [row[1] for row in rows[1:]] == [number(value, "score") for value in tidy["estimate"]]
    assert len(table._tbl.findall(".//{*}tblHeader")) == 1
    assert len(table._tbl.findall(".//{*}cantSplit")) == len(rows)


def test_marks_are_raised_in_word_and_every_note_stands_below(index, asked, word_of):
    table = csat.table(index, "zh", asked)
    file = word_of(Tabular(table), lang="zh")
    raised = {
        run.text
        for made in file.tables
        for row in made.rows
        for cell in row.cells
        for run in cell.paragraphs[0].runs
        if run.font.superscript
    }
    assert raised
    said = in_word(file)
    assert all(table.say(note) in said for note in (*table.footnotes(), *table.notes))
    assert all(f"({mark}) " in said for mark in raised)


def test_a_document_for_word_has_headings_texts_and_described_pictures(whole, asked, word_of):
    file = word_of(
        Prose(f"### Deeper\n\none **two** {SCRIPT}\n\n- four"),
        Tabular(headline(whole, names=asked).table, "cards"),
        Missing("too few"),
        Output("a  b\nc\x1b"),
        drawn(),
    )
    styles = {line.text: line.style.name for line in file.paragraphs}
    assert styles[f"Study {SCRIPT}"] == "Title"
    assert styles["Section <b>"] == "Heading 1"
    assert styles["Deeper"] == "Heading 4"
    assert styles["four"] == "List Bullet"
    assert {f"one two {SCRIPT}", "too few", "a  b\nc", "Period: Q3", "=1+1"} <= set(styles)
    assert "68.2" in "\n".join(cell.text for table in file.tables for row in table.rows for cell in row.cells)
    assert [shape._inline.docPr.get("descr") for shape in file.inline_shapes] == ["a picture of nothing"]
    assert not list(file.element.iter("{*}instrText"))


def test_a_wide_table_in_word_is_divided_and_loses_no_column(word_of):
    file = word_of(Tabular(long_table(3, 30)))
    assert len(file.tables) > 1
    heads = [[cell.text for cell in table.rows[0].cells] for table in file.tables]
    assert [head for line in heads for head in line[1:]] == [f"figure {i}" for i in range(30)]


def test_word_gives_the_same_bytes_later(tmp_path):
    first = written(tmp_path, Tabular(long_table(3)), drawn(), writer=word, name="a.docx").read_bytes()
    time.sleep(2.1)
    assert written(tmp_path, Tabular(long_table(3)), drawn(), writer=word, name="b.docx").read_bytes() == first


def test_markdown_has_tables_notes_and_pictures(index, asked):
    table = csat.table(index, "en", asked)
    text = markdown.markdown(document(Tabular(table), drawn(), Missing("too few"), Output("a\nb")))
    lines = text.split("\n")
    assert lines[0] == r"# Study \<script\>alert(1)\</script\>"
    rows = [line for line in lines if line.startswith("| ")]
    assert len(rows) == 2 + len(table.rows)
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
    assert "68.22" in text
    assert "<sup>a</sup>" in text
    assert all(markdown.plain(table.say(note)) in text for note in (*table.footnotes(), *table.notes))
    assert "![a picture of nothing](data:image/png;base64," in text
    assert "*too few*" in text
    assert "    a\n    b" in text


def test_nothing_from_data_is_markup_in_markdown():
    import mistune

    table = Description("t", "[x](http://y)", (Column("a", "p|q"),), ((Cell(f"{SCRIPT} *x* `y` ![z](w) $a$"),),))
    text = markdown.markdown(
        document(Tabular(table), Prose(f"kept *so* {SCRIPT}"), Missing("# no\n- no"), title="1. x")
    )
    html = mistune.create_markdown(escape=False, plugins=["table"])(text)
    assert "<script" not in html
    assert "<img" not in html
    assert "<a " not in html
    assert html.count("<em>") == 3, "the analyst's own, the reason and the last line"
    assert html.count("<li>") == 2, "the facts"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("67.52", "67.52"), ("1. x", r"1\. x"), ("- x", r"\- x"), ("=1+1", r"\=1+1"), ("a\nb", "a b"), ("", "")],
)
def test_only_what_markdown_would_obey_is_escaped(text, expected):
    assert markdown.plain(text) == expected


@pytest.mark.parametrize(("writer", "package"), [(slides, "python-pptx"), (word, "python-docx")])
def test_a_missing_package_is_named(writer, package, monkeypatch):
    monkeypatch.setattr(writer, "find_spec", lambda _: None)
    with pytest.raises(csat.errors.MissingDependencyError, match=rf"needs the package '{package}'"):
        writer.ready()


@pytest.mark.parametrize("kind", ["bars", "stacked", "diverging", "lines"])
def test_every_native_kind_keeps_its_figures_and_gaps_in_them(kind, shown):
    series = (Series.of("a", [0.1, float("nan"), 0.3]), Series.of("b", [-0.2, 0.4, 0.1]))
    chart = Chart(kind, "t", "alt", ("x", "y", "z"), series, "percent", native=True)
    found = shown(Picture(b"", "image/png", "alt", None, chart))
    (frame,) = [shape for slide in found for shape in slide.shapes if shape.has_chart]
    assert [one.values for one in frame.chart.plots[0].series] == [(0.1, None, 0.3), (-0.2, 0.4, 0.1)]
    assert [one.name for one in frame.chart.plots[0].series] == ["a", "b"]
    low, high, step = charts.limits(chart)
    axis = frame.chart.value_axis
    assert (axis.minimum_scale, axis.maximum_scale, axis.major_unit) == (low, high, step)
    assert axis._element.find("{*}crosses").get("val") == ("autoZero" if kind == "lines" else "max"), "below the rows"
    assert low <= -0.2
    assert high >= 0.4
    assert abs(low / step - round(low / step)) < 1e-9, "0 has a tick"


@pytest.mark.parametrize(("name", "writer"), [("pptx", slides), ("docx", word)])
def test_libreoffice_opens_what_we_write(name, writer, tmp_path, whole, asked):
    office = shutil.which("soffice")
    if office is None or not list(Path(office).resolve().parent.glob(MODULES[name])):
        pytest.skip(f"LibreOffice is not installed with what opens {name}")
    path = written(tmp_path, Tabular(csat.table(whole, "zh", asked)), drawn(), writer=writer, name=f"a.{name}")
    home = f"-env:UserInstallation=file://{tmp_path}/home"
    command = [office, home, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    assert (tmp_path / "a.pdf").stat().st_size > 5000
