"""Tables and charts of path models of composites and of their importance–performance maps, in both languages."""

import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import csat
from csat.composites.notes import _IMPOSSIBLE, _NO_ESTIMATES
from csat.errors import OptionError
from csat.report.names import Names
from csat.report.network.composites import graphs_of_composites
from csat.report.plots import PLOTS
from csat.report.tables import TABLES
from csat.report.tables.composites import mode_word, remark_word
from csat.report.words import Word, words

MODEL = """
image =~ a1 + a2 + a3
quality <~ b1 + b2 + b3
single =~ s1
loyalty =~ c1 + c2
quality ~ image
loyalty ~ image + quality + single
"""
ITEMS = ["a1", "a2", "a3", "b1", "b2", "b3", "s1", "c1", "c2"]
KINDS = tuple(TABLES["Pls"])
NAMES = ("plain", "groups", "printed", "corrected", "product", "higher")
LANGUAGES = ("en", "zh")


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(3)
    n = 330
    image, single = rng.normal(size=(2, n))
    quality = 0.6 * image + 0.8 * rng.normal(size=n)
    loyalty = 0.5 * quality + 0.3 * single + 0.7 * rng.normal(size=n)
    latent = {"a": image, "b": quality, "s": single, "c": loyalty}
    frame = pd.DataFrame({item: 6 + latent[item[0]] + 0.6 * rng.normal(size=n) for item in ITEMS}).clip(1, 10)
    frame["city"] = np.repeat(["a", "b", "c"], [180, 130, 20])
    survey, how = csat.read_survey(frame), {"limits": (1, 10), "replicates": 60}
    reflective = MODEL.replace("<~", "=~")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        return {
            "plain": csat.pls(survey, MODEL, **how),
            "groups": csat.pls(survey, MODEL, by="city", **how),
            "printed": csat.pls(csat.from_covariance(frame[ITEMS].cov(), n), MODEL),
            "corrected": csat.pls(survey, reflective, consistent=True, **how),
            "product": csat.pls(survey, reflective + "loyalty ~ image:quality", **how),
            "higher": csat.pls(survey, "image =~ a1 + a2 + a3\nquality =~ b1 + b2 + b3\noffer <~ image + quality\n"
                               "loyalty =~ c1 + c2\nloyalty ~ offer", **how),
        }  # fmt: skip


def columns_of(table):
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_every_result_has_every_table(found, name, kind, lang):
    text = repr(csat.table(found[name], lang, kind=kind))
    assert "{" not in text
    assert not re.search(r"\b(column|note|title|relation|effect|mode|interval|remark)\.\w", text)
    assert bool(re.search("[\u4e00-\u9fff]", text)) == (lang == "zh")


def test_paths_stand_first_with_their_figures(found):
    result = found["plain"]
    rows = columns_of(csat.table(result))
    theirs = result.tidy().query("kind == 'path'").to_dict("records")
    assert len(rows) == len(theirs) == 4
    f2, vif = result.f2(), result.vif()
    for row, their in zip(rows, theirs, strict=True):
        assert row["about"].value == f"{their['rhs']} → {their['lhs']}"
        assert [row[name].value for name in ("estimate", "low", "high", "p")] == [
            their[name] for name in ("estimate", "low", "high", "p")
        ]
        assert row["f2"].value == f2.loc[their["lhs"], their["rhs"]]
        assert row["vif"].value == vif.loc[their["lhs"], their["rhs"]]


def test_constructs_have_quality_where_it_means_something(found):
    rows = {row["construct"].value: row for row in columns_of(csat.table(found["plain"], kind="constructs"))}
    theirs = found["plain"].constructs().set_index("construct")
    for name in ("ave", "alpha", "rho_a", "rho_c", "performance"):
        assert rows["image"][name].value == theirs.loc["image", name]
    for construct in ("quality", "single"):
        assert not any(rows[construct][name].applies for name in ("ave", "ave_low", "alpha", "rho_a", "rho_c"))
    assert not rows["image"]["r2"].applies
    assert rows["loyalty"]["r2"].value == theirs.loc["loyalty", "r2"]
    own = found["plain"].performance
    low, high = own.interval
    assert [rows["image"][f"performance_{end}"].value for end in ("low", "high")] == [low[0], high[0]]


