"""What a structural model says, in sentences that claim no more than the fit and the intervals allow.

Rules, no judgement: paths are read only if the solution is admissible and the fit not poor; a path is stated only if
its interval leaves 0 out; the strongest is called so only if the intervals of the others end below its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from csat.bases import Base
from csat.errors import OptionError
from csat.report.description import Cell, Column
from csat.report.doubts import INADMISSIBLE, doubts_of
from csat.report.format import number
from csat.report.guidance import Advice
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.structural import bounded, respondents_of
from csat.report.words import Word

if TYPE_CHECKING:
    import pandas as pd

    from csat.questionnaire import Questionnaire
    from csat.structural import Sem

#: Usual limits of a good fit (Hu & Bentler 1999, Structural Equation Modeling 6(1)), and those past which a fit is poor
#: (Browne & Cudeck 1992, Sociological Methods & Research 21(2), on RMSEA; Bentler & Bonett 1980, Psychological Bulletin
#: 88(3), on CFI). Each: sign, good, poor; smaller is better where the sign is −1.
LIMITS = {"cfi": (1, 0.95, 0.90), "rmsea": (-1, 0.06, 0.08), "srmr": (-1, 0.08, 0.10)}


def reading(
    result: Sem, lang: str = "en", names: Questionnaire | None = None, *, base: Word | str | None = None
) -> Advice:
    """Say whether a structural model holds, what leads to what, and what speaks against it.

    Parameters
    ----------
    result : of `csat.sem`, without groups.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    base : whom the sentences are about.

    Raises
    ------
    OptionError
        For a model of several groups: read each in its table.
    """
    if len(result.groups) > 1:
        raise OptionError("reading() is about one group: fit the model to one, or show csat.table(result) of all.")
    texts = Names(lang, names)
    verdict = texts.bases.judge(result.measures.n)
    told = respondents_of(result, texts)
    lines = told[:1] if verdict.hidden else [*_fit(result, texts), *_paths(result, texts)]
    doubts = [] if verdict.hidden else list(doubts_of(result, texts))
    whom: list[Word | str] = [] if base is None else [Word("note.base", {"base": base})]
    rows = tuple((Cell(line),) for line in (*lines, *doubts))
    column = (Column("sentence", Word("column.reading")),)
    small: tuple[Word, ...] = () if verdict is Base.SMALL or verdict.hidden else (Word("note.arrows"), *told)
    return Advice(Table("reading", Word("title.reading"), column, rows, lang, notes=(*whom, *small)))


def _indices(result: Sem) -> dict[str, float]:
    """CFI, RMSEA and SRMR; the robust ones where there are any, the scaled ones where these cannot be."""
    figures: dict[Any, Any] = result.glance().iloc[0].to_dict()
    kind = next((k for k in ("_robust", "_scaled") if np.isfinite(figures.get(f"cfi{k}", np.nan))), "")
    return {"cfi": figures[f"cfi{kind}"], "rmsea": figures[f"rmsea{kind}"], "srmr": figures["srmr"]}


def verdict_of(result: Sem) -> str:
    """How a model fits: "good", "fair" (some limit missed), "poor", or "unknown" (nothing to test)."""
    found = _indices(result)
    if result.measures.df == 0 or not np.isfinite(list(found.values())).all():
        return "unknown"
    if any(sign * found[name] < sign * poor for name, (sign, _, poor) in LIMITS.items()):
        return "poor"
    missed = any(sign * found[name] < sign * good for name, (sign, good, _) in LIMITS.items())
    return "fair" if missed else "good"


def _fit(result: Sem, texts: Names) -> list[Word]:
    found = {name: bounded(value, texts) for name, value in _indices(result).items()}
    return [Word(f"reading.fit_{verdict_of(result)}", found)]


def _readable(result: Sem) -> bool:
    """Whether paths mean anything."""
    bad = INADMISSIBLE & {doubt.kind.__name__ for doubt in result.doubts}
    return not bad and verdict_of(result) != "poor"


def _paths(result: Sem, texts: Names) -> list[Word]:
    """For every explained construct: its strongest path, the others, those that are open, and the share explained."""
    if not _readable(result):
        return [Word("reading.no_paths")]
    frame = result.standardized("all")
    frame = frame[(frame["op"] == "~") & (frame["se"] > 0)]
    shares = dict(zip(result.r2["term"], result.r2["r2"], strict=True))
    return [
        line
        for target in dict.fromkeys(frame["lhs"])
        for line in lines_of_target(frame[frame["lhs"] == target], shares.get(target, np.nan), result.level, texts)
    ]


def lines_of_target(paths: pd.DataFrame, share: float, level: float, texts: Names) -> list[Word]:
    """Sentences on the paths to one construct, of any estimator.

    paths : rows with ``lhs rhs estimate low high``, standardised. share : of its variance that is explained; NaN: none.
    """
    target = texts.construct(paths["lhs"].iloc[0])
    clear = paths[(paths["low"] > 0) | (paths["high"] < 0)]
    clear = clear.reindex(clear["estimate"].abs().sort_values(ascending=False, kind="stable").index)
    unclear = paths.drop(clear.index)
    lines = []
    if len(clear):
        lines.append(_first(clear, target, level, texts, alone=len(paths) == 1))
    if len(clear) > 1:
        lines.append(Word("reading.then", {"listed": _listed(clear.iloc[1:], texts), "target": target}))
    if len(unclear):
        lines.append(Word("reading.open", {"listed": _listed(unclear, texts), "target": target, "level": level}))
    if np.isfinite(share) and len(clear):
        lines.append(
            Word("reading.share" if len(paths) > 1 else "reading.share_alone", {"r2": share, "target": target})
        )
    return lines


def _first(clear: pd.DataFrame, target: str, level: float, texts: Names, *, alone: bool) -> Word:
    """The strongest path, and whether it surely is."""
    top, others = clear.iloc[0], clear.iloc[1:]
    sizes = np.sort(np.abs(others[["low", "high"]].to_numpy(float)), axis=1)[:, 1:]
    rivals = others[sizes[:, 0] >= np.abs([top["low"], top["high"]]).min()] if len(others) else others
    way = "up" if top["estimate"] > 0 else "down"
    blanks: dict[str, Any] = {"name": texts.construct(top["rhs"]), "target": target, "level": level}
    blanks |= {key: number(float(top[key]), "score") for key in ("estimate", "low", "high")}
    if alone or not len(others):
        return Word(f"reading.only_{way}", blanks)
    if len(rivals):
        listed = texts.listed([texts.construct(name) for name in rivals["rhs"]])
        return Word(f"reading.first_{way}", blanks | {"rivals": listed})
    return Word(f"reading.strongest_{way}", blanks)


def _listed(paths: pd.DataFrame, texts: Names) -> str:
    """Names in a row, each with its path in brackets."""
    frame = "{}（{}）" if texts.lang == "zh" else "{} ({})"
    values = [number(float(value), "score") for value in paths["estimate"]]
    return texts.listed([frame.format(texts.construct(n), v) for n, v in zip(paths["rhs"], values, strict=True)])
