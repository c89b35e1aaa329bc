"""Constructs made of constructs and products of constructs: estimators on rows, laws, agreement, words of errors."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.composites.notes import NoEstimatesWarning
from csat.design import Design, Replication
from csat.errors import CollinearityError, ModelError, OptionError, SampleError

A, B, C, D = ["a1", "a2", "a3"], ["b1", "b2"], ["c1", "c2"], ["d1", "d2"]
ITEMS = [*A, *B, *C, *D]
BLOCKS = "\n".join(f"{name} =~ {' + '.join(items)}" for name, items in zip("abcd", (A, B, C, D), strict=True))
PRODUCT = f"{BLOCKS}\nc ~ a + b + a:b\nd ~ c"
WHOLE = f"{BLOCKS}\nservice <~ a + b\nc ~ service\nd ~ service + c"
HOW = ("two-stage", "product-indicator", "orthogonal")


def answers(n=240, seed=7, effect=-0.3):
    """Two blocks whose product has an effect, weights, halls in strata, and two brands."""
    rng = np.random.default_rng(seed)
    hall = rng.integers(20, size=n)
    a = rng.normal(size=n) + 0.5 * rng.normal(size=20)[hall]
    b = 0.5 * a + 0.8 * rng.normal(size=n)
    c = 0.4 * a + 0.3 * b + effect * a * b + 0.6 * rng.normal(size=n)
    d = 0.6 * c + 0.7 * rng.normal(size=n)
    columns = {
        item: np.round(6 + 1.5 * ((0.9 - 0.1 * i) * construct + 0.5 * rng.normal(size=n)))
        for construct, items in ((a, A), (b, B), (c, C), (d, D))
        for i, item in enumerate(items)
    }
    return pd.DataFrame(columns).assign(
        w=rng.uniform(0.5, 2.0, n),
        hall=hall.astype(str),
        stratum=np.where(hall < 10, "n", "s"),
        brand=np.array(["x", "y"])[rng.integers(2, size=n)],
    )


@pytest.fixture(scope="module")
def rows():
    return answers()


@pytest.fixture(scope="module")
def survey(rows):
    return csat.read_survey(rows, design=Design(weight="w"))


def standard(values, weight):
    centred = values - np.average(values, axis=0, weights=weight)
    return centred / np.sqrt(np.average(centred**2, axis=0, weights=weight))


def figures(result, kind="path"):
    found = result.tidy().query("kind == @kind")
    return {(lhs, rhs): value for lhs, rhs, value in zip(found["lhs"], found["rhs"], found["estimate"], strict=True)}


def plain(rows, extra, model, **options):
    """A model of plain blocks, some of whose items are further columns."""
    survey = csat.read_survey(rows.assign(**extra), design=Design(weight="w"))
    return csat.pls(survey, model, replicates=50, **options)


# --- products -------------------------------------------------------------------------------------------------------


def products_on_rows(rows, how):
    """What measures the product, respondent by respondent."""
    weight = rows["w"].to_numpy()
    z = pd.DataFrame(standard(rows[ITEMS].to_numpy(), weight), columns=ITEMS)
    if how == "two-stage":
        first = plain(rows, {}, f"{BLOCKS}\nc ~ a + b\nd ~ c")
        scores = first.scores(csat.read_survey(rows, design=Design(weight="w"))).scores
        return {"p1": scores["a"].to_numpy() * scores["b"].to_numpy()}
    found = {f"p{i}": (z[a] * z[b]).to_numpy() for i, (a, b) in enumerate((a, b) for a in A for b in B)}
    if how == "orthogonal":
        root = np.sqrt(weight)[:, None]
        x = np.column_stack([np.ones(len(z)), z[[*A, *B]]])
        for name, y in found.items():
            found[name] = y - x @ np.linalg.lstsq(x * root, y * root[:, 0], rcond=None)[0]
    return found


@pytest.mark.parametrize("how", HOW)
def test_products_are_those_of_rows(rows, survey, how):
    extra = products_on_rows(rows, how)
    wanted = plain(rows, extra, f"{BLOCKS}\np =~ {' + '.join(extra)}\nc ~ a + b + p\nd ~ c")
    found = csat.pls(survey, PRODUCT, interaction=how, replicates=50)
    by, at = wanted.blocks, found.blocks
    assert_allclose(
        found.solution.r2[0, list(at.constructs).index("c")], wanted.solution.r2[0, list(by.constructs).index("c")]
    )
    ours, theirs = figures(found), figures(wanted)
    load = np.abs([value for (lhs, _), value in figures(wanted, "loading").items() if lhs == "p"])
    weight, n = rows["w"].to_numpy(), len(rows)
    sd = [np.sqrt(np.average((x - np.average(x, weights=weight)) ** 2, weights=weight)) for x in extra.values()]
    unit = np.average(sd, weights=load) * np.sqrt(1 - 1 / n)
    assert_allclose(ours.pop(("c", "a:b")), theirs.pop(("c", "p")) / unit)
    assert_allclose(list(ours.values()), list(theirs.values()))


@pytest.mark.parametrize("how", HOW)
def test_replicates_of_products_are_refits(rows, how):
    """Each replicate does all stages again."""
    some = rows.head(40)
    found = csat.pls(csat.read_survey(some, design=Design()), PRODUCT, interaction=how, se="jackknife")
    keys = list(found.layout.keys)
    for left in (0, 17, 39):
        again = csat.pls(
            csat.read_survey(some.drop(index=left), design=Design()), PRODUCT, interaction=how, replicates=50
        )
        at = [i for i, key in enumerate(keys) if key[0] in ("path", "weight", "r2")]
        ours, theirs = found.draws.figures[left, 0, at], again.estimates.estimate[at]
        product = np.array([keys[i] == ("path", "c", "a:b") for i in at])
        # The unit of a product has the divisor n − 1 of the whole sample in all replicates.
        theirs = np.where(product, theirs * np.sqrt((38 / 39) / (39 / 40)), theirs)
        assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)


def test_a_known_interaction_is_found():
    """Scores without error: the coefficients of the population."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 20000))
    y = 0.5 * a + 0.3 * b - 0.2 * a * b + 0.4 * rng.normal(size=20000)
    survey = csat.read_survey(pd.DataFrame({"a": a, "b": b, "y": y}), design=Design())
    found = csat.pls(survey, "y ~ a + b + a:b", replicates=50)
    assert_allclose(np.array(list(figures(found).values())) * y.std(), [0.5, 0.3, -0.2], atol=0.01)


