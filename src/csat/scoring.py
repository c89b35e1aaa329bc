"""From answers to 0–100: the scored items of an index tree as variables that a source can sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from csat.errors import OptionError, QuestionnaireError
from csat.moments import Recode, Source, Variable, as_names, source_of
from csat.questionnaire import Questionnaire


@dataclass(frozen=True, slots=True)
class ScoredItems:
    """The leaves of a tree: score = offset + slope · (mean of the variable).

    variables : (k,) the item itself where its scale is on a line with 0–100, else the item recoded to scores.
    slope, offset : (k,).
    """

    variables: tuple[Variable, ...]
    slope: np.ndarray
    offset: np.ndarray


def questionnaire_of(source: Source, questionnaire: Questionnaire | None) -> Questionnaire | None:
    """The questionnaire to use: the one given, else the source's own."""
    own = source_of(source).questionnaire
    return own if questionnaire is None else check_questionnaire(questionnaire)


def check_questionnaire(questionnaire: Any) -> Questionnaire:
    """Refuse what is no questionnaire, such as its path."""
    if not isinstance(questionnaire, Questionnaire):
        raise OptionError(
            f"questionnaire must be a Questionnaire, not {type(questionnaire).__name__}: "
            "use csat.read_questionnaire(path)."
        )
    return questionnaire


def tree_of(source: Source, questionnaire: Questionnaire | None) -> Questionnaire:
    """The questionnaire to use; it must have an index tree."""
    asked = questionnaire_of(source, questionnaire)
    if asked is None:
        raise QuestionnaireError(
            "The index tree is not known: this source has no questionnaire. Read the survey with one "
            "(csat.read_survey(data, questionnaire)) or pass questionnaire=…."
        )
    if asked.root is None:
        raise QuestionnaireError(
            f"The study {asked.name!r} has no index tree: add a table [dimensions.CODE] with children for each node, "
            'and index = "CODE" of the top one under [study].'
        )
    return asked


def nodes_of(asked: Questionnaire, nodes: str | Sequence[str] | None) -> tuple[str, ...]:
    """The nodes asked for, each once; None: the whole tree."""
    wanted = asked.nodes if nodes is None else as_names(nodes, "nodes")
    if not wanted or len(set(wanted)) < len(wanted):
        raise OptionError("nodes names one or more different nodes of the index tree; leave it out for all of them.")
    return wanted


def score_items(asked: Questionnaire, codes: Sequence[str] | None = None) -> ScoredItems:
    """Variables and conversion of the leaves of the tree, or of the `codes` given."""
    leaves = asked.leaves if codes is None else codes
    lines = [asked.scale_of(code).affine for code in leaves]
    variables = tuple(code if line else _recoded(asked, code) for code, line in zip(leaves, lines, strict=True))
    return ScoredItems(
        variables,
        slope=np.array([line[1] if line else 1.0 for line in lines]),
        offset=np.array([line[0] if line else 0.0 for line in lines]),
    )


def _recoded(asked: Questionnaire, code: str) -> Recode:
    scale = asked.scale_of(code)
    return Recode(code, code, dict(zip(scale.levels, scale.score(np.array(scale.levels)).tolist(), strict=True)))


def node_keys(asked: Questionnaire, nodes: Sequence[str], times: int) -> Mapping[str, tuple[Any, ...]]:
    """Key columns ``kind`` and ``depth`` of the nodes, repeated for each group."""
    return {
        "kind": tuple(asked.kind(node) for node in nodes) * times,
        "depth": tuple(asked.depth(node) for node in nodes) * times,
    }
