"""Small hand-made results, and the sample study's real ones, computed once."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import csat
from csat.indices import Index
from csat.questionnaire import Column, Dimension, Item, Process, Questionnaire, Scale, read_questionnaire
from csat.results import Estimates, Provenance, Unavailable

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample"
EVIL = '<script>alert("&")</script>'

TEN = Scale("ten", 1, 10)
ASKED = Questionnaire(
    "small",
    texts={"en": EVIL, "zh": "小型研究"},
    scales=(TEN,),
    items=(
        Item("A", TEN, {"en": EVIL, "zh": "=1+1"}),
        Item("B", TEN, {"en": "$\\frac{a}{0}$ & more", "zh": "网络覆盖" * 20}),
    ),
    processes=(Process("P", TEN, {"en": "Hotline", "zh": "客服热线"}),),
    dimensions=(Dimension("top", {"en": "Index", "zh": "指数"}, ("A", "B"), (0.5, 0.5)),),
    root="top",
    columns=(Column("brand", "category", {"en": "Brand", "zh": "品牌"}, {"g": {"en": EVIL, "zh": "全球通"}}),),
    outcome="A",
)


def estimates(term, values, n, *, keys=None, unavailable=None, unit="points", null=None) -> Estimates:
    k = len(term)
    se = np.where(np.isnan(values), np.nan, 1.0)
    return Estimates(
        tuple(term), np.array(values, float), np.diag(se**2), np.inf, np.array(n), np.full(k, np.nan), unit,
        Provenance("available", "linearisation"), 0.95, null, keys or {}, unavailable or {},
    )  # fmt: skip


@pytest.fixture
def asked() -> Questionnaire:
    return ASKED


@pytest.fixture
def index() -> Index:
    """Groups of 250, 58, 12 and 9 respondents; one item of the first group has no answers."""
    groups, nodes = ("g", "m", "e", "t"), ("top", "A", "B")
    keys = {
        "brand": tuple(group for group in groups for _ in nodes),
        "kind": ("index", "item", "item") * 4,
        "depth": (0, 1, 1) * 4,
    }
    values = [68.224, 70.0, np.nan, 61.5, 60.0, 63.0, 99.0, 98.0, 100.0, 97.0, 97.0, 97.0]
    n = [250, 250, 0, 58, 58, 60, 12, 12, 13, 9, 9, 9]
    made = estimates(nodes * 4, values, n, keys=keys, unavailable={2: Unavailable("no_answers")})
    return Index(made, np.array([np.nan, 20.0, np.nan] * 4), 0)


@pytest.fixture
def whole() -> Index:
    """One group without grouping columns."""
    keys = {"kind": ("index", "item", "item"), "depth": (0, 1, 1)}
    made = estimates(("top", "A", "B"), [68.224, 66.0, 70.5], [250, 250, 251], keys=keys)
    return Index(made, np.array([np.nan, 21.0, 19.0]), 0)


@pytest.fixture(scope="session")
def study() -> Questionnaire:
    return read_questionnaire(SAMPLE / "study.toml")


@pytest.fixture(scope="session")
def results(study) -> dict:
    """Every kind of result, from the sample study."""
    survey = csat.read_survey(SAMPLE / "2026Q3.csv", study)
    own = survey.where(branch="gansu")
    outcome, processes = study.outcome, study.processes
    three = "q =~ C21 + C22 + C23\nv =~ C31 + C32 + C33\nf =~ C41 + C42 + C43"
    with pytest.warns(csat.CsatWarning):
        structure, factors = csat.sem(own, study.model), csat.sem(own, three, level=0.9)
    return {
        "index": csat.index(own),
        "by": csat.index(own, by="brand"),
        "cells": csat.index(own, by=["city", "brand"]),
        "regression": csat.regress(own, outcome=outcome, drivers=processes),
        "stepwise": csat.stepwise(own, outcome=outcome, candidates=processes),
        "importance": csat.importance(own, outcome=outcome, drivers=processes),
        "sem": structure,
        "factors": factors,
        "evaluation": csat.evaluate(own),
        "evaluation by": csat.evaluate(own, by="brand"),
        "gaps": csat.gaps(survey, by="branch", against="xian", own="gansu"),
        "gaps all": csat.gaps(survey, by="branch", against="rival"),
        "others": csat.gaps(survey, by="branch", against="others", own="gansu"),
        "expectation": csat.expectation_gaps(own, {"overall": "expectation", "S1": "expectation"}, by="brand"),
        "mean": csat.mean(own, ["overall", "S1"], by="brand"),
        **_over_groups_and_time(own, survey),
        "ledger": survey.ledger,
        "quality": survey.quality(),
    }


def _over_groups_and_time(own, survey) -> dict:
    """Results of the newer methods: trends, splits, letters, leagues, cross tables, tests, plans."""
    from csat.estimation import crosstab, difference, quantile
    from csat.planning import sample_size

    quarters = csat.read_survey(SAMPLE / "survey.csv", survey.questionnaire)
    mine = quarters.where(branch="gansu")
    by_branch = csat.index(survey, by="branch").estimates
    compared = difference(own, "overall", "brand")
    return {
        "trend": csat.trend(mine, period="quarter"),
        "trend by": csat.trend(quarters, period="quarter", by="branch", nodes=["satisfaction"]),
        "split": csat.split_change(mine, "quarter", "2026Q2", "2026Q3", "brand"),
        "letters": csat.letters(by_branch, "branch"),
        "league": csat.shrink(csat.index(survey, by="city").estimates),
        "crosstab": crosstab(own, "brand", "line"),
        "difference": compared,
        "test": compared.test,
        "quantile": quantile(own, "overall", by="brand"),
        "share": csat.share(own, "brand"),
        "scales": csat.mean(own, ["overall", "nps"]),
        "contributions": csat.contributions(csat.index(own).estimates, own.questionnaire),
        "sample size": sample_size(2.0, source=own, by="brand"),
    }


class Page(HTMLParser):
    """Tags, attributes and whether every opened element is closed."""

    VOID = frozenset({"meta", "img", "br", "link", "hr", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def check_alone():
    """Check that nothing on a page loads or runs anything; gives the parsed page."""
    return _check_alone


def _check_alone(html):
    parsed = Page(html)
    assert parsed.open == []
    assert parsed.named("script") == [{}] and not parsed.named("link") and not parsed.named("iframe")
    assert not [attributes for _, attributes in parsed.tags if "style" in attributes]
    assert all(image["src"].startswith("data:image/") for image in parsed.named("img"))
    assert all(image["alt"] for image in parsed.named("img"))
    loading = [a[name] for _, a in parsed.tags for name in ("src", "srcset", "data", "poster", "action") if name in a]
    assert all(value.startswith("data:image/") for value in loading)
    assert not re.search(r"url\(|@import", html)
    assert not [a for _, attributes in parsed.tags for a in attributes if a.startswith("on")]
    policy = [meta["content"] for meta in parsed.named("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    (style,), (script,) = (re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL) for tag in ("style", "script"))
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    assert policy == [
        "default-src 'none'; img-src data:; font-src 'none'; "
        f"style-src 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}'; base-uri 'none'; form-action 'none'"
    ]
    return parsed


@pytest.fixture(scope="session")
def own(study):
    """Own customers of the sample study."""
    return csat.read_survey(SAMPLE / "2026Q3.csv", study).where(branch="gansu")


@pytest.fixture(scope="session")
def driven(study, own) -> dict:
    """Every kind of result of the driver analysis, from the sample study."""
    everyone = csat.read_survey(SAMPLE / "2026Q3.csv", study)
    outcome, processes = study.outcome, study.processes
    twenty = [item.code for item in study.items if item.code[0] in "CI"][:20]
    happy = csat.Recode("happy", outcome, {float(answer): float(answer >= 9) for answer in range(1, 11)})
    mixed = [*(process.code for process in processes[:4]), "brand", "brand:P1"]
    return {
        "regression": csat.regress(own, outcome, processes),
        "regression by": csat.regress(own, outcome, processes, by="brand"),
        "factors": csat.regress(own, outcome, mixed, se="HC3"),
        "ordered": csat.regress(own, outcome, processes, family="ordered"),
        "logit by": csat.regress(own, happy, ["P1", "P2", "brand"], family="logit", by="line"),
        "stepwise": csat.stepwise(own, outcome, processes, replicates=60),
        "aic": csat.stepwise(
            own, outcome, ["P1", "P2", "P3", "brand"], rule="aic", direction="backward", forced="P9", replicates=40
        ),
        "stability": csat.stepwise(own, outcome, twenty, replicates=60).stability,
        "subsets": csat.best_subsets(own, outcome, processes, best=2, criterion="bic"),
        "importance": csat.importance(own, outcome, processes),
        "importance by": csat.importance(everyone, outcome, processes, by="branch"),
        "importance em": csat.importance(
            own, outcome, processes, groups={"digital": ["P7", "P8"]}, always=["P9"], missing="em"
        ),
        "differences": csat.importance(own, outcome, processes[:4]).differences(),
        "ipa": csat.ipa(own),
        "ipa by": csat.ipa(everyone, by="branch", cut="iso"),
        "ipa twenty": csat.ipa(own, outcome, twenty, importance="johnson", cut=(70, 5.0)),
        "ipa stated": csat.ipa(own, drivers=["P1", "P2", "P3"], importance=["C11", "C12", "C13"]),
        "asymmetry": csat.reward_penalty(own),
        "diagnosis": csat.diagnose(own, outcome, processes),
    }
