"""How soon the segment explorer opens: the largest page that is promised beside one of the usual size, in a real headless Chromium.

    python -m benchmarks.page

Seconds are what the browser itself measures from the start of the navigation until everything is loaded and the charts are drawn; the
middle of several runs. The target is two seconds with 40 segmentations, 40 audiences and 730 days.
"""

import statistics
import sys
import tempfile
from pathlib import Path

from tests.python.page.browser import Page, browser, find_chromium
from tests.python.page.pages import LARGE, WHOLE, make_page

TARGET_SECONDS = 2.0
RUNS = 7
VIEWS = {"overview": "", "a segmentation": "view=segmentation&s=rfm", "audiences": "view=audiences"}
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"


def seconds_to_open(tab: Page, page: Path, view: str) -> float:
    """The middle of several openings."""
    measured = []
    for _ in range(RUNS):
        tab.open(page, view)
        measured.append(float(tab.run(LOADED)))
    return statistics.median(measured)


def main() -> None:
    """Print seconds and ratios."""
    found = find_chromium()
    if found is None:
        sys.exit("benchmark: no Chromium on this machine: `apt-get install chromium`")
    with tempfile.TemporaryDirectory() as name, browser(found) as tab:
        folder = Path(name)
        pages = {}
        for label, size in (("usual", WHOLE), ("largest", LARGE)):
            (folder / label).mkdir()
            pages[label] = make_page(folder / label, size)
            megabytes = pages[label].stat().st_size / 1e6
            print(f"{label}: {size.segmentations} segmentations, {size.audiences} audiences, {size.days} days, {megabytes:.2f} MB")
        tab.look(1360)
        for label, view in VIEWS.items():
            usual, largest = (seconds_to_open(tab, page, view) for page in pages.values())
            verdict = "within" if largest < TARGET_SECONDS else "beyond"
            print(f"  {label:16} {usual:5.2f} s and {largest:5.2f} s: {largest / usual:.1f} times, {verdict} {TARGET_SECONDS:g} s")


if __name__ == "__main__":
    main()
