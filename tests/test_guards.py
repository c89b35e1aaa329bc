"""Wrong values never leave csat as an exception of another library: every public function, every argument."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

import csat
from csat.moments.guards import RESERVED, budget

STUDY = """
[study]
name = "tiny"
index = "all"
[scales.ten]
low = 1
high = 10
[items]
a = { scale = "ten" }
b = { scale = "ten" }
e = { scale = "ten" }
[dimensions.all]
children = ["a", "b"]
[columns.g]
kind = "category"
[columns.t]
kind = "category"
"""

#: What people pass by mistake: nothing, numbers, texts, empty and strange containers, tables, a class.
WRONG = {
    "None": None,
    "True": True,
    "1": 1,
    "-1.5": -1.5,
    "nan": float("nan"),
    "10**400": 10**400,
    "1j": 1j,
    "text": "zz",
    "empty": "",
    "bytes": b"x",
    "[]": [],
    "[None]": [None],
    "[1]": [1],
    "[[]]": [[]],
    "texts": ["zz", "zz"],
    "set": {"zz"},
    "{}": {},
    "mapping": {"zz": "zz"},
    "numbers": {"zz": 1.0},
    "odd keys": {1: None},
    "array": np.array([1.0, 2.0]),
    "matrix": np.eye(2),
    "frame": pd.DataFrame({"zz": [1.0, 2.0]}),
    "twins": pd.DataFrame(np.eye(2), columns=["zz", "zz"]),
    "series": pd.Series([1.0, 2.0]),
    "object": object(),
    "class": csat.Survey,
}


@pytest.fixture(scope="module")
def asked(study):
    return study(STUDY)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(5)
    answers = np.clip(np.round(rng.normal(7, 1.5, (120, 3)) + rng.normal(0, 1, (120, 1))), 1, 10)
    return pd.DataFrame(answers, columns=["a", "b", "e"]).assign(g=list("xyz") * 40, t=["2026Q1", "2026Q2"] * 60)


@pytest.fixture(scope="module")
def survey(frame, asked):
    return csat.read_survey(frame, asked)


@pytest.fixture(scope="module")
def calls(survey, asked, tmp_path_factory):
    """Function and a valid value of each argument."""
    folder = tmp_path_factory.mktemp("guards")
    summary = csat.summarise(survey, ["a", "b"], "g", sets={"pair": ["a", "b"]})
    summary.save(folder / "s.parquet")
    survey.frame().to_csv(folder / "s.csv", index=False)
    stream = csat.read_survey(folder / "s.csv", asked, stream=True)
    by_group = csat.index(survey, by="g").estimates
    table = pd.DataFrame({"own": [80.0, 70.0], "peer": [75.0, 72.0]}, index=["a", "b"])
    cov = pd.DataFrame([[1.0, 0.5], [0.5, 1.0]], ["p", "q"], ["p", "q"])
    rest = {"level": 0.95}
    chain, tied = csat.sem(survey, "e ~ a\na ~ b"), csat.sem(survey, "e ~ k*a + k*b")
    one = csat.sem(survey, "f =~ a + b + e")
    visits = pd.DataFrame({"criterion": ["p", "q"] * 3, "full_marks": 10, "points": [9, 8, 10, 7, 6, 5],
                           "site": list("uuvvww")})  # fmt: skip
    causes = pd.DataFrame({"why": ["bill", "net"] * 2, "period": ["2026Q1"] * 2 + ["2026Q2"] * 2,
                           "complaints": [9, 4, 7, 5]})  # fmt: skip
    steps = pd.DataFrame({"what": "fix", "start": "2026-06-30 08:00", "end": ["2026-07-01", None, "2026-07-02"],
                          "period": "2026Q3"})  # fmt: skip
    by_period = csat.pls(survey, "f =~ a + b\ne ~ f", by="t", replicates=50)
    return {
        "index": (csat.index, {"source": survey, "by": "g", "nodes": ["all"], "questionnaire": asked} | rest),
        "gaps": (
            csat.gaps,
            {"source": survey, "by": "g", "against": "x", "own": "y", "nodes": ["a"], "adjust": "holm", "margin": 2.0,
             "weights": None, "questionnaire": asked} | rest,
        ),
        "gaps of a table": (
            csat.gaps, {"source": table, "against": "peer", "own": "own", "weights": {"a": 0.5, "b": 0.5}} | rest
        ),
        "gaps to a table": (
            csat.gaps, {"source": survey, "against": pd.DataFrame({"mean": [70.0]}, index=["a"]), "nodes": ["a"]}
        ),
        "expectation_gaps": (
            csat.expectation_gaps,
            {"source": survey, "pairs": {"a": "e"}, "by": "g", "adjust": "bh", "margin": 1, "questionnaire": asked},
        ),
        "letters": (csat.letters, {"estimates": by_group, "by": "g", "adjust": "none"}),
        "contributions": (csat.contributions, {"estimates": by_group, "questionnaire": asked, "node": "all"}),
        "summarise": (
            csat.summarise,
            {"source": survey, "items": ["a", "b"], "by": "g", "sets": {"pair": ["a", "b"]}, "levels": ["a"],
             "units": None},
        ),
        "Summary.save": (
            partial(summary.save, folder / "s.parquet"), {"bases": csat.Bases(1, 1), "allow_small": True},
        ),
        "Summary.rolled": (
            summary.rolled, {"column": "g", "parents": dict.fromkeys("xyz", "all"), "into": "region"},
        ),
        "read_survey": (
            csat.read_survey,
            {"data": folder / "s.csv", "questionnaire": asked, "design": csat.Design(), "on_unknown": "missing",
             "on_absent": "raise", "sheet": None, "encoding": "utf-8", "header_row": 1, "weigh": True, "query": None,
             "only": {"g": ["x", "y"]}, "stream": True, "memory": "64MB", "progress": False},
        ),
        "Stream.groups": (stream.groups, {"names": ["a"], "by": ["g"], "rule": "available"}),
        "Stream.levels": (stream.levels, {"names": ["a"], "by": ["g"]}),
        "Stream.patterns": (stream.patterns, {"names": ["a"], "by": ["g"]}),
        "Summary.groups": (summary.groups, {"names": ["a"], "by": ["g"], "rule": "available"}),
        "Summary.levels": (summary.levels, {"names": ["a"], "by": ["g"]}),
        "load_summary": (csat.load_summary, {"path": folder / "s.parquet"}),
        "Groups.rolled": (
            summary.everyone.rolled, {"column": "g", "parents": dict.fromkeys("xyz", "all"), "into": None},
        ),
        "evaluate": (
            csat.evaluate,
            {"source": survey, "by": "g", "weights": None, "operator": "min-max", "membership": "share",
             "grades": None, "questionnaire": asked} | rest,
        ),
        "evaluate a matrix": (
            csat.evaluate,
            {"source": [[0.2, 0.8], [0.5, 0.5]], "by": None, "weights": [0.5, 0.5], "grades": asked.grades[:2]} | rest,
        ),
        "ahp": (
            csat.ahp,
            {"judgements": {"u": [[1, 3], [1 / 3, 1]], "v": {("p", "q"): 2}}, "names": ["p", "q"],
             "method": "eigenvector", "judges": "priorities", "judge_weights": [1, 2], "accept": 0.1} | rest,
        ),
        "factor_weights": (
            csat.factor_weights,
            {"source": survey, "factors": ["a", "b"], "method": "cv", "by": "g", "values": "points", "rule": None,
             "of": None, "outcome": None, "group": None, "questionnaire": asked} | rest,
        ),
        "factor_weights of a result": (
            csat.factor_weights,
            {"source": csat.regress(survey, "e", ["a", "b"], by="g"), "factors": ["a", "b"], "group": "x", "of": None,
             "outcome": None} | rest,
        ),
        "factor_weights of a model": (
            csat.factor_weights,
            {"source": one, "factors": ["a", "b"], "of": "f", "outcome": None, "group": None} | rest,
        ),
        "draws": (csat.factor_weights(survey, ["a", "b"], method="sd").draws, {"size": 5, "seed": 1}),
        "combine_weights": (
            csat.combine_weights,
            {"weights": [{"a": 0.5, "b": 0.5}, {"a": 0.8, "b": 0.2}], "how": "additive", "shares": [1, 2]},
        ),
        "compare_weights": (
            csat.compare_weights,
            {"source": survey, "weights": ["equal", "cv"], "by": "g", "factors": ["a", "b"], "operator": "min-max",
             "membership": "share", "of": "answers", "grades": None, "over": ("answers",), "replicates": 20, "seed": 1,
             "questionnaire": asked} | rest,
        ),
        "regress": (
            csat.regress,
            {"source": survey, "outcome": "e", "drivers": ["a", "g"], "family": "linear", "se": "HC1",
             "intercept": True, "by": "t", "complete": ["b"]} | rest,
        ),
        "regress logit": (
            csat.regress,
            {"source": survey, "outcome": csat.Recode("top", "e", {v: float(v > 7) for v in range(1, 11)}),
             "drivers": ["a"], "family": "logit", "se": "design"} | rest,
        ),
        "test_of": (csat.regress(survey, "e", ["a", "b"], by="g").test_of, {"terms": ["a"], "group": "x"}),
        "differences": (csat.regress(survey, "e", ["a", "b"], by="g").differences, {"against": "x"}),
        "stepwise": (
            csat.stepwise,
            {"source": survey, "outcome": "e", "candidates": ["a"], "rule": "p", "direction": "both", "enter": 0.05,
             "remove": 0.1, "tolerance": 1e-4, "forced": ["b"], "start": "empty", "se": "design", "replicates": 20,
             "seed": 1} | rest,
        ),
        "best_subsets": (
            csat.best_subsets,
            {"source": survey, "outcome": "e", "candidates": ["a"], "criterion": "bic", "forced": ["b"], "most": 2,
             "best": 1},
        ),
        "importance": (
            csat.importance,
            {"source": survey, "outcome": "e", "drivers": ["a", "b"], "method": "lmg", "groups": {"ab": ["a", "b"]},
             "always": None, "missing": "listwise", "by": "g", "draws": None, "seed": 1} | rest,
        ),
        "importance differences": (
            csat.importance(survey, "e", ["a", "b"], by="g").differences, {"kind": "groups"}
        ),
        "ipa": (
            csat.ipa,
            {"source": survey, "outcome": "e", "drivers": ["a", "b"], "importance": "lmg", "cut": "means", "by": "t"}
            | rest,
        ),
        "reward_penalty": (
            csat.reward_penalty,
            {"source": survey, "outcome": "e", "drivers": ["a", "b"], "low": 6.0, "high": 9.0, "negligible": 0.5,
             "se": "design"} | rest,
        ),
        "diagnose": (
            csat.diagnose,
            {"source": survey, "outcome": "e", "drivers": ["a", "b"], "intercept": True, "complete": ["b"]} | rest,
        ),
        "Factor": (csat.Factor, {"column": "g", "reference": "x"}),
        "sem": (
            csat.sem,
            {"source": survey, "model": "e ~ a + b", "estimator": "ML", "likelihood": "normal", "group": "g",
             "equal": "regressions", "partial": "e ~ a", "reference": "x", "means": True, "std_lv": False,
             "fixed_x": True, "auto_cov_y": True, "orthogonal": False, "ordered": (), "missing": "listwise",
             "engine": "csat"} | rest,
        ),
        "sem of levels": (
            csat.sem,
            {"source": survey, "model": "a ~~ b", "estimator": "WLSMV", "ordered": ["a", "b"], "missing": "listwise"},
        ),
        "sem with gaps": (csat.sem, {"source": survey, "model": "e ~ a", "missing": "fiml", "estimator": "MLR"}),
        "compare_models": (
            lambda **options: csat.compare_models(chain, csat.sem(survey, "e ~ a + b\na ~ b"), **options),
            {"method": "default", "a_matrix": "delta", "names": None},
        ),
        "invariance": (
            csat.invariance,
            {"source": survey, "model": "f =~ a + b + e", "group": "g", "steps": ["configural", "metric"],
             "partial": (), "reference": "x", "estimator": "ML", "ordered": (), "missing": "listwise"} | rest,
        ),
        "modification_indices": (
            csat.modification_indices, {"result": chain, "sort": True, "minimum": 0.0, "delta": 0.1}
        ),
        "equality_tests": (csat.equality_tests, {"result": tied, "without": ()}),
        "polychoric": (
            csat.polychoric, {"source": survey, "names": ["a", "b"], "continuous": "b", "by": "t"} | rest
        ),
        "efa": (
            csat.efa,
            {"source": survey, "items": ["a", "b", "e"], "factors": 1, "method": "ml", "rotation": "varimax",
             "draws": 20, "seed": 1} | rest,
        ),
        "Efa.model": (csat.efa(survey, ["a", "b", "e"], 1).model, {"cut": 0.1, "names": ["f"]}),
        "number_of_factors": (
            csat.number_of_factors, {"source": survey, "items": ["a", "b", "e"], "draws": 20, "seed": 1} | rest
        ),
        "pls": (
            csat.pls,
            {"source": survey, "model": "f =~ a + b\ne ~ f", "scheme": "path", "scaled": True, "consistent": False,
             "modes": None, "by": "t", "se": "bootstrap", "replicates": 50, "seed": 1, "sign": "construct",
             "interval": "percentile", "limits": None, "second_order": "repeated", "interaction": "orthogonal"} | rest,
        ),
        "compare": (
            lambda first, second, names: csat.compare(first, second, names=names),
            {"first": csat.pls(survey, "e ~ a + b", replicates=50), "second": csat.sem(survey, "e ~ a + b"),
             "names": ["p", "s"]},
        ),
        "pls_slopes": (
            csat.pls_slopes,
            {"result": csat.pls(survey, "e ~ a + b + a:b", replicates=50), "product": "a:b", "of": "b", "at": [0, 1]},
        ),
        "pls_predict": (
            csat.pls_predict,
            {"result": csat.pls(survey, "f =~ a + b\ne ~ f", by="t", replicates=50), "source": survey, "folds": 3,
             "repeats": 2, "seed": 1, "antecedents": "direct", "benchmark": "all", "group": "2026Q1"},
        ),
        "pls_differences": (
            csat.pls_differences,
            {"result": by_period, "source": survey, "against": "2026Q1", "method": "permutation", "kinds": ["path"],
             "adjust": "holm", "permutations": 50, "seed": 1},
        ),
        "micom": (csat.micom, {"result": by_period, "source": survey, "permutations": 50, "seed": 1} | rest),
        "pls_segments": (
            csat.pls_segments,
            {"result": csat.pls(survey, "f =~ a + b\ne ~ f", replicates=50), "source": survey, "k": 2, "starts": 2,
             "seed": 1},
        ),
        "ipma": (
            csat.pls(survey, "f =~ a + b\ne ~ f", limits=(1, 10), replicates=50).ipma, {"target": "e"}
        ),
        "reliability": (
            csat.reliability,
            {"source": survey, "scales": {"f": ["a", "b", "e"]}, "by": "t", "missing": "listwise", "factors": "joint",
             "se": "bootstrap", "interval": "percentile", "replicates": 50, "seed": 1, "questionnaire": asked} | rest,
        ),
        "feldt": (csat.reliability(survey, {"f": ["a", "b", "e"]}).feldt, {} | rest),
        "factor_scores": (csat.factor_scores, {"result": one, "source": survey, "method": "bartlett"}),
        "Model": (csat.Model, {"syntax": "e ~ a"}),
        "from_covariance": (
            csat.from_covariance,
            {"cov": cov, "n": 50, "mean": {"p": 1.0, "q": 2.0}, "names": ["p", "q"], "divisor": "n"},
        ),
        "check_ranks": (csat.check_ranks, {"scores": {"u": 80.0, "v": 70.0}, "ranks": {"u": 1, "v": 2}}),
        "check_composites": (
            csat.check_composites, {"composites": {"u": 80.0}, "parts": {"u": [70.0, 90.0]}, "digits": 2}
        ),
        "trend": (
            csat.trend,
            {"source": survey, "period": "t", "by": "g", "every": "half", "since": "previous", "nodes": ["all"],
             "questionnaire": asked} | rest,
        ),
        "split_change": (
            csat.split_change,
            {"source": survey, "period": "t", "before": "2026Q1", "after": "2026Q2", "mix": "g", "nodes": ["all"],
             "questionnaire": asked} | rest,
        ),
        "shrink": (csat.shrink, {"estimates": by_group, "term": "all"}),
        "contrast": (by_group.contrast, {"matrix": np.eye(9), "term": list("abcdefghi"), "keys": {}}),
        "mean": (csat.mean, {"source": survey, "names": ["a"], "by": "g", "rule": "available"} | rest),
        "total": (csat.total, {"source": survey, "names": ["a"], "by": "g", "rule": "listwise"} | rest),
        "ratio": (csat.ratio, {"source": survey, "numerator": "a", "denominator": "b", "by": "g"} | rest),
        "share": (
            csat.share, {"source": survey, "name": "g", "by": "t", "values": ["x"], "interval": "logit"} | rest
        ),
        "box": (csat.box, {"source": survey, "names": "a", "by": "t", "top": 2, "interval": "beta"} | rest),
        "nps": (csat.nps, {"source": survey, "name": "a", "by": "t"} | rest),
        "quantile": (csat.quantile, {"source": survey, "name": "a", "q": 0.5, "by": "t", "rule": "math"} | rest),
        "var": (csat.var, {"source": survey, "names": "a", "by": "t"} | rest),
        "sd": (csat.sd, {"source": survey, "names": "a", "by": "t"} | rest),
        "difference": (csat.difference, {"source": survey, "name": "a", "by": "g", "against": "x"} | rest),
        "ranktest": (
            csat.ranktest, {"source": survey, "name": "a", "by": "g", "kind": "median", "against": "x"} | rest
        ),
        "crosstab": (
            csat.crosstab, {"source": survey, "row": "g", "column": "t", "base": "row", "interval": "t"} | rest
        ),
        "audits": (csat.audits, {"table": visits, "by": "site", "columns": {"score": "points"}} | rest),
        "complaints": (
            csat.complaints,
            {"table": causes, "by": "period", "customers": {"2026Q1": 500, "2026Q2": 600}, "per": 100, "silent": 24,
             "columns": {"cause": "why"}} | rest,
        ),
        "complaint_changes": (
            csat.complaint_changes,
            {"table": causes, "before": "2026Q1", "after": "2026Q2", "by": None, "columns": {"cause": "why"},
             "customers": {"2026Q1": 1, "2026Q2": 1}, "per": 100, "adjust": "none"} | rest,
        ),
        "before_after": (
            csat.before_after,
            {"scores": csat.gaps(survey, by="t", own="2026Q2", against="2026Q1"), "pairs": {"bill": "a"},
             "complaints": csat.complaint_changes(causes, "2026Q1", "2026Q2", columns={"cause": "why"},
                                                  customers={"2026Q1": 1, "2026Q2": 1})},
        ),
        "sla": (
            csat.sla,
            {"table": steps, "limits": {"fix": 24}, "by": "period", "as_of": "2026-07-03", "interval": "beta",
             "columns": {"step": "what"}} | rest,
        ),
    }  # fmt: skip


NAMES = (
    *("index", "gaps", "gaps of a table", "gaps to a table", "expectation_gaps", "letters", "contributions"),
    *("evaluate", "evaluate a matrix", "regress", "regress logit", "sem", "Model", "from_covariance"),
    *("ahp", "factor_weights", "factor_weights of a result", "factor_weights of a model", "draws", "combine_weights"),
    *(
        "compare_weights",
        "sem of levels",
        "sem with gaps",
        "compare_models",
        "invariance",
        "modification_indices",
        "equality_tests",
    ),
    *("polychoric", "efa", "Efa.model", "number_of_factors", "factor_scores"),
    *("pls", "ipma", "compare", "pls_slopes", "pls_predict", "reliability", "feldt"),
    *("pls_differences", "micom", "pls_segments"),
    *("test_of", "differences", "stepwise", "best_subsets", "importance", "importance differences", "ipa"),
    *("reward_penalty", "diagnose", "Factor"),
    *(
        "summarise",
        "Summary.save",
        "Summary.rolled",
        "Summary.groups",
        "Summary.levels",
        "load_summary",
        "Groups.rolled",
    ),
    *("check_ranks", "check_composites", "trend", "split_change", "shrink", "contrast", "mean", "total", "ratio"),
    *("share", "box", "nps", "quantile", "var", "sd", "difference", "ranktest", "crosstab"),
    *("audits", "complaints", "complaint_changes", "before_after", "sla"),
    *("read_survey", "Stream.groups", "Stream.levels", "Stream.patterns"),
)


def test_every_call_is_tried(calls):
    assert set(calls) == set(NAMES)


@pytest.mark.filterwarnings("ignore::csat.CsatWarning")
@pytest.mark.parametrize("name", NAMES)
def test_wrong_values_are_refused_in_words(calls, name):
    function, valid = calls[name]
    function(**valid)
    leaked = []
    for argument in valid:
        for label, wrong in WRONG.items():
            try:
                function(**(valid | {argument: wrong}))
            except csat.CsatError:
                continue
            except Exception as error:  # noqa: BLE001
                leaked.append(f"{argument}={label}: {type(error).__name__}: {error}")
    assert not leaked, "\n".join(leaked)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, s: csat.index(f), r"A DataFrame is not a survey yet; read it first: csat.read_survey\(frame\)"),
        (lambda f, s: csat.index("a.csv"), r"read it first: csat.read_survey\('a.csv'\)"),
        (lambda f, s: csat.regress(f, "e", ["a"]), "A DataFrame is not a survey yet"),
        (lambda f, s: csat.gaps(f, by="g", against="x"), "A DataFrame is not a survey yet"),
        (lambda f, s: csat.index(7), r"A survey \(csat.read_survey\) or a summary \(csat.from_covariance\) is needed"),
        (lambda f, s: csat.index(csat.Survey), "is needed; found type"),
        (lambda f, s: csat.index(s, questionnaire="study.toml"), "use csat.read_questionnaire"),
        (lambda f, s: csat.index(s, nodes=[]), "nodes names one or more different nodes"),
        (lambda f, s: csat.index(s, nodes=1), "nodes must be a name or several; found int 1"),
        (lambda f, s: csat.index(s, by=5), "by must be a name or several; found int 5"),
        (lambda f, s: csat.index(s, by=[5]), "by: a name is a text; found int 5"),
        (lambda f, s: csat.index(s, by=["g", "g"]), "by names column 'g' twice"),
        (lambda f, s: csat.mean(s, "a", by=["g", "g"]), "by names column 'g' twice"),
        (lambda f, s: csat.mean(s, []), "No variable is named"),
        (lambda f, s: csat.share(s, "g", values=[]), "No variable is named"),
        (lambda f, s: csat.from_covariance(np.eye(2), 9).groups([]), "No variable is named"),
        (lambda f, s: csat.letters(csat.index(s, by="g"), "g"), "found Index: pass its .estimates"),
        (lambda f, s: csat.letters(f, "g"), "found DataFrame: e.g. of csat.index"),
        (
            lambda f, s: csat.index(s).estimates.contrast(np.eye(2), ["d"]),
            "numbers, here 1 names × 3 terms",
        ),
        (lambda f, s: csat.regress(s, "e", []), "No driver is named"),
        (lambda f, s: csat.stepwise(s, "e", []), "No driver is named"),
        (lambda f, s: csat.regress(s, ["e"], ["a"]), "the outcome is the name of a variable or an item"),
        (lambda f, s: csat.evaluate(s, operator=["min-max"]), r"operator=\['min-max'\] is not known; choose one of"),
        (lambda f, s: csat.sem(s, 5), "model is a text such as"),
        (lambda f, s: csat.check_ranks({"u": "80"}, {}), "The score of 'u' is no number; found str '80'"),
        (lambda f, s: csat.check_composites({"u": 80}, {"u": ["a"]}), "'u, part 1' is no number"),
        (lambda f, s: csat.check_composites({"u": 80}, {}), "No parts given for the composite 'u'"),
        (lambda f, s: csat.check_composites({"u": 80}, {"u": [1]}, digits=2.5), "digits=2.5: the number of printed"),
    ],
)
def test_words_of_wrong_arguments(frame, survey, call, message):
    with pytest.raises(csat.CsatError, match=message):
        call(frame, survey)


@pytest.mark.parametrize("level", [2, 1, 0, -1.0, float("nan"), "a", None, True])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("quantile",)])
def test_every_verb_checks_the_level(calls, name, level):
    function, valid = calls[name]
    if "level" in valid:
        with pytest.raises(csat.CsatError, match="the confidence level lies between 0 and 1"):
            function(**(valid | {"level": level}))


@pytest.mark.parametrize("name", ["n", "estimate", "se", "kind", "sd", "note", "value", "period", "own", "verdict"])
def test_groups_with_the_name_of_a_result_column(frame, asked, name):
    source = csat.read_survey(frame.assign(**{name: frame["g"]}), asked)
    message = f"column '{name}' has the name of a result's column; rename it in the data"
    for call in (
        lambda: csat.index(source, by=name),
        lambda: csat.gaps(source, by=name, against="x"),
        lambda: csat.evaluate(source, by=["g", name]),
        lambda: csat.trend(source, "t", by=name),
    ):
        with pytest.raises(csat.CsatError, match=message):
            call()


@pytest.mark.parametrize("name", ["n", "estimate", "note"])
def test_no_estimates_have_a_column_twice(frame, name):
    source = csat.read_survey(frame.assign(**{name: frame["g"]}))
    with pytest.raises(csat.CsatError, match=rf"(?i)column '{name}' has the name of a result's column"):
        csat.mean(source, "a", by=name)
    with pytest.raises(csat.CsatError, match="column 'value' has the name"):
        csat.share(csat.read_survey(frame.assign(value=frame["g"])), "t", by="value")


def test_the_reserved_names_are_the_columns_of_results(calls):
    """A new column of a result must be reserved, or a group of that name would overwrite it."""
    for name in ("index", "gaps", "expectation_gaps", "letters", "trend", "shrink", "share", "box"):
        function, valid = calls[name]
        assert set(function(**valid).tidy().columns) - {"g", "t"} <= RESERVED


def test_an_empty_grouping_column(frame, asked):
    empty = csat.read_survey(frame.assign(none=pd.Series([None] * 120, dtype=object)), asked)
    message = "Column 'none' is empty for all 120 respondents"
    for call in (
        lambda: csat.index(empty, by="none"),
        lambda: csat.mean(empty, "a", by="none"),
        lambda: csat.evaluate(empty, by="none"),
        lambda: empty.levels(["a"], ["none"]),
    ):
        with pytest.raises(csat.CsatError, match=message):
            call()
    with pytest.raises(
        csat.CsatError, match="None of the 120 respondents has a value in all of the columns 'g', 'none'"
    ):
        csat.index(empty, by=["g", "none"])


def test_groups_without_respondents(survey):
    with pytest.raises(csat.CsatError, match="There are no respondents to group by 'g'"):
        csat.index(survey.where(t="2026Q1").where(t="2026Q2"), by="g")


def test_an_identifier_as_a_group_is_refused_before_memory_is(asked):
    data = pd.DataFrame({"a": 5.0, "b": 6.0, "e": 7.0, "g": "x", "t": "2026Q1"}, index=range(20000))
    data["id"] = data.index.astype(str)
    with pytest.raises(csat.CsatError, match="Column 'id' has 20000 different values among 20000 respondents: groups"):
        csat.index(csat.read_survey(data, asked), by="id")


def test_sums_that_would_not_fit_are_refused_before_the_pass(asked, frame, monkeypatch):
    monkeypatch.setattr("csat.survey.budget.MOST_BYTES", 4000)
    with pytest.raises(
        csat.CsatError,
        match=r"Sums of 3 variables in 6 cells \(3 values of 'g' × 2 values of 't'\) take 0 MB; 0 MB are allowed. "
        r"What helps: name fewer variables at a time; group by a coarser column than 'g'; sum a part",
    ):
        csat.read_survey(frame, asked).groups(["a", "b", "e"], ["g", "t"])
    assert len(csat.read_survey(frame, asked).groups(["a"], ["g"]).n) == 3


@pytest.mark.parametrize(
    ("call", "size", "words"),
    [
        ({"variables": 24, "cells": 7750}, 8 * 7750 * (2 * 49**2 + 28), None),
        ({"variables": 24, "cells": 7750, "units": 2000}, 8 * 7750 * (49**2 + 28), None),
        ({"variables": 24, "cells": 4, "rule": "listwise", "replicates": 100, "domains": 2}, None, None),
        ({"variables": 24, "cells": 10**6, "units": 10**5, "groups": {"g": 10}}, None, "100000 units.*larger units"),
        ({"variables": 9, "cells": 1, "rule": "listwise", "replicates": 10**7}, None, "one group.*fewer replicates"),
        ({"variables": 9, "cells": 10**5, "scores": 50}, None, "name fewer variables"),
    ],
)
def test_what_sums_take_is_known_before_the_pass(call, size, words):
    if words is not None:
        with pytest.raises(csat.CsatError, match=words):
            budget(**call, allowed=10**8)
    elif size is not None:
        assert budget(**call).bytes == size
    else:
        assert budget(**call).bytes == 8 * (4 * (2 * 25**2 + 28) + 2 * 100 * 25**2)


def test_groups_of_added_summaries_are_counted_too(frame, asked):
    data = pd.concat([frame] * 30, ignore_index=True).assign(id=np.arange(3600).astype(str))
    parts = [csat.read_survey(data[i::2], asked).groups(["a", "b"], ("id",)) for i in (0, 1)]
    found = csat.mean(parts[0] + parts[1], ["a", "b"], by="id")
    with pytest.raises(csat.CsatError, match="not kept for 3600 groups × 2 figures"):
        np.diag(found.vcov)


GOOD = pd.DataFrame([[2.0, 0.5], [0.5, 1.0]], ["p", "q"], ["p", "q"])


def test_rows_of_a_covariance_table_follow_its_columns():
    """A table sorted by row used to be read as if the rows stood in the order of the columns."""
    turned = GOOD.loc[["q", "p"]]
    moments = csat.from_covariance(turned, 50, divisor="n").moments()
    assert moments.names == ("p", "q")
    np.testing.assert_allclose(moments.cov, GOOD)
    assert csat.from_covariance(pd.DataFrame(np.eye(2), columns=["p", "q"]), 50.0).moments().n == 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"cov": GOOD.set_axis(["p", "z"], axis=0)},
            r"Rows and columns of the covariance matrix differ: rows \['p', 'z'\]",
        ),
        ({"cov": GOOD.set_axis(["p", "p"], axis=1)}, "names a variable twice"),
        ({"cov": GOOD.astype(str)}, "a square table of numbers"),
        ({"cov": [[1.0], [0.5, 1.0]]}, "a square table of numbers"),
        ({"cov": np.eye(2) * 1j}, "a square table of numbers"),
        ({"cov": []}, r"is square; found shape \(0,\)"),
        ({"n": 10.5}, "n=10.5: the number of respondents is a whole number, 2 or more"),
        ({"n": 1}, "n=1: the number"),
        ({"n": float("nan")}, "n=nan"),
        ({"n": float("inf")}, "n=above 10¹¹"),
        ({"n": 10**400}, "n=above 10¹¹"),
        ({"n": "10"}, "n='10'"),
        ({"n": None}, "n=None"),
        ({"mean": {"p": 1.0}}, r"exactly the variables of the matrix; they differ at \['q'\]"),
        ({"mean": {"p": 1.0, "q": 1.0, "r": 2.0}}, r"they differ at \['r'\]"),
        ({"mean": {"p": 1.0, "q": None}}, "The mean of 'q' is nan; leave mean= out"),
        ({"mean": {"p": 1.0, "q": float("inf")}}, "The mean of 'q' is inf"),
        ({"mean": {"p": 1.0, "q": "x"}}, "Means are numbers, by name or in order"),
        ({"mean": [1.0]}, "2 means are needed, one per variable; found 1"),
        ({"names": ["p", 2]}, "2 different names are needed, one text per row"),
        ({"names": ["p", "p"]}, "2 different names are needed"),
        ({"names": "pq"}, "2 different names are needed"),
        ({"divisor": ["n"]}, "divisor=.* is not known; choose one of 'n-1', 'n'"),
    ],
)
def test_covariances_that_cannot_be_read(options, message):
    with pytest.raises(csat.CsatError, match=message):
        csat.from_covariance(**({"cov": GOOD, "n": 50} | options))


@pytest.fixture
def settled(frame, asked):
    """Everyone in a group gives the same answers; weights are no round numbers."""
    weight = np.random.default_rng(3).uniform(0.3, 3, len(frame))
    level = frame["g"].map({"x": 8.0, "y": 7.0, "z": 8.0}) - (frame["t"] == "2026Q1")
    data = frame.assign(a=level, b=level, w=weight)
    return csat.read_survey(data[data["t"] == "2026Q2"], asked, design=csat.Design(weight="w")), csat.read_survey(
        data[data["g"] == "x"], asked, design=csat.Design(weight="w")
    )


def test_what_does_not_vary_is_not_called_different(settled):
    """Two constant groups used to differ with t = 5e8."""
    now, one_group = settled
    gap = csat.gaps(now, by="g", against="x", own=["y", "z"], nodes=["all"]).tidy()
    assert gap["se"].tolist() == [0, 0]
    assert gap["p"].isna().all()
    assert gap["adjusted_p"].isna().all()
    assert gap["verdict"].tolist() == ["", ""]
    assert gap["note"].tolist() == ["nothing varies: no test"] * 2
    assert set(csat.letters(csat.index(now, by="g").estimates, "g").higher_than) == {""}
    change = csat.trend(one_group, "t", nodes=["all"])
    assert change.changes.estimate[0] > 10
    assert change.verdict == ("",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": 1.5}, r"Design\(weight=…\) is the name of a column; found float 1.5"),
        ({"stratum": ["a"]}, r"Design\(stratum=…\) is the name of a column; found list \['a'\]"),
        ({"psu": ""}, r"Design\(psu=…\) is the name of a column; found str ''"),
        ({"replicates": "w1"}, "replicates is a list of columns, not str"),
        ({"replicates": ["w1", 2]}, r"Design\(replicates=…\) is the name of a column; found int 2"),
        ({"replication": "JK1"}, "replication must be a Replication, not str"),
        ({"lone_psu": ["fail"]}, "lone_psu=.* is not known"),
    ],
)
def test_designs_name_columns(options, message):
    with pytest.raises(csat.CsatError, match=message):
        csat.Design(**options)


def test_replicates_may_be_a_list():
    design = csat.Design(replicates=["r1", "r2"], replication=csat.Replication("BRR"))
    assert design.columns == ("r1", "r2")
    assert hash(design) == hash(csat.Design(replicates=("r1", "r2"), replication=csat.Replication("BRR")))
