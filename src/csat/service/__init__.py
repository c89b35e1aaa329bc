"""Customer service as it is watched between surveys: covert audits, complaints, time limits of each step."""

from csat.service.audits import Audits, audits
from csat.service.change import ComplaintChanges, complaint_changes
from csat.service.complaints import Complaints, complaints
from csat.service.sla import Sla, sla
from csat.service.together import BeforeAfter, before_after

__all__ = [
    "Audits",
    "BeforeAfter",
    "ComplaintChanges",
    "Complaints",
    "Sla",
    "audits",
    "before_after",
    "complaint_changes",
    "complaints",
    "sla",
]
