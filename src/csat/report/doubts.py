"""Doubts about a structural model, in the words of a language: what `Sem.notes` says in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from csat.report.format import number
from csat.report.names import Names
from csat.report.remarks import remark
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.structural import Sem
    from csat.structural.guards import Doubt

#: Kind of warning → its sentence in the catalogues.
SENTENCES: Mapping[str, str] = {
    "NegativeVarianceWarning": "doubt.negative_variance",
    "LatentCovarianceWarning": "doubt.latent_covariance",
    "LatentCorrelationWarning": "doubt.latent_correlation",
    "DiscriminantValidityWarning": "doubt.discriminant",
    "NearCollinearityWarning": "doubt.near_collinear",
    "StandardizedPathWarning": "doubt.standardized_path",
    "IllConditionedWarning": "doubt.ill_conditioned",
    "EmpiricalIdentificationWarning": "doubt.hardly_identified",
    "FewCasesWarning": "doubt.few_cases",
    "SmallGroupWarning": "doubt.small_groups",
    "WeakIndicatorWarning": "doubt.weak_indicators",
}
#: What joins the two ends of what a doubt is about, effect first; other kinds speak of single names.
JOINTS: Mapping[str, str] = {
    "LatentCorrelationWarning": "{0} ↔ {1}",
    "DiscriminantValidityWarning": "{0} ↔ {1}",
    "StandardizedPathWarning": "{1} → {0}",
    "EmpiricalIdentificationWarning": "{1} → {0}",
    "WeakIndicatorWarning": "{0} → {1}",
}
#: Kinds whose list shows names without their figures.
_PLAIN = frozenset({"LatentCovarianceWarning", "NearCollinearityWarning", "EmpiricalIdentificationWarning"})
#: Kinds after which a solution must not be reported; kinds that stand below charts too.
INADMISSIBLE = frozenset({"NegativeVarianceWarning", "LatentCovarianceWarning"})
GRAVE = INADMISSIBLE | {"StandardizedPathWarning"}


def doubts_of(result: Sem, names: Names) -> tuple[Word | str, ...]:
    """Every doubt about a solution, worded, then the notes that have no words of their own.

    The first sentence says that the solution is not admissible, where it is not.
    """
    found = result.doubts
    said = {doubt.text for doubt in found}
    bad = INADMISSIBLE & {doubt.kind.__name__ for doubt in found}
    return (
        *([Word("doubt.inadmissible")] if bad else []),
        *(_worded(doubt, names) for doubt in found),
        *(remark(note) for note in _not_of_design(result) if note not in said),
    )


def gravest_of(result: Sem, names: Names) -> tuple[Word | str, ...]:
    """The doubts that a chart must tell, and how many more there are."""
    grave = [doubt for doubt in result.doubts if doubt.kind.__name__ in GRAVE]
    bad = INADMISSIBLE & {doubt.kind.__name__ for doubt in grave}
    more = len(doubts_of(result, names)) - bool(bad) - len(grave)
    return (
        *([Word("doubt.inadmissible")] if bad else []),
        *(_worded(doubt, names) for doubt in grave),
        *([Word("plot.more_doubts", {"count": more})] if more else []),
    )


def _not_of_design(result: Sem) -> list[str]:
    """Notes but the one on the design, which a note of every table already says."""
    return [note for note in result.notes if not note.startswith("The sample has ")]


def _worded(doubt: Doubt, names: Names) -> Word:
    word = Word(SENTENCES[doubt.kind.__name__], _blanks(doubt, names))
    return Word("doubt.of_group", {"group": doubt.group, "doubt": word}) if doubt.group else word


def _blanks(doubt: Doubt, names: Names) -> dict[str, Any]:
    from csat.structural.guards import rounded

    kind = doubt.kind.__name__
    figures = [figure for _, figure in doubt.about]
    if kind == "IllConditionedWarning":
        return {"condition": figures[0]}
    if kind == "FewCasesWarning":
        return {"n": figures[0], "k": figures[1], "ratio": rounded(figures[0] / figures[1])}
    shown = [
        text if kind in _PLAIN else f"{text} ({number(figure, 'score')})"
        for text, figure in zip(_texts(doubt, names), figures, strict=True)
    ]
    return {"listed": names.listed(list(dict.fromkeys(shown)))}


def _texts(doubt: Doubt, names: Names) -> list[str]:
    """What a doubt is about, in words: a name, or two with what joins them."""
    kind = doubt.kind.__name__
    if kind == "SmallGroupWarning":
        return [label for (label,), _ in doubt.about]
    return [_text(kind, tuple(map(names.construct, ends))) for ends, _ in doubt.about]


def _text(kind: str, ends: tuple[str, ...]) -> str:
    if len(set(ends)) == 1:
        return ends[0]
    return JOINTS[kind].format(*ends)


def beyond_one(op: str, same: bool, value: float) -> bool:
    """Whether a standardised loading, path or correlation lies beyond ±1."""
    return op in ("=~", "~", "~~") and not (op == "~~" and same) and impossible(value)


def impossible(value: float) -> bool:
    """Whether a standardised value lies beyond ±1 by more than rounding."""
    return abs(value) > 1 + 1e-9
