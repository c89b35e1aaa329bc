"""`Questionnaire`: what was asked, what belongs to what, and how much it weighs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from csat.bases import Bases
from csat.design import Design
from csat.errors import QuestionnaireError, UnknownItemError, closest
from csat.notebooks import InNotebooks
from csat.questionnaire.parts import (
    GRADES,
    Column,
    Dimension,
    Grade,
    Item,
    Process,
    check_codes,
    check_grades,
    check_printable,
)
from csat.questionnaire.scales import LANGUAGES, Scale, Texts, folded, number_in, text_of
from csat.questionnaire.targets import weighting_of
from csat.questionnaire.tree import check_tree, leaf_weights, parents, walk

if TYPE_CHECKING:
    import pandas as pd

#: Settings of [report] that name columns.
_COLUMN_SETTINGS = ("by", "peer_column", "period_column", "split_by")


@dataclass(frozen=True, slots=True)
class Questionnaire(InNotebooks):
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
    bases : limits for small bases.
    settings : report settings: own, by, against, peer_column, period_column, period, split_by, formats, seed, previous.
        Groups given by their labels become codes.
    weighting : how weights are to meet the population: method, bounds, trim, total, and targets
        ``{column: {category code: number}}``; empty if the study says nothing. See `weighting_of`.
    service : tables of complaints, audits and times beside the study file, and how they are read; empty without them.

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
    bases: Bases = field(default_factory=Bases)
    settings: Mapping[str, Any] = field(default_factory=dict)
    weighting: Mapping[str, Any] = field(default_factory=dict)
    service: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_printable(_places(self))
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
        others = (*self.codes, *self.design.columns)
        object.__setattr__(self, "settings", _checked_settings(self.settings, self.columns, others))
        object.__setattr__(self, "weighting", weighting_of(self.weighting, self.columns, others))

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
        tree = self._tree
        return tuple(code for code in self.nodes if code not in tree)

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
        known, tree = dict.fromkeys(self.nodes), self._tree
        wanted = tuple(known) if nodes is None else tuple(nodes)
        place = {leaf: i for i, leaf in enumerate(code for code in known if code not in tree)}
        matrix = np.zeros((len(wanted), len(place)))
        for row, node in enumerate(wanted):
            if node not in known:
                raise UnknownItemError.among(node, self.nodes, "node of the index tree")
            for leaf, weight in leaf_weights(tree, node).items():
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

    def missing_texts(self) -> pd.DataFrame:
        """List what has no text in a language that the study speaks: ``table key lang shown``.

        `shown` is what stands in its place: the text in another language, or the code.
        """
        import pandas as pd

        spoken = list(_spoken(self))
        used = [lang for lang in LANGUAGES if any(texts.get(lang) for _, _, texts in spoken)]
        rows = [
            (table, key, lang, text_of(texts, lang, key))
            for table, key, texts in spoken
            for lang in used
            if not texts.get(lang)
        ]
        return pd.DataFrame(rows, columns=["table", "key", "lang", "shown"])

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
        tree = self._tree  # whose dimensions all stand below the root
        if self.root is None or (code not in tree and code not in parents(tree)):
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


def _spoken(asked: Questionnaire) -> Iterator[tuple[str, str, Texts]]:
    """Yield everything that has texts: table, key, texts."""
    yield "study", "texts", asked.texts
    for scale in asked.scales:
        yield from ((f"{scale.table}.labels", f"{code:g}", texts) for code, texts in scale.labels.items())
    rooms: dict[str, tuple[Item | Dimension | Column | Grade, ...]] = {
        "items": asked.items,
        "processes": asked.processes,
        "dimensions": asked.dimensions,
        "columns": asked.columns,
        "grades": asked.grades,
    }
    for room, parts in rooms.items():
        yield from ((room, part.code, part.texts) for part in parts)
    for column in asked.columns:
        yield from ((f"columns.{column.code}.labels", code, texts) for code, texts in column.labels.items())


def _places(asked: Questionnaire) -> Iterator[tuple[str, str | None, str]]:
    """Yield every text and code, with its place."""
    yield "study", "name", asked.name
    yield from (("scales", None, scale.name) for scale in asked.scales)
    for table, key, texts in _spoken(asked):
        yield table, None, key
        yield from ((table, key, text) for text in texts.values())


def _checked_settings(
    settings: Mapping[str, Any], columns: Sequence[Column], others: Sequence[str]
) -> Mapping[str, Any]:
    """Check the columns and groups of [report] as far as the study declares them; groups become codes."""
    if not columns:
        return settings
    by_code = {column.code: column for column in columns}
    known = (*by_code, *others)
    for key in _COLUMN_SETTINGS:
        for name in _listed(settings.get(key)):
            if name not in known:
                raise QuestionnaireError.at(
                    "report", key, f"no column {name!r} is declared. Did you mean {closest(name, known)}?"
                )
    made = dict(settings)
    for key, where in (("own", "peer_column"), ("against", "peer_column"), ("period", "period_column")):
        column = by_code.get(settings.get(where, ""))
        if key in settings and column is not None and column.labels:
            codes = [_group(key, word, column) for word in _listed(settings[key])]
            made[key] = codes[0] if isinstance(settings[key], str) else codes
    return made


def _group(key: str, word: str, column: Column) -> str:
    meaning = column.vocabulary()
    if folded(word) not in meaning:
        raise QuestionnaireError.at(
            "report",
            key,
            f"{word!r} is no category of {column.code!r}. Did you mean {closest(word, column.labels)}?",
        )
    return meaning[folded(word)]


def _listed(setting: Any) -> list[str]:
    return [] if setting is None else [setting] if isinstance(setting, str) else list(setting)
