"""HTML of an analyst's own outputs: what the page's policy would refuse is left out before it is put there."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

#: Elements that are left out with all that is in them.
DROPPED = frozenset({"script", "style", "iframe", "object", "template", "noscript", "title"})
#: Elements of which only what is in them stays: they would load something, or belong to a page of their own.
UNWRAPPED = frozenset({"html", "head", "body", "main", "meta", "link", "base", "embed", "form", "frame", "frameset"})
#: Elements that are never closed.
VOID = frozenset({"area", "br", "col", "hr", "img", "input", "source", "track", "wbr"})
#: Attributes that load something.
LOADING = frozenset({"src", "srcset", "poster", "data", "background", "xlink:href"})
#: Attributes that the page gives a meaning to.
OURS = frozenset({"style", "id", "class", "tabindex", "autofocus", "accesskey"})
NAMED = re.compile(r"[a-z][a-z0-9-]*")
#: What a link may lead to.
ADDRESS = re.compile(r"(https?:|mailto:|#)", re.IGNORECASE)


def tamed(html: str) -> str:
    """HTML without scripts, styles, handlers and anything that loads; every element that is opened is closed."""
    parser = _Tamer()
    parser.feed(html)
    parser.close()
    return "".join((*parser.said, *(f"</{tag}>" for tag in reversed(parser.open))))


class _Tamer(HTMLParser):
    """Writes what it reads, but for what is dropped."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.open: list[str] = []
        self.dropped: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in DROPPED:
            self.dropped.append(tag)
        elif not self.dropped and tag not in UNWRAPPED:
            kept = {name: value or "" for name, value in attrs if _harmless(name, value or "")}
            if tag == "img":
                if "src" not in kept:
                    return
                kept = {"alt": "", **kept}
            said = "".join(f' {name}="{escape(value)}"' for name, value in kept.items())
            self.said.append(f"<{tag}{said}>")
            if tag not in VOID:
                self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.dropped:
            del self.dropped[self.dropped.index(tag) :]
        elif not self.dropped and tag in self.open:
            while True:
                last = self.open.pop()
                self.said.append(f"</{last}>")
                if last == tag:
                    return

    def handle_data(self, data: str) -> None:
        if not self.dropped:
            self.said.append(escape(data, quote=False))


def _harmless(name: str, value: str) -> bool:
    if name in LOADING:
        return name == "src" and value.startswith("data:image/")
    if name == "href":
        return ADDRESS.match(value) is not None
    return NAMED.fullmatch(name) is not None and not name.startswith(("on", "data-")) and name not in OURS
