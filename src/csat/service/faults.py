"""What a table of audits, complaints or times can have wrong, worded with file, row and column."""

from __future__ import annotations

from collections.abc import Sequence

from csat.errors import DataError, closest


class ServiceError(DataError):
    """A table of audits, complaints or durations that contradicts itself or lacks what is needed."""

    @classmethod
    def cell(cls, source: str, row: int, column: str, problem: str) -> ServiceError:
        """Word what is wrong with one cell."""
        return cls(f"{source}, row {row}, column {column!r}: {problem}")

    @classmethod
    def no_column(cls, source: str, role: str, usual: Sequence[str], found: Sequence[str]) -> ServiceError:
        """Word a column that is needed and not there under any of its usual names."""
        return cls(
            f"{source}: no column for {role}. It is called {', '.join(map(repr, usual))}, or say which one it is: "
            f'columns={{"{role}": "…"}}. The table has {closest(role, found)}.'
        )

    @classmethod
    def repeated(cls, source: str, what: str, rows: Sequence[int], remedy: str) -> ServiceError:
        """Word two rows about the same thing."""
        return cls(f"{source}: {what} stands in rows {rows[0]} and {rows[1]}. {remedy}")
