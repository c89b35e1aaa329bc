"""Options of the verbs, and how their texts are read."""

from __future__ import annotations

import argparse


def data_options(verb: argparse.ArgumentParser) -> None:
    """Study, data, filter, how the data are read."""
    verb.add_argument("study", metavar="STUDY", help="study file: TOML, or a codebook in Excel or CSV")
    verb.add_argument(
        "data", metavar="DATA",
        help="answers: CSV, TSV, Excel, Parquet, SPSS or Stata; a folder, a pattern in quotes, or a database",
    )  # fmt: skip
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


def stream_options(verb: argparse.ArgumentParser) -> None:
    """How answers are read that are larger than memory, and which of them."""
    verb.add_argument(
        "--stream", action="store_true", default=None,
        help="read the rows anew for every figure, a batch at a time (default: only what is larger than --memory)",
    )  # fmt: skip
    verb.add_argument("--memory", metavar="SIZE", help="bound on batches and tables, e.g. 512MB (default: 1GB)")
    verb.add_argument(
        "--only", metavar="COLUMN=VALUE", action="append", type=_equation, default=[],
        help="read no other rows, as if they were not there; values as they stand in the data (compare --where)",
    )  # fmt: skip
    verb.add_argument("--query", metavar="SQL", help="of a database: a SELECT, or a table (default: its only table)")


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


#: Tables of ``csat drivers``, and those that are shown unless others are asked for.
DRIVER_TABLES = ("importance", "ipa", "regression", "stepwise", "penalty", "subsets", "diagnosis")
USUAL_TABLES = DRIVER_TABLES[:5]
#: Choices of the driver analysis; a test holds them to those of the methods.
FAMILIES = ("linear", "logit", "ordered")
ERRORS = ("design", "classical", "HC0", "HC1", "HC2", "HC3")
RULES = ("p", "aic", "bic", "adjr2")
DIRECTIONS = ("both", "forward", "backward")
METHODS = ("lmg", "johnson", "genizi", "car", "pmvd", "pratt", "first", "last", "betasq")
#: Bootstrap replicates on which a selection is redone.
USUAL_REPLICATES = 500
MOST_REPLICATES = 10_000


def driver_options(verb: argparse.ArgumentParser) -> None:
    """What is analysed, how, and which tables are shown."""
    verb.add_argument(
        "--outcome", metavar="CODE[=VALUE]",
        help="dependent variable; with =VALUE whether that was the answer (default: the study's)",
    )  # fmt: skip
    verb.add_argument(
        "--drivers", metavar="CODE[,CODE]", type=_names,
        help="drivers: questions, columns of categories, interactions a:b (default: the study's processes)",
    )  # fmt: skip
    verb.add_argument(
        "--tables", metavar="TABLE[,TABLE]", type=_tables,
        help=f"tables to show, of {', '.join(DRIVER_TABLES)}, or all (default: {', '.join(USUAL_TABLES)})",
    )  # fmt: skip
    verb.add_argument("--method", choices=METHODS, default="lmg", help="measure of importance (default: lmg)")
    verb.add_argument(
        "--cut", type=_cut, default="means", metavar="CUT",
        help="lines of the importance-performance map: means (default), iso, or PERFORMANCE,IMPORTANCE",
    )  # fmt: skip
    verb.add_argument(
        "--family", choices=FAMILIES, default="linear",
        help="of the regression table: linear (default), logit for two values, ordered for a scale",
    )  # fmt: skip
    verb.add_argument("--se", choices=ERRORS, default="design", help="standard errors (default: design)")
    verb.add_argument("--rule", choices=RULES, default="p", help="of the stepwise selection (default: p, as in SPSS)")
    verb.add_argument("--direction", choices=DIRECTIONS, default="both", help="of the steps (default: both)")
    verb.add_argument("--enter", type=_chance, default=0.05, metavar="P", help="p to enter (default: 0.05)")
    verb.add_argument("--remove", type=_chance, default=0.10, metavar="P", help="p to leave (default: 0.10)")
    verb.add_argument(
        "--replicates", type=_replicates, metavar="N",
        help=f"bootstrap replicates that the selection is redone on, 0 for none (default: {USUAL_REPLICATES})",
    )  # fmt: skip
    verb.add_argument("--seed", type=int, default=1, help="of the replicates (default: 1)")


