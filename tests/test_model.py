"""`csat.model`: reading models, saying where they are wrong, filling in what is taken for granted."""

import re

import numpy as np
import pytest

from csat.errors import ModelError
from csat.model import Model
from csat.model.expression import evaluate

ECSI = """
# measurement
quality =~ C21 + C22 +
           C23
value   =~ C31 + C32; loyalty =~ L1
        + L2      # goes on
# structure
value ~ a*quality
loyalty ~ b*value + quality
ind := a*b
"""


def rows(syntax, **options):
    return {(row.lhs, row.op, row.rhs): row for row in Model(syntax).expand(**options)}


def test_a_model_over_several_lines():
    model = Model(ECSI)
    assert model.latents == ("quality", "value", "loyalty")
    assert model.observed == ("C21", "C22", "C23", "C31", "C32", "L1", "L2")
    assert model.exogenous == ("quality",)
    assert model.endogenous == ("value", "loyalty")
    assert model.indicators("quality") == ("C21", "C22", "C23")
    assert model.labels == ("a", "b")
    assert model.table[["lhs", "op", "rhs", "label"]].values.tolist()[-2:] == [
        ["loyalty", "~", "quality", ""],
        ["ind", ":=", "a*b", "ind"],
    ]


def test_modifiers():
    table = Model("f =~ NA*x1 + a*x2 + -0.5*x3 + start(1.5)*x4 + b*start(2)*x5").table.set_index("rhs")
    assert table.loc["x1", "free"]
    assert table.loc["x2", "label"] == "a"
    assert table.loc["x3", "fixed"] == -0.5
    assert table.loc["x4", "start"] == 1.5
    assert (table.loc["x5", "label"], table.loc["x5", "start"]) == ("b", 2.0)
    assert np.isnan(table.loc["x1", "fixed"])


def test_several_variables_on_the_left():
    assert [(t.lhs, t.rhs) for t in Model("y1 + y2 ~ x1 + x2").terms] == [
        ("y1", "x1"), ("y1", "x2"), ("y2", "x1"), ("y2", "x2"),
    ]  # fmt: skip


def test_chinese_names():
    model = Model("满意度 =~ 总体 + 期望\n忠诚度 ~ 路径*满意度")
    assert model.latents == ("满意度",)
    assert model.observed == ("总体", "期望", "忠诚度")
    assert model.labels == ("路径",)


def test_composites_and_intercepts_are_part_of_the_table():
    model = Model("image <~ i1 + i2\ny ~ 1 + image\nz ~ m*1")
    assert model.latents == ("image",)
    assert model.observed == ("i1", "i2", "y", "z")
    assert [(t.lhs, t.op, t.modifier(0).label) for t in model.terms if t.op == "~1"] == [
        ("y", "~1", ""),
        ("z", "~1", "m"),
    ]


def test_equal_texts_make_equal_models():
    assert Model("y ~ x") == Model("y ~ x") != Model("y ~ z")
    assert repr(Model("f =~ a + b + c")) == "Model: 1 constructs, 3 observed variables\nf =~ a + b + c"


