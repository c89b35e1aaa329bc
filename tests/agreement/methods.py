"""Every public method that takes a source, asked of one study; and what of it a kind of source must refuse in words."""

import inspect

import numpy as np
import pandas as pd

import csat
from csat.questionnaire import Column, Dimension, Item, Process, Questionnaire, Scale

TEN = Scale("ten", 1, 10, missing={98: "dont_know"})
ITEMS = tuple(f"C{i}" for i in range(1, 7))
DRIVERS = ("P1", "P2", "P3")
ASKED = Questionnaire(
    "engines",
    scales=(TEN,),
    items=tuple(Item(code, TEN) for code in (*ITEMS, "overall")),
    processes=tuple(Process(code, TEN) for code in DRIVERS),
    dimensions=(
        Dimension("quality", {}, ITEMS[:3]),
        Dimension("value", {}, ITEMS[3:]),
        Dimension("all", {}, ("quality", "value")),
    ),
    root="all",
    outcome="overall",
    columns=(*(Column(name, "category") for name in ("brand", "quarter", "city")), Column("id", "id")),
    design=csat.Design(weight="w", stratum="city", psu="hall"),
)
MODEL = "q =~ C1 + C2 + C3\nv =~ C4 + C5 + C6\nv ~ q"
ONE = "f =~ C1 + C2 + C3 + C4"
ROWS = 480


