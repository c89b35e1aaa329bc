"""The page in a real browser: quiet, alone, sortable, filterable, printable, readable by everybody."""

import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

import csat
from csat.errors import ReportError
from csat.report import pdf, present
from csat.report.document import Document, Lines, Missing, Output, Picture, Prose, Section, Tabular
from csat.report.formats import writers
from csat.report.notebook import code_cell
from csat.report.outputs import document_of
from csat.report.page import render
from csat.results import Shown

from .browser import Browser

HERE = Path(__file__).parent
EVIL = "<script>document.title = 'obeyed'; console.error('obeyed')</script><img src=x onerror=console.error(1)>"


@pytest.fixture(scope="session")
def browser():
    try:
        program = pdf.browser()
    except ReportError:
        pytest.skip("no browser of the Chromium family is installed")
    with Browser(program) as opened:
        yield opened


def picture(name):
    file = io.BytesIO()
    Image.new("RGB", (1784, 800), "white").save(file, "png")
    return Picture(file.getvalue(), "image/png", f"Chart: {name}", 892)


def document(results, study, lang):
    """Every kind of block, with words of the data that look like markup."""

    def tables(*names):
        return tuple(Tabular(csat.table(results[name], lang, study)) for name in names)

    head = (
        Prose("# Report\n\n" + EVIL),
        Lines("masthead", ("fact & more", EVIL), EVIL),
    )
    sentences = csat.report.cards.headline(results["index"], results["evaluation"], lang, study)
    groups = Tabular(csat.table(results["by"], lang, study, kind="groups"))
    foreign = f'<style>p {{}}</style><table onclick="x()" style="color:red"><tr><td>1{EVIL}</td></tr></table>'
    return Document(
        f"满意度 {EVIL}", lang, head,
        (
            Section("section-1", f"第一节 {EVIL}", (Tabular(sentences.table, "cards"), picture("a"), *tables("index"))),
            Section("section-2", "Groups", (Prose("Intro"), groups, *tables("letters", "league", "gaps", "trend by"))),
            Section("section-3", "Rest", (*tables("ledger"), Missing(EVIL), Output(EVIL), Output("1", foreign))),
        ),
        ("fact",), ("how",),
    )  # fmt: skip


@pytest.fixture(scope="session")
def pages(results, study, tmp_path_factory):
    """The page in both languages."""
    folder = tmp_path_factory.mktemp("pages")
    for lang in ("en", "zh"):
        render(document(results, study, lang), folder / f"{lang}.html")
    return folder


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_loads_quietly_and_alone_and_obeys_no_data(browser, pages, lang, scheme):
    browser.open(pages / f"{lang}.html", scheme=scheme)
    assert browser.console == []
    assert [url for url in browser.requests if not url.startswith("data:image/png")] == [
        (pages / f"{lang}.html").as_uri()
    ]
    assert browser.run("document.title") == f"满意度 {EVIL}"
    assert browser.run("document.scripts.length") == 1
    assert browser.run("document.querySelector('h2').textContent") == f"第一节 {EVIL}"
    assert browser.run("[...document.images].every((one) => one.complete && one.naturalWidth > 0)")


