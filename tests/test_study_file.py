"""The study file: slips of the hand answered in words, [weighting], and what the codebook keeps of it."""

import time
import zipfile
from dataclasses import replace

import pytest
from openpyxl import Workbook

import csat
from csat.design import Design, Replication
from csat.errors import CsatError, MissingFileError, OptionError, QuestionnaireError
from csat.questionnaire import (
    Column,
    Dimension,
    Item,
    Questionnaire,
    Scale,
    read_questionnaire,
    write_codebook,
)
from csat.questionnaire.scales import folded, number_in

TEN = Scale("ten", 1, 10)

STUDY = """
[study]
name = "s"

[scales.ten]
low = 1
high = 10

[items."推荐意愿"]
scale = "ten"
zh = "推荐意愿"

[columns.sex]
labels = { f = { zh = "女", en = "Female" }, m = { zh = "男", en = "Male" } }
[columns.age]
labels = { "18-34" = { en = "Young" }, "35+" = { en = "Older" } }
[columns.arpu]
kind = "number"
[columns.quarter]
labels = { q1 = { en = "First" }, q2 = { en = "Second" } }

[report]
peer_column = "sex"
own = "女"
against = ["Male"]
period_column = "quarter"
period = "Second"

[weighting]
method = "logit"
bounds = [0.4, 3]

[weighting.targets.sex]
"女" = 0.52
m = 0.48

[weighting.targets."sex:age"]
"f:18-34" = 25
"女:35+" = 27
"m:Young" = 23
"m:35+" = 25

[weighting.targets]
arpu = 5800
"""


def read(folder, text=STUDY):
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return read_questionnaire(path)


def message(folder, text):
    with pytest.raises(QuestionnaireError) as raised:
        read(folder, text)
    return str(raised.value)


# -- slips of the hand ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('[items."推荐意愿"]', "[items.推荐意愿]", 'Line 9: the key \'推荐意愿\' needs quotes: ["推荐意愿"]'),
        ('"女" = 0.52', "女 = 0.52", "needs quotes: \"女\" = …"),
        ('labels = { f = {', "labels = { 女 = {", "the key '女' needs quotes"),
        ('zh = "推荐意愿"', "zh = “推荐意愿”", "Line 11: texts need straight quotation marks"),
        ("high = 10", "high = 1" + "0" * 5000, "study.toml: holds a number of thousands of digits"),
        ("high = 10", "high = " + "[" * 5000 + "]" * 5000, "study.toml: tables stand too deep inside each other"),
        ('zh = "推荐意愿"', 'zh = "a\\u0001b"', "[items], key '推荐意愿': character 2 is the control character U+0001"),
        ('zh = "女"', 'zh = "\\uFFFE"', "[columns.sex.labels], key 'f': character 1 is the control character U+FFFE"),
        ('[columns.age]', '[columns."\\u200b"]\nkind="id"\n[columns.age]', "a code must not be blank"),
        ('[columns.age]', '[columns."推荐意愿\\u200b"]\n[columns.age]', "the code is used twice: also in [items]"),
    ],
)  # fmt: skip
def test_slips_are_named(tmp_path, old, new, words):
    assert old in STUDY
    assert words in message(tmp_path, STUDY.replace(old, new, 1))


def test_a_long_value_is_cut_in_the_message(tmp_path):
    assert len(message(tmp_path, STUDY.replace("high = 10", f'high = "{"9" * 5000}"'))) < 200


def test_invisible_characters_make_no_difference():
    assert folded("\ufeff女\u200b") == "女"
    assert number_in("1\u200b0") == 10


@pytest.mark.parametrize("path", [None, 3, {}, b"study.toml", ["study.toml"]])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(OptionError, match=f"A {type(path).__name__} is no path"):
        read_questionnaire(path)


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b.toml", "y" * 200])
def test_names_that_no_file_can_have(path):
    with pytest.raises(MissingFileError) as raised:
        read_questionnaire(path)
    assert len(str(raised.value)) < 400


def chain(length):
    nodes = [Dimension(f"d{i}", {}, (f"d{i + 1}",)) for i in range(length)]
    return (*nodes, Dimension(f"d{length}", {}, ("a",)))


def test_a_chain_of_thousands_of_dimensions_is_refused_at_once():
    started = time.process_time()
    with pytest.raises(QuestionnaireError, match="the tree is more than 50 dimensions deep"):
        Questionnaire("q", items=(Item("a", TEN),), dimensions=chain(3000), root="d0")
    assert time.process_time() - started < 5


def test_fifty_dimensions_above_each_other_are_fine():
    asked = Questionnaire("q", items=(Item("a", TEN),), dimensions=chain(49), root="d0")
    assert asked.depth("a") == 50
    assert asked.tree_matrix(["d0"]).tolist() == [[1.0]]


def test_a_wide_tree_is_quick():
    items = tuple(Item(f"i{i}", TEN) for i in range(3000))
    inner = tuple(Dimension(f"d{i}", {}, (f"i{i}",)) for i in range(3000))
    started = time.process_time()
    asked = Questionnaire(
        "q", items=items, dimensions=(*inner, Dimension("top", {}, tuple(f"d{i}" for i in range(3000)))), root="top"
    )
    assert asked.tree_matrix(["top"]).sum() == pytest.approx(1)
    assert time.process_time() - started < 5


