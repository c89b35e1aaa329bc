"""`csat.efa` and `csat.number_of_factors`: laws, recovery, and errors in words; figures of others are in oracle/."""

import warnings

import numpy as np
import pandas as pd
import pytest

import csat
from csat.errors import (
    CollinearityError,
    DesignIgnoredWarning,
    ModelError,
    OptionError,
    SampleError,
    UnknownColumnError,
)
from csat.structural.engine.checks import check_sample
from csat.structural.exploratory.efa import efa
from csat.structural.exploratory.extraction import _likelihood, _residuals
from csat.structural.exploratory.factor_fit import degrees_of_freedom
from csat.structural.exploratory.loading_errors import loading_errors, spread_of
from csat.structural.exploratory.rotation import ROTATIONS, _Search, _starts, quartimin_criterion, varimax_criterion
from csat.structural.exploratory.suitability import (
    SamplingAdequacyWarning,
    average_partials,
    number_of_factors,
    random_eigenvalues,
    suitability,
)

ITEMS = [f"q{i}" for i in range(1, 10)]
SIMPLE = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6]]))


def correlations(loadings=SIMPLE, phi=0.3):
    between = np.full((loadings.shape[1],) * 2, phi) + (1 - phi) * np.eye(loadings.shape[1])
    corr = loadings @ between @ loadings.T
    np.fill_diagonal(corr, 1.0)
    return pd.DataFrame(corr, ITEMS[: len(corr)], ITEMS[: len(corr)])


def source(corr=None, n=400):
    return csat.from_covariance(correlations() if corr is None else corr, n)


@pytest.mark.parametrize("method", ["ml", "minres"])
@pytest.mark.parametrize(("rotation", "phi"), [("oblimin", 0.3), ("varimax", 0.0)])
def test_a_simple_structure_is_recovered(method, rotation, phi):
    found = efa(source(correlations(phi=phi)), ITEMS, 3, method=method, rotation=rotation)
    assert sorted(found.tidy()["main"].value_counts()) == [3, 3, 3]
    np.testing.assert_allclose(np.sort(np.abs(found.pattern).max(axis=1)), np.sort(SIMPLE.max(axis=1)), atol=1e-6)
    off = found.correlations[np.triu_indices(3, 1)]
    np.testing.assert_allclose(off, phi, atol=1e-6)
    assert found.rmsr < 1e-9


def test_the_population_fits_exactly():
    found = efa(source(), ITEMS, 3)
    glance = found.glance().iloc[0]
    assert glance["chisq"] == pytest.approx(0, abs=1e-9)
    assert glance["p"] == pytest.approx(1)
    assert (glance["rmsea"], glance["rmsea_low"]) == (0, 0)
    assert glance["df"] == 12
    assert glance["tli"] > 1  # better than the degrees of freedom ask


@pytest.fixture
def sample(rng):
    return pd.DataFrame(rng.multivariate_normal(np.zeros(9), correlations(), 300), columns=ITEMS)


@pytest.mark.parametrize("rotation", [None, *ROTATIONS])
@pytest.mark.parametrize("method", ["ml", "minres", "pca"])
def test_rotation_does_not_change_what_is_explained(sample, method, rotation):
    survey = csat.read_survey(sample)
    plain, turned = (efa(survey, ITEMS, 3, method=method, rotation=r) for r in (None, rotation))
    np.testing.assert_allclose(turned.communality, plain.communality, atol=1e-9)
    np.testing.assert_allclose(turned.residuals, plain.residuals, atol=1e-9)
    assert turned.variance["squares"].sum() == pytest.approx(plain.communality.sum())
    np.testing.assert_allclose(np.diag(turned.correlations), 1.0, atol=1e-12)
    assert (np.diff(turned.variance["squares"]) <= 1e-12).all()
    assert (turned.pattern.sum(axis=0) > 0).all()


