"""Path diagrams: every arrow between its nodes, nothing over anything, few crossings, in both languages."""

import itertools
import json
import os
import re
import stat
import warnings
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.patches import Ellipse, FancyArrowPatch, Rectangle

import csat
from csat.errors import OptionError
from csat.report import diagram
from csat.report.names import Names
from csat.report.network.curves import inside
from csat.report.network.graph import graphs_of
from csat.report.network.layers import back_links, isotonic, layer_of, layered
from csat.report.network.picture import PAGE, picture_of
from csat.report.network.texts import for_dot, for_mermaid
from csat.report.plots.style import FIGURE_WIDTH, GREY

LAVAAN = Path(__file__).parents[1] / "fixtures" / "lavaan"
FITTED = {
    "mobi core": "sem_mobi_core_ml", "ecsi": "sem_ecsi_mobi_ml", "cfa": "sem_hs_cfa_ml", "democracy": "sem_pd_ml",
    "second order": "sem_hs_second_order", "mimic": "sem_hs_mimic", "observed": "sem_mtcars_path_fixedx",
}  # fmt: skip
#: Models made up for their form, with the number of their variables.
MADE = {
    "cycle": ("b ~ a + d\nd ~ c + b\ne ~ b\nf ~ e", "abcdef"),
    "crossed": ("f =~ a + b + c + d\ng =~ e + h + i + d\nk =~ l + m\nk ~ f + g\na ~~ e\nm ~~ h", "abcdehilm"),
    "composite": ("f <~ 1*a + b + c\ng =~ d + e + h\ng ~ f", "abcdeh"),
    "one": ("z =~ " + " + ".join("abcdefghijklmnopqrst"), "abcdefghijklmnopqrst"),
    "single": ("y ~ x", "yx"),
}
MODELS = [*FITTED, *MADE, "study"]


