"""What was asked: scales, the index tree, the study file, the codebook, and the wording of their errors."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csat.design import Design
from csat.errors import CsatError, MissingFileError, QuestionnaireError, UnknownItemError
from csat.questionnaire import (
    GRADES,
    Column,
    Dimension,
    Grade,
    Item,
    Process,
    Questionnaire,
    Scale,
    read_questionnaire,
    text_of,
    write_codebook,
)

FIXTURES = Path(__file__).parent / "fixtures"

STUDY = """
[study]
name = "gansu-2026"
texts = { zh = "满意度", en = "Satisfaction" }
outcome = "overall"
index = "satisfaction"

[design]
weight = "w"
stratum = "city"
psu = "hall"
replicates = ["r1", "r2"]

[scales.ten]
low = 1
high = 10
missing = { 98 = "dont_know", 99 = "not_used" }
labels = { 1 = { zh = "很不满意", en = "Very dissatisfied" }, 10 = { zh = "很满意" }, 98 = { zh = "不知道" } }

[scales.five]
low = 1
high = 5
conversion = "grade"

[scales.turned]
low = 1
high = 3
conversion = "grade"
scores = { 1 = 100, 2 = 70, 3 = 0 }

[scales.slider]
low = 0
high = 1
step = "any"
labels = { "0.5" = { en = "half" } }

[items.C11]
scale = "ten"
zh = "企业知名度"
en = "Brand awareness"
[items.C12]
scale = "five"
[items.C21]
scale = "ten"
[items.overall]
scale = "ten"

[processes.P1]
scale = "turned"
zh = "网络性能"

[dimensions.satisfaction]
zh = "客户满意度"
children = { value = 0.7, "形象" = 0.3 }
[dimensions."形象"]
children = ["C11", "C12"]
weights = "estimated"
[dimensions.value]
children = ["C21", "P1"]

[columns.brand]
labels = { gotone = { zh = "全球通", en = "GoTone" }, mzone = { zh = "动感地带" } }
[columns.id]
kind = "id"

[grades.good]
zh = "好"
score = 90
from = 50
[grades.bad]
score = 20
from = 0

[model]
syntax = "value =~ C21 + P1"