def test_items_have_weights_loadings_and_inflation(found):
    result = found["plain"]
    rows = columns_of(csat.table(result, kind="items"))
    tidy = result.tidy()
    for kind in ("weight", "loading"):
        part = tidy[tidy["kind"] == kind]
        assert [row["item"].value for row in rows] == list(part["rhs"])
        assert [row[kind].value for row in rows] == list(part["estimate"])
        several = part["lhs"] != "single"
        assert [row[f"{kind}_low"].applies for row in rows] == list(several)
    assert [row["vif"].value for row in rows] == list(result.item_vif()["vif"])


def test_cross_loadings_that_another_composite_exceeds_are_named(found):
    result = found["plain"]
    rows = columns_of(csat.table(result, kind="cross"))
    square = result.cross_loadings()
    higher = Word("note.pls_cross_higher")
    for row, item in zip(rows, square.index, strict=True):
        own = abs(square.loc[item, row["construct"].value])
        for code in square.columns:
            cell = row[f"on {code}"]
            assert cell.value == square.loc[item, code]
            assert (cell.note == higher) == (abs(cell.value) > own)


def test_effects_are_listed_pair_by_pair(found):
    rows = columns_of(csat.table(found["plain"], kind="effects"))
    said = [(row["about"].value, row["relation"].value.key) for row in rows]
    assert said == [
        ("image → quality", "effect.total"),
        ("image → loyalty", "effect.total"),
        ("image → loyalty", "effect.indirect"),
        ("quality → loyalty", "effect.total"),
        ("single → loyalty", "effect.total"),
    ]
    tidy = found["plain"].tidy().set_index(["kind", "lhs", "rhs"])["estimate"]
    assert rows[2]["estimate"].value == tidy["indirect", "loyalty", "image"]


@pytest.mark.parametrize("kind", KINDS)
def test_groups_too_small_to_be_shown_are_hidden(found, kind):
    rows = columns_of(csat.table(found["groups"], kind=kind))
    of_c = [row for row in rows if row["city"].value == "c"]
    assert len(of_c) == len(rows) / 3
    for row in of_c:
        assert row["n"].value == 20
        assert {name for name, cell in row.items() if isinstance(cell.value, float)} <= {"n", "items"}


def test_a_summary_without_rows_has_no_intervals_and_says_why(found):
    for kind in KINDS:
        table = csat.table(found["printed"], kind=kind)
        assert not {column.name for column in table.columns} & {
            "low",
            "high",
            "p",
            "r2_low",
            "weight_low",
            "performance",
        }
        assert "This source is a summary without rows." in repr(table)
    assert "no figure on 0–100" in repr(csat.table(found["printed"], kind="constructs"))


def test_notes_say_how_figures_came_about(found):
    said = repr(csat.table(found["plain"]))
    for part in ("330 of 330 respondents", "inner scheme: path", "60 bootstrap samples of respondents",
                 "Intervals: percentiles of these samples.", "SRMR = 0.0"):  # fmt: skip
        assert part in said
    assert "由受访者抽取" in repr(csat.table(found["plain"], "zh"))


def test_products_are_constructs_without_items(found):
    text = {kind: repr(csat.table(found["product"], kind=kind)) for kind in KINDS}
    assert "image × quality → loyalty" in text["paths"]
    assert "image × quality" not in text["items"] + text["constructs"]


def test_parts_of_constructs_have_their_own_rows(found):
    rows = [row["construct"].value for row in columns_of(csat.table(found["higher"], kind="constructs"))]
    assert sorted(rows) == ["image", "loyalty", "offer", "quality"]


