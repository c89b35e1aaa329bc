"""Moments per pattern of answered variables: against pandas, over batches, groups and domains."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.survey import rows

NAMES = ["a", "b", "c"]


@pytest.fixture
def data(rng):
    frame = pd.DataFrame(rng.integers(1, 11, (400, 3)).astype(float), columns=NAMES)
    frame = frame.mask(rng.random((400, 3)) < 0.3)
    frame.loc[:4, :] = np.nan
    return frame.assign(w=rng.uniform(0.5, 2, 400), g=rng.choice(["u", "v"], 400), city=["x", "y"] * 200)


def expected(data, names=NAMES):
    """Pattern → (n, sum of weights, weighted sums) straight from the rows."""
    out = {}
    for pattern, part in data.groupby(data[names].notna().apply(tuple, axis=1)):
        if any(pattern):
            used = [name for name, some in zip(names, pattern, strict=True) if some]
            x, w = part[used].to_numpy(), part["w"].to_numpy()
            out[pattern] = (len(part), w.sum(), w @ x, (x * w[:, None]).T @ x)
    return out


def check(got, data):
    wanted = expected(data)
    assert {tuple(row) for row in got.answered.tolist()} == set(wanted)
    for cell, pattern in enumerate(got.answered.tolist()):
        n, weight, sums, products = wanted[tuple(pattern)]
        moments = got.moments(cell)
        assert moments.n == got.n[cell] == n
        assert_allclose(moments.weight, weight)
        assert_allclose(moments.mean, sums / weight)
        assert_allclose(moments.cov, products / weight - np.outer(sums, sums) / weight**2, atol=1e-12)


def test_patterns_are_those_of_the_rows(data):
    got = csat.read_survey(data, design=csat.Design(weight="w")).patterns(NAMES)
    check(got, data)
    silent = int(data[NAMES].isna().all(axis=1).sum())
    assert got.silent.tolist() == [silent]
    assert got.n.sum() + silent == len(data)
    assert repr(got) == f"Patterns of 3 variables: 1 domains, 7 patterns, n = {400 - silent}"


def test_groups_keep_their_own_patterns_and_domains_their_respondents(data):
    survey = csat.read_survey(data, design=csat.Design(weight="w")).where(city="x")
    got = survey.patterns(NAMES, by=["g"])
    inside = data[data["city"] == "x"]
    assert got.domains == (("u",), ("v",))
    for label in "uv":
        check(got.of((label,)), inside[inside["g"] == label])
    assert got.silent.tolist() == [int(inside.loc[inside["g"] == g, NAMES].isna().all(axis=1).sum()) for g in "uv"]


def test_batches_add(data, monkeypatch):
    survey = csat.read_survey(data, design=csat.Design(weight="w"))
    whole = survey.patterns(NAMES, by=["g"])
    monkeypatch.setattr(rows, "BATCH_ROWS", 37)
    parts = survey.patterns(NAMES, by=["g"])
    assert_allclose(parts.gram, whole.gram, rtol=1e-12, atol=1e-9)
    for name in ("domain", "answered", "n", "silent"):
        assert np.array_equal(getattr(parts, name), getattr(whole, name))


def test_long_runs_of_products_are_cut_without_loss(data, monkeypatch):
    survey = csat.read_survey(data, design=csat.Design(weight="w"))
    whole = survey.patterns(NAMES)
    monkeypatch.setattr("csat.reduce.by_pattern.PRODUCTS", 50)
    assert_allclose(survey.patterns(NAMES).gram, whole.gram, rtol=1e-12, atol=1e-9)


def test_more_variables_than_bits(rng):
    answers = rng.normal(size=(30, 70))
    answers[::2, 65] = np.nan
    answers[::3, 2] = np.nan
    names = [f"x{j}" for j in range(70)]
    got = csat.read_survey(pd.DataFrame(answers, columns=names)).patterns(names)
    assert len(got.n) == 4
    assert got.pairs[0, 2, 65] == int((~np.isnan(answers[:, 2]) & ~np.isnan(answers[:, 65])).sum())


def test_pairs_count_who_answered_both(data):
    got = csat.read_survey(data).patterns(NAMES).pairs[0]
    some = data[NAMES].notna().to_numpy().astype(int)
    assert np.array_equal(got, some.T @ some)


def test_wrong_calls(data):
    survey = csat.read_survey(data)
    with pytest.raises(csat.CsatError, match="No variable is named"):
        survey.patterns([])
    with pytest.raises(csat.CsatError, match="'d'"):
        survey.patterns(["d"])
    with pytest.raises(csat.CsatError, match="'z'"):
        survey.patterns(["a"], by=["g"]).of(("z",))
