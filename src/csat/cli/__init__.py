"""The command ``csat``: every method from the shell.

Tables go to stdout, messages and progress to stderr. Exit codes: 0 done, 1 wrong data or study (the message says
what and where), 2 wrong usage, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from csat.cli.shell import in_shell
from csat.cli.verbs import VERBS
from csat.errors import CsatError, CsatWarning
from csat.version import __version__

DONE, WRONG_DATA, PIPE_CLOSED, INTERRUPTED, TERMINATED = 0, 1, 141, 130, 143

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
    _open_closed_streams()
    _speak_unicode()
    asked = _parser().parse_args(arguments)
    try:
        with _warnings_in_words(), _tidy_end():
            asked.run(asked)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe (head, less) has gone: nothing to complain about, and nowhere to write it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (CsatError, OSError) as problem:
        sys.stderr.write(f"csat: {in_shell(str(problem), asked)}\n")
        return WRONG_DATA
    return DONE


def _open_closed_streams() -> None:
    """Give a process that was started without stdout or stderr somewhere to write."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123


@contextmanager
def _tidy_end() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that scratch folders and kernels do not stay behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise SystemExit(TERMINATED)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