def test_the_unit_and_direction_of_an_item_only_turn_its_loadings(sample):
    survey = csat.read_survey(sample)
    other = csat.read_survey(sample.assign(q2=100 - 7 * sample["q2"]))
    one, two = efa(survey, ITEMS, 3), efa(other, ITEMS, 3)
    np.testing.assert_allclose(np.abs(two.loadings.loc["q2"]), np.abs(one.loadings.loc["q2"]), atol=1e-6)
    assert two.test.chisq == pytest.approx(one.test.chisq, rel=1e-9)


def test_the_order_of_items_does_not_matter(sample):
    survey = csat.read_survey(sample)
    one, two = efa(survey, ITEMS, 3), efa(survey, ITEMS[::-1], 3)
    pd.testing.assert_frame_equal(two.loadings.loc[ITEMS], one.loadings, atol=1e-6)


@pytest.mark.parametrize("function", [_likelihood, _residuals])
def test_slopes_and_curvature_against_differences(sample, function):
    corr = sample.corr().to_numpy()
    x = np.linspace(0.3, 0.7, 9)
    x = np.log(x) if function is _likelihood else x
    _, slope, curvature = function(corr, 2, x)
    steps = 1e-6 * np.eye(9)
    values = [(function(corr, 2, x + s)[0] - function(corr, 2, x - s)[0]) / 2e-6 for s in steps]
    slopes = [(function(corr, 2, x + s)[1] - function(corr, 2, x - s)[1]) / 2e-6 for s in steps]
    np.testing.assert_allclose(slope, values, atol=1e-8)
    np.testing.assert_allclose(curvature, slopes, atol=1e-7)


@pytest.mark.parametrize("criterion", [varimax_criterion, quartimin_criterion])
def test_slopes_of_criteria_against_differences(rng, criterion):
    loadings = rng.uniform(-0.8, 0.8, (7, 3))
    _, slope = criterion(loadings)
    for i, j in ((0, 0), (3, 2), (6, 1)):
        step = np.zeros((7, 3))
        step[i, j] = 1e-6
        apart = (criterion(loadings + step)[0] - criterion(loadings - step)[0]) / 2e-6
        assert slope[i, j] == pytest.approx(apart, abs=1e-8)


@pytest.mark.parametrize("oblique", [True, False])
@pytest.mark.parametrize("m", [2, 4, 6])
def test_a_rotation_ends_where_nothing_is_steep(rng, oblique, m):
    loadings = rng.uniform(-0.5, 0.8, (4 * m, m)) * (rng.random((4 * m, m)) > 0.5)
    search = _Search(loadings, quartimin_criterion if oblique else varimax_criterion, oblique)
    name = "oblimin" if oblique else "varimax"
    turned = ROTATIONS[name](loadings)
    turn = np.linalg.inv(turned.matrix).T if oblique else turned.matrix
    if oblique:
        assert search.steepness(turn[None])[0] < 1e-7
    starts = search.at(_starts(m))[0]
    assert search.at(turn[None])[0][0] < starts.min() or not oblique
    np.testing.assert_allclose(loadings @ turned.matrix, turned.loadings, atol=1e-12)
    inner = np.linalg.inv(turned.matrix.T @ turned.matrix)
    np.testing.assert_allclose(inner, turned.correlations, atol=1e-9)


