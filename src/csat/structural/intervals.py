"""Which intervals structural models have from draws of a bootstrap; `csat.replicates.intervals` makes them."""

from __future__ import annotations

#: How an interval comes from draws: estimate ± z·se; percentiles; percentiles that make up for a bias of the median;
#: and for a standard error that changes with the parameter.
METHODS = ("normal", "percentile", "bias-corrected", "bca")
