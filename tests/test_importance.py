"""Importance: brute force over orders, laws, exact gradients, errors against the jackknife, gaps, groups, notes."""

import itertools

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import csat
from csat.design import Replication
from csat.drivers.relative.notes import NOTES, CorrelationsWarning, Note
from csat.drivers.relative.orders import draw_orders, sampled_parts, sampled_slopes
from csat.drivers.relative.quotients import fieller
from csat.drivers.relative.shapley import lmg_parts
from csat.drivers.relative.shares import MEASURES
from csat.variance import gradient

ADDING = ("lmg", "johnson", "genizi", "pratt", "car", "pmvd")
COV = pd.DataFrame(
    [[1.0, 0.5, 0.3, 0.6], [0.5, 1.0, 0.2, 0.4], [0.3, 0.2, 1.0, 0.3], [0.6, 0.4, 0.3, 1.0]],
    index=list("abcy"), columns=list("abcy"),
)  # fmt: skip


def answers(rng, n=300, k=4):
    x = rng.normal(size=(n, k)) @ (np.eye(k) + 0.4)
    y = x @ np.arange(k) / 2 + 2 * rng.normal(size=n)
    data = pd.DataFrame(x, columns=[f"x{j}" for j in range(k)]).assign(y=y, w=rng.uniform(0.5, 2, n))
    data["hall"] = rng.integers(0, 30, n).astype(str)
    return data


def names(k):
    return [f"x{j}" for j in range(k)]


def covariance(rng, k=6):
    return np.cov((rng.normal(size=(300, k + 1)) @ (np.eye(k + 1) + 0.3 * rng.normal(size=(k + 1, k + 1)))).T)


def r2_of(cov, used):
    used = list(used)
    if not used:
        return 0.0
    return cov[used, -1] @ np.linalg.solve(cov[np.ix_(used, used)], cov[used, -1]) / cov[-1, -1]


def by_orders(cov, players, always=(), proportional=False):
    """Gains over all orders of the players; weighted by Feldman's weights if `proportional`."""
    total, weights = np.zeros(len(players)), 0.0
    whole = r2_of(cov, range(len(cov) - 1))
    for order in itertools.permutations(range(len(players))):
        used, gains, weight = list(always), np.zeros(len(players)), 1.0
        for step, player in enumerate(order):
            before = r2_of(cov, used)
            used += players[player]
            gains[player] = r2_of(cov, used) - before
            if proportional and step < len(order) - 1:
                weight /= whole - r2_of(cov, used)
        total += weight * gains
        weights += weight
    return total / weights


@pytest.mark.parametrize("proportional", [False, True], ids=["lmg", "pmvd"])
@pytest.mark.parametrize(
    ("players", "always"), [([[0], [1], [2], [3], [4], [5]], []), ([[0, 3], [1], [2, 5, 4]], []), ([[1], [2, 4]], [0])]
)
def test_brute_force_over_all_orders(rng, players, always, proportional):
    cov = covariance(rng)
    used = [*always, *itertools.chain(*players), 6]
    table = csat.from_covariance(cov, n=100, names=[*names(6), "y"])
    labels = [f"G{i}" if len(own) > 1 else f"x{own[0]}" for i, own in enumerate(players)]
    got = csat.importance(
        table, "y", [f"x{j}" for own in players for j in own], method="pmvd" if proportional else "lmg",
        groups={label: [f"x{j}" for j in own] for label, own in zip(labels, players, strict=True) if len(own) > 1},
        always=[f"x{j}" for j in always],
    )  # fmt: skip
    place = {j: i for i, j in enumerate(used)}
    inner = cov[np.ix_(used, used)]
    expected = by_orders(inner, [[place[j] for j in own] for own in players], [place[j] for j in always], proportional)
    assert got.estimates.term == tuple(labels)
    assert_allclose(got.estimates.estimate, expected, atol=1e-13)
    assert_allclose(got.r2_always, r2_of(inner, [place[j] for j in always]), atol=1e-13)


@pytest.mark.parametrize("method", ADDING)
def test_parts_add_up_to_what_is_explained(rng, method):
    data = answers(rng).assign(city=lambda d: np.where(d["x1"] > 0.5, "a", np.where(d["x2"] > 0, "b", "c")))
    source = csat.read_survey(data, design=csat.Design(weight="w"))
    drivers = [*names(4), "city"] if method in ("lmg", "pmvd", "pratt") else names(4)
    whole = csat.importance(source, "y", drivers, method=method)
    assert whole.adds_up
    assert_allclose(whole.estimates.estimate.sum(), whole.r2, rtol=1e-10)
    assert_allclose(whole.share.sum(), 100)
    partial = csat.importance(source, "y", drivers, method=method, always="x0")
    assert "x0" not in partial.estimates.term
    assert_allclose(partial.r2, whole.r2, rtol=1e-12)
    assert_allclose(partial.estimates.estimate.sum(), whole.r2 - partial.r2_always, rtol=1e-9)
    # The parts of a decomposition vary as one with R²: the error of their sum is that of R².
    alone = csat.importance(source, "y", drivers, groups={"all": drivers})
    assert_allclose(whole.estimates.vcov.sum(), alone.estimates.vcov[0, 0], rtol=1e-8)


@pytest.mark.parametrize("method", MEASURES)
def test_units_and_order_of_drivers_do_not_matter(rng, method):
    data = answers(rng)
    plain = csat.importance(csat.read_survey(data), "y", names(4), method=method)
    turned = data.assign(x1=lambda d: 1000 * d["x1"] - 7, x2=lambda d: -d["x2"] / 50, y=lambda d: 3 - d["y"] / 9)
    other = csat.importance(csat.read_survey(turned), "y", ["x2", "x0", "x3", "x1"], method=method)
    order = [1, 3, 0, 2]
    assert_allclose(other.estimates.estimate[order], plain.estimates.estimate, rtol=1e-9, atol=1e-14)
    assert_allclose(other.estimates.vcov[np.ix_(order, order)], plain.estimates.vcov, rtol=1e-7, atol=1e-15)


@pytest.mark.parametrize("missing", ["listwise", "pairwise", "em"])
def test_a_weight_of_two_counts_as_two_respondents(rng, missing):
    data = answers(rng, n=120)
    data[names(4)] = data[names(4)].mask(rng.random((120, 4)) < 0.15)
    data["w"] = rng.integers(1, 4, 120).astype(float)
    weighted = csat.importance(csat.read_survey(data, design=csat.Design(weight="w")), "y", names(4), missing=missing)
    rows = data.loc[data.index.repeat(data["w"].astype(int))].reset_index(drop=True)
    repeated = csat.importance(csat.read_survey(rows), "y", names(4), missing=missing)
    assert_allclose(weighted.estimates.estimate, repeated.estimates.estimate, rtol=1e-9)


