"""Results for people: tables, charts, and the report made of them.

`table` and `plot` show one result in a notebook; `write_report` executes the report's notebook and writes a page
and a workbook; `new_study` starts a folder with a study file and that notebook.
"""

from csat.report.build import write_report
from csat.report.cards import Headline, headline
from csat.report.excel import write_workbook
from csat.report.guidance import Advice, advice
from csat.report.jupyter import Table
from csat.report.network.texts import diagram
from csat.report.notebook import new_study
from csat.report.plots import plot
from csat.report.reading import reading
from csat.report.settings import Plan, base_of, masthead, method, plan
from csat.report.tables import table

__all__ = [
    "Advice",
    "Headline",
    "Plan",
    "Table",
    "advice",
    "base_of",
    "diagram",
    "headline",
    "masthead",
    "method",
    "new_study",
    "plan",
    "plot",
    "reading",
    "table",
    "write_report",
    "write_workbook",
]
