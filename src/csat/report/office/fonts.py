"""Fonts of slides, documents and workbooks: those that every Office has, for Latin and for Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pptx.opc.package import OpcPackage

#: What other programs put in place of these two has the same glyphs.
LATIN, EAST, FIXED = "Arial", "Microsoft YaHei", "Consolas"

#: Language of a report → its tag in Office's files, so that lines break and spelling is checked as it should be.
TAGS = {"en": "en-US", "zh": "zh-CN"}

#: Colours of text, small print, rules and accent, as in the charts.
INK, GREY, RULE, BLUE = "1F2933", "55606A", "C9D0D6", "0072B2"
#: Colour-blind safe, in the order of the series.
SERIES = ("0072B2", "D55E00", "009E73", "CC79A7", "56B4E9", "E69F00")


def set_theme(package: OpcPackage) -> None:
    """Name both fonts in every theme of a package, so that no text needs a font of its own."""
    from lxml import etree

    for part in package.iter_parts():
        if str(part.partname).startswith("/ppt/theme/") or str(part.partname).startswith("/word/theme/"):
            root = etree.fromstring(part.blob)
            for family in root.iter("{*}majorFont", "{*}minorFont"):
                family.find("{*}latin").set("typeface", LATIN)
                family.find("{*}ea").set("typeface", EAST)
                for script in family.findall("{*}font"):
                    if script.get("script") in ("Hans", "Hant"):
                        script.set("typeface", EAST)
            part._blob = etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True)


def set_fonts(style: Any, *, latin: str = LATIN) -> None:
    """Name both fonts in a style of a Word document; a theme's would win over the names otherwise."""
    from docx.oxml.ns import qn

    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for name, face in (("ascii", latin), ("hAnsi", latin), ("cs", latin), ("eastAsia", EAST)):
        fonts.set(qn(f"w:{name}"), face)
