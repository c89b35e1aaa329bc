"""`Questionnaire`: what was asked, what belongs to what, and how much it weighs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from csat.design import Design
from csat.errors import QuestionnaireError, UnknownItemError, closest
from csat.questionnaire.parts import GRADES, Column, Dimension, Grade, Item, Process, check_codes, check_grades
from csat.questionnaire.scales import Scale, Texts, number_in, text_of
from csat.questionnaire.tree import check_tree, leaf_weights, parents, walk


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """What was asked.

    Parameters
    ----------
    name : of the study.
    texts : language → title.
    scales : the answer scales.
    items : every scaled question that is no process, in the tree or not.
    dimensions : nodes of the index tree above the items.
    processes : business processes: candidate drivers; they may also stand in the tree.
    columns : other columns of the data that the study describes.
    root : code of the index, the top of the tree; None if the study has no tree.
    grades : verdicts, best first.
    outcome : the dependent variable of driver analysis.
    model : structural model in lavaan-style syntax.
    design : columns that describe the sample.
    fuzzy : settings of the fuzzy evaluation: membership, operator.
    settings : report settings: own, by, against, peer_column, period_column, period.

    Raises
    ------
    QuestionnaireError
        If the parts contradict each other, naming table and key.
    """

    name: str
    texts: Texts = field(default_factory=dict)
    scales: tuple[Scale, ...] = ()
    items: tuple[Item, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    processes: tuple[Process, ...] = ()
    columns: tuple[Column, ...] = ()
    root: str | None = None
    grades: tuple[Grade, ...] = GRADES
    outcome: str | None = None
    model: str | None = None
    design: Design = field(default_factory=Design)
    fuzzy: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_codes(
            {
                "items": tuple(item.code for item in self.items),
                "processes": tuple(process.code for process in self.processes),
                "dimensions": tuple(dimension.code for dimension in self.dimensions),
                "columns": tuple(column.code for column in self.columns),
            }
        )
        check_codes({"scales": tuple(scale.name for scale in self.scales)})
        check_codes({"grades": tuple(grade.code for grade in self.grades)})
        check_grades(self.grades)
        check_tree(self._tree, self.root, self.codes)
        _check_roles(self)

    @property
    def scaled(self) -> tuple[Item, ...]:
        """Every question answered on a scale: items, then processes."""
        return self.items + self.processes

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of `scaled`."""
        return tuple(item.code for item in self.scaled)

    def item(self, code: str) -> Item:
        """Item or process with this code.

        Raises
        ------
        UnknownItemError
            With the nearest codes.
        """
        for item in self.scaled:
            if item.code == code:
                return item
        raise UnknownItemError.among(code, self.codes)

    def scale_of(self, code: str) -> Scale:
        """Scale of an item or process; `UnknownItemError` if there is none."""
        return self.item(code).scale

    def column(self, code: str) -> Column | None:
        """Describe a column that is no scaled question, if the study has one."""
        return next((column for column in self.columns if column.code == code), None)

    def column_of_kind(self, kind: str) -> str | None:
        """Code of the column that plays a role ("id", "seconds"), if declared."""
        return next((column.code for column in self.columns if column.kind == kind), None)

    def dimension(self, code: str) -> Dimension:
        """Dimension with this code; `UnknownItemError` if there is none."""
        if code not in self._tree:
            raise UnknownItemError.among(code, tuple(self._tree), "dimension")
        return self._tree[code]

    @property
    def nodes(self) -> tuple[str, ...]:
        """Codes of the index tree, each parent before its children (pre-order), root first."""
        return () if self.root is None else tuple(walk(self._tree, self.root))

    @property
    def leaves(self) -> tuple[str, ...]:
        """Item and process codes of the tree, in tree order."""
        return tuple(code for code in self.nodes if code not in self._tree)

    def tree_matrix(self, nodes: Sequence[str] | None = None) -> np.ndarray:
        """Weight of each leaf in each node.

        Parameters
        ----------
        nodes : codes of the tree; None = all `nodes`.

        Returns
        -------
        numpy.ndarray
            (len(nodes), len(leaves)); rows sum to 1, the row of a leaf is a unit vector.

        Raises
        ------
        UnknownItemError
            For a code that is not in the tree.
        QuestionnaireError
            If weights are still to be estimated.
        """
        wanted = self.nodes if nodes is None else tuple(nodes)
        place = {leaf: i for i, leaf in enumerate(self.leaves)}
        matrix = np.zeros((len(wanted), len(place)))
        for row, node in enumerate(wanted):
            for leaf, weight in leaf_weights(self._tree, self._node(node)).items():
                matrix[row, place[leaf]] = weight
        return matrix

    def parent(self, node: str) -> str | None:
        """Code above a node of the tree; None for the root. `UnknownItemError` outside the tree."""
        return parents(self._tree).get(self._node(node))

    def depth(self, node: str) -> int:
        """Count the steps from the root, which has 0. `UnknownItemError` outside the tree."""
        parent = self.parent(node)
        return 0 if parent is None else 1 + self.depth(parent)

    def kind(self, node: str) -> str:
        """Kind of a node: "index", "dimension" or "item". `UnknownItemError` outside the tree."""
        if self._node(node) == self.root:
            return "index"
        return "dimension" if node in self._tree else "item"

    def text(self, code: str, lang: str) -> str:
        """Text of an item, process, dimension, column or grade in `lang`, else in another language, else the code."""
        parts: tuple[Grade | Column | Dimension | Item, ...] = (
            *self.grades,
            *self.columns,
            *self.dimensions,
            *self.scaled,
        )
        texts = {part.code: part.texts for part in parts}
        return text_of(texts.get(code, {}), lang, code)

    def value_text(self, column: str, value: object, lang: str) -> str:
        """Text of a category, an answer level or a missing code in `lang`; the value itself if it has none."""
        described = self.column(column)
        if described is not None:
            return text_of(described.labels.get(str(value), {}), lang, str(value))
        number = number_in(str(value))
        if column in self.codes and number is not None:
            return text_of(self.scale_of(column).labels.get(number, {}), lang, f"{number:g}")
        return str(value)

    def with_weights(self, weights: Mapping[str, Mapping[str, float]]) -> Questionnaire:
        """Copy with other weights in the tree.

        Parameters
        ----------
        weights : dimension → child → weight. Each dimension's weights name all its children and sum to 1.

        Raises
        ------
        UnknownItemError
            For a code that is no dimension.
        QuestionnaireError
            If children differ or weights do not sum to 1.
        """
        for code in weights:
            self.dimension(code)
        changed = tuple(
            _weighted(node, weights[node.code]) if node.code in weights else node for node in self.dimensions
        )
        return replace(self, dimensions=changed)

    @property
    def _tree(self) -> dict[str, Dimension]:
        return {dimension.code: dimension for dimension in self.dimensions}

    def _node(self, code: str) -> str:
        if code not in self.nodes:
            raise UnknownItemError.among(code, self.nodes, "node of the index tree")
        return code

    def __repr__(self) -> str:
        return (
            f"Questionnaire({self.name!r}: {len(self.items)} items, {len(self.processes)} processes, "
            f"{len(self.dimensions)} dimensions, {len(self.columns)} columns, index {self.root!r})"
        )


def _weighted(node: Dimension, weights: Mapping[str, float]) -> Dimension:
    different = sorted(set(weights) ^ set(node.children))
    if different:
        raise QuestionnaireError.at(
            f"dimensions.{node.code}",
            "weights",
            f"weights and children must match; they differ at {different[0]!r}. Children: {', '.join(node.children)}.",
        )
    return replace(node, weights=tuple(float(weights[child]) for child in node.children), estimated=False)


def _check_roles(asked: Questionnaire) -> None:
    if asked.outcome is not None and asked.outcome not in asked.codes:
        raise QuestionnaireError.at(
            "study",
            "outcome",
            f"{asked.outcome!r} is neither an item nor a process. Did you mean {closest(asked.outcome, asked.codes)}?",
        )
    for kind in ("id", "seconds"):
        same = [column.code for column in asked.columns if column.kind == kind]
        if len(same) > 1:
            raise QuestionnaireError.at(
                f"columns.{same[1]}", "kind", f"only one column can be {kind!r}; {same[0]!r} is one already."
            )
    for column in asked.design.columns:
        if column in asked.codes:
            raise QuestionnaireError.at(
                "design", None, f"{column!r} is a scaled question; it cannot describe the sample."
            )