@pytest.mark.parametrize(
    ("syntax", "line", "character", "message"),
    [
        ("f =~ x1 + x2 $ x3", 1, 14, "'$' has no meaning"),
        ("f =~ x1 ＋ x2", 1, 9, "Write the half-width '+'"),
        ("f =~ x1\ny ~ f +", 2, 8, "a variable or a number expected, the end of the statement found"),
        ("y ~ x x2", 1, 7, "'+' or a new line expected, 'x2' found"),
        ("y x", 1, 3, "expected after the left side, 'x' found"),
        ("1 ~ x", 1, 1, "the name of a variable expected, '1' found"),
        ("f =~ 3", 1, 6, "a number or NA goes before it"),
        ("y ~ 2", 1, 5, "a number or NA goes before it"),
        ("f =~ efa(1)*x1", 1, 6, "the modifier efa(…) is not available; only start(…), c(…), label(…) and equal(…)"),
        ("f =~ equal(1)*x1", 1, 12, "a text in quotation marks expected, '1' found"),
        ("f =~ c(1, 2)*c(a, b, d)*x1", 1, 14, "3 groups here, 2 in the modifier before"),
        ("f =~ start(a)*x1", 1, 12, "a variable or a number expected, 'a' found"),
        ("f =~ a*b*x1", 1, 8, "'b' contradicts"),
        ("f =~ 1*NA*x1", 1, 8, "'NA' contradicts"),
        ("y ~ a*x\na == q", 2, 6, "no parameter is labelled 'q'"),
        ("a > 0", 1, 3, "constraints with '>'"),
        ("f =~ x1 + x1", 1, 11, "'f =~ x1' is written twice"),
        ("a ~~ b\nb ~~ a", 2, 6, "'b ~~ a' is written twice"),
        ("y ~ y", 1, 5, "cannot stand on both sides"),
        ("f =~ x1 + x2\nf <~ x3", 2, 6, "both measured (=~) and composed (<~)"),
        ("y ~ path*x\ni := pth*2", 2, 6, "no parameter is labelled 'pth'; did you mean 'path'"),
        ("y ~ a*x\na := 2", 2, 1, "'a' already names a parameter"),
        ("y ~ a*x\ni := sin(a)", 2, 6, "sin(…) is not known; use one of exp, log, sqrt"),
        ("y ~ a*x\ni := (a + 1", 2, 12, "')' expected, the end of the statement found"),
        ("y ~ a*x\ni := a *", 2, 9, "a label, a number or '(' expected, the end"),
    ],
)  # fmt: skip
def test_errors_point_at_the_place(syntax, line, character, message):
    with pytest.raises(ModelError, match=re.escape(message)) as caught:
        Model(syntax)
    head, shown, caret = str(caught.value).split("\n")
    assert head.startswith(f"Model, line {line}, character {character}: ")
    assert shown == "    " + syntax.split("\n")[line - 1].rstrip()
    assert caret.endswith("^")


def test_the_caret_stands_under_the_fault_on_screen():
    """A Chinese character is two columns wide, so the caret moves two columns for each."""
    with pytest.raises(ModelError) as narrow:
        Model("ab =~ cd ? e")
    with pytest.raises(ModelError) as wide:
        Model("满意 =~ cd ? e")
    assert str(narrow.value).split("\n")[2] == " " * (4 + 9) + "^"
    assert str(wide.value).split("\n")[2] == " " * (4 + 9 + 2) + "^"


def test_an_empty_model():
    with pytest.raises(ModelError, match="The model is empty"):
        Model("# nothing\n;;")


def test_first_loading_sets_the_unit():
    table = rows("f =~ x1 + x2 + x3")
    assert table["f", "=~", "x1"].fixed == 1.0
    assert table["f", "=~", "x2"].free
    assert table["f", "~~", "f"].free
    assert len(table) == 7


def test_std_lv_sets_the_unit_by_variances():
    table = rows("f =~ x1 + x2 + x3\ng =~ y1 + y2\ng ~ f", std_lv=True)
    assert table["f", "=~", "x1"].free
    assert table["f", "~~", "f"].fixed == table["g", "~~", "g"].fixed == 1.0


def test_na_frees_the_first_loading():
    assert rows("f =~ NA*x1 + x2 + x3\nf ~~ 1*f")["f", "=~", "x1"].free


def test_exogenous_constructs_covary_unless_orthogonal():
    syntax = "f =~ x1 + x2\ng =~ x3 + x4\nh =~ y1 + y2\nh ~ f + g"
    assert rows(syntax)["f", "~~", "g"].free
    assert ("f", "~~", "g") not in rows(syntax, orthogonal=True)
    assert not {("f", "~~", "h"), ("h", "~~", "f")} & set(rows(syntax))


def test_residuals_of_terminal_variables_covary():
    """Observed and latent alike; lavaan's parameter table of this model has x7 ~~ x8 and no other pair."""
    syntax = "f =~ x1 + x2\ng =~ f + x3 + x4 + x5\nx6 ~ g\nx7 ~ x6\nx8 ~ f"
    pairs = {(a, b) for a, op, b in rows(syntax) if op == "~~" and a != b}
    assert pairs == {("x7", "x8")}
    assert ("x7", "~~", "x8") not in rows(syntax, auto_cov_y=False)


def test_moments_of_observed_predictors_come_from_the_sample():
    table = rows("y ~ x1 + x2")
    assert all(table[pair].sampled for pair in [("x1", "~~", "x1"), ("x1", "~~", "x2"), ("x2", "~~", "x2")])
    free = rows("y ~ x1 + x2", fixed_x=False)
    assert free["x1", "~~", "x2"].free
    assert free["x1", "~~", "x2"].predictor


