"""Charts: every result in both languages without a missing glyph, without overlap, without side effects."""

import itertools

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.text import Text

import csat
from csat.errors import CsatWarning, OptionError
from csat.report.plots import PLOTS
from csat.report.plots.style import OWN_FONT, drawable, font_families, wrap

KINDS = [
    ("index", None), ("index", "items"), ("by", None), ("by", "nodes"), ("cells", "groups"), ("regression", None),
    ("stepwise", None), ("importance", None), ("sem", "path"), ("sem", "loadings"), ("factors", "path"),
    ("evaluation", None), ("evaluation", "items"), ("evaluation by", None), ("gaps", "dumbbell"), ("gaps", "bars"),
    ("gaps all", None), ("others", None),
    ("expectation", None), ("mean", None),
    ("trend", None), ("trend", "changes"), ("trend by", None), ("split", None), ("letters", None), ("league", None),
    ("crosstab", None), ("difference", None), ("quantile", None), ("share", None), ("scales", None),
    ("contributions", None),
]  # fmt: skip


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def boxes(axes):
    """Every text that a figure shows, with its box in pixels."""
    figure = axes.figure
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    ticks = [(axis, tick) for axis in (axes.xaxis, axes.yaxis) for tick in (*axis.majorTicks, *axis.minorTicks)]
    labels = {label for _, tick in ticks for label in (tick.label1, tick.label2)}
    texts = [text for text in figure.findobj(Text) if text not in labels]
    if axes.axison:
        # Ticks beyond the view have labels that are never drawn.
        texts += [
            tick.label1
            for axis, tick in ticks
            if min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
        ]
    shown = [text for text in texts if text.get_visible() and text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in shown]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(("name", "kind"), KINDS, ids=str)
def test_draws_without_a_missing_glyph_or_overlapping_text(results, study, name, kind, lang, tmp_path):
    """Warnings are errors here: matplotlib warns of a glyph that no font has."""
    axes = csat.plot(results[name], kind, lang, names=study)
    axes.figure.savefig(tmp_path / "chart.png")
    found = boxes(axes)
    if lang == "zh":
        assert any("一" <= char <= "鿿" for text, _ in found for char in text)
    inner = [(text, box.padded(-1.5)) for text, box in found]
    overlaps = [(a, b) for (a, one), (b, two) in itertools.combinations(inner, 2) if one.overlaps(two)]
    assert not overlaps
    width, height = axes.figure.canvas.get_width_height()
    cut = [text for text, box in found if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1]
    assert not cut


def test_global_settings_are_left_alone(results):
    before = dict(matplotlib.rcParams)
    figures = plt.get_fignums()
    _, axes = plt.subplots()
    assert csat.plot(results["index"], ax=axes) is axes
    assert dict(matplotlib.rcParams) == before
    assert len(plt.get_fignums()) == len(figures) + 1


def test_labels_are_never_mathematics_and_never_endless(whole, asked, tmp_path):
    axes = csat.plot(whole, "items", "en", names=asked)
    axes.figure.savefig(tmp_path / "chart.png")
    assert "$\\frac{a}{0}$ & more" in [label.get_text() for label in axes.get_yticklabels()]
    axes = csat.plot(whole, "items", "zh", names=asked)
    label = next(text for text in (t.get_text() for t in axes.get_yticklabels()) if "网络" in text)
    assert label.count("\n") == 2
    assert label.endswith("…")


def test_the_shipped_font_alone_draws_chinese():
    assert font_families()[0] == OWN_FONT
    assert font_families()[-1] == "DejaVu Sans"
    gb2312 = [bytes((a, b)).decode("gb2312", errors="ignore") for a in range(0xB0, 0xF8) for b in range(0xA1, 0xFF)]
    from importlib.resources import files

    from matplotlib.font_manager import get_font

    font = files("csat.report") / "fonts" / "csat-sans-sc.ttf"
    known = get_font(str(font)).get_charmap()
    missing = [char for char in "".join(gb2312) + "−–—²χ≥“”，。" if ord(char) not in known]
    assert not missing
    assert font.stat().st_size < 4_000_000
    assert "SIL OPEN FONT LICENSE" in (files("csat.report") / "fonts" / "OFL.txt").read_text(encoding="utf-8")


def test_a_character_that_no_font_has_is_named(whole, asked):
    from dataclasses import replace

    odd = "\U00013000"
    assert ord(odd) not in drawable()
    items = (replace(asked.items[0], texts={"en": f"hieroglyph {odd}"}), asked.items[1])
    with pytest.warns(CsatWarning, match=r"No font at hand can draw .* \(U\+13000\).*Noto"):
        csat.plot(whole, "items", names=replace(asked, items=items))


def test_items_and_gaps_are_sorted(results, study):
    axes = csat.plot(results["index"], "items", names=study)
    values = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o"]
    assert values == sorted(values, reverse=True)
    axes = csat.plot(results["gaps"], "bars", names=study)
    values = [float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() == "o"]
    kinds = results["gaps"].tidy()["kind"]
    ends = np.cumsum([0, (kinds == "index").sum(), (kinds == "dimension").sum(), (kinds == "item").sum()])
    for start, end in itertools.pairwise(ends):
        assert values[start:end] == sorted(values[start:end], reverse=True), "sorted within index, dimensions, items"
    np.testing.assert_allclose(sorted(values), np.sort(results["gaps"].estimates.estimate))


def test_wrapping_counts_chinese_twice_and_keeps_punctuation_at_the_end():
    assert wrap("一二三四五六，七八", 12).splitlines() == ["一二三四五六，", "七八"]
    assert wrap("Ease of top-up and payment", 14).splitlines() == ["Ease of top-up", "and payment"]
    assert wrap("x" * 100, 10, 2) == "x" * 10 + "\n" + "x" * 9 + "…"


def test_what_cannot_be_drawn_is_said(results):
    with pytest.raises(OptionError, match="kind='pie' is not known; choose one of 'index', 'nodes', 'groups', 'items'"):
        csat.plot(results["index"], "pie")
    with pytest.raises(OptionError, match=r"There is no chart for Ledger"):
        csat.plot(results["ledger"])
    with pytest.raises(OptionError, match=r"take the index without by="):
        csat.plot(results["by"], "items")
    with pytest.raises(OptionError, match=r"draws up to 6 groups; there are 18"):
        csat.plot(results["cells"], "nodes")


def test_the_registry_names_classes_that_exist():
    from csat import estimation

    assert set(PLOTS) <= {*csat.__all__, *estimation.__all__}
