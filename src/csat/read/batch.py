"""A batch of a larger table, cleaned on its own: what a column is, is settled before the first batch."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.design import Design
from csat.errors import DataError
from csat.questionnaire import Questionnaire, Scale
from csat.read.answers import Answers, number_answers, text_answers
from csat.read.cells import NO_SPAN, NUMBERS, TEXT, WORDS, Cells, Reading, decoded, kind_of_scale, span_of
from csat.read.clean import ROW, expected, rows_left_out, tallied
from csat.read.faults import TableError
from csat.read.ledger import CELL_REASONS, Ledger, Tally
from csat.read.raw import Raw, guessed, is_text, plain, text_in
from csat.read.roles import declared, described_answers, renamed
from csat.read.weights import report_of
from csat.read.words import snippet

_VALID = CELL_REASONS.index("valid")
_UNKNOWN, _OUT_OF_RANGE = CELL_REASONS.index("unknown_code"), CELL_REASONS.index("out_of_range")


@dataclass(frozen=True, slots=True)
class Roles:
    """What every column of a table is, settled from its first rows and the study.

    source : name of the table.
    asked, design : what was asked, and the columns of the design.
    names : column of the table → its name in the survey, in the order of the table.
    absent : columns of the study that the table does not have, taken as not asked.
    numbers : columns outside the study that hold numbers; the others hold text.
    days : columns of moments → whether all are at midnight, and so are days.
    filled : no row is blank.
    notes : what was found by name or text, and what is absent.
    kinds : name in the survey → type of the clean values in every batch.
    spans : scaled question → ends of its whole levels, and its missing codes.
    known : what distinct values mean, filled as they are met.
    """

    source: str
    asked: Questionnaire
    design: Design
    names: Mapping[str, str]
    absent: tuple[str, ...]
    numbers: frozenset[str]
    days: Mapping[str, bool]
    filled: bool
    notes: tuple[str, ...] = ()
    kinds: Mapping[str, pa.DataType] = field(default_factory=dict, repr=False)
    spans: Mapping[str, tuple[tuple[float, float], Mapping[float, str]]] = field(default_factory=dict, repr=False)
    known: dict[Hashable, Answers] = field(default_factory=dict, repr=False, compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the survey's columns."""
        return (*self.names.values(), *self.absent)

    @property
    def floating(self) -> frozenset[str]:
        """Columns that can be a variable: scaled questions, numbers, weights."""
        design = self.design
        text = {design.stratum, design.psu, design.ssu}
        plain_numbers = {column.code for column in self.asked.columns if column.kind in ("number", "seconds")}
        roles = {name for name in design.columns if name not in text}
        return frozenset({*self.asked.codes, *plain_numbers, *roles, *self.numbers} & set(self.columns)) - text

    @property
    def in_table(self) -> dict[str, str]:
        """Name in the survey → column of the table."""
        return {name: column for column, name in self.names.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """A cleaned batch.

    rows : kept rows with the columns that were handed over, as in a survey, and `ROW`.
    ledger : what became of the rows and cells of the batch.
    unknown : answers that the study does not know, by column.
    """

    rows: pa.RecordBatch
    ledger: Ledger
    unknown: tuple[Tally, ...] = ()


def roles_of(
    head: Raw, asked: Questionnaire, design: Design, *, on_absent: str = "raise", filled: bool = False
) -> Roles:
    """Settle what every column is.

    Parameters
    ----------
    head : the first rows of the table, with all its columns in the types of the table.
    asked, design, on_absent : see `csat.read.read_clean`.
    filled : it is certain that no row of the table is blank.

    Raises
    ------
    DataError
        If columns are absent.
    """
    wanted = tuple(dict.fromkeys((*declared(asked), *design.columns)))
    readable = {name: plain(column) for name, column in head.columns.items()}
    raw = replace(head, columns={name: column for name, column in readable.items() if column is not None})
    named, changed = renamed(raw, asked, wanted)
    absent = [name for name in wanted if name not in named.columns]
    fatal = [name for name in absent if on_absent == "raise" or name in design.columns]
    if fatal:
        raise DataError.absent(head.source, fatal, list(named.columns))
    free = [name for name in named.columns if name not in wanted]
    numbers = [name for name in free if not is_text(_typed(named.columns[name], head.typed))]
    moments = [name for name, column in head.columns.items() if pa.types.is_timestamp(column.type)]
    notes = [f"columns found by name or text: {', '.join(changed)}"] if changed else []
    notes += [f"not in the data, taken as not asked: {', '.join(absent)}"] if absent else []
    made = Roles(
        head.source,
        asked,
        design,
        dict(zip(raw.columns, named.columns, strict=True)),
        tuple(absent),
        frozenset(numbers),
        {name: pc.max(pc.utf8_length(readable[name])).as_py() in (None, 10) for name in moments},
        filled,
        tuple(notes),
    )
    scales = {name: asked.scale_of(name) for name in asked.codes}
    return replace(
        made,
        kinds={name: _kind(name, made) for name in made.columns},
        spans={name: (span_of(scale), scale.missing) for name, scale in scales.items()},
    )


def clean_batch(
    raw: Raw, roles: Roles, repeated: np.ndarray | None = None, wanted: Collection[str] | None = None
) -> Part:
    """Clean a batch and account for its rows and cells.

    Parameters
    ----------
    raw : some columns of the table, in its types, among them those of the design; unless no row is blank
        (`Roles.filled`), all of them. Columns of the table that are not there were not asked in this part of it.
    roles : of the table's columns.
    repeated : (n,) rows that repeat an interview.
    wanted : columns of the survey to clean, among them those of the design; the others only tell whether a row is
        blank. None: all.

    Raises
    ------
    DataError
        If a column is not what its first rows were.
    """
    columns = {roles.names[name]: _plain(raw, name, roles) for name in raw.columns if name in roles.names}
    table = replace(raw, columns=columns)
    read = {name: _reading(table, name, roles)(columns[name]) for name in columns if wanted is None or name in wanted}
    kept, tallies = rows_left_out(table, read, roles.asked, roles.design, blank=not roles.filled, repeated=repeated)
    size = int(np.count_nonzero(kept))
    tallies += [tally for name in read if name not in roles.design.columns
                for tally in _cells_in(table, name, read[name], kept, size)]  # fmt: skip
    weight = roles.design.weight
    weights = None
    if weight is not None and kept.any():
        weights = report_of(weight, _values(read[weight])[kept], raw.rows[kept])
    notes = tuple(f"{name}: {note}" for name, cells in read.items() for note in cells.notes)
    unknown = _unknown(table, read, roles, kept)
    if raw.source != roles.source:
        tallies, unknown = ([_placed(tally, raw.source) for tally in part] for part in (tallies, unknown))
    ledger = Ledger(roles.source, len(kept), int(kept.sum()), tuple(tallies), (), notes, weights)
    arrays = [*(cells.values for cells in read.values()), pa.array(raw.rows)]
    rows = pa.RecordBatch.from_arrays(arrays, [*read, ROW])
    return Part(rows if kept.all() else rows.filter(pa.array(kept)), ledger, tuple(unknown))


def not_asked(part: Part, names: Sequence[str], roles: Roles) -> Part:
    """Add columns that this part of the table does not have: missing in every row, and counted as not asked."""
    if not names:
        return part
    size = part.rows.num_rows
    rows = part.rows
    for name in names:
        rows = rows.append_column(name, pa.nulls(size, roles.kinds[name]))
    cells = [Tally("cell", name, reason, count) for name in names if name not in roles.design.columns
             for reason, count in (("valid", 0), ("not_asked", size))]  # fmt: skip
    ledger = replace(part.ledger, tallies=(*part.ledger.tallies, *cells))
    return replace(part, rows=rows, ledger=ledger)


def refuse_unknown(source: str, unknown: Sequence[Tally], asked: Questionnaire) -> None:
    """Raise for answers that the study does not know, all columns at once, with the lines that would declare them."""
    if not unknown:
        return
    lines = [f"{tally.column}{expected(asked, tally.column)}: {tally.count} × ({tally.examples})" for tally in unknown]
    scales: dict[str, tuple[Scale, list[str]]] = {}
    for tally in unknown:
        if tally.column in asked.codes:
            scale = asked.scale_of(tally.column)
            words = [word for word in tally.values if not re.fullmatch(r"[-+.0-9eE]+", word)]
            scales.setdefault(scale.name, (scale, []))[1].extend(words)
    proposed = (snippet(scale, words) for scale, words in scales.values())
    raise DataError.unknown_codes(source, lines, "\n".join(filter(None, proposed)))


def _plain(raw: Raw, name: str, roles: Roles) -> pa.Array:
    """A column as numbers, text or a dictionary of text; moments and truth values are worded once each."""
    column = raw.columns[name]
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    days = roles.days.get(name)
    worded = pa.types.is_temporal(column.type) or pa.types.is_dictionary(column.type)
    encoded = column.dictionary_encode() if worded else None
    said = column if encoded is None else encoded.dictionary
    text = plain(said, days)
    if text is None:
        raise DataError(f"{raw.source}: column {name!r} holds neither numbers nor text here, as it does elsewhere.")
    if days and pc.max(pc.utf8_length(plain(said))).as_py() not in (None, 10):
        raise TableError.no_day(raw.source, name)
    if encoded is None:
        return text
    spelled = pa.DictionaryArray.from_arrays(encoded.indices, text)
    return spelled if is_text(text) else spelled.dictionary_decode()


def _kind(name: str, roles: Roles) -> pa.DataType:
    """Type of the clean values of a column."""
    if name in roles.asked.codes:
        return kind_of_scale(roles.asked.scale_of(name))
    if name in roles.floating:
        return NUMBERS
    return TEXT if name == roles.asked.column_of_kind("id") else WORDS


def _typed(column: pa.Array, typed: bool) -> pa.Array:
    return column if typed else guessed(column)


def _reading(table: Raw, name: str, roles: Roles) -> Reading:
    """How a column of this batch is read."""
    column = table.columns[name]
    read = described_answers(name, roles.asked, roles.design)
    if read is None:
        read = _number_reader(table, name, column) if name in roles.numbers else text_answers
    span, missing = roles.spans.get(name, (NO_SPAN, None))
    return Reading(name, roles.kinds[name], read, roles.known, span, missing)


def _number_reader(table: Raw, name: str, column: pa.Array) -> Callable[[pa.Array], Answers]:
    """Read a plain number; a cell that would make the column text is refused."""
    filled = is_text(column) and column.null_count < len(column)
    if filled and is_text(guessed(column.dictionary_encode().dictionary)):
        text = decoded(column)
        number = number_answers(text, ())
        odd = np.flatnonzero(number.reasons == _UNKNOWN)
        if not len(odd):
            odd = np.flatnonzero(~text_in(text).is_null().to_numpy(zero_copy_only=False) & _coded(text))
        if len(odd):
            place = int(odd[0])
            raise TableError.no_number(table.source, name, int(table.rows[place]), str(text[place].as_py()))
    return lambda cells: number_answers(cells, ())


def _coded(column: pa.Array) -> np.ndarray:
    """Cells (n,) that read as numbers but are codes: with leading zeros or more digits than a number keeps."""
    return np.array([is_text(guessed(column.slice(row, 1))) for row in range(len(column))])


def _cells_in(table: Raw, name: str, cells: Cells, kept: np.ndarray, size: int) -> list[Tally]:
    """Tally what became of the cells of one column in the kept rows, `size` of all (n,)."""
    counts = cells.counts.tolist()
    if size < len(kept) or counts[_UNKNOWN] or counts[_OUT_OF_RANGE]:
        odd, why = cells.found()
        inside = kept[odd]
        odd, why = odd[inside], why[inside]
        counts = np.bincount(why, minlength=len(CELL_REASONS)).tolist()
        counts[_VALID] = size - len(odd)
    tallies: list[Tally] = []
    for code, reason in enumerate(CELL_REASONS):
        if counts[code] and code in (_UNKNOWN, _OUT_OF_RANGE):
            tallies += tallied(table, "cell", reason, name, odd[why == code])
        elif counts[code] or code == _VALID:
            tallies.append(Tally("cell", name, reason, counts[code]))
    return tallies


def _unknown(table: Raw, read: Mapping[str, Cells], roles: Roles, kept: np.ndarray) -> list[Tally]:
    design = roles.design
    found: list[Tally] = []
    for name in declared(roles.asked):
        if name not in read or name == design.weight:
            continue
        cells = read[name]
        if not cells.counts[_UNKNOWN] and not cells.counts[_OUT_OF_RANGE]:
            continue
        odd, why = cells.found()
        odd = odd[(why == _UNKNOWN) | (why == _OUT_OF_RANGE)]
        # a stratum with an unknown code was left out, but must not vanish for that
        rows = odd if name in (design.stratum, design.psu, design.ssu) else odd[kept[odd]]
        found += tallied(table, "cell", "unknown_code", name, rows)
    return found


def _placed(tally: Tally, file: str) -> Tally:
    return replace(tally, files=(file,) * len(tally.rows))


def _values(cells: Cells) -> np.ndarray:
    return cells.values.to_numpy(zero_copy_only=False)
