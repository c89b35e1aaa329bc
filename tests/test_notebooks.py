"""The notebooks run from top to bottom, and are stored without outputs."""

import json
from pathlib import Path

import pytest

from csat.report.execute import execute
from csat.report.notebook import NAME, OVERVIEW, dumps, fill, read_notebook, tags_of, template, with_defaults

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_runs_from_top_to_bottom(path, tmp_path):
    done = execute(read_notebook(path), path.parent, tmp_path, lambda position: None)
    outputs = [output for cell in done["cells"] if cell["cell_type"] == "code" for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    charts = sum("image/png" in output.get("data", {}) for output in outputs)
    drawn = sum(line.startswith("csat.plot(") for cell in done["cells"] for line in cell["source"].splitlines())
    assert charts >= max(drawn, 5)


def test_a_deep_scratch_folder_is_no_obstacle(tmp_path):
    """Names of sockets are short on every system; folders for temporary files may be deep."""
    deep = tmp_path / ("deep" * 25)
    deep.mkdir()
    cell = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [], "source": "1 + 1"}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    done = execute(notebook, tmp_path, deep, lambda position: None)
    assert done["cells"][0]["outputs"][0]["data"]["text/plain"] == "2"


@pytest.mark.parametrize("path", [*NOTEBOOKS, NAME, OVERVIEW], ids=lambda path: getattr(path, "name", path))
def test_is_stored_clean(path):
    packed = isinstance(path, str)
    notebook = template(path) if packed else json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            assert len(cell["source"]) <= 6 or "parameters" in tags_of(cell), "a cell of a notebook is short"
    if not packed:
        assert path.read_text(encoding="utf-8") == dumps(notebook)


def test_the_quarterly_report_is_the_template_applied_to_the_sample():
    sample = {"study": "../data/sample/study.toml", "data": "../data/sample/2026Q3.csv", "lang": "en"}
    expected = dumps(with_defaults(fill(template(), "en"), sample))
    assert Path(ROOT / "notebooks" / "quarterly_report.ipynb").read_text(encoding="utf-8") == expected