def test_a_script_that_is_not_the_page_s_own_is_refused_even_inside_it(browser, pages, tmp_path):
    html = (pages / "en.html").read_text(encoding="utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(html.replace("<h2", "<script>document.title = 'obeyed'</script><h2", 1), encoding="utf-8")
    browser.open(broken)
    assert browser.run("document.title") != "obeyed"
    assert any("Content Security Policy" in line for line in browser.console)


def column(browser, table, position):
    cells = f"[...{table}.querySelectorAll('tbody tr')].filter((row) => !row.hidden).map((row) => row.cells[{position}]"
    texts = browser.run(f"{cells}.firstChild?.data ?? '')")
    values = browser.run(f"{cells}.dataset.value ?? null)")
    return texts, values


def test_a_click_sorts_by_what_was_computed_and_a_third_restores(browser, pages, results):
    browser.open(pages / "en.html")
    table = "[...document.querySelectorAll('.tabular')].find((one) => one.querySelector('[data-filter=city]'))"
    place = int(browser.run(f"[...{table}.querySelectorAll('th[data-column]')].at(-1).dataset.column"))
    head = f"{table}.querySelector('th[data-column=\"{place}\"]')"
    before = column(browser, table, place)[1]
    orders = []
    for said in ("ascending", "descending", None):
        browser.run(f"{head}.querySelector('button').click()")
        assert browser.run(f"{head}.getAttribute('aria-sort')") == said
        orders.append([float(value) for value in column(browser, table, place)[1] if value is not None])
        assert browser.run("document.getElementById('status').textContent")
    assert orders[0] == sorted(orders[0]) and orders[1] == sorted(orders[0], reverse=True)
    assert len(set(orders[0])) > 3 and column(browser, table, place)[1] == before


def test_sorting_works_from_the_keyboard_and_by_words(browser, pages):
    browser.open(pages / "zh.html")
    table = "document.querySelector('.tabular:has([data-filter=brand])')"
    browser.run(f"{table}.querySelector('th[data-column] button').focus()")
    browser.press("Enter", 13)
    texts, _ = column(browser, table, 0)
    assert browser.run(f"{table}.querySelector('th[data-column]').getAttribute('aria-sort')") == "ascending"
    assert texts == browser.run(f"{json.dumps(texts)}.sort(new Intl.Collator('zh-Hans').compare)") and len(texts) == 3


def test_rows_of_a_tree_stay_below_their_own(browser, pages):
    browser.open(pages / "en.html")
    table = "[...document.querySelectorAll('.tabular')].find((one) => one.querySelector('tr[data-depth=\"2\"]'))"
    rows = f"[...{table}.querySelectorAll('tbody tr')].map((row) => [Number(row.dataset.depth || 0), row.cells[0].textContent, Number(row.cells[1].dataset.value)])"  # noqa: E501
    before = browser.run(rows)
    browser.run(f"{table}.querySelector('th[data-column=\"1\"] button').click()")
    after = browser.run(rows)

    def families(rows):
        path, found = {}, {}
        for depth, name, value in rows:
            path[depth] = name
            found.setdefault(path.get(depth - 1), []).append((name, value))
        return found

    old, new = families(before), families(after)
    assert before != after and {key: sorted(rows) for key, rows in old.items()} == {
        key: sorted(rows) for key, rows in new.items()
    }
    assert all([value for _, value in rows] == sorted(value for _, value in rows) for rows in new.values())


def test_what_is_missing_comes_last_either_way(browser, index, asked, tmp_path):
    shown = Tabular(csat.table(index, "en", asked, kind="groups"))
    render(Document("t", "en", (), (Section("s", "S", (shown,)),)), tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    table, place = "document.querySelector('.tabular')", 2
    for _ in range(2):
        browser.run(f"{table}.querySelector('th[data-column=\"{place}\"] button').click()")
        texts, values = column(browser, table, place)
        assert texts[-2:] == ["–", "–"] and None not in values[:-2]


def choose(browser, select, value):
    browser.run(f"{select}.value = {json.dumps(value)}; {select}.dispatchEvent(new Event('change')); 0")


def test_readers_choose_groups_in_one_table_and_in_all(browser, pages):
    browser.open(pages / "en.html")
    tables = "[...document.querySelectorAll('.tabular')].filter((one) => one.querySelector('[data-filter=branch]'))"
    assert browser.run(f"{tables}.length") >= 2
    choose(browser, f"{tables}[0].querySelector('select')", "Gansu")
    place = int(browser.run(f"{tables}[0].querySelector('[data-filter]').dataset.column"))
    assert set(column(browser, f"{tables}[0]", place)[0]) == {"Gansu"}
    assert re.fullmatch(r"\d+ of \d+ rows", browser.run(f"{tables}[0].querySelector('output').value"))
    assert len(set(column(browser, f"{tables}[1]", 0)[0])) > 1, "the other table is as it was"
    choose(browser, "document.querySelector('#filters select[name=branch]')", "Gansu")
    for i in range(browser.run(f"{tables}.length")):
        place = int(browser.run(f"{tables}[{i}].querySelector('[data-filter=branch]').dataset.column"))
        assert set(column(browser, f"{tables}[{i}]", place)[0]) == {"Gansu"}
    choose(browser, "document.querySelector('#filters select[name=branch]')", "")
    assert browser.run("document.querySelectorAll('tr[hidden]').length") == 0


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280, 1500])
def test_no_width_makes_the_page_itself_scroll_sideways(browser, pages, lang, width):
    browser.open(pages / f"{lang}.html", width=width)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("document.querySelector('nav details').open") == (width >= 1376)


def test_the_page_reads_as_well_without_its_script(browser, pages):
    browser.open(pages / "en.html", scripts=False)
    text = json.dumps(browser.ask("DOM.getDocument", depth=-1))
    assert "Satisfaction index" in text and "BUTTON" not in text and "SELECT" not in text


CHECKS = (HERE / "checks.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light"), (1500, "dark")])
def test_everybody_can_read_it(browser, pages, lang, width, scheme):
    browser.open(pages / f"{lang}.html", width=width, scheme=scheme)
    assert browser.run(f"({CHECKS})()") == []