def test_pmvd_gives_nothing_to_a_driver_without_effect_beside_the_others():
    cov = COV.to_numpy().copy()
    beta = np.array([0.5, 0.2, 0.0])
    cov[:3, 3] = cov[3, :3] = cov[:3, :3] @ beta
    table = csat.from_covariance(cov, n=100, names=list("abcy"))
    with_it = csat.importance(table, "y", list("abc"), method="pmvd")
    without = csat.importance(table, "y", list("ab"), method="pmvd")
    assert with_it.estimates.estimate[2] == 0
    assert_allclose(with_it.estimates.estimate[:2], without.estimates.estimate, rtol=1e-10)
    near = cov.copy()
    near[2, 3] = near[3, 2] = cov[2, 3] + 1e-5
    close = csat.importance(csat.from_covariance(near, n=100, names=list("abcy")), "y", list("abc"), method="pmvd")
    assert_allclose(close.estimates.estimate, with_it.estimates.estimate, atol=1e-4)


def test_an_outcome_that_nothing_explains_has_no_shares(rng):
    cov = np.eye(3)
    got = csat.importance(csat.from_covariance(cov, n=50, names=list("aby")), "y", ["a", "b"], method="pmvd")
    assert_allclose(got.estimates.estimate, 0)
    assert np.isnan(got.share).all()


@pytest.mark.parametrize(
    ("method", "sizes"),
    [
        *((name, [1] * 6) for name in MEASURES if name != "genizi"),
        *((name, [2, 1, 3]) for name in MEASURES if name not in ("genizi", "betasq")),
    ],
)
def test_gradients_are_exact(rng, method, sizes):
    measure, cov = MEASURES[method], covariance(rng)
    got = measure.slopes(cov, sizes)
    if method not in ("johnson", "car"):  # eigenvectors of complex matrices are not analytic
        assert_allclose(got, gradient(lambda c: measure.parts(c, sizes), cov), rtol=1e-9, atol=1e-11)
    direction = rng.normal(size=cov.shape)
    direction = (direction + direction.T) * 1e-3

    def slope(h):
        up, down = (measure.parts((cov + sign * h * direction)[None], sizes)[0] for sign in (1, -1))
        return (up - down) / (2 * h)

    finite = (64 * slope(0.25) - 20 * slope(0.5) + slope(1.0)) / 45  # Richardson, error O(h⁶)
    assert_allclose(np.einsum("mij,ij->m", got, direction), finite, rtol=1e-6, atol=1e-9)


def test_blocks_of_sets_do_not_change_the_figures(rng, monkeypatch):
    cov, sizes = covariance(rng, 7), [1, 2, 1, 1, 2]
    measure = MEASURES["lmg"]
    parts, slopes = measure.parts(cov[None], sizes), measure.slopes(cov, sizes)
    for block in (8, 32, 100):
        monkeypatch.setattr("csat.drivers.relative.shapley.BLOCK", block)
        assert_allclose(measure.parts(cov[None], sizes), parts, rtol=1e-12)
        assert_allclose(measure.slopes(cov, sizes), slopes, rtol=1e-10, atol=1e-12)


def jackknife(source, drivers, figure):
    """Standard errors by leaving out one unit at a time, and figures from Gram matrices of complete answers."""
    groups = source.groups([*drivers, "y"], rule="listwise")
    whole = groups.moments().gram
    left = np.array([figure(whole - gram) for gram in groups.gram])
    units = len(left)
    return np.sqrt((units - 1) / units * np.square(left - left.mean(axis=0)).sum(axis=0))


def correlations(gram):
    mean = gram[0, 1:] / gram[0, 0]
    cov = gram[1:, 1:] / gram[0, 0] - np.outer(mean, mean)
    return cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)))


@pytest.mark.parametrize("method", MEASURES)
def test_errors_agree_with_the_jackknife_over_units(rng, method):
    """Both are right to first order; they differ by O(1/units)."""
    data = answers(rng, n=4000).assign(hall=lambda d: rng.integers(0, 200, len(d)).astype(str))
    source = csat.read_survey(data, design=csat.Design(weight="w", psu="hall"))
    got = csat.importance(source, "y", names(4), method=method)

    def parts(gram):
        return MEASURES[method].parts(correlations(gram)[None], [1] * 4)[0]

    keep = got.estimates.estimate > 0.001  # errors vanish with the part: second order is all there is
    assert_allclose(got.estimates.se[keep], jackknife(source, names(4), parts)[keep], rtol=0.03)
    share = jackknife(source, names(4), lambda gram: 100 * parts(gram) / parts(gram).sum())
    assert_allclose(got.shares.se[keep], share[keep], rtol=0.03)


@pytest.mark.parametrize("method", ["lmg", "johnson", "pmvd", "last"])
@pytest.mark.parametrize(
    "options", [{}, {"always": "x2"}, {"groups": {"G": ["x1", "x3"]}}], ids=["", "always", "group"]
)
def test_errors_agree_with_replicate_weights(rng, method, options):
    data = answers(rng, n=3000).assign(hall=lambda d: rng.integers(0, 120, len(d)).astype(str))
    source = csat.read_survey(data, design=csat.Design(weight="w", psu="hall"))
    linear = csat.importance(source, "y", names(4), method=method, **options).estimates
    made = csat.importance(source.replicated(Replication("JKn")), "y", names(4), method=method, **options).estimates
    assert made.provenance.variance == "replicates: JKn"
    keep = linear.estimate > 0.001
    assert_allclose(made.se[keep], linear.se[keep], rtol=0.03)


def test_a_batch_of_replicates_is_cut_without_loss(rng, monkeypatch):
    source = csat.read_survey(answers(rng), design=csat.Design(weight="w", psu="hall")).replicated(Replication("JK1"))
    whole = csat.importance(source, "y", names(4)).estimates.vcov
    monkeypatch.setattr("csat.drivers.relative.split.SETS", 40)
    assert_allclose(csat.importance(source, "y", names(4)).estimates.vcov, whole, rtol=1e-12)


