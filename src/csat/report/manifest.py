"""`Manifest`: what a report was made of, down to the bytes, so that the next one can say what has changed.

It holds no clock, no path of a machine and no answer of a respondent: the same data, study and settings give the same
text. Figures on small bases are left out of it as they are left out of the tables.
"""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.errors import MissingFileError, OptionError, QuestionnaireError
from csat.questionnaire.settings import SERVICE_FILES
from csat.questionnaire.tables import tables_of
from csat.report.opened import path_of
from csat.report.tables.cells import judge_rows
from csat.results import Shown
from csat.version import __version__

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire
    from csat.report.settings import Plan
    from csat.survey import Survey

#: Version of the layout of the file.
FORMAT = 1
#: Name of the file beside the page.
FILE = "report.json"
#: Packages whose version can move a figure.
PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "statsmodels", "semopy", "matplotlib")
#: What a figure is told by: period, grouping column and group, both empty for own customers, node of the tree.
KEY = ("period", "by", "group", "term")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Manifest(Shown):
    """What a report was made of.

    files : "study", "data", tables of [service], perhaps "notebook" → name and SHA-256 of the bytes, None for no file.
    questionnaire : name, ``tables`` and SHA-256 of what was asked, whatever kind of file holds it: all of the study but
        its [report], which is in the settings, and [service].
    versions : of csat, Python and the packages that compute.
    seed : of everything drawn at random.
    settings : whose report, on whom: where, own, peer_column, against, by, period, period_column, on_unknown, reading.
    sample : rows read, kept, left out by reason, respondents, weights, and ``answers``: question → valid answers.
    figures : a dict per figure with period, by, group, term, estimate, se, n; None where the base is too small to show.
    """

    files: Mapping[str, Mapping[str, str | None]]
    questionnaire: Mapping[str, Any]
    versions: Mapping[str, str]
    seed: int
    settings: Mapping[str, Any]
    sample: Mapping[str, Any]
    figures: tuple[Mapping[str, Any], ...] = ()

    def tidy(self) -> pd.DataFrame:
        """One row per entry, but for questions and figures: ``part key value``."""
        parts: dict[str, Mapping[str, Any]] = {
            **{f"file {name}": entry for name, entry in self.files.items()},
            "questionnaire": {"sha256": self.questionnaire["sha256"]},
            "versions": self.versions,
            "seed": {"seed": self.seed},
            "settings": self.settings,
            "sample": {key: value for key, value in self.sample.items() if key != "answers"},
        }
        rows = [(part, key, value) for part, entry in parts.items() for key, value in entry.items()]
        return pd.DataFrame(rows, columns=["part", "key", "value"])

    def glance(self) -> pd.DataFrame:
        """One row: hashes, version of csat, seed, respondents, number of figures."""
        return pd.DataFrame(
            {
                "study": [self.files["study"]["sha256"]],
                "data": [self.files["data"]["sha256"]],
                "questionnaire": [self.questionnaire["sha256"]],
                "csat": [self.versions["csat"]],
                "seed": [self.seed],
                "respondents": [self.sample["respondents"]],
                "figures": [len(self.figures)],
            }
        )

    def to_json(self) -> str:
        """Text of the file: keys in order, the same every time."""
        plain = {"format": FORMAT, **{field.name: getattr(self, field.name) for field in fields(self)}}
        return json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"

    def write(self, path: str | Path) -> None:
        """Write the file, as `read_manifest` reads it."""
        Path(path).write_text(self.to_json(), encoding="utf-8")


def read_manifest(path: str | Path) -> Manifest:
    """Read the ``report.json`` of an earlier report.

    Parameters
    ----------
    path : of the file, or of the folder that it is in.

    Raises
    ------
    MissingFileError, OptionError
        If there is no such file, or it is no manifest.
    """
    path = path_of("path", path)
    path = path / FILE if path.is_dir() else path
    if not path.is_file():
        raise MissingFileError.among(path, [found.name for found in path.parent.glob("*.json")])
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        made = {field.name: plain[field.name] for field in fields(Manifest)}
        known = plain["format"]
        manifest = Manifest(**{**made, "figures": tuple(made["figures"])})
        sound = all(set(figure) >= {*KEY, "estimate", "n"} for figure in manifest.figures)
        manifest.glance()
    except (ValueError, KeyError, TypeError, AttributeError):
        sound, known = False, FORMAT
    if not sound or known != FORMAT:
        raise OptionError(f"{path} is no {FILE} of csat; name the one that csat report wrote beside an earlier page.")
    return manifest