def test_slopes_are_derivatives_with_their_errors(rows, survey):
    found = csat.pls(survey, PRODUCT, replicates=200)
    slopes = csat.pls_slopes(found, at=(-1, 0, 1))
    path = figures(found)
    assert_allclose(slopes.estimates.estimate, [path["c", "a"] + m * path["c", "a:b"] for m in (-1, 0, 1)])
    draws = found.draws.figures[:, 0]
    keys = list(found.layout.keys)
    drawn = draws[:, [keys.index(("path", "c", "a"))]] + np.outer(
        draws[:, keys.index(("path", "c", "a:b"))], [-1.0, 0.0, 1.0]
    )
    assert_allclose(slopes.estimates.se, drawn.std(axis=0, ddof=1), rtol=1e-2)
    low, high = slopes.estimates.interval
    assert_allclose([low, high], np.quantile(drawn, [0.025, 0.975], axis=0), rtol=0.05)
    lines = slopes.lines((0.0, 1.0))
    assert_allclose(lines["y"][3:].to_numpy() - lines["y"][:3].to_numpy(), slopes.estimates.estimate)
    assert_allclose(lines["y"][:3], np.array([-1, 0, 1]) * path["c", "b"])
    turned = csat.pls_slopes(found, of="b", at=[0, 2])
    assert turned.moderator == "a"
    assert_allclose(turned.estimates.estimate, [path["c", "b"], path["c", "b"] + 2 * path["c", "a:b"]])
    assert list(slopes.tidy().columns[:5]) == ["outcome", "of", "moderator", "at", "estimate"]
    assert slopes.glance().loc[0, "product"] == "a:b"