def test_one_driver_is_r2_with_its_error(rng):
    """LMG of a single driver is the squared correlation; its linearised error follows from the influence function."""
    data = answers(rng, n=400).assign(st=lambda d: (np.arange(400) // 100).astype(str))
    design = csat.Design(weight="w", stratum="st", psu="hall")
    got = csat.importance(csat.read_survey(data, design=design), "y", ["x3"])
    z = (data[["x3", "y"]] - np.average(data[["x3", "y"]], axis=0, weights=data["w"])).to_numpy()
    z = z / np.sqrt(np.average(z**2, axis=0, weights=data["w"]))
    r = np.average(z[:, 0] * z[:, 1], weights=data["w"])
    influence = 2 * r * (z[:, 0] * z[:, 1] - r * (z**2).sum(axis=1) / 2)
    linear = csat.total(csat.read_survey(data.assign(u=influence / data["w"].sum()), design=design), "u")
    assert_allclose(got.estimates.se, linear.se, rtol=1e-8)


def test_many_drivers_have_exact_errors(rng):
    k = 16
    source = csat.read_survey(answers(rng, k=k), design=csat.Design(weight="w"))
    got = csat.importance(source, "y", names(k))
    assert_allclose(got.estimates.estimate.sum(), got.r2, rtol=1e-10)
    alone = csat.importance(source, "y", names(k), groups={"all": names(k)})
    assert_allclose(got.estimates.vcov.sum(), alone.estimates.vcov[0, 0], rtol=1e-6)
    assert set(got.tidy()["note"]) == {""}


# Sampled orders


def test_sampled_orders_come_within_their_stated_error(rng):
    cov = covariance(rng, 8)
    for sizes in ([1] * 8, [2, 1, 3, 1, 1]):
        exact = lmg_parts(cov[None], sizes)[0]
        z = []
        for seed in range(40):
            blocks = sampled_parts(cov[None], sizes, draw_orders(len(sizes), 400, seed))[:, 0]
            z.append((blocks.mean(axis=0) - exact) / (blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks))))
        assert 0.8 < np.square(z).mean() < 1.35  # t with about 25–40 blocks, not all players independent


def test_every_block_of_orders_is_balanced():
    orders = draw_orders(5, 30, 7)
    assert orders.shape == (3, 10, 5)
    for block in orders:
        assert (np.sort(block, axis=0) == np.repeat(np.arange(5), 2)[:, None]).all()
        place = np.argsort(block, axis=1)
        before = (place[:, :, None] < place[:, None, :]).sum(axis=0)
        assert (before[~np.eye(5, dtype=bool)] == 5).all()


def test_gradients_of_sampled_orders_are_exact(rng):
    cov, sizes = covariance(rng), [2, 1, 3]
    orders = draw_orders(3, 12, 1)
    direction = rng.normal(size=cov.shape)
    direction = (direction + direction.T) * 1e-3

    def slope(h):
        up, down = (sampled_parts((cov + s * h * direction)[None], sizes, orders).mean(axis=0)[0] for s in (1, -1))
        return (up - down) / (2 * h)

    finite = (64 * slope(0.25) - 20 * slope(0.5) + slope(1.0)) / 45
    got = np.einsum("mij,ij->m", sampled_slopes(cov, sizes, orders), direction)
    assert_allclose(got, finite, rtol=1e-6, atol=1e-9)


def test_more_drivers_than_sets_can_be_visited_of(rng):
    k = 28
    source = csat.read_survey(answers(rng, n=600, k=k), design=csat.Design(weight="w"))
    got = csat.importance(source, "y", names(k), draws=600)
    again = csat.importance(source, "y", names(k), draws=600)
    other = csat.importance(source, "y", names(k), draws=600, seed=2)
    assert got.draws == got.glance()["draws"][0] == 616  # whole blocks of 2·28
    assert_allclose(got.estimates.estimate, again.estimates.estimate, rtol=0)
    assert (got.estimates.estimate != other.estimates.estimate).any()
    assert (got.draw_se > 0).all()
    assert (got.estimates.se > got.draw_se).all()
    assert_allclose(got.estimates.estimate.sum(), got.r2, rtol=1e-10)
    assert got.glance()["draw_se"][0] == got.draw_se.max()


def test_sampled_orders_carry_the_error_of_all_orders(rng):
    source = csat.read_survey(answers(rng, k=6), design=csat.Design(weight="w", psu="hall"))
    exact = csat.importance(source, "y", names(6))
    got = csat.importance(source, "y", names(6), draws=20000)
    assert exact.draws == 0
    assert (exact.draw_se == 0).all()
    assert_allclose(got.estimates.se, np.sqrt(exact.estimates.se**2 + got.draw_se**2), rtol=0.02)
    replicated = csat.importance(source.replicated(Replication("JK1")), "y", names(6), draws=20000)
    assert_allclose(replicated.estimates.se, got.estimates.se, rtol=0.1)


# Gaps


@pytest.fixture
def gappy(rng):
    data = answers(rng, n=900)
    gaps = rng.random((900, 5)) < 0.12
    data[[*names(4), "y"]] = data[[*names(4), "y"]].mask(gaps)
    return data


DESIGNS = {
    "rows": csat.Design(weight="w"),
    "units": csat.Design(weight="w", psu="hall"),
    "two stages": csat.Design(weight="w", psu="hall", fpc="halls", fpc2="people"),
    "rows drawn from few": csat.Design(stratum="st", fpc="people"),
}


@pytest.mark.parametrize("design", [*DESIGNS, "calibrated"])
def test_complete_answers_are_the_same_under_every_rule(rng, design):
    data = answers(rng).assign(halls=100.0, people=1000.0, sex=["m", "f", "f"] * 100, st=["u", "v"] * 150)
    source = csat.read_survey(data, design=DESIGNS.get(design, DESIGNS["rows"]))
    if design == "calibrated":
        source = csat.calibrate(source, {"sex": {"m": 500, "f": 500}})
    plain = csat.importance(source, "y", names(4))
    for missing in ("pairwise", "em"):
        got = csat.importance(source, "y", names(4), missing=missing)
        assert_allclose(got.estimates.estimate, plain.estimates.estimate, rtol=1e-9)
        assert_allclose(got.estimates.vcov, plain.estimates.vcov, rtol=1e-7, atol=1e-16)
        assert got.estimates.provenance.variance == plain.estimates.provenance.variance
        assert (got.pairs == 300).all()


def covariance_of_both(a, b):
    both = a.notna() & b.notna()
    return np.mean((a[both] - a[both].mean()) * (b[both] - b[both].mean()))


