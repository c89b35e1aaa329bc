"""Make ``csat-sans-sc.ttf``: the part of Noto Sans CJK SC that survey reports are written with.

Run as ``python make_font.py NotoSansCJK-Regular.ttc`` (Debian package ``fonts-noto-cjk``, version
1:20220127+repack1-1; fonttools 4.68). It keeps GB2312 (6,763 hanzi and the symbols around them), ASCII,
Latin-1 and the typographic signs that plots draw; drops hints, layout tables and vertical metrics; and turns
the cubic CFF outlines into TrueType ones, which every matplotlib backend can embed. The licence (OFL.txt)
asks modified versions to carry another name than the reserved one, hence "csat Sans SC".
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools.pens.cu2quPen import Cu2QuPen  # type: ignore[import-untyped]
from fontTools.pens.ttGlyphPen import TTGlyphPen  # type: ignore[import-untyped]
from fontTools.subset import Options, Subsetter  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont, newTable  # type: ignore[import-untyped]

FAMILY = "csat Sans SC"
SANS_SC_IN_COLLECTION = 2
SIGNS = "−–—…‘’“”•†‡‰′″←↑→↓↔≈≠≤≥±×÷²³¹½▲▼△▽◆◇●○■□★☆αβγδεζηθλμνξπρστφχψωΓΔΘΛΣΦΨΩ√∞∑"
TOLERANCE = 1.0  # font units of 1000 per em: far below a pixel at any size a chart is drawn in


def gb2312() -> str:
    """Every character of GB2312."""
    pairs = (bytes((lead, trail)) for lead in range(0xA1, 0xF8) for trail in range(0xA1, 0xFF))
    return "".join(pair.decode("gb2312", errors="ignore") for pair in pairs)


def cut(font: TTFont) -> TTFont:
    """Keep the glyphs of the text above and the tables that draw them."""
    options = Options(
        layout_features=[], hinting=False, desubroutinize=True, notdef_outline=True, name_IDs=[0, 7, 13, 14]
    )
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "VORG", "DSIG"]
    latin = "".join(map(chr, (*range(0x20, 0x7F), *range(0xA0, 0x100))))
    subsetter = Subsetter(options)
    subsetter.populate(text=gb2312() + latin + SIGNS)
    subsetter.subset(font)
    return font


def to_quadratic(font: TTFont) -> None:
    """Replace the CFF table by TrueType outlines, in place."""
    glyphs = font.getGlyphSet()
    order = font.getGlyphOrder()
    outlines = {}
    for name in order:
        pen = TTGlyphPen(glyphs)
        glyphs[name].draw(Cu2QuPen(pen, TOLERANCE, reverse_direction=True))
        outlines[name] = pen.glyph()
    del font["CFF "]
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, outlines
    font["maxp"].tableVersion = 0x00010000
    zeros = ("maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs", "maxStackElements",
             "maxSizeOfInstructions")  # fmt: skip
    for field in zeros:
        setattr(font["maxp"], field, 0)
    font["maxp"].maxZones = 1
    font["post"].formatType = 3.0
    font.sfntVersion = "\x00\x01\x00\x00"


def rename(font: TTFont) -> None:
    """Give the family its own name, and date it with the source so that two runs give the same bytes."""
    names = {1: FAMILY, 2: "Regular", 3: "csat Sans SC 1.0", 4: FAMILY, 5: "Version 1.0", 6: "csatSansSC-Regular"}
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    font["head"].modified = font["head"].created


def main(source: str) -> None:
    """Write the font beside this script."""
    font = cut(TTFont(source, fontNumber=SANS_SC_IN_COLLECTION, recalcTimestamp=False))
    to_quadratic(font)
    rename(font)
    font.save(Path(__file__).with_name("csat-sans-sc.ttf"))


if __name__ == "__main__":
    main(sys.argv[1])
