"""Figures of a report are drawn once, whole, and never cropped where a layout has fitted them."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from csat.report import inline
from csat.report.chart import Chart, attach


def figure(**options):
    made = Figure(figsize=(4, 3), dpi=50, **options)
    axes = made.add_subplot()
    axes.plot([1, 2], [3, 4])
    axes.set_ylabel("a label beside the axis")
    inline.FigureCanvas(made)
    return made


def printed(made, **options):
    file = io.BytesIO()
    made.canvas.print_figure(file, format="png", bbox_inches="tight", dpi=100, **options)
    return Image.open(io.BytesIO(file.getvalue()))


@pytest.fixture
def drawings(monkeypatch):
    """How often a figure has been drawn."""
    counted = []
    draw = Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda made, renderer: (counted.append(made), draw(made, renderer))[1])
    return counted


def test_a_figure_with_a_layout_is_drawn_once_at_its_own_size(drawings):
    made = figure(layout="constrained")
    picture = printed(made)
    assert picture.size == (400, 300) and picture.mode == "RGB"
    assert round(picture.info["dpi"][0]) == 100
    assert len(drawings) == 1 and made.dpi == 50


def test_a_figure_of_csat_is_drawn_once_without_a_layout_too(drawings):
    made = figure()
    attach(made, Chart("picture", "title", "alt"))
    assert printed(made).size == (400, 300)
    assert len(drawings) == 1


def test_other_figures_are_cropped_as_notebooks_crop_them(drawings):
    assert printed(figure()).size != (400, 300)
    assert len(drawings) > 1


def test_nothing_is_drawn_before_the_picture(drawings):
    figure(layout="constrained").canvas.draw_idle()
    assert drawings == []


def test_the_picture_is_the_one_that_matplotlib_makes():
    ours, theirs = figure(layout="constrained"), figure(layout="constrained")
    file = io.BytesIO()
    theirs.savefig(file, dpi=100)
    expected = np.asarray(Image.open(io.BytesIO(file.getvalue())).convert("RGB"), int)
    assert np.abs(np.asarray(printed(ours), int) - expected).max() <= 2
