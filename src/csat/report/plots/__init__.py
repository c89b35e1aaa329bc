"""Charts of results: `plot` finds the drawing by the class of the result and by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any

import csat.report.plots.answers as answers
import csat.report.plots.asymmetry as asymmetry
import csat.report.plots.composites as composites
import csat.report.plots.diagnosis as diagnosis
import csat.report.plots.estimate as estimate
import csat.report.plots.evaluation as evaluation
import csat.report.plots.evaluation_ladder as evaluation_ladder
import csat.report.plots.evaluation_operators as evaluation_operators
import csat.report.plots.evaluation_tree as evaluation_tree
import csat.report.plots.evaluation_weights as evaluation_weights
import csat.report.plots.exploratory as exploratory
import csat.report.plots.gap as gap
import csat.report.plots.groups as groups
import csat.report.plots.importance as importance
import csat.report.plots.index as index
import csat.report.plots.ipma as ipma
import csat.report.plots.paths as paths
import csat.report.plots.pls_groups as pls_groups
import csat.report.plots.pls_prediction as pls_prediction
import csat.report.plots.priority as priority
import csat.report.plots.regression as regression
import csat.report.plots.reliability as reliability
import csat.report.plots.selection as selection
import csat.report.plots.service as service
import csat.report.plots.structural as structural
import csat.report.plots.style as style
import csat.report.plots.telling as telling
import csat.report.plots.trend as trend
from csat.errors import OptionError
from csat.report.chart import attach
from csat.report.names import Names
from csat.report.tables import choose
from csat.report.tables.cells import level_of
from csat.report.tables.pls_groups import KINDS
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.questionnaire import Questionnaire

#: A drawing takes a result, names and axes; its keywords are options of `plot`.
Drawing = Callable[..., "Axes"]

#: Class of the result → kind of chart → drawing. The first kind is the usual one.
PLOTS: Mapping[str, Mapping[str, Drawing]] = {
    "Index": {"index": index.index, "nodes": index.nodes, "groups": index.groups, "items": index.items},
    "Levels": {"likert": answers.likert},
    "Regression": {
        "coefficients": regression.coefficients,
        "odds": regression.odds,
        "effects": regression.effects,
    },
    "Stepwise": {"steps": selection.steps, "stability": selection.stability},
    "Stability": {"stability": selection.stability},
    "Subsets": {"subsets": selection.subsets},
    "Importance": {"importance": importance.importance},
    "Ipa": {"ipa": priority.ipa},
    "Asymmetry": {"asymmetry": asymmetry.asymmetry},
    "Diagnosis": {
        "diagnosis": diagnosis.diagnosis,
        "residuals": diagnosis.residuals,
        "qq": diagnosis.normal,
        "scale": diagnosis.spread,
        "leverage": diagnosis.influence,
        "partial": diagnosis.partial,
    },
    "Sem": {"path": paths.path, "loadings": structural.loadings, "residuals": structural.residuals},
    "Invariance": {"means": structural.latent_means},
    "LatentMeans": {"means": structural.latent_means},
    "Efa": {"loadings": exploratory.loadings, "scree": exploratory.scree},
    "FactorNumber": {"scree": exploratory.scree},
    "Polychoric": {"correlations": structural.correlations},
    "Reliability": {"scales": reliability.scales, "htmt": reliability.ratios},
    "Pls": {"path": composites.path, "paths": composites.paths, "loadings": composites.loadings},
    "Ipma": {"ipma": ipma.constructs, "items": ipma.items},
    "Prediction": {"prediction": pls_prediction.errors, "cvpat": pls_prediction.cvpat},
    "Slopes": {"slopes": pls_prediction.slopes},
    "PlsDifferences": {
        "differences": pls_groups.differences,
        **{kind: partial(pls_groups.differences, of=kind) for kind in KINDS},
    },
    "Segments": {"criteria": pls_groups.criteria, "paths": pls_groups.paths},
    "Evaluation": {
        "evaluation": evaluation.evaluation,
        "items": evaluation.items,
        "verdict": evaluation_ladder.verdict,
        "hierarchy": evaluation_tree.hierarchy,
        "operators": evaluation_operators.operators,
    },
    "FactorWeights": {"weights": evaluation_weights.weights},
    "Ahp": {"weights": evaluation_weights.of_judges},
    "WeightComparison": {"weights": evaluation_weights.compared, "verdict": evaluation_ladder.compared},
    "Gaps": {"bars": gap.bars, "dumbbell": gap.dumbbell},
    "Trend": {"trend": trend.lines, "changes": trend.changes},
    "ChangeSplit": {"split": trend.split},
    "Letters": {"letters": groups.letters},
    "Shrunken": {"league": groups.league},
    "Crosstab": {"crosstab": groups.crosstab},
    "Difference": {"difference": groups.difference},
    "Audits": {"losses": service.losses, "rates": service.rates},
    "Complaints": {"causes": service.complaints, "rates": service.complaint_rates},
    "ComplaintChanges": {"changes": service.changes},
    "BeforeAfter": {"before_after": service.before_after},
    "Sla": {"overruns": service.overruns, "durations": service.durations},
    "Estimates": {"estimates": estimate.estimates},
}


def plot(
    result: Any,
    kind: str | None = None,
    lang: str = "en",
    ax: Axes | None = None,
    names: Questionnaire | None = None,
    base: Word | str | None = None,
    term: str | None = None,
    group: str | None = None,
    measurement: bool | None = None,
    layout: str | None = None,
) -> Axes:
    """Draw a result.

    Parameters
    ----------
    result : any result of csat with a chart (`PLOTS` names their classes).
    kind : which chart, where a result has several: ``"nodes"``, ``"groups"`` or ``"items"`` of an index;
        ``"likert"`` of answers, ``survey.levels([…])``;
        ``"coefficients"``, ``"odds"`` or ``"effects"`` of a regression; ``"steps"`` or ``"stability"`` of a selection;
        ``"diagnosis"`` (four views), ``"residuals"``, ``"qq"``, ``"scale"``, ``"leverage"`` or ``"partial"`` (added
        variables) of a diagnosis; ``"path"``, ``"loadings"`` or ``"residuals"`` of a structural model;
        ``"loadings"`` or ``"scree"`` of a factor analysis; ``"scales"`` or ``"htmt"`` of reliability;
        ``"path"`` (diagram), ``"paths"`` or ``"loadings"`` of a path model, ``"ipma"`` or ``"items"`` of its map;
        ``"prediction"`` (errors) or ``"cvpat"`` of predictions; ``"weight"``, ``"loading"``, ``"path"``, ``"total"`` or
        ``"indirect"`` of differences of path models; ``"criteria"`` or ``"paths"`` of segments;
        ``"evaluation"`` (membership bars), ``"items"``, ``"verdict"`` (ladder of grades with probabilities),
        ``"hierarchy"`` (tree of verdicts) or ``"operators"`` of an evaluation; ``"weights"`` or ``"verdict"`` of
        weights compared;
        ``"bars"`` (gaps with their intervals) or ``"dumbbell"`` (both scores) of gaps; ``"trend"`` or ``"changes"`` of
        a trend; ``"losses"`` or ``"rates"`` of audits, ``"causes"`` or ``"rates"`` of complaints, ``"overruns"`` or
        ``"durations"`` of time limits. None: the usual one.
    lang : "en" or "zh". Chinese needs no installed font.
    ax : axes to draw on. None: a new figure, sized to the rows.
    names : the questionnaire whose texts stand for the codes. None shows the codes.
    base : whom the result is about, e.g. ``plan.base("own", lang)``; stands below the chart.
    term : with ``kind="partial"``, the driver to draw; None: all of them.
    group : of a structural or path model, or of ``kind="hierarchy"``, the label of the only group to draw; None: all of
        them.
    measurement : with ``kind="path"``, whether indicators are drawn; None: if there are 12 or fewer.
    layout : with ``kind="path"``, "graphviz" lets the program ``dot``, if it is installed, place the nodes.

    Returns
    -------
    matplotlib.axes.Axes
        Figures on fewer than 30 respondents are left out and counted below the chart, those on 30 to 99 drawn open.

    Raises
    ------
    OptionError
        If the language or the kind is not known, nothing is registered for the result's class, or the chart does not
        have one of the options.
    """
    words(lang)
    options = {"term": term, "group": group, "measurement": measurement, "layout": layout}
    draw = _with_options(choose(result, kind, PLOTS, "chart"), options)
    if ax is None:
        style.wake_backend()
    with style.style(), telling.listening() as told:
        drawn = draw(result, Names(lang, names), ax)
        if base is not None:
            style.below(drawn.figure.axes[-1] if ax is None else drawn, _base(base, lang))
        attach(drawn.figure, told.chart(style.title_of(drawn), level_of(result), lang))  # type: ignore[arg-type]
        style.finish(drawn)
        if ax is None:
            style.settle(drawn)
        return drawn


def _with_options(draw: Drawing, options: Mapping[str, Any]) -> Drawing:
    """The drawing with the options that were given; refuses one that it does not have."""
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in signature(draw).parameters:
            holders = [kind for kinds in PLOTS.values() for kind, other in kinds.items()
                       if name in signature(other).parameters]  # fmt: skip
            raise OptionError(f"{name}= is an option of kind={' or '.join(map(repr, dict.fromkeys(holders)))}.")
    return partial(draw, **given)


def _base(base: Word | str, lang: str) -> str:
    return words(lang).say(Word("note.base", {"base": base}))


__all__ = ["PLOTS", "plot"]