def test_pairwise_figures_are_those_of_pairwise_covariances(gappy):
    got = csat.importance(csat.read_survey(gappy), "y", names(4), missing="pairwise")
    used = [*names(4), "y"]
    cov = np.array([[covariance_of_both(gappy[a], gappy[b]) for b in used] for a in used])
    assert_allclose(got.estimates.estimate, by_orders(cov, [[0], [1], [2], [3]]), rtol=1e-10)
    some = gappy[used].notna().to_numpy().astype(int)
    assert np.array_equal(got.pairs[0], some.T @ some)
    assert got.estimates.n.tolist() == gappy[names(4)].notna().sum().tolist()
    assert got.glance()["rule"][0] == "pairwise"
    complete = csat.importance(csat.read_survey(gappy), "y", names(4))
    assert complete.left_out == 900 - len(gappy[used].dropna())
    assert got.left_out == 0


@pytest.mark.parametrize(("missing", "gone"), [("listwise", ["x0"]), ("em", [*names(4), "y"])])
def test_respondents_who_do_not_count_are_counted_by_group(rng, missing, gone):
    data = answers(rng).assign(g=["a", "b"] * 150, other=1.0)
    data.loc[[0, 2, 3], gone] = np.nan
    got = csat.importance(csat.read_survey(data), "y", names(4), by="g", missing=missing)
    assert got.left_out.tolist() == got.glance()["left_out"].tolist() == [2, 1]


@pytest.mark.parametrize("missing", ["pairwise", "em"])
def test_errors_with_gaps_agree_with_leaving_out_units(gappy, missing):
    gappy["hall"] = (np.arange(900) % 60).astype(str)
    source = csat.read_survey(gappy, design=csat.Design(weight="w", psu="hall"))
    got = csat.importance(source, "y", names(4), missing=missing).estimates
    left = np.array([
        csat.importance(csat.read_survey(gappy[gappy["hall"] != unit], design=csat.Design(weight="w")),
                        "y", names(4), missing=missing).estimates.estimate
        for unit in gappy["hall"].unique()
    ])  # fmt: skip
    jackknifed = np.sqrt(59 / 60 * np.square(left - left.mean(axis=0)).sum(axis=0))
    keep = got.estimate > 0.001
    assert_allclose(got.se[keep], jackknifed[keep], rtol=0.05)


@pytest.mark.parametrize("missing", ["pairwise", "em"])
def test_replicate_weights_with_gaps(gappy, missing):
    source = csat.read_survey(gappy, design=csat.Design(weight="w"))
    linear = csat.importance(source, "y", names(4), missing=missing).estimates
    made = csat.importance(source.replicated(Replication("bootstrap", size=800)), "y", names(4), missing=missing)
    assert made.estimates.provenance.variance == "replicates: bootstrap"
    assert_allclose(made.estimates.se, linear.se, rtol=0.12)  # 800 replicates: 2.5 %; the bootstrap is a bit wider
    units = csat.read_survey(gappy, design=csat.Design(weight="w", psu="hall"))
    linear = csat.importance(units, "y", names(4), missing=missing).estimates
    made = csat.importance(units.replicated(Replication("JK1")), "y", names(4), missing=missing).estimates
    assert_allclose(made.se, linear.se, rtol=0.1, atol=5e-4)


@pytest.mark.parametrize("missing", ["pairwise", "em"])
@pytest.mark.parametrize("design", [{}, {"psu": "hall"}])
def test_where_nothing_is_missing_replicates_are_those_of_complete_answers(rng, missing, design):
    """The same figures to rounding, computed anew with each replicate and not to first order; no note."""
    data = answers(rng, n=120).assign(branch=np.repeat(["p", "q"], 60))
    source = csat.read_survey(data, design=csat.Design(weight="w", **design))
    drawn = source.replicated(Replication("JK1") if design else Replication("bootstrap", size=60))
    for by in (None, "branch"):
        got = csat.importance(drawn, "y", names(4), missing=missing, by=by)
        whole = csat.importance(drawn, "y", names(4), by=by)
        assert_allclose(got.estimates.vcov, whole.estimates.vcov, rtol=1e-9)
        assert_allclose(got.estimates.estimate, whole.estimates.estimate, rtol=1e-12)
        assert (got.estimates.provenance.sample, got.left_out if by is None else 0) == (missing, 0)
        assert (np.asarray(got.pairs) == (120 if by is None else 60)).all()
        assert "first_order" not in {note.kind for note in got.notes}
        plain = csat.importance(source, "y", names(4), missing=missing, by=by).estimates
        assert np.abs(got.estimates.se / plain.se - 1).max() > 0.01  # what a first-order change would not show


def test_errors_of_first_order_are_told(rng, gappy):
    """Replicate weights with gaps under "em", of single rows under "pairwise", and with sampled orders."""
    rows = csat.read_survey(gappy, design=csat.Design(weight="w")).replicated(Replication("bootstrap", size=20))
    halls = csat.read_survey(gappy, design=csat.Design(weight="w", psu="hall")).replicated(Replication("JK1"))
    plain = csat.read_survey(gappy, design=csat.Design(weight="w", psu="hall"))
    told = {
        (place, missing): "first_order"
        in {note.kind for note in csat.importance(s, "y", names(4), missing=missing).notes}
        for place, s in (("rows", rows), ("halls", halls), ("plain", plain))
        for missing in ("listwise", "pairwise", "em")
    }
    assert {key for key, said in told.items() if said} == {("rows", "em"), ("halls", "em"), ("rows", "pairwise")}
    sampled = csat.importance(halls, "y", names(4), draws=50)
    assert "first_order" in {note.kind for note in sampled.notes}
    assert "the standard errors are of first order" in "; ".join(map(str, sampled.notes))


def test_respondents_who_answered_nothing_are_counted_where_the_others_answered_all(rng):
    data = answers(rng)
    data.loc[0, [*names(4), "y"]] = np.nan
    for missing in ("pairwise", "em"):
        assert csat.importance(csat.read_survey(data), "y", names(4), missing=missing).left_out == 1


def test_maximum_likelihood_removes_the_bias_of_complete_answers(rng):
    """Gaps that depend on an answer: complete answers overstate nothing at random, they lose a part of the range."""
    data = answers(rng, n=20000)
    whole = csat.importance(csat.read_survey(data), "y", names(4)).estimates.estimate
    data.loc[data["x3"] > 0.5, "y"] = np.nan
    survey = csat.read_survey(data)
    complete = csat.importance(survey, "y", names(4)).estimates.estimate
    likely = csat.importance(survey, "y", names(4), missing="em").estimates.estimate
    assert np.abs(complete - whole).max() > 0.05
    assert_allclose(likely, whole, atol=0.015)