def test_a_predictor_whose_variance_is_written_is_a_random_variable():
    table = rows("y ~ x1 + x2\nx1 ~~ x1")
    assert table["x1", "~~", "x1"].free
    assert not table["x1", "~~", "x1"].predictor
    assert ("x1", "~~", "x2") not in table


def test_a_single_indicator_has_no_residual_variance():
    assert rows("f =~ x1\ny ~ f")["x1", "~~", "x1"].fixed == 0.0
    assert rows("f =~ x1\ny ~ f\nx1 ~~ x1")["x1", "~~", "x1"].free


def test_a_label_at_a_fixed_value_fixes_its_equals():
    """As in lavaan: f =~ a*x1 + a*x2 has both loadings at 1, since the first one sets the unit."""
    assert rows("f =~ a*x1 + a*x2 + x3")["f", "=~", "x2"].fixed == 1.0


def test_written_parameters_replace_the_defaults():
    table = rows("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\nf ~~ 0*g\nx1 ~~ 0.3*x1")
    assert table["f", "~~", "g"].fixed == 0.0
    assert table["x1", "~~", "x1"].fixed == 0.3


@pytest.mark.parametrize(
    ("text", "value"),
    [("a + b*2", 8.0), ("(a + b)*2", 10.0), ("-a^2", -4.0), ("a - b - 1", -2.0), ("a/b/2", 1 / 3), ("2^a^b", 256.0),
     ("sqrt(a*8) + exp(0) + log(1)", 5.0), ("a*-b", -6.0)],
)  # fmt: skip
def test_arithmetic_of_definitions(text, value):
    model = Model(f"y ~ a*x1 + b*x2\nd := {text}")
    found = evaluate(model.definitions[0].expression, {"a": np.array(2.0), "b": np.array(3.0)})
    assert found == pytest.approx(value)


def test_a_definition_may_use_an_earlier_one():
    model = Model("y ~ a*x\nz ~ b*y\ni := a*b\nj := 2*i")
    assert [d.name for d in model.definitions] == ["i", "j"]


@pytest.mark.parametrize(
    "text", ["(" * 101 + "a" + ")" * 101, "-" * 101 + "a", "2^" * 101 + "a", "exp(" * 101 + "a" + ")" * 101]
)
def test_definitions_are_not_nested_without_end(text):
    with pytest.raises(
        ModelError, match=r"Model, line 2, character \d+: more than 100 brackets and signs inside one another"
    ):
        Model(f"y ~ a*x\nind := {text}")
    deep = "(" * 90 + "a" + ")" * 90
    assert evaluate(Model(f"y ~ a*x\nind := {deep}").definitions[0].expression, {"a": np.float64(3)}) == 3


def test_definitions_have_no_thousand_operands():
    with pytest.raises(ModelError, match=r"line 2, .*more than 400 operands in one definition"):
        Model("y ~ a*x\nind := " + "+".join(["a"] * 2000))
    long = Model("y ~ a*x\nind := " + "+".join(["a"] * 399)).definitions[0].expression
    assert evaluate(long, {"a": np.float64(1)}) == 399


@pytest.mark.parametrize("number", ["1e300", "1e400", "1e-300"])
@pytest.mark.parametrize("model", ["y ~ {}*x", "y ~ start({})*x", "f =~ x + {}*y", "y ~ a*x; ind := {}*a"])
def test_numbers_that_overflow_are_refused(model, number):
    text = model.format(number)
    place = text.index(number) + 1
    with pytest.raises(ModelError, match=rf"character {place}: {number} is too large or too small: .* 1e-30 and 1e30"):
        Model(text)


def test_a_model_of_constructs_alone():
    with pytest.raises(ModelError, match="line 1, character 4: no variable of the data"):
        Model("f=~g\ng<~h\nh<~f")


def test_a_model_is_a_text():
    with pytest.raises(ModelError, match="A model is a text such as 'loyalty ~ quality'; found int"):
        Model(5)


def test_definitions_without_a_value_are_not_finite():
    parsed = Model("y ~ a*x; one := a/0; two := log(0-a); three := 10^(a*999)").definitions
    assert not any(np.isfinite(evaluate(d.expression, {"a": np.float64(1)})) for d in parsed)
