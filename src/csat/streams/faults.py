"""What can go wrong with sources that are read in passes, worded."""

from __future__ import annotations

from collections.abc import Sequence

from csat.errors import CsatError, DataError


class StreamError(DataError):
    """A file, folder or database that cannot be read in passes as it is."""

    @classmethod
    def mixed(cls, source: str, counts: Sequence[str]) -> StreamError:
        """Word a folder with files of several formats."""
        return cls(
            f"{source}: the folder holds {' and '.join(counts)} files; one format is read at a time. Name one with a "
            "pattern, such as 'folder/*.parquet'."
        )

    @classmethod
    def nothing(cls, source: str, endings: Sequence[str]) -> StreamError:
        """Word a folder or pattern without a file to read."""
        return cls(f"{source}: there is no {', '.join(endings)} file here; survey files larger than memory are those.")

    @classmethod
    def damaged(cls, file: str, reason: object, row: int | None = None) -> StreamError:
        """Word a file that cannot be decoded, and how far it could."""
        after = f", after row {row}" if row is not None else ""
        first = str(reason).partition("\n")[0].rstrip(".")
        return cls(f"{file}{after}: cannot be read ({first}). The file is damaged or was not finished: write it again.")

    @classmethod
    def changed(cls, file: str) -> StreamError:
        """Word a file that was written again, or deleted, between passes."""
        return cls(
            f"{file}: the file has changed, or is gone, since csat.read_survey opened it. A stream reads it anew for "
            "every figure, and figures of different files do not belong together: call csat.read_survey again."
        )

    @classmethod
    def lacking(cls, source: str, lines: Sequence[str]) -> StreamError:
        """Word columns that some files of a folder have and others lack."""
        return cls(
            f"{source}: the files do not have the same columns: {'; '.join(lines)}. If the questions were not asked "
            'there, read_survey(..., on_absent="missing") takes them as not asked.'
        )

    @classmethod
    def two_types(cls, source: str, column: str, one: str, other: str) -> StreamError:
        """Word a column that is a number in one file and text in another."""
        return cls(
            f"{source}: column {column!r} holds {one} but {other}. Describe the column in the study (a question, "
            "or a column of kind 'category' or 'number'), or write the files again with one type."
        )

    @classmethod
    def repeated(cls, source: str, column: str, examples: Sequence[str]) -> StreamError:
        """Word interviews that a database holds twice: it has no order that would make one of them the first."""
        return cls(
            f"{source}: {column!r} should name each interview once, but occurs more than once: {', '.join(examples)}. "
            f"Choose one row of each in the query: DISTINCT ON ({column}), with the order that says which comes first."
        )


class RowsError(CsatError, AttributeError):
    """Rows were asked of a source that is read in passes and keeps none."""

    @classmethod
    def asked(cls, what: str, source: str) -> RowsError:
        """Word the request and the way to rows."""
        return cls(
            f"{what!r} needs the respondents' rows, and {source} is streamed: no row stays in memory. Read the part "
            "that you need as a survey: csat.read_survey(..., only={'column': ['value']}, stream=False)."
        )
