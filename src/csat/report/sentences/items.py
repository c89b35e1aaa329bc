"""Items of the index: which are surely good or weak, and on which customers are divided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.comparisons.result import adjusted
from csat.distributions import two_sided_p
from csat.errors import OptionError
from csat.ranks import rank_interval
from csat.report.guidance import Advice
from csat.report.names import Names
from csat.report.sentences.pairs import part
from csat.report.sentences.said import advice_of, bracketed, figures, known, listed, quoted, tenth
from csat.report.tables.cells import groups_of, level_of
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.indices import Index
    from csat.questionnaire import Questionnaire

#: Verdicts on the dispersion of an item.
DIVIDED, AGREED = "divided", "agreed"


def strengths(
    index: Index, lang: str = "en", names: Questionnaire | None = None, *, base: Word | str | None = None
) -> Advice:
    """Say which items are best and weakest, whether that is sure, and where customers agree or are divided.

    Parameters
    ----------
    index : without groups.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    base : whom the sentences are about.

    Returns
    -------
    Advice
        Orders are stated as far as the simultaneous intervals of the ranks hold them (`csat.ranks`), dispersion as
        `dispersion` judges it.

    Raises
    ------
    OptionError
        If the index has groups.
    """
    if groups_of(index.tidy(), "estimate"):
        raise OptionError("strengths() is about everyone together: leave by= out, or take one group.")
    texts = Names(lang, names)
    ranked = ranked_items(index, texts)
    lines = [*_order(ranked, texts), *_spread(index, ranked, texts)]
    notes = [
        Word("strengths.note", {"level": level_of(index)}),
        Word("strengths.rule", {"alpha": 1 - level_of(index)}),
    ]
    return advice_of("strengths", Word("title.strengths"), lines, texts, notes=notes, base=base)


def ranked_items(index: Index, texts: Names) -> pd.DataFrame:
    """Items that may be shown, best first, with ``rank_low rank_high``: where the true rank lies, for all at once."""
    tidy = index.tidy()
    fit = (tidy["kind"] == "item") & tidy["estimate"].notna()
    fit &= np.array([not texts.bases.judge(float(n)).hidden for n in tidy["n"]], bool)
    rows = np.flatnonzero(fit).tolist()
    if not rows:
        return tidy.iloc[[]].assign(rank_low=[], rank_high=[])
    low, high = rank_interval(part(index.estimates, rows))
    return tidy.iloc[rows].assign(rank_low=low, rank_high=high).sort_values("estimate", ascending=False, kind="stable")


def rivals_of(ranked: pd.DataFrame, end: str) -> int:
    """How many other items the "best" or the "worst" one cannot be told apart from."""
    size = len(ranked)
    return int(ranked["rank_high"].iloc[0]) - 1 if end == "best" else size - int(ranked["rank_low"].iloc[-1])


def _order(ranked: pd.DataFrame, texts: Names) -> list[Word]:
    size = len(ranked)
    if size < 2:
        return []
    if all(rivals_of(ranked, end) == size - 1 for end in ("best", "worst")):
        return [Word("strengths.no_order", {"all": size})]
    lines = [_end("best", ranked.iloc[0], rivals_of(ranked, "best"), texts)]
    lines.append(_end("worst", ranked.iloc[-1], rivals_of(ranked, "worst"), texts))
    halves = {
        "upper": ranked.loc[ranked["rank_high"] <= size / 2, "term"],
        "lower": ranked.loc[ranked["rank_low"] > (size + 1) / 2, "term"][::-1],
    }
    for key, terms in halves.items():
        if len(terms) > 1:
            lines.append(
                Word(f"strengths.{key}", {"names": listed([quoted(texts.code(term)) for term in terms], texts)})
            )
    return lines


def _end(end: str, item: pd.Series, rivals: int, texts: Names) -> Word:
    blanks: dict[str, Any] = {"name": texts.code(item["term"]), "count": rivals}
    if not known(item["low"], item["high"]):
        return Word(f"strengths.{end}_only", blanks | {"estimate": tenth(item["estimate"])})
    blanks |= figures(item["estimate"], item["low"], item["high"])
    return Word(f"strengths.{end}" if rivals else f"strengths.{end}_sure", blanks)


def dispersion(index: Index, rows: Sequence[int], names: Names) -> np.ndarray:
    """Judge on which items customers agree or are divided more than on the others.

    An item's measure is its standard deviation over that of answers spread evenly over its scale, so that scales of
    different length compare. Its logarithm is compared with the mean of all items; the standard error of the logarithm
    of a standard deviation is 1/√(2·(n − 1)) for normal answers, taken with the effective base; p values are corrected
    for the number of items (Holm).

    Parameters
    ----------
    rows : positions of the items in the index.

    Returns
    -------
    (len(rows),) array of str
        "divided", "agreed" or "".
    """
    at = np.asarray(rows, int)
    sizes = np.fmin(index.estimates.n[at].astype(float), index.estimates.n_eff[at])
    with np.errstate(divide="ignore", invalid="ignore"):
        measure = np.log(index.sd[at] / _even(index, at, names))
        variance = 1 / (2 * (sizes - 1))
    usable = np.isfinite(measure) & np.isfinite(variance) & (sizes > 2)
    verdict = np.full(len(at), "", object)
    count = int(usable.sum())
    if count < 3:
        return verdict
    far = measure[usable] - measure[usable].mean()
    own = variance[usable]
    spread = own * (1 - 2 / count) + own.sum() / count**2
    p = adjusted(two_sided_p(far / np.sqrt(spread), np.inf), "holm")
    alpha = 1 - index.estimates.level
    verdict[usable] = np.select([(p < alpha) & (far > 0), (p < alpha) & (far < 0)], [DIVIDED, AGREED], "")
    return verdict


def _even(index: Index, at: np.ndarray, names: Names) -> np.ndarray:
    """Standard deviation of scores if every answer of the scale were as frequent; 1 where the scale is not known."""
    asked, found = names.questionnaire, []
    for row in at.tolist():
        code = index.estimates.term[row]
        levels = () if asked is None or code not in asked.codes else asked.scale_of(code).levels
        found.append(float(np.std(asked.scale_of(code).score(np.array(levels, float)))) if levels and asked else 1.0)
    return np.array(found)


def _spread(index: Index, ranked: pd.DataFrame, texts: Names) -> list[Word]:
    rows = ranked.index.tolist()
    verdict = dispersion(index, rows, texts)
    if ranked["sd"].notna().sum() < 3:
        return []
    lines = []
    for found, ascending in ((DIVIDED, False), (AGREED, True)):
        chosen = ranked[verdict == found].sort_values("sd", ascending=ascending, kind="stable")
        if len(chosen):
            pairs = zip(chosen["term"], chosen["sd"], strict=True)
            said = [bracketed(quoted(texts.code(term)), tenth(sd), texts) for term, sd in pairs]
            lines.append(Word(f"strengths.{found}", {"names": listed(said, texts)}))
    return lines or [Word("strengths.same_spread")]