def test_the_checks_find_what_they_look_for(browser, pages, tmp_path):
    html = (pages / "en.html").read_text(encoding="utf-8")
    bad = (
        '<h5>deep</h5><img src="data:,"><table><tr><th></th></tr></table><select></select><button></button>'
        '<p id="text">twice</p><font color="#bbbbbb">pale</font><a href="#nowhere">link</a>'
    )
    (tmp_path / "bad.html").write_text(html.replace("</main>", bad + "</main>").replace(' lang="en"', "", 1), "utf-8")
    browser.open(tmp_path / "bad.html")
    found = " ".join(browser.run(f"({CHECKS})()"))
    for word in ("lang", "heading", "alt", "scope", "name of select", "name of button", "id text", "contrast", "link"):
        assert word in found, word


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_prints_to_a_pdf_that_says_the_same(browser, results, study, lang, tmp_path):
    writer = writers("pdf")["pdf"]
    made = document(results, study, lang)
    writer.render(made, tmp_path / "one.pdf")
    writer.render(made, tmp_path / "two.pdf")
    printed = (tmp_path / "one.pdf").read_bytes()
    assert printed.startswith(b"%PDF-") and printed == (tmp_path / "two.pdf").read_bytes()
    assert b"/StructTreeRoot" in printed and b"/Outlines" in printed
    assert b"csatSansSC" in printed, "the page brings the font along that has Chinese glyphs"
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    text = subprocess.run(["pdftotext", tmp_path / "one.pdf", "-"], capture_output=True, check=True).stdout.decode()
    flat = "".join(text.split())
    for block in made.blocks():
        if isinstance(block, Tabular) and block.form == "table":
            assert "".join(block.table.say(block.table.title).split()) in flat
    assert f"{results['index'].tidy()['estimate'][0]:.2f}" in text
    if lang == "zh":
        assert "满意度指数" in text and "第一节" in text


def test_a_missing_browser_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr(pdf, "shutil", type("Nothing", (), {"which": staticmethod(lambda _: None)}))
    monkeypatch.delenv(pdf.SETTING, raising=False)
    with pytest.raises(ReportError, match=r"Chromium family; none is installed\. Install Chromium.*CSAT_CHROMIUM"):
        writers("pdf")
    monkeypatch.setenv(pdf.SETTING, "/no/where")
    with pytest.raises(ReportError, match=r"CSAT_CHROMIUM=/no/where is no program\."):
        pdf.ready()


def test_a_browser_that_prints_nothing_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv(pdf.SETTING, shutil.which("false"))
    with pytest.raises(ReportError, match=r"false did not print the page: exit status 1\. Install"):
        pdf.render(Document("t", "en", (), ()), tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()


@pytest.mark.parametrize(
    ("found", "made"),
    [
        (b"/CreationDate (D:20261123145238+00'00')", b"/CreationDate (D:19800101000000+00'00')"),
        (b"/ModDate(D:20261123145238Z)", b"/ModDate(D:19800101000000Z)"),
        (b"/ModDate (D:20261123145238)", b"/ModDate (D:19800101000000)"),
    ],
)
def test_dates_become_one_of_the_same_length(found, made):
    assert pdf.DATE.sub(pdf._undated, found) == made and len(found) == len(made)


def test_results_show_themselves_as_tables_in_a_notebook(browser, results, tmp_path):
    """Light and dark: the table takes its colours from where it stands."""
    shown = "".join(results[name]._repr_html_() for name in ("index", "sem", "regression", "gaps"))
    for paper, ink in (("#ffffff", "#000000"), ("#111111", "#eeeeee")):
        text = f'<!DOCTYPE html><html lang="en"><body bgcolor="{paper}" text="{ink}"><main>{shown}</main></body></html>'
        (tmp_path / "cell.html").write_text(text, encoding="utf-8")
        browser.open(tmp_path / "cell.html")
        assert browser.console == []
        found = browser.run(f"({CHECKS})()")
        assert not [one for one in found if "contrast" in one or "scope" in one]


def test_bare_results_of_an_own_notebook_become_tables_of_the_report(results):
    from IPython.core.formatters import DisplayFormatter

    bundle, _ = DisplayFormatter().format(results["index"])
    cell = {**code_cell("index"), "metadata": {"tags": []}}
    cell["outputs"] = [{"output_type": "display_data", "data": bundle, "metadata": {}}]
    (block,) = document_of({"cells": [cell]}, "en", title="t").blocks()
    assert isinstance(block, Tabular) and len(block.table.rows) == len(results["index"].tidy())


def test_labels_that_look_like_markup_stay_text_in_cells_and_in_choices(browser, index, asked, tmp_path):
    shown = Tabular(csat.table(index, "en", asked))
    label = shown.table.rows[0][0].value
    assert label.startswith("<script>")
    render(Document("t", "en", (), (Section("s", "S", (shown, shown)),)), tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    options = "[...document.querySelectorAll('#filters option')].map((one) => one.value)"
    assert label in browser.run(options)
    choose(browser, "document.querySelector('#filters select')", label)
    assert set(column(browser, "document.querySelector('.tabular')", 0)[0]) == {label}
    browser.run("document.querySelector('.tabular button').click()")
    assert browser.console == [] and browser.run("document.scripts.length") == 1


class Foreign(Shown):
    """A result that no table is written for."""

    def tidy(self):
        return pd.DataFrame({"<b>": [1.0]})


def test_a_result_without_a_table_of_its_own_shows_the_tidy_one():
    assert "<th>&lt;b&gt;</th>" in Foreign()._repr_html_() and Foreign()._repr_mimebundle_() == {}


def test_a_notebook_shows_the_first_rows_of_a_long_table(results, monkeypatch):
    monkeypatch.setattr(present, "MOST", 5)
    rows = len(csat.table(results["index"]).rows)
    html = results["index"]._repr_html_()
    assert html.count('<th scope="row"') == 5
    assert f"{rows - 5} more rows: `csat.table` has them all." in html
