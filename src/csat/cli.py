"""The command ``csat``: every method from the shell.

Tables go to stdout, messages and progress to stderr. Exit codes: 0 done, 1 wrong data or study (the message says
what and where), 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from csat.errors import CsatError, CsatWarning, OptionError
from csat.version import __version__

if TYPE_CHECKING:
    from csat.report.jupyter import Table
    from csat.survey import Survey

DONE, WRONG_DATA, PIPE_CLOSED, INTERRUPTED = 0, 1, 141, 130

EXAMPLES = """\
examples:
  csat new quarter-3                              a folder with a study.toml and the report's notebook
  csat check study.toml answers.csv               what became of every row and code
  csat index study.toml answers.csv --by brand    the index of each brand
  csat report study.toml answers.csv --lang both  page and workbook in Chinese and English
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    arguments : of the command line, without the program's name; None: those of the process.

    Raises
    ------
    SystemExit
        With code 2 for wrong usage, 0 after ``--help`` or ``--version``.
    """
    _speak_unicode()
    asked = _parser().parse_args(arguments)
    try:
        with _warnings_in_words():
            asked.run(asked)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe (head, less) has gone: nothing to complain about, and nowhere to write it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (CsatError, OSError) as problem:
        sys.stderr.write(f"csat: {problem}\n")
        return WRONG_DATA
    return DONE


def _speak_unicode() -> None:
    """Make Chinese printable: a terminal that claims ASCII gets UTF-8, another one what it can show."""
    for stream in (sys.stdout, sys.stderr):
        change = getattr(stream, "reconfigure", None)
        encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "").replace("_", "")
        if change is None or encoding.startswith("utf"):
            continue
        if encoding in ("ascii", "ansix3.41968", "usascii", "646"):
            change(encoding="utf-8")
        else:
            change(errors="replace")


@contextmanager
def _warnings_in_words() -> Iterator[None]:
    """Write csat's warnings to stderr as sentences, each once."""
    said: set[str] = set()

    def say(message: Warning | str, category: type[Warning], *_: Any) -> None:
        text = str(message)
        if issubclass(category, CsatWarning) and text not in said:
            said.add(text)
            sys.stderr.write(f"csat: note: {text}\n")

    with warnings.catch_warnings():
        warnings.simplefilter("default", CsatWarning)
        warnings.showwarning = say  # type: ignore[assignment]
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="csat",
        description="Customer-satisfaction survey analytics.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"csat {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, (run, text, options) in VERBS.items():
        verb = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        verb.set_defaults(run=run)
        for add in options:
            add(verb)
    return parser


def _data_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("study", metavar="STUDY", help="study file: TOML, or a codebook in Excel or CSV")
    verb.add_argument("data", metavar="DATA", help="answers: CSV, TSV, Excel, Parquet, SPSS or Stata")
    verb.add_argument(
        "--where", metavar="COLUMN=VALUE", action="append", type=_equation, default=[],
        help="only these respondents; may be given several times",
    )  # fmt: skip
    verb.add_argument(
        "--on-unknown", choices=("raise", "missing"), default="raise",
        help="answers that the study does not know: stop (default), or count them as missing",
    )  # fmt: skip


def _table_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--lang", choices=("en", "zh"), default="en", help="language of the tables (default: en)")
    verb.add_argument(
        "--output", choices=("text", "csv", "json"), default="text",
        help="form of the tables (default: text); csv and json hold codes and unrounded figures",
    )  # fmt: skip


def _level_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--level", type=_level, default=0.95, help="confidence level of the intervals (default: 0.95)")


def _by_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--by", metavar="COLUMN[,COLUMN]", type=_names, help="group by these columns")


def _gap_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--by", metavar="COLUMN", help="column that tells own from peer (default: the study's)")
    verb.add_argument("--against", metavar="PEER", help="whom to compare with (default: the study's peers)")
    verb.add_argument("--own", metavar="GROUP", help="own group (default: the study's)")


def _operator_option(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--operator", help="weighted-average, min-max, product-max, min-sum or product-sum (default: the study's)",
    )  # fmt: skip


def _report_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--lang", choices=("zh", "en", "both"), default="zh", help="language (default: zh)")
    verb.add_argument("--folder", default="report", help="where page and workbook go (default: report)")
    verb.add_argument("--notebook", help="an own notebook instead of the one in the package")
    verb.add_argument("--quiet", action="store_true", help="no progress")


def _new_options(verb: argparse.ArgumentParser) -> None:
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


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r}: write column names separated by commas, e.g. branch,brand")
    return names


def _domain(equations: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Turn column = value pairs into the arguments of `Survey.where`: two values of a column mean either."""
    domain: dict[str, list[str]] = {}
    for column, value in equations:
        domain.setdefault(column, []).append(value)
    return domain


def _survey(asked: argparse.Namespace) -> Survey:
    from csat.questionnaire import read_questionnaire
    from csat.survey import read_survey

    survey = read_survey(asked.data, read_questionnaire(asked.study), on_unknown=asked.on_unknown)
    domain = _domain(asked.where)
    return survey.where(**domain) if domain else survey


def _show(asked: argparse.Namespace, survey: Survey, *results: tuple[Any, str | None]) -> None:
    """Write the tables of results, each with the kind of table, in the form asked for."""
    from csat.report.tables import table

    names = survey.questionnaire if asked.output == "text" else None
    _write([table(result, asked.lang, names, kind=kind) for result, kind in results], asked.output)


def _write(tables: Sequence[Table], output: str) -> None:
    from csat.report.text import to_csv, to_json, to_text

    if output == "json":
        sys.stdout.write(to_json(tables) + "\n")
        return
    write = {"csv": to_csv, "text": to_text}[output]
    several = output == "csv" and len(tables) > 1
    titles = [f"# {one.say(one.title)}\n" if several else "" for one in tables]
    texts = [title + write(one).rstrip("\n") + "\n" for title, one in zip(titles, tables, strict=True)]
    sys.stdout.write("\n".join(texts))


def _check(asked: argparse.Namespace) -> None:
    survey = _survey(asked)
    _show(asked, survey, (survey.ledger, None), (survey.ledger, "columns"), (survey.quality(), None))


def _index(asked: argparse.Namespace) -> None:
    from csat.indices import index

    survey = _survey(asked)
    _show(asked, survey, (index(survey, by=asked.by, level=asked.level), None))


def _drivers(asked: argparse.Namespace) -> None:
    from csat.drivers import importance, regress, stepwise

    survey = _survey(asked)
    study = survey.questionnaire
    if study is None or study.outcome is None or not study.processes:
        raise OptionError(
            f"{asked.study} names no outcome or no processes; add outcome = … to [study] and a [processes] table."
        )
    outcome, processes = study.outcome, study.processes
    _show(
        asked, survey,
        (regress(survey, outcome, processes, level=asked.level), None),
        (stepwise(survey, outcome, processes, level=asked.level), None),
        (importance(survey, outcome, processes, level=asked.level), None),
    )  # fmt: skip


def _sem(asked: argparse.Namespace) -> None:
    from csat.structural import sem

    survey = _survey(asked)
    model = None if survey.questionnaire is None else survey.questionnaire.model
    if model is None:
        raise OptionError(f"{asked.study} holds no structural model; add a [model] table with its syntax.")
    result = sem(survey, model, level=asked.level)
    _show(asked, survey, (result, "fit"), (result, "parameters"))


def _evaluate(asked: argparse.Namespace) -> None:
    from csat.fuzzy import evaluate

    survey = _survey(asked)
    _show(asked, survey, (evaluate(survey, by=asked.by, operator=asked.operator, level=asked.level), None))


def _gaps(asked: argparse.Namespace) -> None:
    from csat.comparisons import gaps

    survey = _survey(asked)
    settings: Mapping[str, Any] = {} if survey.questionnaire is None else survey.questionnaire.settings
    by = asked.by or settings.get("peer_column")
    peers = [asked.against] if asked.against else settings.get("against") or []
    if by is None or not peers:
        raise OptionError(
            "csat gaps needs --by and --against, or peer_column and against in the study's [report] table."
        )
    own = asked.own or (settings.get("own") if by == settings.get("peer_column") else None)
    peers = [peers] if isinstance(peers, str) else peers
    _show(asked, survey, *((gaps(survey, by, peer, own=own, level=asked.level), None) for peer in peers))


def _report(asked: argparse.Namespace) -> None:
    from csat.report.build import write_report

    made = write_report(
        asked.study, asked.data, asked.folder, lang=asked.lang, notebook=asked.notebook, where=_domain(asked.where),
        on_unknown=asked.on_unknown, progress=not asked.quiet,
    )  # fmt: skip
    sys.stdout.write("".join(f"{path}\n" for path in made))


def _new(asked: argparse.Namespace) -> None:
    from csat.report.notebook import new_study

    sys.stdout.write("".join(f"{path}\n" for path in new_study(asked.folder, lang=asked.lang)))


Option = Callable[[argparse.ArgumentParser], None]

VERBS: Mapping[str, tuple[Callable[[argparse.Namespace], None], str, tuple[Option, ...]]] = {
    "check": (_check, "what became of every row and code of the data", (_data_options, _table_options)),
    "index": (
        _index,
        "satisfaction index, dimensions and items",
        (_data_options, _by_option, _level_option, _table_options),
    ),
    "drivers": (
        _drivers,
        "what drives the outcome: regression, stepwise regression, importance",
        (_data_options, _level_option, _table_options),
    ),
    "sem": (_sem, "the study's structural model: fit and parameters", (_data_options, _level_option, _table_options)),
    "evaluate": (
        _evaluate,
        "fuzzy evaluation: membership in the grades, score, verdict",
        (_data_options, _by_option, _operator_option, _level_option, _table_options),
    ),
    "gaps": (
        _gaps,
        "own score minus a peer's, node by node",
        (_data_options, _gap_options, _level_option, _table_options),
    ),
    "report": (_report, "write the report: one HTML page and one workbook", (_data_options, _report_options)),
    "new": (_new, "start a study: a study.toml and the report's notebook", (_new_options,)),
}
