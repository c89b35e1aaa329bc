"""Tables: floats until the last moment, words of both languages, and a reason for every dash."""

import json
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

import csat
from csat.errors import OptionError
from csat.report.description import Cell
from csat.report.format import number, shown
from csat.report.html import heads, letter
from csat.report.jupyter import Table
from csat.report.tables import TABLES
from csat.report.text import to_csv, to_json, to_text, width
from csat.report.words import Word, words

KINDS = [
    ("index", None), ("index", "items"), ("by", "groups"), ("cells", "groups"), ("regression", None),
    ("stepwise", "steps"), ("stepwise", "final"), ("stepwise", "excluded"), ("importance", None),
    ("sem", "parameters"), ("sem", "paths"), ("sem", "loadings"), ("sem", "fit"), ("evaluation", None),
    ("evaluation by", "summary"), ("gaps", None), ("gaps all", None), ("others", None),
    ("expectation", None), ("mean", None), ("ledger", None),
    ("ledger", "columns"), ("ledger", "other"), ("quality", None), ("test", None), ("sample size", None),
    ("trend", None), ("trend", "changes"), ("trend by", None), ("split", None), ("letters", None), ("league", None),
    ("crosstab", None), ("difference", None), ("quantile", None), ("share", None), ("scales", None),
    ("contributions", None),
]  # fmt: skip


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("name", "kind"), KINDS, ids=str)
def test_every_result_has_a_table_in_every_medium(results, study, name, kind, lang):
    table = csat.table(results[name], lang, study, kind=kind)
    assert table.rows
    assert all(len(row) == len(table.columns) for row in table.rows)
    html, text = table._repr_html_(), repr(table)
    assert html.count("<tr") == len(heads(table)) + len(table.rows)
    assert html.count("<p>") == len(table.footnotes()) + len(table.notes)
    assert table.say(table.title) in text
    if lang == "zh":
        headings = "".join(table.say(column.heading) for column in table.columns)
        assert any("一" <= char <= "鿿" for char in headings)
    again = Table.from_dict(json.loads(json.dumps(table.to_dict())))
    assert again._repr_html_() == html
    assert len(to_csv(table).splitlines()) == 1 + len(table.rows)


@pytest.mark.parametrize(("name", "kind"), [k for k in KINDS if k[0] not in ("ledger", "quality")], ids=str)
def test_figures_are_those_of_the_result(results, name, kind):
    """A table neither rounds nor loses a figure: each one stands in tidy(), glance() or the excluded list."""
    result = results[name]
    frames = [result.tidy(), result.glance()]
    if name == "stepwise":
        frames += [result.excluded, result.final.tidy()]
    if name.startswith("evaluation"):
        frames.append(result.verdicts())
    known = {float(x) for f in frames for column in f.select_dtypes("number") for x in f[column]}
    known |= {x / 100 for x in known}  # shares of R² are per cent in the result
    if kind == "items":
        known |= set(range(1, 100))
    table = csat.table(result, kind=kind)
    figures = [
        cell.value for row in table.rows for cell in row if isinstance(cell.value, float) and not np.isnan(cell.value)
    ]
    assert figures
    assert not [x for x in figures if x not in known]


def test_the_index_of_the_sample_appears_with_its_interval(results, study):
    top = results["index"].tidy().iloc[0]
    text = repr(csat.table(results["index"], names=study))
    line = text.splitlines()[3].split()
    assert line == [
        "Satisfaction",
        "index",
        *(f"{top[x]:.2f}" for x in ("estimate", "se", "low", "high")),
        f"{top['n']}",
    ]


def test_items_are_ranked_within_each_group(results, study):
    table = csat.table(results["by"], names=study, kind="items")
    ranks = [row[1].value for row in table.rows]
    assert ranks[:3] == [1, 2, 3]
    assert ranks.count(1) == 3


def test_numbers_are_rounded_once_and_read_well():
    assert number(68.224, "score") == "68.22"
    assert number(-15.474, "score") == "−15.47"
    assert number(-0.001, "score") == "0.00"
    assert number(0.0000001, "p_value") == "<0.001"
    assert number(0.0499, "p_value") == "0.050"
    assert number(0.2211, "percent") == "22.1%"
    assert number(12345, "count") == "12,345"
    assert number(np.nan, "score") == "–"
    assert number(-np.inf, "score") == "−∞"


def test_a_dash_is_for_what_is_missing_and_nothing_for_what_does_not_apply():
    assert shown(Cell(None), "score", words("en")) == "–"
    assert shown(Cell(float("nan")), "score", words("en")) == "–"
    assert shown(Cell(applies=False), "score", words("en")) == ""


def test_footnotes_are_lettered_in_reading_order(index, asked):
    html = csat.table(index, names=asked)._repr_html_()
    assert html.index("<sup>a</sup>") < html.index("<sup>b</sup>")
    assert [letter(i) for i in (0, 25, 26, 27, 52)] == ["a", "z", "aa", "ab", "ba"]


def test_html_is_semantic_and_escaped(index, asked):
    html = csat.table(index, names=asked)._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<caption>") == 1
    assert html.count('<th scope="row"') == 12
    assert '<th scope="col"' in html
    assert '<div class="notes">' in html


