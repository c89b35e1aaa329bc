"""The examples of docs/study.md and docs/codebook.md are read as they stand, and say what the pages claim."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from csat.questionnaire import MISSING_REASONS, read_questionnaire
from csat.questionnaire.codebook import SHEETS
from csat.questionnaire.parts import KINDS
from csat.questionnaire.settings import _DESIGN, FUZZY
from csat.questionnaire.tables import TABLES
from csat.questionnaire.targets import METHODS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
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


def test_the_examples_of_the_readme_run_as_printed(tmp_path):
    """All but the report, which has tests of its own."""
    shutil.copytree(ROOT / "data" / "sample", tmp_path / "data" / "sample")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if not line.startswith("csat.write_report")]
    asked = next(line for line in lines if line.startswith("ipa.tidy()"))
    told = ["import matplotlib.pyplot as plt", f"print(len({asked}), len(plt.get_fignums()))"]
    (tmp_path / "readme.py").write_text("\n".join([*lines, *told]), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "readme.py"], cwd=tmp_path, env={**os.environ, "MPLBACKEND": "Agg"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (len(blocks), done.stdout.split()) == (2, ["9", "3"])
