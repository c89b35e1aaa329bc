"""The catalogues say the same things in every language."""

import re
from pathlib import Path

import pytest

from csat.errors import OptionError
from csat.report.names import Names
from csat.report.notebook import BLANK, template, text_of_cell
from csat.report.words import LANGUAGES, Word, words
from csat.results import REASONS

SOURCE = Path(__file__).parents[2] / "src" / "csat" / "report"
OTHERS = [lang for lang in LANGUAGES if lang != "en"]


@pytest.mark.parametrize("lang", OTHERS)
def test_catalogues_have_the_same_keys(lang):
    assert set(words(lang)) == set(words("en"))


@pytest.mark.parametrize("lang", OTHERS)
def test_sentences_have_the_same_blanks(lang):
    english, other = words("en"), words(lang)
    assert {key: other.blanks(key) for key in other} == {key: english.blanks(key) for key in english}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reason_of_a_missing_figure_has_words(lang):
    assert {key.removeprefix("reason.") for key in words(lang) if key.startswith("reason.")} == set(REASONS)


def test_every_word_that_the_code_names_exists():
    catalogue = words("en")
    code = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    named = set(re.findall(r'Word\(\s*"([a-z0-9_.]+)"', code))
    assert len(named) > 60
    assert named <= set(catalogue)


def test_every_word_of_the_notebook_exists():
    named = {key for cell in template()["cells"] for key in BLANK.findall(text_of_cell(cell))}
    assert len(named) > 15
    assert named <= set(words("en"))


def test_the_studys_verdict_on_68_22():
    asked = ("satisfied", "basically_satisfied")
    assert words("en").say(Names("en").verdict(*asked)) == "between satisfied and basically satisfied"
    assert words("zh").say(Names("zh").verdict(*asked)) == "介于满意与基本满意之间"
    assert words("zh").say(Names("zh").verdict("satisfied", "satisfied")) == "满意"


def test_words_survive_json():
    word = Word("verdict.between", {"upper": Word("grade.satisfied"), "lower": "x"})
    assert Word.from_dict(word.to_dict()) == word


def test_an_unknown_language_is_named_with_the_known_ones():
    with pytest.raises(OptionError, match=r"lang='fr' is not known; choose one of 'en', 'zh'\."):
        words("fr")
