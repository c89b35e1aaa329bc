"""Options of the verbs, and how their texts are read."""

from __future__ import annotations

import argparse


def data_options(verb: argparse.ArgumentParser) -> None:
    """Study, data, filter, how the data are read."""
    verb.add_argument("study", metavar="STUDY", help="study file: TOML, or a codebook in Excel or CSV")
    verb.add_argument("data", metavar="DATA", help="answers: CSV, TSV, Excel, Parquet, SPSS or Stata")
    verb.add_argument(
        "--where", metavar="COLUMN=VALUE", action="append", type=_equation, default=[],
        help="only these respondents; several columns mean all of them, the same column again means or",
    )  # fmt: skip
    verb.add_argument(
        "--on-unknown", choices=("raise", "missing"), default="raise",
        help="answers that the study does not know: stop (default), or count them as missing",
    )  # fmt: skip
    verb.add_argument(
        "--on-absent", choices=("raise", "missing"), default="raise",
        help="questions that the data lack: stop (default), or count them as not asked",
    )  # fmt: skip
    verb.add_argument("--sheet", help="sheet of an Excel workbook (default: the first)")
    verb.add_argument("--header-row", type=int, metavar="ROW", help="row that names the columns, from 1 (default: 1)")
    verb.add_argument("--encoding", help="encoding of a text file (default: found out)")


def table_options(verb: argparse.ArgumentParser) -> None:
    """Language and form of the tables."""
    verb.add_argument("--lang", choices=("en", "zh"), default="en", help="language of the tables (default: en)")
    verb.add_argument(
        "--output", choices=("text", "csv", "json"), default="text",
        help="form of the tables (default: text); csv and json hold codes and unrounded figures",
    )  # fmt: skip
    verb.add_argument("--bom", action="store_true", help="begin csv with a byte-order mark, so that Excel reads UTF-8")


def own_option(verb: argparse.ArgumentParser) -> None:
    """The report's base."""
    verb.add_argument("--own", action="store_true", help="as the report: only the study's own group and period")


def level_option(verb: argparse.ArgumentParser) -> None:
    """Confidence level."""
    verb.add_argument("--level", type=_level, default=0.95, help="confidence level of the intervals (default: 0.95)")


def by_option(verb: argparse.ArgumentParser) -> None:
    """Grouping columns."""
    verb.add_argument("--by", metavar="COLUMN[,COLUMN]", type=_names, help="group by these columns")


def gap_options(verb: argparse.ArgumentParser) -> None:
    """Who is compared with whom, and what counts as a difference."""
    verb.add_argument("--by", metavar="COLUMN", help="column that tells own from peer (default: the study's)")
    verb.add_argument(
        "--against", metavar="PEER", help="whom to compare with: a group, all or others (default: the study's peers)"
    )
    verb.add_argument(
        "--own", metavar="GROUP", nargs="?", const=True,
        help="own group (default: the study's); without GROUP as the report: the study's own group and period",
    )  # fmt: skip
    verb.add_argument(
        "--adjust", choices=("holm", "bh", "none"), default="holm", help="correction of p (default: holm)"
    )
    verb.add_argument("--margin", type=_points, default=2.0, help="points of no practical weight (default: 2)")


def operator_option(verb: argparse.ArgumentParser) -> None:
    """Operator of the fuzzy evaluation."""
    verb.add_argument(
        "--operator", help="weighted-average, min-max, product-max, min-sum or product-sum (default: the study's)",
    )  # fmt: skip


def fuzzy_options(verb: argparse.ArgumentParser) -> None:
    """Operator and membership."""
    operator_option(verb)
    verb.add_argument("--membership", help="share or triangular (default: the study's)")


def trend_options(verb: argparse.ArgumentParser) -> None:
    """Periods and what changes are measured from."""
    verb.add_argument("--period", metavar="COLUMN", help="column of periods (default: the study's)")
    verb.add_argument("--every", help="join periods to month, quarter, half or year")
    verb.add_argument("--since", default="previous", help="previous, year, or a period (default: previous)")


def report_options(verb: argparse.ArgumentParser) -> None:
    """Language, folder and notebook of the report."""
    verb.add_argument("--lang", choices=("zh", "en", "both"), default="zh", help="language (default: zh)")
    verb.add_argument("--folder", default="report", help="where page and workbook go (default: report)")
    verb.add_argument("--notebook", help="an own notebook instead of the one in the package")
    verb.add_argument("--quiet", action="store_true", help="no progress")


def new_options(verb: argparse.ArgumentParser) -> None:
    """Folder and language of a new study."""
    verb.add_argument("folder", metavar="FOLDER", help="folder to start the study in")
    verb.add_argument("--lang", choices=("en", "zh"), default="en", help="language of the notebook (default: en)")


def _equation(text: str) -> tuple[str, str]:
    column, sign, value = text.partition("=")
    if not (column and sign):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form COLUMN=VALUE, e.g. brand=gotone")
    return column.strip(), value.strip()


def _level(text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if not 0 < level < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no confidence level; write a number between 0 and 1, e.g. 0.95")
    return level


def _points(text: str) -> float:
    try:
        points = float(text)
    except ValueError:
        points = -1.0
    if not 0 <= points < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of points; write 0 or more, e.g. 2")
    return points


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r}: write column names separated by commas, e.g. branch,brand")
    return names
