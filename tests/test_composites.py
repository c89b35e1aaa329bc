"""Path models by partial least squares: an independent estimator on rows, laws, agreement, designs, words of errors."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import csat
from csat.composites import pls
from csat.composites.blocks import blocks_of
from csat.composites.linear import inverse
from csat.composites.notes import ImproperSolutionWarning, NoEstimatesWarning, ReplicatesWarning
from csat.composites.solution import Settings, solve
from csat.design import Design, Replication
from csat.errors import (
    CollinearityError,
    ConvergenceError,
    DesignError,
    ModelError,
    OptionError,
    ReversedItemWarning,
    SampleError,
    UnknownColumnError,
)
from csat.replicates.intervals import interval_of

BLOCKS = {
    "image": ["a1", "a2", "a3"],
    "quality": ["b1", "b2", "b3", "b4"],
    "value": ["c1", "c2"],
    "loyalty": ["d1", "d2"],
}
PATHS = {"quality": ["image"], "value": ["image", "quality"], "loyalty": ["quality", "value", "image"]}
ITEMS = [item for block in BLOCKS.values() for item in block]
MODEL = "\n".join(
    [f"{name} =~ {' + '.join(items)}" for name, items in BLOCKS.items()]
    + [f"{to} ~ {' + '.join(by)}" for to, by in PATHS.items()]
)


def answers(n=300, seed=3):
    """Answers on 1–10 to eleven items, weights, halls in strata, and two brands."""
    rng = np.random.default_rng(seed)
    hall = rng.integers(24, size=n)
    image = rng.normal(size=n) + 0.8 * rng.normal(size=24)[hall]
    quality = 0.6 * image + 0.8 * rng.normal(size=n)
    value = 0.3 * image + 0.4 * quality + 0.8 * rng.normal(size=n)
    loyalty = 0.2 * image + 0.3 * quality + 0.3 * value + 0.7 * rng.normal(size=n)
    columns = {}
    for construct, items in zip((image, quality, value, loyalty), BLOCKS.values(), strict=True):
        for i, item in enumerate(items):
            raw = 6.5 + 1.6 * ((0.8 - 0.1 * i) * construct + 0.6 * rng.normal(size=n))
            columns[item] = np.clip(np.round(raw), 1, 10)
    return pd.DataFrame(columns).assign(
        w=rng.uniform(0.5, 2.0, n),
        hall=hall.astype(str),
        stratum=np.where(hall < 12, "n", "s"),
        brand=np.array(["x", "y"])[rng.integers(2, size=n)],
    )


@pytest.fixture(scope="module")
def rows():
    return answers()


@pytest.fixture(scope="module")
def survey(rows):
    return csat.read_survey(rows, design=Design())


# --- an independent estimator: scores of respondents, regressions by lstsq, one respondent per row -----------------


def standard(values, weight):
    centred = values - np.average(values, axis=0, weights=weight)
    return centred / np.sqrt(np.average(centred**2, axis=0, weights=weight))


def corr(u, v, weight):
    return np.average(standard(u, weight) * standard(v, weight), weights=weight)


def regress(y, predictors, weight):
    root = np.sqrt(weight)
    return np.linalg.lstsq(predictors * root[:, None], y * root, rcond=None)[0]


def inner_proxy(name, scores, weight, scheme):
    """What the neighbours of a construct say of it, respondent by respondent."""
    before, after = PATHS.get(name, []), [to for to, by in PATHS.items() if name in by]
    out = np.zeros(len(weight))
    if scheme == "path" and before:
        explaining = np.column_stack([scores[other] for other in before])
        out += explaining @ regress(scores[name], explaining, weight)
    for other in after if scheme == "path" else [*before, *after]:
        link = corr(scores[name], scores[other], weight)
        out += (np.sign(link) if scheme == "centroid" else link) * scores[other]
    return out


def outer_step(block, inner, mode, weight):
    """New weights of a block that give its score a variance of 1."""
    found = np.ones(block.shape[1])
    if mode == "A":
        found = np.array([np.average(column * inner, weights=weight) for column in block.T])
    elif mode == "B":
        found = regress(inner, block, weight)
    total = block @ found
    return found / np.sqrt(np.average((total - np.average(total, weights=weight)) ** 2, weights=weight))


def by_rows(x, weight, modes, scheme="path", scaled=True):
    """Partial least squares as textbooks have it; x: item → answers. Weights, loadings, paths, R² and scores."""
    data = {name: x[items].to_numpy(float) for name, items in BLOCKS.items()}
    for name, block in data.items():
        data[name] = standard(block, weight) if scaled else block - np.average(block, axis=0, weights=weight)
    outer = {name: np.ones(block.shape[1]) for name, block in data.items()}
    moved = 1.0
    while moved > 1e-13:
        scores = {name: standard(block @ outer[name], weight) for name, block in data.items()}
        inner = {name: inner_proxy(name, scores, weight, scheme) for name in BLOCKS}
        new = {name: outer_step(block, inner[name], modes.get(name, "A"), weight) for name, block in data.items()}
        moved = max(np.max(np.abs(new[name] - outer[name])) for name in BLOCKS)
        outer = new
    scores = {name: standard(block @ outer[name], weight) for name, block in data.items()}
    paths = {
        (to, one): figure
        for to, by in PATHS.items()
        for one, figure in zip(by, regress(scores[to], np.column_stack([scores[b] for b in by]), weight), strict=True)
    }
    loadings = [corr(column, scores[name], weight) for name, block in data.items() for column in block.T]
    r2 = {to: sum(paths[to, b] * corr(scores[to], scores[b], weight) for b in by) for to, by in PATHS.items()}
    return np.concatenate([outer[name] for name in BLOCKS]), np.array(loadings), paths, r2, scores


def figures(result, kind):
    found = result.select(kind)
    return dict(zip(zip(found.keys["lhs"], found.keys["rhs"], strict=True), found.estimate, strict=True))


@pytest.mark.parametrize("scheme", ["path", "centroid", "factorial"])
@pytest.mark.parametrize("modes", [{}, {"quality": "B"}, {"image": "B", "loyalty": "B"}, {"quality": "unit"}])
@pytest.mark.parametrize("weighted", [False, True])
def test_estimates_are_those_of_rows(rows, scheme, modes, weighted):
    design = Design(weight="w") if weighted else Design()
    found = pls(csat.read_survey(rows, design=design), MODEL, scheme=scheme, modes=modes, replicates=50)
    weight = rows["w"].to_numpy() if weighted else np.ones(len(rows))
    weights, loadings, paths, r2, scores = by_rows(rows, weight, modes, scheme)
    assert_allclose(found.select("weight").estimate, weights, atol=2e-9)
    assert_allclose(found.select("loading").estimate, loadings, atol=2e-9)
    assert figures(found, "path") == pytest.approx(paths, abs=2e-9)
    assert figures(found, "r2") == pytest.approx({(name, ""): value for name, value in r2.items()}, abs=2e-9)
    of_rows = found.scores(csat.read_survey(rows, design=design))
    for name in BLOCKS:
        assert_allclose(of_rows.scores[name], scores[name], atol=2e-8)


def test_items_in_their_own_unit(rows, survey):
    found = pls(survey, MODEL, scaled=False, replicates=50)
    weights, loadings, paths, _, scores = by_rows(rows, np.ones(len(rows)), {}, scaled=False)
    assert_allclose(found.select("weight").estimate, weights, atol=2e-9)
    assert_allclose(found.select("loading").estimate, loadings, atol=2e-9)
    assert figures(found, "path") == pytest.approx(paths, abs=2e-9)
    assert_allclose(found.scores(survey).scores["image"], scores["image"], atol=2e-8)


def test_replicates_are_refits_on_rows(rows):
    some = rows.head(40)
    found = pls(csat.read_survey(some, design=Design()), MODEL, se="jackknife")
    kinds = found.layout.kinds
    for left_out in (0, 7, 39):
        weights, _, paths, _, _ = by_rows(some.drop(index=left_out), np.ones(39), {})
        figure = found.draws.figures[left_out, 0]
        assert_allclose(figure[kinds == "weight"], weights, atol=2e-8)
        assert_allclose(figure[kinds == "path"], [paths[key] for key in figures(found, "path")], atol=2e-8)
    apart = found.draws.figures[:, 0] - found.draws.figures[:, 0].mean(axis=0)
    se = np.sqrt(39 / 40 * np.sum(apart**2, axis=0))
    known = np.isfinite(se)
    assert_allclose(found.estimates.se[known], np.where(se > 1e-9, se, 0.0)[known], rtol=1e-9)
    assert found.interval == "t"


# --- laws ------------------------------------------------------------------------------------------------------------


def test_weight_2_is_a_row_twice(rows):
    doubled = rows.assign(w=np.where(np.arange(len(rows)) < 100, 2.0, 1.0))
    twice = pd.concat([rows, rows.head(100)], ignore_index=True)
    one = pls(csat.read_survey(doubled, design=Design(weight="w")), MODEL, limits=(1, 10), replicates=50)
    other = pls(csat.read_survey(twice, design=Design()), MODEL, limits=(1, 10), replicates=50)
    same = ~np.isin(one.layout.kinds, ["adj_r2"])  # counts respondents
    assert_allclose(one.estimates.estimate[same], other.estimates.estimate[same], atol=1e-9)
    assert one.glance()["n"].item() == 300
    assert other.glance()["n"].item() == 400


def test_units_of_weights_do_not_matter(rows):
    found = [
        pls(csat.read_survey(rows.assign(w=unit * rows["w"]), design=Design(weight="w")), MODEL, replicates=60).tidy()
        for unit in (1.0, 1000.0)
    ]
    assert_allclose(found[0].select_dtypes("number"), found[1].select_dtypes("number"), rtol=1e-7, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(
    slopes=st.lists(st.floats(0.1, 50), min_size=len(ITEMS), max_size=len(ITEMS)),
    shift=st.floats(-100, 100),
    order=st.permutations(range(len(ITEMS))),
)
def test_units_and_order_of_items_do_not_matter(slopes, shift, order):
    rows = answers(80)
    other = rows.assign(**{item: shift + slope * rows[item] for item, slope in zip(ITEMS, slopes, strict=True)})
    rank = {item: order[i] for i, item in enumerate(ITEMS)}
    shuffled = "\n".join(
        [f"{name} =~ {' + '.join(sorted(items, key=rank.get))}" for name, items in BLOCKS.items()]
        + [f"{to} ~ {' + '.join(by)}" for to, by in PATHS.items()]
    )
    one, two = (covariances(frame) for frame in (rows, other))
    found, moved = pls(one, MODEL), pls(two, shuffled)
    for kind in ("weight", "loading", "path", "total", "indirect", "r2", "rho_a", "alpha"):
        assert figures(found, kind) == pytest.approx(figures(moved, kind), abs=1e-7)


def covariances(frame):
    """The published table of the same answers."""
    part = frame[ITEMS]
    return csat.from_covariance(part.cov(), len(part), part.mean().to_dict())


def test_a_published_matrix_gives_the_same_without_errors(rows, survey):
    one, two = pls(survey, MODEL, replicates=50), pls(covariances(rows), MODEL)
    assert_allclose(one.estimates.estimate, two.estimates.estimate, atol=1e-10, equal_nan=True)
    assert two.draws is None
    assert np.isnan(two.estimates.se).all()
    notes = two.estimates.tidy()["note"]
    assert notes[0] == "this source is a summary without rows"
    assert set(two.tidy()["note"]) == {notes[0]}
    assert set(one.tidy()["note"]) == {""}
    assert two.tidy().columns.tolist() == [
        "kind",
        "lhs",
        "rhs",
        "estimate",
        "se",
        "statistic",
        "p",
        "low",
        "high",
        "note",
    ]
    assert two.estimates.provenance.variance == "none"
    with pytest.raises(SampleError, match="A bootstrap needs the respondents' rows"):
        pls(covariances(rows), MODEL, se="bootstrap")


def test_single_items_are_a_regression(survey, rows):
    found = pls(survey, "d1 ~ a1 + b1 + c1", replicates=2000)
    reference = csat.regress(survey, "d1", ["a1", "b1", "c1"])
    assert_allclose(found.select("path").estimate, reference.beta[1:], atol=1e-12)
    assert found.constructs().set_index("construct").loc["d1", "r2"] == pytest.approx(reference.r2, abs=1e-12)
    adjusted = found.constructs().set_index("construct").loc["d1", "adj_r2"]
    assert adjusted == pytest.approx(reference.adj_r2, abs=1e-12)
    assert_allclose(found.vif().loc["d1", ["a1", "b1", "c1"]].to_numpy(float), reference.vif[1:], atol=1e-10)
    assert found.constructs()["mode"].tolist() == ["single"] * 4
    assert_allclose(found.select("weight").estimate, 1)
    assert (found.select("weight").se == 0).all()


def test_consistent_estimates_find_the_factors_of_a_population():
    # Exact covariances of a factor model: loadings, correlations and paths come back (Dijkstra & Henseler 2015).
    loadings = {"image": [0.8, 0.7, 0.6], "quality": [0.9, 0.8, 0.7, 0.6], "value": [0.85, 0.75], "loyalty": [0.8, 0.7]}
    paths = np.zeros((4, 4))
    paths[1, 0], paths[2, :2], paths[3, :3] = 0.6, (0.3, 0.4), (0.1, 0.3, 0.35)
    constructs = np.eye(4)
    for j in range(1, 4):
        constructs[j, :j] = constructs[:j, j] = paths[j, :j] @ constructs[:j, :j]
    load = np.zeros((len(ITEMS), 4))
    for j, (name, items) in enumerate(BLOCKS.items()):
        load[[ITEMS.index(item) for item in items], j] = loadings[name]
    sigma = load @ constructs @ load.T
    np.fill_diagonal(sigma, 1.0)
    source = csat.from_covariance(sigma, 500, names=ITEMS)
    found = pls(source, MODEL, consistent=True)
    assert_allclose(found.select("loading").estimate, load.sum(axis=1), atol=1e-9)
    assert_allclose(found.correlations(), constructs, atol=1e-9)
    assert_allclose(found.solution.paths[0], paths, atol=1e-9)
    assert_allclose(found.glance()[["srmr", "d_uls", "d_g", "d_ml"]], 0, atol=1e-8)
    some = pls(source, MODEL, consistent=["image", "quality"])
    assert some.correlations().loc["image", "quality"] == pytest.approx(0.6, abs=1e-9)
    assert some.correlations().loc["value", "loyalty"] < constructs[3, 2] - 0.05
    assert some.constructs()["mode"].tolist() == ["A, consistent", "A, consistent", "A", "A"]


def test_factor_weights_are_those_of_factor_analysis(survey, rows):
    found = pls(survey, MODEL, modes=dict.fromkeys(BLOCKS, "factor"), replicates=50)
    weights = pd.Series(found.select("weight").estimate, ITEMS)
    for name in ("image", "quality"):
        items = BLOCKS[name]
        load = csat.efa(survey, items, 1, method="minres", rotation=None).pattern[:, 0]
        by_hand = np.linalg.solve(np.outer(load, load) + np.diag(1 - load**2), load)  # Thurstone's regression
        assert_allclose(weights[items] / weights[items].sum(), by_hand / by_hand.sum(), atol=1e-6)
    assert weights["c1"] == pytest.approx(weights["c2"])
    assert found.constructs()["mode"].tolist() == ["factor"] * 4
    raw = pls(survey, MODEL, modes=dict.fromkeys(BLOCKS, "factor"), scaled=False, replicates=50)
    assert_allclose(raw.correlations(), found.correlations(), atol=1e-9)


def test_effects_add_up(survey):
    found = pls(survey, MODEL, replicates=50)
    path, total, indirect = (figures(found, kind) for kind in ("path", "total", "indirect"))
    assert set(total) == set(path) | set(indirect)
    for key, value in total.items():
        assert value == pytest.approx(path.get(key, 0.0) + indirect.get(key, 0.0))
    by_hand = path["quality", "image"] * (
        path["loyalty", "quality"] + path["value", "quality"] * path["loyalty", "value"]
    )
    by_hand += path["value", "image"] * path["loyalty", "value"]
    assert indirect["loyalty", "image"] == pytest.approx(by_hand)


def test_a_reversed_item_loads_negatively_and_constructs_point_where_most_items_do(rows):
    reversed_one = rows.assign(b2=11 - rows["b2"])
    with pytest.warns(
        ReversedItemWarning, match=r"^Items load negatively .* chance: b2 \(quality: -0\.\d\d\)\. If they"
    ):
        one = pls(covariances(reversed_one), MODEL)
    assert len(one.notes) == 1
    found = figures(one, "loading")
    assert found["quality", "b2"] < -0.3
    assert found["quality", "b1"] > 0.3
    assert figures(one, "path") == pytest.approx(figures(pls(covariances(rows), MODEL), "path"), abs=1e-8)
    both = rows.assign(**{item: 11 - rows[item] for item in BLOCKS["quality"]})
    turned = pls(covariances(both), MODEL)
    assert min(figures(turned, "loading").values()) > 0
    assert figures(turned, "path")["quality", "image"] < 0


def test_items_against_their_construct_are_told_by_group_beyond_chance(rows):
    two = rows.assign(b2=np.where(rows["brand"] == "x", 11 - rows["b2"], rows["b2"]))
    with pytest.warns(ReversedItemWarning, match=r"^In group 'x': items load negatively .*: b2 \(quality: -0"):
        found = pls(csat.read_survey(two, design=Design()), MODEL, by="brand", replicates=60)
    assert len(found.notes) == 1
    groups = pd.concat([rows.assign(brand=name, b2=11 - rows["b2"]) for name in "abcde"])
    with pytest.warns(ReversedItemWarning, match=r"^In group '.': items load .* So do items in 4 other groups\. If"):
        pls(csat.read_survey(groups, design=Design()), MODEL, by="brand", replicates=60)
    corr = np.full((5, 5), 0.5) + 0.5 * np.eye(5)
    corr[2, :] = corr[:, 2] = -0.15  # the third of four items loads -0.30
    corr[2, 2] = 1.0
    for n, told in ((30, False), (60, True)):
        source = csat.from_covariance(corr, n, names=list("abcde"))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            weak = pls(source, "f =~ a + b + c + d; e ~ f")
        assert (figures(weak, "loading")["f", "c"] < -2 / np.sqrt(n)) == told
        assert [each.category for each in caught] == [ReversedItemWarning] * told


def test_items_against_their_part_of_a_whole_are_told(survey, rows):
    turned = csat.read_survey(rows.assign(a2=11 - rows["a2"]), design=Design())
    with pytest.warns(ReversedItemWarning, match=r"chance: a2 \(a: "):
        pls(turned, "a =~ a1 + a2 + a3\nb =~ b1 + b2\ns <~ a + b\nc =~ c1 + c2\nc ~ s", replicates=50)
    with pytest.warns(ReversedItemWarning, match=r"chance: a2 \(a: -0\.\d\d\)\. If"):  # and not its products
        pls(
            turned, "a =~ a1 + a2 + a3\nb =~ b1 + b2\nc =~ c1 + c2\nc ~ a + b + a:b", replicates=50,
            interaction="product-indicator",
        )  # fmt: skip


# --- kernels ---------------------------------------------------------------------------------------------------------


def test_a_batch_gives_what_each_sample_gives(rows, rng):
    draws = [rows.sample(100, replace=True, random_state=int(seed))[ITEMS].cov().to_numpy() for seed in range(30)]
    blocks = blocks_of(csat.Model(MODEL), modes={"value": "B"}, consistent=["image"])
    together = solve(np.array(draws).reshape(5, 6, len(ITEMS), len(ITEMS)), blocks, Settings())
    assert together.weights.shape == (5, 6, len(ITEMS))
    assert together.paths.shape == (5, 6, 4, 4)
    assert together.converged.all()
    assert len(set(together.steps.ravel().tolist())) > 1
    for i, cov in enumerate(draws):
        alone = solve(cov, blocks, Settings())
        at = (i // 6, i % 6)
        assert_allclose(together[at].weights, alone.weights, atol=1e-12)
        assert_allclose(together[at].paths, alone.paths, atol=1e-12)
        assert together[at].steps == alone.steps


def test_a_broken_sample_leaves_the_others_alone(rows):
    good = rows[ITEMS].cov().to_numpy()
    flat = good.copy()
    flat[2] = flat[:, 2] = 0.0
    unknown = np.full_like(good, np.nan)
    blocks = blocks_of(csat.Model(MODEL))
    found = solve(np.stack([good, flat, unknown, good]), blocks, Settings())
    assert found.converged.tolist() == [True, False, False, True]
    assert np.isnan(found.paths[1]).any()
    assert_allclose(found.weights[0], found.weights[3], atol=0)


def test_inverses_of_many_matrices(rng):
    roots = rng.normal(size=(200, 5, 9))
    matrices = roots @ roots.swapaxes(1, 2)
    assert_allclose(inverse(matrices), np.linalg.inv(matrices), rtol=1e-8, atol=1e-10)
    indefinite = np.array([[1.0, 1.2], [1.2, 1.0]])
    assert_allclose(inverse(indefinite), np.linalg.inv(indefinite))
    assert np.isnan(inverse(np.ones((2, 2)))).all()


# --- replicates, intervals, designs --------------------------------------------------------------------------------


def test_bootstrap_jackknife_and_linear_theory_agree(rows, survey):
    drawn, left_out = pls(survey, MODEL, replicates=3000), pls(survey, MODEL, se="jackknife")
    at = np.isin(drawn.layout.kinds, ["path", "total", "loading", "ave"])
    assert_allclose(drawn.estimates.se[at], left_out.estimates.se[at], rtol=0.15)
    one = pls(survey, "d1 ~ a1", replicates=4000).select("path")
    rho = rows[["a1", "d1"]].corr().to_numpy()[0, 1]
    assert one.se[0] == pytest.approx((1 - rho**2) / np.sqrt(len(rows)), rel=0.15)


def test_the_same_seed_gives_the_same_figures(survey):
    one, two, other = (pls(survey, MODEL, replicates=60, seed=seed).tidy() for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(one, two)
    assert not np.allclose(one["se"], other["se"])


def test_clusters_and_strata_widen_errors(rows):
    plain = pls(csat.read_survey(rows, design=Design()), MODEL, limits=(1, 10), replicates=1500)
    halls = csat.read_survey(rows, design=Design(stratum="stratum", psu="hall"))
    clustered = pls(halls, MODEL, limits=(1, 10), replicates=1500)
    assert clustered.estimates.provenance.variance == "bootstrap of sampling units, 1500 replicates"
    assert clustered.estimates.df == 22
    assert clustered.performance.se[0] > 1.3 * plain.performance.se[0]
    again = pls(halls.groups(ITEMS, (), "listwise"), MODEL, limits=(1, 10), replicates=1500)
    assert_allclose(again.estimates.se, clustered.estimates.se, rtol=1e-9, atol=1e-12)


def test_declared_replicates_are_used(rows):
    design = Design(stratum="stratum", psu="hall", replication=Replication("JKn"))
    survey = csat.read_survey(rows, design=design)
    found = pls(survey, MODEL)
    assert found.estimates.provenance.variance == "replicates: JKn, 24 replicates"
    assert found.interval == "t"
    assert found.glance()["replicates"].item() == 24
    other = pls(csat.read_survey(rows, design=Design(stratum="stratum", psu="hall")), MODEL, se="jackknife")
    assert_allclose(found.estimates.se, other.estimates.se, rtol=1e-9, atol=1e-12)
    with pytest.raises(OptionError, match=r"interval='percentile' needs draws of a bootstrap; .*give 't' or 'normal'"):
        pls(survey, MODEL, interval="percentile")
    drawn = Design(stratum="stratum", psu="hall", replication=Replication("subbootstrap", size=200))
    assert pls(csat.read_survey(rows, design=drawn), MODEL).interval == "percentile"


def test_intervals(rows, survey):
    found = pls(survey, MODEL, replicates=500, interval="bca")
    draws, estimate = found.draws.figures[:, 0], found.estimates.estimate
    at = found.layout.keys.index(("path", "quality", "image"))
    row = {method: found.intervals(method).iloc[at] for method in ("percentile", "basic", "normal", "t", "bca")}
    ordered = np.sort(draws[:, at])
    assert ordered[10] < row["percentile"]["low"] < ordered[14]
    assert row["basic"]["low"] == pytest.approx(2 * estimate[at] - row["percentile"]["high"])
    assert row["basic"]["high"] == pytest.approx(2 * estimate[at] - row["percentile"]["low"])
    assert row["normal"]["high"] - row["normal"]["low"] == pytest.approx(
        2 * 1.959964 * found.estimates.se[at], rel=1e-6
    )
    assert row["t"]["high"] - row["t"]["low"] > row["normal"]["high"] - row["normal"]["low"]
    # Bias and acceleration by their definitions.
    from scipy.stats import norm

    jackknife = pls(survey, MODEL, se="jackknife").draws.figures[:, 0, at]
    apart = jackknife.mean() - jackknife
    skewed = np.sum(apart**3) / (6 * np.sum(apart**2) ** 1.5)
    bias = norm.ppf(np.mean(draws[:, at] < estimate[at]))
    z = bias + norm.ppf([0.025, 0.975])
    wanted = norm.cdf(bias + z / (1 - skewed * z))
    assert_allclose([row["bca"]["low"], row["bca"]["high"]], np.quantile(draws[:, at], wanted), atol=5e-3)
    with pytest.raises(OptionError, match="interval='bca' needs the jackknife as well"):
        pls(survey, MODEL, replicates=60).intervals("bca")


def test_groups_share_one_covariance(rows):
    survey = csat.read_survey(rows, design=Design(psu="hall"))
    found = pls(survey, MODEL, by="brand", limits=(1, 10), replicates=400)
    assert found.tidy().columns[0] == "brand"
    assert found.glance()["brand"].tolist() == ["x", "y"]
    paths = found.select("performance")
    size = len(paths.term) // 2
    joint = paths.vcov[:size, size:]
    assert np.abs(np.diag(joint)).min() > 0  # halls serve both brands
    gap = paths.contrast(np.hstack([np.eye(size), -np.eye(size)]), BLOCKS)
    own = np.diag(paths.vcov)
    assert_allclose(gap.se**2, own[:size] + own[size:] - 2 * np.diag(joint), rtol=1e-9)
    for brand in ("x", "y"):
        alone = pls(csat.read_survey(rows[rows["brand"] == brand], design=Design()), MODEL, replicates=50)
        part = found.tidy()[lambda f, brand=brand: f["brand"] == brand]["estimate"]
        assert_allclose(part, alone.tidy()["estimate"], atol=1e-9)
        assert_allclose(found.cross_loadings(brand), alone.cross_loadings(), atol=1e-9)


def test_a_group_without_a_solution_has_a_reason(rows):
    brand = rows["brand"].to_numpy(copy=True)
    brand[:8] = "few"
    flat = rows.assign(brand=brand)
    flat.loc[flat["brand"] == "y", "a1"] = 5.0
    few = "8 complete answers for 11 items. Merge it with another group, or use fewer items."
    told = (
        f"Group 'few' has no estimates: {few}",
        "Group 'y' has no estimates: No variation in 'a1': everyone gave the same answer. Leave them out.",
    )
    with pytest.warns(NoEstimatesWarning) as caught:
        found = pls(csat.read_survey(flat, design=Design()), MODEL, by="brand", replicates=60)
    assert tuple(str(each.message) for each in caught) == told
    assert found.notes == told  # nothing about replicates, which these groups cannot have
    notes = found.tidy().groupby("brand")["note"].first()
    assert notes["few"] == "no more complete answers than items"
    assert notes["x"] == ""
    assert notes["y"] == "a variable does not vary here"
    frame = found.tidy()
    assert frame[frame["brand"] != "x"]["estimate"].isna().all()
    assert frame[frame["brand"] == "x"]["se"].notna().all()
    assert found.glance().set_index("brand")["converged"].to_dict() == {"few": False, "x": True, "y": False}
    assert found.glance().set_index("brand")["srmr"].notna().to_dict() == {"few": False, "x": True, "y": False}


def weak_answers(n=60, seed=8):
    """Two constructs so weak that draws turn them round."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.normal(size=(n, 6)), columns=list("abcdeh")).assign(d=lambda f: f["d"] + 0.25 * f["a"])


