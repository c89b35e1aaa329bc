"""Results for people: tables, charts, and the report made of them.

`table` and `plot` show one result in a notebook; `write_report` executes the report's notebook and writes a page
and a workbook; `new_study` starts a folder with a study file and that notebook.
"""

from csat.report.build import write_report
from csat.report.cards import Headline, headline
from csat.report.chart import Chart
from csat.report.difference import Revision, revision
from csat.report.document import Document
from csat.report.excel import write_workbook
from csat.report.guidance import Advice, advice
from csat.report.jupyter import Table
from csat.report.manifest import Manifest, manifest, read_manifest
from csat.report.methods import method
from csat.report.network.texts import diagram
from csat.report.notebook import new_study
from csat.report.opened import read_once
from csat.report.overview import Links, league, links, ranking
from csat.report.plots import plot
from csat.report.reading import reading
from csat.report.references import references
from csat.report.sentences import apart, compared, course, leads, mix, standing, strengths, summary
from csat.report.service import Service, check_service, service_of
from csat.report.service_said import service_text
from csat.report.settings import Plan, alike, base_of, masthead, plan
from csat.report.since import changed
from csat.report.tables import table

__all__ = [
    "Advice",
    "Chart",
    "Document",
    "Headline",
    "Links",
    "Manifest",
    "Plan",
    "Revision",
    "Service",
    "Table",
    "advice",
    "alike",
    "apart",
    "base_of",
    "changed",
    "check_service",
    "compared",
    "course",
    "diagram",
    "headline",
    "leads",
    "league",
    "links",
    "manifest",
    "masthead",
    "method",
    "mix",
    "new_study",
    "plan",
    "plot",
    "ranking",
    "read_manifest",
    "read_once",
    "reading",
    "references",
    "revision",
    "service_of",
    "service_text",
    "standing",
    "strengths",
    "summary",
    "table",
    "write_report",
    "write_workbook",
]