#: Tables of ``csat sem``, and those that are shown unless others are asked for.
SEM_TABLES = ("fit", "paths", "loadings", "thresholds", "effects", "parameters")
USUAL_SEM_TABLES = ("fit", "parameters")
#: Choices of structural models; a test holds them to those of the methods.
ESTIMATORS = ("ML", "MLR", "MLM", "MLMV", "GLS", "ULS", "DWLS", "WLSMV")
GAPS = ("listwise", "fiml", "pairwise")
SEM_ERRORS = ("estimator", "bootstrap", "replicates", "parametric")
FEWEST_DRAWS = 50


def sem_options(verb: argparse.ArgumentParser) -> None:
    """Which model, how it is estimated, and what is shown."""
    verb.add_argument(
        "--model", metavar="FILE|PRESET",
        help="file with a model in lavaan's syntax, or ecsi, acsi or study (default: the study's [model])",
    )  # fmt: skip
    verb.add_argument(
        "--without", metavar="CONSTRUCT[,CONSTRUCT]", type=_names, default=[],
        help="constructs of a preset that were not asked",
    )  # fmt: skip
    verb.add_argument(
        "--estimator", choices=ESTIMATORS,
        help="default: MLR, whose errors and tests follow the design; ML with --se bootstrap, replicates, parametric",
    )  # fmt: skip
    verb.add_argument(
        "--missing", choices=GAPS,
        help="what becomes of gaps (default: fiml, every answer counts, where the other options allow it)",
    )  # fmt: skip
    verb.add_argument(
        "--ordered", metavar="CODE[,CODE]", type=_names,
        help="items taken as ordered categories by DWLS and WLSMV (default: all)",
    )  # fmt: skip
    verb.add_argument(
        "--se", choices=SEM_ERRORS, default="estimator",
        help="standard errors: the estimator's own (default), or from refits on replicates",
    )  # fmt: skip
    verb.add_argument(
        "--replicates", type=_draws, metavar="N", help="draws of --se bootstrap or parametric (default: 1000)"
    )
    verb.add_argument("--seed", type=int, default=1, help="of the draws (default: 1)")
    verb.add_argument("--group", metavar="COLUMN", help="estimate the groups of this column together")
    verb.add_argument(
        "--equal", metavar="KIND[,KIND]", type=_names, default=[],
        help="what the groups share, e.g. loadings,intercepts",
    )  # fmt: skip
    verb.add_argument(
        "--partial", metavar="RELATION", action="append", default=[],
        help="relation that stays free all the same, e.g. 'C12 ~1'; may be repeated",
    )  # fmt: skip
    verb.add_argument(
        "--invariance", action="store_true", help="test whether the groups understand the questions alike, and if so, "
        "compare their constructs",
    )  # fmt: skip
    verb.add_argument("--modification", action="store_true", help="show what the model leaves out, most gain first")
    verb.add_argument("--scores", metavar="FILE", help="write every respondent's scores on the constructs (CSV)")
    verb.add_argument(
        "--tables", metavar="TABLE[,TABLE]", type=_sem_tables,
        help=f"tables to show, of {', '.join(SEM_TABLES)} (default: {', '.join(USUAL_SEM_TABLES)})",
    )  # fmt: skip


#: Tables of ``csat pls``, and those that are shown unless others are asked for.
PLS_TABLES = ("paths", "constructs", "items", "cross", "effects")
USUAL_PLS_TABLES = ("constructs", "paths")
#: Choices of path models of composites; a test holds them to those of the method.
SCHEMES = ("path", "centroid", "factorial")
PLS_ERRORS = ("bootstrap", "replicates", "jackknife")
DRAWN_INTERVALS = ("percentile", "basic", "bias-corrected", "bca")
INTERVALS = (*DRAWN_INTERVALS, "normal", "t")


def pls_options(verb: argparse.ArgumentParser) -> None:
    """Which path model of composites, how it is estimated, and what is shown."""
    verb.add_argument(
        "--model", metavar="FILE|PRESET",
        help="file with a model in lavaan's syntax, or ecsi, acsi or study (default: the study's [model])",
    )  # fmt: skip
    verb.add_argument(
        "--without", metavar="CONSTRUCT[,CONSTRUCT]", type=_names, default=[],
        help="constructs of a preset that were not asked",
    )  # fmt: skip
    verb.add_argument("--scheme", choices=SCHEMES, default="path", help="how neighbours count (default: path)")
    verb.add_argument(
        "--consistent", action="store_true", help="correct constructs for attenuation by their items' errors (PLSc)"
    )
    verb.add_argument("--unscaled", action="store_true", help="weights of the answers in their own unit")
    verb.add_argument(
        "--se", choices=PLS_ERRORS,
        help="standard errors (default: the replicate weights that the study declares, else bootstrap)",
    )  # fmt: skip
    verb.add_argument("--replicates", type=_draws, metavar="N", help="draws of the bootstrap (default: 1000)")
    verb.add_argument("--seed", type=int, default=1, help="of the draws (default: 1)")
    verb.add_argument("--interval", choices=INTERVALS, help="kind of intervals (default: percentile of draws, else t)")
    verb.add_argument(
        "--ipma", metavar="CONSTRUCT", help="importance-performance map of this construct: what would raise it most"
    )
    verb.add_argument("--scores", metavar="FILE", help="write every respondent's scores on the constructs, 0-100 (CSV)")
    verb.add_argument(
        "--tables", metavar="TABLE[,TABLE]", type=_pls_tables,
        help=f"tables to show, of {', '.join(PLS_TABLES)} (default: {', '.join(USUAL_PLS_TABLES)}; none beside --ipma)",
    )  # fmt: skip