def test_draws_that_turn_a_construct_round(rows):
    survey = csat.read_survey(weak_answers(), design=Design())
    model = "f =~ a + b + c\ng =~ d + e + h\ng ~ f"
    with_turns = pls(survey, model, replicates=400)
    without = pls(survey, model, replicates=400, sign="none")
    counted = with_turns.glance()["replicates_turned"].item()
    assert 0 < counted < 400
    assert without.glance()["replicates_turned"].item() == counted
    loadings = with_turns.layout.kinds == "loading"
    assert with_turns.estimates.se[loadings].sum() < without.estimates.se[loadings].sum()
    assert_allclose(with_turns.estimates.estimate, without.estimates.estimate, atol=0)


def test_lost_and_impossible_draws_are_counted(rows):
    survey = csat.read_survey(weak_answers(80, 2), design=Design())
    model = "f =~ a + b + c\ng =~ d + e + h\ng ~ f"
    strong = answers(60).assign(c2=lambda f: f["c2"] + 3 * (f["c1"] > 6))
    with pytest.warns((ReplicatesWarning, ImproperSolutionWarning)):
        found = pls(csat.read_survey(strong, design=Design()), MODEL, consistent=True, replicates=200)
    glance = found.glance().iloc[0]
    assert glance["replicates_improper"] > 0
    assert glance["replicates_used"] + glance["replicates_failed"] == 200
    assert any("count in standard errors" in note for note in found.notes)
    assert "Note: " in repr(found)
    with pytest.raises(ConvergenceError, match=r"The reliability ρA of '[fg]' is negative"):
        pls(survey, model, consistent=True)


