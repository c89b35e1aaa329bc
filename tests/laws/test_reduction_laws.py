"""Laws of the pass over rows: batches, threads, order, types of columns, filters; sums compared with loops."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import csat
from csat import reduce
from csat.design import Design
from csat.moments import Product, Recode, merge
from csat.moments.running import Numbers
from csat.reduce import stream, sums

ITEMS = ["a", "b", "c"]
MIDPOINT = np.array([5.5, 5.0, 0.0])
LEVELS = [tuple(float(i) for i in range(1, 11))] * 3
DESIGNS = {
    "rows": Design(weight="w", stratum="st"),
    "units": Design(weight="w", stratum="st", psu="psu"),
    "unweighted": Design(),
}
seeds = st.integers(0, 10**6)


def answers(seed: int, n: int = 400, missing: float = 0.1) -> pa.RecordBatch:
    """Rows with gaps in two items, a group that is empty for some, strata, units, weights, and a filter."""
    rng = np.random.default_rng(seed)
    gap = np.column_stack([rng.random((n, 2)) < missing, np.zeros(n, bool)])
    columns = {name: pa.array(rng.integers(1, 11, n).astype(float), mask=gap[:, j]) for j, name in enumerate(ITEMS)}
    columns["g"] = pa.array(rng.choice(["north", "south", "west"], n), mask=rng.random(n) < 0.05)
    columns["h"] = pa.array(rng.choice(["old", "new"], n))
    columns["st"] = pa.array(rng.choice(["s1", "s2"], n))
    columns["psu"] = pa.array(rng.integers(0, 9, n).astype(str))
    columns["w"] = pa.array(rng.uniform(0.3, 3.0, n))
    columns["in"] = pa.array(rng.random(n) < 0.8)
    return pa.RecordBatch.from_pydict(columns)


def cut(batch: pa.RecordBatch, *sizes: int) -> list[pa.RecordBatch]:
    """The rows in parts of these sizes, the rest as the last."""
    bounds = np.minimum(np.cumsum([0, *sizes]), batch.num_rows).tolist()
    return [*(batch.slice(i, j - i) for i, j in pairwise(bounds)), batch.slice(bounds[-1])]


def groups(batches, design="rows", by=("g", "h"), rule="available", variables=ITEMS, midpoint=MIDPOINT, **options):
    return reduce.groups(batches, variables, midpoint, by=by, rule=rule, design=DESIGNS[design], inside="in", **options)


def same(got, expected, rtol=1e-12):
    """Equal labels and counts, and sums up to rounding; rtol=0: the same bits."""
    for name in ("names", "by", "domains", "strata", "psus", "ungrouped", "incomplete"):
        assert getattr(got, name) == getattr(expected, name), name
    for name in ("units", "population", "domain", "stratum", "psu", "n", "counts"):
        assert_array_equal(getattr(got, name), getattr(expected, name), name)
    for name in ("gram", "square"):
        one, other = getattr(got, name), getattr(expected, name)
        assert (one is None) == (other is None)
        if one is not None:
            assert_allclose(one, other, rtol=rtol, atol=rtol * np.abs(other).max(), err_msg=name)


@pytest.fixture
def small_batches(monkeypatch):
    """Batches stay as they come: nothing is put together."""
    monkeypatch.setattr(stream, "LEAST_ROWS", 1)


@pytest.fixture(params=["sums of a batch", "rows in place"])
def way(request, monkeypatch):
    monkeypatch.setattr(stream, "LEAST_ROWS", 1)
    monkeypatch.setattr(sums, "MOST_SUMS", 2**20 if request.param == "sums of a batch" else 0)


@pytest.mark.parametrize("rule", ["available", "listwise"])
@pytest.mark.parametrize("design", DESIGNS)
def test_sums_are_those_of_a_loop_over_respondents(way, design, rule):
    batch = answers(1)
    got = groups(cut(batch, 100, 60), design, rule=rule)
    rows = batch.to_pandas()
    for c in range(len(got.n)):
        domain, stratum = got.domains[got.domain[c]], got.strata[got.stratum[c]]
        mine = rows[rows["in"] & (rows["g"] == domain[0]) & (rows["h"] == domain[1])]
        if design != "unweighted":
            mine = mine[mine["st"] == stratum]
        if design == "units":
            assert got.psus[got.psu[c]][0] == stratum
            mine = mine[mine["psu"] == got.psus[got.psu[c]][1]]
        mine = mine.dropna(subset=ITEMS) if rule == "listwise" else mine
        x = mine[ITEMS].to_numpy()
        y = np.nan_to_num(x - MIDPOINT)
        z = np.column_stack([np.ones(len(x)), *([] if rule == "listwise" else [~np.isnan(x)]), y])
        w = np.ones(len(x)) if design == "unweighted" else mine["w"].to_numpy()
        assert got.n[c] == len(x)
        assert_array_equal(got.counts[c], (~np.isnan(x)).sum(axis=0))
        assert_allclose(got.gram[c], sum(wi * np.outer(zi, zi) for wi, zi in zip(w, z, strict=True)), atol=1e-10)
        if design != "units":
            assert_allclose(
                got.square[c], sum(wi**2 * np.outer(zi, zi) for wi, zi in zip(w, z, strict=True)), atol=1e-9
            )
    assert got.n.sum() + got.incomplete + got.ungrouped == rows["in"].sum()


@settings(max_examples=25, deadline=None)
@given(seed=seeds, sizes=st.lists(st.integers(0, 150), max_size=5), design=st.sampled_from(sorted(DESIGNS)))
def test_the_size_of_batches_does_not_matter(seed, sizes, design):
    batch = answers(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "LEAST_ROWS", 1)
        same(groups(cut(batch, *sizes), design), groups([batch], design))


@settings(max_examples=15, deadline=None)
@given(seed=seeds, threads=st.integers(2, 6), most=st.sampled_from([0, 2**20]))
def test_the_number_of_threads_does_not_change_a_bit(seed, threads, most):
    parts = cut(answers(seed), 90, 10, 130, 50)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "LEAST_ROWS", 1)
        patch.setattr(sums, "MOST_SUMS", most)
        same(groups(parts, "units", threads=threads), groups(parts, "units", threads=1), rtol=0)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, design=st.sampled_from(sorted(DESIGNS)))
def test_the_order_of_rows_does_not_matter(seed, design):
    batch = answers(seed)
    shuffled = batch.take(pa.array(np.random.default_rng(seed).permutation(batch.num_rows)))
    same(groups([shuffled], design), groups([batch], design))


@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_rows_in_place_are_sums_of_batches(seed):
    parts = cut(answers(seed), 100, 120)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "LEAST_ROWS", 1)
        summed = groups(parts, "rows")
        patch.setattr(sums, "MOST_SUMS", 0)
        same(groups(parts, "rows"), summed)
        patch.setattr(sums, "MOST_SUMS", 11 * 49)  # the smaller batch one way, the larger one the other
        same(groups(cut(answers(seed), 12), "rows"), summed)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, order=st.permutations([0, 1, 2]), design=st.sampled_from(sorted(DESIGNS)))
def test_summaries_of_files_add_in_any_order(seed, order, design):
    batch = answers(seed)
    parts = [groups([part], design) for part in cut(batch, 130, 140)]
    whole = groups([batch], design)
    same(merge([parts[i] for i in order]), whole)
    same((parts[0] + parts[1]) + parts[2], whole)


@settings(max_examples=20, deadline=None)
@given(seed=seeds, shift=st.floats(-20, 20), rule=st.sampled_from(["available", "listwise"]))
def test_summaries_around_different_midpoints_add(seed, shift, rule):
    one, two = cut(answers(seed), 200)
    parts = [groups([one], rule=rule), groups([two], rule=rule, midpoint=MIDPOINT + shift)]
    whole = groups([one, two], rule=rule)
    same(merge(parts), whole, rtol=1e-10)
    same(merge(parts[::-1]).recentre(MIDPOINT), whole, rtol=1e-10)


def test_unknown_midpoints_do_not_add():
    published = csat.from_covariance([[2.0, 1.0], [1.0, 2.0]], n=50, names=["a", "b"])
    with pytest.raises(csat.CsatError, match="Only summaries around the same midpoints add up"):
        published + published


def test_summaries_of_different_things_do_not_add():
    batch = answers(2)
    recoded = [
        groups([batch], variables=[Recode("x", "a", {1.0: 0.0, 2.0: top})], midpoint=np.zeros(1)) for top in (1.0, 2.0)
    ]
    for one, other in ((groups([batch]), groups([batch], rule="listwise")), recoded):
        with pytest.raises(csat.CsatError, match="Only summaries of the same variables"):
            one + other


@settings(max_examples=25, deadline=None)
@given(seed=seeds, sizes=st.lists(st.integers(0, 200), max_size=3), weighted=st.booleans())
def test_counts_are_those_of_the_rows(seed, sizes, weighted):
    batch = answers(seed)
    design = Design(weight="w" if weighted else None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "LEAST_ROWS", 1)
        got = reduce.levels(cut(batch, *sizes), ITEMS, LEVELS, by=("g",), design=design, inside="in")
    rows = batch.to_pandas()
    rows = rows[rows["in"]]
    for d, (label,) in enumerate(got.domains):
        mine = rows[rows["g"] == label]
        for j, name in enumerate(ITEMS):
            at = [mine[name] == level for level in LEVELS[j]]
            assert got.unweighted[j][d].tolist() == [int(hit.sum()) for hit in at]
            assert_allclose(got.weighted[j][d], [mine["w"][hit].sum() if weighted else hit.sum() for hit in at])
            assert got.missing[d, j] == mine[name].isna().sum()


KINDS = {
    "int8": lambda column: column.cast(pa.int8()),
    "uint8": lambda column: column.cast(pa.uint8()),
    "int64": lambda column: column.cast(pa.int64()),
    "float32": lambda column: column.cast(pa.float32()),
    "dictionary": lambda column: column.dictionary_encode(),
    "sliced": lambda column: pa.concat_arrays([pa.array([99.0, None]), column]).slice(2),
    "sliced int8": lambda column: pa.concat_arrays([pa.array([99.0, None]), column]).cast(pa.int8()).slice(2),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_type_of_a_column_does_not_matter(kind):
    batch = answers(3)
    turned = pa.RecordBatch.from_arrays(
        [KINDS[kind](batch.column(name)) if name in ITEMS else batch.column(name) for name in batch.schema.names],
        batch.schema.names,
    )
    levels = [(2.0, 1.0, 7.0), (3.5, 10.0), tuple(float(i) for i in range(1, 11))]
    one, other = (reduce.levels([b], ITEMS, levels, by=("g",), design=Design()) for b in (turned, batch))
    for mine, theirs in zip(one.unweighted, other.unweighted, strict=True):
        assert_array_equal(mine, theirs)
    assert_array_equal(one.missing, other.missing)
    if kind != "dictionary":
        variables = ["a", Recode("top", "b", {9.0: 1.0, 10.0: 1.0, 1.0: 0.0}), Product("ac", ("a", "c"))]
        same(groups([turned], variables=variables), groups([batch], variables=variables), rtol=0)


@pytest.mark.parametrize(
    ("values", "levels", "counts"),
    [
        (pa.array([-128, 127, None, 5], pa.int8()), (-128, 127), [1, 1]),
        (pa.array([10**12, 10**12 + 1, None]), (10**12, 5), [1, 0]),
        (pa.array([0.5, 1.0, 1.0, None]), (0.5, 1.0), [1, 2]),
        (pa.array([None, None], pa.int16()), (1, 2), [0, 0]),
        (pa.array([1.0, float("nan"), 2.0]), (1.0, 2.0), [1, 1]),
        (pa.array([1e18, -1e18, 3.0]), (3.0, 1e18), [1, 1]),
        (pa.array(["x", "y", None, "x"]), ("x", "z"), [2, 0]),
        (pa.array([], pa.int8()), (1, 2), None),
    ],
)
def test_counts_of_odd_columns(values, levels, counts):
    batch = pa.RecordBatch.from_pydict({"v": values, "w": pa.array(np.ones(len(values)))})
    got = reduce.levels([batch], ["v"], [levels], design=Design(weight="w"))
    assert got.unweighted[0][0].tolist() == (counts or [0, 0])
    assert got.missing[0, 0] == len(values) - sum(counts or [])


def test_words_of_a_dictionary_that_do_not_occur_make_no_group_and_no_stratum():
    batch = answers(4)
    words = pa.array(["never", "south", "s2", "north", "s1", "west"])

    def coded(name):
        return pa.DictionaryArray.from_arrays(pc.index_in(batch.column(name), value_set=words), words)

    turned = pa.RecordBatch.from_arrays(
        [coded(name) if name in ("g", "st") else batch.column(name) for name in batch.schema.names], batch.schema.names
    )
    same(groups([turned]), groups([batch]), rtol=0)
    assert groups([turned]).strata == ("s1", "s2")


def test_small_batches_are_put_together(monkeypatch):
    monkeypatch.setattr(stream, "LEAST_ROWS", 100)
    batch = answers(5)
    coded = [
        pa.RecordBatch.from_arrays(
            [part.column(n).dictionary_encode() if n == "g" else part.column(n) for n in part.schema.names],
            part.schema.names,
        )
        for part in cut(batch, *[30] * 13)
    ]
    assert [part.num_rows for part in stream.joined(coded)] == [120, 120, 120, 40]
    same(groups(coded), groups([batch]))
    done = []
    groups(coded, tick=done.append)
    assert done == [120, 120, 120, 40]


def test_an_interruption_stops_the_threads(small_batches):
    def interrupted():
        yield from cut(answers(6), 50, 50)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        groups(interrupted(), threads=3)


def test_an_error_in_a_thread_is_raised(small_batches):
    parts = cut(answers(7), 50, 50, 50)
    bad = parts[1].set_column(0, "a", pa.array(np.full(50, 1e200)))
    with pytest.raises(csat.CsatError, match="'a' has values 1e\\+200 away from the middle"):
        groups([parts[0], bad, *parts[2:]], threads=2)


def test_numbers_outside_the_filter_may_be_of_any_size(way):
    batch = answers(8)
    a = np.where(batch.column("in").to_numpy(zero_copy_only=False), 4.0, 1e200)
    assert groups([batch.set_column(0, "a", pa.array(a))]).n.sum() > 0
    tiny = np.where(batch.column("in").to_numpy(zero_copy_only=False), 1e-90, 4.0)
    with pytest.raises(csat.CsatError, match="The values of 'a' differ by 2e-90 at most"):
        groups([batch.set_column(0, "a", pa.array(tiny))], midpoint=np.zeros(3))


def test_a_later_batch_may_bring_a_gap_and_a_group(way):
    batch = answers(9, missing=0.0)
    first, second = batch.slice(0, 200), answers(10, n=150)
    second = second.set_column(3, "g", pa.array(np.full(150, "east")))
    same(groups([first, second]), groups([pa.concat_batches([first, second])]))


def test_cells_of_a_summary_of_fewer_groups_add():
    """After groups were put together several cells have the same labels."""
    one, two = (groups([part], "units") for part in cut(answers(11), 200))
    coarse = [part.groups(ITEMS, ("g",)) for part in (one, two)]
    assert len(coarse[0].n) > len({*zip(coarse[0].domain.tolist(), coarse[0].psu.tolist(), strict=True)})
    got, expected = merge(coarse), groups([answers(11)], "units", by=("g",))
    same(replace(got, ungrouped=0), replace(expected, ungrouped=0))


@pytest.mark.parametrize("design", DESIGNS)
def test_parts_without_rows_add_nothing(way, design):
    batch = answers(12)
    empty = batch.slice(0, 0)
    expected = groups([batch], design)
    for parts in ([empty, batch], [batch, empty], [empty, empty, batch, empty]):
        same(groups(parts, design), expected)


@pytest.mark.parametrize("rule", ["available", "listwise"])
@pytest.mark.parametrize("weight", ["w", None])
@pytest.mark.parametrize("waits", [False, True])
def test_totals_are_rows_of_the_products(rule, weight, waits, monkeypatch):
    """Totals of cells are the first rows of their products; products of domains are those without a design."""
    batch, design = answers(3, missing=0.3), Design(weight=weight, stratum="st", psu="psu")
    options = {"by": ("g",), "rule": rule, "inside": "in"}
    cells = reduce.groups([batch], ITEMS, MIDPOINT, design=design, **options)
    plain = reduce.groups([batch], ITEMS, MIDPOINT, design=Design(weight=weight), **options)
    monkeypatch.setattr(stream, "LEAST_ROWS", 1)
    monkeypatch.setattr(sums, "MOST_SUMS", 0 if waits else sums.MOST_SUMS)
    found, whole = reduce.totals(cut(batch, 90, 1, 150), ITEMS, MIDPOINT, design=design, **options)
    same(replace(found, gram=cells.gram), cells)
    same(replace(whole, square=plain.square), plain)
    assert found.gram.shape == (len(cells.gram), 1, cells.gram.shape[1])
    assert_allclose(found.gram, cells.gram[:, :1], rtol=1e-12, atol=1e-12)


def test_numbers_keep_their_places():
    places, known = Numbers(), {}
    for part in ([7, 7, 3], [3], [9, 1, 7, 9], []):
        found = places.of(np.array(part, np.int64))
        for number, place in zip(part, found.tolist(), strict=True):
            assert known.setdefault(number, place) == place
    assert sorted(known.values()) == [0, 1, 2, 3]
    assert places.labels.tolist() == sorted(known, key=known.get)
