"""The verb ``csat evaluate``: with which weights, over what, and which tables."""

from __future__ import annotations

import argparse
import csv
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csat.cli.fuzzy_options import USUAL_FUZZY_TABLES
from csat.cli.shell import show, survey_of
from csat.errors import OptionError

if TYPE_CHECKING:
    from csat.fuzzy import Ahp

#: Tables about pairwise judgements.
OF_JUDGES = ("weights", "judges", "judgements", "consistency")
#: Columns of a CSV file of weights and of one of judgements; those in brackets may be missing.
WEIGHTS = "[dimension,]factor,weight"
JUDGEMENTS = "[dimension,][judge,]first,second,value"


def fuzzy(asked: argparse.Namespace) -> None:
    """Evaluate and show the tables asked for; with judgements, their weights and consistency first."""
    wrong = next(_contradictions(asked), None)
    if wrong is not None:
        sys.stderr.write(f"csat evaluate: error: {wrong}\n")
        raise SystemExit(2)
    from csat.fuzzy import evaluate

    about = survey_of(asked)
    judged = read_judgements(asked.ahp, asked.accept) if asked.ahp else {}
    weights: Any = read_weights(asked.weights) if asked.weights else None
    if judged:
        weights = judged[""] if set(judged) == {""} else judged
    found = evaluate(
        about.survey, by=asked.by, weights=weights, operator=asked.operator, membership=asked.membership, of=asked.of,
        over=asked.over, replicates=asked.replicates, seed=asked.seed, level=asked.level,
    )  # fmt: skip
    kinds = asked.tables or USUAL_FUZZY_TABLES
    tables: list[tuple[Any, str | None]] = [(one, kind) for one in judged.values() for kind in _of_judges(one, kinds)]
    show(asked, about, *tables, *((found, kind) for kind in kinds if kind not in OF_JUDGES))


def _of_judges(found: Ahp, kinds: list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Tables of judgements asked for; else weights and consistency, and the judges if there are several."""
    named = tuple(kind for kind in kinds if kind in OF_JUDGES)
    return named or ("weights", "consistency", *(["judges"] if len(found.judges) > 1 else []))


def _contradictions(asked: argparse.Namespace) -> Iterator[str]:
    """What is wrong with the options, whatever the data are."""
    about_judges = [kind for kind in asked.tables or () if kind in OF_JUDGES]
    rules = (
        (asked.weights and asked.ahp, "--weights and --ahp both give weights; choose one"),
        (about_judges and not asked.ahp, f"--tables {','.join(about_judges)} is about judgements: --ahp FILE"),
        ("differences" in (asked.tables or ()) and not asked.by, "--tables differences compares groups: --by COLUMN"),
        ("weights" in asked.over and not (asked.weights or asked.ahp), "--over weights draws those of --ahp FILE"),
        (asked.seed < 0, f"--seed {asked.seed} is no seed; write a whole number, 0 or more"),
    )
    return (said for found, said in rules if found)


def read_weights(path: str) -> dict[str, Any]:
    """Weights by code, or dimension → weights by child, from a TOML or CSV file.

    Raises
    ------
    OptionError
        For a file that holds something else, naming the place.
    """
    if path.lower().endswith(".toml"):
        return _of_toml(path)
    found: dict[str, dict[str, float]] = {}
    for line, row in _rows(path, ("factor", "weight"), WEIGHTS):
        of = found.setdefault(row.get("dimension", ""), {})
        if row["factor"] in of:
            raise OptionError(f"{path}, line {line}: {row['factor']!r} has a weight already.")
        of[row["factor"]] = _number(row["weight"], path, line)
    return dict(found[""]) if set(found) == {""} else dict(found)


def _of_toml(path: str) -> dict[str, Any]:
    """A table of weights by code, in a table per dimension if there are several; [weights] may stand around them."""
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise OptionError(f"{path} is no TOML file: {problem}") from None
    found = table["weights"] if set(table) == {"weights"} and isinstance(table["weights"], dict) else table
    for code, value in found.items():
        inner = value if isinstance(value, dict) else {code: value}
        for name, weight in inner.items():
            if isinstance(weight, bool) or not isinstance(weight, int | float):
                raise OptionError(f"{path}: the weight of {name!r} is a number; found {weight!r}.")
    return dict(found)


def read_judgements(path: str, accept: float | None = 0.10) -> dict[str, Ahp]:
    """Weights from the pairwise judgements of a CSV file: dimension → result, "" where the file names none.

    A square matrix with the factors as the header and as the first column; or a line per judgement, with the columns
    of `JUDGEMENTS`. Judgements may be written as fractions: 1/3.

    Raises
    ------
    OptionError, JudgementError
        For files that cannot be read, and judgements that do not hold together.
    """
    from csat.fuzzy import ahp

    header, *body = _lines(path) or [(1, [])]
    names = [name.strip() for name in header[1]]
    if "first" not in names:
        return {"": ahp(_matrix(path, names, body), accept=accept)}
    found: dict[str, dict[str, dict[tuple[str, str], float]]] = {}
    for line, row in _rows(path, ("first", "second", "value"), JUDGEMENTS):
        judge = found.setdefault(row.get("dimension", ""), {}).setdefault(row.get("judge", ""), {})
        pair = (row["first"], row["second"])
        if pair in judge:
            raise OptionError(f"{path}, line {line}: {pair[0]!r} over {pair[1]!r} is judged already.")
        judge[pair] = _number(row["value"], path, line)
    return {
        dimension: ahp(judges[""] if set(judges) == {""} else judges, accept=accept)
        for dimension, judges in found.items()
    }


def _matrix(path: str, names: list[str], body: list[tuple[int, list[str]]]) -> Any:
    """A square of judgements as a frame."""
    import pandas as pd

    factors = names[1:]
    rows = {}
    for line, cells in body:
        if len(cells) != len(names):
            raise OptionError(
                f"{path}, line {line}: {len(cells)} cells under {len(names)} headings. A file of judgements is a "
                f"square matrix with the factors as header and first column, or has the columns {JUDGEMENTS}."
            )
        rows[cells[0].strip()] = [_number(cell, path, line) for cell in cells[1:]]
    return pd.DataFrame.from_dict(rows, orient="index", columns=factors)


def _rows(path: str, needed: tuple[str, ...], columns: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line number and cells by heading of a CSV file."""
    header, *body = _lines(path) or [(1, [])]
    names = [name.strip() for name in header[1]]
    lacking = [name for name in needed if name not in names]
    if lacking or not body:
        what = f"the column {lacking[0]!r} is missing" if lacking else "it has no lines"
        raise OptionError(f"{path}: {what}; a CSV file with the columns {columns} is needed.")
    for line, cells in body:
        if len(cells) != len(names):
            raise OptionError(f"{path}, line {line}: {len(cells)} cells under {len(names)} headings.")
        yield line, dict(zip(names, (cell.strip() for cell in cells), strict=True))


def _lines(path: str) -> list[tuple[int, list[str]]]:
    """Lines of a CSV file that are not empty, with their numbers."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except (UnicodeDecodeError, csv.Error) as problem:
        raise OptionError(f"{path} is no CSV file in UTF-8: {problem}") from None


def _number(text: str, path: str, line: int) -> float:
    """A number, which may be a fraction."""
    above, stroke, below = text.strip().partition("/")
    try:
        value = float(above) / (float(below) if stroke else 1.0)
    except (ValueError, ZeroDivisionError):
        raise OptionError(f"{path}, line {line}: {text!r} is no number; write 0.4, 3 or 1/3.") from None
    return value