# --- performance and scores ------------------------------------------------------------------------------------------


def test_performance_is_the_american_index(rows, survey):
    found = pls(survey, MODEL, limits=(1, 10), replicates=800)
    weights, sd = found.select("weight").estimate, rows[ITEMS].std(ddof=0).to_numpy()
    raw = pd.Series(weights / sd, ITEMS)
    for name, items in BLOCKS.items():
        # Fornell et al. (1996): (Σ w·x̄ − Σ w) / (9·Σ w) · 100 with weights of answers in their own unit.
        own = raw[items]
        by_hand = (own @ rows[items].mean() - own.sum()) / (9 * own.sum()) * 100
        assert figures(found, "performance")[name, ""] == pytest.approx(by_hand)
    assert found.performance.unit == "points"
    points = found.scores(survey, unit="points")
    assert_allclose(points.scores.mean(), found.performance.estimate)
    assert_allclose(points.tidy()["mean"], found.performance.estimate)
    fixed = points.scores.std(ddof=1) / np.sqrt(len(rows))  # weights taken as given: most of the error
    assert_allclose(found.performance.se, fixed, rtol=0.12)


def test_limits_by_item_and_of_the_questionnaire(rows, survey, study):
    ten = "[study]\nname = 't'\n[scales.ten]\nlow = 1\nhigh = 10\n[items]\n"
    asked = study(ten + "\n".join(f'{item} = {{ scale = "ten" }}' for item in ITEMS))
    with_study = pls(csat.read_survey(rows[ITEMS], asked), MODEL, replicates=60)
    given_ = pls(survey, MODEL, limits=(1, 10), replicates=60)
    assert_allclose(with_study.performance.estimate, given_.performance.estimate)
    part = pls(survey, MODEL, limits={"d1": (1, 10), "d2": (0, 20)}, replicates=60)
    known = part.constructs().set_index("construct")["performance"].notna()
    assert known.to_dict() == {"image": False, "quality": False, "value": False, "loyalty": True}
    notes = part.performance.tidy()["note"].tolist()
    assert notes[0] == "the scale or the mean of an item is not known: no figure on 0–100"
    with pytest.raises(OptionError, match=r"unit='points' needs the ends of the scales"):
        pls(survey, MODEL, replicates=60).scores(survey, unit="points")


