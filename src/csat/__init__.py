"""csat: customer-satisfaction survey analytics."""