@cache
def fitted(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in FITTED:
            case = json.loads((LAVAAN / f"{FITTED[name]}.json").read_text(encoding="utf-8"))
            cov = case["result"]["sample_cov"]["all"]
            frame = pd.DataFrame(cov["values"], np.atleast_1d(cov["rows"]), np.atleast_1d(cov["cols"]))
            source = csat.from_covariance(frame, case["result"]["nobs"]["all"], divisor="n")
            return csat.sem(source, case["model"])
        text, names = MADE[name]
        k = len(names)
        cov = np.full((k, k), 0.4) + 0.6 * np.eye(k) + 0.05 * np.cos(np.add.outer(np.arange(k), np.arange(k)) ** 2)
        source = csat.from_covariance((cov + cov.T) / 2, n=400, names=[f"x_{c}" for c in names])
        return csat.sem(source, re.sub(r"\b([a-z])\b", lambda m: f"x_{m[1]}" if m[1] in names else m[1], text))


@pytest.fixture
def model(request, results):
    return results["sem"] if request.param == "study" else fitted(request.param)


@cache
def pictured(model, measurement, lang="en", asked=None):
    (graph,) = graphs_of(model, Names(lang, asked), measurement)
    return picture_of(graph)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


every_model = pytest.mark.parametrize("model", MODELS, indirect=True, ids=str)
both = pytest.mark.parametrize("measurement", [False, True], ids=["structure", "indicators"])


def rectangle(shape):
    return np.array([*np.subtract(shape.at, shape.half), *np.add(shape.at, shape.half)])


def overlap(one, other, slack=0.0):
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    return bool((high - low > slack).all())


@every_model
@both
def test_no_node_covers_another_and_no_arrow_runs_through_one(model, measurement, study):
    picture = pictured(model, measurement)
    graph = picture.graph
    shapes = {shape.code: shape for shape in picture.shapes}
    assert shapes.keys() == {node.code for node in graph.nodes}
    for one, other in itertools.combinations(picture.shapes, 2):
        assert not overlap(rectangle(one), rectangle(other)), (one.code, other.code)
    for arrow in picture.arrows:
        ends = {arrow.edge.source, arrow.edge.target}
        for code, shape in shapes.items():
            hit = inside(arrow.points, np.array(shape.at), np.array(shape.half), shape.round)
            assert code in ends or hit.mean() < 0.02, (arrow.edge, code)


@every_model
@both
def test_every_arrow_is_drawn_from_its_cause_to_its_effect(model, measurement):
    picture = pictured(model, measurement)
    graph = picture.graph
    frame = model.standardized("all")
    values = {(edge.source, edge.target): edge.value for edge in graph.edges}
    for lhs, rhs, value in frame.loc[frame["op"] == "~", ["lhs", "rhs", "estimate"]].itertuples(index=False):
        assert values[rhs, lhs] == value
    if measurement:
        loads = frame[frame["op"].isin(["=~", "<~"])]
        assert {frozenset(pair) for pair in values} >= {
            frozenset(x) for x in zip(loads["lhs"], loads["rhs"], strict=True)
        }
    assert sorted(map(str, (arrow.edge for arrow in picture.arrows))) == sorted(map(str, graph.edges))
    shapes = {shape.code: shape for shape in picture.shapes}
    for arrow in picture.arrows:
        for point, code in ((arrow.points[0], arrow.edge.source), (arrow.points[-1], arrow.edge.target)):
            shape = shapes[code]
            centre, half = np.array(shape.at), np.array(shape.half)
            assert not inside(point[None], centre, half - 1e-6, shape.round)[0]
            assert inside(point[None], centre, half + 0.1, shape.round)[0], "an arrow ends at its node"


@every_model
@pytest.mark.parametrize(("measurement", "lang"), [(False, "en"), (True, "en"), (None, "zh")])
def test_values_stand_on_their_arrow_and_cover_nothing(model, measurement, lang, study, tmp_path):
    """Of the drawn texts, not of the sizes that were reckoned with; a missing glyph would warn, and warnings fail."""
    axes = csat.plot(model, "path", lang, names=study, measurement=measurement)
    figure = axes.figure
    figure.savefig(tmp_path / "diagram.png")
    renderer = figure.canvas.get_renderer()
    texts = [text for text in axes.texts if text.get_gid() is None]
    boxes = [text.get_window_extent(renderer).padded(-1.5) for text in texts]
    assert not [(a.get_text(), b.get_text()) for (a, one), (b, two) in itertools.combinations(
        zip(texts, boxes, strict=True), 2) if one.overlaps(two)]  # fmt: skip
    graph, picture = graphs_of(model, Names(lang, study), measurement)[0], pictured(model, measurement)
    nodes = [patch for patch in axes.patches if isinstance(patch, Ellipse | Rectangle)]
    assert len(nodes) == len(graph.nodes)
    assert sum(isinstance(patch, FancyArrowPatch) for patch in axes.patches) == len(graph.edges)
    on_arrows = [arrow for arrow in picture.arrows if arrow.spot is not None]
    shown = [text.get_text() for text in texts]
    for arrow in on_arrows:
        assert shown.count(arrow.said) >= 1
        assert np.hypot(*(arrow.points - arrow.spot).T).min() < 0.02
    for text, box in zip(texts, boxes, strict=True):
        covered = [node for node in nodes if box.overlaps(node.get_window_extent(renderer))]
        assert len(covered) <= 1, text.get_text()
        if covered:
            around = covered[0].get_window_extent(renderer)
            assert around.x0 <= box.x0 and box.x1 <= around.x1, f"{text.get_text()} sticks out of its node"
            assert around.y0 <= box.y0 and box.y1 <= around.y1
    width, height = figure.canvas.get_width_height()
    for text in (*texts, axes.title, *axes.texts):
        box = text.get_window_extent(renderer)
        assert box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1, text.get_text()


@every_model
@both
def test_pictures_fit_a_page_at_a_readable_size(model, measurement, study):
    picture = pictured(model, measurement)
    assert picture.tidy
    assert picture.scale >= 0.65
    assert np.all(np.array(picture.size) * picture.scale <= np.array(PAGE) + 1e-9)
    assert csat.plot(model, "path", measurement=measurement).figure.get_figwidth() == FIGURE_WIDTH


def test_what_is_not_significant_is_dashed_grey_and_thin():
    axes = csat.plot(fitted("democracy"), "path")
    frame = fitted("democracy").standardized("all")
    relations = frame[frame["op"].isin(["=~", "~"]) | ((frame["op"] == "~~") & (frame["lhs"] != frame["rhs"]))]
    unclear = int((relations["p"] >= 0.05).sum())
    arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
    dashed = [arrow for arrow in arrows if arrow.get_linestyle() != "-"]
    assert len(dashed) == unclear == 2
    assert {arrow.get_linewidth() for arrow in dashed} == {min(arrow.get_linewidth() for arrow in arrows)}
    labels = {text.get_text(): text for text in axes.texts}
    assert labels["0.11"].get_color() == GREY and not labels["0.11"].get_path_effects()
    assert labels["0.89"].get_path_effects(), "what is clear is heavy, not only coloured"
    assert "Dashed and grey: p of 0.05 or more." in axes.texts[-1].get_text()


def test_indicators_are_drawn_unasked_where_they_are_few():
    def codes(name, measurement):
        return [node.code for node in graphs_of(fitted(name), Names("en"), measurement)[0].nodes]

    assert "x9" in codes("cfa", None) and "x9" not in codes("cfa", False)
    assert "IMAG1" not in codes("ecsi", None) and "IMAG1" in codes("ecsi", True)
    assert codes("observed", False) == codes("observed", True)


def test_residual_correlations_of_hidden_indicators_are_counted():
    axes = csat.plot(fitted("democracy"), "path", measurement=False)
    assert "Not drawn: 6 correlations of residuals of indicators." in axes.texts[-1].get_text()


def test_many_correlations_of_predictors_are_left_to_the_table():
    k = 8
    source = csat.from_covariance(np.full((k, k), 0.3) + 0.7 * np.eye(k), n=300, names=[f"x{i}" for i in range(k)])
    axes = csat.plot(csat.sem(source, "x0 ~ " + " + ".join(f"x{i}" for i in range(1, k))), "path")
    assert "Not drawn: 21 correlations" in axes.texts[-1].get_text()
    assert len([patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]) == k - 1


@pytest.fixture(scope="module")
def grouped(results, study):
    with pytest.warns(csat.CsatWarning):
        survey = csat.read_survey(Path(__file__).parents[2] / "data" / "sample" / "2026Q3.csv", study)
        return csat.sem(survey.where(branch="gansu"), study.model, group="line", equal="loadings")


def test_groups_have_a_panel_each_or_one_alone(grouped, study):
    axes = csat.plot(grouped, "path", "zh", names=study).figure.axes
    titles = [panel.get_title(loc="left") for panel in axes]
    assert titles == [f"结构方程模型：标准化路径（{name}）" for name in ("移动", "宽带")]
    one = csat.plot(grouped, "path", names=study, group="broadband")
    assert len(one.figure.axes) == 1
    frame = grouped.standardized("all")
    mine = frame[(frame["group"] == "broadband") & (frame["op"] == "~")]["estimate"]
    shown = {text.get_text() for text in one.texts}
    assert {f"{value:.2f}".replace("-", "−") for value in mine} <= shown


def test_given_axes_hold_one_group(grouped, results, study):
    figure, axes = plt.subplots(figsize=(5, 3), layout="none")
    with pytest.raises(OptionError, match="group=None is not known; choose one of 'mobile', 'broadband'"):
        csat.plot(grouped, "path", ax=axes)
    assert csat.plot(results["sem"], "path", names=study, ax=axes) is axes
    figure.canvas.draw()
    sizes = [text.get_fontsize() for text in axes.texts if text.get_gid() is None]
    assert max(sizes) < 9, "letters shrink with the picture"


def test_options_that_do_not_fit_are_named(results, grouped):
    with pytest.raises(OptionError, match="group='north' is not known; choose one of 'mobile', 'broadband'"):
        csat.plot(grouped, "path", group="north")
    with pytest.raises(OptionError, match="measurement='yes': write True, False, or None"):
        csat.plot(results["sem"], "path", measurement="yes")
    with pytest.raises(OptionError, match="layout='circle' is not known; choose one of 'csat', 'graphviz'"):
        csat.plot(results["sem"], "path", layout="circle")
    with pytest.raises(OptionError, match="measurement= is an option of kind='path'"):
        csat.plot(results["index"], measurement=True)


def test_a_group_too_small_to_show_is_left_out(grouped, study):
    from dataclasses import replace

    axes = csat.plot(replace(grouped, sizes=(grouped.sizes[0], 12)), "path", names=study)
    assert len(axes.figure.axes) == 1
    assert "1 not shown: fewer than 30 respondents" in axes.texts[-1].get_text()


def test_graphviz_is_asked_only_on_request_and_named_if_absent(results, monkeypatch):
    monkeypatch.setenv("PATH", "")
    csat.plot(results["sem"], "path")
    with pytest.raises(OptionError, match="layout='graphviz' needs the program dot of Graphviz on the PATH"):
        csat.plot(results["sem"], "path", layout="graphviz")


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands for the program")
def test_places_of_graphviz_are_taken_over(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho graph 1 9 9\necho 'node n0 1 2 1 1 x solid box'\n"
                       "echo 'node n1 4 5 1 1 x solid box'\necho stop\n")  # fmt: skip
    program.chmod(program.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(tmp_path))
    axes = csat.plot(fitted("single"), "path", layout="graphviz")
    nodes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    centres = [np.add(node.get_xy(), (node.get_width() / 2, node.get_height() / 2)) for node in nodes]
    np.testing.assert_allclose(centres[1] - centres[0], [3, 3])
    program.write_text("#!/bin/sh\necho wrong >&2\nexit 3\n")
    with pytest.raises(OptionError, match="dot ended with code 3: wrong"):
        csat.plot(fitted("single"), "path", layout="graphviz")


# Layers


#: The first example pays for loading hypothesis.
calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NODES = "abcdef"
graphs = st.lists(st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)).filter(lambda e: e[0] != e[1]), unique=True)