def test_scales_that_answers_lie_outside_of_are_refused(rows, survey, study):
    found = "'a1' is taken for a scale from 1 to 5, its answers go from 1 to 10; .* 8 more items.* Give the lowest"
    with pytest.raises(OptionError, match=found):
        pls(survey, MODEL, limits=(1, 5))
    with pytest.raises(OptionError, match=r"^Scales .*: 'a1' .* from 2 to 9, its answers go from 1 to 10\. Give"):
        pls(survey, MODEL, limits={"a1": (2, 9), "d1": (0, 20)})
    five = "[study]\nname = 't'\n[scales.five]\nlow = 1\nhigh = 10\n[items]\n"
    asked = study(five + "\n".join(f'{item} = {{ scale = "five" }}' for item in ITEMS))
    with pytest.raises(OptionError, match=r"'b1' is taken for a scale from 1 to 6, its answers go from \S+ to 10"):
        pls(csat.read_survey(rows[ITEMS], asked), MODEL, limits={"b1": (1, 6)})
    model = "s =~ a + b\na =~ a1 + a2\nb =~ b1 + b2\nc =~ c1 + c2\nc ~ s"
    for staged in (model, "a =~ a1 + a2\nb =~ b1 + b2\nc =~ c1 + c2\nc ~ a + b + a:b"):
        with pytest.raises(OptionError, match="'a1' is taken for a scale from 1 to 5"):
            pls(survey, staged, limits=(1, 5))


