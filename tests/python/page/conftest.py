"""Pages of small and of large serving databases, and the browser that opens them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.python.page.browser import Page, browser, find_chromium
from tests.python.page.pages import LARGE, WHOLE, make_page


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
