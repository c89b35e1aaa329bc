"""The examples of the pages are read and run as they stand, and say what the pages claim."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from csat.cli import main
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


def blocks_of(page, language):
    """Blocks of code of a page."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def run(lines, folder):
    """Lines of Python beside the sample data, in a process of their own."""
    shutil.copytree(ROOT / "data" / "sample", folder / "data" / "sample")
    (folder / "page.py").write_text("\n".join(lines), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "page.py"], cwd=folder, env={**os.environ, "MPLBACKEND": "Agg"}, capture_output=True,
        text=True, encoding="utf-8", check=False,
    )  # fmt: skip


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
    blocks = blocks_of(ROOT / "README.md", "python")
    lines = [line for block in blocks for line in block.splitlines() if not line.startswith("csat.write_report")]
    asked = next(line for line in lines if line.startswith("ipa.tidy()"))
    told = ["import matplotlib.pyplot as plt", f"print(len({asked}), len(plt.get_fignums()))"]
    done = run([*lines, *told], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (len(blocks), done.stdout.split()) == (2, ["9", "3"])


def test_the_examples_of_structural_models_run_as_printed(tmp_path):
    """And show what the page says of the sample data."""
    blocks = blocks_of(DOCS / "structural.md", "python")
    told = [
        'complete = csat.sem(own, study.model, estimator="MLR").glance().iloc[0]',
        'everyone = csat.sem(own, study.model, estimator="MLR", missing="fiml").glance().iloc[0]',
        "print(complete['n'], everyone['n'], steps.glance()['suspect'][0])",
        "print(*steps.verdicts, *freed.verdicts)",
    ]
    done = run([*blocks, *told], tmp_path)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "413 700 C33 ~1"
    assert second == "supported supported not_supported not_supported supported supported supported unclear"


def test_the_examples_of_reliability_run_as_printed(tmp_path):
    told = "print(len(found.constructs()), found.by, len(csat.reliability(survey).scales.names))"
    done = run([*blocks_of(DOCS / "reliability.md", "python"), told], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[0] == "6 ('brand',) 7"


def test_the_examples_of_path_models_of_composites_run_as_printed(tmp_path):
    """And show what the page says of the sample data."""
    told = [
        "first = satisfied.tidy().set_index('term').loc[['quality', 'fairness']]",
        "print(*first['priority'], *first['importance'].round(2), *first['performance'].round(0), *found.layout.n)",
        "last = both.tidy().query(\"kind == 'path' and lhs == 'loyalty'\").iloc[0]",
        "print(*(round(last[f'estimate_{name}'], 2) for name in ('PLS', 'PLSc', 'SEM')))",
        "print(*csat.micom(lines, own, permutations=200).tidy()['invariance'])",
        "print(*segments.criteria['bic'].round(0), *predicted.glance()[['items', 'items_positive']].iloc[0])",
        "print((predicted.cvpat().query(\"benchmark == 'mean'\")['high'] < 0).all(), "
        "predicted.cvpat().query(\"benchmark == 'linear'\")[['low', 'high']].prod(axis=1).lt(0).all())",
    ]
    done = run([*blocks_of(DOCS / "composites.md", "python"), *told], tmp_path)
    assert done.returncode == 0, done.stderr
    importance, paths, invariance, prediction, losses = done.stdout.splitlines()
    assert importance == "1.0 2.0 0.4 0.28 66.0 67.0 413"
    assert paths == "0.68 0.79 0.8"
    assert invariance == " ".join(["full"] * 6)
    assert prediction == "1653.0 1668.0 5 5"
    assert losses == "True True"


def test_the_examples_of_fuzzy_evaluation_run_as_printed(tmp_path):
    """And show what the page says of the worked example."""
    told = [
        "print(*example.raw[0].round(3), *strip['verdict'])",
        "print(*csat.evaluate(R, weights=A, grades=grades).raw[0].round(3), *flips['new_verdict'].iloc[:3])",
        "print(*judged.factors, len(mixed.values), both.replicates, len(compared.sets))",
    ]
    done = run([*blocks_of(DOCS / "fuzzy.md", "python"), *told], tmp_path)
    assert done.returncode == 0, done.stderr
    raw, average, weights = done.stdout.splitlines()
    assert raw == "0.35 0.3 0.3 0.15 fair excellent excellent good fair"
    assert average.startswith("0.205 0.32 0.39 0.085 ")
    assert weights == "quality value fairness 3 500 3"


@pytest.mark.parametrize(
    "line",
    [
        line
        for page in ("structural.md", "composites.md", "fuzzy.md")
        for block in blocks_of(DOCS / page, "sh")
        for line in block.splitlines()
    ],
)
def test_the_shell_lines_of_models_run_as_printed(line, tmp_path, monkeypatch, capsys):
    (tmp_path / "measurement.txt").write_text("value =~ C31 + C32 + C33 + C11", encoding="utf-8")
    (tmp_path / "judgements.csv").write_text(blocks_of(DOCS / "fuzzy.md", "csv")[0], encoding="utf-8")
    (tmp_path / "weights.csv").write_text("factor,weight\nservice_value,0.6\ncorporate_image,0.4\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "data" / "sample" / "study.toml", "study.toml")
    shutil.copy(ROOT / "data" / "sample" / "2026Q3.csv", "answers.csv")
    assert main(shlex.split(line, comments=True)[1:]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(("room", "name"), [("structural", "structural.md"), ("composites", "composites.md")])
def test_every_warning_of_models_is_on_their_page(room, name):
    page = (DOCS / name).read_text(encoding="utf-8")
    named = {
        name
        for path in (ROOT / "src" / "csat" / room).rglob("*.py")
        for name in re.findall(r"^class (\w+Warning)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert named
    assert not [name for name in sorted(named) if name not in page]


def test_the_page_on_reports_names_every_setting_parameter_and_tag(tmp_path):
    from csat.questionnaire.settings import _REPORT_LIST, _REPORT_TEXT
    from csat.report.notebook import tags_of, template, text_of_cell

    page = (DOCS / "report.md").read_text(encoding="utf-8")
    settings = re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1]
    assert [key for key in (*_REPORT_TEXT, *_REPORT_LIST, "seed") if f"\n{key} = " not in settings] == []
    cells = template()["cells"]
    (given,) = [text_of_cell(cell) for cell in cells if "parameters" in tags_of(cell)]
    named = [*re.findall(r"^(\w+) = ", given, re.MULTILINE), *(tag for cell in cells for tag in tags_of(cell))]
    assert [name for name in named if f"`{name}`" not in page and name != "made_of"] == []