DOUBTS = (
    "the reliability ρA of 'image' is 1.031, above 1. Figures of this solution are not to be trusted: merge",
    "corrected for attenuation 'image' and 'quality' correlate 1.020, beyond 1. Figures",
    "the corrected loading of 'a1' is 1.010, beyond 1. Figures",
    "the corrected correlations of the constructs are not positive definite: no population has them. Figures",
    f"3 of 60 replicates (bootstrap of respondents) {_NO_ESTIMATES}",
    f"3 of 60 replicates (jackknife) {_IMPOSSIBLE}",
    f"In 4 of 5 groups some of 60 replicates (bootstrap of respondents) {_NO_ESTIMATES} Most of them, 3, in group 'a'.",
    f"In 4 of 5 groups some of 60 replicates (replicates: JKn) {_IMPOSSIBLE} Most of them, 3, in group 'a'.",
    "Items load negatively on their own construct, by more than chance: a1 (image: -0.41), b1 (quality: -0.30), +2. So "
    "do items in 4 other groups. If they are worded the other way round, recode their answers",
    "Group 'x' has no estimates: 20 complete answers for 24 items. Merge it with another group, or use fewer items.",
    "5 of 9 groups have no estimates ('a', 'b', 'c', 'd', 'e'); the notes of tidy() say why. Merge small groups, or",
    "Weights below 0: 'a1', 'a2'. An index with such an item is no mean of its items and can leave 0–100: reverse",
)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("said", DOUBTS)
def test_doubts_have_words_in_both_languages(said, lang):
    word = remark_word(said, Names(lang))
    assert isinstance(word, Word)
    text = words(lang).say(word)
    assert "{" not in text
    assert not re.search(r"'\w+'", text)


@pytest.mark.parametrize("start", ["In group 'a': ", "In group 'a' "])
def test_doubts_about_a_group_name_it(start):
    word = remark_word(start + DOUBTS[0], Names("en"))
    assert word.key == "note.of_group"
    assert words("en").say(word).startswith("a: The reliability ρA of image is 1.031")


def test_doubts_name_items_and_groups():
    against, absent = (words("en").say(remark_word(said, Names("en"))) for said in DOUBTS[8:10])
    assert "chance: image → a1 (−0.41), quality → b1 (−0.30), …. So do" in against
    assert absent.startswith("Group x has no estimates: 20 complete answers for 24 items.")


def test_every_note_that_these_results_make_is_worded(found):
    for result in found.values():
        for note in result.notes:
            assert isinstance(remark_word(note, Names("zh")), Word), note


def test_modes_have_words():
    for mode in ("A", "B", "unit", "factor", "single", "A, consistent"):
        assert "{" not in words("en").say(mode_word(mode))
    assert words("en").say(mode_word("A, consistent")) == "A (correlations), corrected"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_table_of_importance_and_performance(found, lang):
    result = found["plain"].ipma("loyalty")
    rows = columns_of(csat.table(result, lang))
    tidy = result.tidy().set_index(["kind", "term"])
    assert [row["about"].value for row in rows[:4]] == ["image", "a1", "a2", "a3"]
    for name in ("importance", "importance_low", "importance_high", "performance", "potential", "priority"):
        assert rows[0][name].value == tidy.loc[("construct", "image"), name]
        assert rows[1][name].value == tidy.loc[("item", "a1"), name]
    hidden = [row for row in columns_of(csat.table(found["groups"].ipma("loyalty"), lang)) if row["n"].value == 20]
    assert hidden
    assert all(row["importance"].missing and row["performance"].missing for row in hidden)


def texts_of(ax):
    return [text.get_text() for text in ax.figure.findobj(Text)]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", tuple(PLOTS["Pls"]))
@pytest.mark.parametrize("name", NAMES)
def test_charts(found, name, kind, lang):
    ax = csat.plot(found[name], kind, lang)
    assert not [text for text in texts_of(ax) if "{" in text]
    plt.close(ax.figure)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("kind", tuple(PLOTS["Ipma"]))