def test_scales_that_published_moments_contradict_are_refused(rows):
    cov = rows[ITEMS].cov()
    with_means = csat.from_covariance(cov, len(rows), rows[ITEMS].mean().to_dict())
    with pytest.raises(OptionError, match=r"'a1' .* from 1 to 7, its answers have a mean of 6\.93 and a standard dev"):
        pls(with_means, MODEL, limits={"a1": (1, 7)})
    alone = csat.from_covariance(cov, len(rows))
    with pytest.raises(OptionError, match=r"'a1' .* from 5 to 8, its answers have a standard deviation of 1\.641"):
        pls(alone, MODEL, limits={"a1": (5, 8)})
    halves = pd.DataFrame({"a": [1, 5] * 50, "b": [1, 5, 5, 1] * 25, "c": [1, 5, 5, 5, 1] * 20}).assign(
        a=lambda f: f["c"].where(f.index > 20, 1)
    )
    widest = csat.from_covariance(halves.cov(), 100, halves.mean().to_dict())  # as far apart as a scale allows
    assert pls(widest, "c ~ a + b", limits=(1, 5)).performance.estimate[0] == pytest.approx(60)


@pytest.mark.parametrize("limits", [(False, True), ("1", "10"), (1, 1), (1, 5, 10), {"a1": 5}, "ab", 3])
def test_limits_are_two_different_numbers(survey, limits):
    with pytest.raises(
        OptionError, match="limits are the lowest and the highest possible answer, two different numbers"
    ):
        pls(survey, MODEL, limits=limits)


