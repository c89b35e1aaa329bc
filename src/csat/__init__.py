"""csat."""