def test_slopes_of_groups_and_without_rows_of_draws(rows):
    survey = csat.read_survey(rows, design=Design())
    found = csat.pls(survey, PRODUCT, by="brand", replicates=60, interval="bca")
    slopes = csat.pls_slopes(found)
    assert slopes.estimates.keys["brand"] == ("x",) * 3 + ("y",) * 3
    for label in "xy":
        alone = csat.pls(csat.read_survey(rows[rows["brand"] == label], design=Design()), PRODUCT, replicates=50)
        part = [i for i, each in enumerate(slopes.estimates.keys["brand"]) if each == label]
        assert_allclose(slopes.estimates.estimate[part], csat.pls_slopes(alone).estimates.estimate)
    jackknife = csat.pls(csat.read_survey(rows, design=Design()), PRODUCT, se="jackknife")
    assert np.isfinite(csat.pls_slopes(jackknife).estimates.se).all()


def test_clusters_count_in_products(rows):
    design = Design(weight="w", psu="hall", stratum="stratum")
    found = csat.pls(csat.read_survey(rows, design=design), PRODUCT, replicates=100)
    assert "sampling units" in found.estimates.provenance.variance
    declared = Design(weight="w", psu="hall", stratum="stratum", replication=Replication("JKn"))
    again = csat.pls(csat.read_survey(rows, design=declared), PRODUCT)
    assert_allclose(again.estimates.estimate, found.estimates.estimate)
    assert np.isfinite(again.select("path").se).all()


# --- constructs made of constructs ----------------------------------------------------------------------------------


def test_two_stages_are_those_of_rows(rows, survey):
    first = plain(rows, {}, f"{BLOCKS}\nc ~ a + b\nd ~ a + b + c")
    scores = first.scores(survey).scores
    extra = {"s1": scores["a"].to_numpy(), "s2": scores["b"].to_numpy()}
    measured = "\n".join(BLOCKS.split("\n")[2:])
    wanted = plain(rows, extra, f"service <~ s1 + s2\n{measured}\nc ~ service\nd ~ service + c")
    found = csat.pls(survey, WHOLE, replicates=50)
    for kind in ("path", "total"):
        ours, theirs = figures(found, kind), figures(wanted, kind)
        assert_allclose([ours[key] for key in theirs], list(theirs.values()))
    ours = figures(found, "weight")
    assert_allclose(
        [ours["service", "a"], ours["service", "b"]], [figures(wanted, "weight")["service", s] for s in extra]
    )
    for item in A:
        assert_allclose(ours["a", item], figures(first, "weight")["a", item])
    assert list(found.constructs()["construct"]) == ["c", "d", "service", "a", "b"]
    assert found.constructs()["items"].tolist() == [2, 2, 2, 3, 2]