@calm
@given(graphs)
def test_arrows_run_to_later_layers_but_for_those_that_close_a_cycle(links):
    layer, back = layer_of(NODES, links), back_links(NODES, links)
    for cause, effect in links:
        assert (layer[cause] > layer[effect]) if (cause, effect) in back else (layer[cause] < layer[effect])
    for node in NODES:
        above = [layer[a] for a, b in ((b, a) if (a, b) in back else (a, b) for a, b in links) if b == node]
        assert layer[node] == 1 + max(above, default=-1), "the longest way from a source"


def crossings(columns, links):
    row = {thing: y for column in columns for y, thing in enumerate(column)}
    layer = {thing: x for x, column in enumerate(columns) for thing in column}
    return sum(
        layer[a] == layer[c] and (row[a] - row[c]) * (row[b] - row[d]) < 0
        for (a, b), (c, d) in itertools.combinations(links, 2)
    )


@calm
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, unique=True),
       st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("pq")), unique=True))  # fmt: skip
def test_small_graphs_have_as_few_crossings_as_they_can(first, second):
    nodes = list(dict.fromkeys(itertools.chain(*first, *second)))
    found = layered(nodes, [*first, *second])
    tried = itertools.product(*map(itertools.permutations, found.columns))
    assert crossings(found.columns, found.links) == min(crossings(columns, found.links) for columns in tried)


