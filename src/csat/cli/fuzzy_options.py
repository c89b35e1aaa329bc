"""Options of ``csat evaluate``."""

from __future__ import annotations

import argparse

from csat.cli.options import _draws, _names, _tables_of

#: Tables of ``csat evaluate``, and those that are shown unless others are asked for.
FUZZY_TABLES = (
    *("evaluation", "summary", "verdicts", "memberships", "operators", "sensitivity", "differences"),
    *("weights", "judges", "judgements", "consistency"),
)
USUAL_FUZZY_TABLES = ("evaluation",)
#: What a fuzzy evaluation reads and draws; a test holds them to those of the method.
FUZZY_OF, FUZZY_OVER = ("answers", "mean"), ("answers", "weights", "none")


def fuzzy_options(verb: argparse.ArgumentParser) -> None:
    """How a fuzzy evaluation is made, with which weights, and what is shown."""
    verb.add_argument(
        "--operator", help="weighted-average, min-max, product-max, min-sum or product-sum (default: the study's)",
    )  # fmt: skip
    verb.add_argument("--membership", help="share, triangular, trapezoidal, gaussian or ridge (default: the study's)")
    verb.add_argument("--of", choices=FUZZY_OF, default="answers", help="memberships of answers (default) or of means")
    verb.add_argument(
        "--weights", metavar="FILE",
        help="factor weights instead of the study's: TOML (code = weight, a table for each dimension) or CSV "
        "(columns factor,weight, or dimension,factor,weight)",
    )  # fmt: skip
    verb.add_argument(
        "--ahp", metavar="FILE",
        help="weights from pairwise judgements: CSV with a square matrix, or the columns first,second,value, and "
        "judge and dimension where there are several",
    )  # fmt: skip
    verb.add_argument(
        "--accept", type=_ratio, default=0.10, metavar="CR",
        help="largest consistency ratio of a judge, or any (default: 0.10)",
    )  # fmt: skip
    verb.add_argument(
        "--over", metavar="WHAT[,WHAT]", type=_over, default=["answers"],
        help="what is drawn again for probabilities: answers (default), weights, both, or none",
    )  # fmt: skip
    verb.add_argument("--replicates", type=_draws, metavar="N", default=500, help="draws (default: 500)")
    verb.add_argument("--seed", type=int, default=0, help="of the draws (default: 0)")
    verb.add_argument(
        "--tables", metavar="TABLE[,TABLE]", type=_fuzzy_tables,
        help=f"tables to show, of {', '.join(FUZZY_TABLES)} (default: {', '.join(USUAL_FUZZY_TABLES)})",
    )  # fmt: skip


def _fuzzy_tables(text: str) -> list[str]:
    return _tables_of(text, FUZZY_TABLES)


def _over(text: str) -> list[str]:
    names = _names(text)
    unknown = [name for name in names if name not in FUZZY_OVER]
    if unknown or ("none" in names and len(names) > 1):
        raise argparse.ArgumentTypeError(f"{text!r}: write answers, weights, answers,weights, or none")
    return [] if names == ["none"] else names


def _ratio(text: str) -> float | None:
    if text == "any":
        return None
    try:
        ratio = float(text)
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no consistency ratio; write a number from 0 to 1, or any")
    return ratio
