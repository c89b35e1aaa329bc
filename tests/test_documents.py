"""The examples of docs/study.md and docs/codebook.md are read as they stand, and say what the pages claim."""

import re
from pathlib import Path

from csat.questionnaire import MISSING_REASONS, read_questionnaire
from csat.questionnaire.codebook import SHEETS
from csat.questionnaire.parts import KINDS
from csat.questionnaire.settings import _DESIGN, FUZZY
from csat.questionnaire.tables import TABLES
from csat.questionnaire.targets import METHODS

DOCS = Path(__file__).parents[1] / "docs"
STUDY = (DOCS / "study.md").read_text(encoding="utf-8")
CODEBOOK = (DOCS / "codebook.md").read_text(encoding="utf-8")


def test_the_small_study_is_read(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(re.search(r"```toml\n(.*?)```", STUDY, re.DOTALL)[1], encoding="utf-8")
    asked = read_questionnaire(path)
    assert asked.leaves == ("Q1", "Q2", "推荐意愿")
    assert asked.weighting["targets"]["sex"] == {"f": 0.52, "m": 0.48}
    assert asked.scale_of("Q1").missing == {98: "dont_know", 99: "refused"}
    assert set(asked.missing_texts()["key"]) >= {"推荐意愿", "own", "2026Q2"}


def test_the_small_codebook_is_read(tmp_path):
    path = tmp_path / "codebook.csv"
    path.write_text(re.search(r"```csv\n(.*?)```", CODEBOOK, re.DOTALL)[1], encoding="utf-8")
    asked = read_questionnaire(path)
    assert asked.dimension("service").weights == (0.6, 0.4)
    assert asked.weighting["targets"] == {"sex": {"f": 0.52, "m": 0.48}}


def test_every_table_key_and_value_is_on_the_page():
    words = (
        *_DESIGN,
        *KINDS,
        *METHODS,
        *MISSING_REASONS,
        *FUZZY,
        *(value for values in FUZZY.values() for value in values),
    )
    assert [word for word in words if word not in STUDY] == []
    assert [table for table in TABLES if f"[{table}" not in STUDY] == []


def test_every_sheet_and_column_is_on_the_page():
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \|.*$", CODEBOOK, re.MULTILINE)}
    assert rows.keys() == SHEETS.keys()
    assert [(sheet, name) for sheet, names in SHEETS.items() for name in names if f"`{name}`" not in rows[sheet]] == []
