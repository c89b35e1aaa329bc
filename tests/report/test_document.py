"""The document: what a notebook shows, before any medium; and the formats it is written in."""

import base64
import io
import json
import pickle

import pytest

import csat
from csat.errors import (
    CollinearityError,
    ConvergenceError,
    MissingDependencyError,
    ModelIdentificationError,
    OptionError,
    ReportError,
    SampleError,
)
from csat.report import formats
from csat.report.cards import headline
from csat.report.chart import CHART_MIME, Chart, Series, attach
from csat.report.description import Description
from csat.report.document import Document, Lines, Missing, Output, Picture, Prose, Section, Tabular
from csat.report.html import to_cards, to_html
from csat.report.methods import Method
from csat.report.notebook import code_cell
from csat.report.outputs import document_of
from csat.report.page import page
from csat.report.settings import Masthead
from csat.report.unable import unable
from csat.report.words import LANGUAGES, merged, words
from csat.service.faults import ServiceError

PIXEL = b"not really an image"
CHART = Chart(
    "bars", "Shares", "Two bars: A 60 %, B not shown.", ("A", "B"),
    (Series.of("own", [0.6, float("nan")], [0.5, float("nan")], [0.7, float("nan")]),),
    "percent", 0.95, ("Respondents: own (n = 700).",), True,
)  # fmt: skip


