"""The verb ``csat sem``: which model, estimated how, and which tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csat.cli.options import USUAL_SEM_TABLES
from csat.cli.shell import Asked, each
from csat.errors import ModelError, OptionError

if TYPE_CHECKING:
    from csat.model import Model
    from csat.structural import Sem

#: A result and the kind of table that it is shown as.
Shown = tuple[Any, str | None]

#: Estimators that take whatever was answered, those that take pairs of answers, those of ordered categories.
_WITH_GAPS, _OF_PAIRS, _ORDINAL = ("ML", "MLR"), ("ML", "MLR", "MLM", "MLMV"), ("DWLS", "WLSMV")


def structural(asked: argparse.Namespace) -> None:
    """Estimate the model and show the tables asked for, group by group."""
    _settle(asked)
    wrong = next(_contradictions(asked), None)
    if wrong is not None:
        sys.stderr.write(f"csat sem: error: {wrong}\n")
        raise SystemExit(2)
    each(asked, lambda part: _tables(part, asked))


def _settle(asked: argparse.Namespace) -> None:
    """Decide what was left open: robust errors and every answer, where the rest of the call allows them."""
    asked.estimator = asked.estimator or ("MLR" if asked.se == "estimator" else "ML")
    gaps = asked.se == "estimator" and asked.estimator in _WITH_GAPS
    asked.missing = asked.missing or ("fiml" if gaps else "listwise")
    asked.tables = asked.tables or (() if asked.invariance else USUAL_SEM_TABLES)


def _contradictions(asked: argparse.Namespace) -> Iterator[str]:
    """What is wrong with the options, whatever the data are."""
    from csat.model import EQUAL, PRESETS

    estimator, se, missing = asked.estimator, asked.se, asked.missing
    ordinal, refits = estimator in _ORDINAL, se != "estimator"
    unknown = [kind for kind in asked.equal if kind not in EQUAL]
    rules = (
        (unknown, f"--equal {','.join(unknown)} is not known; choose of {', '.join(EQUAL)}"),
        (asked.equal and not asked.group, "--equal is about groups: name their column by --group COLUMN"),
        (asked.invariance and not asked.group, "--invariance compares groups: name their column by --group COLUMN"),
        (asked.invariance and asked.equal, "--invariance tests by itself what the groups share: leave --equal out"),
        (asked.invariance and refits, f"--invariance takes --se estimator, not {se}"),
        (asked.partial and not (asked.equal or asked.invariance), "--partial frees what --equal or --invariance share"),
        (asked.group in (asked.by or ()), f"--by and --group both name {asked.group!r}: apart, or together"),
        (missing == "fiml" and estimator not in _WITH_GAPS, f"--missing fiml is for --estimator {either(_WITH_GAPS)}"),
        (missing == "pairwise" and estimator not in _OF_PAIRS, f"--missing pairwise is for {either(_OF_PAIRS)}"),
        (refits and missing != "listwise", f"--se {se} refits complete answers: leave --missing {missing} out"),
        (refits and ordinal, f"--se {se} takes answers as numbers, not as --estimator {estimator} does"),
        (asked.replicates is not None and se not in ("bootstrap", "parametric"),
         "--replicates is a number of draws, for --se bootstrap or parametric"),
        (asked.seed < 0, f"--seed {asked.seed} is no seed; write a whole number, 0 or more"),
        (asked.ordered and not ordinal, f"--ordered is for --estimator {either(_ORDINAL)}"),
        ("thresholds" in asked.tables and not ordinal, f"--tables thresholds is for --estimator {either(_ORDINAL)}"),
        (asked.scores and ordinal, f"--scores takes answers as numbers, not as --estimator {estimator} does"),
        (asked.scores and asked.by, "--scores writes one file: leave --by out, or estimate groups together by --group"),
        (asked.without and asked.model not in PRESETS, f"--without is for --model {either(tuple(PRESETS))}"),
    )  # fmt: skip
    return (said for found, said in rules if found)


def either(names: Sequence[str]) -> str:
    """Names as alternatives.

    >>> either(("ML", "MLR", "MLM"))
    'ML, MLR or MLM'
    """
    return f"{', '.join(names[:-1])} or {names[-1]}"


def model_of(part: Asked, asked: argparse.Namespace) -> Model | str:
    """The model asked for: a preset measured as the study says, a file's, or the study's own."""
    from csat.model import PRESETS

    if asked.model in PRESETS:
        return _preset(part, asked)
    if asked.model is None:
        if part.study.model is None:
            raise OptionError(
                f"{asked.study} holds no structural model; add a [model] table with its syntax, or name one by --model."
            )
        return part.study.model
    try:
        return Path(asked.model).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        message = f"There is no file {asked.model!r}, and no preset of this name; presets are {either(tuple(PRESETS))}."
        raise OptionError(message) from None
    except (UnicodeDecodeError, IsADirectoryError):
        raise OptionError(f"--model {asked.model} is no text in UTF-8; write the model in a plain text file.") from None


def _preset(part: Asked, asked: argparse.Namespace) -> Model:
    from csat.model import Model

    try:
        return Model.from_questionnaire(part.study, asked.model, without=asked.without)
    except ModelError as problem:
        raise ModelError(f"{problem}\nWhat was not asked can be left out: --without CONSTRUCT.") from None


def _tables(part: Asked, asked: argparse.Namespace) -> list[Shown]:
    from csat.structural import modification_indices, sem

    model = model_of(part, asked)
    how: dict[str, Any] = {
        "estimator": asked.estimator, "missing": asked.missing, "group": asked.group, "level": asked.level,
        "ordered": (asked.ordered or True) if asked.estimator in _ORDINAL else (),
    }  # fmt: skip
    if asked.invariance:
        return _invariance(part, model, asked, how)
    draws = {} if asked.replicates is None else {"replicates": asked.replicates}
    found = sem(
        part.survey, model, equal=asked.equal, partial=asked.partial, se=asked.se, seed=asked.seed, **draws, **how
    )
    return [
        *((found, kind) for kind in asked.tables),
        *([(modification_indices(found), None)] if asked.modification else []),
        *([_scores(found, part, asked)] if asked.scores else []),
    ]


def _invariance(part: Asked, model: Model | str, asked: argparse.Namespace, how: dict[str, Any]) -> list[Shown]:
    """The steps, the means they allow to compare, and the model as far as invariance reaches."""
    from csat.structural import invariance, modification_indices

    found = invariance(part.survey, model, partial=asked.partial, **how)
    last = found.fit(found.reached or found.steps[0])
    return [
        (found, None),
        *([] if found.ordered else [(found, "means")]),
        *((last, kind) for kind in asked.tables),
        *([(modification_indices(last), None)] if asked.modification else []),
        *([_scores(last, part, asked)] if asked.scores else []),
    ]


def _scores(found: Sem, part: Asked, asked: argparse.Namespace) -> Shown:
    """Write the scores of the respondents, and say how good they are."""
    from csat.structural import factor_scores

    made = factor_scores(found, part.survey)
    made.scores.to_csv(asked.scores, encoding="utf-8")
    sys.stderr.write(f"csat: note: scores of {len(made.scores):,} respondents are in {asked.scores}.\n")
    return made, None
