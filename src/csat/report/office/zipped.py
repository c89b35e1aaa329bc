"""Office files without a clock: the same content gives the same bytes."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

#: Time of every member: the earliest that a zip archive can hold.
EARLIEST = (1980, 1, 1, 0, 0, 0)
#: When the file was made and changed, as its core properties say it.
STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:\2>)")


def settle(path: Path) -> None:
    """Rewrite an Office file in place with fixed times, in the workbooks of its charts too."""
    path.write_bytes(settled(path.read_bytes()))


def settled(archive: bytes) -> bytes:
    """Give an archive fixed times; its members stay in their order."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".xlsx"):
                content = settled(content)
            elif name == "docProps/core.xml":
                content = STAMP.sub(rb"\g<1>2000-01-01T00:00:00Z\g<3>", content)
            member = zipfile.ZipInfo(name, EARLIEST)
            member.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(member, content)
    return out.getvalue()
