"""The font of the PDF reports: ``python -m tests.make_font VARIABLE.ttf OFL.txt`` makes it anew.

What goes in: Noto Sans SC as a variable TrueType font (SIL Open Font License 1.1), e.g. from the PyPI package
``justmytype-intl-cjk`` 0.1.0 (``pip download --no-deps justmytype-intl-cjk==0.1.0``, then unpack the wheel:
``justmytype_intl_cjk/fonts/ofl/notosanssc/``). The PDF library takes outlines of TrueType only, and draws a variable
font in its thinnest weight; so one weight is cut out of it, and of its characters those of GBK and a few more. The
result is packed with xz, because the bare file is half as large again as everything else in the package together.
Needs ``fonttools`` (extra ``dev``); takes about a minute. The same input gives the same bytes.
"""

from __future__ import annotations

import lzma
import sys
from io import BytesIO
from pathlib import Path
from typing import Any, Final

FONTS: Final = Path(__file__).parents[1] / "techtool" / "reports" / "fonts"
FILE: Final = FONTS / "NotoSansSC-Regular.gbk.ttf.xz"
LICENSE: Final = FONTS / "OFL.txt"
WEIGHT: Final = 400
DROPPED_TABLES: Final = ("GSUB", "GPOS", "GDEF", "BASE", "STAT", "VORG", "vhea", "vmtx", "DSIG", "gasp")
"""Layout for other writing directions and ligatures: the PDF library uses none of it."""
MORE: Final = (
    range(0x20, 0x7F),
    range(0xA0, 0x180),  # Latin-1 and Latin Extended-A: names
    range(0x2010, 0x2028),  # dashes, quotation marks, bullets
    range(0x2030, 0x2040),
    range(0x20A0, 0x20C0),  # currency signs
    range(0x2100, 0x2150),
    range(0x2190, 0x2200),  # arrows
    range(0x2200, 0x2270),
    range(0x25A0, 0x2600),
    (0x2713, 0x2717, 0xFFFD),
    range(0x3000, 0x3040),
    range(0xFF01, 0xFFF0),
)
NAMES: Final = {1: "Noto Sans SC", 2: "Regular", 3: "NotoSansSC-Regular", 4: "Noto Sans SC", 6: "NotoSansSC-Regular"}
"""The variable font is named for its thinnest weight."""


def characters() -> set[int]:
    """Every character of GBK, and the ranges above."""
    found = {code for span in MORE for code in span}
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            try:
                text = bytes((lead, trail)).decode("gbk")
            except UnicodeDecodeError:
                continue
            found |= {ord(c) for c in text}
    return {code for code in found if not 0xE000 <= code <= 0xF8FF}


def _place(record: Any) -> tuple[int, int, int, int]:  # fontTools has no types
    return record.nameID, record.platformID, record.platEncID, record.langID


def make(source: Path) -> bytes:
    """The packed font."""
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    options = subset.Options()
    options.drop_tables += list(DROPPED_TABLES)
    options.layout_features = []
    options.hinting = False
    options.glyph_names = False
    options.notdef_outline = True
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    font = TTFont(source, recalcTimestamp=False)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=characters())
    cut.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": WEIGHT})
    for record in list(font["name"].names):
        if record.nameID in NAMES:
            font["name"].setName(NAMES[record.nameID], *_place(record))
    font["OS/2"].usWeightClass = WEIGHT
    buffer = BytesIO()
    font.save(buffer)
    return lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def main(source: str, license_text: str) -> None:
    """Write the font and its license."""
    FONTS.mkdir(exist_ok=True)
    LICENSE.write_bytes(Path(license_text).read_bytes())
    FILE.write_bytes(make(Path(source)))
    print(f"{FILE.name}: {FILE.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:3])
