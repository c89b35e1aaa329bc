"""The version of csat; hatchling reads it from here."""

__version__ = "0.1.0"
