"""How the figures of a report were made: a sentence per method that it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from csat.errors import QuestionnaireError
from csat.report.document import LINES_MIME
from csat.report.html import lines_of
from csat.report.names import Names
from csat.report.settings import Plan
from csat.report.words import Word, words


@dataclass(frozen=True, slots=True, repr=False)
class Method:
    """How the figures of a report were made, a sentence per method that it uses."""

    lang: str
    sentences: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(f"- {sentence}" for sentence in self.sentences)

    def _repr_html_(self) -> str:
        return lines_of("method", self.sentences, "", self.lang)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        said = {"form": "method", "title": "", "lines": list(self.sentences)}
        return {"text/html": self._repr_html_(), "text/plain": repr(self), LINES_MIME: said}


def method(about: Plan, lang: str = "en", made: Mapping[str, Any] | None = None) -> Method:
    """Describe the methods of a report, from the settings of its study.

    Parameters
    ----------
    about : the plan of the report.
    lang : "en" or "zh".
    made : name → result, such as ``globals()`` of the report's notebook: the methods of a result that is not among them
        are left out. The names are those of that notebook: peers, importance, ipa, regression, stepwise, structure,
        composites, split. None: all that the study asks for.

    Raises
    ------
    QuestionnaireError
        If the plan has no study.
    """
    return Method(lang, tuple(map(words(lang).say, methods_of(about, lang, made))))


def methods_of(about: Plan, lang: str, made: Mapping[str, Any] | None = None) -> list[Word]:
    """Methods that a report uses, in the order of its sections; `made` as in `method`."""
    asked = about.own.questionnaire
    if asked is None:
        raise QuestionnaireError("The methods of a report follow from its study.")
    names = Names(lang, asked)
    structural = asked.settings.get("structural", "sem") if asked.model else None
    indexed = asked.root is not None
    pls = Word("method.pls", {"replicates": DRAWS})
    return [
        *(_scoring(about, names) if indexed else []),
        *(_standing(names, made) if about.ranked and indexed else []),
        *([Word("method.gap")] if about.against else []),
        *(_drivers(made) if asked.outcome and asked.processes else []),
        *([Word("method.dispersion")] if indexed else []),
        *([Word("method.apart")] if about.groupings and indexed else []),
        *([Word("method.structural")] if structural in ("sem", "both") and _has(made, "structure") else []),
        *([pls] if structural in ("pls", "both") and _has(made, "composites") else []),
        *([_fuzzy(names)] if indexed else []),
        *([Word("method.trend")] if about.period_column else []),
        *([Word("method.mix")] if len(about.last_two) > 1 and about.mix and _has(made, "split") else []),
        _design(about, names),
        Word("method.bases", {"suppress": names.bases.suppress, "most": names.bases.flag - 1}),
    ]


#: Bootstrap replicates on which the report's notebook redoes the selection.
REPLICATES = 500
#: Bootstrap replicates of a path model of composites, as many as `csat.pls` draws by itself.
DRAWS = 1000


def _has(made: Mapping[str, Any] | None, name: str) -> bool:
    """Whether a result was made; where nothing is known of that, it is taken to have been."""
    return made is None or made.get(name) is not None


def _standing(names: Names, made: Mapping[str, Any] | None) -> list[Word]:
    """Ranks and their intervals, and shrunken figures where the table shows them."""
    from csat.report.tables.standing import is_shrunken, ranked_groups

    shown = [Word("method.standing")] if _has(made, "peers") else []
    shrunken = made is None or (bool(shown) and is_shrunken(ranked_groups(made["peers"], names)))
    return [*([Word("method.shrunken")] if shrunken else []), *shown]


def _drivers(made: Mapping[str, Any] | None) -> list[Word]:
    """What was found out about drivers: of each method only if it gave a result."""
    found = [name for name in ("importance", "ipa", "regression", "stepwise") if _has(made, name)]
    stability = None if made is None or "stepwise" not in found else made["stepwise"].stability
    if "stepwise" in found and (made is None or stability is not None):
        found.append("stability")
    replicates = REPLICATES if stability is None else stability.replicates
    return [Word(f"method.{name}", {"replicates": replicates} if name == "stability" else {}) for name in found]


def _scoring(about: Plan, names: Names) -> list[Word]:
    asked = about.own.questionnaire
    scales = {} if asked is None else {asked.scale_of(leaf).name: asked.scale_of(leaf) for leaf in asked.leaves}
    graded = [scale for scale in scales.values() if scale.conversion == "grade"]
    linear = len(graded) < len(scales)
    said = [
        Word(
            "method.score_grade",
            {"scales": scale.name, "scores": names.listed([f"{x:g}" for x in scale.score(_levels(scale))[::-1]])},
        )
        for scale in graded
    ]
    item = Word("method.item" if about.own.design.weight else "method.item_plain")
    return [*([Word("method.score")] if linear else []), *said, item, Word("method.index")]


def _levels(scale: Any) -> Any:
    import numpy as np

    return np.array(scale.levels, float)


def _fuzzy(names: Names) -> Word:
    asked = names.questionnaire
    settings: Mapping[str, str] = {} if asked is None else asked.fuzzy
    scores = [] if asked is None else [f"{grade.score:g}" for grade in asked.grades]
    return Word(
        "method.fuzzy",
        {
            "operator": Word(f"operator.{settings.get('operator', 'weighted-average')}"),
            "membership": Word(f"membership.{settings.get('membership', 'share')}"),
            "scores": names.listed(scores),
        },
    )


def _design(about: Plan, names: Names) -> Word:
    design = about.own.design
    if design.replicates or design.replication is not None:
        return Word("method.replicates")
    parts = [part for part in ("weight", "stratum", "psu", "fpc") if getattr(design, part) is not None]
    said = names.listed([words(names.lang).say(Word(f"design.{part}")) for part in parts])
    return Word("method.design", {"design": said}) if parts else Word("method.design_none")
