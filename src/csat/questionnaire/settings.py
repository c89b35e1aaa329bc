"""The tables of a study file that set something: [design], [fuzzy], [model], [report], [service]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from csat.bases import Bases
from csat.design import Design, Replication
from csat.errors import DesignError, OptionError, QuestionnaireError
from csat.questionnaire.cells import (
    Table,
    check_keys,
    number_at,
    optional_text,
    shown,
    table_at,
    text_at,
    texts_at,
    words_at,
)

#: Keys of [report] that hold one text, and those that hold a list; ``seed`` is a number.
_REPORT_TEXT = ("own", "peer_column", "period_column", "period", "split_by", "previous", "structural")
_REPORT_LIST = ("by", "against", "formats")

#: How the report estimates the structural model: factors, composites, or both.
STRUCTURAL = ("sem", "pls", "both")

#: Keys of [service]: files of tables, numbers, a moment, and texts of causes, criteria and steps.
SERVICE_FILES = ("complaints", "audits", "sla")
_SERVICE_NUMBERS = ("per", "silent")
_SERVICE = (*SERVICE_FILES, *_SERVICE_NUMBERS, "as_of", "about", "texts")

#: Keys of [fuzzy] and what each can be.
FUZZY: Mapping[str, tuple[str, ...]] = {
    "membership": ("share", "triangular", "trapezoidal", "gaussian", "ridge"),
    "operator": ("weighted-average", "min-max", "product-max", "min-sum", "product-sum"),
}

_DESIGN_TEXT = ("weight", "stratum", "psu", "fpc", "ssu", "fpc2")

#: Keys of [design] about replicate weights that hold a number → fields of `Replication`.
_REPLICATION = {
    "replicate_size": "size",
    "replicate_seed": "seed",
    "replicate_rho": "rho",
    "replicate_scale": "scale",
    "replicate_df": "df",
}

#: Keys of [design] about replicate weights that are true or false → fields, and what they are if left out.
_SWITCHES = {"replicate_combined": ("combined", True), "replicate_mse": ("mse", False)}

#: Keys of [design].
_DESIGN = (
    *(*_DESIGN_TEXT, "lone_psu", "replicates", "replicate_kind", "replicate_rscales"),
    *(*_REPLICATION, *_SWITCHES),
)

#: Settings that hold numbers, and true or false, as a codebook names them.
NUMBERS = (
    *(f"design.{key}" for key in _REPLICATION),
    *("weighting.total", "bases.suppress", "bases.flag", "report.seed"),
    *(f"service.{key}" for key in _SERVICE_NUMBERS),
)
SWITCHES = tuple(f"design.{key}" for key in _SWITCHES)


def model_from(table: Table) -> str | None:
    """Syntax of the structural model, if there is one."""
    check_keys("model", table, ("syntax",))
    syntax = optional_text("model", table, "syntax")
    return None if syntax is None else syntax.strip()


def design_from(table: Table) -> Design:
    """Read the columns of the sample and how replicate weights are made."""
    check_keys("design", table, _DESIGN)
    weight, stratum, psu, fpc, ssu, fpc2 = (optional_text("design", table, key) for key in _DESIGN_TEXT)
    try:
        return Design(
            weight=weight,
            stratum=stratum,
            psu=psu,
            fpc=fpc,
            ssu=ssu,
            fpc2=fpc2,
            replicates=words_at("design", table, "replicates") if "replicates" in table else (),
            lone_psu=optional_text("design", table, "lone_psu") or "fail",
            replication=_replication(table),
        )
    except (DesignError, OptionError) as error:
        raise QuestionnaireError.at("design", None, str(error)) from None


def _replication(table: Table) -> Replication | None:
    kind = optional_text("design", table, "replicate_kind")
    given: dict[str, Any] = {
        field: number_at("design", table, key) for key, field in _REPLICATION.items() if key in table
    }
    given |= {field: int(value) for field, value in given.items() if field in ("size", "seed")}
    given |= {field: _switch(table, key) for key, (field, _) in _SWITCHES.items() if key in table}
    if "replicate_rscales" in table:
        given["rscales"] = _factors(table["replicate_rscales"])
    if kind is not None:
        return Replication(kind, **given)
    if given:
        raise QuestionnaireError.at("design", "replicate_kind", "is missing; say which kind the replicates are.")
    return None


def _switch(table: Table, key: str) -> bool:
    if not isinstance(table[key], bool):
        raise QuestionnaireError.at("design", key, f"{shown(table[key])} is neither true nor false.")
    return table[key]


def _factors(given: Any) -> list[float]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise QuestionnaireError.at("design", "replicate_rscales", f"{shown(given)} is no list of numbers.")
    return [number_at("design", {"replicate_rscales": part}, "replicate_rscales") for part in given]


def design_table(design: Design) -> dict[str, Any]:
    """Table that `design_from` turns into the same design."""
    table: dict[str, Any] = {key: getattr(design, key) for key in _DESIGN_TEXT if getattr(design, key) is not None}
    if design.lone_psu != "fail":
        table["lone_psu"] = design.lone_psu
    if design.replicates:
        table["replicates"] = list(design.replicates)
    made = design.replication
    if made is not None:
        table["replicate_kind"] = made.kind
        table |= {key: getattr(made, field) for key, field in _REPLICATION.items() if getattr(made, field) is not None}
        table |= {
            key: getattr(made, field) for key, (field, usual) in _SWITCHES.items() if getattr(made, field) != usual
        }
        if made.rscales is not None:
            table["replicate_rscales"] = [float(factor) for factor in made.rscales]
    return table


def fuzzy_from(table: Table) -> dict[str, str]:
    """Read the settings of the fuzzy evaluation."""
    check_keys("fuzzy", table, tuple(FUZZY))
    for key in table:
        if text_at("fuzzy", table, key) not in FUZZY[key]:
            raise QuestionnaireError.at("fuzzy", key, f"{table[key]!r} is none of {', '.join(FUZZY[key])}.")
    return {key: text_at("fuzzy", table, key) for key in table}


def bases_from(table: Table) -> Bases:
    """Read the limits for small bases."""
    check_keys("bases", table, ("suppress", "flag"))
    given = {key: number_at("bases", table, key) for key in table}
    for key, value in given.items():
        if value != int(value):
            raise QuestionnaireError.at("bases", key, f"{value:g} is no whole number of respondents.")
    try:
        return Bases(**{key: int(value) for key, value in given.items()})
    except OptionError as error:
        raise QuestionnaireError.at("bases", None, str(error)) from None


def service_from(table: Table) -> dict[str, Any]:
    """Read which tables of complaints, audits and times belong to the study; paths are seen from its file."""
    about = {key.removeprefix("about."): table[key] for key in table if key.startswith("about.")}
    table = {key: table[key] for key in table if not key.startswith("about.")} | ({"about": about} if about else {})
    check_keys("service", table, _SERVICE)
    made: dict[str, Any] = {}
    for key in table:
        if key == "about":
            pairs = table_at(table, "about", "service.about")
            made[key] = {cause: text_at("service.about", pairs, cause) for cause in pairs}
        elif key == "texts":
            texts = _nested(table_at(table, "texts", "service.texts"))
            made[key] = {term: texts_at(f"service.texts.{term}", spoken) for term, spoken in texts.items()}
        elif key in _SERVICE_NUMBERS:
            made[key] = number_at("service", table, key)
            if made[key] <= 0:
                raise QuestionnaireError.at("service", key, f"{made[key]:g} is no number above 0.")
        else:
            made[key] = text_at("service", table, key)
    return made


def _nested(texts: Table) -> dict[str, Any]:
    """Term → texts; a codebook writes ``term.lang`` in one key."""
    nested: dict[str, Any] = {}
    for key, value in texts.items():
        term, _, lang = key.rpartition(".")
        if isinstance(value, str) and term:
            nested.setdefault(term, {})[lang] = value
        else:
            nested[key] = value
    return nested


def report_from(table: Table) -> dict[str, Any]:
    """Read whose customers, which period and which peers a report is about, and how it is written."""
    check_keys("report", table, (*_REPORT_TEXT, *_REPORT_LIST, "seed"))
    return {key: _report_setting(table, key) for key in table}


def _report_setting(table: Table, key: str) -> Any:
    if key == "seed":
        seed = number_at("report", table, key)
        if seed < 0 or seed != int(seed):
            raise QuestionnaireError.at("report", key, f"{seed:g} is no seed; write a whole number, 0 or more.")
        return int(seed)
    if key == "structural" and text_at("report", table, key) not in STRUCTURAL:
        raise QuestionnaireError.at("report", key, f"{shown(table[key])} is none of {', '.join(STRUCTURAL)}.")
    return list(words_at("report", table, key)) if key in _REPORT_LIST else text_at("report", table, key)
