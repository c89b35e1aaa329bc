"""Trends: what each period scores, which changes are more than noise, and who answered."""

from csat.trends.split import ChangeSplit, split_change
from csat.trends.trend import Trend, trend

__all__ = ["ChangeSplit", "Trend", "split_change", "trend"]