def answers() -> pd.DataFrame:
    """Answers that hang together, with gaps and codes for "don't know"; weights, strata, units, two waves."""
    rng = np.random.default_rng(29)
    common = rng.normal(size=(ROWS, 1))
    names = [*ITEMS, "overall", *DRIVERS]
    frame = pd.DataFrame(np.clip(np.rint(6.5 + 1.5 * common + 1.2 * rng.normal(size=(ROWS, 10))), 1, 10), columns=names)
    frame = frame.mask(rng.random(frame.shape) < 0.03)
    frame["C2"] = frame["C2"].fillna(98)
    frame["brand"] = rng.choice(["gotone", "easyown", "mzone"], ROWS)
    frame["quarter"] = np.repeat(["2026Q1", "2026Q2"], ROWS // 2)
    frame["city"] = rng.choice(["lanzhou", "tianshui"], ROWS)
    frame["hall"] = [f"h{hall}" for hall in rng.integers(1, 13, ROWS)]
    frame["w"] = rng.uniform(0.4, 3, ROWS).round(6)
    frame["arpu"] = rng.normal(50, 20, ROWS).round(2)
    return frame.assign(id=[f"r{i}" for i in rng.permutation(ROWS)])


#: Public function → what is asked of a source; a name may have a second entry after a blank.
METHODS = {
    "best_subsets": lambda s: csat.best_subsets(s, "overall", DRIVERS),
    "box": lambda s: csat.box(s, ["C1", "C6"], by="brand"),
    "calibrate": lambda s: csat.index(csat.calibrate(s, {"brand": {"gotone": 0.5, "easyown": 0.3, "mzone": 0.2}})),
    "compare": lambda s: csat.compare(csat.sem(s, MODEL), csat.pls(s, MODEL, replicates=50)),
    "compare_models": lambda s: csat.compare_models(csat.sem(s, ONE), csat.sem(s, ONE.replace("C2", "1*C2"))),
    "compare_weights": lambda s: csat.compare_weights(s, ["equal", "cv"], factors=list(ITEMS), replicates=40),
    "contributions": lambda s: csat.contributions(csat.index(s, by="brand").estimates, ASKED),
    "crosstab": lambda s: csat.crosstab(s, "brand", "C6"),
    "detectable_gap": lambda s: csat.detectable_gap(200, source=s, by="brand"),
    "diagnose": lambda s: csat.diagnose(s, "overall", DRIVERS),
    "difference": lambda s: csat.difference(s, "C1", "brand"),
    "efa": lambda s: csat.efa(s, list(ITEMS), factors=2),
    "equality_tests": lambda s: csat.equality_tests(csat.sem(s, "q =~ C1 + k*C2 + k*C3 + C4")),
    "evaluate": lambda s: csat.evaluate(s, by="brand", replicates=40),
    "expectation_gaps": lambda s: csat.expectation_gaps(s, {"C1": "C2"}, by="brand"),
    "factor_scores": lambda s: csat.factor_scores(csat.sem(s, ONE), s),
    "factor_weights": lambda s: csat.factor_weights(s, list(ITEMS), method="cv"),
    "factor_weights entropy": lambda s: csat.factor_weights(s, list(ITEMS), method="entropy"),
    "gaps": lambda s: csat.gaps(s, by="brand", against="gotone"),
    "importance": lambda s: csat.importance(s, "overall", DRIVERS),
    "index": lambda s: csat.index(s, by=["brand", "quarter"]),
    "index domain": lambda s: csat.index(s.where(brand="mzone")),
    "invariance": lambda s: csat.invariance(s, ONE, "city"),
    "ipa": lambda s: csat.ipa(s, "overall", DRIVERS),
    "letters": lambda s: csat.letters(csat.index(s, by="brand").estimates, "brand"),
    "mean": lambda s: csat.mean(s, ["C1", "overall"], by="brand"),
    "mean listwise": lambda s: csat.mean(s, ["C1", "C2"], by="brand", rule="listwise"),
    "micom": lambda s: csat.micom(csat.pls(s, MODEL, by="quarter", replicates=50), s, permutations=50),
    "modification_indices": lambda s: csat.modification_indices(csat.sem(s, MODEL)),
    "nps": lambda s: csat.nps(s, "overall", by="brand"),
    "number_of_factors": lambda s: csat.number_of_factors(s, list(ITEMS), draws=50),
    "pls": lambda s: csat.pls(s, MODEL, by="city", replicates=50),
    "pls_differences": lambda s: csat.pls_differences(csat.pls(s, MODEL, by="city", replicates=50)),
    "pls_predict": lambda s: csat.pls_predict(csat.pls(s, MODEL, replicates=50), s, folds=3),
    "pls_segments": lambda s: csat.pls_segments(csat.pls(s, MODEL, replicates=50), s, starts=2),
    "pls_slopes": lambda s: csat.pls_slopes(
        csat.pls(s, "q =~ C1 + C2\nv =~ C4 + C5\nl =~ overall\nl ~ q + v + q:v", replicates=50)
    ),
    "polychoric": lambda s: csat.polychoric(s, ["C1", "C3"]),
    "quantile": lambda s: csat.quantile(s, "C3", by="brand"),
    "ranktest": lambda s: csat.ranktest(s, "C1", "brand"),
    "ratio": lambda s: csat.ratio(s, "C1", "C2", by="quarter"),
    "regress": lambda s: csat.regress(s, "overall", DRIVERS, by="brand"),
    "regress ordered": lambda s: csat.regress(s, "overall", DRIVERS, family="ordered"),
    "reliability": lambda s: csat.reliability(s, {"q": ["C1", "C2", "C3"], "v": ["C4", "C5", "C6"]}),
    "reward_penalty": lambda s: csat.reward_penalty(s, "overall", DRIVERS),
    "sample_size": lambda s: csat.sample_size(2.0, source=s),
    "sd": lambda s: csat.sd(s, ["C1", "C2"], by="brand"),
    "sem": lambda s: csat.sem(s, MODEL, estimator="MLR"),
    "sem bootstrap": lambda s: csat.sem(s, ONE, se="bootstrap", replicates=50),
    "sem fiml": lambda s: csat.sem(s, ONE, missing="fiml"),
    "share": lambda s: csat.share(s, "C1", by="brand"),
    "shrink": lambda s: csat.shrink(csat.index(s, by=["city", "brand"]).estimates, "all"),
    "split_change": lambda s: csat.split_change(s, "quarter", before="2026Q1", after="2026Q2", mix="brand"),
    "stepwise": lambda s: csat.stepwise(s, "overall", DRIVERS, replicates=40),
    "summarise": lambda s: csat.index(csat.summarise(s, list(ITEMS), "brand"), by="brand"),
    "total": lambda s: csat.total(s, "C1", by="brand"),
    "trend": lambda s: csat.trend(s, "quarter", by="brand"),
    "var": lambda s: csat.var(s, ["C1", "C2"]),
}
#: What a source of sums refuses: method → words of the refusal.
OF_STREAMS = {
    "calibrate": "calibrate needs a survey",
    "diagnose": "A diagnosis needs the respondents' rows",
    "factor_scores": "Scoring respondents needs the respondents' rows",
    "micom": "needs the respondents' rows",
    "pls_predict": "needs the respondents' rows",
    "pls_segments": "needs the respondents' rows",
}
OF_SUMMARIES = OF_STREAMS | {
    "index domain": "Choosing respondents by 'brand', instead of groups by=…, needs the respondents' rows",
    "pls_slopes": "Complete answers to .* together need the rows",
    "polychoric": "Correlating ordered items needs the respondents' rows",
    "regress ordered": "family='ordered' needs the respondents' rows",
    "reward_penalty": "Complete answers to .* together need the rows",
    "sem fiml": 'missing="fiml" needs the respondents\' rows',
    "summarise": "Summary is a summary already",
}


#: Arguments that are a source, or a result of one: functions with none of them read files, tables or single numbers.
GIVEN = {"source", "survey", "result", "results", "models", "estimates"}
#: Show a result, whatever its source.
SHOWN = {"plot", "table"}


def functions() -> set[str]:
    """Public functions that take a source or a result."""
    found = {name: getattr(csat, name) for name in csat.__all__}
    taken = {name: set(inspect.signature(one).parameters) for name, one in found.items() if inspect.isfunction(one)}
    return {name for name, arguments in taken.items() if arguments & GIVEN} - SHOWN


def figures(result):
    return [frame.reset_index(drop=True) for frame in (result.tidy(), result.glance())]


def assert_same(found, expected, without=None):
    """Words and counts are equal, numbers to a billionth."""
    for ours, theirs in zip(found, expected, strict=True):
        assert list(ours.columns) == list(theirs.columns)
        for name in theirs.columns.drop(without, errors="ignore") if without else theirs.columns:
            if theirs[name].dtype.kind == "f":
                np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-9, err_msg=name)
            else:
                assert ours[name].tolist() == theirs[name].tolist(), name
