"""Tables for people: one builder per result type, found by the name of the result's class.

Names instead of classes, so that describing a table loads no statistics, and so that a result of
another package can be shown by adding a line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import csat.report.tables.agreement as agreement
import csat.report.tables.asked as asked
import csat.report.tables.comparing as comparing
import csat.report.tables.composites as composites
import csat.report.tables.diagnosis as diagnosis
import csat.report.tables.effects as effects
import csat.report.tables.evaluation as evaluation
import csat.report.tables.evaluation_doubt as evaluation_doubt
import csat.report.tables.evaluation_weights as evaluation_weights
import csat.report.tables.exploratory as exploratory
import csat.report.tables.factors as factors
import csat.report.tables.importance as importance
import csat.report.tables.ipma as ipma
import csat.report.tables.manifest as record
import csat.report.tables.pls_groups as pls_groups
import csat.report.tables.pls_prediction as pls_prediction
import csat.report.tables.priority as priority
import csat.report.tables.regression as regression
import csat.report.tables.reliability as reliability
import csat.report.tables.selection as selection
import csat.report.tables.service as service
import csat.report.tables.structural as structural
from csat.errors import OptionError
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.across import across
from csat.report.tables.estimate import estimates
from csat.report.tables.gap import gaps
from csat.report.tables.groups import check, crosstab, difference, league, letters, sample_size, test, weights
from csat.report.tables.index import groups, items, nodes
from csat.report.tables.ledger import columns, ledger, missing_texts, other_columns, quality, weight_report
from csat.report.tables.standing import standing
from csat.report.tables.trend import changes, split, trend
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire

Builder = Callable[[Any, Names], Table]

#: Class of the result → kind of table → builder. The first kind is the usual one.
#: Tables about columns and texts of a study, which have no base of respondents.
BASELESS = frozenset({"missing_texts"})

TABLES: Mapping[str, Mapping[str, Builder]] = {
    "Index": {"nodes": nodes, "groups": groups, "items": items, "standing": standing, "across": across},
    "Regression": {
        "coefficients": regression.coefficients,
        "terms": regression.terms,
        "overlap": regression.overlap,
        "odds": regression.odds,
        "effects": regression.effects,
        "differences": regression.differences,
        "fit": regression.fit,
    },
    "Stepwise": {
        "steps": selection.steps,
        "final": selection.final,
        "excluded": selection.excluded,
        "stability": selection.stability,
        "models": selection.models,
    },
    "Stability": {"stability": selection.stability, "models": selection.models},
    "Subsets": {"subsets": selection.subsets},
    "Importance": {"importance": importance.importance, "differences": importance.differences},
    "Differences": {"differences": importance.differences},
    "Ipa": {"ipa": priority.ipa, "quadrants": priority.quadrants, "priorities": priority.priorities},
    "Asymmetry": {"asymmetry": priority.asymmetry, "differences": priority.asymmetry_differences},
    "Diagnosis": {"tests": diagnosis.tests, "flagged": diagnosis.flagged, "limits": diagnosis.limits},
    "Sem": {
        "parameters": structural.parameters,
        "paths": structural.paths,
        "loadings": structural.loadings,
        "thresholds": structural.thresholds,
        "effects": effects.effects_of_model,
        "fit": structural.fit,
    },
    "Effects": {"effects": effects.effects},
    "Agreement": {"agreement": agreement.agreement},
    "Comparison": {"comparison": comparing.comparison},
    "Invariance": {
        "steps": comparing.invariance,
        "means": comparing.latent_means,
        "equalities": comparing.equalities,
    },
    "LatentMeans": {"means": comparing.latent_means},
    "EqualityTests": {"equalities": comparing.equalities},
    "Modifications": {"modifications": comparing.modifications},
    "Efa": {
        "loadings": exploratory.loadings,
        "errors": exploratory.errors,
        "variance": exploratory.variance,
        "number": exploratory.number,
    },
    "FactorNumber": {"number": exploratory.number},
    "FactorScores": {"scores": factors.scores},
    "Polychoric": {"correlations": factors.correlations, "matrix": factors.matrix, "thresholds": factors.thresholds},
    "Reliability": {
        "scales": reliability.constructs,
        "items": reliability.items,
        "discriminant": reliability.discriminant,
        "pairs": reliability.pairs,
    },
    "Pls": {
        "paths": composites.paths,
        "constructs": composites.constructs,
        "items": composites.items,
        "cross": composites.cross,
        "effects": composites.effects,
    },
    "Ipma": {"ipma": ipma.ipma},
    "Prediction": {"prediction": pls_prediction.errors, "cvpat": pls_prediction.cvpat},
    "Slopes": {"slopes": pls_prediction.slopes},
    "PlsDifferences": {"differences": pls_groups.differences},
    "Micom": {"micom": pls_groups.micom},
    "Segments": {"criteria": pls_groups.criteria, "paths": pls_groups.paths},
    "Evaluation": {
        "evaluation": evaluation.evaluation,
        "summary": evaluation.summary,
        "verdicts": evaluation.verdicts,
        "memberships": evaluation.memberships,
        "operators": evaluation_doubt.operators,
        "sensitivity": evaluation_doubt.sensitivity,
        "differences": evaluation_doubt.differences,
    },
    "GroupDifferences": {"differences": evaluation_doubt.apart},
    "FactorWeights": {"weights": evaluation_weights.weights},
    "Ahp": {
        "weights": evaluation_weights.of_judges,
        "judges": evaluation_weights.judges,
        "judgements": evaluation_weights.judgements,
        "consistency": evaluation_weights.consistency,
    },
    "WeightComparison": {
        "comparison": evaluation_weights.comparison,
        "factors": evaluation_weights.factors,
        "pairs": evaluation_weights.pairs,
    },
    "Gaps": {"gaps": gaps},
    "Audits": {"audits": service.audits},
    "Complaints": {"complaints": service.complaints},
    "ComplaintChanges": {"changes": service.changes},
    "BeforeAfter": {"before_after": service.before_after},
    "Sla": {"sla": service.sla},
    "Estimates": {"estimates": estimates},
    "Trend": {"trend": trend, "changes": changes},
    "ChangeSplit": {"split": split},
    "Letters": {"letters": letters},
    "Shrunken": {"league": league},
    "Crosstab": {"crosstab": crosstab},
    "Difference": {"difference": difference},
    "Test": {"test": test},
    "SampleSize": {"sample_size": sample_size},
    "Weights": {"weights": weights},
    "TableCheck": {"check": check},
    "Ledger": {"ledger": ledger, "columns": columns, "other": other_columns},
    "Quality": {"quality": quality},
    "WeightReport": {"weights": weight_report},
    "Manifest": {"manifest": record.manifest},
    "Revision": {"changes": record.changes, "figures": record.figures},
    "Questionnaire": {"questionnaire": asked.questionnaire},
    "Model": {"model": asked.model},
    "DataFrame": {"missing_texts": missing_texts},
}


def choose(result: object, kind: str | None, known: Mapping[str, Mapping[str, Any]], what: str) -> Any:
    """Find what a result's class and `kind` stand for.

    Raises
    ------
    OptionError
        If the class has nothing registered, or not this kind.
    """
    for cls in type(result).__mro__:
        kinds = known.get(cls.__name__)
        if kinds is None:
            continue
        if kind is not None and kind not in kinds:
            raise OptionError.choose("kind", kind, kinds)
        return kinds[kind] if kind is not None else next(iter(kinds.values()))
    raise OptionError(
        f"There is no {what} for {type(result).__name__}; there is one for {', '.join(known)}. Use its tidy() instead."
    )


def table(
    result: Any,
    lang: str = "en",
    names: Questionnaire | None = None,
    *,
    kind: str | None = None,
    base: Word | str | None = None,
    codes: bool = False,
) -> Table:
    """Describe a result as a table for people; Jupyter shows it, `csat.write_report` puts it into Excel.

    Parameters
    ----------
    result : any result of csat (`TABLES` names their classes).
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes. None shows the codes.
    kind : which table, where a result has several. None: the first of these. Of an index ``"nodes"``, ``"groups"``,
        ``"items"``, ``"standing"`` (groups by rank), ``"across"`` (few groups side by side);
        of a regression ``"coefficients"``, ``"terms"`` (joint tests), ``"overlap"``, ``"odds"`` and
        ``"effects"`` (of a logit), ``"differences"`` (between groups), ``"fit"``; of a stepwise regression ``"steps"``,
        ``"final"``, ``"excluded"``, ``"stability"``, ``"models"``; of importance ``"importance"``, ``"differences"``;
        of a map ``"ipa"``, ``"quadrants"``, ``"priorities"``; of rewards and penalties ``"asymmetry"``,
        ``"differences"``; of a diagnosis ``"tests"``, ``"flagged"``, ``"limits"``; of a structural model
        ``"parameters"``, ``"paths"``, ``"loadings"``, ``"thresholds"``, ``"effects"`` (direct, indirect, total),
        ``"fit"``; of invariance ``"steps"``, ``"means"`` (of constructs), ``"equalities"``; of a factor
        analysis ``"loadings"``, ``"errors"``, ``"variance"``, ``"number"`` (of factors); of polychoric correlations
        ``"correlations"``, ``"matrix"``, ``"thresholds"``; of reliability ``"scales"``, ``"items"``, ``"discriminant"``
        (a square), ``"pairs"``; of a path model ``"paths"``, ``"constructs"``, ``"items"``, ``"cross"`` (items with all
        composites), ``"effects"`` (total and indirect); of predictions ``"prediction"`` (errors by item), ``"cvpat"``
        (tests); of segments ``"criteria"``, ``"paths"``; of an evaluation ``"evaluation"``, ``"summary"`` (without
        items), ``"verdicts"`` (every reading), ``"memberships"`` (with intervals), ``"operators"``, ``"sensitivity"``
        (to weights), ``"differences"`` (of groups from all); of judgements ``"weights"``, ``"judges"``,
        ``"judgements"``, ``"consistency"``; of weights compared ``"comparison"``, ``"factors"``, ``"pairs"``; of a
        trend ``"trend"``, ``"changes"`` (of the last period); of a ledger ``"ledger"``, ``"columns"``,
        ``"other"`` (columns that are no scaled questions).
    base : whom the result is about, e.g. ``plan.base("own", lang)``; stands first among the notes.
    codes : show codes although `names` is given, which then only rules small bases and what is a question.

    Returns
    -------
    Table
        Figures as computed. A figure that rests on fewer than 30 respondents is not shown; one that rests on 30
        to 99 carries a mark; both are explained below the table. A study may set other limits.

    Raises
    ------
    OptionError
        If the language or the kind is not known, or nothing is registered for the result's class.
    """
    words(lang)
    build: Builder = choose(result, kind, TABLES, "table")
    made = build(result, Names(lang, names, spoken=not codes))
    if base is None or made.name in BASELESS:
        return made
    return replace(made, notes=(Word("note.base", {"base": base}), *made.notes))


__all__ = ["TABLES", "choose", "table"]