def manifest(
    about: Plan,
    *,
    study: str | Path,
    data: Any,
    notebook: str | None = None,
    seed: int = 1,
    on_unknown: str = "raise",
    reading: Mapping[str, Any] | None = None,
) -> Manifest:
    """Take down what a report is made of.

    Parameters
    ----------
    about : the plan of the report.
    study, data : paths of the files.
    notebook : SHA-256 of the notebook's cells; None: not known.
    seed : of everything drawn at random.
    on_unknown, reading : how the data were read.

    Raises
    ------
    QuestionnaireError
        If the plan has no study.
    """
    asked = about.own.questionnaire
    if asked is None:
        raise QuestionnaireError("A manifest needs a study: read the data with csat.read_survey(data, questionnaire).")
    files = {"study": _file(study), "data": _file(data)}
    files |= {kind: _file(Path(study).parent / asked.service[kind]) for kind in SERVICE_FILES if kind in asked.service}
    files |= {} if notebook is None else {"notebook": {"name": None, "sha256": notebook}}
    tables = _plain({name: table for name, table in tables_of(asked).items() if name not in ("report", "service")})
    settings = _settings(about, asked) | {"on_unknown": on_unknown, "reading": dict(reading or {})}
    return Manifest(
        files,
        {
            "name": asked.name,
            "sha256": sha256(json.dumps(tables, ensure_ascii=False, sort_keys=True)),
            "tables": tables,
        },
        versions(),
        seed,
        _plain(settings),
        _plain(_sample(about, asked)),
        tuple(_figures(about, asked)),
    )


def sha256(text: str | bytes) -> str:
    """SHA-256 in hexadecimal digits; of a text, of its UTF-8.

    >>> sha256("")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(text.encode("utf-8") if isinstance(text, str) else text).hexdigest()


def versions() -> dict[str, str]:
    """Versions of csat, Python and the installed packages that compute."""
    found = {"csat": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _file(path: Any) -> dict[str, str | None]:
    """Name and hash of a file; a database or a frame has no bytes to hash."""
    if not isinstance(path, str | Path) or not Path(path).is_file():
        return {"name": None, "sha256": None}
    with Path(path).open("rb") as file:
        return {"name": Path(path).name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _settings(about: Plan, asked: Questionnaire) -> dict[str, Any]:
    return {
        "where": dict(about.where),
        "own": about.own_label,
        "peer_column": about.peer_column,
        "against": list(about.against),
        "by": list(about.groupings),
        "period": about.period,
        "period_column": asked.settings.get("period_column"),
    }


def _sample(about: Plan, asked: Questionnaire) -> dict[str, Any]:
    ledger, own = about.own.ledger, about.own
    left_out = {f"{t.reason} {t.column}".strip(): t.count for t in ledger.tallies if t.what == "row"}
    answers = own.frame([code for code in asked.codes if code in own.columns]).notna().sum()
    return {
        "rows_read": ledger.rows_read,
        "rows_kept": ledger.rows_kept,
        "left_out": left_out,
        "respondents": len(own),
        "everyone": len(about.everyone),
        "weights": _weights(own),
        "answers": {str(code): int(count) for code, count in answers.items()},
    }


def _weights(own: Survey) -> dict[str, Any] | None:
    column, weight = own.design.weight, own.weight
    if column is None or not len(weight):
        return None
    figures = {"low": weight.min(), "high": weight.max(), "sum": weight.sum(), "n_eff": own.n_eff}
    return {"column": column, **{name: float(figure) for name, figure in figures.items()}}


def _figures(about: Plan, asked: Questionnaire) -> Iterator[dict[str, Any]]:
    """The index tree of own customers by period, then of each group of the report."""
    from csat.indices import index

    if asked.root is None or not len(about.own):
        return
    period, several = about.period or "", about.period_column
    found = index(about.history, by=several).tidy() if several else index(about.own).tidy().assign(when=period)
    yield from _shown(found, found[several or "when"], repeat(("", "")), (), asked)
    for column, respondents in about.groupings.items():
        found = index(respondents, by=column).tidy()
        yield from _shown(found, repeat(period), zip(repeat(column), found[column]), (column,), asked)


def _shown(
    frame: pd.DataFrame,
    periods: Iterable[str],
    held: Iterable[tuple[str, str]],
    groups: Sequence[str],
    asked: Questionnaire,
) -> Iterator[dict[str, Any]]:
    """Figures as plain values, without those whose base must not be shown."""
    verdicts = judge_rows(frame, ("n",), groups, asked.bases)
    for row, period, group, verdict in zip(frame.to_dict("records"), periods, held, verdicts, strict=False):
        key = dict(zip(KEY, (str(period), group[0], str(group[1]), row["term"]), strict=True))
        yield key | {name: None if verdict.hidden else _number(row[name]) for name in ("estimate", "se", "n")}


def _number(figure: float) -> float | int | None:
    """A number that JSON knows; NaN is None, a whole number an int."""
    figure = float(figure)
    if not math.isfinite(figure):
        return None
    return int(figure) if figure.is_integer() else figure


def _plain(value: Any) -> Any:
    """Values that JSON knows, keys as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value
