"""Groups of a path model compared: formulas by hand, loops over respondents and permutations, laws, words of errors."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import csat
from csat.composites.exchange import exchange_of, two_sided
from csat.composites.multigroup import CLASSICAL
from csat.composites.notes import NoEstimatesWarning
from csat.design import Design, Replication
from csat.errors import ConvergenceError, DesignIgnoredWarning, OptionError, SampleError

BLOCKS = {"image": ["a1", "a2", "a3"], "quality": ["b1", "b2"], "loyalty": ["c1", "c2", "c3"]}
PATHS = {"quality": ["image"], "loyalty": ["image", "quality"]}
ITEMS = [item for block in BLOCKS.values() for item in block]
MODEL = "\n".join(
    [f"{name} =~ {' + '.join(items)}" for name, items in BLOCKS.items()]
    + [f"{to} ~ {' + '.join(by)}" for to, by in PATHS.items()]
)
CELLS = [("quality", "image"), ("loyalty", "image"), ("loyalty", "quality")]


def answers(n=160, seed=5, groups="xy", shift=0.0):
    """Answers on 1–10, weights, halls in strata; `group` of respondents, `region` of halls."""
    rng = np.random.default_rng(seed)
    hall = rng.integers(16, size=n)
    group = rng.integers(len(groups), size=n)
    image = rng.normal(size=n) + 0.5 * rng.normal(size=16)[hall]
    quality = (0.7 - shift * group) * image + 0.7 * rng.normal(size=n)
    loyalty = 0.3 * image + 0.4 * quality + 0.7 * rng.normal(size=n)
    columns = {
        item: np.clip(np.round(6.5 + 1.5 * ((0.9 - 0.15 * i) * score + 0.6 * rng.normal(size=n))), 1, 10)
        for score, items in zip((image, quality, loyalty), BLOCKS.values(), strict=True)
        for i, item in enumerate(items)
    }
    return pd.DataFrame(columns).assign(
        w=rng.uniform(0.5, 2.0, n), hall=hall.astype(str), stratum=np.where(hall < 8, "n", "s"),
        region=np.where(hall % 2, "east", "west"), group=np.array(list(groups))[group],
    )  # fmt: skip


def read(rows, **roles):
    return csat.read_survey(rows, design=Design(**roles))


# --- an independent estimator: one sample of respondents at a time --------------------------------------------------


def standard(values, weight):
    centred = values - np.average(values, axis=0, weights=weight)
    return centred / np.sqrt(np.average(centred**2, axis=0, weights=weight))


def corr(u, v, weight):
    return float(np.average(standard(u, weight) * standard(v, weight), weights=weight))


def slopes(y, x, weight):
    root = np.sqrt(weight)
    return np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]


def plain(rows, weight):
    """Outer weights by block, paths by cell and scores, mode A and the path scheme, from the rows."""
    data = {name: standard(rows[items].to_numpy(float), weight) for name, items in BLOCKS.items()}
    outer = {name: np.ones(len(items)) for name, items in BLOCKS.items()}
    moved = 1.0
    while moved > 1e-13:
        scores = {name: standard(data[name] @ outer[name], weight) for name in BLOCKS}
        new = {}
        for name in BLOCKS:
            inner = np.zeros(len(rows))
            if name in PATHS:
                before = np.column_stack([scores[other] for other in PATHS[name]])
                inner += before @ slopes(scores[name], before, weight)
            for to, by in PATHS.items():
                if name in by:
                    inner += corr(scores[name], scores[to], weight) * scores[to]
            raw = np.array([np.average(column * inner, weights=weight) for column in data[name].T])
            score = data[name] @ raw
            new[name] = raw / np.sqrt(np.average(score**2, weights=weight))
        moved = max(np.abs(new[name] - outer[name]).max() for name in BLOCKS)
        outer = new
    scores = {name: data[name] @ outer[name] for name in BLOCKS}
    paths = {}
    for to, by in PATHS.items():
        found = slopes(scores[to], np.column_stack([scores[one] for one in by]), weight)
        paths |= dict(zip([(to, one) for one in by], found.tolist(), strict=True))
    return outer, paths, scores


def loops(rows, labels, figure):
    """`figure` of the rows labelled 0 and of those labelled 1, for each row of labels, one after the other."""
    weight = rows["w"].to_numpy()
    found = []
    for row in labels:
        parts = [(rows[row == d], weight[row == d]) for d in (0, 1)]
        found.append(figure(*(plain(*part) for part in parts), parts))
    return np.array(found)


@pytest.fixture(scope="module")
def rows():
    return answers()


@pytest.fixture(scope="module")
def survey(rows):
    return read(rows, weight="w")


@pytest.fixture(scope="module")
def result(survey):
    return csat.pls(survey, MODEL, by="group", replicates=60)


def paths_of(found):
    frame = found.tidy()
    frame = frame[frame["kind"] == "path"].set_index(["lhs", "rhs"])
    return frame.loc[CELLS]


# --- published results, and formulas by hand ------------------------------------------------------------------------


def two_groups(fixtures):
    """The published covariances of both groups as one source."""
    found = json.loads((fixtures / "pls" / "moments.json").read_text(encoding="utf-8"))
    parts = []
    for group in ("high", "low"):
        part = found[group]
        one = csat.from_covariance(np.array(part["cov"]), part["n"], names=found["names"])
        row = np.array([1.0, *part["mean"]])
        gram = one.gram[0].copy()
        gram[0] = gram[:, 0] = 0.0
        gram = gram + part["n"] * np.outer(row, row)
        names = {"by": ("g",), "domains": ((group,),), "gram": gram[None], "midpoint": np.zeros(len(found["names"]))}
        parts.append(replace(one, **names))
    return csat.moments.merge(parts)


def test_differences_of_separate_models(fixtures):
    case = json.loads((fixtures / "pls" / "cases.json").read_text(encoding="utf-8"))["pls_mobi_groups"]["result"]
    matrix = case["low"]["paths"]
    names = json.loads((fixtures / "pls" / "moments.json").read_text(encoding="utf-8"))["names"]
    prefix = {
        "IMAG": "IMAG",
        "EXPE": "CUEX",
        "QUAL": "PERQ",
        "VAL": "PERV",
        "SAT": "CUSA",
        "COMP": "CUSCO",
        "LOY": "CUSL",
    }
    blocks = [f"{name} =~ {' + '.join(n for n in names if n.startswith(p))}" for name, p in prefix.items()]
    relations = [
        f"{to} ~ {by}"
        for to, row in zip(matrix["rows"], matrix["values"], strict=True)
        for by, cell in zip(matrix["cols"], row, strict=True)
        if cell
    ]
    found = csat.pls_differences(csat.pls(two_groups(fixtures), "\n".join([*blocks, *relations]), by="g"), kinds="path")
    frame = found.tidy()
    high, low = (
        pd.DataFrame(case[g]["paths"]["values"], case[g]["paths"]["rows"], case[g]["paths"]["cols"]) for g in case
    )
    expected = [high.loc[to, by] - low.loc[to, by] for to, by in zip(frame["lhs"], frame["rhs"], strict=True)]
    assert_allclose(frame["estimate"], expected, atol=1e-5)
    assert set(frame["group"]) == {"high"}
    assert set(frame["against"]) == {"low"}
    assert frame[["se", "p", "low"]].isna().all(axis=None)
    assert str(found.estimates.unavailable[0]) == "this source is a summary without rows"


def test_pooled_and_unequal_variances_by_hand():
    # Difference 0.3, standard errors 0.1 (m = 100) and 0.2 (n = 50).
    m, n, one, other = 100, 50, 0.1, 0.2
    pooled = np.sqrt((m - 1) ** 2 / (m + n - 2) * one**2 + (n - 1) ** 2 / (m + n - 2) * other**2)
    expected = 0.3 / (pooled * np.sqrt(1 / m + 1 / n))
    test = CLASSICAL["parametric"]
    squares = (np.array([one**2]), np.array([other**2]), float(m), float(n))
    assert_allclose(0.3 / np.sqrt(test.variance(*squares)), expected, rtol=1e-12)
    assert test.df(*squares) == 148
    welch = CLASSICAL["welch"]
    assert_allclose(welch.variance(*squares), 0.99 * 0.01 + 0.98 * 0.04, rtol=1e-12)
    assert_allclose(welch.df(*squares), 0.0491**2 / (99 / 100**2 * 1e-4 + 49 / 50**2 * 16e-4) - 2, rtol=1e-12)


def test_tests_of_simple_random_samples_say_what_they_leave_out(rows):
    simple = csat.pls(read(rows), MODEL, by="group", replicates=60)
    designed = csat.pls(read(rows, weight="w", stratum="stratum", psu="hall"), MODEL, by="group", replicates=60)
    for method in ("parametric", "welch", "henseler"):
        told = f"The sample has weights, strata, sampling units: method='{method}' takes the groups for independent"
        with pytest.warns(DesignIgnoredWarning, match=told):
            found = csat.pls_differences(designed, method=method, kinds="path")
        assert found.notes[0].startswith(told)
        assert csat.pls_differences(simple, method=method, kinds="path").notes == ()
    assert csat.pls_differences(designed, kinds="path").notes == ()


@pytest.mark.filterwarnings("ignore::csat.errors.DesignIgnoredWarning")
@pytest.mark.parametrize("method", ["parametric", "welch"])
def test_classical_tests(result, method):
    own = csat.pls_differences(result, method=method, adjust="none")
    frame = own.tidy()
    table = result.tidy()
    x, y = (table[table["group"] == g].reset_index(drop=True) for g in "xy")
    m, n = result.layout.n
    if method == "parametric":
        se = np.sqrt(((m - 1) ** 2 * x["se"] ** 2 + (n - 1) ** 2 * y["se"] ** 2) / (m + n - 2)) * np.sqrt(1 / m + 1 / n)
        df = np.full(len(se), m + n - 2.0)
    else:
        a, b = (m - 1) / m * x["se"] ** 2, (n - 1) / n * y["se"] ** 2
        se, df = np.sqrt(a + b), (a + b) ** 2 / (a**2 / (m - 1) + b**2 / (n - 1)) - 2
    assert_allclose(frame["estimate"], x["estimate"] - y["estimate"], atol=1e-12)
    assert_allclose(frame["se"], se, rtol=1e-9)
    assert_allclose(frame["df"], df, rtol=1e-9)
    assert_allclose(frame["p"], 2 * stats.t.sf(np.abs(frame["estimate"] / se), df), rtol=1e-9)
    assert_allclose(frame["high"] - frame["estimate"], stats.t.ppf(0.975, df) * se, rtol=1e-9)
    assert_allclose(np.sqrt(np.diag(own.estimates.vcov)), se, rtol=1e-9)


@pytest.mark.filterwarnings("ignore::csat.errors.DesignIgnoredWarning")
def test_probability_of_henseler(result):
    found = paths_of(csat.pls_differences(result, method="henseler", adjust="none"))
    kinds = [key[0] == "path" for key in result.layout.keys]
    draws = result.draws.figures[:, :, kinds]
    for j in range(3):
        one, other = draws[:, 0, j], draws[:, 1, j]
        higher = sum(2 * one.mean() - a > 2 * other.mean() - b for a in one for b in other) / len(one) ** 2
        assert found["p"].iloc[j] == pytest.approx(2 * min(higher, 1 - higher), abs=1e-12)
    assert found["statistic"].isna().all()


def test_the_default_is_the_contrast_of_the_joint_covariance(result):
    found = csat.pls_differences(result, kinds="path", adjust="none")
    own = result.select("path")
    expected = own.contrast(np.hstack([np.eye(3), -np.eye(3)]), ["a", "b", "c"])
    assert_allclose(found.estimates.estimate, expected.estimate, atol=1e-14)
    assert_allclose(found.estimates.vcov, expected.vcov, atol=1e-14)
    assert_allclose(found.tidy()["p"], expected.tidy()["p"], rtol=1e-10)
    rows = [i for i, key in enumerate(result.layout.keys) if key[0] == "path"]
    apart = np.sort(result.draws.figures[:, 0, rows] - result.draws.figures[:, 1, rows], axis=0)
    low, high = found.estimates.interval
    assert ((apart[0] < low) & (low < apart[2])).all()  # 2.5 % of 60 draws: between the first and the second
    assert ((apart[-3] < high) & (high < apart[-1])).all()


def test_intervals_follow_those_of_the_result(survey):
    found = csat.pls(survey, MODEL, by="group", replicates=60, interval="t")
    own = csat.pls_differences(found, kinds="path")
    frame = own.tidy()
    half = stats.t.ppf(0.975, frame["df"]) * frame["se"]
    assert_allclose(frame["high"], frame["estimate"] + half, rtol=1e-9)


# --- permutations, one after the other ------------------------------------------------------------------------------


def test_permutations_are_refits_on_rows(rows, survey, result):
    found = csat.pls_differences(
        result, survey, method="permutation", kinds="path", permutations=50, seed=4, adjust="none"
    )
    units = exchange_of(result, survey)
    labels = units.shuffled(np.random.default_rng(4), 50)
    assert found.words == "respondents"
    assert (labels != units.label).any(axis=1).all()
    null = loops(rows, labels, lambda one, other, _: [one[1][cell] - other[1][cell] for cell in CELLS])
    frame = paths_of(found)
    observed = frame["estimate"].to_numpy()
    for j in range(3):
        low = 1 + (null[:, j] <= observed[j]).sum()
        high = 1 + (null[:, j] >= observed[j]).sum()
        assert frame["p"].iloc[j] == pytest.approx(min(1.0, 2 * min(low, high) / 51), abs=1e-12)
        inside = np.sort(null[:, j])
        assert inside[0] < frame["null_low"].iloc[j] < inside[1]
        assert inside[-2] < frame["null_high"].iloc[j] < inside[-1]
    assert found.glance()["permutations_used"].item() == 50


def implied(outer, paths, scores, rows, weight):
    """Correlations of items that the model implies: composites, connected by the paths."""
    image, quality = scores["image"], scores["quality"]
    link = paths["quality", "image"]
    both = paths["loyalty", "image"] + paths["loyalty", "quality"] * link
    third = paths["loyalty", "image"] * link + paths["loyalty", "quality"]
    between = np.array([[1, link, both], [link, 1, third], [both, third, 1]])
    assert corr(image, quality, weight) == pytest.approx(link, abs=1e-9)
    own = np.array([[corr(rows[a], rows[b], weight) for a in ITEMS] for b in ITEMS])
    load = np.array([corr(rows[item], scores[name], weight) for name, block in BLOCKS.items() for item in block])
    home = np.repeat(np.arange(3), [3, 2, 3])
    return np.where(home[:, None] == home, own, np.outer(load, load) * between[home[:, None], home])


def test_omnibus_test_is_that_of_rows(rows, survey, result):
    found = csat.pls_differences(result, survey, method="permutation", kinds="path", permutations=50, seed=4)

    def apart(one, other, parts):
        first, second = (implied(*fit, *part) for fit, part in zip((one, other), parts, strict=True))
        roots = np.linalg.eigvals(np.linalg.solve(first, second)).real
        return [0.5 * np.sum(np.log(roots) ** 2), 0.5 * np.sum((first - second) ** 2)]

    units = exchange_of(result, survey)
    labels = np.vstack([units.label, units.shuffled(np.random.default_rng(4), 50)])
    observed, *null = loops(rows, labels, apart)
    table = found.omnibus.set_index("distance")
    assert_allclose(table.loc[["geodesic", "squared"], "statistic"], observed, rtol=1e-7)
    assert_allclose(table["p"], (1 + (np.array(null) >= observed).sum(axis=0)) / 51, atol=1e-12)
    assert "geodesic" in repr(found)


def test_whole_sampling_units_change_places_as_sums(rows):
    survey = read(rows, weight="w", stratum="stratum", psu="hall")
    result = csat.pls(survey, MODEL, by="region", replicates=60)
    found = csat.pls_differences(result, survey, method="permutation", kinds="path", permutations=50)
    assert found.words == "sampling units within strata"
    units = exchange_of(result, survey)
    labels = units.shuffled(np.random.default_rng(1), 50)
    for stratum in range(2):
        counts = labels[:, units.block == stratum].sum(axis=1)
        assert len(set(counts.tolist())) == 1
    frame = rows.assign(label=(rows["region"] == "west").astype(int))
    own = frame.groupby(["stratum", "hall"])["label"].first()
    summary = survey.groups(ITEMS, ["region"], "listwise")
    row_labels = np.empty((6, len(rows)), int)
    for r in range(6):
        of_unit = {summary.psus[p]: d for p, d in zip(summary.psu, labels[r], strict=True)}
        row_labels[r] = [of_unit[pair] for pair in zip(rows["stratum"], rows["hall"], strict=True)]
    assert own.nunique() == 2
    expected = loops(rows, row_labels, lambda one, other, _: [one[1][cell] - other[1][cell] for cell in CELLS])
    grams = units.grams(labels[:6])
    moments = result.layout.moments(grams, units.midpoint)
    solution = csat.composites.solution.solve(moments.cov, result.blocks, result.layout.settings)
    apart = solution.paths[:, 0] - solution.paths[:, 1]
    assert_allclose([[a[1, 0], a[2, 0], a[2, 1]] for a in apart], expected, atol=1e-8)


def test_groups_that_share_sampling_units_are_exchanged_within(rows):
    survey = read(rows, weight="w", stratum="stratum", psu="hall")
    result = csat.pls(survey, MODEL, by="group", replicates=60)
    units = exchange_of(result, survey)
    assert units.words == "respondents within sampling units"
    labels = units.shuffled(np.random.default_rng(2), 20)
    for hall in range(units.block.max() + 1):
        inside = units.block == hall
        assert (labels[:, inside].sum(axis=1) == units.label[inside].sum()).all()
    assert (labels != units.label).any()


def test_large_samples_are_permuted_in_parts(survey, result, monkeypatch):
    whole = csat.pls_differences(result, survey, method="permutation", kinds="path", permutations=60)
    monkeypatch.setattr(csat.composites.exchange, "ROWS", 37)
    monkeypatch.setattr(csat.composites.exchange, "MOST_LABELS", 160 * 7)
    parts = csat.pls_differences(result, survey, method="permutation", kinds="path", permutations=60)
    assert_allclose(parts.tidy()["p"], whole.tidy()["p"], atol=1e-12)
    assert_allclose(parts.omnibus["critical"], whole.omnibus["critical"], rtol=1e-9)


# --- laws -----------------------------------------------------------------------------------------------------------


def test_names_of_groups_do_not_matter(rows, survey, result):
    swapped = read(rows.assign(group=rows["group"].map({"x": "z", "y": "a"})), weight="w")
    other = csat.pls(swapped, MODEL, by="group", replicates=60)
    one = csat.pls_differences(result, survey, method="permutation", permutations=99)
    two = csat.pls_differences(other, swapped, method="permutation", permutations=99)
    assert_allclose(one.tidy()["estimate"], -two.tidy()["estimate"], atol=1e-12)
    assert_allclose(one.tidy()["p"], two.tidy()["p"], atol=1e-12)
    assert_allclose(one.omnibus["p"], two.omnibus["p"], atol=1e-12)


def test_the_same_answers_in_both_groups(rows):
    twice = read(pd.concat([rows.assign(group="x"), rows.assign(group="y")], ignore_index=True), weight="w")
    result = csat.pls(twice, MODEL, by="group", replicates=60)
    found = csat.pls_differences(result, twice, method="permutation", permutations=99)
    assert_allclose(found.estimates.estimate, 0, atol=1e-12)
    assert (found.tidy()["p"] > 0.3).all()
    assert_allclose(found.omnibus["p"], 1)
    alike = csat.micom(result, twice, permutations=99).tidy()
    assert_allclose(alike["c"], 1, atol=1e-12)
    assert_allclose(alike[["mean", "variance"]], 0, atol=1e-10)
    assert_allclose(alike["c_p"], 1)
    assert set(alike["invariance"]) == {"full"}


def test_weight_2_is_a_row_twice(rows):
    doubled = rows.assign(w=np.where(np.arange(len(rows)) < 60, 2.0, 1.0))
    twice = pd.concat([rows, rows.head(60)], ignore_index=True)
    found = []
    for source in (read(doubled, weight="w"), read(twice)):
        result = csat.pls(source, MODEL, by="group", replicates=60)
        tested = csat.pls_differences(result, source, method="permutation", permutations=50)
        alike = csat.micom(result, source, permutations=50)
        found.append((tested.estimates.estimate, tested.omnibus["statistic"], alike.c, alike.mean, alike.variance))
    for one, other in zip(*found, strict=True):
        assert_allclose(one, other, atol=1e-9)


def test_doubled_tails_count_the_sample_itself():
    draws = np.array([[1.0], [2.0], [3.0], [np.nan]])
    assert two_sided(draws, np.array([3.5])).item() == 0.5  # 2 · 1/4
    assert two_sided(draws, np.array([2.0])).item() == 1.0
    assert np.isnan(two_sided(draws, np.array([np.nan]))).all()


# --- invariance -----------------------------------------------------------------------------------------------------


def test_three_steps_are_those_of_rows(rows, survey, result):
    found = csat.micom(result, survey, permutations=50, seed=3)
    units = exchange_of(result, survey)
    labels = np.vstack([units.label, units.shuffled(np.random.default_rng(3), 50)])
    weight = rows["w"].to_numpy()
    pooled = standard(rows[ITEMS].to_numpy(float), weight)
    at = {name: [ITEMS.index(item) for item in items] for name, items in BLOCKS.items()}
    common = plain(rows, weight)[2]

    def alike(one, other, _):
        return [
            corr(pooled[:, at[name]] @ one[0][name], pooled[:, at[name]] @ other[0][name], weight) for name in BLOCKS
        ]

    c, *null = loops(rows, labels, alike)
    assert_allclose(found.c[0], c, atol=1e-10)
    assert_allclose(found.c_p[0], (1 + (np.array(null) <= c + 1e-12).sum(axis=0)) / 51, atol=1e-12)
    ordered = np.sort(null, axis=0)
    assert ((ordered[1] <= found.c_low[0]) & (found.c_low[0] <= ordered[2])).all()
    apart = []
    for row in labels:
        means, logs = [], []
        for name in BLOCKS:
            parts = [(common[name][row == d], weight[row == d]) for d in (0, 1)]
            centre = [np.average(*map(np.asarray, (part[0],)), weights=part[1]) for part in parts]
            spread = [np.average((p[0] - m) ** 2, weights=p[1]) for p, m in zip(parts, centre, strict=True)]
            means.append(centre[0] - centre[1])
            logs.append(np.log(spread[0]) - np.log(spread[1]))
        apart.append([means, logs])
    (mean, variance), *null = np.array(apart)
    assert_allclose(found.mean[0], mean, atol=1e-9)
    assert_allclose(found.variance[0], variance, atol=1e-9)
    for j, (own, p) in enumerate([(mean, found.mean_p[0]), (variance, found.variance_p[0])]):
        draws = np.array(null)[:, j]
        assert_allclose(p, two_sided(draws, own), atol=1e-12)
    frame = found.tidy()
    assert list(frame.columns[:4]) == ["group", "against", "construct", "c"]
    assert found.configural.startswith("all groups have the same 8 items in the same 3 constructs, modes (A 3)")
    assert "Step 1: all groups" in repr(found)
    assert found.glance()["permutations_used"].item() == 50


def test_verdicts():
    rng = np.random.default_rng(7)
    rows = answers(n=600, seed=8)
    east = (rows["group"] == "y").to_numpy()
    moved = rows.assign(b1=np.where(east, np.clip(rows["b1"] + 1, 1, 10), rows["b1"]))
    moved["c1"] = np.where(east, rng.permutation(rows["c1"]), rows["c1"])  # c1 says nothing of loyalty in one group
    survey = read(moved)
    found = csat.micom(csat.pls(survey, MODEL, by="group", replicates=60), survey, permutations=199)
    assert dict(zip(found.constructs, found.verdict[0], strict=True)) == {
        "image": "full", "quality": "partial", "loyalty": "none",
    }  # fmt: skip
    facts = found.glance().iloc[0]
    assert (facts["full"], facts["partial"], facts["none"]) == (1, 1, 1)


def test_a_turned_construct_is_the_same():
    from csat.composites.invariance import same_scores

    one, cov = np.array([0.5, 0.6, 1.0]), np.array([[1, 0.4, 0.2], [0.4, 1, 0.1], [0.2, 0.1, 1]])
    blocks = csat.composites.blocks.blocks_of(csat.Model("f =~ a + b\ng ~ f"))
    assert_allclose(same_scores(one, -one, cov, blocks), 1, rtol=1e-12)
    # (1, 0)·(0, 1) of standardized items is their correlation
    assert_allclose(same_scores(np.array([1.0, 0, 1]), np.array([0.0, 1, 1]), cov, blocks), [0.4, 1])


def test_items_in_their_own_unit(rows):
    survey = read(rows)
    result = csat.pls(survey, MODEL, by="group", scaled=False, replicates=60)
    found = csat.micom(result, survey, permutations=50)
    at = [ITEMS.index(item) for item in BLOCKS["loyalty"]]
    x, y = (result.solution.weights[d, at] for d in (0, 1))
    raw = rows[BLOCKS["loyalty"]].to_numpy(float)
    assert found.c[0, 2] == pytest.approx(np.corrcoef(raw @ x, raw @ y)[0, 1], abs=1e-12)
    assert "in their own unit" in found.configural


# --- several groups -------------------------------------------------------------------------------------------------


def test_pairs_are_corrected_for_their_number():
    rows = answers(n=300, groups="xyz")
    survey = read(rows)
    result = csat.pls(survey, MODEL, by="group", replicates=100)
    for method in ("contrast", "permutation", "welch"):
        found = csat.pls_differences(result, survey, method=method, kinds=["path", "total"], permutations=99)
        frame = found.tidy()
        assert list(dict.fromkeys(zip(frame["group"], frame["against"], strict=True))) == [
            ("x", "y"),
            ("x", "z"),
            ("y", "z"),
        ]
        for kind in ("path", "total"):
            p = frame.loc[frame["kind"] == kind, "p"].to_numpy()
            order = np.argsort(p)
            steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
            expected = np.minimum(steps, 1)[np.argsort(order)]
            assert_allclose(frame.loc[frame["kind"] == kind, "p_adjusted"], expected, rtol=1e-12)
    pair = rows["group"] != "z"
    two = read(rows[pair])
    alone = csat.pls_differences(
        csat.pls(two, MODEL, by="group", replicates=60), two, method="permutation", kinds="path", permutations=99
    )
    found = csat.pls_differences(result, survey, method="permutation", kinds="path", permutations=99)
    first = found.tidy().head(3)
    assert_allclose(first["p"], alone.tidy()["p"], atol=1e-12)  # pairs are permuted among themselves
    assert len(csat.micom(result, survey, permutations=50).tidy()) == 9


def test_against_one_group():
    survey = read(answers(n=300, groups="xyz"))
    result = csat.pls(survey, MODEL, by="group", replicates=60)
    frame = csat.pls_differences(result, against="y", kinds="path").tidy()
    assert list(dict.fromkeys(frame["group"])) == ["x", "z"]
    assert set(frame["against"]) == {"y"}


def test_groups_of_two_columns_are_named_as_in_the_table(rows):
    result = csat.pls(read(rows), MODEL, by=["group", "region"], replicates=60)
    label = result.labels[1]
    named = csat.pls_differences(result, against=label, kinds="path").tidy()
    assert set(named["against"]) == {label}
    assert label == "x × west"
    tuples = csat.pls_differences(result, against=("x", "west"), kinds="path").tidy()
    pd.testing.assert_frame_equal(named, tuples)
    with pytest.raises(OptionError, match="against is one of the groups of this result, 'x × east', 'x × west'"):
        csat.pls_differences(result, against=("x", "1"))


def test_groups_without_estimates_are_left_out(rows):
    few = pd.concat([rows, rows.head(4).assign(group="z")], ignore_index=True)
    survey = read(few)
    with pytest.warns(NoEstimatesWarning, match="Group 'z' has no estimates: 4 complete answers for 8 items. Merge"):
        result = csat.pls(survey, MODEL, by="group", replicates=60)
    frame = csat.pls_differences(result, survey, method="permutation", kinds="path", permutations=50).tidy()
    assert set(frame["group"]) | set(frame["against"]) == {"x", "y"}
    with pytest.raises(OptionError, match=r"against='z': this group has no estimates. Choose another one"):
        csat.pls_differences(result, against="z")
    assert np.isfinite(frame["p"]).all()


@pytest.mark.filterwarnings("ignore::csat.composites.notes.NoEstimatesWarning")
def test_one_group_with_estimates_cannot_be_compared(rows):
    survey = read(rows.assign(group=["z"] * 5 + ["x"] * (len(rows) - 5)))
    result = csat.pls(survey, MODEL, by="group", replicates=60)
    words = r"of 2 groups only 'x' has .*, not 'z' \(5 complete answers; no more complete answers than items\)\. Merge"
    for compared in (lambda: csat.pls_differences(result), lambda: csat.micom(result, survey)):
        with pytest.raises(OptionError, match=words):
            compared()


# --- what cannot be done --------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::csat.CsatWarning")
def test_few_sampling_units_are_told(rows):
    some = rows[rows["hall"].isin(["0", "1", "2", "3", "8", "9"])]
    survey = read(some, stratum="stratum", psu="hall")
    result = csat.pls(survey, MODEL, by="region", replicates=60)
    found = csat.pls_differences(result, survey, method="permutation", kinds="path", permutations=50)
    # four halls with two of each region, and two with one: 6 · 2 arrangements
    assert found.notes == (
        "Only 12 arrangements of the group labels are possible (sampling units within strata): no p-value can be below "
        "0.17.",
    )
    assert "Note: Only 12 arrangements" in repr(found)


def test_strata_of_one_group(rows):
    survey = read(rows, stratum="region")
    result = csat.pls(survey, MODEL, by="region", replicates=60)
    with pytest.raises(SampleError, match=r"every stratum of the design holds one group only. Compare the groups with"):
        csat.pls_differences(result, survey, method="permutation")
    assert np.isfinite(csat.pls_differences(result).tidy()["p"]).all()


def test_units_whose_labels_stay_are_counted(rows):
    some = rows.assign(group=np.where(rows["hall"] == "3", "x", rows["group"]))
    survey = read(some, psu="hall")
    result = csat.pls(survey, MODEL, by="group", replicates=60)
    found = csat.micom(result, survey, permutations=50)
    inside = (some["hall"] == "3").sum()
    assert found.notes[0].startswith(f"{inside} of {len(some)} units lie in strata or sampling units of one group")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"method": "permutation"}, OptionError, "exchanges labels of rows: pass the survey as source"),
        ({"method": "exact"}, OptionError, "method='exact' is not known; choose one of"),
        ({"adjust": "bh"}, OptionError, "adjust='bh' is not known; choose one of"),
        ({"kinds": "cross"}, OptionError, "kinds='cross' is not known; choose one of"),
        ({"kinds": []}, OptionError, "the model has no such figure; it has 'weight', "),
        ({"against": "q"}, OptionError, "against is one of the groups of this result, 'x', 'y'; found str 'q'"),
        ({"permutations": 10}, OptionError, "permutations is a whole number, 50 to 100000; found int 10"),
        ({"seed": -1}, OptionError, "seed is a whole number, 0 or more; found int -1"),
    ],
)
def test_words_of_wrong_options(result, options, error, words):
    with pytest.raises(error, match=words):
        csat.pls_differences(result, **options)


def test_words_of_wrong_results_and_sources(rows, survey, result):
    with pytest.raises(OptionError, match=r"A result of csat.pls\(…, by=…\) is needed; found"):
        csat.pls_differences(rows)
    with pytest.raises(OptionError, match=r"A result of csat.pls\(…, by=…\) is needed; found"):
        csat.micom(rows, survey)
    with pytest.raises(OptionError, match="Groups are compared: estimate the model with pls"):
        csat.pls_differences(csat.pls(survey, MODEL, replicates=60))
    with pytest.raises(SampleError, match="The groups of this source are not those that the model was estimated for"):
        csat.micom(result, read(rows.head(120), weight="w"))
    summary = survey.groups(ITEMS, ["group"], "listwise")
    with pytest.raises(SampleError, match="Exchanging group labels needs the respondents' rows"):
        csat.micom(result, summary)
    jackknife = csat.pls(read(rows.head(60)), MODEL, by="group", se="jackknife")
    with pytest.raises(OptionError, match="method='henseler' counts draws of a bootstrap"):
        csat.pls_differences(jackknife, method="henseler")
    replicated = read(rows, psu="hall", replication=Replication("JKn"))
    assert np.isfinite(csat.pls_differences(csat.pls(replicated, MODEL, by="group")).tidy()["p"]).all()


def test_no_draws(fixtures):
    published = two_groups(fixtures)
    model = "image =~ IMAG1 + IMAG2\nvalue =~ PERV1 + PERV2\nvalue ~ image"
    result = csat.pls(published, model, by="g")
    with pytest.raises(OptionError, match="method='welch' needs standard errors or draws; this result has none"):
        csat.pls_differences(result, method="welch")


def test_sums_of_whole_sampling_units_need_no_rows(rows):
    survey = read(rows, weight="w", stratum="stratum", psu="hall")
    result = csat.pls(survey, MODEL, by="region", replicates=60)
    summary = survey.groups(ITEMS, ["region"], "listwise")
    one, other = (csat.micom(result, source, permutations=50).tidy() for source in (survey, summary))
    pd.testing.assert_frame_equal(one, other)


def test_too_many_differences(monkeypatch, result):
    monkeypatch.setattr(csat.composites.multigroup, "MOST_DIFFERENCES", 5)
    with pytest.raises(
        OptionError, match=r"1 pairs of groups × \d+ figures are more than 5 differences. Compare fewer"
    ):
        csat.pls_differences(result)


def test_permutations_without_estimates(rows):
    # One answer in a thousand differs: whoever holds it has a variance, the other group has none.
    flat = rows.assign(c1=5.0)
    flat.loc[flat.index[flat["group"] == "x"][:1], "c1"] = 6.0
    flat.loc[flat.index[flat["group"] == "y"][:1], "c1"] = 6.0
    survey = read(flat)
    with pytest.warns(csat.composites.notes.ReplicatesWarning):
        result = csat.pls(survey, MODEL, by="group", replicates=60)
    found = csat.pls_differences(result, survey, method="permutation", kinds="path", permutations=99)
    assert 20 < found.glance()["permutations_used"].item() < 80
    assert np.isfinite(found.p).all()


def test_models_of_models_have_no_invariance(rows):
    survey = read(rows)
    model = (
        "image =~ a1 + a2 + a3\nquality =~ b1 + b2\nwhole <~ image + quality\nloyalty =~ c1 + c2 + c3\nloyalty ~ whole"
    )
    result = csat.pls(survey, model, by="group", replicates=60)
    with pytest.raises(OptionError, match="Invariance is tested for composites of items; this model has products"):
        csat.micom(result, survey)
    found = csat.pls_differences(result, survey, method="permutation", kinds="path", permutations=50)
    assert np.isfinite(found.p).all()


@pytest.mark.parametrize("interaction", ["two-stage", "product-indicator", "orthogonal"])
def test_products_are_permuted_with_their_rows(rows, interaction):
    survey = read(rows, weight="w", stratum="stratum")
    model = f"{MODEL}\nloyalty ~ image:quality"
    result = csat.pls(survey, model, by="group", interaction=interaction, replicates=60)
    units = exchange_of(result, survey)
    summary = survey.groups(list(result.layout.variables), ["group"], "listwise")
    own = units.grams(units.label[None])[0]
    assert_allclose(own, summary.over_domains(summary.gram), rtol=1e-10, atol=1e-7)
    found = csat.pls_differences(result, survey, method="permutation", kinds="path", permutations=50)
    assert found.words == "respondents within strata"
    assert np.isfinite(found.p).all()
    assert "image:quality" in set(found.tidy()["rhs"])


def test_what_is_the_same_in_all_draws_is_no_difference(rows):
    survey = read(rows)
    model = "image =~ a1 + a2 + a3\nimage ~ c1"
    result = csat.pls(survey, model, by="group", replicates=60)
    for method in ("henseler", "permutation"):
        found = csat.pls_differences(result, survey, method=method, kinds="weight", permutations=50).tidy()
        assert found.loc[found["rhs"] == "c1", "p"].item() == 1


def test_pairs_without_anything_to_exchange():
    # x lies in the north alone, z in the south alone; y in both.
    rows = answers(n=400, groups="xyz")
    north = np.arange(400) % 2 == 0
    group = np.where(rows["group"] == "y", "y", np.where(north, "x", "z"))
    survey = read(rows.assign(group=group, stratum=np.where(north, "n", "s")), stratum="stratum")
    result = csat.pls(survey, MODEL, by="group", replicates=60)
    found = csat.pls_differences(result, survey, method="permutation", kinds="path", permutations=50)
    frame = found.tidy()
    alone = (frame["group"] == "x") & (frame["against"] == "z")
    assert frame.loc[alone, ["p", "null_low"]].isna().all(axis=None)
    assert frame.loc[~alone, ["p", "null_low"]].notna().all(axis=None)
    assert frame["se"].notna().all()
    words = "x and z: No labels can be exchanged (respondents within strata): there is no p-value."
    assert any(note.startswith(words) for note in found.notes)
    alike = csat.micom(result, survey, permutations=50)
    assert alike.verdict[1] == (None, None, None)
    assert None not in alike.verdict[0] + alike.verdict[2]
    assert any(note.startswith(words) for note in alike.notes)
    assert np.isfinite(alike.c).all()


def test_permutations_that_come_to_nothing(monkeypatch, survey, result):
    def none(solution):
        return np.zeros(solution.converged.shape, bool)

    monkeypatch.setattr(csat.composites.multigroup, "usable", none)
    with pytest.raises(ConvergenceError, match="Only 0 of 50 permutations have estimates of both groups: simplify"):
        csat.pls_differences(result, survey, method="permutation", permutations=50)
    monkeypatch.setattr(csat.composites.invariance, "usable", none)
    with pytest.raises(ConvergenceError, match="The model has no estimates for 'x' and 'y' together"):
        csat.micom(result, survey, permutations=50)
    monkeypatch.setattr(csat.composites.invariance, "usable", lambda solution: none(solution) | (solution.sd.ndim == 2))
    with pytest.raises(ConvergenceError, match="Only 0 of 50 permutations have estimates: simplify the model"):
        csat.micom(result, survey, permutations=50)