def test_scores_of_groups(rows):
    gaps = rows.copy()
    gaps.loc[3, "a1"] = np.nan
    survey = csat.read_survey(gaps, design=Design(weight="w"))
    found = pls(survey, MODEL, by="brand", replicates=60)
    assert found.glance()["left_out"].tolist() == [1, 1]
    scores = found.scores(survey)
    assert scores.left_out == 1
    assert_allclose(scores.tidy()["mean"], 0, atol=1e-10)
    assert_allclose(scores.tidy()["sd"], 1, rtol=1e-10)
    others = csat.read_survey(rows.assign(brand="z"), design=Design())
    with pytest.raises(SampleError, match="The group 'z' is none that the model was estimated for"):
        found.scores(others)
    with pytest.raises(SampleError, match="Scoring respondents needs the respondents' rows"):
        found.scores(covariances(rows))


def test_the_european_preset(rows, survey):
    asked = {
        "image": BLOCKS["image"],
        "quality": BLOCKS["quality"],
        "value": BLOCKS["value"],
        "satisfaction": "d1",
        "loyalty": "d2",
    }
    model = csat.Model.preset("ecsi", asked, without=["expectation", "complaints"])
    found = pls(survey, model, scheme="centroid", limits=(1, 10), replicates=60)
    assert found.constructs()["construct"].tolist() == ["image", "quality", "value", "satisfaction", "loyalty"]
    assert found.constructs()["performance"].between(0, 100).all()