# -- [report] -------------------------------------------------------------------------------------


def test_groups_of_the_report_may_be_named_by_their_labels(tmp_path):
    settings = read(tmp_path).settings
    assert (settings["own"], settings["against"], settings["period"]) == ("f", ["m"], "q2")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('peer_column = "sex"', 'peer_column = "sexx"', "key 'peer_column': no column 'sexx' is declared. Did you"),
        ('own = "女"', 'own = "其他"', "[report], key 'own': '其他' is no category of 'sex'"),
        ('period = "Second"', 'period = "Third"', "[report], key 'period': 'Third' is no category of 'quarter'"),
        ('own = "女"', 'own = "女"\nby = ["age", "hall"]', "[report], key 'by': no column 'hall' is declared"),
        ('own = "女"', 'own = "女"\nsplit_by = "hall"', "[report], key 'split_by': no column 'hall' is declared"),
        ('own = "女"', 'own = "女"\nseed = 1.5', "[report], key 'seed': 1.5 is no seed; write a whole number"),
    ],
)
def test_the_report_names_columns_and_groups_that_exist(tmp_path, old, new, words):
    assert words in message(tmp_path, STUDY.replace(old, new, 1))


def test_how_the_report_is_written_survives_the_codebook(tmp_path):
    extra = 'own = "女"\nsplit_by = "age"\nseed = 7\nformats = ["html", "pdf"]\nprevious = "q2/report.json"'
    asked = read(tmp_path, STUDY.replace('own = "女"', extra, 1))
    write_codebook(asked, tmp_path / "book.csv")
    settings = csat.read_questionnaire(tmp_path / "book.csv").settings
    assert {key: settings[key] for key in ("split_by", "seed", "formats", "previous")} == {
        "split_by": "age",
        "seed": 7,
        "formats": ["html", "pdf"],
        "previous": "q2/report.json",
    }


# -- [weighting] ----------------------------------------------------------------------------------


def test_weighting_is_read_with_codes_for_labels(tmp_path):
    assert read(tmp_path).weighting == {
        "method": "logit",
        "bounds": [0.4, 3.0],
        "targets": {
            "sex": {"f": 0.52, "m": 0.48},
            "sex:age": {"f:18-34": 25.0, "f:35+": 27.0, "m:18-34": 23.0, "m:35+": 25.0},
            "arpu": 5800.0,
        },
    }
    assert Questionnaire("q").weighting == {}


def test_rake_is_the_default_method(tmp_path):
    text = STUDY.replace('method = "logit"\nbounds = [0.4, 3]\n', "trim = [0.3, 5]\n").replace("arpu = 5800", "")
    weighting = read(tmp_path, text).weighting
    assert (weighting["method"], weighting["trim"]) == ("rake", [0.3, 5])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('method = "logit"', 'methd = "logit"', "[weighting], key 'methd': not known here. Did you mean 'method'"),
        ('method = "logit"', 'method = "logist"', "choose one of rake, poststratify, linear, exponential, logit, bou"),
        ("bounds = [0.4, 3]", "bounds = [3, 0.4]", "[weighting], key 'bounds': [3, 0.4]: 0 ≤ low < 1 < high is needed"),
        ("bounds = [0.4, 3]", "bounds = 3", "key 'bounds': 3 is no pair such as [0.3, 3]"),
        ("bounds = [0.4, 3]", "bounds = [0.4, 3]\ntotal = 0", "[weighting], key 'total': 0 must be above 0"),
        ('method = "logit"\nbounds = [0.4, 3]', "", "key 'arpu': 'rake' knows categories only"),
        (
            'method = "logit"',
            'method = "linear"',
            "key 'bounds': 'linear' takes no bounds = [low, high]; they belong to",
        ),
        ("bounds = [0.4, 3]", "", "key 'bounds': 'logit' needs bounds = [low, high]"),
        (
            "bounds = [0.4, 3]",
            "bounds = [0.4, 3]\ntrim = [0.3, 3]",
            "key 'trim': goes with rake, poststratify, exponen",
        ),
        ("m = 0.48", "m = -0.48", "[weighting.targets.sex], key 'm': the target -0.48 must be 0 or more"),
        ("m = 0.48", "m = 0.45", "[weighting.targets.sex]: the shares sum to 0.97, not 1."),
        ("m = 0.48", "m = 48", "[weighting.targets.sex:age]: sums to 100, but 'sex' to 48.52."),
        ("m = 0.48", 'm = 0.24\n"男" = 0.24', "key '男': is there twice: category 'm' has a target"),
        ("m = 0.48", "x = 0.48", "[weighting.targets.sex], key 'x': is no category of 'sex'. Did you mean"),
        ("m = 0.48", 'm = "half"', "[weighting.targets.sex], key 'm': 'half' is not a number"),
        ('"m:35+" = 25', '"m" = 25', "key 'm': names 1 categories for 2 columns; write them as sex:age"),
        ('targets."sex:age"', 'targets."sex:agee"', "[weighting.targets.sex:agee]: no column 'agee'. Did you mean"),
        ("arpu = 5800", "quarter = 3", "[weighting.targets.quarter]: 3 is no table of categories"),
        (
            STUDY[STUDY.index('method = "logit"') :],
            'method = "poststratify"\n[weighting.targets]\nsex = { f = 1, m = 1 }\nage = { "18-34" = 2 }',
            "'poststratify' takes one margin, not 2",
        ),
        (STUDY[STUDY.index("[weighting.targets.sex]") :], "", "[weighting.targets]: is missing; write a table"),
    ],
)
def test_weighting_errors_name_the_margin(tmp_path, old, new, words):
    assert old in STUDY
    assert words in message(tmp_path, STUDY.replace(old, new, 1))