def test_contradicting_pairs_are_told_and_refused_where_no_regression_is_left(rng):
    """Three drivers, each pair answered by others: a and b, b and c agree, a and c are opposite."""
    u = rng.normal(size=600)
    data = pd.DataFrame({"a": u, "b": u, "c": -u}) + 0.3 * rng.normal(size=(600, 3))
    data.loc[:199, "c"], data.loc[200:399, "a"], data.loc[400:, "b"] = np.nan, np.nan, np.nan
    data.loc[200:399, "c"] = data.loc[200:399, "b"]
    data["y"] = rng.normal(size=600)
    survey = csat.read_survey(data)
    with pytest.raises(csat.CsatError, match="'c' is an exact linear combination"):
        csat.importance(survey, "y", ["a", "b", "c"], missing="pairwise")
    data["y"] = data["a"].fillna(0) + data["b"].fillna(0) - 2 * data["c"].fillna(0)
    with pytest.warns(CorrelationsWarning, match=r"smallest eigenvalue -.*missing='em'"):
        got = csat.importance(csat.read_survey(data[["a", "c", "y"]]), "y", ["a", "c"], missing="pairwise")
    assert "not_psd" in {note.kind for note in got.notes}


@pytest.mark.parametrize("missing", ["pairwise", "em"])
def test_pairs_that_nobody_answered(rng, missing):
    data = answers(rng)
    data.loc[:149, "x0"], data.loc[150:, "x1"] = np.nan, np.nan
    with pytest.raises(csat.CsatError, match="Nobody answered both 'x0' and 'x1'"):
        csat.importance(csat.read_survey(data), "y", names(4), missing=missing)


def test_gaps_need_rows(rng):
    table = csat.from_covariance(COV, n=100)
    with pytest.raises(csat.CsatError, match="needs the respondents' rows"):
        csat.importance(table, "y", ["a"], missing="em")
    plain, pairs = (csat.importance(table, "y", ["a", "b"], missing=rule) for rule in ("listwise", "pairwise"))
    assert_allclose(pairs.estimates.estimate, plain.estimates.estimate)
    summary = csat.read_survey(answers(rng), design=csat.Design(psu="hall")).groups([*names(4), "y"])
    got = csat.importance(summary, "y", names(4), missing="pairwise")
    assert np.isfinite(got.estimates.se).all()


def test_few_steps_of_maximum_likelihood_are_told(gappy, monkeypatch):
    monkeypatch.setattr("csat.normal.STEPS", 2)
    with pytest.raises(csat.CsatError, match="did not settle in 2 steps"):
        csat.importance(csat.read_survey(gappy), "y", names(4), missing="em")


# Groups, differences, ranks


@pytest.fixture
def branches(rng):
    data = answers(rng, n=900)
    data["branch"] = rng.choice(["a", "b", "c"], 900)
    data.loc[data["branch"] == "b", "y"] += 2 * data["x0"]
    return csat.read_survey(data, design=csat.Design(weight="w", psu="hall"))


@pytest.mark.parametrize("missing", ["listwise", "pairwise", "em"])
def test_groups_have_the_figures_of_their_domain(branches, missing):
    got = csat.importance(branches, "y", names(4), by="branch", missing=missing)
    for d, branch in enumerate("abc"):
        alone = csat.importance(branches.where(branch=branch), "y", names(4), missing=missing)
        at = slice(4 * d, 4 * d + 4)
        assert_allclose(got.estimates.estimate[at], alone.estimates.estimate, rtol=1e-9)
        assert_allclose(got.estimates.se[at], alone.estimates.se, rtol=1e-8)
        assert_allclose(got.shares.interval[0][at], alone.shares.interval[0], rtol=1e-7, atol=1e-9)
        assert got.rank[at].tolist() == alone.rank.tolist()
        assert_allclose(got.r2[d], alone.r2)
    frame = got.tidy()
    assert list(frame.columns[:2]) == ["term", "branch"]
    assert got.glance()[["branch", "n"]].to_numpy().tolist() == [
        [branch, len(branches.where(branch=branch))] for branch in "abc"
    ]


def test_differences_between_groups_know_that_they_share_units(branches):
    got = csat.importance(branches, "y", names(4), by="branch")
    pairs = got.differences("groups", of="share")
    frame = pairs.tidy()
    assert frame[["term", "group", "against"]].to_numpy().tolist()[:3] == [
        ["x0", "a", "b"], ["x0", "a", "c"], ["x0", "b", "c"]]  # fmt: skip
    first = frame.iloc[0]
    assert_allclose(first["estimate"], got.share[0] - got.share[4])
    groups = branches.groups([*names(4), "y"], by=["branch"], rule="listwise")
    left = []
    for unit in range(len(groups.psus)):
        kept = groups.psu != unit
        grams = [groups.gram[kept & (groups.domain == d)].sum(axis=0) for d in (0, 1)]
        shares = [(p := MEASURES["lmg"].parts(correlations(g)[None], [1] * 4)[0]) / p.sum() * 100 for g in grams]
        left.append(shares[0][0] - shares[1][0])
    units = len(left)
    assert_allclose(first["se"], np.sqrt((units - 1) / units * np.square(left - np.mean(left)).sum()), rtol=0.12)
    only = got.differences("groups", against="b").tidy()
    assert set(only["against"]) == {"b"}
    assert len(only) == 8


def test_differences_between_drivers(branches):
    got = csat.importance(branches, "y", names(4))
    frame = got.differences().tidy()
    assert len(frame) == 6
    row = frame[(frame["term"] == "x0") & (frame["against"] == "x3")].iloc[0]
    assert_allclose(row["estimate"], got.estimates.estimate[0] - got.estimates.estimate[3])
    vcov = got.estimates.vcov
    assert_allclose(row["se"], np.sqrt(vcov[0, 0] + vcov[3, 3] - 2 * vcov[0, 3]))
    assert_allclose(frame["p"], 2 * np.minimum(frame["p_greater"], 1 - frame["p_greater"]), rtol=1e-8, atol=1e-15)
    assert ((frame["p_greater"] > 0.5) == (frame["estimate"] > 0)).all()
    within = csat.importance(branches, "y", names(4), by="branch").differences(against="x3").tidy()
    assert within[["term", "against", "branch"]].iloc[:4].to_numpy().tolist() == [
        ["x0", "x3", "a"], ["x1", "x3", "a"], ["x2", "x3", "a"], ["x0", "x3", "b"]]  # fmt: skip