def test_large_graphs_without_need_for_crossings_have_none():
    """A ladder of eight rungs, its nodes named in the worst order."""
    links = [(f"{row}{x}", f"{row}{x + 1}") for row in "abcdefgh" for x in range(3)]
    nodes = [f"{row}{x}" for x in range(4) for row in ("abcdefgh" if x % 2 else "hgfedcba")]
    found = layered(nodes, links)
    assert crossings(found.columns, found.links) == 0


@calm
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=8))
def test_isotonic_values_are_the_nearest_that_never_fall(wish):
    from scipy.optimize import isotonic_regression

    weight = 1.0 + np.arange(len(wish))
    np.testing.assert_allclose(
        isotonic(np.array(wish), weight), isotonic_regression(wish, weights=weight).x, rtol=1e-9, atol=1e-9
    )


# Texts

odd = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1)


@calm
@given(odd)
def test_labels_survive_mermaid(text):
    said = for_mermaid(text)
    assert not set(said) & set('"<>`%{}[]|\\$\n')
    assert re.fullmatch(r"(?:[^#;&]|#\d+;)*", said)
    back = re.sub(r"#(\d+);", lambda code: chr(int(code[1])), said)
    assert back == "".join(char if char.isprintable() else " " for char in text)
    assert not re.match(r"(\d+[.)]|[-*+])( |$)", said), "nor does it begin a list"