def shown(data, **metadata):
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def drawn():
    """A picture that every medium can read."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (40, 30)).save(file, "png")
    return file.getvalue()


def markdown(text):
    return {"cell_type": "markdown", "id": "m", "metadata": {}, "source": text}


def code(*outputs, tags=()):
    return {**code_cell("secret = 1"), "outputs": list(outputs), "metadata": {"tags": list(tags)}}


def read(*cells, lang="en"):
    return document_of({"cells": list(cells)}, lang, title="study", facts=("fact",), method=("how",))


def blocks(*cells):
    return list(read(*cells).blocks())


def test_second_level_headings_begin_sections_and_the_rest_stays_where_it_was():
    document = read(
        markdown("# Report\n\nfirst"),
        code(shown({"text/plain": "1"})),
        markdown("## One & *two* ##\ntext\n### deeper\n```\n## code\n```\n~~~\n```\n## code too\n~~~\n## Three\n"),
        code(shown({"text/plain": "2"})),
    )
    assert document.head == (Prose("# Report\n\nfirst"), Output("1"))
    assert [(part.anchor, part.title) for part in document.sections] == [
        ("section-1", "One & two"),
        ("section-2", "Three"),
    ]
    assert document.sections[0].blocks == (Prose("text\n### deeper\n```\n## code\n```\n~~~\n```\n## code too\n~~~\n"),)
    assert document.sections[1].blocks == (Output("2"),)
    assert (document.title, document.facts, document.method) == ("study", ("fact",), ("how",))


def test_a_title_is_plain_text_even_where_it_looks_like_html():
    document = read(markdown("## <b>x</b> <script>alert(1)</script>"))
    assert document.sections[0].title == "<b>x</b> <script>alert(1)</script>"
    assert "<script>alert" not in page(document)


def test_tables_cards_and_sentences_come_back_as_descriptions(whole, asked):
    table, big = csat.table(whole, names=asked), headline(whole, names=asked)
    first, second = blocks(code(*(shown(one._repr_mimebundle_()) for one in (table, big))))
    assert (first.form, second.form) == ("table", "cards")
    assert to_html(first.table) == table._repr_html_()
    assert to_cards(second.table) == big._repr_html_()
    assert read(code(shown(table._repr_mimebundle_()))).tables() == (Description.from_dict(table.to_dict()),)


def test_masthead_and_method_are_sentences():
    head, how = Masthead("en", "Study", ("a", "b")), Method("en", ("c <d>",))
    found = blocks(code(*(shown(json.loads(json.dumps(one._repr_mimebundle_()))) for one in (head, how))))
    assert found == [Lines("masthead", ("a", "b"), "Study"), Lines("method", ("c <d>",))]
    html = page(Document("t", "en", tuple(found), ()))
    assert head._repr_html_() in html and how._repr_html_() in html
    assert "c &lt;d&gt;" in html


def test_a_picture_brings_its_bytes_width_words_and_figures():
    data = {"image/png": base64.b64encode(PIXEL).decode() + "\n", "text/plain": "<Figure>"}
    size = {"image/png": {"width": 640, "height": 480}}
    plain, told = blocks(
        markdown("## Drivers"), code(shown(data, **size), shown({**data, CHART_MIME: CHART.to_dict()}))
    )
    assert plain == Picture(PIXEL, "image/png", "Chart: Drivers", 640)
    assert told == Picture(PIXEL, "image/png", CHART.alt, None, CHART)


def test_what_a_cell_shows_otherwise_keeps_its_text_and_its_html():
    styled = {
        "text/html": "<style>a{}</style><table><tr><td>1 &lt; 2</td></tr></table>",
        "text/plain": "<Styler at 0x1>",
    }
    assert blocks(code(shown(styled), shown({"text/html": "<b>x</b>", "text/plain": "x of pandas"}))) == [
        Output("1 < 2", styled["text/html"]),
        Output("x of pandas", "<b>x</b>"),
    ]
    spoken = {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]}
    warned = {"output_type": "stream", "name": "stderr", "text": "c"}
    assert blocks(code(spoken, warned, shown({"text/markdown": "*d*"}), shown({"text/plain": "<Axes>"}))) == [
        Output("a\nb"),
        Prose("*d*"),
    ]


def test_a_figure_that_may_be_missing_says_why():
    failed = {"output_type": "error", "ename": "SampleError", "evalue": "too few", "traceback": []}
    assert blocks(code(failed, tags=["raises-exception"])) == [Missing("This part could not be computed.", "too few")]
    of_a_room = {**failed, "ename": ServiceError.__name__}
    assert isinstance(blocks(code(of_a_room, tags=["raises-exception"]))[0], Missing)
    with pytest.raises(ReportError, match="SampleError: too few"):
        blocks(code(failed))


def test_why_a_figure_is_missing_is_said_once_in_the_language_of_the_report():
    said = "2 drivers but only 2 degrees of freedom in the design: … se='classical'"
    failed = {"output_type": "error", "ename": "SampleError", "evalue": said, "traceback": []}
    cell = code(failed, tags=["raises-exception"])
    found = document_of({"cells": [markdown("## a"), cell, cell, markdown("## b"), cell]}, "zh", title="t").sections
    assert [len(section.blocks) for section in found] == [1, 1]
    assert found[0].blocks[0].text.startswith("无法计算：")
    assert "（2个驱动因素，自由度仅为2）" in found[0].blocks[0].text and not found[0].blocks[0].detail


@pytest.mark.parametrize(
    ("problem", "start"),
    [
        (SampleError.too_few("A regression", 3, 9), "Not computed: too few complete answers (3; at least 9"),
        (SampleError.constant(["a", "b"]), "Not computed: everyone gave the same answer to a, b."),
        (SampleError.needs_rows("A diagnosis"), "Not computed: this needs the answers of the single"),
        (SampleError("Nobody answered 'a': there are none."), "Not computed: nobody answered"),
        (CollinearityError.among("a", ["b"]), "Not computed: some of the variables repeat"),
        (ModelIdentificationError.naming(["a"], 1, 2), "Not computed: the model cannot be identified"),
        (ConvergenceError.stopped("It", 9, 1.0, 0.1, "a"), "Not computed: the calculation did not settle"),
        (SampleError("Odd."), "This part could not be computed."),
    ],
)
def test_errors_are_worded_for_readers(problem, start):
    word, detail = unable(type(problem).__name__, str(problem))
    assert words("en").say(word).startswith(start)
    assert detail == ("Odd." if start.startswith("This") else "")
    assert "'" not in words("zh").say(word)


def test_a_chart_survives_json_and_has_no_figure_where_there_is_none():
    plain = json.loads(json.dumps(CHART.to_dict(), allow_nan=False))
    assert Chart.from_dict(plain) == CHART
    assert CHART.series[0].values == (0.6, None)


def test_a_figure_brings_its_chart_into_the_notebook():
    from IPython.core.formatters import DisplayFormatter
    from matplotlib.figure import Figure

    figure = Figure()
    attach(figure, Chart("picture", "first", "a map"))
    attach(figure, CHART)
    data, _ = DisplayFormatter().format(figure)
    assert data[CHART_MIME] == CHART.to_dict()
    assert "text/plain" in data
    assert pickle.loads(pickle.dumps(figure))._repr_mimebundle_()[CHART_MIME] == CHART.to_dict()  # noqa: S301


def test_a_document_says_what_made_it_in_its_language(whole, asked):
    table = csat.table(whole, names=asked)
    document = Document("t", "zh", (Tabular(table),), (Section("a", "b", (Missing("c"), Tabular(table))),))
    assert document.made == f"由 csat {csat.__version__} 生成"
    assert document.tables() == (table, table)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_writes_one_file_and_the_same_bytes_each_time(name, whole, asked, tmp_path):
    picture = Picture(drawn(), "image/png", CHART.alt, 10, CHART)
    parts = (Tabular(csat.table(whole, "zh", asked)), Prose("*a* | b"), picture, Missing("no"), Output("x", "<b>x</b>"))
    document = Document(
        "标题 <b>", "zh", (Lines("masthead", ("a",), "t"),), (Section("s", "节", parts),), ("f",), ("m",)
    )
    try:
        writer = formats.writers(name)[name]
    except ReportError as error:  # pdf needs a browser, which is no package of Python
        pytest.skip(str(error))
    paths = [tmp_path / one / f"report.{name}" for one in ("first", "second")]
    for path in paths:
        path.parent.mkdir()
        writer.render(document, path)
        assert [found.name for found in path.parent.iterdir()] == [path.name]
    assert len(paths[0].read_bytes()) > 800
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_formats_come_once_in_the_order_asked_for():
    assert list(formats.writers(("xlsx", "html", "xlsx"))) == ["xlsx", "html"]
    assert list(formats.writers("html")) == ["html"]


@pytest.mark.parametrize("asked", [["doc"], "html,xlsx", [None], [["html"]]])
def test_an_unknown_format_is_named_with_the_known_ones(asked, tmp_path):
    with pytest.raises(OptionError, match=r"formats=.* is not known; choose one of 'html', 'xlsx'"):
        csat.write_report("no.toml", "no.csv", tmp_path / "out", formats=asked)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("asked", [(), "", 3, None])
def test_no_format_is_refused(asked):
    with pytest.raises(OptionError, match=r"formats=.* (names no format; give one or more of 'html'|is not known)"):
        formats.writers(asked)


@pytest.mark.parametrize(("name", "package"), [("html", "nbconvert"), ("xlsx", "xlsxwriter")])
def test_a_package_that_a_format_needs_is_named_before_anything_is_read(name, package, monkeypatch):
    writer = formats.writers(name)[name]
    monkeypatch.setattr(writer, "find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError, match=rf"needs the package '{package}': pip install 'csat\[report\]'"):
        csat.write_report("no.toml", "no.csv", "out", formats=name)


def test_catalogues_of_a_language_are_one_and_never_disagree():
    assert merged({"a": '[x]\ny = "1"', "b": '[x]\nz = "2"'}) == {"x.y": "1", "x.z": "2"}
    with pytest.raises(ReportError, match=r"Two catalogues have the word 'x\.y': a and b\. Keep it in one\."):
        merged({"a": '[x]\ny = "1"', "b": '[x]\ny = "1"'})


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_catalogue_file_is_read(lang):
    from importlib.resources import files

    place = files("csat.report") / "locale"
    found = [place / f"{lang}.toml", *(place / lang).iterdir()]
    assert len(found) > 1
    for part in found:
        assert set(merged({part.name: part.read_text(encoding="utf-8")})) <= set(words(lang))