def test_shares_are_tested_as_their_parts(branches):
    """share_a > share_b if and only if part_a > part_b: one p; Fieller's ends are where the t test just rejects."""
    got = csat.importance(branches, "y", names(4), by="branch")
    of_parts, of_shares = got.differences().tidy(), got.differences(of="share").tidy()
    for column in ("statistic", "p", "p_greater", "df"):
        assert_allclose(of_shares[column], of_parts[column], rtol=1e-9)
    total = np.repeat(got.estimates.estimate.reshape(3, 4).sum(axis=1), 6)
    assert_allclose(of_shares["estimate"], 100 * of_parts["estimate"] / total, rtol=1e-10)
    own = got.estimates.vcov[:4, :4]
    t = stats.t.ppf(0.975, got.estimates.df[0])
    parts = got.estimates.estimate[:4]
    for row, (i, j) in enumerate(itertools.combinations(range(4), 2)):
        for end in of_shares.loc[row, ["low", "high"]].to_numpy(float) / 100:
            if abs(end) < 1:
                weights = np.eye(4)[i] - np.eye(4)[j] - end
                assert_allclose(abs(weights @ parts) / np.sqrt(weights @ own @ weights), t, rtol=1e-8)
    for j in range(4):
        for end in (got.shares.interval[0][j] / 100, got.shares.interval[1][j] / 100):
            if 0 < end < 1:
                weights = np.eye(4)[j] - end
                assert_allclose(abs(weights @ parts) / np.sqrt(weights @ own @ weights), t, rtol=1e-8)


def test_shares_of_an_r2_that_may_be_nothing_can_be_anything(rng):
    data = answers(rng, n=60).assign(y=rng.normal(size=60))
    got = csat.importance(csat.read_survey(data), "y", names(4)).tidy()
    assert ((got["share_low"] <= got["share"]) & (got["share"] <= got["share_high"])).all()
    assert (got["share_low"] == 0).all()
    assert (got["share_high"] == 100).any()
    alone = csat.importance(csat.read_survey(data), "y", ["x0"]).tidy()
    assert_allclose(alone[["share_low", "share_high"]], 100)


def test_the_quotients_of_fieller_with_every_shape_of_the_set():
    """Bounded, unbounded, with a gap above or below the ends, certain, unknown."""
    vcov = np.broadcast_to(np.eye(2), (5, 2, 2)).copy()
    vcov[3], vcov[4] = 0.0, np.nan
    above, below = np.array([5.0, 0.1, 9.0, 1.0, 1.0]), np.array([20.0, 0.2, 1.0, 4.0, 4.0])
    low, high = fieller(above, below, vcov, np.inf, 0.95, (0.0, 12.0))
    z = stats.norm.ppf(0.975)
    inside = (5 - low[0] * 20) ** 2 / (1 + low[0] ** 2)
    assert_allclose(inside, z**2)
    assert (low[1], high[1]) == (0.0, 12.0)
    assert_allclose((9 - low[2]) ** 2 / (1 + low[2] ** 2), z**2)  # 0 is not in the set; beyond the gap it has no end
    assert high[2] == 12.0
    assert (low[3], high[3]) == (0.25, 0.25)
    assert np.isnan([low[4], high[4]]).all()


def test_probability_that_one_driver_matters_more_is_that_of_replicates(rng):
    """p_greater against the share of bootstrap samples in which the first part is the larger one."""
    data = answers(rng, n=1500)
    source = csat.read_survey(data)
    wanted = csat.importance(source, "y", names(4)).differences().tidy()["p_greater"].to_numpy()
    drawn = rng.multinomial(1500, np.full(1500, 1 / 1500), size=1500)
    x = data[[*names(4), "y"]].to_numpy()
    z = np.hstack([np.ones((1500, 1)), x])
    first, second = np.triu_indices(6)
    sums = drawn @ (z[:, first] * z[:, second])
    grams = np.zeros((1500, 6, 6))
    grams[:, first, second] = grams[:, second, first] = sums
    parts = MEASURES["lmg"].parts(np.array([correlations(gram) for gram in grams]), [1] * 4)
    share = [(parts[:, i] > parts[:, j]).mean() for i, j in itertools.combinations(range(4), 2)]
    assert_allclose(wanted, share, atol=0.05)


def test_a_group_without_enough_answers_has_a_reason(branches):
    data = branches.frame()
    data.loc[data["branch"] == "c", "x1"] = 3.0
    data.loc[data.index[:3], "branch"] = "d"
    data.loc[data.index[3], "branch"] = None
    got = csat.importance(csat.read_survey(data), "y", names(4), by="branch")
    frame = got.tidy().set_index("branch")
    assert set(frame.loc["c", "note"]) == {str(csat.Unavailable("constant"))}
    assert set(frame.loc["d", "note"]) == {str(csat.Unavailable("few_answers"))}
    assert frame.loc["d", ["estimate", "share", "rank", "rank_low"]].isna().all(axis=None)
    assert np.isfinite(frame.loc["a", "se"]).all()
    assert got.ungrouped == got.glance()["ungrouped"][0] == 1
    notes = got.differences("groups", against="a").tidy().set_index(["term", "group"])["note"]
    assert notes["x0", "d"] == str(csat.Unavailable("few_answers"))


def test_rank_intervals_hold_for_all_drivers_at_once(rng):
    """The most important driver is never last, and intervals widen with fewer answers."""
    wide = csat.importance(csat.read_survey(answers(rng, n=60)), "y", names(4))
    narrow = csat.importance(csat.read_survey(answers(rng, n=20000)), "y", names(4))
    for got in (wide, narrow):
        assert ((got.rank_low <= got.rank) & (got.rank <= got.rank_high)).all()
    assert (narrow.rank_high - narrow.rank_low).sum() < (wide.rank_high - wide.rank_low).sum()
    assert narrow.rank.tolist() == narrow.rank_low.tolist() == narrow.rank_high.tolist() == [4, 3, 2, 1]


# What a result says


def test_without_rows_there_is_a_reason():
    got = csat.importance(csat.from_covariance(COV, n=100), "y", ["a", "b"])
    frame = got.tidy()
    assert frame[["se", "share_low", "share_high"]].isna().all(axis=None)
    assert set(frame["note"]) == {"this source is a summary without rows"}
    assert frame[["rank", "rank_low", "rank_high"]].to_numpy().tolist() == [[1, 1, 2], [2, 1, 2]]


