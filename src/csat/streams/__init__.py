"""Sources larger than memory: files, folders and databases that are read a batch at a time, anew for every figure."""

from csat.streams.faults import RowsError, StreamError
from csat.streams.memory import bytes_in
from csat.streams.opening import expected_names, is_large, is_many, opened_stream, origin_of
from csat.streams.origin import Origin
from csat.streams.progress import check_progress
from csat.streams.stream import Stream

__all__ = [
    "Origin",
    "RowsError",
    "Stream",
    "StreamError",
    "bytes_in",
    "check_progress",
    "expected_names",
    "is_large",
    "is_many",
    "opened_stream",
    "origin_of",
]
