"""Charts of results: `plot` finds the drawing by the class of the result and by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import csat.report.plots.driver as driver
import csat.report.plots.estimate as estimate
import csat.report.plots.evaluation as evaluation
import csat.report.plots.gap as gap
import csat.report.plots.index as index
import csat.report.plots.paths as paths
import csat.report.plots.style as style
from csat.report.names import Names
from csat.report.tables import choose
from csat.report.words import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.questionnaire import Questionnaire

Drawing = Callable[[Any, Names, "Axes | None"], "Axes"]

#: Class of the result → kind of chart → drawing. The first kind is the usual one.
PLOTS: Mapping[str, Mapping[str, Drawing]] = {
    "Index": {"index": index.index, "nodes": index.nodes, "groups": index.groups, "items": index.items},
    "Regression": {"coefficients": driver.regression},
    "Stepwise": {"steps": driver.steps},
    "Importance": {"importance": driver.importance},
    "Sem": {"paths": paths.paths, "loadings": paths.loadings},
    "Evaluation": {"evaluation": evaluation.evaluation, "items": evaluation.items},
    "Gaps": {"dumbbell": gap.dumbbell, "bars": gap.bars},
    "Estimates": {"estimates": estimate.estimates},
}


def plot(
    result: Any,
    kind: str | None = None,
    lang: str = "en",
    ax: Axes | None = None,
    names: Questionnaire | None = None,
) -> Axes:
    """Draw a result.

    Parameters
    ----------
    result : an `Index`, `Regression`, `Stepwise`, `Importance`, `Sem`, `Evaluation`, `Gaps` or `Estimates`.
    kind : which chart, where a result has several: ``"nodes"``, ``"groups"`` or ``"items"`` of an index; ``"paths"``
        or ``"loadings"`` of a structural model; ``"evaluation"`` or ``"items"`` of an evaluation; ``"dumbbell"``
        or ``"bars"`` of gaps. None: the usual one.
    lang : "en" or "zh". Chinese needs no installed font.
    ax : axes to draw on. None: a new figure, sized to the rows.
    names : the questionnaire whose texts stand for the codes. None shows the codes.

    Returns
    -------
    matplotlib.axes.Axes
        Figures on fewer than 30 respondents are left out and counted below the chart, those on 30 to 99 drawn open.

    Raises
    ------
    OptionError
        If the language or the kind is not known, or nothing is registered for the result's class.
    """
    words(lang)
    draw: Drawing = choose(result, kind, PLOTS, "chart")
    if ax is None:
        style.wake_backend()
    with style.style():
        return style.finish(draw(result, Names(lang, names), ax))


__all__ = ["PLOTS", "plot"]
