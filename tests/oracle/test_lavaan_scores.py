"""`csat.factor_scores` against lavPredict of lavaan 0.6-14 (R 4.2.2).

scores_cases.json holds the reference cases; their rows are beside the checkout. scores.json holds what they lack (made
by scores.R beside it) of rows drawn by rows.R, without gaps and with gaps made by a rule. Of all rows the first twelve
are compared one by one, the others by their sum, sum of squares and sum of products with the row number.
"""

import json
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat
from csat.structural.factor_scores import factor_scores

FIXTURES = Path(__file__).parents[1] / "fixtures" / "lavaan"
ITEMS = [f"x{i}" for i in range(1, 10)]
EQUAL = ["loadings", "intercepts"]
#: Live fits of scores.R: model, answers with gaps or not, options.
LIVE = {
    "cfa": ("cfa3", False, {}),
    "means": ("cfa3", False, {"means": True}),
    "chain": ("chain", False, {}),
    "mimic": ("mimic", False, {}),
    "mimic_means": ("mimic", False, {"means": True}),
    "single": ("single", False, {}),
    "crossed": ("crossed", False, {}),
    "second": ("second", False, {}),
    "std": ("cfa3", False, {"std_lv": True}),
    "groups": ("cfa3", False, {"group": "school", "equal": EQUAL, "reference": "Old"}),
    "weights": ("cfa3", False, {"estimator": "MLR"}),
    "gaps": ("cfa3", True, {"missing": "fiml"}),
    "gaps_groups": ("cfa3", True, {"missing": "fiml", "group": "school", "equal": EQUAL, "reference": "Old"}),
}


@cache
def live():
    return json.loads((FIXTURES / "scores.json").read_text(encoding="utf-8"))


@cache
def answers(gaps: bool) -> pd.DataFrame:
    frame = pd.read_csv(FIXTURES / "rows.csv")
    if gaps:
        i, j = np.arange(1, len(frame) + 1)[:, None], np.arange(1, 10)
        frame[ITEMS] = frame[ITEMS].mask((7 * i + 3 * j) % 11 == 0)
    return frame


@cache
def fit(name):
    model, gaps, options = LIVE[name]
    design = csat.Design(weight="w") if name == "weights" else None
    source = csat.read_survey(answers(gaps), design=design)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        return csat.sem(source, live()["models"][model], **options), source


def assert_rows(scores, theirs, names, tolerance):
    ours = scores[names].to_numpy()
    number = np.arange(1, len(ours) + 1)[:, None]
    at = [theirs["names"].index(name) for name in names]
    np.testing.assert_allclose(ours[:12], np.array(theirs["first"], float)[:, at], atol=tolerance)
    figures = {"sum": ours, "square": ours**2, "moment": number * ours}
    for key, rows in figures.items():
        wanted = np.array(theirs[key], float)[at]
        np.testing.assert_allclose(np.nansum(rows, axis=0), wanted, atol=tolerance * number.sum())


@pytest.mark.parametrize("method", ["regression", "bartlett"])
@pytest.mark.parametrize("name", LIVE)
def test_scores_and_their_errors(name, method):
    found, source = fit(name)
    scored = factor_scores(found, source, method=method)
    theirs = live()["fits"][name][method]
    labels = theirs["labels"] or [""]
    # Without a score of its own by Bartlett's method: lavaan's generalized inverse makes it 0.
    names = [term for term in scored.scores if not (term == "g" and method == "bartlett")]
    assert sum(part["n"] for part in theirs["scores"]) == len(scored.scores)
    for label, part, error in zip(labels, theirs["scores"], theirs["error"], strict=True):
        mine = (scored.groups == label).to_numpy()
        assert_rows(scored.scores[mine], part, names, 2e-5)
        at = [part["names"].index(term) for term in names]
        errors = np.array(error, float)[:, at]
        ours = scored.errors[mine][names].to_numpy()[: len(errors)]
        known = ~np.isnan(errors)  # lavaan leaves out errors below .003
        np.testing.assert_allclose(ours[known], errors[known], atol=2e-5)
        assert (ours[~known] < 0.0032).all()


def test_a_construct_of_constructs_has_no_score_by_bartlett():
    found, source = fit("second")
    assert factor_scores(found, source, method="bartlett").scores["g"].isna().all()
    assert factor_scores(found, source).scores["g"].notna().all()


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "method", "options"),
    [
        ("sem_hs_scores", "regression", {}),
        ("sem_hs_scores", "bartlett", {}),
        ("sem_hs_fiml_scores", "regression", {"missing": "fiml"}),
    ],
)
def test_reference_cases(shared_case, name, method, options):
    case = json.loads((FIXTURES / "scores_cases.json").read_text(encoding="utf-8"))[name]
    source = csat.read_survey(pd.read_csv(shared_case(f"{name}.csv")))
    scored = factor_scores(csat.sem(source, case["model"], **options), source, method=method)
    assert scored.left_out == 0
    assert_rows(scored.scores, case[f"scores_{method}"], ["visual", "textual", "speed"], 1e-5)
