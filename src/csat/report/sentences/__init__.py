"""Sentences made from results by rule, in every language of the catalogues; none claims more than its interval allows.

One file per question of a report: what the result is (`headline`), where we stand (`standing`), against whom (`gaps`),
which items (`items`), which groups (`groups`), since when (`course`), and what leads to what (`composites`). A rule
gives words of the catalogue with their blanks; the catalogue, ``locale/<lang>/sentences.toml``, owns how they are said.
"""

from csat.report.sentences.composites import leads
from csat.report.sentences.course import course, mix
from csat.report.sentences.gaps import compared
from csat.report.sentences.groups import apart
from csat.report.sentences.headline import summary
from csat.report.sentences.items import strengths
from csat.report.sentences.standing import standing

__all__ = ["apart", "compared", "course", "leads", "mix", "standing", "strengths", "summary"]