def test_embedded_stages_are_those_of_rows(rows, survey):
    """First with repeated items, then with nothing but composites."""
    twice = {f"{item}_": rows[item] for item in (*A, *B)}
    repeated = f"{BLOCKS}\nservice <~ {' + '.join(twice)}\nservice ~ a + b\nc ~ service\nd ~ service + c"
    first = plain(rows, twice, repeated)
    scores = first.scores(csat.read_survey(rows.assign(**twice), design=Design(weight="w"))).scores
    extra = {f"s{name}": scores[name].to_numpy() for name in "abcd"}
    wanted = plain(rows, extra, "service <~ sa + sb\nsc ~ service\nsd ~ service + sc")
    found = csat.pls(survey, WHOLE, second_order="embedded", replicates=50, limits=(-5, 20))
    ours, theirs = figures(found), figures(wanted)
    assert_allclose([ours["c", "service"], ours["d", "service"], ours["d", "c"]],
                    [theirs["sc", "service"], theirs["sd", "service"], theirs["sd", "sc"]])  # fmt: skip
    weights = figures(found, "weight")
    assert_allclose([weights["c", item] for item in C], [figures(first, "weight")["c", item] for item in C])
    table = found.constructs().set_index("construct")
    assert table["items"].to_dict() == {"c": 2, "d": 2, "service": 2, "a": 3, "b": 2}
    assert_allclose(table.loc["c", "ave"], first.constructs().set_index("construct").loc["c", "ave"])
    assert table["performance"].notna().all()
    explained = csat.pls(survey, f"{BLOCKS}\nservice <~ a + b\nservice ~ d\nc ~ service", second_order="embedded")
    assert abs(figures(explained)["service", "d"]) > 0.2


def test_observed_variables_beside_a_whole(rows, survey):
    """What is not measured is an item and a construct in both stages, and listed once."""
    found = csat.pls(survey, f"{BLOCKS}\nservice <~ a + b\nc ~ service + d1\nd2 ~ c".replace("\nd =~ d1 + d2", ""))
    assert len(set(found.layout.keys)) == len(found.layout.keys)
    assert found.constructs()["construct"].is_unique
    assert figures(found, "weight")["d1", "d1"] == 1.0


def test_names_between_backticks(rows, survey):
    """Columns of any name; one with a colon is no product."""
    odd = csat.read_survey(rows.rename(columns={"a1": "Q1: price", "b1": "Q2-1"}), design=Design(weight="w"))
    for model in (WHOLE, PRODUCT):
        text = model.replace("a1", "`Q1: price`").replace("b1", "`Q2-1`")
        found = csat.pls(odd, text, interaction="product-indicator", replicates=50)
        wanted = csat.pls(survey, model, interaction="product-indicator", replicates=50)
        assert_allclose(found.estimates.estimate, wanted.estimates.estimate)