# --- wrong input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            "f =~ a1 + a2\ng =~ b1 + b2\ng ~ f\na1 ~~ a2",
            r"estimates no \(residual\) covariances such as a1 ~~ a2.*csat.sem",
        ),
        ("f =~ a1 + 1*a2\ng =~ b1 + b2\ng ~ f", "no fixed, freed or starting values: constructs have a variance of 1"),
        ("f =~ a1 + start(0.5)*a2\ng =~ b1\ng ~ f", "no fixed, freed or starting values"),
        ("f =~ a1 + k*a2\ng =~ b1 + b2\ng ~ k*f", "ties no parameters, as the label 'k' in two places does"),
        ("f =~ a1 + k*a2\ng =~ b1 + b2\ng ~ f\nk == 1", "line 4, character 1: .* ties no parameters by equations"),
        ("f =~ a1 + a2\ng =~ b1 + b2\ng ~ f\na1 ~ 1", "estimates no intercepts"),
        ("f =~ a1 + a2\ng =~ b1 + b2\nh =~ c1\ng ~ f", "the construct 'h' has no path"),
        ("f =~ a1 + a2", "the construct 'f' has no path"),
        ("f =~ a1\ng =~ b1\nh =~ c1\ng ~ f\nh ~ g\nf ~ h", "explain one another in a circle: f ← h ← g ← f"),
        ("f =~ a1\ng =~ b1\ng ~ f\nf ~ g", "in a circle: f ← g ← f"),
        ("f =~ a1 + a2\ng =~ a2 + b1\ng ~ f", "'a2' belongs to 'f' already"),
        ("f =~ a1 + a2\ng =~ f\ng ~ b1", "the construct 'g' is made of the construct 'f' alone"),
        ("f =~ a1 + a2\ng =~ b1\ng ~ f + a1", "'a1' is an item of 'f' and stands in a path as well"),
    ],
)
def test_models_that_are_not_path_models(survey, model, message):
    with pytest.raises(ModelError, match=message):
        pls(survey, model)


def test_definitions_and_their_labels_are_not_needed_and_that_is_said(survey):
    """One model for both estimators: what sem defines, pls has among its effects."""
    plain = "f =~ a1 + a2\ng =~ b1 + b2\nh =~ c1\ng ~ f\nh ~ g"
    named = plain.replace("g ~ f", "g ~ k*f").replace("h ~ g", "h ~ m*g") + "\nway := k * m"
    one, other = (pls(survey, text, replicates=50) for text in (plain, named))
    assert other.notes[0].startswith("Not estimated, since partial least squares has no defined parameters: way. ")
    assert other.notes[1:] == one.notes
    pd.testing.assert_frame_equal(one.tidy(), other.tidy())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheme": "pca"}, "scheme='pca' is not known; choose one of 'path', 'centroid', 'factorial'"),
        ({"modes": {"imag": "B"}}, "modes names 'imag', which is no construct of the model. Did you mean 'image'"),
        ({"modes": {"image": "C"}}, r"modes\['image'\]='C' is not known; choose one of 'A', 'B', 'unit', 'factor'"),
        ({"modes": "B"}, "modes is a table such as"),
        ({"consistent": ["imag"]}, "consistent names 'imag', which is no construct"),
        (
            {"consistent": ["image"], "modes": {"image": "B"}},
            "the correction for attenuation is for constructs of several",
        ),
        ({"replicates": 10}, "replicates is a whole number, 50 to 100000; found int 10"),
        ({"seed": -1}, "seed is a whole number, 0 or more; found int -1"),
        ({"se": "HC3"}, "se='HC3' is not known; choose one of 'bootstrap', 'replicates', 'jackknife'"),
        ({"se": "replicates"}, "this source has none. Declare csat.Design"),
        (
            {"se": "jackknife", "interval": "percentile"},
            "needs draws of a bootstrap; a jackknife gives 't' or 'normal'",
        ),
        ({"interval": "wald"}, "interval='wald' is not known"),
        ({"sign": "flip"}, "sign='flip' is not known; choose one of 'construct', 'none'"),
        ({"limits": (1, 1)}, "limits are the lowest and the highest possible answer, two different numbers"),
        ({"limits": {"zz": (1, 10)}}, "limits names str 'zz', which is no item of the model. Did you mean 'a1'"),
        ({"by": "srmr"}, "by: column 'srmr' has the name of a result's column"),
        ({"level": 95}, "the confidence level lies between 0 and 1"),
    ],
)
def test_words_of_wrong_options(survey, options, message):
    with pytest.raises(OptionError, match=message):
        pls(survey, MODEL, **options)


