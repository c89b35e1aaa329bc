"""The verb ``csat pls``: which path model of composites, estimated how, and which tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from csat.cli.options import DRAWN_INTERVALS, USUAL_PLS_TABLES
from csat.cli.shell import Asked, show, survey_of
from csat.cli.structural import either, model_of

if TYPE_CHECKING:
    from csat.composites import Pls


def composites(asked: argparse.Namespace) -> None:
    """Estimate the path model and show the tables asked for; groups stand in the same tables."""
    wrong = next(_contradictions(asked), None)
    if wrong is not None:
        sys.stderr.write(f"csat pls: error: {wrong}\n")
        raise SystemExit(2)
    from csat.composites import pls

    about = survey_of(asked)
    draws = {} if asked.replicates is None else {"replicates": asked.replicates}
    found = pls(
        about.survey, model_of(about, asked), scheme=asked.scheme, scaled=not asked.unscaled,
        consistent=asked.consistent, by=asked.by, level=asked.level, se=asked.se, seed=asked.seed,
        interval=asked.interval, **draws,
    )  # fmt: skip
    for note in found.notes:
        if note.startswith("Not estimated"):
            sys.stderr.write(f"csat: note: {note} They are in --tables effects.\n")
    kinds = asked.tables or (() if asked.ipma else USUAL_PLS_TABLES)
    tables: list[tuple[Any, str | None]] = [(found, kind) for kind in kinds]
    tables += [(found.ipma(asked.ipma), None)] if asked.ipma else []
    if asked.scores:
        _write_scores(found, about, asked)
    show(asked, about, *tables)


def _contradictions(asked: argparse.Namespace) -> Iterator[str]:
    """What is wrong with the options, whatever the data are."""
    from csat.model import PRESETS

    rules = (
        (asked.replicates is not None and asked.se in ("replicates", "jackknife"),
         f"--replicates is a number of draws, for --se bootstrap, not {asked.se}"),
        (asked.interval in DRAWN_INTERVALS and asked.se == "jackknife",
         f"--interval {asked.interval} needs draws: --se bootstrap; of a jackknife take --interval t"),
        (asked.interval == "bca" and asked.se == "replicates",
         "--interval bca needs --se bootstrap, to which it adds a jackknife"),
        (asked.seed < 0, f"--seed {asked.seed} is no seed; write a whole number, 0 or more"),
        (asked.without and asked.model not in PRESETS, f"--without is for --model {either(tuple(PRESETS))}"),
    )  # fmt: skip
    return (said for found, said in rules if found)


def _write_scores(found: Pls, about: Asked, asked: argparse.Namespace) -> None:
    """Write the scores of the respondents: on 0–100 where the scales are known."""
    import numpy as np

    known = bool(np.isfinite(found.performance.estimate).all())
    made = found.scores(about.survey, unit="points" if known else "standardized")
    frame = made.scores
    if asked.by:
        frame = frame.assign(**{" × ".join(asked.by): made.groups})[[" × ".join(asked.by), *frame.columns]]
    frame.to_csv(asked.scores, encoding="utf-8")
    unit = "on 0-100" if known else "standardized"
    sys.stderr.write(f"csat: note: scores of {len(frame):,} respondents, {unit}, are in {asked.scores}.\n")
