"""What to do first: no sentence claims more than the intervals allow."""

from dataclasses import replace

import numpy as np
import pytest

import csat
from csat.errors import OptionError
from csat.report import advice
from csat.report.names import Names
from csat.report.tables.driver import respondents


def with_zones(ipa, quadrants, chances):
    """The same map with other quadrants, and probabilities of "concentrate"."""
    zones = np.zeros((9, 4))
    zones[:, 1] = chances
    zones[:, 2] = 1 - zones[:, 1]
    return replace(ipa, quadrant=tuple(quadrants), zones=zones)


def only(name="low_priority", **places):
    """Quadrants of P1 to P9."""
    return [places.get(f"P{place}", name) for place in range(1, 10)]


def rounded_down(driven):
    """Probability that P4 is the place to start, in a tenth of a per cent: rounded, it would read as the level."""
    chance = driven["ipa"].tidy().set_index("term").loc["P4", "p_concentrate"]
    assert 0.945 <= chance < 0.95
    return f"{int(1000 * chance) / 10:.1f}%"


def test_the_sample_has_a_first_candidate_that_is_not_sure(driven, study):
    made = advice(driven["ipa"], driven["importance"], driven["stepwise"], "en", study, base="own customers")
    first, gain, order, *selection = made.sentences
    chance = rounded_down(driven)
    assert first == (
        f"First to look at, though not surely: Bills and itemised statements ({chance}). "
        "In brackets the probability of being more important and rated lower than the average driver."
    )
    at = driven["ipa"].terms.index("P4")
    five = driven["ipa"].gain(5.0)
    figures = [five.estimate[at], *(ends[at] for ends in five.interval)]
    assert "{:.1f} points higher ({:.1f} to {:.1f})".format(*figures) in gain
    assert "This is an association" in gain
    assert "up to 8 others may be as important" in order
    assert selection[0].startswith("Steady in the selection: Network performance")
    assert "445 of 700 respondents" in repr(made) and "Base: own customers." in repr(made)


def test_the_chinese_says_the_same(driven, study):
    made = advice(driven["ipa"], driven["importance"], driven["stepwise"], "zh", study)
    chance = rounded_down(driven)
    assert made.sentences[0].startswith(f"首先考虑话费和详单（{chance}），但尚不能确定")
    assert len(made.sentences) == len(advice(driven["ipa"], driven["importance"], driven["stepwise"]).sentences)
    html = made._repr_html_()
    assert html.startswith('<ul class="advice" lang="zh">') and html.count("<li>") == len(made.sentences)


@pytest.mark.parametrize(("chance", "sure"), [(0.9499, False), (0.95, True), (0.999, True), (0.5, False)])
def test_start_here_needs_the_probability_of_the_level(driven, study, chance, sure):
    ipa = with_zones(driven["ipa"], only(P4="concentrate"), np.where(np.arange(9) == 3, chance, 0.0))
    first = advice(ipa, names=study).sentences[0]
    assert first.startswith("Start with Bills and itemised statements" if sure else "First to look at, though not")
    assert ("95%" in first) == sure, "0.9499 must not read as 95%"


def test_nothing_stands_out(driven, study):
    made = advice(with_zones(driven["ipa"], only(), np.zeros(9)), names=study)
    assert made.sentences[0] == (
        "No driver is, as far as the answers tell, more important and rated lower than the average driver."
    )
    assert "Network performance" in made.sentences[1], "the effect is that of the driver with the largest potential"


def test_sure_and_likely_stand_in_sentences_of_their_own(driven, study):
    chances = np.where(np.arange(9) == 0, 0.97, np.where(np.arange(9) == 3, 0.6, 0.0))
    made = advice(with_zones(driven["ipa"], only(P1="concentrate", P4="concentrate"), chances), names=study)
    assert made.sentences[0].startswith("Start with Network performance: more important")
    assert "Bills and itemised statements (60%)" in made.sentences[1]
    assert "Bills" not in made.sentences[0] and "Network" not in made.sentences[1]