def test_one_factor_is_the_structural_model_of_one_construct(sample):
    """The same likelihood: F of csat.sem with one construct."""
    survey = csat.read_survey(sample)
    found = efa(survey, ITEMS, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = csat.sem(survey, "f =~ " + " + ".join(ITEMS))
    assert found.test.objective * 300 == pytest.approx(model.measures.chisq, rel=1e-9)
    assert found.test.df == model.measures.df
    std = model.tidy().query("op == '=~'")["std_all"].to_numpy()
    np.testing.assert_allclose(found.pattern[:, 0], std, atol=1e-6)


def test_components_reproduce_the_whole(sample):
    found = efa(csat.read_survey(sample), ITEMS, 9, method="pca", rotation=None)
    np.testing.assert_allclose(found.communality, 1.0)
    assert np.isnan(found.test.p)
    np.testing.assert_allclose(found.variance["squares"], np.linalg.eigvalsh(sample.corr())[::-1])


def test_the_suggested_model():
    found = efa(source(), ITEMS, 3)
    model = found.model(names=["one", "two", "three"])
    groups = {frozenset(model.indicators(name)) for name in model.latents}
    assert groups == {frozenset(ITEMS[i : i + 3]) for i in (0, 3, 6)}
    assert csat.sem(source(), model).measures.chisq == pytest.approx(0, abs=1e-6)
    assert "q3" not in found.model(cut=0.65).observed
    with pytest.raises(ModelError, match=r"No item loads 0\.95 or more on any factor"):
        found.model(cut=0.95)
    with pytest.raises(OptionError, match="cut is a loading between 0 and 1; found int 40"):
        found.model(cut=40)
    with pytest.raises(OptionError, match="3 names are needed, different from each other and from the items"):
        found.model(names=["one", "two", "q1"])


def test_the_table_is_sorted_by_factor_and_size():
    table = efa(source(), ITEMS, 3).tidy()
    assert list(table.columns) == [
        "term", "F1", "F2", "F3", "communality", "uniqueness", "complexity", "msa", "main",
    ]  # fmt: skip
    assert table["main"].is_monotonic_increasing
    assert table["complexity"].to_numpy() == pytest.approx(1.0, abs=1e-4)
    for factor, part in table.groupby("main"):
        assert part[factor].abs().is_monotonic_decreasing


def test_ordered_items_are_factored_by_their_latent_correlations(sample):
    answers = sample.apply(lambda column: pd.cut(column, [-9, -0.7, 0.2, 1.1, 9], labels=False)).astype(float)
    survey = csat.read_survey(answers)
    latent = csat.polychoric(survey, ITEMS)
    found = efa(csat.from_covariance(latent.matrix(), latent.sizes[0]), ITEMS, 3)
    assert efa(csat.from_covariance(latent.matrix(), latent.sizes[0]), factors=3).names == found.names
    assert sorted(found.tidy()["main"].value_counts()) == [3, 3, 3]


@pytest.fixture
def designed(sample):
    weighted = sample.assign(w=np.where(sample["q1"] > 0, 2.0, 1.0), u=np.arange(300) // 5)
    return csat.read_survey(weighted, design=csat.Design(weight="w", psu="u"))


def test_under_a_design_one_factor_is_the_robust_structural_model(designed, sample):
    found = efa(designed, ITEMS, 1)
    np.testing.assert_allclose(found.corr, _weighted(sample[ITEMS].to_numpy(), np.where(sample["q1"] > 0, 2.0, 1.0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = csat.sem(designed, "f =~ " + " + ".join(ITEMS), estimator="MLM", std_lv=True)
    loadings = standardized_errors(model)
    assert found.test.scaling == pytest.approx(model.glance().loc[0, "scaling"], rel=1e-8)
    assert found.test.scaling != pytest.approx(1, abs=1e-2)
    np.testing.assert_allclose(found.estimates.se, loadings, rtol=1e-5)
    plain = efa(csat.from_covariance(pd.DataFrame(found.corr, ITEMS, ITEMS), 300), ITEMS, 1)
    assert found.test.chisq * found.test.scaling == pytest.approx(plain.test.chisq, rel=1e-9)
    assert found.suitability.chisq < plain.suitability.chisq
    assert found.provenance.variance.startswith("sandwich; ")


def standardized_errors(model):
    """(p,) standard errors of std_all by differences: the delta method of csat.sem, apart from its own code."""
    from csat.structural.engine.values import table_jacobian

    slope = table_jacobian(model.layout, (), model.optimum.theta, "all")
    rows = [at for at, row in enumerate(model.layout.rows) if row.op == "=~"]
    return np.sqrt(np.diag(slope @ model.vcov @ slope.T))[rows]


def test_two_factors_are_a_structural_model_in_echelon(sample):
    """A factor analysis is a structural model with the last item of one factor fixed at 0."""
    six = ITEMS[:6]
    survey = csat.read_survey(sample)
    text = f"f =~ {' + '.join(six)}\ng =~ {' + '.join(six[:-1])}\nf ~~ 0*g"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = csat.sem(survey, text, estimator="MLM", std_lv=True)
    found = efa(survey, six, 2)
    spread = spread_of(survey, survey.groups(six, (), "listwise"))
    errors = loading_errors(found.pattern, found.correlations, 300, "ml", "oblimin", spread)
    assert found.test.objective * 300 == pytest.approx(model.measures.chisq, rel=1e-8)
    assert errors.scaling == pytest.approx(model.glance().loc[0, "scaling"], rel=1e-6)


@pytest.mark.parametrize("rotation", [None, "varimax", "oblimin"])
@pytest.mark.parametrize("method", ["ml", "minres"])
def test_errors_of_loadings_against_differences_of_the_whole_analysis(sample, method, rotation):
    """Every covariance is moved a little, factors are extracted and rotated anew: the delta method, end to end."""
    found = efa(csat.read_survey(sample), ITEMS, 2, method=method, rotation=rotation)
    implied = found.pattern @ found.correlations @ found.pattern.T
    np.fill_diagonal(implied, 1.0)

    def again(cov):
        moved = efa(csat.from_covariance(pd.DataFrame(cov, ITEMS, ITEMS), 300), ITEMS, 2, method=method,
                    rotation=rotation)  # fmt: skip
        return moved.estimates.estimate

    i, j = np.tril_indices(9)
    steps = np.zeros((45, 9, 9))
    steps[range(45), i, j] = steps[range(45), j, i] = 1e-5
    slope = np.array([(again(implied + step) - again(implied - step)) / 2e-5 for step in steps]).T
    gamma = implied[np.ix_(i, i)] * implied[np.ix_(j, j)] + implied[np.ix_(i, j)] * implied[np.ix_(j, i)]
    np.testing.assert_allclose(found.estimates.vcov, slope @ gamma @ slope.T / 300, atol=1e-8)


def test_what_has_no_standard_error_says_so(sample):
    survey = csat.read_survey(sample)
    for options in ({"method": "pca"}, {"rotation": "promax"}):
        found = efa(survey, ITEMS, 2, **options)
        assert np.isnan(found.errors).all(axis=None)
        assert set(found.estimates.tidy()["note"]) == {
            "no standard error: components, promax, or an item explained wholly"
        }


def test_estimates_are_named_by_item_and_factor(sample):
    table = efa(csat.read_survey(sample), ITEMS, 2, level=0.9).estimates.tidy().set_index("term")
    assert table.loc["F2 =~ q1", ["item", "factor"]].tolist() == ["q1", "F2"]
    assert table.loc["F1 ~~ F2", ["item", "factor"]].tolist() == ["F2", "F1"]
    row = table.loc["F1 =~ q9"]
    assert row["high"] - row["estimate"] == pytest.approx(1.6448536 * row["se"])
    uncorrelated = efa(csat.read_survey(sample), ITEMS, 2, rotation="varimax").estimates
    assert len(uncorrelated.term) == 18


def test_a_summary_cannot_tell_what_weights_do(designed):
    saved = csat.read_survey(designed.frame().drop(columns="u"), design=csat.Design(weight="w"))
    with pytest.warns(DesignIgnoredWarning, match="weights enter the correlations, but standard errors and tests"):
        found = efa(saved.groups(ITEMS, (), "listwise"), ITEMS, 2)
    assert found.notes[0].startswith("The sample has weights")
    assert found.test.scaling == 1
    with pytest.warns(DesignIgnoredWarning, match="but random eigenvalues and sphericity are those"):
        assert number_of_factors(saved.groups(ITEMS, (), "listwise"), ITEMS, draws=20).n_eff == 300


def test_weights_make_no_factors():
    """Uncorrelated items: without the design effect, 63 of 100 weighted samples seemed to have a factor."""
    rng = np.random.default_rng(21)
    found = []
    for _ in range(60):
        data = pd.DataFrame(rng.normal(size=(400, 8)), columns=list("abcdefgh")).assign(
            w=rng.choice([1.0, 1, 1, 8], 400)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SamplingAdequacyWarning)
            found.append(number_of_factors(csat.read_survey(data, design=csat.Design(weight="w")), list("abcdefgh")))
    # Binomial with 60 draws of .05: more than 8 in one run of 500.
    assert sum(one.parallel > 0 for one in found) <= 8
    kish = [one.n_eff for one in found]
    assert 120 < np.mean(kish) < 260


def test_doubled_respondents_count_once(sample):
    """Sampling units of two equal answers: half the respondents."""
    twice = pd.concat([sample, sample], ignore_index=True).assign(u=np.tile(np.arange(300), 2))
    found = number_of_factors(csat.read_survey(twice, design=csat.Design(psu="u")), ITEMS)
    alone = number_of_factors(csat.read_survey(sample), ITEMS)
    assert found.n == 600
    assert 250 < found.n_eff < 350
    np.testing.assert_allclose(found.limit, alone.limit, atol=0.03)


def test_parallel_analysis_chooses_the_number(sample, study):
    survey = csat.read_survey(sample)
    assert len(efa(survey, ITEMS).factors) == 3
    rng = np.random.default_rng(8)
    noise = csat.read_survey(pd.DataFrame(rng.standard_normal((200, 6)), columns=ITEMS[:6]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(
            ModelError, match=r"finds no factor: the largest eigenvalue, 1\.\d+, does not exceed 1\.\d+"
        ):
            efa(noise, ITEMS[:6])
    two = np.kron(np.eye(2), np.array([[1, 0.7], [0.7, 1]]))
    with pytest.raises(OptionError, match="'parallel' finds 2 factors, but 4 items can tell 1 apart at most"):
        efa(csat.from_covariance(pd.DataFrame(two, list("abcd"), list("abcd")), 300), list("abcd"))


def test_without_items_all_scaled_questions_are_taken(sample, study):
    lines = "\n".join(f'{item} = {{ scale = "seven" }}' for item in ITEMS)
    asked = study(
        f'[study]\nname = "tiny"\nindex = "all"\n[scales.seven]\nlow = 1\nhigh = 7\n[items]\n{lines}\n'
        '[dimensions.all]\nchildren = ["q1", "q2"]\n'
    )
    answers = np.clip(np.round(4 + 1.5 * sample[ITEMS]), 1, 7)
    survey = csat.read_survey(answers, asked)
    np.testing.assert_array_equal(efa(survey).pattern, efa(survey, ITEMS).pattern)
    assert number_of_factors(survey).names == tuple(ITEMS)
    with pytest.raises(OptionError, match="A factor analysis needs items: this source has no questionnaire"):
        efa(csat.read_survey(sample))


def test_a_factor_on_two_items_is_noted():
    corr = correlations(np.kron(np.eye(2), np.array([[0.8], [0.7], [0.6]]))[:5], 0.3)
    found = efa(source(corr, 300), list(corr), 2)
    assert "F2 (2)" in found.notes[0]
    assert "a model with such a construct may not be identified" in found.notes[0]
    assert efa(source(), ITEMS, 3).notes == ()


def _weighted(values, weight):
    cov = np.cov(values.T, aweights=weight)
    sd = np.sqrt(np.diag(cov))
    return cov / np.outer(sd, sd)


def test_respondents_with_gaps_are_counted(sample):
    sample.loc[:4, "q3"] = np.nan
    found = efa(csat.read_survey(sample), ITEMS, 3)
    assert (found.n, found.left_out) == (295, 5)


def test_degrees_of_freedom_are_never_halved_wrongly():
    assert [degrees_of_freedom(6, m) for m in range(4)] == [15, 9, 4, 0]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"items": ["q1", "q2"]}, OptionError, "A factor analysis needs three or more different items; found 2"),
        ({"items": ["q1", "q2", "q2"]}, OptionError, "three or more different items; found 2"),
        ({"items": ["q1", "q2", "qq"]}, UnknownColumnError, "qq"),
        ({"factors": 0}, OptionError, "factors is a whole number, 1 or more, or .parallel.; found int 0"),
        ({"factors": 2.0}, OptionError, "found float 2.0"),
        ({"factors": 6}, OptionError, "factors=6: 9 items can tell 5 factors apart at most"),
        ({"method": "paf"}, OptionError, "method='paf' is not known; choose one of 'ml', 'minres', 'pca'"),
        ({"rotation": "equamax"}, OptionError, "rotation='equamax' is not known; choose one of 'oblimin'"),
        ({"source": 3}, OptionError, "A survey"),
    ],
)
def test_wrong_input(change, error, message):
    asked = {"source": source(), "items": ITEMS, "factors": 3} | change
    with pytest.raises(error, match=message):
        efa(asked.pop("source"), asked.pop("items"), asked.pop("factors"), **asked)


def test_samples_that_cannot_be_factored(sample):
    with pytest.raises(CollinearityError, match="exact linear combination"):
        efa(csat.read_survey(sample.assign(q9=sample["q1"] + sample["q2"])), ITEMS, 2)
    with pytest.raises(SampleError, match="No variation in 'q5'"):
        efa(csat.read_survey(sample.assign(q5=1.0)), ITEMS, 2)
    with pytest.raises(SampleError, match="at least 10 complete answers; 8 found"):
        efa(csat.read_survey(sample.head(8)), ITEMS, 2)
    corr = correlations()
    with pytest.raises(SampleError, match="not positive semi-definite"):
        source(corr.mask(np.eye(9) == 1, 0.1))
    check_sample(ITEMS, corr.to_numpy(), np.zeros(9), 100)


def test_items_that_share_nothing_are_told():
    corr = pd.DataFrame(np.eye(4), list("abcd"), list("abcd"))
    corr.loc["a", "b"] = corr.loc["b", "a"] = 0.5
    corr.loc["b", "c"] = corr.loc["c", "b"] = 0.5
    with pytest.warns(SamplingAdequacyWarning, match=r"Sampling adequacy \(KMO\) is 0\.\d\d, below 0\.5"):
        number_of_factors(csat.from_covariance(corr, 200), list("abcd"), draws=50)


def test_adequacy_of_two_items_is_one_half():
    corr = np.array([[1, 0.4], [0.4, 1]])
    assert suitability(corr, 100).kmo == pytest.approx(0.5)
    np.testing.assert_allclose(suitability(corr, 100).msa, 0.5)


def test_sphericity_holds_its_level(rng):
    """Of uncorrelated items one test in twenty is significant."""
    draws = [suitability(np.corrcoef(rng.standard_normal((60, 5)).T), 60).p for _ in range(2000)]
    assert np.mean(np.array(draws) < 0.05) == pytest.approx(0.05, abs=0.015)


def test_the_number_of_factors_is_found(sample):
    found = number_of_factors(csat.read_survey(sample), ITEMS, draws=200)
    assert found.parallel == 3
    many = np.kron(np.eye(3), np.array([[0.8], [0.8], [0.7], [0.7], [0.6], [0.6]]))
    corr = many @ many.T
    np.fill_diagonal(corr, 1.0)
    names = [f"q{i}" for i in range(18)]
    apart = number_of_factors(source(pd.DataFrame(corr, names, names), 1000), names, draws=50)
    assert (apart.parallel, apart.map, apart.kaiser) == (3, 3, 3)
    table = found.tidy()
    assert table["keep"].tolist() == [True] * 3 + [False] * 6
    assert table["share"].sum() == pytest.approx(1)
    assert table["cumulative"].iloc[-1] == pytest.approx(1)
    assert (table["limit"] >= table["random"]).all()
    assert found.glance().loc[0, "parallel"] == 3
    assert list(found.items.columns) == ["term", "msa"]


def test_average_partials_of_short_scales_speak_for_none():
    """A weakness of the rule (Zwick & Velicer 1986): three items per factor leave each other large partials.

    Without factors 9 of 36 pairs correlate .56, .48 or .42. One factor's component leaves three items whose partials
    are negative and near one half, so that little is won; here the mean rises.
    """
    found = number_of_factors(source(correlations(phi=0.0), 1000), ITEMS, draws=50)
    assert found.averages[0] == pytest.approx(3 * (0.56**2 + 0.48**2 + 0.42**2) / 36)
    assert found.averages[3] > found.averages[0]
    assert (found.parallel, found.map) == (3, 0)


def test_parallel_analysis_is_repeatable_and_seeded(sample):
    survey = csat.read_survey(sample)
    one, same, other = (number_of_factors(survey, ITEMS, draws=50, seed=s) for s in (4, 4, 5))
    assert repr(one) == repr(same)
    assert not np.array_equal(one.random, other.random)


def test_random_eigenvalues_are_those_of_random_data(rng):
    """Bartlett's decomposition against samples drawn row by row."""
    drawn = random_eigenvalues(5, 40, 4000, 1)
    plain = np.array([np.linalg.eigvalsh(np.corrcoef(rng.standard_normal((40, 5)).T))[::-1] for _ in range(4000)])
    np.testing.assert_allclose(drawn.mean(axis=0), plain.mean(axis=0), atol=0.01)
    np.testing.assert_allclose(np.quantile(drawn, 0.95, axis=0), np.quantile(plain, 0.95, axis=0), atol=0.03)
    np.testing.assert_allclose(drawn.sum(axis=1), 5.0)


def test_average_partials_by_regression(sample):
    """Partial correlations given a component are those of the residuals of a regression on it."""
    corr = sample.corr().to_numpy()
    z = (sample - sample.mean()) / sample.std()
    scores = z.to_numpy() @ np.linalg.eigh(corr)[1][:, ::-1][:, :2]
    left = z.to_numpy() - scores @ np.linalg.lstsq(scores, z.to_numpy(), rcond=None)[0]
    partial = np.corrcoef(left.T)
    assert average_partials(corr)[2] == pytest.approx(((partial**2).sum() - 9) / 72)
    assert average_partials(corr)[0] == pytest.approx(((corr**2).sum() - 9) / 72)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 5}, "draws is a whole number, 20 or more; found int 5"),
        ({"draws": 10**9}, "draws=1000000000: 100000 at most are of use"),
        ({"seed": -1}, "seed is a whole number, 0 or more"),
        ({"level": 95}, "level=95: the confidence level lies between 0 and 1"),
        ({"items": ["q1"]}, "The number of factors needs three or more different items"),
    ],
)
def test_wrong_options_of_the_number(options, message):
    with pytest.raises(OptionError, match=message):
        number_of_factors(source(), options.pop("items", ITEMS), **options)


def test_answers_far_from_zero_have_the_same_factors():
    rng = np.random.default_rng(4)
    data = pd.DataFrame(rng.normal(size=(200, 5)), columns=list("abcde"))
    data = data.add(data["a"], axis=0)
    near, far = (csat.efa(csat.read_survey(data + shift), list("abcde"), factors=1).loadings for shift in (0, 1e9))
    np.testing.assert_allclose(far, near, atol=1e-6)
