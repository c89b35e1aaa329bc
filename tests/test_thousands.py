"""Thousands of groups: the covariance within each is that of the joint one, and what is not kept is said in words."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

import csat
from csat import Design
from csat.moments import guards
from csat.variance import combined_means, estimated_means
from csat.within import WithinGroups, blanked, scaled, variances

GROUPS, ROWS = 23, 2400
ITEMS = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(20)
    answers = rng.integers(1, 11, (ROWS, 4)).astype(float)
    data = pd.DataFrame(answers, columns=list(ITEMS)).mask(rng.random((ROWS, 4)) < 0.1)
    stratum = rng.integers(0, 4, ROWS)
    return data.assign(
        centre=[f"c{i:02}" for i in rng.integers(0, GROUPS, ROWS)],
        stratum=stratum.astype(str),
        unit=[f"{s}-{u}" for s, u in zip(stratum, rng.integers(0, 12, ROWS), strict=True)],
        inner=rng.integers(0, 5, ROWS).astype(str),
        weight=rng.uniform(0.5, 2.0, ROWS),
        size=np.array([900.0, 1500.0, 700.0, 5000.0])[stratum],
        units=np.array([20.0, 12.0, 40.0, 15.0])[stratum],
        within=7.0,
    )


@pytest.fixture(scope="module")
def sparse(frame):
    """Groups of one, of none and of equal answers, which have no variance or none that is not rounding."""
    data = frame.copy()
    data.loc[data.centre == "c00", "b"] = np.nan
    data.loc[data.centre == "c01", ["a", "b", "c", "d"]] = 7.0
    one = data.index[data.centre == "c02"]
    return data.drop(index=one[1:])


REPLICATES = {
    "jackknife": csat.Replication("JKn"),
    "bootstrap": csat.Replication("bootstrap", size=40),
    "mse": csat.Replication("subbootstrap", size=40, mse=True),
}
DESIGNS = {
    "simple": Design(),
    "weights": Design(weight="weight"),
    "strata": Design(weight="weight", stratum="stratum"),
    "fpc": Design(weight="weight", stratum="stratum", fpc="size"),
    "units": Design(weight="weight", psu="unit"),
    "units in strata": Design(weight="weight", stratum="stratum", psu="unit"),
    "units with fpc": Design(weight="weight", stratum="stratum", psu="unit", fpc="units"),
    "two stages": Design(weight="weight", stratum="stratum", psu="unit", fpc="units", ssu="inner", fpc2="within"),
    **{
        f"{kind} of units": Design(weight="weight", stratum="stratum", psu="unit", replication=made)
        for kind, made in REPLICATES.items()
    },
    "bootstrap of rows": Design(weight="weight", stratum="stratum", replication=REPLICATES["bootstrap"]),
}
#: Nodes of a small tree: the items, two dimensions, the root.
NODES = np.vstack([np.eye(4), [[0.5, 0.5, 0, 0], [0, 0, 0.3, 0.7]], np.full((1, 4), 0.25)])


def blocks_of(joint, q):
    size = len(joint) // q
    at = np.arange(size)
    return joint.reshape(size, q, size, q)[at, :, at, :]


def both(monkeypatch, groups, matrix):
    """The same figures with the joint covariance, and with that within groups."""
    joint = combined_means(groups, matrix, 1.5)
    monkeypatch.setattr(guards, "MOST_FIGURES", 20)
    return joint, combined_means(groups, matrix, 1.5)


@pytest.mark.parametrize("rule", ["available", "listwise"])
@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_blocks_are_those_of_the_joint_covariance(frame, design, rule, monkeypatch):
    groups = csat.read_survey(frame, design=design).groups(list(ITEMS), ["centre"], rule)
    (described, joint), (same, within) = both(monkeypatch, groups, NODES)
    assert isinstance(within.vcov, WithinGroups)
    expected = blocks_of(joint.vcov, len(NODES))
    assert expected.shape == (GROUPS, 7, 7)
    assert np.allclose(within.vcov.blocks, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())
    assert np.allclose(np.sqrt(variances(within.vcov)), np.sqrt(np.diag(joint.vcov)), rtol=1e-12, atol=0)
    assert np.array_equal(within.estimate, joint.estimate)
    assert np.array_equal(within.n, joint.n) and np.array_equal(within.df, joint.df)
    assert np.allclose(within.n_eff, joint.n_eff, rtol=1e-11, atol=0, equal_nan=True)
    assert np.array_equal(same.mean, described.mean) and np.array_equal(same.spread, described.spread)


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_groups_without_a_variance_are_the_same(sparse, design, monkeypatch):
    groups = csat.read_survey(sparse, design=design).groups(list(ITEMS), ["centre"])
    (_, joint), (_, within) = both(monkeypatch, groups, NODES)
    expected, found = np.diag(joint.vcov), variances(within.vcov)
    assert np.isnan(expected[:7]).any() and (expected == 0).any()
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.array_equal(found == 0, expected == 0)
    assert np.allclose(found, expected, rtol=1e-11, atol=0, equal_nan=True)


@pytest.mark.parametrize("rule", ["certainty", "adjust", "average"])
def test_lone_units(frame, rule, monkeypatch):
    lone = frame.assign(stratum=frame.stratum.where(frame.unit != "0-3", "lone"))
    design = Design(weight="weight", stratum="stratum", psu="unit", lone_psu=rule)
    groups = csat.read_survey(lone, design=design).groups(list(ITEMS), ["centre"])
    (_, joint), (_, within) = both(monkeypatch, groups, NODES)
    assert np.allclose(within.vcov.blocks, blocks_of(joint.vcov, 7), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("design", ["weights", "fpc", "units in strata", "units with fpc"])
@pytest.mark.parametrize("method", ["rake", "linear"])
def test_calibrated_weights_keep_their_residual_form(frame, design, method, monkeypatch):
    targets = {"inner": dict.fromkeys("01234", 0.2), "region": {"north": 0.4, "south": 0.6}}
    data = frame.assign(region=np.where(frame.centre < "c09", "north", "south"))
    survey = csat.calibrate(csat.read_survey(data, design=DESIGNS[design]), targets, method=method)
    groups = survey.where(stratum=["0", "1", "2"]).groups(list(ITEMS), ["centre"])
    assert groups.residuals is not None
    (_, joint), (_, within) = both(monkeypatch, groups, NODES)
    expected = blocks_of(joint.vcov, 7)
    assert np.allclose(within.vcov.blocks, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


def test_a_part_of_the_respondents_keeps_the_design(frame, monkeypatch):
    survey = csat.read_survey(frame, design=DESIGNS["units in strata"]).where(inner=["0", "1"])
    groups = survey.groups(list(ITEMS), ["centre"])
    (_, joint), (_, within) = both(monkeypatch, groups, NODES)
    assert np.allclose(within.vcov.blocks, blocks_of(joint.vcov, 7), rtol=1e-12, atol=1e-13)


def test_parts_of_groups_make_no_difference(frame, monkeypatch):
    groups = csat.read_survey(frame, design=DESIGNS["bootstrap of units"]).groups(list(ITEMS), ["centre"])
    _, (_, whole) = both(monkeypatch, groups, NODES)
    monkeypatch.setattr("csat.variance.blocks.WORK", 1)
    _, parts = combined_means(groups, NODES, 1.5)
    assert np.allclose(parts.vcov.blocks, whole.vcov.blocks, rtol=1e-13, atol=1e-14)
    assert np.array_equal(parts.estimate, whole.estimate)


def test_few_nodes_of_many_groups_keep_their_joint_covariance(frame, monkeypatch):
    """What is reported must fit, not the items behind it."""
    groups = csat.read_survey(frame, design=DESIGNS["units in strata"]).groups(list(ITEMS), ["centre"])
    root = NODES[-1:]
    joint = combined_means(groups, root)[1]
    monkeypatch.setattr(guards, "MOST_FIGURES", GROUPS)
    few = combined_means(groups, root)[1]
    assert isinstance(few.vcov, np.ndarray)
    assert np.allclose(few.vcov, joint.vcov, rtol=1e-12, atol=1e-14)
    assert np.allclose(few.n_eff, joint.n_eff, rtol=1e-11)


# --- what such results can do, and what they say they cannot --------------------------------------------------------


@pytest.fixture
def many(frame):
    """Means of four items in 23 groups, with and without the covariances between groups."""
    survey = csat.read_survey(frame, design=DESIGNS["units in strata"])
    joint = csat.mean(survey, list(ITEMS), by="centre")
    return joint, replace(joint, vcov=WithinGroups(blocks_of(joint.vcov, 4)))


def test_tables_are_the_same(many):
    joint, within = many
    pd.testing.assert_frame_equal(within.tidy(), joint.tidy())
    pd.testing.assert_frame_equal(within.glance(), joint.glance())
    assert repr(within) == repr(joint) and within._repr_html_() == joint._repr_html_()
    assert np.array_equal(within.se, joint.se) and np.array_equal(within.deff, joint.deff)


def test_contrasts_within_one_group(many):
    joint, within = many
    matrix = np.zeros((2, 92))
    matrix[0, [8, 9]], matrix[1, [9, 10, 11]] = (1, -1), (1, -0.5, -0.5)
    expected, found = (x.contrast(matrix, ["a − b", "b − rest"]) for x in (joint, within))
    assert isinstance(found.vcov, np.ndarray)
    assert np.allclose(found.vcov, expected.vcov, rtol=1e-13)
    pd.testing.assert_frame_equal(found.tidy(), expected.tidy())


def test_contrasts_within_each_group(many):
    joint, within = many
    matrix = np.kron(np.eye(23), [[1, -1, 0, 0], [0, 0, 1, -1]])
    expected, found = (x.contrast(matrix, ["a − b", "c − d"] * 23) for x in (joint, within))
    assert np.allclose(found.vcov.blocks, blocks_of(expected.vcov, 2), rtol=1e-13)
    pd.testing.assert_frame_equal(found.tidy(), expected.tidy())


def test_contrasts_leave_out_what_is_not_known(many):
    _, within = many
    lost = replace(within, vcov=blanked(within.vcov, np.arange(92) == 1))
    matrix = np.zeros((2, 92))
    matrix[0, [0, 1]], matrix[1, [0, 2]] = (1, -1), (1, -1)
    found = lost.contrast(matrix, ["a − b", "a − c"])
    assert np.isnan(found.se[0]) and found.se[1] > 0


@pytest.mark.parametrize(
    "use",
    [
        np.diag,
        np.asarray,
        lambda v: v[0, 5],
        lambda v: v[np.ix_([0, 1], [0, 1])],
        lambda v: np.ones((1, 92)) @ v,
        lambda v: np.ones(92) * v,
        np.isfinite,
        np.linalg.eigh,
    ],
    ids=["diag", "array", "entry", "block", "product", "scaled", "finite", "eigen"],
)
def test_what_is_not_kept_is_said_in_words(many, use):
    with pytest.raises(csat.CsatError, match=r"covariances between them, and these are not kept for 23 groups × 4 "):
        use(many[1].vcov)


def test_comparisons_of_groups_say_what_to_do(many):
    _, within = many
    across = np.zeros((1, 92))
    across[0, [0, 4]] = 1, -1
    few = replace(within, keys={"centre": ("x", "y") * 46})
    for use in (
        lambda: within.contrast(across, ["first − second"]),
        lambda: csat.shrink(within, "a"),
        lambda: csat.letters(few, "centre"),
        lambda: within.joint,
    ):
        with pytest.raises(csat.CsatError, match=r"take fewer groups at a time, e\.g\. survey\.where\(column=\[…\]\)"):
            use()


def test_contrasts_of_several_groups_come_in_order(many):
    _, within = many
    matrix = np.zeros((3, 92))
    matrix[[0, 1, 2], [0, 4, 5]] = 1
    with pytest.raises(csat.CsatError, match="listed group by group"):
        within.contrast(matrix, ["x", "y", "z"])


def test_scaled_figures(many):
    joint, within = many
    factor = np.linspace(1, 2, 92)
    assert np.allclose(variances(scaled(within.vcov, factor)), np.diag(joint.vcov) * factor**2, rtol=1e-14)
    assert np.allclose(
        scaled(within.vcov, factor).blocks, blocks_of(scaled(joint.vcov, factor), 4), rtol=1e-14, atol=1e-16
    )


# --- single functions ------------------------------------------------------------------------------------------------

FUNCTIONS = {
    "mean": lambda s: csat.mean(s, ["a", "b"], by="centre"),
    "share": lambda s: csat.share(s, "a", by="centre"),
    "box": lambda s: csat.box(s, "b", by="centre", levels=[9, 10]),
    "nps": lambda s: csat.nps(s, "c", by="centre"),
    "total": lambda s: csat.total(s, ["a", "d"], by="centre"),
    "ratio": lambda s: csat.ratio(s, "a", "b", by="centre"),
    "var": lambda s: csat.var(s, ["a", "b"], by="centre"),
    "sd": lambda s: csat.sd(s, ["a", "b"], by="centre"),
    "quantile": lambda s: csat.quantile(s, "a", [0.25, 0.5], by="centre"),
}


@pytest.mark.parametrize(
    "design", ["strata", "units with fpc", "two stages", "bootstrap of units", "bootstrap of rows"]
)
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_functions_of_many_groups(frame, function, design, monkeypatch):
    """The reduction has its own limit; it is passed by a source that answers with sums made before."""
    source = Remembered(csat.read_survey(frame, design=DESIGNS[design]))
    joint = function(source)
    monkeypatch.setattr(guards, "MOST_FIGURES", 20)
    monkeypatch.setattr("csat.variance.blocks.WORK", 300)
    within = function(source)
    assert isinstance(within.vcov, WithinGroups)
    q = len(joint.term) // GROUPS
    expected = blocks_of(joint.vcov, q)
    assert np.allclose(
        within.vcov.blocks, expected, rtol=1e-11, atol=1e-12 * np.nanmax(np.abs(expected)), equal_nan=True
    )
    columns = ["n_eff", "se", "low", "high", "p", "statistic"]
    left, right = within.tidy(), joint.tidy()
    assert np.allclose(left[columns], right[columns], rtol=1e-10, atol=1e-12, equal_nan=True)
    pd.testing.assert_frame_equal(left.drop(columns=columns), right.drop(columns=columns))


class Remembered:
    """A survey whose summaries are made once."""

    def __init__(self, survey):
        self.survey, self.made = survey, {}

    def __getattr__(self, name):
        return getattr(self.survey, name)

    def groups(self, names, by=(), rule="available"):
        key = (str(names), str(by), rule)
        if key not in self.made:
            self.made[key] = self.survey.groups(names, by, rule)
        return self.made[key]


# --- only totals of the cells ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", ["units", "units with fpc", "jackknife of units"])
@pytest.mark.parametrize("limit", [20, 80, 5000], ids=["blocks", "joint root", "joint"])
def test_totals_of_cells_are_enough(frame, design, limit, monkeypatch):
    """Where there are units, only totals of cells are kept, and nothing changes."""
    survey = csat.read_survey(frame, design=DESIGNS[design])
    monkeypatch.setattr(guards, "MOST_FIGURES", limit)
    matrix = NODES if limit != 80 else NODES[-1:]
    full = survey.groups(list(ITEMS), ["centre"])
    expected, usual = combined_means(full, matrix)
    groups, found, lean = estimated_means(survey, list(ITEMS), ["centre"], matrix)
    assert groups.gram.shape == (len(full.gram), 1, 9)
    assert np.allclose(groups.gram[:, 0], full.gram[:, 0], rtol=1e-13)
    assert groups.names == full.names and groups.variables == full.variables
    assert groups.domains == full.domains and groups.psus == full.psus
    assert np.array_equal(found.n, expected.n) and np.array_equal(found.df, expected.df)
    for mine, theirs in zip(everything(lean), everything(usual), strict=True):
        assert np.allclose(mine, theirs, rtol=1e-11, atol=1e-12, equal_nan=True)


def everything(found):
    vcov = found.vcov.blocks if isinstance(found.vcov, WithinGroups) else found.vcov
    return found.estimate, vcov, found.n, found.n_eff, found.df


@pytest.mark.parametrize("design", ["strata", "two stages", "bootstrap of rows"])
def test_products_are_kept_where_they_are_needed(frame, design, monkeypatch):
    monkeypatch.setattr(guards, "MOST_FIGURES", 20)
    survey = csat.read_survey(frame, design=DESIGNS[design])
    groups = estimated_means(survey, list(ITEMS), ["centre"], np.eye(4))[0]
    assert groups.gram.shape[1:] == (9, 9)


def test_tests_between_too_many_groups_are_refused(frame, monkeypatch):
    survey = csat.read_survey(frame, design=DESIGNS["units in strata"])
    monkeypatch.setattr(guards, "MOST_FIGURES", 20)
    for use in (
        lambda: csat.difference(survey, "a", by="centre"),
        lambda: csat.ranktest(survey, "a", by="centre"),
        lambda: csat.crosstab(survey, "centre", "a"),
    ):
        with pytest.raises(csat.CsatError, match="are more than the 20 that can be estimated together"):
            use()


TREE = """
[study]
name = "tree"
index = "all"
[scales.ten]
low = 1
high = 10
[dimensions.one]
children = ["a", "b"]
[dimensions.two]
children = ["c", "d"]
[dimensions.all]
children = ["one", "two"]
""" + "".join(f'[items.{item}]\nscale = "ten"\n' for item in ITEMS)


def test_contributions_within_groups(frame, monkeypatch, study):
    asked = study(TREE)
    survey = csat.read_survey(frame, asked, design=DESIGNS["units in strata"])
    joint = csat.contributions(csat.index(survey, by="centre").estimates, asked)
    monkeypatch.setattr(guards, "MOST_FIGURES", 20)
    figures = csat.index(survey, by="centre").estimates
    within = csat.contributions(figures, asked)
    assert np.allclose(within.vcov.blocks, blocks_of(joint.vcov, 4), rtol=1e-11, atol=1e-13)
    monkeypatch.setattr(import_module("csat.comparisons.contributions"), "MOST_ENTRIES", 10_000)
    with pytest.raises(csat.CsatError, match="of 4 items in 23 groups are too many to be split at once: take fewer"):
        csat.contributions(figures, asked)


def test_the_index_of_many_groups(frame, monkeypatch, study):
    """The whole way, through the tree: bases, standard deviations and errors as ever."""
    survey = csat.read_survey(frame, study(TREE), design=DESIGNS["units in strata"])
    joint = csat.index(survey, by="centre")
    monkeypatch.setattr(guards, "MOST_FIGURES", 20)
    within = csat.index(survey, by="centre")
    assert isinstance(within.estimates.vcov, WithinGroups)
    left, right = within.tidy(), joint.tidy()
    numbers = left.select_dtypes("number").columns
    assert np.allclose(left[numbers], right[numbers], rtol=1e-10, atol=1e-12, equal_nan=True)
    pd.testing.assert_frame_equal(left.drop(columns=numbers), right.drop(columns=numbers))
    root = csat.index(survey, by="centre", nodes=["all"]).estimates
    assert isinstance(root.vcov, WithinGroups)
    monkeypatch.setattr(guards, "MOST_FIGURES", GROUPS)
    assert np.allclose(csat.index(survey, by="centre", nodes=["all"]).estimates.joint.diagonal(), variances(root.vcov))