def test_words_of_samples_that_cannot_be_used(rows, survey):
    with pytest.raises(UnknownColumnError, match=r"No column 'zz'.*its constructs are 'f', 'g'"):
        pls(survey, "f =~ a1 + zz\ng =~ b1\ng ~ f")
    with pytest.raises(SampleError, match="A path model of 11 items needs at least 12 complete answers; 11 found"):
        pls(csat.read_survey(rows.head(11), design=Design()), MODEL)
    with pytest.raises(SampleError, match="No variation in 'a2'"):
        pls(csat.read_survey(rows.assign(a2=7.0), design=Design()), MODEL)
    twin = csat.read_survey(rows.assign(b4=rows["b1"] + rows["b2"]), design=Design())
    with pytest.raises(CollinearityError, match=r"In the block of 'quality' \(mode B\): 'b4' is an exact linear"):
        pls(twin, MODEL, modes={"quality": "B"})
    assert pls(twin, MODEL, replicates=50).glance()["converged"].item()  # mode A does not mind
    with pytest.raises(CollinearityError, match=r"Among what explains 'd1': 'a[12]' is an exact linear combination"):
        pls(csat.read_survey(rows.assign(a2=2 * rows["a1"]), design=Design()), "d1 ~ a1 + a2")
    lone = csat.read_survey(rows.assign(stratum=["one", *["rest"] * 299]), design=Design(stratum="stratum"))
    with pytest.raises(DesignError, match="Only one primary sampling unit in stratum 'one'"):
        pls(lone, MODEL)


def test_the_table_says_what_is_there(survey):
    found = pls(survey, MODEL, replicates=60)
    text = repr(found)
    assert text.startswith("Pls: n = 300, 4 constructs, 11 items, SRMR = ")
    assert "bootstrap of respondents, 60 replicates" in text
    assert text == repr(found)
    assert found._repr_html_().startswith("<p>Pls: n = 300")
    assert set(found.tidy()["kind"]) == {"weight", "loading", "path", "total", "indirect"}
    assert found.glance().shape[0] == 1
    assert found.item_vif()["vif"].ge(1).all()
    assert found.implied().shape == (11, 11)
    expected = np.linalg.inv(found.items.corr[0][:3, :3]).diagonal()
    assert_allclose(found.item_vif()["vif"][:3], expected)


def test_given_replicate_weights_are_those_that_csat_makes(rows):
    some = rows.head(60)
    left_out = {f"r{i}": np.where(np.arange(60) == i, 0.0, 60 / 59) for i in range(60)}
    given_ = pd.concat([some, pd.DataFrame(left_out, index=some.index)], axis=1)
    design = Design(replicates=tuple(left_out), replication=Replication("JK1"))
    found = pls(csat.read_survey(given_, design=design), MODEL)
    made = pls(csat.read_survey(some, design=Design()), MODEL, se="jackknife")
    assert_allclose(found.estimates.se, made.estimates.se, rtol=1e-8, atol=1e-9)


def test_one_unit_of_each_stratum_leaves_no_degrees_of_freedom(rows):
    design = Design(stratum="stratum", psu="stratum_", lone_psu="certainty")
    halls = rows.assign(stratum_=rows["stratum"], one=np.where(rows.index < 150, "p", "q"))
    with pytest.raises(DesignError, match="no replicate differs from the sample"):
        pls(csat.read_survey(halls, design=design), MODEL)


def test_answers_that_are_missing_or_no_numbers(rows):
    empty = rows.assign(a1=np.nan)
    with pytest.raises(SampleError, match="needs at least 12 complete answers; 0 found"):
        pls(csat.read_survey(empty.assign(a1=empty["a1"].astype(float)), design=Design()), MODEL)
    with pytest.raises(SampleError, match="holds categories such as"):
        pls(csat.read_survey(rows, design=Design()), "f =~ brand + a1\ng =~ b1\ng ~ f")


def test_limits_of_memory_and_of_the_jackknife_are_said(rows):
    survey = csat.read_survey(pd.concat([rows] * 7, ignore_index=True), design=Design())
    with pytest.raises(
        OptionError, match="interval='bca' leaves each of the 2100 sampled units out in turn; at most 2000"
    ):
        pls(survey, MODEL, replicates=50, interval="bca")
    with pytest.raises(SampleError, match="A jackknife leaves each of 2100 units out in turn; at most 2000 are"):
        pls(survey, MODEL, se="jackknife")
    many = pd.concat([rows.head(15)] * 60, ignore_index=True).assign(brand=np.repeat(np.arange(60), 15).astype(str))
    with pytest.raises(OptionError, match="replicates=9000: with 11 items in 60 groups at most 5509 draws"):
        pls(csat.read_survey(many, design=Design()), MODEL, by="brand", replicates=9000)


def test_many_groups_are_summed_up_in_one_note(rows):
    survey = csat.read_survey(
        pd.concat([answers(60, seed) for seed in range(6)]).assign(brand=np.repeat(list("abcdef"), 60)), design=Design()
    )
    with pytest.warns((ReplicatesWarning, ImproperSolutionWarning)):
        found = pls(survey, MODEL, by="brand", consistent=True, replicates=100)
    assert len(found.notes) < 12
    assert any(note.startswith("In ") and "Most of them, " in note for note in found.notes)


def test_large_answers_with_small_differences_are_no_constants():
    rng = np.random.default_rng(8)
    rows = pd.DataFrame(rng.normal(size=(120, 1)) + rng.normal(size=(120, 4)), columns=["a1", "a2", "b1", "b2"])
    model = "a =~ a1 + a2\nb =~ b1 + b2\nb ~ a"
    small, large = (csat.pls(csat.read_survey(x, design=Design()), model, replicates=50) for x in (rows, rows + 1e7))
    assert_allclose(large.tidy()["estimate"], small.tidy()["estimate"], rtol=1e-7)
    reliable = [csat.reliability(csat.read_survey(x), {"a": ["a1", "a2"]}) for x in (rows, rows + 1e7)]
    assert_allclose(*(found.constructs()["alpha"] for found in reliable), rtol=1e-7)
    for constant in (3.0, 1e7):
        with pytest.raises(SampleError, match="No variation in 'a1'"):
            csat.pls(csat.read_survey(rows.assign(a1=constant)), model)


def test_draws_that_overflow_are_no_figures():
    draws = np.r_[np.linspace(-1, 1, 99), np.inf, -np.inf, np.nan][:, None]
    for method in ("percentile", "basic", "bias-corrected", "bca"):
        found = interval_of(draws, np.zeros(1), 0.9, method, np.zeros(1))
        wanted = interval_of(draws[:99], np.zeros(1), 0.9, method, np.zeros(1))
        assert_allclose(np.ravel(found), np.ravel(wanted))