def test_text_columns_stay_aligned_with_chinese(whole, asked):
    lines = to_text(csat.table(whole, "zh", asked)).splitlines()[1:6]
    assert len({width(line) for line in lines}) == 1


def test_a_line_separator_in_a_label_stays_in_its_line(whole, asked):
    from dataclasses import replace

    items = (replace(asked.items[0], texts={"en": "two\u2028lines"}), asked.items[1])
    text = repr(csat.table(whole, names=replace(asked, items=items)))
    assert len(text.splitlines()) == 7


def test_csv_and_json_are_unrounded_and_hide_what_is_hidden(index):
    table = csat.table(index)
    rows = to_csv(table).splitlines()
    assert rows[0].startswith("brand,term,estimate,se,low,high")
    assert "68.224" in rows[1]
    assert rows[7].split(",")[2:7] == ["", "", "", "", ""]
    (plain,) = json.loads(to_json([table]))
    assert plain["rows"][0]["estimate"] == 68.224
    assert plain["rows"][6]["estimate"] is None
    assert plain["rows"][6]["n"] == 12


def test_gaps_say_who_the_peer_is_and_whether_the_difference_is_clear(results, study):
    table = csat.table(results["gaps"], "zh", study)
    assert [table.say(column.heading) for column in table.columns[1:4]] == ["甘肃", "西安", "差距"]
    verdicts = [table.say(row[[c.name for c in table.columns].index("verdict")].value) for row in table.rows]
    said = {"different": "有差异", "equivalent": "差异在容许范围内", "undecided": "未显示差异"}
    assert verdicts == [said[verdict] for verdict in results["gaps"].verdict]
    assert "Holm" in repr(table)
    assert "与其他各组的差距" in repr(csat.table(results["others"], "zh", study))
    assert "使用前的期望水平" in repr(csat.table(results["expectation"], "zh", study))


def test_a_stepwise_regression_that_kept_nothing_says_so(results, study):
    from dataclasses import replace

    nothing = replace(results["stepwise"], steps=results["stepwise"].steps[:0], selected=(), final=None)
    assert "No process entered." in repr(csat.table(nothing, names=study))
    with pytest.raises(csat.CsatError, match="no final model"):
        csat.table(nothing, kind="final")


def test_a_model_on_few_respondents_is_shown_with_a_warning(results):
    from dataclasses import replace

    assert "Fitted to 40 respondents, fewer than 100" in repr(csat.table(replace(results["regression"], n=40)))


def test_unknown_kinds_and_results_are_named(results):
    known = r"kind='rows' is not known; choose one of 'nodes', 'groups', 'items', 'standing', 'across'\."
    with pytest.raises(OptionError, match=known):
        csat.table(results["index"], kind="rows")
    with pytest.raises(OptionError, match=r"There is no table for dict; there is one for Index, .*tidy\(\)"):
        csat.table({})
    with pytest.raises(OptionError, match=r'kind="groups" needs an index by a column'):
        csat.table(results["index"], kind="groups")
    with pytest.raises(OptionError, match="lang='de'"):
        csat.table(results["index"], "de")


def test_the_registry_names_classes_that_exist():
    from csat import estimation, planning, published, survey, weighting
    from csat.drivers.relative import ranking

    inner = ("structural.factor_scores", "structural.effects", "fuzzy.apart", "report.manifest", "report.difference")
    files = [import_module(f"csat.{name}") for name in inner]
    rooms = (csat, survey, estimation, planning, published, weighting, ranking, *files)
    public = {name for room in rooms for name in dir(room)}
    assert set(TABLES) - {"DataFrame", "WeightReport"} <= public


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_questionnaire_and_a_model_show_themselves(study, lang):
    shown = csat.table(study, lang)
    at = [column.name for column in shown.columns]
    weights = [
        row[at.index("weight")].value
        for row in shown.rows
        if row[at.index("code")].value in ("service_value", "corporate_image")
    ]
    assert np.allclose(weights, [0.7, 0.3])
    assert shown.rows[0][0].value == study.text(study.root, lang) and shown.depths[:3] == (0, 1, 2)
    assert len(shown.rows) == len(study.nodes) + len([item for item in study.scaled if item.code not in study.nodes])
    model = csat.Model(study.model)
    lines = csat.table(model, lang, study)
    assert len(lines.rows) == len({(term.lhs, term.op) for term in model.terms}) + len(model.definitions)
    for thing in (study, model):
        assert "<table>" in thing._repr_html_() and "application/vnd.csat.table+json" in thing._repr_mimebundle_()


def test_a_split_change_has_its_columns_in_one_order_on_page_and_slide(results, study):
    from csat.report.office.grid import grid, split

    table = csat.table(results["split"], "en", study)
    whole = grid(table)
    heads = [head for part in split(whole, 10_000) for head in part.heads]
    assert heads == list(whole.heads)
    assert [column.name for column in table.columns[:2]] == ["term", "part"] and table.label == 0


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_gaps_say_that_intervals_are_each_for_itself_and_p_is_corrected(results, study, lang):
    said = words(lang).say(Word("compared.intervals"))
    table = csat.table(results["gaps"], lang, study)
    assert said in [table.say(note) for note in table.notes]
    raw = csat.table(replace(results["gaps"], adjust="none"), lang, study)
    assert said not in [raw.say(note) for note in raw.notes]