def trend_options(verb: argparse.ArgumentParser) -> None:
    """Periods and what changes are measured from."""
    verb.add_argument("--period", metavar="COLUMN", help="column of periods (default: the study's)")
    verb.add_argument("--every", help="join periods to month, quarter, half or year")
    verb.add_argument("--since", default="previous", help="previous, year, or a period (default: previous)")


def report_options(verb: argparse.ArgumentParser) -> None:
    """Language, formats, folder and notebook of the report; one for each group; what has changed since the last one."""
    verb.add_argument("--lang", choices=("zh", "en", "both"), default="zh", help="language (default: zh)")
    verb.add_argument(
        "--format", metavar="FORMAT[,FORMAT]", type=_formats,
        help="html, xlsx and others (default: the study's, else html,xlsx)",
    )  # fmt: skip
    verb.add_argument("--folder", default="report", help="where the files go (default: report)")
    verb.add_argument("--by", metavar="COLUMN", help="a report for each group of this column, and an overview")
    verb.add_argument(
        "--since", metavar="REPORT",
        help="report.json of an earlier report, or its folder: a section says what has changed (default: the study's)",
    )  # fmt: skip
    verb.add_argument("--seed", type=int, help="of everything drawn at random (default: the study's, else 1)")
    verb.add_argument("--notebook", help="an own notebook instead of the one in the package")
    verb.add_argument("--workers", type=int, help="processes that compute at the same time (default: one per core)")
    verb.add_argument("--quiet", action="store_true", help="no progress")


def new_options(verb: argparse.ArgumentParser) -> None:
    """Folder and language of a new study."""
    verb.add_argument("folder", metavar="FOLDER", help="folder to start the study in")
    verb.add_argument("--lang", choices=("en", "zh"), default="en", help="language of the notebook (default: en)")


def _tables(text: str) -> list[str]:
    names = list(DRIVER_TABLES) if text.strip() == "all" else _names(text)
    unknown = [name for name in names if name not in DRIVER_TABLES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no table; choose of {', '.join(DRIVER_TABLES)}, or all")
    return names


def _sem_tables(text: str) -> list[str]:
    return _tables_of(text, SEM_TABLES)


def _pls_tables(text: str) -> list[str]:
    return _tables_of(text, PLS_TABLES)


def _tables_of(text: str, known: tuple[str, ...]) -> list[str]:
    names = _names(text)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no table; choose of {', '.join(known)}")
    return names


def _cut(text: str) -> str | tuple[float, float]:
    if text in ("means", "iso"):
        return text
    try:
        performance, importance = (float(part) for part in text.split(","))
    except ValueError:
        message = f"{text!r}: write means, iso, or two numbers such as 70,10"
        raise argparse.ArgumentTypeError(message) from None
    return performance, importance


def _formats(text: str) -> list[str]:
    from csat.report.formats import FORMATS

    names = [name.strip().lower() for name in text.split(",")]
    unknown = [name for name in names if name not in FORMATS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no format; choose of {', '.join(FORMATS)}")
    return names


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


def _chance(text: str) -> float:
    try:
        chance = float(text)
    except ValueError:
        chance = 0.0
    if not 0 < chance <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no probability; write a number above 0, up to 1, e.g. 0.05")
    return chance


def _replicates(text: str) -> int:
    try:
        size = int(text)
    except ValueError:
        size = -1
    if size != 0 and not 2 <= size <= MOST_REPLICATES:
        message = f"{text!r} is no number of replicates; write 0, or from 2 to {MOST_REPLICATES}; one has no spread"
        raise argparse.ArgumentTypeError(message)
    return size


def _draws(text: str) -> int:
    try:
        size = int(text)
    except ValueError:
        size = 0
    if size < FEWEST_DRAWS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of draws; write {FEWEST_DRAWS} or more, e.g. 1000")
    return size


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
