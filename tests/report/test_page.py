"""The page: one file, nothing from elsewhere, nothing obeyed that data say."""

import base64
import re

import pytest

import csat
from csat.errors import MissingFileError, ReportError
from csat.report.cards import headline
from csat.report.description import TABLE_MIME
from csat.report.foreign import tamed
from csat.report.html import to_html
from csat.report.notebook import code_cell, fill, parametrise, read_notebook, tags_of, template, text_of_cell, trim
from csat.report.outputs import document_of, remarks_of
from csat.report.page import page as page_of

PIXEL = base64.b64encode(b"not really an image").decode()


def shown(data, kind="display_data", **more):
    return {"output_type": kind, "data": data, "metadata": {}, **more}


def notebook(*cells):
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def page(done, *, title, lang):
    return page_of(document_of(done, lang, title=title))


def markdown(text):
    return {"cell_type": "markdown", "id": "m", "metadata": {}, "source": text}


def code(*outputs, tags=()):
    return {**code_cell("secret = 1"), "outputs": list(outputs), "metadata": {"tags": list(tags)}}


def test_everything_is_in_the_page_and_nothing_is_obeyed(index, asked, check_alone):
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    table = csat.table(index, names=asked)
    html = page(
        notebook(
            markdown(f"# Title {evil}\n\n## One {evil}\n\n[link](javascript:alert(1)) **bold**"),
            code(shown(table._repr_mimebundle_())),
            code(shown({"image/png": PIXEL, "text/plain": "<Figure>"})),
            code(shown({"text/markdown": f"### {evil}"}), {"output_type": "stream", "name": "stdout", "text": evil}),
            code(shown({"text/plain": "<Axes: >"}, "execute_result", execution_count=1)),
        ),
        title=evil,
        lang="zh",
    )
    parsed = check_alone(html)
    assert parsed.named("html") == [{"lang": "zh-Hans"}]
    assert "secret" not in html
    assert "Axes" not in html
    assert [item["href"] for item in parsed.named("a")][1] == "#section-1"
    assert len(parsed.named("table")) == 1
    assert "<strong>bold</strong>" in html


def test_second_level_headings_make_the_navigation():
    html = page(notebook(markdown("# T\n## First"), markdown("## Second & third")), title="t", lang="en")
    assert re.findall(r'<li><a href="#(section-\d)">(.*?)</a>', html) == [
        ("section-1", "First"),
        ("section-2", "Second &amp; third"),
    ]
    assert '<h2 id="section-2">Second &amp; third</h2>' in html


def test_charts_carry_the_section_as_their_text():
    html = page(notebook(markdown("## Drivers"), code(shown({"image/png": PIXEL}))), title="t", lang="en")
    assert 'alt="Chart: Drivers"' in html


def test_a_figure_that_may_be_missing_says_why():
    failed = {"output_type": "error", "ename": "SampleError", "evalue": "too <few>", "traceback": ["secret"]}
    then = {"output_type": "error", "ename": "NameError", "evalue": "name 'fit' is not defined", "traceback": []}
    first, second = (code(output, tags=["raises-exception"]) for output in (failed, then))
    allowed = notebook({**first, "source": "fit = csat.sem(s, m)\nfit"}, second)
    html = page(allowed, title="t", lang="en")
    assert '<br><small lang="en">too &lt;few&gt;</small></p>' in html
    assert "NameError" not in html and "secret" not in html


@pytest.mark.parametrize(
    ("name", "tags"),
    [("SampleError", []), ("ZeroDivisionError", ["raises-exception"]), ("NameError", ["raises-exception"])],
)
def test_any_other_failure_stops_the_page(name, tags):
    failed = {"output_type": "error", "ename": name, "evalue": "why", "traceback": []}
    with pytest.raises(ReportError, match=f"A cell of the report's notebook failed: {name}: why"):
        page(notebook(code(failed, tags=tags)), title="t", lang="en")


def test_tables_come_back_from_the_notebook(whole, asked):
    table, big = csat.table(whole, names=asked), headline(whole, names=asked)
    done = notebook(code(shown(table._repr_mimebundle_())), code(shown(big._repr_mimebundle_())))
    found = document_of(done, "en", title="t").tables()
    assert list(map(to_html, found)) == [table._repr_html_(), big.table._repr_html_()]
    assert TABLE_MIME in big._repr_mimebundle_()


def test_warnings_of_cells_are_remembered_once():
    text = ["/a/x.py:1: UserWarning: mind the gap: 3\n", "  csat.sem(survey)\n", "a note\n"]
    warned = {"output_type": "stream", "name": "stderr", "text": text}
    assert remarks_of(notebook(code(warned), code(warned))) == ["mind the gap: 3", "a note"]


