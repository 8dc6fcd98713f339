"""The page: the document, our own styles and scripts, and the chart library, in one HTML file that asks nobody for anything."""

import html
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestration.report.document import ReportFailed
from orchestration.report.segmentations import Detail

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("format.js", "charts.js", "views.js", "app.js")
# `make install` unpacks the wheel that carries the library here; it is a folder of files, not a package that is imported.
LIBRARY_FOLDER = Path(sys.prefix) / "page"
LIBRARY_FILE = "panel/dist/bundled/echarts/echarts@6.0.0/dist/echarts.min.js"
LARGEST_BYTES = 3_000_000
# From all that the eye can use down to what any number of segmentations leaves room for.
DETAILS = (
    Detail(days=92, weeks=104, months=25, moves=40, periods=13),
    Detail(days=45, weeks=60, months=25, moves=25, periods=8),
    Detail(days=31, weeks=26, months=13, moves=15, periods=5),
    Detail(days=14, weeks=12, months=7, moves=8, periods=3),
    Detail(days=7, weeks=4, months=4, moves=4, periods=2),
)


def chart_library(folder: Path = LIBRARY_FOLDER) -> str | None:
    """The chart library; None where it was not installed."""
    path = folder / LIBRARY_FILE
    return path.read_text(encoding="utf-8") if path.is_file() else None


def render_page(document: Mapping[str, Any], library: str | None) -> str:
    """The page of a document. Without the library charts are left out, and the page says so."""
    build = document["build"]
    # "<" inside a script could end it, whatever it is part of.
    data = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    parts = {
        "title": html.escape(f"Customer segments of {build['source']}, {build['as_of_date']}"),
        "styles": (STATIC / "page.css").read_text(encoding="utf-8"),
        "data": data,
        "library": library or "",
        "scripts": "\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS),
    }
    page = (STATIC / "page.html").read_text(encoding="utf-8")
    # Once, from the template: what is put in is never looked through for more.
    pieces = page.split("{{")
    return pieces[0] + "".join(parts[name] + rest for name, rest in (piece.split("}}", 1) for piece in pieces[1:]))


def fitting_page(read: Callable[[Detail], Mapping[str, Any]], library: str | None) -> str:
    """The page with as much history as fits under LARGEST_BYTES.

    Raises ReportFailed when not even the least fits.
    """
    for detail in DETAILS:
        page = render_page(read(detail), library)
        if len(page.encode("utf-8")) <= LARGEST_BYTES:
            return page
    raise ReportFailed(f"the page would be larger than {LARGEST_BYTES:,} bytes even with the least history")