def test_replicates_do_both_stages_again(rows):
    some = rows.head(40)
    found = csat.pls(csat.read_survey(some, design=Design()), WHOLE, se="jackknife", limits=(-5, 20))
    for left in (3, 20):
        again = csat.pls(
            csat.read_survey(some.drop(index=left), design=Design()), WHOLE, replicates=50, limits=(-5, 20)
        )
        known = np.array([key[0] != "adj_r2" for key in found.layout.keys])
        assert_allclose(found.draws.figures[left, 0, known], again.estimates.estimate[known], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("how", ["two-stage", "embedded"])
def test_scores_of_both_stages(rows, how):
    """Standardized, correlated as the paths say, on 0–100 with the performance as their mean; group by group."""
    survey = csat.read_survey(rows, design=Design(weight="w"))
    found = csat.pls(survey, WHOLE, second_order=how, by="brand", replicates=50, limits=(-5, 20))
    scores, table = found.scores(survey), found.constructs().set_index(["brand", "construct"])
    points = found.scores(survey, unit="points").scores
    assert set(scores.scores.columns) == {"service", "a", "b", "c", "d"}
    for label in "xy":
        mine = (scores.groups == label).to_numpy()
        weight = rows["w"].to_numpy()[mine]
        z = scores.scores[mine]
        assert_allclose(z, standard(z.to_numpy(), weight), atol=1e-9)
        part = found.tidy().query("brand == @label").set_index(["kind", "lhs", "rhs"])["estimate"]
        assert_allclose(np.average(z["c"] * z["service"], weights=weight), part["path", "c", "service"])
        assert_allclose(np.average(z["a"] * z["service"], weights=weight), part["loading", "service", "a"])
        for name in z.columns:
            assert_allclose(np.average(points[mine][name], weights=weight), table.loc[(label, name), "performance"])


def test_scores_beside_a_product(rows, survey):
    """With two stages the product of scores has the effect that the model says."""
    found = csat.pls(survey, PRODUCT, replicates=50)
    scores = found.scores(survey).scores
    assert list(scores.columns) == ["a", "b", "c", "d"]
    weight = rows["w"].to_numpy()
    first = plain(rows, {}, f"{BLOCKS}\nc ~ a + b\nd ~ c").scores(survey).scores
    x = np.column_stack([np.ones(len(rows)), scores[["a", "b"]], first["a"] * first["b"] * (1 - 1 / len(rows))])
    root = np.sqrt(weight)
    slopes = np.linalg.lstsq(x * root[:, None], scores["c"] * root, rcond=None)[0]
    path, n = figures(found), len(rows)
    assert_allclose(slopes[1:3], [path["c", "a"], path["c", "b"]])
    assert_allclose(slopes[3] * np.sqrt((n - 1) / n), path["c", "a:b"])


def test_performance_of_a_whole_is_that_of_its_parts(survey):
    found = csat.pls(survey, WHOLE, replicates=50, limits=(-5, 20)).constructs().set_index("construct")
    parts, whole = found.loc[["a", "b"], "performance"], found.loc["service", "performance"]
    assert parts.min() < whole < parts.max()
    assert csat.pls(survey, WHOLE, replicates=50).constructs()["performance"].isna().all()
    plain_one = csat.pls(survey, f"{BLOCKS}\nc ~ a + b\nd ~ a + b + c", replicates=50, limits=(-5, 20))
    assert_allclose(parts, plain_one.constructs().set_index("construct").loc[["a", "b"], "performance"])


@pytest.mark.parametrize("sign", ["<~", "=~"])
def test_repeated_indicators_are_repeated_columns(rows, survey, sign):
    """As if the items of the parts had been asked twice."""
    twice = {f"{item}_": rows[item] for item in (*A, *B)}
    links = "service ~ a + b" if sign == "<~" else "a ~ service\nb ~ service"
    model = f"{BLOCKS}\nservice {sign} {' + '.join(twice)}\n{links}\nc ~ service\nd ~ service + c"
    wanted = plain(rows, twice, model)
    found = csat.pls(survey, WHOLE.replace("<~", sign), second_order="repeated", replicates=50)
    ours, theirs = figures(found), figures(wanted)
    assert set(ours) == set(theirs)
    assert_allclose([ours[key] for key in theirs], list(theirs.values()), atol=1e-8)
    r2 = dict(zip(found.select("r2").keys["lhs"], found.select("r2").estimate, strict=True))
    if sign == "<~":
        assert 0.999 < r2["service"] < 1.0
    else:
        assert r2["a"] < 1


def test_modes_of_both_stages(survey):
    found = csat.pls(survey, WHOLE, modes={"a": "B", "service": "unit", "c": "B"}, replicates=50).constructs()
    assert dict(zip(found["construct"], found["mode"], strict=True)) == {
        "service": "unit", "c": "B", "d": "A", "a": "B", "b": "A",
    }  # fmt: skip


def test_a_group_without_both_stages_has_a_reason(rows):
    some = rows.assign(a2=np.where(rows["brand"] == "y", 4.0, rows["a2"]))
    for model in (WHOLE, PRODUCT):
        with pytest.warns(NoEstimatesWarning, match="Group 'y' has no estimates: No variation in 'a2'"):
            found = csat.pls(csat.read_survey(some, design=Design()), model, by="brand", replicates=50)
        part = found.tidy().query("brand == 'y'")
        assert part["estimate"].isna().all()
        assert found.tidy().query("brand == 'x'")["estimate"].notna().all()


# --- wrong input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (f"{BLOCKS}\nservice <~ a + b1\nc ~ service", "'service' is made of the construct 'a' and of the item 'b1'"),
        (f"{BLOCKS}\nu <~ a + b\nv <~ u + c\nd ~ v", "'v' is made of 'u', which is made of constructs itself"),
        (f"{BLOCKS}\nu <~ a + b\nv <~ a + c\nd ~ v + u", "'a' is a part of 'u' already"),
        (f"{WHOLE}\nd ~ a", "'a' is a part of 'service' and stands in a path as well"),
        (f"{BLOCKS}\nc ~ a + a:b", r"the effect of 'a:b' needs those of its parts: write 'c ~ a \+ b \+ a:b'"),
        (f"{BLOCKS}\nc ~ a + b + a:b:d", "a product is of two different constructs"),
        (f"{BLOCKS}\nc ~ a + a:a", "a product is of two different constructs"),
        (f"{BLOCKS}\nc ~ a + b + a:b\nd ~ a + b + b:a", "'b:a' is 'a:b'; write it one way"),
        (f"{BLOCKS}\na:b ~ c", "the product 'a:b' is explained; a product only explains"),
        (f"{WHOLE}\nd ~ service:c", "the product 'service:c' stands in a model with 'service'"),
    ],
)
def test_words_of_models(survey, model, message):
    with pytest.raises(ModelError, match=message):
        csat.pls(survey, model, replicates=50)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (
            WHOLE,
            {"second_order": "three"},
            "second_order='three' is not known; choose one of 'two-stage', 'embedded', 'repeated'",
        ),
        (PRODUCT, {"interaction": "latent"}, "interaction='latent' is not known; choose one of 'two-stage', 'product"),
        (WHOLE, {"consistent": True}, "the correction for attenuation is not available with constructs made of"),
        (PRODUCT, {"scaled": False}, "a model with products of constructs is estimated from standardized items"),
        (WHOLE, {"modes": {"servic": "B"}}, "modes='servic' is not known"),
        (PRODUCT, {"modes": {"a": "C"}}, r"modes\['a'\]='C' is not known"),
        (WHOLE, {"modes": "B"}, "modes is a table"),
    ],
)
def test_words_of_options(survey, model, options, message):
    with pytest.raises(OptionError, match=message):
        csat.pls(survey, model, replicates=50, **options)


