"""`Model.from_semopy` and `Model.to_semopy`: the same model in both notations, judged by semopy itself."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csat.errors import ModelError
from csat.model import Model
from csat.moments import from_covariance
from csat.structural import sem
from csat.structural.second import _no_root_handler

LAVAAN = Path(__file__).parent / "fixtures" / "lavaan"


def canonical(model):
    """Every parameter: (relation) → fixed value, sampled, start, and the first relation that shares its label.

    Covariances fixed at 0 are the same as none.
    """
    rows = {}
    for row in model.expand():
        key = (row.op, *(sorted((row.lhs, row.rhs)) if row.op == "~~" else (row.lhs, row.rhs)))
        rows[key] = row
    first: dict[str, tuple] = {}
    found = {}
    for key in sorted(rows):
        row = rows[key]
        shared = first.setdefault(row.label, key) if row.label and row.free else key
        found[key] = (row.fixed, row.sampled, row.start if row.free else None, shared)
    return {key: said for key, said in found.items() if not (key[0] == "~~" and key[1] != key[2] and said[0] == 0)}


def tied_starts(found):
    """A starting value of one of several tied parameters is one of all."""
    starts = {shared: start for _, _, start, shared in found.values() if start is not None}
    return {key: (fixed, sampled, starts.get(shared), shared) for key, (fixed, sampled, _, shared) in found.items()}


modifiers = st.sampled_from(["", "", "", "NA*", "0.5*", "-2*", "a*", "b*", "c*", "start(0.3)*", "a*start(0.25)*"])


@st.composite
def models(draw):
    """Constructs with two to four indicators, acyclic paths, observed predictors and outcomes, covariances."""
    size = draw(st.integers(1, 3))
    lines, causes = [], ["x1", "x2"][: draw(st.integers(0, 2))]
    for k in range(size):
        count = draw(st.integers(2, 4))
        loads = [f"{draw(modifiers)}f{k}i{i}" for i in range(count)]
        lines.append(f"f{k} =~ {' + '.join(loads)}")
        chosen = [cause for cause in causes if draw(st.booleans())]
        if chosen:
            lines.append(f"f{k} ~ {' + '.join(draw(modifiers).replace('NA*', '') + c for c in chosen)}")
        causes.append(f"f{k}")
    lines += [f"{y} ~ f0" for y in ("y1", "y2")[: draw(st.integers(0, 2))]]
    for pair in (("f0i0", "f0i1"), ("y1", "f0i1"), ("f0", "f1"), ("y1", "y2")):
        text = "\n".join(lines)
        if all(name in text for name in pair) and draw(st.booleans()):
            lines.append(f"{pair[0]} ~~ {draw(st.sampled_from(['', '0*', '0.1*', 'd*']))}{pair[1]}")
    return "\n".join(lines)


@given(models())
@settings(max_examples=150, deadline=None)
def test_there_and_back(syntax):
    model = Model(syntax)
    back = Model.from_semopy(model.to_semopy())
    assert tied_starts(canonical(back)) == tied_starts(canonical(model))


def fitted(semopy, description, cov, **options):
    """F of semopy's own fit."""
    with _no_root_handler(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = semopy.Model(description, **options)
        found = peer.fit(cov=cov, options={"ftol": 1e-13, "maxiter": 10_000})
    return found.fun


def case(name):
    found = json.loads((LAVAAN / f"{name}.json").read_text(encoding="utf-8"))
    matrix = found["result"]["sample_cov"]["all"]
    cov = pd.DataFrame(matrix["values"], matrix["rows"], matrix["cols"])
    return found["model"].split("ind :=")[0], cov, found["result"]


@pytest.mark.parametrize("name", ["sem_hs_cfa_ml", "sem_pd_ml", "sem_mtcars_path_fixedx", "sem_hs_mimic"])
def test_semopy_finds_the_chi_square_of_lavaan_from_our_text(name, optional):
    syntax, cov, result = case(name)
    model = Model("\n".join(line for line in syntax.splitlines() if ":=" not in line))
    ours = fitted(optional("semopy"), model.to_semopy(), cov)
    assert ours * result["nobs"]["all"] == pytest.approx(result["fit_measures"]["chisq"], abs=2e-3)


DESCRIPTIONS = [
    ("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\ng ~ f", {}),
    ("f =~ a*x1 + x2 + x3\ng =~ x4 + 1*x5 + x6  # unit by the second\nf ~~ g", {}),
    ("f =~ x1 + x2 + x3\nx4, x5 ~ f", {}),
    ("f =~ x1 + x2 + x3\nx4, x5 ~ f", {"mimic_lavaan": True}),
    ("f =~ x1 + b*x2 + c*x3\nSTART(0.7) b\nCONSTRAINT(b = 0.5*c)\nx4 ~ f + x5", {}),
    ("f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6", {"cov_diag": True}),
    ("x1 ~ x4 + x5\nx2 ~ x1 + x6\nx5 ~~ x5\nx4 ~~ x5", {}),
    ("x1 ~ x4 + x5\nx2 ~ x1 + x6\nx5 ~~ x5", {}),
]


@pytest.mark.parametrize(("description", "options"), DESCRIPTIONS, ids=range(len(DESCRIPTIONS)))
def test_semopys_own_fit_of_its_text_is_ours(description, options, optional):
    semopy = optional("semopy")
    _, cov, result = case("sem_hs_cfa_ml")
    with _no_root_handler():
        model = Model.from_semopy(semopy.Model(description, **options))
    used = cov.loc[[*model.observed], [*model.observed]]
    found = sem(from_covariance(used, result["nobs"]["all"], divisor="n"), model)
    theirs = fitted(semopy, description, used, **options)
    assert found.measures.chisq == pytest.approx(theirs * result["nobs"]["all"], abs=1e-4)


def test_the_switch_of_a_text():
    text = "f =~ x1 + x2 + x3\nx4, x5 ~ f"
    assert "x4 ~~ 0*x5" in Model.from_semopy(text).syntax
    assert "~~" not in Model.from_semopy(text, mimic_lavaan=True).syntax


def test_both_styles_of_commands_are_read():
    old = Model.from_semopy("x1 ~ f\nx2 ~ a*f\nDEFINE(latent) f\nSTART(0.5) a")
    new = Model.from_semopy("x1 ~ f\nx2 ~ a*f\nlatent: f\nstart 0.5: a")
    assert old.syntax == new.syntax == "f =~ NA*x1 + start(0.5)*a*x2"


def test_intercepts_keep_their_notation():
    """For semopy.ModelMeans."""
    model = Model("y ~ x\ny ~ 2*1")
    assert model.to_semopy().splitlines()[-1] == "y ~ 2*1"
    assert Model.from_semopy("y ~ x\ny ~ 2*1").table["fixed"].tolist()[1] == 2.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f =~ x1 + x2\nBOUND(0 1) a", "line 2, character 1: bounds on parameters are not available"),
        ("f =~ x1 + x2\nbound 0 1: a", "line 2, character 1: bounds on parameters"),
        ("f =~ x1 + x2\nDEFINE(ordinal) x1", r"line 2, .*csat.sem\(…, ordered=\[…\], estimator='WLSMV'\)"),
        ("f =~ x1\nordinal: x1", "line 2, character 1: ordered items are named"),
        ("FORCE(endo) x1\nx2 ~ x1", "line 1, character 1: a variable cannot be forced"),
        ("y ~ x\n  PLOT(y)", "line 2, character 3: the command 'plot' is not known"),
        ("y ~ START*x", r"character 5: START\* fixes at semopy's own"),
        ("y ~ a*x\nCONSTRAINT(a > 0)", r"line 2, character 1: only equations are available.*'a > 0'"),
        ("y ~ a*x\nSTART(much) a", "line 2, character 1: a starting value is a number; found 'much'"),
        ("y ~ a*x\nSTART(1) b", "no parameter is labelled 'b'"),
        ("y ~ x1 ++ x2", "character 9: '' is no variable"),
        ("y ~ nan*x", "character 5: 'nan' is neither a number nor a label"),
        ("1y ~ x", "character 1: '1y' cannot be the name of a variable"),
        ("y is x", "character 1: neither a relation"),
        ("y ~ x\nDEFINE(latent) f", "line 2, character 1: the latent variable 'f' explains nothing"),
        ("# nothing\n", "The description is empty"),
    ],
)
def test_what_cannot_be_read(text, message):
    with pytest.raises(ModelError, match=message):
        Model.from_semopy(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y ~ a*x\nb := a^2", "line 2, character 1: semopy has no defined parameters"),
        ("c <~ x1 + x2\ny ~ c", "character 6: semopy has no composites"),
        ("y ~ c(a, b)*x", "semopy has no parameters by group"),
        ("y ~ _b1*x", "semopy gives names such as '_b1' itself"),
        ("y ~ x\ny ~~ z", "line 2, character 6: semopy knows only variables"),
        ("f =~ a*x1 + b*x2 + x3\na == b", "line 2, character 1: 'a' is no free parameter"),
    ],
)
def test_what_cannot_be_written(text, message):
    with pytest.raises(ModelError, match=message):
        Model(text).to_semopy()


def test_what_is_no_description(optional):
    with pytest.raises(ModelError, match=r"A text in semopy's notation, .* is needed; found int"):
        Model.from_semopy(3)
    with _no_root_handler():
        means = optional("semopy").ModelMeans("y ~ x")
    with pytest.raises(ModelError, match="Model can be read; found ModelMeans"):
        Model.from_semopy(means)


def test_numbers_have_no_exponent():
    text = Model("y ~ 0.000001*x1 + 12345678*x2").to_semopy()
    assert "y ~ 0.000001*x1 + 12345678*x2" in text
    assert np.allclose(Model.from_semopy(text).table["fixed"].dropna(), [1e-6, 12345678])
