"""The sample study keeps its promises: same bytes, published item scores, realistic dirt."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from csat.drivers import stepwise
from csat.errors import DataError
from csat.fuzzy import evaluate
from csat.indices import index
from csat.questionnaire import read_questionnaire
from csat.survey import read_survey

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data" / "sample"
STUDY = ROOT / "tests" / "fixtures" / "study"
FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sample_generator", SAMPLE / "generate.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def study() -> dict:
    return tomllib.loads((SAMPLE / "study.toml").read_text(encoding="utf-8"))


def raw(name: str) -> pd.DataFrame:
    return pd.read_csv(SAMPLE / name, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def clean(frame: pd.DataFrame, items: list[str]) -> pd.DataFrame:
    """What a careful reader keeps, without csat: digits, texts, spaces, first of each id, usable weights."""
    frame = frame.apply(lambda column: column.str.strip())
    frame = frame.drop_duplicates("id")
    frame = frame.assign(weight=pd.to_numeric(frame["weight"]))
    frame = frame[frame["weight"] > 0].copy()
    for item in items:
        text = frame[item].str.translate(FULL_WIDTH).replace({"很满意": "10", "很不满意": "1"})
        frame[item] = pd.to_numeric(text).where(lambda x: x < 90)
    return frame


@pytest.fixture(scope="module")
def quarter(study: dict) -> pd.DataFrame:
    return clean(raw("2026Q3.csv"), [*study["items"], *study["processes"]])


@pytest.fixture(scope="module")
def everything(study: dict) -> pd.DataFrame:
    return clean(raw("survey.csv"), [*study["items"], *study["processes"]])


def weighted_mean(frame: pd.DataFrame, item: str) -> float:
    valid = frame[frame[item].notna()]
    return float(np.average(valid[item], weights=valid["weight"]))


def test_generating_again_gives_the_same_bytes(generator: ModuleType, tmp_path: Path) -> None:
    generator.main(tmp_path)
    for name in ("2026Q3.csv", "survey.csv", "2026Q3_dirty.csv", "complaints.csv", "audits.csv", "repairs.csv"):
        assert (tmp_path / name).read_bytes() == (SAMPLE / name).read_bytes(), name


def test_weighted_item_means_of_the_own_branch_are_the_published_scores(quarter: pd.DataFrame) -> None:
    published = pd.read_csv(STUDY / "items.csv").set_index("code")["score"]
    own = quarter[quarter["branch"] == "gansu"]
    found = pd.Series({code: (weighted_mean(own, code) - 1) / 9 * 100 for code in published.index})
    assert len(found) == 19
    assert (found - published).abs().max() < 0.05


def test_the_quarter_file_is_the_last_quarter_of_the_survey() -> None:
    survey = raw("survey.csv")
    last = survey[survey["quarter"] == "2026Q3"].reset_index(drop=True)
    pd.testing.assert_frame_equal(last, raw("2026Q3.csv"))
    assert (SAMPLE / "2026Q3.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_every_column_is_described_once(study: dict) -> None:
    described = [*study["items"], *study["processes"], *study["columns"]]
    assert sorted(described) == sorted(raw("survey.csv").columns)


def test_every_code_has_both_languages(study: dict) -> None:
    rooms = ("items", "processes", "dimensions", "columns", "grades")
    parts = [part for room in rooms for part in study[room].values()]
    parts += [label for column in study["columns"].values() for label in column.get("labels", {}).values()]
    parts += [label for scale in study["scales"].values() for label in scale["labels"].values()]
    assert all(part["zh"] and part["en"] for part in parts)
    assert len(study["items"]) == 35
    assert len(study["processes"]) == 9


def test_item_texts_are_the_published_labels(study: dict) -> None:
    published = pd.read_csv(STUDY / "items.csv").set_index("code")
    for code, row in published.iterrows():
        assert (study["items"][code]["zh"], study["items"][code]["en"]) == (row["label_zh"], row["label_en"])


def test_everyone_is_where_the_design_says(everything: pd.DataFrame) -> None:
    sizes = everything.groupby(["quarter", "branch"]).size().unstack()
    assert sizes.index.tolist() == ["2025Q4", "2026Q1", "2026Q2", "2026Q3"]
    assert (sizes == [700, 250, 250, 400]).all(axis=None)  # gansu, qinghai, rival, xian
    assert everything.groupby("city")["branch"].nunique().max() == 1
    assert everything.groupby("branch")["city"].nunique().between(4, 6).all()
    assert everything.groupby("hall")["city"].nunique().max() == 1
    assert everything.groupby("city")["hall"].nunique().between(8, 15).all()
    assert (everything.groupby(["quarter", "city"])["hall"].nunique() >= 2).all()
    assert set(everything.loc[everything["branch"] == "rival", "brand"]) == {""}


def test_every_category_found_has_a_label(everything: pd.DataFrame, study: dict) -> None:
    for name, column in study["columns"].items():
        if "labels" in column:
            assert set(everything[name]) - {""} == set(column["labels"]), name


def test_weights_restore_the_brand_shares(everything: pd.DataFrame) -> None:
    own = everything[everything["branch"] == "gansu"]
    total = own.groupby(["quarter", "brand"])["weight"].sum().unstack()
    shares = total.div(total.sum(axis=1), axis=0)
    published = pd.read_csv(STUDY / "brands.csv").set_index("brand_en")["share"]
    for code, name in {"gotone": "GoTone", "mzone": "M-Zone", "easyown": "Easyown"}.items():
        np.testing.assert_allclose(shares[code], published[name], atol=0.001)
    assert everything["weight"].between(0.3, 3.5).all()


def test_missing_codes_follow_the_question() -> None:
    survey = raw("survey.csv")
    share = {code: (survey == code).mean() for code in ("98", "99")}
    assert 0.16 < share["98"]["C32"] < 0.20
    assert 0.12 < share["99"]["P2"] < 0.16
    assert share["98"]["overall"] == 0
    assert 0.001 < (survey.loc[:, "C11":"nps"] == "").mean().mean() < 0.005


def test_the_dirt_is_there() -> None:
    quarter = raw("2026Q3.csv")
    answers = quarter.loc[:, "C11":"nps"]
    assert quarter["id"].duplicated().sum() == 2
    assert quarter["weight"].isin(["0", ""]).sum() == 2
    assert (answers.isin(["很满意", "很不满意"])).sum().sum() == 6
    assert sum(answers[c].str.contains("[０-９]", regex=True).sum() for c in answers) >= 12
    assert sum(quarter[c].str.endswith(" ").sum() for c in quarter) >= 14
    assert (answers.drop(columns="nps").nunique(axis=1) == 1).sum() == 2
    assert (quarter["duration"].astype(int) < 60).sum() == 3


def test_the_spoilt_file_has_answers_that_the_codebook_does_not_know(study: dict) -> None:
    spoilt = raw("2026Q3_dirty.csv")
    known = {*map(str, range(1, 11)), "98", "99", ""}
    assert len(spoilt) == 30
    for item in ("C11", "C22", "C31", "C45", "P1", "overall", "L1"):
        assert set(spoilt[item]) - known, item


def test_planted_differences_show(everything: pd.DataFrame) -> None:
    now = everything[everything["quarter"] == "2026Q3"]
    mean = {
        branch: {code: weighted_mean(part, code) for code in ("P1", "P8", "C31")}
        for branch, part in now.groupby("branch")
    }
    gaps = pd.read_csv(STUDY / "branch_gaps.csv").set_index("factor_en")["gap"]
    points = 100 / 9
    assert abs((mean["gansu"]["P1"] - mean["xian"]["P1"]) * points - gaps["Network quality"]) < 3
    assert abs((mean["gansu"]["P8"] - mean["xian"]["P8"]) * points - gaps["Complaint handling"]) < 3
    assert mean["rival"]["C31"] > mean["gansu"]["C31"]
    own = everything[everything["branch"] == "gansu"]
    handling = [weighted_mean(part, "P8") for _, part in own.groupby("quarter")]
    assert handling[3] > max(handling[:3]) + 0.3
    value = [sum(weighted_mean(part, c) for c in ("C31", "C32", "C33")) for _, part in own.groupby("quarter")]
    assert value == sorted(value, reverse=True)


def test_answers_look_like_answers(quarter: pd.DataFrame) -> None:
    published = pd.read_csv(STUDY / "items.csv")
    own = quarter[quarter["branch"] == "gansu"]
    for _, items in published.groupby("dimension")["code"]:
        correlation = own[list(items)].corr().to_numpy()[np.triu_indices(len(items), 1)]
        assert correlation.min() > 0.5
        assert correlation.max() < 0.72
    assert own[list(published["code"])].std().between(1.6, 2.4).all()
    assert (own[list(published["code"])].skew() < 0).all()


def test_true_effects_leave_something_out(generator: ModuleType) -> None:
    effects = generator.true_effects()
    assert effects["P3"] == effects["P9"] == 0
    assert effects["P1"] == pytest.approx(0.22 * 0.20 + 0.36 * 0.46 + 0.28 * 0.22)


# --------------------------------------------------------------------------------------------- through csat itself


@pytest.fixture(scope="module")
def survey():
    return read_survey(SAMPLE / "2026Q3.csv", read_questionnaire(SAMPLE / "study.toml"))


def test_csat_reads_the_quarter_and_keeps_the_respondents(survey) -> None:
    assert len(survey) == 1600
    assert survey.ledger.rows_read - survey.ledger.rows_kept == 4


def test_csat_finds_the_published_scores(survey) -> None:
    published = pd.read_csv(STUDY / "items.csv").set_index("code")["score"]
    found = index(survey, by="branch").tidy().set_index(["branch", "term"])["estimate"]["gansu"]
    assert (found[published.index] - published).abs().max() < 0.05
    quality, value, fairness = (published[published.index.str.startswith(f"C{i}")].mean() for i in (2, 3, 4))
    assert found["service_value"] == pytest.approx((quality + value + fairness) / 3, abs=0.05)


def test_csat_evaluates_the_own_branch_as_the_study_does(survey) -> None:
    found = evaluate(survey, by="branch", membership="triangular").verdicts().set_index(["branch", "term"])
    place = found.loc[("gansu", "satisfaction")]
    assert (place["upper"], place["lower"]) == ("satisfied", "basically_satisfied")
    assert 0 < place["se"] < 2
    alone = evaluate(survey.where(branch="gansu"), membership="triangular").verdicts().set_index("term")
    assert alone.loc["satisfaction", ["score", "se", "n"]].tolist() == pytest.approx(
        place[["score", "se", "n"]].tolist()
    )


def test_csat_refuses_the_spoilt_file() -> None:
    with pytest.raises(DataError, match="C11"):
        read_survey(SAMPLE / "2026Q3_dirty.csv", read_questionnaire(SAMPLE / "study.toml"))


def test_stepwise_takes_strong_processes_and_leaves_the_idle_ones_out(survey) -> None:
    """Expected order: a separate forward-backward loop over statsmodels WLS p-values (enter .05, remove .10)."""
    processes = [process.code for process in survey.questionnaire.processes]
    found = stepwise(survey.where(branch="gansu"), outcome="overall", candidates=processes)
    assert found.selected == ("P1", "P4", "P7", "P8")
