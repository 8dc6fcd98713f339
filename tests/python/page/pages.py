"""Pages of made-up serving databases: one with everything, and the largest that is promised."""

from pathlib import Path

from orchestration.report.document import ReportOptions, read_document
from orchestration.report.page import chart_library, fitting_page
from tests.python.page.serving import BUILD_ID, Size, make_serving

OPTIONS = ReportOptions(minimum_group_size=10, currency="EUR")
# Everything that any part of the project publishes; and the most that the page promises to carry.
WHOLE = Size(segmentations=26, days=60, with_predictions=True, audiences=9)
LARGE = Size(segmentations=40, days=730, customers=5000, with_predictions=True, audiences=40)


def make_page(folder: Path, size: Size) -> Path:
    """The page of a serving database of this size; both are files of `folder`."""
    database = make_serving(folder / "segments.duckdb", size)
    page = folder / "index.html"
    page.write_text(fitting_page(lambda detail: read_document(database, BUILD_ID, OPTIONS, detail), chart_library()), encoding="utf-8")
    return page
