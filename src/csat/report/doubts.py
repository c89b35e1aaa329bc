"""Doubts about a structural model, in the words of a language: what `Sem.notes` says in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from csat.report.format import number
from csat.report.names import Names
from csat.report.words import Word

if TYPE_CHECKING:
    import pandas as pd

    from csat.structural import Sem

#: Kind of warning → its sentence in the catalogues.
SENTENCES: Mapping[str, str] = {
    "NegativeVarianceWarning": "doubt.negative_variance",
    "LatentCovarianceWarning": "doubt.latent_covariance",
    "StandardizedPathWarning": "doubt.standardized_path",
    "IllConditionedWarning": "doubt.ill_conditioned",
}
#: Kinds after which a solution must not be reported.
INADMISSIBLE = frozenset({"NegativeVarianceWarning", "LatentCovarianceWarning"})


def doubts_of(result: Sem, names: Names) -> tuple[Word | str, ...]:
    """Every note of a solution, worded; one of a kind that has no words stays as it is.

    The first sentence says that the solution is not admissible, where it is not.
    """
    from csat.structural.checks import doubts

    found = [(kind.__name__, text) for kind, text in doubts(result.optimum.state, result.condition)]
    known = {text: kind for kind, text in found if kind in SENTENCES}
    about = _blanks(result, names)
    said = [Word(SENTENCES[known[note]], about) if note in known else note for note in _not_of_design(result)]
    absent = [Word(SENTENCES[kind], about) for text, kind in known.items() if text not in result.notes]
    bad = INADMISSIBLE & {kind for kind, _ in found}
    return (*([Word("doubt.inadmissible")] if bad else []), *said, *absent)


def _not_of_design(result: Sem) -> list[str]:
    """Notes but the one on the design, which a note of every table already says."""
    return [note for note in result.notes if not note.startswith("The sample has ")]


def _blanks(result: Sem, names: Names) -> dict[str, Any]:
    frame = result.tidy()
    same = frame["lhs"] == frame["rhs"]
    negative = frame[(frame["op"] == "~~") & same & (frame["estimate"] < 0)]
    large = frame[(frame["op"] == "~") & (frame["std_all"].abs() > 1)]
    return {
        "negative": names.listed([f"{names.construct(lhs)} ({_of(x)})" for lhs, x in _pairs(negative, "estimate")]),
        "constructs": names.listed([names.construct(code) for code in result.latents]),
        "paths": names.listed(
            [
                f"{names.construct(rhs)} → {names.construct(lhs)} ({_of(value)})"
                for lhs, rhs, value in zip(large["lhs"], large["rhs"], large["std_all"], strict=True)
            ]
        ),
        "condition": float(result.condition),
    }


def _pairs(frame: pd.DataFrame, name: str) -> list[tuple[str, float]]:
    return list(zip(frame["lhs"], frame[name], strict=True))


def _of(value: float) -> str:
    return number(float(value), "score")


def beyond_one(op: str, same: bool, value: float) -> bool:
    """Whether a standardised loading, path or correlation lies beyond ±1."""
    return op in ("=~", "~", "~~") and not (op == "~~" and same) and abs(value) > 1 + 1e-9
