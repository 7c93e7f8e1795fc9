"""Makes ``screenshots/<scene>.<lang>.svg`` and ``.png`` from frozen scenes: ``python -m tests.make_screenshots``.

The SVG is byte-stable. Textual's own SVG squeezes Chinese: it counts characters where it should count cells; here every
run of text is placed by its cells, and no font is fetched from anywhere. The PNG is drawn by resvg with fonts of this
computer; without resvg-py only the SVG is made.
"""

from __future__ import annotations

import asyncio
import html
import re
import sys
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from techtool.i18n import set_language
from techtool.tui.views.lines import cells
from tests.tui.scenes import Scene, in_utc, scenes

FOLDER: Final = Path(__file__).parent.parent / "screenshots"
SIZE: Final = (100, 30)
ZOOM: Final = 1.5
LATIN: Final = "Fira Code, DejaVu Sans Mono, Menlo, Consolas, monospace"
CHINESE: Final = "Noto Sans Mono CJK SC, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, monospace"
_TEXT: Final = re.compile(
    r'<text class="(?P<classes>[^"]*)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)"[^>]*>(?P<text>[^<]*)</text>'
)
_FONT_FACE: Final = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


async def picture(scene: Scene, size: tuple[int, int] = SIZE) -> str:
    """The scene as Textual draws it."""
    with tempfile.TemporaryDirectory() as folder:
        app = scene.app(Path(folder))
        async with app.run_test(size=size) as pilot:
            await scene.play(pilot)
            return app.export_screenshot(title="techtool")


def fixed(svg: str, name: str) -> str:
    """The same picture with text placed by cells and stable names."""
    svg = re.sub(r"terminal-\d+-", f"{name}-", svg)
    svg = re.sub(r"terminal-\d+", name, svg)
    svg = _FONT_FACE.sub("", svg)
    svg = re.sub(r"font-family: Fira Code, monospace", f"font-family: {LATIN}", svg)
    cell = _cell_width(svg)
    return _TEXT.sub(lambda match: "".join(_runs(match, cell)), svg)


def _cell_width(svg: str) -> float:
    """Of one cell, from a run of Latin text that Textual measured."""
    for match in re.finditer(r'textLength="([\d.]+)"[^>]*>([^<]+)</text>', svg):
        text = html.unescape(match.group(2))
        if text.isascii() and len(text) > 3:
            return float(match.group(1)) / len(text)
    return 12.2


def _runs(match: re.Match[str], cell: float) -> Iterator[str]:
    """The text in pieces of one width each, blanks left out."""
    x, y, classes = float(match["x"]), match["y"], match["classes"]
    text = html.unescape(match["text"]).replace("\xa0", " ")
    clip = re.search(r'clip-path="[^"]*"', match[0])
    for wide, group in groupby(text, key=lambda c: cells(c) == 2):
        run = "".join(group)
        width = cells(run) * cell
        bare = run.strip()
        if bare:
            start = x + (len(run) - len(run.lstrip())) * cell
            font = f' font-family="{CHINESE}" font-size="{cell * 1.76:.1f}"' if wide else ""
            length = f"{cells(bare) * cell:.2f}"
            yield (
                f'<text class="{classes}" x="{start:.2f}" y="{y}" textLength="{length}"{font}'
                f'{" " + clip[0] if clip else ""} xml:space="preserve">{html.escape(bare, quote=False)}</text>'
            )
        x += width


def png(svg: str) -> bytes | None:
    """Drawn with this computer's fonts; None where resvg-py is not installed."""
    try:
        import resvg_py
    except ImportError:
        return None
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=ZOOM, monospace_family="DejaVu Sans Mono"))


def main(folder: Path) -> None:
    """All scenes in both languages."""
    folder.mkdir(exist_ok=True)
    with in_utc():
        for lang in ("en", "zh"):
            set_language(lang)
            for scene in scenes():
                svg = fixed(asyncio.run(picture(scene)), f"{scene.name}-{lang}")
                (folder / f"{scene.name}.{lang}.svg").write_text(svg, encoding="utf-8")
                drawn = png(svg)
                if drawn is not None:
                    (folder / f"{scene.name}.{lang}.png").write_bytes(drawn)
                print(scene.name, lang)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
