"""Laws that summaries and standard errors obey whatever the data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal

import csat
from csat.moments import merge
from csat.variance import gradient

NAMES = ["a", "b", "c"]


def frame(seed: int, n: int = 80, missing: float = 0.15) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 11, (n, 3)).astype(float)
    x[rng.random((n, 3)) < missing] = np.nan
    data = pd.DataFrame(x, columns=NAMES)
    data["w"] = rng.uniform(0.3, 3.0, n)
    data["g"] = rng.choice(["north", "south"], n)
    data["st"] = rng.choice(["s1", "s2"], n)
    data["psu"] = rng.integers(0, 8, n).astype(str)
    return data


def survey(data: pd.DataFrame, **design: str) -> csat.Survey:
    return csat.read_survey(data, design=csat.Design(**design))


seeds = st.integers(0, 10**6)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, cut=st.integers(20, 60), rule=st.sampled_from(["available", "listwise"]))
def test_moments_of_parts_add_up(seed, cut, rule):
    data = frame(seed)
    whole = survey(data, weight="w").groups(NAMES, (), rule).moments()
    parts = [survey(part, weight="w").groups(NAMES, (), rule).moments() for part in (data[:cut], data[cut:])]
    both = parts[0] + parts[1]
    assert (both.n, both.counts.tolist()) == (whole.n, whole.counts.tolist())
    assert_allclose(both.recentre(whole.midpoint).gram, whole.gram, rtol=1e-9, atol=1e-9)
    rest = both - parts[1]
    assert_allclose(rest.gram, parts[0].gram, rtol=1e-9, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, unit=st.floats(0.01, 100))
def test_the_unit_of_weight_does_not_matter(seed, unit):
    data = frame(seed)
    one = csat.mean(survey(data, weight="w", stratum="st"), NAMES, by="g")
    other = csat.mean(survey(data.assign(w=data["w"] * unit), weight="w", stratum="st"), NAMES, by="g")
    assert_allclose(other.estimate, one.estimate, rtol=1e-10)
    assert_allclose(other.vcov, one.vcov, rtol=1e-7, atol=1e-12)
    assert_allclose(other.n_eff, one.n_eff, rtol=1e-7)


@settings(max_examples=25, deadline=None)
@given(seed=seeds)
def test_the_order_of_rows_does_not_matter(seed):
    data = frame(seed)
    shuffled = data.sample(frac=1, random_state=seed % 1000)
    design = {"weight": "w", "stratum": "st", "psu": "psu"}
    one, other = (csat.mean(survey(d, **design), NAMES, by="g") for d in (data, shuffled))
    assert one.keys == other.keys
    assert_allclose(other.vcov, one.vcov, rtol=1e-9, atol=1e-13)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, shift=st.floats(-50, 50), scale=st.floats(0.1, 20))
def test_a_change_of_scale_changes_standard_errors_with_it(seed, shift, scale):
    data = frame(seed)
    moved = data.assign(a=shift + scale * data["a"])
    one, other = (csat.mean(survey(d, weight="w"), "a") for d in (data, moved))
    assert_allclose(other.estimate, shift + scale * one.estimate, rtol=1e-9, atol=1e-9)
    assert_allclose(other.se, scale * one.se, rtol=1e-7)
    assert_allclose(other.n_eff, one.n_eff, rtol=1e-6)


def test_an_unweighted_mean_has_the_textbook_error(rng):
    x = rng.normal(5, 2, 200)
    got = csat.mean(survey(pd.DataFrame({"x": x})), "x")
    assert_allclose(got.estimate, x.mean(), rtol=1e-12)
    assert_allclose(got.se, x.std(ddof=1) / np.sqrt(len(x)), rtol=1e-12)
    assert_allclose(got.n_eff, len(x), rtol=1e-10)
    assert got.df == len(x) - 1


def test_respondents_as_units_or_as_one_unit_each_agree(rng):
    data = frame(3).assign(own=[str(i) for i in range(80)])
    plain = csat.mean(survey(data, weight="w", stratum="st"), NAMES, by="g")
    declared = csat.mean(survey(data, weight="w", stratum="st", psu="own"), NAMES, by="g")
    assert_allclose(declared.vcov, plain.vcov, rtol=1e-9, atol=1e-13)
    assert_array_equal(declared.df, plain.df)


def test_a_census_of_every_unit_has_no_sampling_error():
    data = frame(4).assign(size=8)
    data["st"] = "one"
    got = csat.mean(survey(data, psu="psu", fpc="size", weight="w"), "a")
    assert data["psu"].nunique() == 8
    assert_allclose(got.se, 0, atol=1e-12)


def test_covariance_of_domains_is_positive_semidefinite(rng):
    for seed in range(10):
        got = csat.mean(survey(frame(seed), weight="w", stratum="st", psu="psu"), NAMES, by="g")
        assert np.linalg.eigvalsh(got.vcov).min() > -1e-12


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_groups_of_batches_add_up_to_the_whole(seed):
    data = frame(seed)
    design = {"weight": "w", "stratum": "st", "psu": "psu"}
    whole = survey(data, **design).groups(NAMES, ("g",))
    parts = merge([_around(survey(part, **design).groups(NAMES, ("g",)), whole) for part in (data[:37], data[37:])])
    assert parts.domains == whole.domains
    assert_array_equal(parts.units, whole.units)
    assert_array_equal(parts.n.sum(), whole.n.sum())
    assert_allclose(csat.mean(parts, NAMES, by="g").vcov, csat.mean(whole, NAMES, by="g").vcov, rtol=1e-8, atol=1e-13)


def _around(groups, like):
    """Recentre a part on the whole's midpoints, as one questionnaire would have done."""
    from dataclasses import replace

    from csat.moments.variables import shift_matrix

    turn = shift_matrix(groups.midpoint - like.midpoint, groups.rule)
    return replace(groups, midpoint=like.midpoint, gram=turn @ groups.gram @ turn.T)


def test_summing_over_a_group_gives_the_ungrouped_summary():
    source = survey(frame(5), weight="w", stratum="st", psu="psu")
    fine = source.groups(NAMES, ("g",))
    assert_allclose(csat.mean(fine, NAMES).vcov, csat.mean(source, NAMES).vcov, rtol=1e-9, atol=1e-14)


def test_levels_add_up_and_shares_sum_to_one():
    data = frame(6)
    source = csat.read_survey(data.assign(k=data["a"].map({i: f"l{i % 3}" for i in range(1, 11)})))
    share = csat.share(source, "k", by="g").tidy()
    assert_allclose(share.groupby("g")["estimate"].sum(), 1.0, rtol=1e-12)
    vcov = csat.share(source, "k").vcov
    assert_allclose(vcov.sum(axis=0), 0.0, atol=1e-15)


@settings(max_examples=30, deadline=None)
@given(arrays(float, (4, 6), elements=st.floats(-3, 3)))
def test_complex_step_gradient_equals_algebra(x):
    gram = x @ x.T + np.eye(4)
    got = gradient(lambda g: np.linalg.inv(g)[:, 0, 1][:, None], gram)[0]
    inverse = np.linalg.inv(gram)
    expected = -np.outer(inverse[0], inverse[1])
    assert_allclose(got, (expected + expected.T) / 2, rtol=1e-8, atol=1e-10)


def test_moments_that_do_not_belong_together_do_not_add():
    one = survey(frame(1)).groups(["a"]).moments()
    other = survey(frame(1)).groups(["b"]).moments()
    with pytest.raises(csat.CsatError, match="same variables"):
        one + other