@pytest.mark.parametrize("name", ["plain", "groups", "corrected"])
def test_maps(found, name, kind, lang):
    ax = csat.plot(found[name].ipma("loyalty"), kind, lang)
    ax.figure.canvas.draw()
    assert not [text for text in texts_of(ax) if "{" in text]
    plt.close(ax.figure)


def test_the_map_has_points_crosses_and_means(found):
    result = found["plain"].ipma("loyalty")
    ax = csat.plot(result)
    tidy = result.tidy().query("kind == 'construct'")
    dots = [line.get_xydata()[0].tolist() for line in ax.lines if line.get_marker() == "o"]
    assert dots == tidy[["importance", "performance"]].to_numpy().tolist()
    drawn = [np.asarray(line.get_xydata(), float).tolist() for line in ax.lines]
    first = tidy.iloc[0]
    assert [[first["importance_low"], first["performance"]], [first["importance_high"], first["performance"]]] in drawn
    assert [[first["importance"], first["performance_low"]], [first["importance"], first["performance_high"]]] in drawn
    cut = result.cuts()[0]
    assert [line[0][0] for line in drawn[:1]] + [line[0][1] for line in drawn[1:2]] == cut.tolist()
    plt.close(ax.figure)


def test_the_diagram_marks_modes_and_what_is_not_clear(found):
    result = found["plain"]
    (graph,) = graphs_of_composites(result, Names("en"), True)
    assert {node.code: node.mark for node in graph.structural} == {
        "image": "A", "quality": "B", "single": "", "loyalty": "A"
    }  # fmt: skip
    assert graph.node("loyalty").r2 == result.solution.r2[0, 3]
    edges = {(edge.source, edge.target): edge for edge in graph.edges}
    tidy = result.tidy().set_index(["kind", "lhs", "rhs"])
    assert edges["image", "a1"].value == tidy.loc[("loading", "image", "a1"), "estimate"]
    assert edges["b1", "quality"].value == tidy.loc[("weight", "quality", "b1"), "estimate"]
    for rhs in ("image", "quality", "single"):
        path = tidy.loc[("path", "loyalty", rhs)]
        assert edges[rhs, "loyalty"].value == path["estimate"]
        assert edges[rhs, "loyalty"].clear == (path["p"] < 0.05)
    (corrected,) = graphs_of_composites(found["corrected"], Names("en"))
    assert corrected.node("image").mark == "A*"


def test_parts_lead_to_what_they_make(found):
    (graph,) = graphs_of_composites(found["higher"], Names("en"))
    assert {(edge.source, edge.target) for edge in graph.edges if edge.kind == "path"} == {
        ("image", "offer"), ("quality", "offer"), ("offer", "loyalty")
    }  # fmt: skip
    assert {node.owner for node in graph.nodes if node.owner} == {"image", "quality", "loyalty"}


def test_one_group_of_several(found):
    for result, kind in (
        (found["groups"], "path"),
        (found["groups"], "paths"),
        (found["groups"].ipma("loyalty"), "ipma"),
    ):
        ax = csat.plot(result, kind, group="b")
        assert any("(b)" in text for text in texts_of(ax))
        plt.close(ax.figure)
        with pytest.raises(OptionError, match="group='z' is not known"):
            csat.plot(result, kind, group="z")


def test_groups_that_are_hidden_leave_no_figures(found):
    ax = csat.plot(found["groups"], "path", group="c")
    assert not ax.patches
    plt.close(ax.figure)
    ax = csat.plot(found["groups"].ipma("loyalty"), group="c")
    assert not ax.lines
    plt.close(ax.figure)
    ax = csat.plot(found["groups"], "paths", group="c")
    assert not [line for line in ax.lines if line.get_marker() == "o"]
    plt.close(ax.figure)


def test_several_models_need_room(found):
    _, ax = plt.subplots()
    with pytest.raises(OptionError, match="group"):
        csat.plot(found["groups"], "path", ax=ax)
    with pytest.raises(OptionError, match="name one, group="):
        csat.plot(found["groups"].ipma("loyalty"), ax=ax)
    plt.close(ax.figure)
