"""Groups of one column: which of them differ by more than chance, in the index and item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.bases import Base
from csat.ranks import rank_interval
from csat.report.guidance import Advice
from csat.report.names import Names
from csat.report.sentences.said import MOST, advice_of, bracketed, listed, quoted
from csat.report.tables.cells import judge_rows, level_of
from csat.report.tables.pairs import pairs_of, part
from csat.report.tables.standing import column_of, judged, shown_groups
from csat.report.tenths import figures, tenth
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.indices import Index
    from csat.questionnaire import Questionnaire

#: Groups up to which every difference is told; of more, only who surely is in which half.
FEW = 6


def apart(
    index: Index,
    lang: str = "en",
    names: Questionnaire | None = None,
    *,
    items_only: bool = False,
    base: Word | str | None = None,
) -> Advice:
    """Say which groups differ, in the index and in which items most.

    Parameters
    ----------
    index : by one column.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    items_only : leave the index itself out, where `standing` has told of it.
    base : whom the sentences are about.

    Returns
    -------
    Advice
        Groups are called higher only if the difference is more than chance after Holm's correction: for all pairs of
        groups, and item by item for all pairs in all items. Groups too small to be shown take no part.

    Raises
    ------
    OptionError
        If the index has no groups, or those of several columns.
    """
    tidy, texts, column = index.tidy(), Names(lang, names), column_of(index)
    shown = shown_groups(index, texts)
    named = dict(zip(tidy[column], texts.values(column, list(tidy[column])), strict=True))
    lines = _lines(index, shown, column, named, texts, items_only=items_only)
    lines += [] if items_only else bases_of(index, column, texts)
    notes = [Word("apart.note", {"alpha": 1 - level_of(index)})]
    title = Word("title.apart", {"by": texts.running(column)})
    return advice_of("apart", title, lines, texts, notes=notes if len(shown) > 1 else [], base=base)


def _lines(
    index: Index, shown: pd.DataFrame, column: str, named: dict[Any, str], texts: Names, *, items_only: bool
) -> list[Word]:
    if len(shown) < 2:
        return [Word("apart.too_few", {"by": texts.running(column)})]
    if items_only:
        return _items(index, shown, column, named, texts)
    if len(shown) > FEW:
        return _halves(index, shown, column, named, texts)
    pairs = pairs_of(index.estimates, [shown.index.tolist()])
    found = pairs[pairs["apart"]]
    about = {"by": texts.running(column)}
    if found.empty:
        said = [Word("apart.none", about)]
    else:
        said = _higher(found, shown, column, named, texts)
        said += [Word("apart.rest")] if len(found) < len(pairs) else []
    return [*said, *_items(index, shown, column, named, texts)]


def _higher(found: pd.DataFrame, shown: pd.DataFrame, column: str, named: dict[Any, str], texts: Names) -> list[Word]:
    """A sentence for each group that lies above others, the highest group first."""
    lines = []
    for position, row in shown.sort_values("estimate", ascending=False, kind="stable").iterrows():
        lower = found[found["high"] == position].sort_values("gap", ascending=False, kind="stable")
        if lower.empty:
            continue
        losers = shown.loc[lower["low"].tolist()]
        blanks: dict[str, Any] = {
            "name": bracketed(named[row[column]], tenth(row["estimate"]), texts),
            "names": texts.listed(
                [bracketed(named[g], tenth(x), texts) for g, x in zip(losers[column], losers["estimate"], strict=True)]
            ),
        }
        if len(lower) == 1:
            gap = figures(*lower.iloc[0][["gap", "gap_low", "gap_high"]])
            lines.append(Word("apart.higher_by", blanks | gap))
        else:
            lines.append(Word("apart.higher", blanks))
    return lines


def _items(index: Index, shown: pd.DataFrame, column: str, named: dict[Any, str], texts: Names) -> list[Word]:
    """Items in which two groups differ, the widest differences first."""
    tidy = index.tidy()
    fit = (tidy["kind"] == "item") & tidy["estimate"].notna() & tidy[column].isin(shown[column])
    fit &= np.array([not base.hidden for base in judge_rows(tidy, ("n",), [column], texts.bases)], bool)
    families = [rows.index.tolist() for _, rows in tidy[fit].groupby("term", sort=False)]
    if not families:
        return []
    pairs = pairs_of(index.estimates, families)
    widest = pairs[pairs["apart"]].sort_values("gap", ascending=False, kind="stable")
    widest = widest.assign(term=[tidy["term"][row] for row in widest["high"]]).drop_duplicates("term")
    if widest.empty:
        return [Word("apart.no_item", {"count": len(families)})]
    said = [_contrast(row, tidy, column, named, texts) for row in widest.head(MOST).to_dict("records")]
    return [Word("apart.items", {"count": len(widest), "all": len(families), "names": texts.listed(said)})]


def _contrast(row: dict[Any, Any], tidy: pd.DataFrame, column: str, named: dict[Any, str], texts: Names) -> str:
    sides = [f"{named[tidy[column][row[side]]]} {tenth(tidy['estimate'][row[side]])}" for side in ("high", "low")]
    return bracketed(quoted(texts.code(row["term"])), texts.listed(sides), texts)


def _halves(index: Index, shown: pd.DataFrame, column: str, named: dict[Any, str], texts: Names) -> list[Word]:
    """Of many groups: who surely is in the upper and who in the lower half."""
    low, high = rank_interval(part(index.estimates, shown.index.tolist()), census=False)
    size = len(shown)
    halves = {"upper": high <= size / 2, "lower": low > (size + 1) / 2}
    lines = [
        Word(f"apart.{key}", {"names": listed([named[group] for group in shown[column][chosen]], texts)})
        for key, chosen in halves.items()
        if chosen.any()
    ]
    return lines or [Word("apart.no_halves", {"count": size})]


def bases_of(index: Index, column: str, texts: Names) -> list[Word]:
    """Groups that took no part because of their bases, and those to be read with care."""
    tops, verdicts = judged(index, texts)
    groups = {
        "apart.hidden": [verdict.hidden and n > 0 for verdict, n in zip(verdicts, tops["n"], strict=True)],
        "apart.small": [verdict is Base.SMALL for verdict in verdicts],
    }
    blanks = {"least": texts.bases.suppress, "most": texts.bases.flag - 1}
    return [
        Word(key, blanks | {"names": texts.listed(texts.values(column, list(tops[column][np.array(chosen, bool)])))})
        for key, chosen in groups.items()
        if any(chosen)
    ]
