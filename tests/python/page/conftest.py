"""Pages of small and of large serving databases, and the browser that opens them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.report.document import ReportOptions, read_document
from orchestration.report.page import chart_library, fitting_page
from tests.python.page.browser import Page, browser, find_chromium
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


@pytest.fixture(scope="session")
def whole_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_page(tmp_path_factory.mktemp("whole"), WHOLE)


@pytest.fixture(scope="session")
def large_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_page(tmp_path_factory.mktemp("large"), LARGE)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser. Where checks decide about a change (CI), its absence is a failure and no reason to look away."""
    found = find_chromium()
    if found is None:
        reason = "no Chromium on this machine: `apt-get install chromium`, or leave the page to CI"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def tab(chromium: str) -> Iterator[Page]:
    with browser(chromium) as page:
        yield page
