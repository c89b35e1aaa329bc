"""What the tests share: the fixtures' folder, the reference material beside the checkout, strict optional packages."""

import importlib
import json
import os
from pathlib import Path

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "tests" / "fixtures"
CASES = ROOT.parent / "shared" / "reference" / "cases"


@pytest.fixture(scope="session")
def oracle():
    """Read a case copied from R: result, software, call, and sums of its data."""

    def read(name: str) -> dict:
        return json.loads((FIXTURES / "r" / f"{name}.json").read_text(encoding="utf-8"))

    return read


@pytest.fixture(scope="session")
def fixtures():
    """Folder of the fixtures."""
    return FIXTURES


@pytest.fixture(scope="session")
def shared_case():
    """Path of a data file of the reference material; skips where the material is absent."""

    def find(name: str) -> Path:
        path = CASES / name
        if not path.exists():
            pytest.skip("the reference material is not beside the checkout")
        return path

    return find


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    """Read a questionnaire from the text of a study file."""
    from csat import read_questionnaire

    def read(text: str):
        path = tmp_path_factory.mktemp("study") / "study.toml"
        path.write_text(text, encoding="utf-8")
        return read_questionnaire(path)

    return read


@pytest.fixture(scope="session")
def optional():
    """Import an optional package; its absence is a skip, or a failure under CSAT_REQUIRE_ALL=1."""

    def need(name: str):
        try:
            return importlib.import_module(name)
        except ImportError:
            if os.environ.get("CSAT_REQUIRE_ALL") == "1":
                raise
            pytest.skip(f"{name} is not installed")

    return need


@pytest.fixture
def rng():
    return np.random.default_rng(20261123)
