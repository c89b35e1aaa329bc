"""What the columns of the tables are for, and what they are usually called; the role itself first."""

from __future__ import annotations

from collections.abc import Mapping

#: Role → names that a column with this role usually has.
Roles = Mapping[str, tuple[str, ...]]

#: Kind of table → its roles.
ROLES: Mapping[str, Roles] = {
    "complaints": {
        "cause": ("cause", "reason", "原因", "投诉原因", "cause_en", "cause_zh"),
        "complaints": ("complaints", "count", "投诉量", "投诉数", "件数"),
        "customers": ("customers", "客户数", "用户数"),
        "branch": ("branch", "分公司", "公司"),
        "period": ("period", "quarter", "month", "时间", "月份", "季度"),
    },
    "audits": {
        "criterion": ("criterion", "指标", "项目", "criterion_en", "criterion_zh"),
        "full_marks": ("full_marks", "full marks", "满分", "分值"),
        "score": ("score", "得分"),
        "lost": ("lost", "失分", "扣分"),
        "site": ("site", "hall", "网点", "营业厅"),
        "visit": ("visit", "检查", "次数"),
        "period": ("period", "quarter", "month", "时间", "月份", "季度"),
    },
    "sla": {
        "step": ("step", "环节", "步骤"),
        "hours": ("hours", "duration", "时长", "小时"),
        "start": ("start", "from", "开始时间", "受理时间"),
        "end": ("end", "to", "结束时间", "完成时间"),
        "limit": ("limit", "时限"),
        "open": ("open", "未完成", "未结"),
        "case": ("case", "工单", "工单号"),
        "period": ("period", "quarter", "month", "时间", "月份", "季度"),
    },
}

#: Kind of table → the roles that it must have.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "complaints": ("cause",),
    "audits": ("criterion", "full_marks", "score"),
    "sla": ("step",),
}
