"""Cells as rows of an Arrow table, and back: the form in which summaries travel between processes and lie in files.

Every row is of one kind: the head (what the sums are of), a domain, a stratum, a sampling unit, or a cell with its
sums. Symmetric matrices are rows of their upper triangle. Strata, units and domains have rows of their own, because a
design also counts those without a respondent. The schema is the same for all summaries, so that several may stand in
one table, told apart by the column ``part``, and that an engine knows it before it starts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.design import Replication
from csat.errors import CsatError
from csat.moments.cells import C, Cells, ResidualSums
from csat.moments.variables import Product, Recode, Variable

_NUMBERS = pa.list_(pa.float64())
#: Columns of every table of cells. `n` counts respondents of a cell, and units of a stratum.
SCHEMA = pa.schema([
    ("part", pa.string()), ("kind", pa.string()), ("text", pa.string()), ("labels", pa.list_(pa.string())),
    ("stratum", pa.string()), ("psu", pa.string()), ("n", pa.int64()), ("counts", pa.list_(pa.int64())),
    ("population", pa.float64()), ("share", pa.float64()), ("gram", _NUMBERS), ("square", _NUMBERS),
    ("score_sums", _NUMBERS), ("score_squares", _NUMBERS),
])  # fmt: skip
#: Summaries inside of summaries: the part of each is that of the outer one and this ending.
SECOND, WEIGHTED, BASE = "/second", "/weighted", "/base"


class StoredError(CsatError, ValueError):
    """A file or table that holds no summary, or not the one that was written."""


def cells_table(cells: Cells, part: str = "") -> pa.Table:
    """Rows from which `cells_of` makes the same cells; the questionnaire is not among them.

    Parameters
    ----------
    cells : of any design; second stages and sums for residuals go along.
    part : tells several summaries in one table apart.

    Returns
    -------
    pyarrow.Table
        With the columns of `SCHEMA`.
    """
    domains = pa.array([list(domain) for domain in cells.domains], pa.list_(pa.string()))
    strata = pa.array(cells.strata, pa.string())
    units = pa.array([unit for _, unit in cells.psus], pa.string())
    sums = cells.replicate_sums
    tables = [
        _rows(part, "head", 1, text=pa.array([_head(cells)]), gram=_lists(cells.midpoint[None])),
        _rows(part, "domain", len(domains), labels=domains, gram=None if sums is None else _lists(_flat(sums))),
        _rows(
            part, "stratum", len(strata), stratum=strata, n=pa.array(cells.units, pa.int64()),
            population=pa.array(cells.population), share=None if cells.share is None else pa.array(cells.share),
        ),
        _rows(part, "unit", len(units), stratum=pa.array([label for label, _ in cells.psus], pa.string()), psu=units),
        _rows(
            part, "cell", len(cells.n), labels=domains.take(pa.array(cells.domain, pa.int64())),
            stratum=strata.take(pa.array(cells.stratum, pa.int64())),
            psu=units.take(pa.array(cells.psu, pa.int64())) if cells.psus else None,
            n=pa.array(cells.n, pa.int64()), counts=_lists(cells.counts.astype(np.int64)), gram=_triangles(cells.gram),
            square=_triangles(cells.square), score_sums=_lists(cells.score_sums),
            score_squares=_triangles(cells.score_squares),
        ),
    ]  # fmt: skip
    if cells.overlap is not None:
        tables.append(_rows(part, "overlap", 1, gram=_lists(cells.overlap.reshape(1, -1))))
    if cells.second is not None:
        tables.append(cells_table(cells.second, part + SECOND))
    if cells.residuals is not None:
        tables += [
            cells_table(cells.residuals.weighted, part + WEIGHTED),
            cells_table(cells.residuals.base, part + BASE),
        ]
    return pa.concat_tables(tables)


def cells_of(table: pa.Table, kind: type[C], part: str = "") -> C:
    """The cells that `cells_table` turned into rows.

    Parameters
    ----------
    table : with the columns of `SCHEMA`, in any order of rows within a kind of row.
    kind : of cells to make.
    part : of the table.

    Raises
    ------
    StoredError
        If the table holds no such part.
    """
    own = table.filter(pc.equal(table.column("part"), part))
    found = {
        word: own.filter(pc.equal(own.column("kind"), word))
        for word in ("head", "domain", "stratum", "unit", "cell", "overlap")
    }
    if len(found["head"]) != 1:
        raise StoredError(f"The table holds {len(found['head'])} summaries named {part!r}; one is needed.")
    head = json.loads(found["head"].column("text")[0].as_py())
    domains = [tuple(labels) for labels in found["domain"].column("labels").to_pylist()]
    strata = found["stratum"].column("stratum").to_pylist()
    psus = _units_of(found["unit"])
    cell = found["cell"]
    stratum_of = cell.column("stratum").to_pylist()
    place_of_unit = {unit: i for i, unit in enumerate(psus)}
    psu = [place_of_unit[unit] for unit in _units_of(cell)] if psus else np.full(len(cell), -1)
    share = found["stratum"].column("share")
    shape = head["replicates"]
    overlap = _matrix(found["overlap"].column("gram"))
    return kind(
        names=tuple(head["names"]),
        rule=head["rule"],
        midpoint=_matrix(found["head"].column("gram"))[0],
        by=tuple(head["by"]),
        domains=tuple(domains),
        strata=tuple(strata),
        psus=tuple(psus),
        units=_array(found["stratum"].column("n"), int),
        population=_array(found["stratum"].column("population"), float),
        domain=_codes([tuple(labels) for labels in cell.column("labels").to_pylist()], domains),
        stratum=_codes(stratum_of, strata),
        psu=np.array(psu, int),
        gram=_squares(cell.column("gram"), head["size"]),
        square=_squares(cell.column("square"), head["size"]) if head["square"] else None,
        n=_array(cell.column("n"), int),
        counts=_matrix(cell.column("counts"), len(head["names"])).astype(int),
        ungrouped=head["ungrouped"],
        incomplete=head["incomplete"],
        score_sums=None if head["scores"] is None else _matrix(cell.column("score_sums"), head["scores"]),
        score_squares=_squares(cell.column("score_squares"), head["scores"]) if head["score_squares"] else None,
        published=head["published"],
        second=cells_of(table, kind, part + SECOND) if head["second"] else None,
        share=None if share.null_count else _array(share, float),
        calibrated=head["calibrated"],
        residuals=_residuals(table, kind, part, head["auxiliaries"]),
        lone_psu=head["lone_psu"],
        replication=None if head["replication"] is None else Replication(**head["replication"]),
        replicate_sums=None if shape is None else _matrix(found["domain"].column("gram")).reshape(len(domains), *shape),
        overlap=overlap.reshape(int(np.sqrt(overlap.size)), -1) if len(overlap) else None,
        made_of=None if head["made_of"] is None else tuple(variable_of(stored) for stored in head["made_of"]),
    )


def stored_variable(variable: Variable) -> Any:
    """A variable as texts and numbers that JSON can hold."""
    if isinstance(variable, str):
        return variable
    if isinstance(variable, Product):
        return {"product": variable.term, "parts": [stored_variable(part) for part in variable.parts]}
    values = [[_plain(answer), float(value)] for answer, value in variable.values.items()]
    return {"recode": variable.term, "column": variable.column, "values": values}


def variable_of(stored: Any) -> Variable:
    """The variable that `stored_variable` made this of."""
    if isinstance(stored, str):
        return stored
    if "product" in stored:
        return Product(stored["product"], tuple(_part_of(part) for part in stored["parts"]))
    return Recode(stored["recode"], stored["column"], dict(stored["values"]))


def head_row(part: str, text: str) -> pa.Table:
    """A row that holds nothing but a text."""
    return _rows(part, "head", 1, text=pa.array([text]))


def _part_of(stored: Any) -> str | Recode:
    made = variable_of(stored)
    if isinstance(made, Product):
        raise StoredError("A product of products is no variable.")
    return made


def _plain(answer: Any) -> Any:
    return answer.item() if isinstance(answer, np.generic) else answer


def _head(cells: Cells) -> str:
    sums, scores = cells.replicate_sums, cells.score_sums
    facts: Mapping[str, Any] = {
        "names": cells.names,
        "made_of": None if cells.made_of is None else [stored_variable(variable) for variable in cells.made_of],
        "rule": cells.rule,
        "by": cells.by,
        "size": cells.gram.shape[1],
        "square": cells.square is not None,
        "scores": None if scores is None else scores.shape[1],
        "score_squares": cells.score_squares is not None,
        "ungrouped": int(cells.ungrouped),
        "incomplete": int(cells.incomplete),
        "published": cells.published,
        "calibrated": cells.calibrated,
        "lone_psu": cells.lone_psu,
        "replication": None if cells.replication is None else asdict(cells.replication),
        "replicates": None if sums is None else sums.shape[1:],
        "second": cells.second is not None,
        "auxiliaries": None if cells.residuals is None else cells.residuals.auxiliaries,
    }
    return json.dumps(facts, ensure_ascii=False)


def _residuals(table: pa.Table, kind: type[C], part: str, auxiliaries: int | None) -> ResidualSums[C] | None:
    if auxiliaries is None:
        return None
    return ResidualSums(cells_of(table, kind, part + WEIGHTED), cells_of(table, kind, part + BASE), auxiliaries)


def _rows(part: str, kind: str, size: int, **columns: pa.Array | None) -> pa.Table:
    """Rows of one kind; columns that are not given are empty."""
    fixed = {"part": pa.array([part] * size, pa.string()), "kind": pa.array([kind] * size, pa.string())}
    given = fixed | {name: column for name, column in columns.items() if column is not None}
    arrays = [given.get(field.name, pa.nulls(size, field.type)) for field in SCHEMA]
    return pa.Table.from_arrays(
        [array.cast(field.type) for array, field in zip(arrays, SCHEMA, strict=True)], schema=SCHEMA
    )


def _lists(matrix: np.ndarray | None) -> pa.Array | None:
    """A list per row of a matrix (m, k)."""
    if matrix is None:
        return None
    offsets = np.arange(len(matrix) + 1, dtype=np.int32) * matrix.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(np.ascontiguousarray(matrix).ravel()))


def _flat(sums: np.ndarray) -> np.ndarray:
    return sums.reshape(len(sums), int(np.prod(sums.shape[1:])))


def _triangles(matrices: np.ndarray | None) -> pa.Array | None:
    """A list per matrix of symmetric ones (m, p, p): their upper triangles, row by row."""
    if matrices is None:
        return None
    first, second = np.triu_indices(matrices.shape[1])
    return _lists(matrices[:, first, second])


def _squares(column: pa.ChunkedArray, size: int) -> np.ndarray:
    """(m, p, p) symmetric matrices of their upper triangles."""
    first, second = np.triu_indices(size)
    out = np.empty((len(column), size, size))
    out[:, first, second] = out[:, second, first] = _matrix(column, len(first))
    return out


def _matrix(column: pa.ChunkedArray, width: int | None = None) -> np.ndarray:
    """(m, k) numbers of a column of lists of the same length."""
    values = pc.list_flatten(column).to_numpy()
    return values.reshape(len(column), (len(values) // max(len(column), 1)) if width is None else width)


def _array(column: pa.ChunkedArray, kind: type) -> np.ndarray:
    return column.to_numpy().astype(kind)


def _units_of(rows: pa.Table) -> list[tuple[str, str]]:
    return list(zip(rows.column("stratum").to_pylist(), rows.column("psu").to_pylist(), strict=True))


def _codes(labels: Sequence[Any], known: Sequence[Any]) -> np.ndarray:
    """Where each label stands among the known ones."""
    place = {label: i for i, label in enumerate(known)}
    return np.array([place[label] for label in labels], int)
