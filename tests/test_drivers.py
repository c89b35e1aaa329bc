"""Stepwise selection: wrong input, edge cases, and what they promise."""

import numpy as np
import pandas as pd
import pytest

import csat


def answers(rng, n=300, k=4):
    x = rng.normal(size=(n, k)) @ (np.eye(k) + 0.4)
    y = x @ np.arange(k) / 2 + rng.normal(size=n)
    data = pd.DataFrame(x, columns=[f"x{j}" for j in range(k)]).assign(y=y, w=rng.uniform(0.5, 2, n))
    data["hall"] = rng.integers(0, 30, n).astype(str)
    return data


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: csat.stepwise(s, "y", ["x0"], enter=0.1, remove=0.05), "steps would cycle"),
        (lambda s: csat.stepwise(s, "y", ["x0"], direction="up"), "direction='up' is not known"),
    ],
)
def test_wrong_calls_say_what_to_do(rng, call, message):
    with pytest.raises(csat.CsatError, match=message):
        call(csat.read_survey(answers(rng)))


def test_the_sample_is_fixed_before_the_first_step(rng):
    data = answers(rng)
    data.loc[:99, "x0"] = np.nan  # x0 has no effect: it stays out, yet its gaps decide the sample
    got = csat.stepwise(csat.read_survey(data), "y", ["x0", "x1", "x2", "x3"])
    assert "x0" not in got.selected
    assert got.n == got.final.n == 200


def test_nothing_enters_when_nothing_helps(rng):
    data = pd.DataFrame(rng.normal(size=(60, 3)), columns=["a", "b", "y"])
    data[["a", "b"]] -= data[["y"]].to_numpy() * (data[["a", "b"]].T @ data["y"]).to_numpy() / (data["y"] @ data["y"])
    got = csat.stepwise(csat.read_survey(data), "y", ["a", "b"])
    assert got.final is None
    assert got.selected == ()
    assert set(got.excluded["term"]) == {"a", "b"}
    assert got.glance()["steps"][0] == 0


def test_a_driver_without_room_left_does_not_enter(rng):
    data = answers(rng)
    data["twin"] = data["x3"] + rng.normal(scale=1e-3, size=len(data))
    got = csat.stepwise(csat.read_survey(data), "y", ["x1", "x2", "x3", "twin"])
    assert len({"x3", "twin"} & set(got.selected)) == 1
    assert got.excluded.set_index("term").loc[lambda d: d.index.isin(["x3", "twin"]), "tolerance"].max() < 1e-4


def test_selection_says_that_its_p_values_are_optimistic(rng):
    got = csat.stepwise(csat.read_survey(answers(rng)), "y", ["x1", "x2"])
    assert "optimistic" in got.glance()["note"][0]


@pytest.mark.parametrize("scale", [1.0, 1 / 3, 1e6])
@pytest.mark.parametrize("direction", ["both", "forward"])
def test_a_selection_ends_where_nothing_is_left_to_explain(rng, direction, scale):
    """A driver that determines the outcome used to divide by a residual of zero."""
    data = answers(rng).assign(y=lambda d: scale * d["x2"] + 7)
    got = csat.stepwise(csat.read_survey(data), "y", ["x0", "x1", "x2", "x3"], direction=direction)
    assert (got.selected, got.ended) == (("x2",), "exact")
    step = got.tidy().iloc[0]
    assert (step["f"], step["p"], step["r2"], step["sigma"]) == (np.inf, 0, 1, 0)
    assert got.excluded[["f", "p"]].isna().all(axis=None)
    assert got.glance()["ended"][0] == "exact"


def test_backward_selection_of_an_exact_model_removes_nothing(rng):
    data = answers(rng).assign(y=lambda d: d["x1"] - d["x2"])
    got = csat.stepwise(csat.read_survey(data), "y", ["x0", "x1", "x2"], direction="backward")
    assert (got.selected, got.ended, got.steps) == (("x0", "x1", "x2"), "exact", ())
