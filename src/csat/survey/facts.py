"""What a survey says of itself in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from csat.read import INSIDE


def facts_of(survey: Any) -> dict[str, str]:
    """What a survey is made of, in words: name of the fact → the fact."""
    weight = survey.weight
    some = f" of {survey.table.num_rows}" if INSIDE in survey.table.column_names else ""
    facts = {"respondents": f"{len(survey)}{some}"}
    if survey.design.weight is not None and len(weight):
        facts["weights"] = f"{weight.min():.4g} to {weight.max():.4g}, effective n {survey.n_eff:.1f}"
    roles = {"stratum": survey.design.stratum, "unit": survey.design.psu}
    facts |= {role: f"{name} ({len(survey.keys(name))})" for role, name in roles.items() if name is not None}
    if survey.questionnaire is not None:
        facts["questionnaire"] = survey.questionnaire.name
        facts["scaled questions"] = f"{len(survey.questionnaire.codes)}"
        facts |= {column.code: _few(survey.categories(column.code)) for column in survey.questionnaire.columns
                  if column.kind == "category"}  # fmt: skip
    facts["columns"] = _few(survey.columns)
    facts["read"] = f"{survey.ledger.rows_read} rows of {survey.ledger.source}, {survey.ledger.rows_left_out} left out"
    return facts


def _few(words: Sequence[str]) -> str:
    more = f" … {len(words)} in all" if len(words) > 8 else ""
    return ", ".join(words[:8]) + more