def test_with_a_total_every_margin_is_scaled(tmp_path):
    asked = read(
        tmp_path, STUDY.replace("bounds = [0.4, 3]", "bounds = [0.4, 3]\ntotal = 1000").replace("m = 0.48", "m = 0.45")
    )
    assert asked.weighting["total"] == 1000


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_the_codebook_keeps_weighting_and_replicates(tmp_path, ending):
    made = Replication("Fay", rho=0.5, scale=0.1, rscales=[0.5, 1.5], combined=False, mse=True, df=4)
    asked = replace(read(tmp_path), design=Design("w", replicates=("r1", "r2"), replication=made, lone_psu="adjust"))
    asked = replace(asked, weighting={**asked.weighting, "total": 1e6})
    path = tmp_path / f"book.{ending}"
    write_codebook(asked, path)
    assert read_questionnaire(path) == asked


def test_a_target_given_twice_in_a_codebook_is_named(tmp_path):
    path = tmp_path / "book.csv"
    rows = ["table,key,value,margin,category,target", "study,name,q,,,", *["targets,,,sex,f,1"] * 2]
    path.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(QuestionnaireError, match=r"book\.csv, row 4, \[weighting\.targets\.sex\], key 'f': is there"):
        read_questionnaire(path)


def test_switches_are_true_or_false(tmp_path):
    text = STUDY + '\n[design]\nreplicate_kind = "JK1"\nreplicate_mse = "yes"\n'
    assert "[design], key 'replicate_mse': 'yes' is neither true nor false" in message(tmp_path, text)
    text = STUDY + '\n[design]\nreplicate_kind = "JK1"\nreplicate_rscales = ["x"]\n'
    assert "[design], key 'replicate_rscales': 'x' is not a number" in message(tmp_path, text)


# -- texts and workbooks --------------------------------------------------------------------------


def test_missing_texts_are_listed():
    labels = {"f": {"zh": "女", "en": "Female"}, "m": {"zh": "男"}}
    asked = Questionnaire(
        "q",
        {"zh": "研究", "en": "Study"},
        items=(Item("a", TEN, {"zh": "网络"}),),
        columns=(Column("sex", labels=labels),),
    )
    listed = asked.missing_texts()
    assert list(listed.columns) == ["table", "key", "lang", "shown"]
    assert list(listed.itertuples(index=False, name=None)) == [
        ("items", "a", "en", "网络"),
        ("columns", "sex", "zh", "sex"),
        ("columns", "sex", "en", "sex"),
        ("columns.sex.labels", "m", "en", "男"),
    ]
    assert Questionnaire("q", grades=[replace(g, texts={}) for g in asked.grades]).missing_texts().empty


def test_a_codebook_with_formulas_never_computed_is_refused(tmp_path):
    book = Workbook()
    book.active.title = "study"
    for row in (("key", "value"), ("name", '="a"&"b"')):
        book.active.append(row)
    book.save(tmp_path / "book.xlsx")
    with pytest.raises(QuestionnaireError, match="cell B2 holds a formula without its result; open the workbook in E"):
        read_questionnaire(tmp_path / "book.xlsx")


def test_an_archive_that_is_no_workbook(tmp_path):
    with zipfile.ZipFile(tmp_path / "book.xlsx", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(CsatError, match="cannot be opened as an Excel workbook"):
        read_questionnaire(tmp_path / "book.xlsx")


def test_limits_for_small_bases_come_from_the_study(tmp_path):
    path = tmp_path / "study.toml"
    start = '[study]\nname = "s"\n[scales.five]\nlow = 1\nhigh = 5\n[items]\na = { scale = "five" }\n'
    path.write_text(start + "[bases]\nsuppress = 20\nflag = 50\n", encoding="utf-8")
    asked = csat.read_questionnaire(path)
    assert (asked.bases.suppress, asked.bases.flag) == (20, 50)
    csat.write_codebook(asked, tmp_path / "book.xlsx")
    assert csat.read_questionnaire(tmp_path / "book.xlsx") == asked
    for wrong, words in (("suppress = 200", "flag=100 lies below suppress=200"), ("flag = 99.5", "no whole number")):
        path.write_text(start + f"[bases]\n{wrong}\n", encoding="utf-8")
        with pytest.raises(csat.CsatError, match=words):
            csat.read_questionnaire(path)
