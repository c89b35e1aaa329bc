"""The page of benchmarks shows what a run printed, to the letter."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_page_holds_the_table_as_it_was_printed():
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    if not (ROOT / "benchmarks" / "results" / "scale.json").exists():
        pytest.skip("nothing was measured here")
    command = [sys.executable, str(ROOT / "benchmarks" / "run.py"), "--print"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.count("|") > 100
    assert printed.strip() in page
