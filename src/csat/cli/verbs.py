"""The verbs: each reads the data, asks a method, and shows its tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping

import csat.cli.options as options
from csat.cli.composites import composites
from csat.cli.driver import drivers
from csat.cli.fuzzy import fuzzy
from csat.cli.fuzzy_options import fuzzy_options
from csat.cli.shell import domain, in_shell, reading, show, survey_of
from csat.cli.structural import structural
from csat.errors import OptionError
from csat.streams.faults import RowsError


def _check(asked: argparse.Namespace) -> None:
    about = survey_of(asked)
    survey = about.survey
    ledger = [(survey.ledger, kind) for kind in (None, "columns", "other")]
    missing = about.study.missing_texts()
    weights = [] if survey.ledger.weights is None else [(survey.ledger.weights, None)]
    try:
        careless = [(survey.quality(), None)]
    except RowsError as problem:
        careless = []
        sys.stderr.write(f"csat: note: {in_shell(str(problem), asked)}\n")
    show(asked, about, *ledger, *careless, *weights, *([(missing, None)] if len(missing) else []))


def _index(asked: argparse.Namespace) -> None:
    from csat.indices import index

    about = survey_of(asked)
    show(asked, about, (index(about.survey, by=asked.by, level=asked.level), None))


def _gaps(asked: argparse.Namespace) -> None:
    from csat.comparisons import gaps

    about = survey_of(asked, ("period_column",))
    settings = about.study.settings
    by = asked.by or settings.get("peer_column")
    peers = [asked.against] if asked.against else settings.get("against") or []
    if by is None or not peers:
        raise OptionError(
            "csat gaps needs --by and --against, or peer_column and against in the study's [report] table."
        )
    group = None if asked.own is True else asked.own
    own = group or (settings.get("own") if by == settings.get("peer_column") else None)
    how = {"own": own, "level": asked.level, "adjust": asked.adjust, "margin": asked.margin}
    show(asked, about, *((gaps(about.survey, by, peer, **how), None) for peer in peers))


def _trend(asked: argparse.Namespace) -> None:
    from csat.trends import trend

    about = survey_of(asked, ("peer_column",))
    period = asked.period or about.study.settings.get("period_column")
    if period is None:
        raise OptionError("csat trend needs --period COLUMN, or period_column in the study's [report] table.")
    how = {"every": asked.every, "since": asked.since, "level": asked.level}
    show(asked, about, (trend(about.survey, period, asked.by, **how), None))


def _report(asked: argparse.Namespace) -> None:
    from csat.report.build import write_report

    made = write_report(
        asked.study, asked.data, asked.folder, lang=asked.lang, formats=asked.format, notebook=asked.notebook,
        where=domain(asked.where), by=asked.by, since=asked.since, seed=asked.seed, on_unknown=asked.on_unknown,
        workers=asked.workers, progress=not asked.quiet, **reading(asked),
    )  # fmt: skip
    sys.stdout.write("".join(f"{path}\n" for path in made))


def _new(asked: argparse.Namespace) -> None:
    from csat.report.notebook import new_study

    sys.stdout.write("".join(f"{path}\n" for path in new_study(asked.folder, lang=asked.lang)))


Option = Callable[[argparse.ArgumentParser], None]

TABLES = (options.level_option, options.table_options)
READ = (options.data_options, options.stream_options)

VERBS: Mapping[str, tuple[Callable[[argparse.Namespace], None], str, tuple[Option, ...]]] = {
    "check": (
        _check,
        "what became of every row and code of the data",
        (*READ, options.table_options),
    ),
    "index": (
        _index,
        "satisfaction index, dimensions and items",
        (*READ, options.by_option, options.own_option, *TABLES),
    ),
    "trend": (
        _trend,
        "the index over time, and which changes are more than noise",
        (*READ, options.trend_options, options.by_option, options.own_option, *TABLES),
    ),
    "drivers": (
        drivers,
        "what drives the outcome, and what to do first",
        (*READ, options.driver_options, options.by_option, options.own_option, *TABLES),
    ),
    "sem": (
        structural,
        "a structural model: how it fits, what leads to what, and whether groups can be compared",
        (*READ, options.sem_options, options.by_option, options.own_option, *TABLES),
    ),
    "pls": (
        composites,
        "a path model of composites: what leads to what, indices of the constructs, what to raise first",
        (*READ, options.pls_options, options.by_option, options.own_option, *TABLES),
    ),
    "evaluate": (
        fuzzy,
        "fuzzy evaluation: membership in the grades, score, verdict and how sure it is",
        (*READ, options.by_option, fuzzy_options, options.own_option, *TABLES),
    ),
    "gaps": (_gaps, "own score minus a peer's, node by node", (*READ, options.gap_options, *TABLES)),
    "report": (
        _report,
        "write the report: page, workbook and other formats; or one for each group",
        (options.data_options, options.report_options),
    ),
    "new": (_new, "start a study: a study.toml, the report's notebook and a README", (options.new_options,)),
}