@calm
@given(odd)
def test_labels_survive_dot(text):
    said = for_dot(text)
    assert re.fullmatch(r'"(?:[^"\\]|\\["\\n])*"', said)
    back = re.sub(r"\\(.)", lambda code: "\n" if code[1] == "n" else code[1], said[1:-1]).replace("&amp;", "&")
    assert back == "".join(char if char.isprintable() or char == "\n" else " " for char in text)


NODE = re.compile(r'  (\w+)(?:\(\["(.*)"\]\)|\["(.*)"\])')
LINK = re.compile(r'  (\w+) (==>|-->|-\.->|<-->|<-\.->)\|"(.*)"\| (\w+)')


@every_model
def test_mermaid_has_every_node_and_arrow(model):
    lines = diagram(model, measurement=True).splitlines()
    (graph,) = graphs_of(model, Names("en"), True)
    assert lines[0] == "flowchart LR"
    nodes = {match[1]: match[2] or match[3] for match in map(NODE.fullmatch, lines[1:]) if match}
    links = [match.groups() for match in map(LINK.fullmatch, lines[1:]) if match]
    assert len(lines) == 1 + len(nodes) + len(links)
    assert [text.split("<br/>")[0] for text in nodes.values()] == [node.name for node in graph.nodes]
    codes = dict(zip(nodes, (node.code for node in graph.nodes), strict=True))
    assert [(codes[a], codes[b]) for a, _, _, b in links] == [(edge.source, edge.target) for edge in graph.edges]
    for (_, stroke, value, _), edge in zip(links, graph.edges, strict=True):
        assert ("." in stroke) == (edge.p >= 0.05)
        assert stroke.startswith("<") == edge.both
        assert float(value.replace("−", "-").removesuffix(" !")) == pytest.approx(edge.value, abs=0.006)


@every_model
def test_dot_has_every_node_and_arrow(model):
    lines = diagram(model, "dot", measurement=True).splitlines()
    (graph,) = graphs_of(model, Names("en"), True)
    assert lines[0] == "digraph model {" and lines[-1] == "}"
    nodes = [re.fullmatch(r'  (\w+) \[label="(.*)", shape=(ellipse|box)\];', line) for line in lines]
    links = [re.fullmatch(r'  (\w+) -> (\w+) \[label="(.*?)"(.*)\];', line) for line in lines]
    assert [match[3] == "ellipse" for match in nodes if match] == [node.latent for node in graph.nodes]
    assert [("dir=both" in m[4], "dashed" in m[4]) for m in links if m] == [(e.both, not e.clear) for e in graph.edges]


def test_groups_are_framed_and_named_in_the_texts(grouped, study):
    mermaid = diagram(grouped, lang="zh", names=study)
    assert '  subgraph g0["移动"]' in mermaid and '  subgraph g1["宽带"]' in mermaid
    assert mermaid.count("\n  end") == 2
    assert 'subgraph cluster_1 { label="宽带";' in diagram(grouped, "dot", "zh", study)
    alone = diagram(grouped, names=study, group="mobile")
    assert alone.count("subgraph") == 1


def test_a_hostile_name_stays_a_label(asked):
    from dataclasses import replace

    items = tuple(replace(item, texts={"en": '"]; n --> x; <script>alert(1)</script>'}) for item in asked.items)
    source = csat.from_covariance([[1, 0.5], [0.5, 1]], n=100, names=["A", "B"])
    found = csat.sem(source, "A ~ B")
    mermaid, dot = (diagram(found, form, names=replace(asked, items=items)) for form in ("mermaid", "dot"))
    assert "<script" not in mermaid and mermaid.count("-->") + mermaid.count("==>") == 1
    assert dot.count(" -> ") == 1


def test_what_cannot_be_written_is_said(results):
    with pytest.raises(OptionError, match="form='svg' is not known; choose one of 'mermaid', 'dot'"):
        diagram(results["sem"], "svg")
    with pytest.raises(OptionError, match=r"diagram writes a result of csat\.sem; found Index"):
        diagram(results["index"])