@pytest.mark.parametrize("seed", range(20))
def test_no_sentence_claims_more_than_the_intervals(driven, study, seed):
    rng = np.random.default_rng(seed)
    chances = np.round(rng.beta(1, 0.4, 9), 4)
    ipa = with_zones(driven["ipa"], rng.choice(["concentrate", "keep_up", "overkill"], 9), chances)
    slopes = replace(ipa.slopes, estimate=rng.normal(0.1, 0.15, 9))
    ipa = replace(ipa, slopes=slopes)
    names = dict(zip(ipa.terms, Names("en", study).drivers(ipa.terms), strict=True))
    low = dict(zip(ipa.terms, slopes.interval[0], strict=True))
    for sentence in advice(ipa, names=study).sentences:
        about = [term for term, name in names.items() if name in sentence]
        if sentence.startswith("Start with"):
            assert all(chances[ipa.terms.index(term)] >= 0.95 for term in about)
        if "points higher rate" in sentence:
            assert all(low[term] > 0 for term in about)
        if "is open" in sentence:
            assert all(low[term] <= 0 for term in about)


def test_the_first_rank_is_sure_only_if_its_interval_says_so(driven, study):
    high = driven["importance"].rank_high
    sure = replace(driven["importance"], rank_high=np.where(driven["importance"].rank == 1, 1, high))
    said = " ".join(advice(driven["ipa"], sure, names=study).sentences)
    assert "is the most important driver" in said and "its first rank is sure at 95%" in said
    three = replace(driven["importance"], rank_high=np.where(driven["importance"].rank == 1, 3, high))
    assert "up to 2 others may be as important" in " ".join(advice(driven["ipa"], three, names=study).sentences)


def test_the_selection_is_called_steady_from_nine_in_ten(driven, study):
    found = driven["stepwise"]
    frequency = np.where(
        found.stability.chosen, [0.9, 0, 0, 0.899, 0, 0, 0.5, 0.95, 0], [0, 0.5, 0.49, 0, 0, 0, 0, 0, 0]
    )
    some = replace(found, stability=replace(found.stability, frequency=frequency))
    steady, shaky, missed = advice(driven["ipa"], None, some, names=study).sentences[-3:]
    assert steady.startswith("Steady") and "(90%)" in steady and "(95%)" in steady
    assert shaky.startswith("Selected in this sample, but not steadily") and "(89.9%)" in shaky and "(50%)" in shaky
    assert missed.startswith("Left out in this sample") and "Roaming" in missed and "Value-added" not in missed
    without = advice(driven["ipa"], None, replace(found, stability=None), names=study)
    assert not [line for line in without.sentences if "selection" in line]


def test_small_samples_say_so_and_tiny_ones_say_nothing_else(driven, study):
    def resized(n):
        ipa = driven["ipa"]
        return replace(ipa, estimates=replace(ipa.estimates, n=np.full(18, n)))

    assert "fewer than 100: read with care" in repr(advice(resized(60), names=study))
    tiny = advice(resized(12), driven["importance"], driven["stepwise"], names=study)
    assert tiny.sentences == ("Fitted to 12 respondents, fewer than 30: not shown.",)
    assert tiny.sentences == (tiny.table.say(respondents(12, driven["ipa"].left_out, Names("en", study))[-1]),)


def test_stated_importance_has_no_effects_and_groups_are_refused(driven, study):
    stated = advice(driven["ipa stated"], names=study)
    assert not [line for line in stated.sentences if "points higher" in line]
    with pytest.raises(OptionError, match=r"advice\(\) is about one group: take ipa\.of\(…\)"):
        advice(driven["ipa by"])
    with pytest.raises(OptionError, match="results without by="):
        advice(driven["ipa"], driven["importance by"])


def test_labels_are_escaped_and_the_table_holds_the_sentences(driven, study):
    evil = "<script>x</script>"
    items = tuple(replace(one, texts={"en": evil}) if one.code == "P4" else one for one in study.processes)
    made = advice(driven["ipa"], names=replace(study, processes=items))
    assert "<script>" not in made._repr_html_() and "&lt;script&gt;" in made._repr_html_()
    bundle = made._repr_mimebundle_()
    assert [made.table.say(row[0].value) for row in made.table.rows] == list(made.sentences)
    assert len(bundle["application/vnd.csat.table+json"]["rows"]) == len(made.sentences)


def test_a_potential_without_an_interval_makes_no_claim(driven, study):
    published = driven["ipa"]
    blind = replace(published.slopes, vcov=np.full((9, 9), np.nan))
    made = advice(replace(published, slopes=blind, zones=np.full((9, 4), np.nan)), names=study)
    assert made.sentences[0].startswith("First to look at, though not surely: Bills and itemised statements.")
    assert len(made.sentences) == 1


def test_the_advice_is_public():
    assert csat.report.Advice.__doc__ and csat.report.advice is advice