def test_what_is_always_in_may_be_named_among_the_drivers_or_not(rng):
    source = csat.read_survey(answers(rng))
    among, apart = (csat.importance(source, "y", own, always="x1") for own in (names(4), ["x0", "x2", "x3"]))
    assert_allclose(among.estimates.estimate, apart.estimates.estimate, rtol=1e-12)
    assert_allclose(among.estimates.vcov, apart.estimates.vcov, rtol=1e-9)


@pytest.mark.parametrize("missing", ["listwise", "pairwise", "em"])
def test_one_unit_has_no_interval(rng, missing):
    data = answers(rng).assign(branch=lambda d: np.where(d["hall"] == "3", "one", "many"))
    data.loc[::7, "x2"] = np.nan
    source = csat.read_survey(data, design=csat.Design(psu="hall"))
    alone = csat.importance(source.where(hall="3"), "y", ["x3"], missing=missing).tidy()
    one = csat.importance(source, "y", ["x3", "x2"], by="branch", missing=missing)
    for frame in (alone, one.tidy().query("branch == 'one'")):
        assert set(frame["note"]) == {str(csat.Unavailable("df_zero"))}
        assert frame[["se", "statistic", "p", "low", "high", "share_low", "share_high"]].isna().all(axis=None)
        assert np.isfinite(frame["estimate"]).all()
    assert (one.tidy().query("branch == 'many'")["se"] > 0).all()
    for kind in ("drivers", "groups"):
        gaps = one.differences(kind, of="share").tidy()
        unknown = gaps["branch"] == "one" if kind == "drivers" else np.full(len(gaps), True)
        assert gaps.loc[unknown, ["se", "statistic", "p", "low", "high", "p_greater"]].isna().all(axis=None)


@pytest.mark.parametrize("design", [{}, {"psu": "hall"}])
def test_effective_sizes_are_those_of_the_weights_of_who_answered(rng, design):
    data = answers(rng).assign(branch=np.repeat(["p", "q"], 150))
    data.loc[::5, "x1"] = np.nan
    source = csat.read_survey(data, design=csat.Design(weight="w", **design))

    def kish(rows):
        return rows["w"].sum() ** 2 / (rows["w"] ** 2).sum()

    full = data.dropna()
    assert_allclose(csat.importance(source, "y", names(3)).tidy()["n_eff"], [kish(full)] * 3, rtol=1e-12)
    for missing in ("pairwise", "em"):
        got = csat.importance(source, "y", names(3), by="branch", missing=missing).tidy()
        expected = [kish(rows.dropna(subset=[x])) for _, rows in data.groupby("branch") for x in names(3)]
        assert_allclose(got["n_eff"], expected, rtol=1e-12)
    together = csat.importance(source, "y", names(3), groups={"G": ["x0", "x1"]}, missing="em").tidy()
    assert_allclose(together["n_eff"], [kish(full), kish(data)], rtol=1e-12)
    unweighted = csat.importance(csat.read_survey(data), "y", names(2)).tidy()
    assert unweighted["n_eff"].tolist() == unweighted["n"].tolist() == [240, 240]
    assert csat.importance(csat.from_covariance(COV, n=100), "y", ["a", "b"]).tidy()["n_eff"].tolist() == [100, 100]


def test_tables_have_the_promised_columns(rng):
    got = csat.importance(csat.read_survey(answers(rng)), "y", names(4))
    assert list(got.tidy().columns) == [
        *("term", "estimate", "se", "statistic", "df", "p", "low", "high", "n", "n_eff", "share", "share_low"),
        *("share_high", "rank", "rank_low", "rank_high", "draw_se", "note"),
    ]
    about = got.glance().iloc[0]
    assert about[["outcome", "method", "n", "left_out", "rule", "level"]].tolist() == [
        "y", "lmg", 300, 0, "listwise", 0.95]  # fmt: skip
    assert repr(got).startswith("Importance: 4 rows")
    assert ">x3</t" in got._repr_html_()
    differences = got.differences()
    assert list(differences.tidy().columns[-2:]) == ["p_greater", "note"]
    assert differences.glance()["terms"][0] == 6


def test_intervals_stay_where_a_part_can_be(rng):
    data = answers(rng, n=80)
    for method, measure in MEASURES.items():
        got = csat.importance(csat.read_survey(data), "y", names(4), method=method, level=0.9999)
        low, high = got.estimates.interval
        assert (low >= measure.ends[0]).all(), method
        assert (high <= measure.ends[1]).all(), method
    assert (csat.importance(csat.read_survey(data), "y", names(4), level=0.9999).shares.interval[0] >= 0).all()


def kinds(got, term):
    return {note.kind for note in got.notes if note.term == term}


def test_notes_on_direction_and_overlap():
    """b only clears a of what is not about y; c goes with y alone and against it beside a."""
    corr = pd.DataFrame(
        [[1, 0.6, 0.8, 0.6], [0.6, 1, 0.4, 0.0], [0.8, 0.4, 1, 0.3], [0.6, 0.0, 0.3, 1]],
        index=list("abcy"), columns=list("abcy"),
    )  # fmt: skip
    table = csat.from_covariance(corr, n=1000)
    got = csat.importance(table, "y", list("abc"))
    assert "suppressor" in kinds(got, "a")
    assert "sign_flip" in kinds(got, "c")
    note = next(note for note in got.notes if note.kind == "sign_flip")
    assert str(note).startswith("c: its correlation with the outcome is +0.30, its coefficient beside the other")
    assert "negative_share" in kinds(csat.importance(table, "y", list("abc"), method="pratt"), "c")
    together = csat.importance(table, "y", list("abc"), groups={"G": ["b", "c"]})
    assert "suppressor_group" in kinds(together, "G")
    calm = csat.importance(csat.from_covariance(COV, n=1000), "y", list("abc"))
    assert calm.notes == ()