def test_words_of_what_has_no_effect_when_items_are_repeated(survey):
    model = f"{BLOCKS}\nservice <~ a + b\nservice ~ d\nc ~ service"
    with pytest.raises(ModelError, match=r"'d' would have no effect\. Use second_order='two-stage'"):
        csat.pls(survey, model, second_order="repeated")


def test_words_of_samples(rows, survey):
    cov = rows[ITEMS].cov()
    with pytest.raises(SampleError, match="A model with products of constructs needs the respondents' rows"):
        csat.pls(csat.from_covariance(cov, n=240), PRODUCT)
    constant = csat.read_survey(rows.assign(a1=5.0), design=Design())
    for model in (WHOLE, PRODUCT):
        with pytest.raises(SampleError, match="a1"):
            csat.pls(constant, model)
    same = csat.read_survey(rows.assign(b1=rows["a1"], b2=rows["a2"], a3=rows["a1"]), design=Design())
    with pytest.raises(CollinearityError):
        csat.pls(same, f"a =~ a1\nb =~ b1\n{BLOCKS.splitlines()[2]}\nc ~ a + b + a:b")


def test_words_of_slopes(survey):
    found = csat.pls(survey, PRODUCT, replicates=50)
    with pytest.raises(OptionError, match="product='a:c' is not known; choose one of 'a:b'"):
        csat.pls_slopes(found, "a:c")
    with pytest.raises(OptionError, match="choose one of 'a', 'b'"):
        csat.pls_slopes(found, of="c")
    for wrong in ((1, 1), (), "1", ("x",), 3, (np.nan,)):
        with pytest.raises(OptionError, match="values of the moderator are distinct numbers"):
            csat.pls_slopes(found, at=wrong)
    with pytest.raises(OptionError, match="found a model without one"):
        csat.pls_slopes(csat.pls(survey, WHOLE, replicates=50))