def test_the_headline_gives_index_interval_verdict(results, study):
    html = headline(results["index"], results["evaluation"], "zh", study)._repr_html_()
    top = results["index"].tidy().iloc[0]
    assert f"{top['estimate']:.1f}</dd>" in html
    assert f"95%置信区间{top['low']:.1f}至{top['high']:.1f}" in html
    assert '<dd class="figure">满意</dd>' in html
    assert "网络覆盖" in html and "项与之分不出高低" in html


def test_a_headline_on_too_few_respondents_hides_them(whole):
    from dataclasses import replace

    few = replace(whole, estimates=replace(whole.estimates, n=whole.estimates.n * 0 + 20))
    html = headline(few)._repr_html_()
    assert "68.2" not in html
    assert "Fewer than 30 respondents" in html


def test_a_headline_needs_one_group(index):
    with pytest.raises(csat.CsatError, match="needs one index"):
        headline(index)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_template_speaks_a_language(lang):
    texts = [text_of_cell(cell) for cell in fill(template(), lang)["cells"] if cell["cell_type"] == "markdown"]
    assert not [text for text in texts if "{{" in text]
    assert texts[0].startswith("# " + {"en": "Customer-satisfaction report", "zh": "客户满意度报告"}[lang])


def test_sections_without_use_are_left_out(asked):
    kept = trim(template(), asked)["cells"]
    tags = {tag for cell in kept for tag in tags_of(cell)}
    assert "needs-model" not in tags and "needs-peers" not in tags and "needs-groups" not in tags
    assert "needs-drivers" in tags


def test_parameters_come_after_the_tagged_cell_and_replace_earlier_ones():
    once = parametrise(template(), {"study": "a'b", "where": {"x": "y"}})
    twice = parametrise(once, {"study": "c"})
    place = next(i for i, cell in enumerate(once["cells"]) if "parameters" in tags_of(cell))
    assert once["cells"][place + 1]["source"] == "study = \"a'b\"\nwhere = {'x': 'y'}"
    assert twice["cells"][place + 1]["source"] == "study = 'c'"
    assert len(twice["cells"]) == len(once["cells"])


def test_a_notebook_must_be_one_and_have_parameters(tmp_path):
    with pytest.raises(MissingFileError):
        read_notebook(tmp_path / "no.ipynb")
    for text in ("hello", "[]", "{}", '{"cells": [1]}'):
        (tmp_path / "a.ipynb").write_text(text)
        with pytest.raises(ReportError, match="is not a Jupyter notebook"):
            read_notebook(tmp_path / "a.ipynb")
    with pytest.raises(ReportError, match="no cell tagged 'parameters'"):
        parametrise(notebook(code()), {})


@pytest.mark.parametrize(
    ("html", "tame"),
    [
        ("<b class='x' title='t'>1 &lt; 2</b>", '<b title="t">1 &lt; 2</b>'),
        ("a<script>alert(1)</script>b<style>p{}</style>c", "abc"),
        ("<script>if (a < b) alert('<p>')</script>c", "c"),
        ("<td style='color:red' onclick=x() data-filter=y id=text colspan=2>1</td>", '<td colspan="2">1</td>'),
        (
            "<a href='javascript:x()'>a</a><a href='https://x.y/?a&b'>b</a>",
            '<a>a</a><a href="https://x.y/?a&amp;b">b</a>',
        ),
        ("<a href=' JaVaScript:x()'>a</a>", "<a>a</a>"),
        (
            "<img src='http://x/y.png'><img src='data:image/png;base64,AA'>",
            '<img alt="" src="data:image/png;base64,AA">',
        ),
        ("<img src='data:text/html,x' srcset='http://x'>", ""),
        ("<div><p>open", "<div><p>open</p></div>"),
        ("</main></div>1<b>2</i>3", "1<b>23</b>"),
        ("<main><form action='http://x'><input name=a></form></main>", '<input name="a">'),
        ("<iframe src='http://x'>1</iframe><object data='http://x'>2</object><embed src=x>3", "3"),
        ("<svg viewBox='0 0 1 1'><path d='M0 0'/></svg>", '<svg viewbox="0 0 1 1"><path d="M0 0"></path></svg>'),
        ("<script>never closed <b>1</b>", ""),
        ("<!-- c --><?php x ?>&amp;&#60;b&#62;", "&amp;&lt;b&gt;"),
    ],
)
def test_html_of_an_analyst_loses_what_runs_loads_or_looks(html, tame):
    assert tamed(html) == tame
