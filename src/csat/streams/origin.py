"""`Origin`: whatever can hand out a table in pieces, as often as asked."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Protocol

from csat.read.raw import Raw
from csat.read.universe import Universe

#: Families of types: cells of one family can be put into one column.
NUMBER, TEXT, MOMENT, NOTHING = "numbers", "text", "moments", "nothing"


class Origin(Protocol):
    """A table that is larger than memory.

    name : for messages, without secrets.
    columns : name → family of types in each part of the source that has the column, with the name of that part.
    typed : columns have the types that their owner gave them; False for text files.
    ordered : rows keep their places from one pass to the next.
    lacking : part of the source → columns that it does not have.
    total : rows, if known without reading them.
    size : bytes that the whole table would take in memory, about.
    filled : it is certain that no row is blank.
    notes : how it is read.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> Mapping[str, Mapping[str, str]]: ...  # noqa: D102
    @property
    def typed(self) -> bool: ...  # noqa: D102
    @property
    def ordered(self) -> bool: ...  # noqa: D102
    @property
    def lacking(self) -> Mapping[str, Sequence[str]]: ...  # noqa: D102
    @property
    def total(self) -> int | None: ...  # noqa: D102
    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def filled(self) -> bool: ...  # noqa: D102
    @property
    def notes(self) -> tuple[str, ...]: ...  # noqa: D102

    def head(self) -> Raw:
        """The first rows, with every column: what tells numbers from text."""

    def pieces(self, names: Sequence[str], rows: int, universe: Universe | None) -> Generator[Raw, None, None]:
        """Tables of at most `rows` rows, in order, with the columns asked for; some rows outside may be left out.

        Columns come in the types of the source; one that a part of the source lacks is not there.
        """