def test_notes_on_samples(rng):
    data = answers(rng, n=38)
    data["twin"], data["chance"] = data["x1"] + 0.1 * rng.normal(size=38), rng.normal(size=38)
    got = csat.importance(csat.read_survey(data), "y", [*names(4), "twin", "chance"])
    assert kinds(got, "") == {"few_cases", "small_sample"}
    assert "collinear" in kinds(got, "twin")
    assert "noise" in kinds(got, "chance")
    gaps = answers(rng, n=400)
    gaps.loc[60:, "x1"] = np.nan
    gaps.loc[:149, "x2"], gaps.loc[250:, "x3"] = np.nan, np.nan
    gaps.loc[20:40, "x2"] = 1.0
    small = csat.importance(csat.read_survey(gaps), "y", ["x0", "x2", "x3"], missing="pairwise")
    assert "small_pair" not in {note.kind for note in small.notes if note.term == "x0 × x2"}
    gaps.loc[200:249, "x2"] = np.nan
    small = csat.importance(csat.read_survey(gaps), "y", ["x0", "x2", "x3"], missing="em")
    assert "small_pair" in kinds(small, "x2 × x3")
    assert "small_base" in kinds(csat.importance(csat.read_survey(gaps), "y", ["x0", "x1"], missing="em"), "x1")


def test_every_note_has_words():
    figures = dict.fromkeys(("r", "beta", "first", "last", "share", "n", "k", "cases", "vif", "eigenvalue"), 1.0)
    for kind in NOTES:
        text = str(Note(kind, "P1", ("gansu", "2026Q1"), figures))
        assert text.startswith("gansu × 2026Q1: ")
        assert "{" not in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "guess"}, "method='guess' is not known"),
        ({"missing": "drop"}, "missing='drop' is not known"),
        ({"drivers": []}, "No driver is named: name at least one"),
        ({"drivers": 3}, "drivers are names of variables; found int 3"),
        ({"draws": 0}, "draws=int 0: the number of orders to sample"),
        ({"draws": 10**7}, "is a whole number, 1 to 1000000"),
        ({"draws": 2.5}, "draws=float 2.5"),
        ({"draws": 100, "method": "johnson"}, "orders are sampled for method='lmg' only"),
        ({"seed": -1}, "seed=int -1: a seed is a whole number"),
        ({"by": "share"}, "has the name of a result's column"),
        ({"level": 95}, "level=95: the confidence level lies between 0 and 1"),
        ({"groups": ["x0"]}, "groups is a table: name of a group → its drivers"),
        ({"groups": {"G": []}}, r"groups\['G'\] has no drivers"),
        ({"groups": {"G": ["x9"]}}, r"groups\['G'\]='x9' is not known"),
        ({"groups": {"G": ["x0"], "H": ["x0"]}}, "driver 'x0' is already in group 'G'"),
        ({"groups": {"x1": ["x0", "x2"]}}, "'x1' is the name of a driver outside the group"),
        ({"groups": {"G": ["x0"]}, "always": ["x0"]}, "driver 'x0' is already forced in by always"),
        ({"always": ["x0", "x1", "x2", "x3"]}, "every driver is forced in"),
        ({"always": 7}, "always are names of variables; found int 7"),
        ({"drivers": ["x0", "city"], "method": "car"}, "not for 'city': its parts would depend on the reference"),
        ({"groups": {"G": ["x0", "x1"]}, "method": "betasq"}, "not for 'G': squared coefficients"),
        ({"drivers": ["x0", "x1", "x0:x1"]}, r"groups={'x0 × x1': \['x0', 'x1', 'x0:x1'\]}"),
    ],
)
def test_wrong_calls_say_what_to_do(rng, options, message):
    survey = csat.read_survey(answers(rng).assign(city=rng.choice(["a", "b", "c"], 300)))
    with pytest.raises(csat.CsatError, match=message):
        csat.importance(survey, "y", **({"drivers": names(4)} | options))


def test_an_interaction_belongs_into_the_group_of_its_parts(rng):
    survey = csat.read_survey(answers(rng))
    got = csat.importance(survey, "y", ["x0", "x1", "x2", "x0:x1"], groups={"x0 × x1": ["x0", "x1", "x0:x1"]})
    assert got.estimates.term == ("x0 × x1", "x2")
    assert_allclose(got.estimates.estimate.sum(), got.r2)
    forced = csat.importance(survey, "y", ["x2", "x0:x1"], always=["x0", "x1"])
    assert forced.estimates.term == ("x2", "x0:x1")


def test_too_many_drivers_for_pmvd(rng):
    source = csat.read_survey(answers(rng, k=20))
    with pytest.raises(csat.CsatError, match=r"up to 18; 20 were given.*groups="):
        csat.importance(source, "y", names(20), method="pmvd")
    with pytest.raises(csat.CsatError, match="there is only one of them"):
        csat.importance(source, "y", names(2)).differences("groups")
    with pytest.raises(csat.CsatError, match="against='x9' is not known"):
        csat.importance(source, "y", names(2)).differences(against="x9")
    with pytest.raises(csat.CsatError, match="kind='rows' is not known"):
        csat.importance(source, "y", names(2)).differences("rows")


@pytest.mark.slow
@pytest.mark.parametrize("n", [150, 1000])
def test_intervals_of_shares_cover(n):
    """LMG shares of correlated drivers: 95 % intervals by linearisation; 2,000 samples are good to 1 %."""
    rng = np.random.default_rng(5)
    turn, beta = np.eye(4) + 0.5, np.array([0.2, 0.4, 0.6, 0.8])
    cov = np.zeros((5, 5))
    cov[:4, :4] = turn.T @ turn
    cov[:4, 4] = cov[4, :4] = cov[:4, :4] @ beta
    cov[4, 4] = beta @ cov[:4, :4] @ beta + 4
    truth = lmg_parts(cov[None], [1] * 4)[0]
    truth = 100 * truth / truth.sum()
    hits = []
    for _ in range(2000):
        x = rng.normal(size=(n, 4)) @ turn
        data = pd.DataFrame(x, columns=names(4)).assign(y=x @ beta + 2 * rng.normal(size=n))
        low, high = csat.importance(csat.read_survey(data), "y", names(4)).shares.interval
        hits.append((low <= truth) & (truth <= high))
    assert_allclose(np.mean(hits, axis=0), 0.95, atol=0.025 if n < 500 else 0.015)


@pytest.mark.parametrize("n", [3, 5])
def test_as_many_drivers_as_respondents_have_no_moments_from_gaps(rng, n):
    data = pd.DataFrame(rng.normal(size=(n, 6)), columns=[*"abcde", "y"])
    data.iloc[0, 0] = np.nan
    with pytest.raises(csat.CsatError, match=f"more respondents than variables; found {n} for 6"):
        csat.importance(csat.read_survey(data), "y", list("abcde"), missing="em")
