"""What a table can have wrong before the questionnaire has a say, worded."""

from __future__ import annotations

from collections.abc import Sequence

from csat.errors import CsatWarning, DataError


class TableError(DataError):
    """A table whose form cannot be right: its header, its cells, its weights."""

    @classmethod
    def summary(cls, source: str) -> TableError:
        """Word a saved summary where answers are needed."""
        return cls(
            f"{source}: this is a saved summary, which has no respondents. csat.load_summary(path) reads it; methods "
            "take it like a survey."
        )

    @classmethod
    def other_header(cls, source: str, first: int, row: int, found: str) -> TableError:
        """Word a first row that is a title, while the names of the columns stand lower."""
        return cls(
            f"{source}: row {first} does not hold the names of the columns, but row {row} looks like it: {found}. "
            f"Pass header_row={row} (in the shell --header-row {row}), or delete the rows above."
        )

    @classmethod
    def formula(cls, source: str, cells: Sequence[str]) -> TableError:
        """Word cells whose formula was never computed."""
        more = f" and {len(cells) - 1} more cells" if len(cells) > 1 else ""
        return cls(
            f"{source}: cell {cells[0]}{more} holds a formula without its result, which would read as no answer. "
            "Open the workbook in Excel, save it, and read it again."
        )

    @classmethod
    def swallowed(cls, source: str, row: int, column: str, lines: int) -> TableError:
        """Word a cell in quotation marks that looks as if it held whole rows."""
        return cls(
            f"{source}, row {row}, column {column!r}: one cell in quotation marks runs over {lines} lines that look "
            "like rows of the table. Probably a quotation mark is missing or too many; if the cell is right, take "
            "the line breaks out of it."
        )

    @classmethod
    def no_number(cls, source: str, column: str, row: int, found: str) -> TableError:
        """Word a cell that is no number in a column whose first rows are."""
        return cls(
            f"{source}, row {row}: column {column!r} holds {found!r}, while its first rows hold numbers. Describe the "
            "column in the study as a number or a category."
        )

    @classmethod
    def no_day(cls, source: str, column: str) -> TableError:
        """Word a column whose first moments were days, and later ones are not."""
        return cls(
            f"{source}: column {column!r} holds moments within the day, while its first rows are at midnight and were "
            "taken as days. Store the column as dates, or as text."
        )

    @classmethod
    def weights_apart(
        cls, source: str, column: str, smallest: float, low_row: int, largest: float, high_row: int
    ) -> TableError:
        """Word weights so far apart that the small ones would drown."""
        return cls(
            f"{source}: the weights in {column!r} run from {smallest:g} (row {low_row}) to {largest:g} "
            f"(row {high_row}), {largest / smallest:.2g} times as much. Correct the one that is mistyped."
        )


class WeightWarning(CsatWarning):
    """Weights that look mistyped, or let few respondents speak for all."""

    @classmethod
    def heavy(cls, source: str, column: str, weight: float, row: int, share: float, n: int) -> WeightWarning:
        """Word one respondent who carries much of all weight."""
        return cls(
            f"{source}, row {row}: weight {weight:g} in {column!r} is {share:.1%} of the weight of all {n} "
            "respondents; every figure leans on this one. Correct it if it is mistyped, else trim the weights."
        )

    @classmethod
    def wide(
        cls, source: str, column: str, smallest: float, low_row: int, largest: float, high_row: int
    ) -> WeightWarning:
        """Word a largest weight that is many times the smallest."""
        return cls(
            f"{source}: the weights in {column!r} run from {smallest:g} (row {low_row}) to {largest:g} "
            f"(row {high_row}), {largest / smallest:.3g} times as much. Correct them if mistyped, else trim them."
        )
