"""`csat evaluate`: options do what they say, files of weights and judgements are read, wrong ones told where."""

import json
import warnings
from pathlib import Path

import pytest

import csat
from csat.cli import main
from csat.cli.fuzzy import OF_JUDGES
from csat.cli.fuzzy_options import FUZZY_OF, FUZZY_OVER, FUZZY_TABLES
from csat.fuzzy.evaluate import OVER
from csat.fuzzy.reading import OF
from csat.report.tables import TABLES

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
STUDY, DATA = (str(SAMPLE / name) for name in ("study.toml", "2026Q3.csv"))
FEW = ["--replicates", "50"]
LONG = "judge,first,second,value\n张,quality,value,3\n张,quality,fairness,5\n张,value,fairness,2\n" + (
    "李,quality,value,1\n李,quality,fairness,3\n李,value,fairness,3\n"
)
SQUARE = ",quality,value,fairness\nquality,1,3,5\nvalue,1/3,1,2\nfairness,1/5,1/2,1\n"


@pytest.fixture(scope="module")
def own():
    return csat.read_survey(DATA, csat.read_questionnaire(STUDY)).where(branch="gansu", quarter="2026Q3")


@pytest.fixture
def file(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_text("\ufeff" + text, encoding="utf-8")
        return str(path)

    return write


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        yield


def asked(capsys, *options):
    """Tables of `csat evaluate` for the report's respondents."""
    assert main(["evaluate", STUDY, DATA, "--own", "--output", "json", *FEW, *options]) == 0
    return json.loads(capsys.readouterr().out)


def column(table, name):
    return [row[name] for row in table["rows"]]


def test_the_choices_are_those_of_the_method():
    assert FUZZY_OF == OF
    assert FUZZY_OVER[:-1] == OVER
    assert set(FUZZY_TABLES) == {*TABLES["Evaluation"], *TABLES["Ahp"]}
    assert set(OF_JUDGES) == set(TABLES["Ahp"])


@pytest.mark.parametrize(("options", "how"), [
    ([], {}),
    (["--seed", "3", "--level", "0.9"], {"seed": 3, "level": 0.9}),
    (["--operator", "min-sum", "--membership", "share"], {"operator": "min-sum", "membership": "share"}),
    (["--of", "mean"], {"of": "mean"}),
    (["--over", "none"], {"over": ()}),
    (["--by", "line"], {"by": "line"}),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")  # fmt: skip
def test_the_options_are_those_of_the_method(capsys, own, options, how):
    (table,) = asked(capsys, *options)
    expected = csat.evaluate(own, **{"replicates": 50, **how}).verdicts()
    assert column(table, "score") == pytest.approx(expected["score"].tolist())
    if "over" in how:
        assert "probability" not in table["rows"][0]
    else:
        assert column(table, "probability") == pytest.approx(expected["probability"].tolist())


def test_the_tables_asked_for_are_shown(capsys):
    wanted = ["summary", "verdicts", "memberships", "operators", "sensitivity"]
    assert [table["name"] for table in asked(capsys, "--tables", ",".join(wanted))] == ["evaluation", *wanted[1:]]
    assert [table["name"] for table in asked(capsys, "--by", "brand", "--tables", "differences")] == ["differences"]


@pytest.mark.parametrize(("name", "text"), [
    ("weights.csv", "factor,weight\nservice_value,0.9\ncorporate_image,0.1\n"),
    ("weights.toml", "service_value = 0.9\ncorporate_image = 0.1\n"),
    ("tree.csv", "dimension,factor,weight\nsatisfaction,service_value,0.9\nsatisfaction,corporate_image,1/10\n"),
    ("tree.toml", "[weights.satisfaction]\nservice_value = 0.9\ncorporate_image = 0.1\n"),
])  # fmt: skip
def test_weights_come_from_files(capsys, own, file, name, text):
    (table,) = asked(capsys, "--weights", file(name, text))
    weights = {"service_value": 0.9, "corporate_image": 0.1}
    expected = csat.evaluate(own, weights=weights, replicates=50)
    assert column(table, "score") == pytest.approx(expected.score.estimate.tolist())


def test_judgements_come_from_files_and_are_shown(capsys, own, file):
    weights, consistency, judges, table = asked(capsys, "--ahp", file("long.csv", LONG), "--over", "answers,weights")
    judged = {
        "张": {("quality", "value"): 3, ("quality", "fairness"): 5, ("value", "fairness"): 2},
        "李": {("quality", "value"): 1, ("quality", "fairness"): 3, ("value", "fairness"): 3},
    }
    found = csat.ahp(judged)
    assert column(weights, "weight") == pytest.approx(found.weights.values.tolist())
    assert column(consistency, "cr") == pytest.approx([found.cr])
    assert column(judges, "judge") == ["张", "李"]
    expected = csat.evaluate(own, weights=found, over=("answers", "weights"), replicates=50)
    assert column(table, "score") == pytest.approx(expected.score.estimate.tolist())


def test_a_square_of_judgements_is_one_judge(capsys, file):
    tables = asked(capsys, "--ahp", file("square.csv", SQUARE), "--tables", "judgements,summary")
    assert [table["name"] for table in tables] == ["judgements", "evaluation"]
    assert column(tables[0], "value") == pytest.approx([3, 1, 0.5])


def test_judgements_of_several_dimensions_re_weigh_each(capsys, own, file):
    text = "dimension,first,second,value\nsatisfaction,service_value,corporate_image,4\n" + (
        "service_value,quality,value,2\nservice_value,quality,fairness,2\nservice_value,value,fairness,1\n"
    )
    table = asked(capsys, "--ahp", file("several.csv", text))[-1]
    weights = {
        "satisfaction": {"service_value": 0.8, "corporate_image": 0.2},
        "service_value": {"quality": 0.5, "value": 0.25, "fairness": 0.25},
    }
    expected = csat.evaluate(own, weights=weights, replicates=50)
    assert column(table, "score") == pytest.approx(expected.score.estimate.tolist())


@pytest.mark.parametrize(("options", "said"), [
    (["--weights", "a", "--ahp", "b"], "--weights and --ahp both give weights; choose one"),
    (["--tables", "judges"], "--tables judges is about judgements: --ahp FILE"),
    (["--tables", "differences"], "--tables differences compares groups: --by COLUMN"),
    (["--over", "weights"], "--over weights draws those of --ahp FILE"),
    (["--seed", "-1"], "--seed -1 is no seed"),
    (["--over", "judges"], "write answers, weights, answers,weights, or none"),
    (["--tables", "all"], "'all' is no table; choose of evaluation, summary"),
    (["--accept", "2"], "'2' is no consistency ratio; write a number from 0 to 1, or any"),
    (["--replicates", "5"], "'5' is no number of draws; write 50 or more"),
])  # fmt: skip
def test_contradictions_are_wrong_usage(capsys, options, said):
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", STUDY, DATA, *options])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("option", "name", "text", "said"), [
    ("--weights", "w.csv", "factor,share\na,1\n", "the column 'weight' is missing; a CSV file with the columns"),
    ("--weights", "w.csv", "factor,weight\n", "it has no lines"),
    ("--weights", "w.csv", "factor,weight\nquality,much\n", "line 2: 'much' is no number; write 0.4, 3 or 1/3."),
    ("--weights", "w.csv", "factor,weight\nquality,1/0\n", "line 2: '1/0' is no number"),
    ("--weights", "w.csv", "factor,weight\nquality\n", "line 2: 1 cells under 2 headings."),
    ("--weights", "w.csv", "factor,weight\na,.5\na,.5\n", "line 3: 'a' has a weight already."),
    ("--weights", "w.toml", "quality = \n", "w.toml is no TOML file"),
    ("--weights", "w.toml", 'quality = "much"\n', "the weight of 'quality' is a number; found 'much'"),
    ("--weights", "w.csv", "factor,weight\nquality,0.4\nvalue,0.4\nfairness,0.4\n", "sum"),
    ("--ahp", "j.csv", ",a,b\na,1\n", "line 2: 2 cells under 3 headings. A file of judgements is a square matrix"),
    ("--ahp", "j.csv", "first,second,value\na,b,x\n", "line 2: 'x' is no number"),
    ("--ahp", "j.csv", "first,second,value\na,b,2\na,b,3\n", "line 3: 'a' over 'b' is judged already."),
    ("--ahp", "j.csv", SQUARE.replace("1/3", "3"), "reciprocal"),
    ("--ahp", "j.csv", "first,second,value\nquality,value,9\nvalue,fairness,9\nfairness,quality,9\n", "CR = "),
])  # fmt: skip
def test_wrong_files_are_told_with_their_place(capsys, file, option, name, text, said):
    assert main(["evaluate", STUDY, DATA, option, file(name, text)]) == 1
    assert said in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(capsys, tmp_path):
    assert main(["evaluate", STUDY, DATA, "--weights", str(tmp_path / "none.csv")]) == 1
    assert "none.csv" in capsys.readouterr().err
