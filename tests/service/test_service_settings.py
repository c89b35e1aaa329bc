"""The table [service] of a study: read, refused in words, kept in a codebook."""

import pytest

import csat
from csat.errors import QuestionnaireError

STUDY = """
[study]
name = "tiny"
[service]
complaints = "complaints.csv"
per = 10000
silent = 24
as_of = "2026-09-30 18:00"
[service.about]
repair = "P8"
[service.texts]
repair = { zh = "修障太慢", en = "Repair too slow" }
"""


def test_settings_are_read(study):
    asked = study(STUDY)
    assert asked.service["complaints"] == "complaints.csv"
    assert (asked.service["per"], asked.service["silent"]) == (10000, 24)
    assert asked.service["texts"]["repair"]["zh"] == "修障太慢"
    assert asked.service["about"] == {"repair": "P8"}
    assert study('[study]\nname = "tiny"').service == {}


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_codebook_keeps_them(study, tmp_path, ending):
    asked = study(STUDY)
    csat.write_codebook(asked, tmp_path / f"book{ending}")
    assert csat.read_questionnaire(tmp_path / f"book{ending}").service == asked.service


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("complaint = 'x.csv'", r"\[service\].*complaint.*'complaints'"),
        ("silent = 0", r"\[service\], key 'silent': 0 is no number above 0\."),
        ("per = 'many'", r"\[service\], key 'per'"),
        ("audits = 3", r"\[service\], key 'audits'"),
        ("texts = { repair = 'x' }", r"\[service\.texts\.repair\]"),
    ],
)
def test_a_wrong_setting_is_named(study, line, said):
    with pytest.raises(QuestionnaireError, match=said):
        study(f'[study]\nname = "tiny"\n[service]\n{line}\n')