[report]
own = "gansu"
by = ["city", "brand"]
against = "xian"
period = "2026Q3"
"""


def study_at(folder, text=STUDY):
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def asked(tmp_path):
    return read_questionnaire(study_at(tmp_path))


# -- scales ---------------------------------------------------------------------------------------


def test_linear_conversion_runs_from_0_to_100():
    ten = Scale("ten", 1, 10)
    assert ten.score(np.array([1, 5.5, 10, np.nan])).tolist()[:3] == [0, 50, 100]
    assert np.isnan(ten.score(np.array([np.nan]))).all()
    assert ten.midpoint == 5.5
    assert ten.levels == tuple(float(i) for i in range(1, 11))


def test_grade_scores_are_those_of_the_gansu_study():
    five = Scale("five", 1, 5, conversion="grade")
    assert five.score(np.array([5, 4, 3, 2, 1])).tolist() == [100, 80, 60, 40, 20]
    assert five.affine == (0.0, 20.0)
    assert np.isnan(five.score(np.array([2.5]))).all()


def test_grade_scores_off_a_line_have_no_affine_form():
    turned = Scale("turned", 1, 3, conversion="grade", scores={1: 100, 2: 70, 3: 0})
    assert turned.affine is None
    assert turned.score(np.array([1, 2, 3])).tolist() == [100, 70, 0]


@given(
    low=st.integers(-5, 5),
    steps=st.integers(1, 20),
    step=st.sampled_from([0.1, 0.25, 0.5, 1, 2]),
)
def test_the_affine_form_agrees_with_the_scores(low, steps, step):
    scale = Scale("s", low, low + steps * step, step)
    a, b = scale.affine
    levels = np.array(scale.levels)
    assert len(levels) == steps + 1
    np.testing.assert_allclose(a + b * levels, scale.score(levels), atol=1e-9)
    assert scale.score(levels)[[0, -1]].tolist() == [0, 100]


def test_a_continuous_scale_has_no_levels():
    assert Scale("bar", 0, 1, step=None).levels == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"low": 10, "high": 10}, "low=10 must be below high=10"),
        ({"low": float("nan")}, "'low': nan is not a finite number"),
        ({"step": 0}, 'above 0, or "any"'),
        ({"step": 4}, "steps of 4 from 1 do not arrive at 10"),
        ({"step": 0.001}, 'too many; write step = "any"'),
        ({"missing": {5: "dont_know"}}, "code 5 overlaps the answers 1–10"),
        ({"missing": {98: "dontknow"}}, "Did you mean 'dont_know'"),
        ({"labels": {11: {"en": "Eleven"}}}, "11 is neither a level (1–10) nor a missing code"),
        ({"labels": {1: {"en": "Good"}, 2: {"zh": "ＧＯＯＤ"}}}, "is the label of both 1 and 2"),
        ({"labels": {1: {"en": "10"}}}, "reads as the number 10"),
        ({"conversion": "logit"}, "choose one of linear, grade"),
        ({"conversion": "grade"}, "levels 1, 2, 3, 4, 5 only; write `scores`"),
        ({"scores": {1: 2}}, 'scores need conversion = "grade"'),
        ({"low": 1, "high": 2, "conversion": "grade", "scores": {1: 0}}, "differ at 2"),
        ({"low": 1, "high": 2, "conversion": "grade", "scores": {1: 0, 2: 120}}, "outside 0–100"),
        ({"low": 1, "high": 3, "conversion": "grade", "scores": {1: 0, 2: 50, 3: 20}}, "all rise or all fall"),
    ],
)
def test_a_scale_that_contradicts_itself_is_refused(change, words):
    with pytest.raises(QuestionnaireError) as raised:
        Scale(**{"name": "ten", "low": 1, "high": 10, **change})
    assert words in str(raised.value)
    assert "[scales.ten]" in str(raised.value)


# -- study file -----------------------------------------------------------------------------------


def test_a_study_file_says_everything(asked):
    assert asked.name == "gansu-2026"
    assert asked.outcome == "overall"
    assert asked.codes == ("C11", "C12", "C21", "overall", "P1")
    assert isinstance(asked.processes[0], Process)
    assert asked.item("P1").scale.name == "turned"
    assert asked.scale_of("C11").missing == {98: "dont_know", 99: "not_used"}
    assert asked.scale_of("C11").labels[10] == {"zh": "很满意"}
    assert asked.scales[3].labels == {0.5: {"en": "half"}}
    assert asked.scales[3].step is None
    assert asked.design == Design("w", "city", "hall", replicates=("r1", "r2"))
    assert asked.settings == {"own": "gansu", "by": ["city", "brand"], "against": ["xian"], "period": "2026Q3"}
    assert asked.grades == (Grade("good", {"zh": "好"}, 90, 50), Grade("bad", {}, 20, 0))
    assert asked.model == "value =~ C21 + P1"
    assert asked.column_of_kind("id") == "id"


def test_texts_fall_back_to_another_language_then_to_the_code(asked):
    assert asked.text("C11", "zh") == "企业知名度"
    assert asked.text("P1", "en") == "网络性能"
    assert asked.text("C12", "en") == "C12"
    assert asked.text("形象", "en") == "形象"
    assert asked.text("good", "en") == "好"
    assert asked.value_text("brand", "gotone", "en") == "GoTone"
    assert asked.value_text("brand", "other", "en") == "other"
    assert asked.value_text("C11", 10.0, "en") == "很满意"
    assert asked.value_text("C11", "1", "en") == "Very dissatisfied"
    assert asked.value_text("C11", 4.0, "en") == "4"
    assert asked.value_text("city", "x", "en") == "x"
    assert text_of({}, "en", "code") == "code"


def test_the_tree_is_walked_parents_first(asked):
    assert asked.nodes == ("satisfaction", "value", "C21", "P1", "形象", "C11", "C12")
    assert asked.leaves == ("C21", "P1", "C11", "C12")
    assert [asked.kind(node) for node in ("satisfaction", "value", "P1")] == ["index", "dimension", "item"]
    assert [asked.depth(node) for node in ("satisfaction", "value", "P1")] == [0, 1, 2]
    assert [asked.parent(node) for node in ("satisfaction", "value", "P1")] == [None, "satisfaction", "value"]
    with pytest.raises(UnknownItemError, match="No node of the index tree 'overall'"):
        asked.depth("overall")


def test_estimated_weights_must_be_supplied(asked):
    with pytest.raises(QuestionnaireError, match="with_weights"):
        asked.tree_matrix()
    ready = asked.with_weights({"形象": {"C12": 0.25, "C11": 0.75}})
    expected = [[0.35, 0.35, 0.225, 0.075], [0.5, 0.5, 0, 0], [0, 0, 0.75, 0.25], [0, 1, 0, 0]]
    np.testing.assert_allclose(ready.tree_matrix(["satisfaction", "value", "形象", "P1"]), expected, atol=1e-15)
    np.testing.assert_allclose(ready.tree_matrix().sum(axis=1), 1)
    with pytest.raises(QuestionnaireError, match="differ at 'C12'"):
        asked.with_weights({"形象": {"C11": 1.0}})
    with pytest.raises(UnknownItemError, match="No dimension 'imag'"):
        asked.with_weights({"imag": {}})


def test_a_study_without_a_tree_is_allowed():
    bare = Questionnaire("bare", scales=(), items=(Item("a", Scale("two", 0, 1)),))
    assert bare.root is None
    assert bare.nodes == bare.leaves == ()
    assert bare.grades == GRADES
    assert [grade.cut for grade in GRADES] == [80, 60, 40, 20, 0]


def test_the_only_top_of_the_tree_is_the_index(tmp_path):
    asked = read_questionnaire(study_at(tmp_path, STUDY.replace('index = "satisfaction"\n', "")))
    assert asked.root == "satisfaction"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[study]", "[studdy]\n[study]", "key 'studdy': not known here. Did you mean 'study'"),
        ("outcome =", "outcom =", "[study], key 'outcom': not known here. Did you mean 'outcome'"),
        ('outcome = "overall"', 'outcome = "overal"', "[study], key 'outcome': 'overal' is neither an item nor"),
        ('index = "satisfaction"', 'index = "satisfacton"', "Did you mean 'satisfaction'"),
        ('name = "gansu-2026"', "", "[study], key 'name': is missing"),
        ('name = "gansu-2026"', "name = 3", "[study], key 'name': 3 is not a text"),
        ("high = 10", "high = 1" + "0" * 400, "[scales.ten], key 'high': is no finite number"),
        ("high = 10", 'high = "10"', "[scales.ten], key 'high': '10' is not a number"),
        ("high = 10", "high = true", "[scales.ten], key 'high': True is not a number"),
        ("high = 10\n", "", "[scales.ten], key 'high': is missing"),
        ("high = 10", "high = 10\nhigh = 10", "is not valid TOML"),
        ('"形象" = 0.3', "形象 = 0.3", "the key '形象' needs quotes"),
        ('99 = "not_used"', '7 = "not_used"', "[scales.ten], key 'missing': code 7 overlaps"),
        ('99 = "not_used"', '"98.0" = "not_used"', "code 98 is there twice"),
        ('99 = "not_used"', 'x = "not_used"', "[scales.ten.missing], key 'x': is not a number"),
        ('labels = { "0.5" =', "labels = { 0.5 =", "put decimal codes in quotes"),
        ('[items.C12]\nscale = "five"', '[items.C12]\nscale = "fife"', "[items.C12], key 'scale': no scale 'fife'"),
        ('[items.C12]\nscale = "five"', "[items.C12]", "[items.C12], key 'scale': is missing"),
        ("[items.C12]", "[items.c11]\nscale = 'ten'\n[items.C12]", "used twice: also in [items] (as 'C11'"),
        ("[processes.P1]", "[processes.C11]", "[processes.C11]: the code is used twice: also in [items]"),
        ('en = "Brand awareness"', 'fr = "Marque"', "[items.C11], key 'fr': not known here"),
        ("value = 0.7", "value = 0.8", "[dimensions.satisfaction], key 'weights': sum to 1.1, not 1"),
        ("value = 0.7", "value = -0.7", "'value' has weight -0.7; it must be 0 or more"),
        ("value = 0.7", "vlue = 0.7", "'vlue' is neither an item, a process nor a dimension. Did you mean 'value'"),
        ('children = ["C21", "P1"]', "children = []", "[dimensions.value], key 'children': is empty"),
        ('children = ["C21", "P1"]', "", "[dimensions.value], key 'children': must be a list"),
        ('children = ["C21", "P1"]', 'children = ["C21", "C21"]', "'C21' is named twice"),
        ('children = ["C21", "P1"]', 'children = ["C21", "C11"]', "'C11' has two parents, '形象' and 'value'"),
        ('children = ["C21", "P1"]', 'children = ["C21", "satisfaction"]', "runs in a circle: satisfaction → value →"),
        (
            'children = ["C21", "P1"]',
            'children = ["C21"]\n[dimensions.lost]\nchildren=["P1"]',
            "[dimensions.lost]: is an orphan",
        ),
        ('weights = "estimated"', 'weights = "guessed"', "'guessed' is not known; write \"equal\""),
        ('weights = "estimated"', "weights = [1.0]", "1 weights for 2 children"),
        ('weights = "estimated"', "weights = {C11 = 1.0}", "'C12' is not among both weights and children"),
        ('weights = "estimated"', "weights = 3", "3 is neither a list nor a table"),
        (
            'kind = "id"',
            'kind = "categry"',
            "[columns.id], key 'kind': 'categry' is not known. Did you mean 'category'",
        ),
        ('kind = "id"', 'kind = "id"\n[columns.no]\nkind = "id"', "only one column can be 'id'"),
        ('mzone = { zh = "动感地带" }', 'mzone = { zh = "全球通" }', "'全球通' is the label of both gotone and mzone"),
        ('stratum = "city"', 'stratum = "w"', "[design]: Design uses column 'w' for two roles"),
        ('stratum = "city"', 'strata = "city"', "[design], key 'strata': not known here. Did you mean 'stratum'"),
        ('weight = "w"', 'weight = "C11"', "'C11' is a scaled question; it cannot describe the sample"),
        ("score = 90", "score = 190", "[grades.good], key 'score': 190 is outside 0–100"),
        ("from = 50", "from = 0", "[grades.bad], key 'from': must be below that of 'good'"),
        ("score = 20\nfrom = 0", "score = 20\nfrom = 5", "the lowest grade must start at 0"),
        ('own = "gansu"', 'owns = "gansu"', "[report], key 'owns': not known here. Did you mean 'own'"),
        ('syntax = "', 'sintax = "', "[model], key 'sintax'"),
    ],
)
def test_errors_name_file_table_and_key(tmp_path, old, new, words):
    assert old in STUDY
    with pytest.raises(QuestionnaireError) as raised:
        read_questionnaire(study_at(tmp_path, STUDY.replace(old, new, 1)))
    assert words in str(raised.value)
    assert str(raised.value).startswith("study.toml")


def test_an_unknown_code_names_its_neighbours(asked):
    with pytest.raises(UnknownItemError, match=r"No item 'C13' in this questionnaire. Did you mean 'C"):
        asked.item("C13")


def test_files_that_are_no_questionnaire(tmp_path):
    study_at(tmp_path)
    with pytest.raises(MissingFileError, match=r"Did you mean 'study\.toml'"):
        read_questionnaire(tmp_path / "studi.toml")
    with pytest.raises(MissingFileError, match="is a folder"):
        read_questionnaire(tmp_path)
    (tmp_path / "study.docx").write_bytes(b"")
    with pytest.raises(QuestionnaireError, match=r"a questionnaire is a \.toml, \.xlsx, \.csv file"):
        read_questionnaire(tmp_path / "study.docx")
    (tmp_path / "gb.toml").write_bytes(STUDY.encode("gb18030"))
    with pytest.raises(QuestionnaireError, match="is not UTF-8 text"):
        read_questionnaire(tmp_path / "gb.toml")
    (tmp_path / "bom.toml").write_bytes(STUDY.encode("utf-8-sig"))
    assert read_questionnaire(tmp_path / "bom.toml").name == "gansu-2026"


# -- codebook -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_a_codebook_says_the_same_as_the_study_file(tmp_path, asked, ending):
    path = tmp_path / f"codebook.{ending}"
    write_codebook(asked, path)
    assert read_questionnaire(path) == asked
    weighted = asked.with_weights({"形象": {"C11": 0.1, "C12": 0.9}})
    write_codebook(replace(weighted, grades=GRADES, model=None, settings={}), path)
    assert read_questionnaire(path) == replace(weighted, grades=GRADES, model=None, settings={})


def test_the_ecsi_study_survives_the_codebook(tmp_path):
    asked = read_questionnaire(FIXTURES / "ecsi" / "study.toml")
    write_codebook(asked, tmp_path / "ecsi.xlsx")
    assert read_questionnaire(tmp_path / "ecsi.xlsx") == asked
    assert len(asked.codes) == 24
    assert len(asked.leaves) == 17


CODEBOOK = """table;key;value;code;scale;low;high;missing;parent;child;weight;zh;column;kind;score
study;name;q;;;;;;;;;;;;
study;design.replicates;r1；r2;;;;;;;;;;;
scales;;;ten;;1;10;;;;;;;;
levels;;99;;ten;;;not_used;;;;没用过;;;
items;;;企业知名度;ten;;;;;;;企业知名度;;;
items;;;B;ten;;;;;;;;;;
dimensions;;;总;;;;;;;;;;;
tree;;;;;;;;总;企业知名度;0.4;;;;
tree;;;;;;;;总;B;0.6;;;;
columns;;;brand;;;;;;;;;;category;
values;;1;;;;;;;;;全球通;brand;;
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_codebook_written_by_hand(tmp_path, encoding, separator):
    path = tmp_path / "book.csv"
    path.write_bytes(CODEBOOK.replace(";", separator).encode(encoding))
    asked = read_questionnaire(path)
    assert asked.root == "总"
    assert asked.dimension("总").weights == (0.4, 0.6)
    assert asked.scale_of("企业知名度").missing == {99: "not_used"}
    assert asked.value_text("brand", "1", "zh") == "全球通"
    assert asked.design.replicates == ("r1", "r2")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("scales;", "scale;", "book.csv, row 4, key 'table': 'scale' is not known. Did you mean 'scales'"),
        ("child;", "kid;", "book.csv, row 1: column 'kid' is not known. Did you mean"),
        (";kind;", ";value;", "column 'value' is there twice"),
        ("items;;;B", "items;;;企业知名度", "book.csv, row 7, [items.企业知名度]: the code is used twice"),
        ("items;;;B;ten", "items;;;B;tan", "book.csv, row 7, [items.B], key 'scale': no scale 'tan'"),
        ("items;;;B;ten", "items;;;B;ten;4", "[items], key 'low': a row of this table has no such cell"),
        ("levels;;99;;ten", "levels;;99;;tan", "row 5, key 'scale': no scale 'tan'. Did you mean 'ten'"),
        ("levels;;99", "levels;;", "row 5, key 'value': the cell is empty"),
        (";1;10;", ";one;10;", "row 4, key 'low': 'one' is not a number"),
        ("B;0.6", "B;", "[dimensions.总], key 'weight': 'B' has none; give all or none"),
        ("B;0.6", "B;0.7", "book.csv, row 8, [dimensions.总], key 'weights': sum to 1.1, not 1"),
        ("study;design.replicates", "study;name", "row 3, [study], key 'name': is there twice"),
        ("study;design.replicates", "study;desing.replicates", "key 'desing': not known here. Did you mean 'design'"),
        ("B;0.6", 'B;"0.6', "a quotation mark is out of place"),
        ("values;;1", "values;;1;;;;;;;;;a;brand;;\nvalues;;1", "[columns.brand], key '1': is there twice"),
    ],
)
def test_codebook_errors_name_the_row(tmp_path, old, new, words):
    assert old in CODEBOOK
    path = tmp_path / "book.csv"
    path.write_text(CODEBOOK.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(QuestionnaireError) as raised:
        read_questionnaire(path)
    assert words in str(raised.value)
    assert "book.csv" in str(raised.value)


def test_workbook_errors_name_the_sheet(tmp_path, asked):
    from openpyxl import load_workbook

    path = tmp_path / "book.xlsx"
    write_codebook(asked, path)
    book = load_workbook(path)
    book["items"]["B2"] = "twelve"
    book.save(path)
    with pytest.raises(QuestionnaireError, match=r"book\.xlsx, sheet 'items', row 2, \[items\.C11\], key 'scale'"):
        read_questionnaire(path)
    book["items"].title = "itms"
    book.save(path)
    with pytest.raises(QuestionnaireError, match=r"sheet 'itms' is not known. Did you mean 'items'"):
        read_questionnaire(path)
    path.write_bytes(b"no workbook")
    with pytest.raises(QuestionnaireError, match="cannot be opened as an Excel workbook"):
        read_questionnaire(path)


def test_a_codebook_needs_a_known_ending_and_encoding(tmp_path, asked):
    with pytest.raises(QuestionnaireError, match=r"a codebook is a \.xlsx or \.csv file"):
        write_codebook(asked, tmp_path / "book.ods")
    (tmp_path / "book.csv").write_bytes("table,key\nstudy,caf\xe9\n".encode("latin-1"))
    with pytest.raises(QuestionnaireError, match="neither UTF-8 nor GB18030"):
        read_questionnaire(tmp_path / "book.csv")


def test_text_that_looks_like_a_formula_stays_text(tmp_path):
    path = tmp_path / "book.xlsx"
    asked = Questionnaire("=1+1", columns=(Column("a", "category", {"en": "=SUM(A1)"}),))
    write_codebook(asked, path)
    assert read_questionnaire(path) == asked


# -- built in Python ------------------------------------------------------------------------------


def test_parts_check_themselves():
    ten = Scale("ten", 1, 10)
    with pytest.raises(QuestionnaireError, match="labels need kind"):
        Column("x", "number", labels={"a": {}})
    with pytest.raises(QuestionnaireError, match="must not be blank"):
        Questionnaire("q", items=(Item(" a", ten),))
    with pytest.raises(QuestionnaireError, match=r"\[items\]: 5 must be text, not int"):
        Questionnaire("q", items=(Item(5, ten),))
    with pytest.raises(QuestionnaireError, match="must be a Scale, not 'ten'"):
        Item("a", "ten")
    with pytest.raises(QuestionnaireError, match="name the dimension on top"):
        Questionnaire("q", items=(Item("a", ten),), dimensions=(Dimension("d", {}, ("a",)),))
    with pytest.raises(QuestionnaireError, match="at least two grades"):
        Questionnaire("q", grades=GRADES[:1])
    circle = (Dimension("d", {}, ("e",)), Dimension("e", {}, ("d",)))
    with pytest.raises(CsatError, match="circle: d → e → d"):
        Questionnaire("q", dimensions=circle, root="d")


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=6), st.integers(1, 4))
def test_rows_of_the_tree_matrix_sum_to_one(raw, width):
    ten = Scale("ten", 1, 10)
    weights = np.array(raw) / sum(raw)
    weights[-1] = 1 - weights[:-1].sum()
    inner = tuple(Dimension(f"d{i}", {}, tuple(f"i{i}_{j}" for j in range(width))) for i in range(len(raw)))
    items = tuple(Item(code, ten) for node in inner for code in node.children)
    top = Dimension("top", {}, tuple(node.code for node in inner), tuple(np.abs(weights).tolist()))
    asked = Questionnaire("q", items=items, dimensions=(*inner, top), root="top")
    matrix = asked.tree_matrix()
    assert matrix.shape == (1 + len(raw) * (1 + width), len(raw) * width)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-9)
    np.testing.assert_array_equal(asked.tree_matrix(asked.leaves), np.eye(len(asked.leaves)))
