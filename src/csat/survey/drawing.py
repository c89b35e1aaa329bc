"""What replicates of single respondents are drawn by: their id, so that neither order nor engine matters."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from csat.design import Design
from csat.questionnaire import Questionnaire
from csat.read import ROW
from csat.replicates import unit_of_row
from csat.streams.stages import HELPER, UNIT

#: Helper column of places that respondents are put in order by.
KEY = f"{HELPER}key"
#: Before the number of a row that stands for an empty id.
NO_ID = "\x1f"


def draws_rows(design: Design) -> bool:
    """Whether replicates are made for single respondents."""
    return design.replication is not None and not design.replicates and design.psu is None


def with_keys(table: pa.Table, questionnaire: Questionnaire | None) -> pa.Table:
    """The table with the column `KEY`: the respondent's place among the ids in order, as named units are put in order.

    Without ids the number of the row in the source.
    """
    names = _identity(table, questionnaire)
    key = table.column(ROW) if names is None else pc.rank(names, tiebreaker="first")
    return table.append_column(KEY, key)


def with_random_groups(table: pa.Table, questionnaire: Questionnaire | None, groups: int, seed: int) -> pa.Table:
    """The table with the column `UNIT`: the random group of each respondent, from the id or the number of the row."""
    names = _identity(table, questionnaire)
    drawn = unit_of_row(_places(table) if names is None else names, groups, seed)
    return table.append_column(UNIT, pa.array(drawn).cast(pa.string()))


def _identity(table: pa.Table, questionnaire: Questionnaire | None) -> pa.Array | None:
    """Ids: the column of kind "id", where it is empty the number of the row; None without such a column."""
    name = None if questionnaire is None else questionnaire.column_of_kind("id")
    if name is None or name not in table.column_names:
        return None
    return pc.coalesce(table.column(name).cast(pa.string()), _places(table)).combine_chunks()


def _places(table: pa.Table) -> pa.Array:
    """The number of each row in the source, as a text that is no id."""
    return pc.binary_join_element_wise("", table.column(ROW).cast(pa.string()), NO_ID).combine_chunks()
