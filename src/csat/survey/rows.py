"""`Survey`: who answered what. Rows, what was asked, who was drawn, and the ledger of how they were read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from csat import reduce
from csat.design import Calibration, Design, Replication
from csat.errors import SampleError
from csat.moments import Groups, Levels, Patterns, Residuals, RowScores, Variable, columns_of, term_of
from csat.questionnaire import Questionnaire
from csat.read import INSIDE, ROW, Ledger
from csat.read.choices import by_number, chosen
from csat.streams.stages import BETWEEN, HELPER, UNIT, sampled_share, second_stage
from csat.streams.summed import Summed
from csat.survey.budget import check_sums
from csat.survey.drawing import KEY, draws_rows, with_keys, with_random_groups
from csat.survey.facts import facts_of
from csat.survey.quality import Quality, quality_of
from csat.weighting import Weights

#: Rows that are handed to the reduction at once; the same for every source, so that sums agree to the bit.
BATCH_ROWS = 131_072

#: Up to this many rows are drawn one by one; beyond, random groups of them.
DRAWN_ROWS, RANDOM_GROUPS = 20_000, 500


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Survey(Summed):
    """Rows of respondents, clean and accounted for. Build it with `read_survey`.

    Parameters
    ----------
    table : one row per respondent: scaled questions, numbers and weights as float64, other columns as text;
        null = missing.
    questionnaire : what was asked; None if it is not known.
    design : columns of weight, stratum, unit ….
    ledger : what became of every row and cell of the source.
    weighting : report on the weights, after `csat.calibrate`.
    """

    table: pa.Table
    questionnaire: Questionnaire | None
    design: Design
    ledger: Ledger
    weighting: Weights | None = None

    def __len__(self) -> int:
        return int(self._inside.sum())

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        names = self.table.column_names
        return tuple(name for name in names if name not in (ROW, INSIDE) and not name.startswith(HELPER))

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that can be a variable: scaled questions, numbers, weights."""
        return tuple(name for name in self.columns if pa.types.is_floating(self.table.schema.field(name).type))

    @property
    def weight(self) -> np.ndarray:
        """(n,) weights of the respondents; 1 without a weight column."""
        if self.design.weight is None:
            return np.ones(len(self))
        return self._array(self.design.weight)

    @property
    def n_eff(self) -> float:
        """Effective sample size under weighting, (Σw)²/Σw² (Kish 1965, Survey Sampling, 11.7)."""
        weight = self.weight
        return float(weight.sum() ** 2 / (weight**2).sum()) if len(weight) else 0.0

    def categories(self, column: str) -> tuple[str, ...]:
        """Categories that occur in a column, in the order of the questionnaire, then of the alphabet.

        Raises
        ------
        UnknownColumnError
            If there is no such column.
        """
        self._known([column])
        found = set(pc.unique(_keys(self._rows().column(column))).drop_null().to_pylist())
        described = None if self.questionnaire is None else self.questionnaire.column(column)
        ordered = [code for code in described.labels if code in found] if described is not None else []
        return (*ordered, *sorted(found - set(ordered), key=by_number))

    def where(self, /, **equal: Any) -> Survey:
        """Respondents of a domain, with the whole design kept.

        The other rows stay in the table, marked as outside: leaving them out would lose strata and units,
        and with them the right variance.

        Parameters
        ----------
        **equal : column = value, or a list of values. A category, and an answer
            to a scaled question, may be given by its code or by its label.

        Raises
        ------
        UnknownColumnError
            If there is no such column.
        OptionError
            If a column has no such category.
        """
        self._known(list(equal))
        inside = self._inside
        for column, wanted in equal.items():
            values = wanted if isinstance(wanted, list | tuple | set) else [wanted]
            codes = pa.array([self._category(column, value) for value in values], pa.string())
            inside = inside & pc.is_in(_keys(self.table.column(column)), codes).to_numpy()
        plain = self.table.drop_columns(INSIDE) if INSIDE in self.table.column_names else self.table
        return replace(self, table=plain.append_column(INSIDE, pa.array(inside)))

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Stream the rows to the reduction, at most `BATCH_ROWS` at a time, those outside a domain too.

        Parameters
        ----------
        columns : to hand over, besides those of the design and the mark of the domain.

        Yields
        ------
        pyarrow.RecordBatch
            At least one, perhaps without rows.
        """
        extra = [INSIDE] if INSIDE in self.table.column_names else []
        wanted = list(dict.fromkeys((*columns, *self.design.columns, *extra)))
        self._known([name for name in wanted if name != INSIDE and not name.startswith(HELPER)])
        table = self.table.select(wanted).combine_chunks()
        batches = table.to_batches(max_chunksize=BATCH_ROWS)
        yield from batches or [pa.RecordBatch.from_pylist([], schema=table.schema)]

    def patterns(self, names: Sequence[Variable], by: Sequence[str] = ()) -> Patterns:
        """Weighted moments per domain and pattern of answered variables; see `csat.moments.Patterns`."""
        columns = [column for name in names for column in columns_of(name)]
        self._known([*columns, *by])
        midpoint = np.array([self._midpoint(name) for name in names], float)
        batches = self.batches([*columns, *by])
        found = reduce.patterns(batches, names, midpoint, by=tuple(by), design=self.design, inside=self._mark)
        return found.arranged([self.categories(name) for name in by])

    def replicated(self, replication: Replication) -> Survey:
        """The same respondents under replicate weights that csat makes from the design, whatever it declared before.

        Without declared units and with more than `DRAWN_ROWS` rows, the units drawn are `RANDOM_GROUPS` random groups
        of rows in each stratum (Wolter 2007, Introduction to Variance Estimation, ch. 2): their sums are small. Draws
        follow from the column of kind "id", or else from the row's number, so that the order of rows does not matter.

        Parameters
        ----------
        replication : kind, number and seed of the replicates.
        """
        design = replace(self.design, replicates=(), replication=replication, calibration=None, ssu=None, fpc2=None)
        if design.psu is not None or self.table.num_rows <= DRAWN_ROWS:
            return replace(self, design=design)
        table = with_random_groups(self.table, self.questionnaire, RANDOM_GROUPS, replication.seed)
        return replace(self, table=table, design=replace(design, psu=UNIT, fpc=None))

    def undesigned(self) -> Survey:
        """The same respondents and weights without strata, units and replicates: for sums that need no variance."""
        return replace(self, design=Design(weight=self.design.weight))

    def levels(self, names: Sequence[str], by: Sequence[str] = ()) -> Levels:
        """Weighted and unweighted counts of answers per domain; see `csat.moments.Levels`.

        The levels of a question come from its scale, those of another column from the data.
        """
        self._known([*names, *by])
        values = [self._levels_of(name) for name in names]
        batches = self.batches([*names, *by])
        counted = reduce.levels(batches, list(names), values, by=tuple(by), design=self.design, inside=self._mark)
        return counted.arranged([self.categories(name) for name in by])

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Rows as pandas, missing cells as NaN; the index is the row in the source.

        Raises
        ------
        UnknownColumnError
            If there is no such column.
        """
        wanted = list(self.columns if columns is None else columns)
        self._known(wanted)
        rows = self._rows()
        index = pd.Index(rows.column(ROW).to_numpy(), name="row")
        return pd.DataFrame({name: rows.column(name).to_numpy() for name in wanted}, index=index, columns=wanted)

    def scores(self) -> pd.DataFrame:
        """Scores of every respondent on 0–100, one column per node of the index tree.

        A node's score is the weighted mean of the items below it that the respondent answered, with the
        weights of the tree; NaN if none was answered. (The index of a group is not the mean of these:
        it weighs the means of the items.)

        Raises
        ------
        SampleError
            Without a questionnaire with an index tree.
        """
        asked = self.questionnaire
        if asked is None or asked.root is None:
            raise SampleError("Scores need an index tree: read the survey with a questionnaire that has [dimensions].")
        answers = np.column_stack([asked.scale_of(leaf).score(self._array(leaf)) for leaf in asked.leaves])
        answered = ~np.isnan(answers)
        weights = asked.tree_matrix().T
        with np.errstate(invalid="ignore", divide="ignore"):
            scores = np.where(answered, answers, 0.0) @ weights / (answered @ weights)
        return pd.DataFrame(scores, index=self.frame([]).index, columns=list(asked.nodes))

    def quality(self, *, fast: float = 1 / 3) -> Quality:
        """Flag rows that look careless; nothing is removed. See `Quality`.

        Parameters
        ----------
        fast : a respondent is too fast below this part of the median time (needs a column of kind "seconds").
        """
        asked = self.questionnaire
        items = list(asked.codes) if asked is not None else list(self.numbers)
        leaves = list(asked.leaves) if asked is not None and asked.leaves else items
        identity = None if asked is None else asked.column_of_kind("id")
        seconds = None if asked is None else asked.column_of_kind("seconds")
        rows = self.frame(list(dict.fromkeys((*items, *(name for name in (identity, seconds) if name is not None)))))
        return quality_of(rows, items, leaves, identity, seconds, fast)

    def _groups(
        self,
        names: Sequence[Variable],
        by: Sequence[str],
        rule: str,
        scores: Mapping[tuple[str, ...], RowScores] | None,
    ) -> Groups:
        columns = [column for name in names for column in columns_of(name)]
        self._known([*columns, *by])
        midpoint = np.array([self._midpoint(name) for name in names], float)
        order = [self.categories(name) for name in by]
        calibration = self.design.calibration
        if calibration is not None and rule == "available" and scores is None and self.design.replication is None:
            return self._calibrated_groups(names, columns, midpoint, tuple(by), calibration).arranged(order)
        wanted = [*columns, *by]
        summed = self._reduced(self.design, list(names), wanted, midpoint, tuple(by), rule, scores)
        if self.design.fpc2 is not None:
            within = self._with_units()._reduced(
                second_stage(self.design), list(names), wanted, midpoint, tuple(by), rule, scores
            )
            summed = replace(summed, second=replace(within, share=sampled_share(summed, within)))
        return replace(summed.arranged(order), questionnaire=self.questionnaire, calibrated=calibration is not None)

    def totals(
        self, names: Sequence[Variable], by: Sequence[str] = (), rule: str = "available"
    ) -> tuple[Groups, Groups]:
        """Totals per (domain, stratum, unit), and moments of the domains; see `csat.variance.lean.TotalSource`."""
        columns = [column for name in names for column in columns_of(name)]
        self._known([*columns, *by])
        check_sums(self.table, self.design, len(names), by, rule, None, totals=True)
        midpoint = np.array([self._midpoint(name) for name in names], float)
        found = reduce.totals(
            self.batches([*columns, *by]), list(names), midpoint, by=tuple(by), rule=rule, design=self.design,
            inside=self._mark,
        )  # fmt: skip
        order = [self.categories(name) for name in by]
        cells, whole = (part.arranged(order) for part in found)
        return replace(cells, questionnaire=self.questionnaire), whole

    def _reduced(
        self,
        design: Design,
        names: Sequence[Variable],
        columns: Sequence[str],
        midpoint: np.ndarray,
        by: tuple[str, ...],
        rule: str,
        scores: Mapping[tuple[str, ...], RowScores] | None,
    ) -> Groups:
        extra = [name for name in design.columns if name.startswith(HELPER)]
        check_sums(self.table, design, len(names), by, rule, None if scores is None else next(iter(scores.values())))
        source = self
        if draws_rows(design):
            source, extra = replace(self, table=with_keys(self.table, self.questionnaire)), [*extra, KEY]
        return reduce.groups(
            source.batches([*columns, *extra]),
            names,
            midpoint,
            by=by,
            rule=rule,
            design=design,
            inside=self._mark,
            scores=scores,
            key=KEY if KEY in extra else None,
        )

    def _with_units(self) -> Survey:
        """With a column that names each PSU within its stratum: the strata of the second stage."""
        columns = [self.table.column(name) for name in (self.design.stratum, self.design.psu) if name is not None]
        labels = pc.binary_join_element_wise(*columns, BETWEEN) if len(columns) > 1 else columns[0]
        return replace(self, table=self.table.append_column(UNIT, labels))

    def _calibrated_groups(
        self,
        names: Sequence[Variable],
        columns: Sequence[str],
        midpoint: np.ndarray,
        by: tuple[str, ...],
        calibration: Calibration,
    ) -> Groups:
        """Groups with the sums that residuals need: over all rows, with the weights before and after calibration."""
        helpers = calibration.auxiliaries

        def summed(weight: str | None) -> Groups:
            return reduce.groups(
                self.batches([*columns, *by]),
                [*names, *helpers],
                np.r_[midpoint, np.zeros(len(helpers))],
                by=by,
                design=replace(self.design, weight=weight, calibration=None),
                inside=self._mark,
                outside=True,
            )

        weighted = summed(self.design.weight)
        base = summed(calibration.weight if calibration.regression == "design" else None)
        own = weighted.without(reduce.OUTSIDE).groups([term_of(name) for name in names], by)
        residuals = Residuals(weighted, base, len(helpers))
        return replace(own, calibrated=True, residuals=residuals, questionnaire=self.questionnaire)

    def _middle(self, name: str) -> float:
        """A number near the middle of a column that is no scaled question."""
        if not pa.types.is_floating(self.table.schema.field(name).type):
            raise SampleError.categories(name, self.categories(name))
        ends = pc.min_max(self.table.column(name)).as_py()
        return 0.0 if ends["min"] is None else ends["min"] / 2 + ends["max"] / 2

    def _levels_of(self, name: str) -> tuple[Any, ...]:
        asked = self.questionnaire
        if asked is not None and name in asked.codes and asked.scale_of(name).levels:
            return asked.scale_of(name).levels
        if name in self.numbers:
            return tuple(sorted(pc.unique(self.table.column(name)).drop_null().to_pylist()))
        return self.categories(name)

    def _category(self, column: str, value: Any) -> str:
        """Code of a group given by its code or label."""
        return chosen(self.questionnaire, column, value, self.keys(column))

    def keys(self, column: str) -> list[str]:
        """Labels that occur in a grouping column, in all rows of the table."""
        return pc.unique(_keys(self.table.column(column))).drop_null().to_pylist()

    @property
    def _mark(self) -> str | None:
        return INSIDE if INSIDE in self.table.column_names else None

    @property
    def _inside(self) -> np.ndarray:
        if self._mark is None:
            return np.ones(self.table.num_rows, bool)
        return self.table.column(INSIDE).to_numpy()

    def _rows(self) -> pa.Table:
        return self.table if self._mark is None else self.table.filter(self.table.column(INSIDE))

    def _array(self, name: str) -> np.ndarray:
        """(n,) numbers of the respondents inside, NaN where missing."""
        return self._rows().column(name).to_numpy()

    def __repr__(self) -> str:
        return "\n".join(["Survey", *(f"  {name}: {fact}" for name, fact in facts_of(self).items())])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(fact)}</td></tr>" for name, fact in facts_of(self).items()
        )
        return f"<table><caption>Survey</caption><tbody>{rows}</tbody></table>"


def _keys(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text of a grouping column; whole numbers have no decimal point."""
    return column if pa.types.is_string(column.type) else column.cast(pa.string())
