"""Remarks that the engines of structural and path models make in English, found again in the words of a language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from csat.report.words import Word

#: Key of the catalogues ("remark.few_units") → the remark of a structural model; its named parts fill the blanks.
PATTERNS: Mapping[str, re.Pattern[str]] = {
    key: re.compile(pattern)
    for key, pattern in {
        "few_units": r"The design has (?P<units>\S+) degrees of freedom .* for a χ² of (?P<df>\d+):",
        "undefined": r"(?P<name>\S+) := .+ has no value at the estimates:",
        "unscaled": r"No standardized value of (?P<listed>.+): it would be divided",
        "group_order": r"The groups of c\(…\) in the model are, in this order: (?P<listed>.+)\.$",
        "scaling": r"The correction of χ² is not positive",
        "scaling_baseline": r"The correction of the baseline's χ² is not positive",
        "missing_predictor": r"(?P<lost>\d+) respondents are left out because a predictor is missing",
        "improper": r"The observed information is not positive definite",
        "pairwise": r"Each covariance is over those who .* (?P<least>\d+) respondents at least of (?P<n>\d+):",
        "indefinite": r"The correlations of the latent responses.* \(smallest eigenvalue (?P<eigenvalue>[^)]+)\)",
        "kurtosis": r"Kurtosis of (?P<listed>.+) is far from that of a normal variable",
        "sparse": r"Categories with fewer than (?P<few>\d+) answers: (?P<listed>.+)\. They are kept",
        "unused": r"Nobody chose (?P<listed>.+): thresholds are counted",
        "filled": r"(?P<tables>\d+) table\(s\) of two-category items have an empty cell",
        "heywood": r"Heywood case: the factors explain (?P<listed>.+) wholly",
        "thin_factors": r"Factors with fewer than (?P<needed>\d+) items .* load (?P<least>\S+) .*: (?P<listed>.+)\. Th",
        "adequacy": r"Sampling adequacy \(KMO\) is (?P<kmo>\S+), below (?P<least>[\d.]+):",
        "adequacy_items": r"Sampling adequacy below (?P<least>[\d.]+): (?P<listed>.+)\. Think",
        "factor_design": r"The sample has weights, strata or sampling units: weights enter the correlations",
        "perfect": r"No answer to one contradicts the other.*: (?P<listed>.+) correlate at ±1",
    }.items()
}
#: What groups of a path model have in common; the treatment of answers follows.
_CONFIGURAL = (
    r"all groups have the same (?P<items>\d+) items in the same (?P<constructs>\d+) constructs, modes "
    r"\((?P<modes>[^)]+)\), inner scheme \((?P<scheme>[^)]+)\) .*complete answers, "
)
#: What became of the replicates of a path model, in one group and in several.
_REPLICATES = r"(?P<count>\d+) of (?P<all>\d+) replicates \((?P<drawn>[^)]+)\) have "
_OF_GROUPS = r"In (?P<groups>\d+) of (?P<of>\d+) groups some of (?P<all>\d+) replicates \((?P<drawn>[^)]+)\) have "
#: The same of path models, of their groups and of how their standard errors were made.
OF_PATH_MODELS: Mapping[str, re.Pattern[str]] = {
    key: re.compile(pattern)
    for key, pattern in {
        "configural": _CONFIGURAL + r"standardized within each group",
        "configural_units": _CONFIGURAL + r"in their own unit",
        "no_exchange": r"No labels can be exchanged \((?P<units>[^)]+)\)",
        "few_arrangements": r"Only (?P<count>\S+) arrangements .* \((?P<units>[^)]+)\): .* below (?P<least>\S+)\.$",
        "fixed_labels": r"(?P<fixed>\d+) of (?P<all>\d+) units lie in strata or sampling units of one group",
        "se_given": r"bootstrap of (?P<units>.+), calibrated weights taken as given, (?P<count>\d+) replicates$",
        "se_bootstrap": r"bootstrap of (?P<units>[^,]+), (?P<count>\d+) replicates$",
        "se_jackknife": r"jackknife, (?P<count>\d+) replicates$",
        "se_declared": r"replicates: (?P<kind>.+), (?P<count>\d+) replicates$",
        "pls_not_defined": r"Not estimated, since .* has no defined parameters: (?P<listed>.+)\. All",
        "pls_reliability": r"the reliability ρA of (?P<one>.+) is (?P<value>\S+), above 1\.",
        "pls_correlation": r"corrected for attenuation (?P<one>.+) and (?P<other>.+) correlate (?P<value>\S+), beyond",
        "pls_loading": r"the corrected loading of (?P<one>.+) is (?P<value>\S+), beyond 1\.",
        "pls_indefinite": r"the corrected correlations of the constructs are not positive definite",
        "pls_failed": _REPLICATES + "no estimates",
        "pls_impossible": _REPLICATES + "a reliability",
        "pls_failed_groups": _OF_GROUPS + r"no estimates.* Most of them, (?P<count>\d+), in group (?P<group>.+)\.$",
        "pls_impossible_groups": _OF_GROUPS + r"a reliab.* Most of them, (?P<count>\d+), in group (?P<group>.+)\.$",
        "pls_reversed_groups": r"[Ii]tems load negatively .* chance: (?P<items>.+)\. So do items in (?P<count>\d+) o",
        "pls_reversed": r"[Ii]tems load negatively on their own construct, by more than chance: (?P<items>.+)\. If",
        "pls_few_answers": r"Group (?P<group>.+) has no estimates: (?P<n>\d+) complete answers for (?P<needed>\d+) i",
        "pls_no_estimates": r"Group (?P<group>.+) has no estimates: ",
        "pls_no_estimates_groups": r"(?P<groups>\d+) of (?P<of>\d+) groups have no estimates",
        "pls_negative": r"Weights below 0: (?P<listed>.+)\. An index",
    }.items()
}


def remark(said: str) -> Word | str:
    """A remark in words; one that has none stays as it is.

    >>> remark("2 table(s) of two-category items have an empty cell; ½ was added there.").key
    'remark.filled'
    """
    for key, pattern in (*PATTERNS.items(), *OF_PATH_MODELS.items()):
        found = pattern.match(said)
        if found:
            return Word(f"remark.{key}", found.groupdict())
    return said
