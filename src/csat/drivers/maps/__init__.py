"""Importance against performance, reward and penalty."""
