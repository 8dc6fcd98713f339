"""The page as people open it: in a real browser, at three widths, light and dark."""

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.report.page import LARGEST_BYTES, LIBRARY_FOLDER, render_page
from tests.python.page.browser import Page
from tests.python.page.serving import LAST_DAY

AXE = LIBRARY_FOLDER / "axe_playwright_python" / "axe.min.js"
VIEWS = (
    "",
    "view=segmentation&s=rfm",
    "view=reviews",
    "view=rfm",
    "view=lifetime",
    "view=habits&habit=payment",
    "view=budget",
    "view=audiences",
    "view=quality",
)
# Structure follows the width and contrast the colours, so not every pair of both is opened.
LOOKS = ((1360, False), (1360, True), (768, False), (390, True))


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_every_view_is_quiet_accessible_and_fits(tab: Page, whole_page: Path, width: int, dark: bool) -> None:
    tab.look(width, dark=dark)
    tab.open(whole_page)
    tab.run(AXE.read_text(encoding="utf-8") + "; null")
    for view in VIEWS:
        tab.go(view)
        found = tab.run("axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations)")
        named = [f"{problem['impact']} {problem['id']}: {problem['nodes'][0]['target']}" for problem in found]
        assert not [name for name in named if name.startswith(("serious", "critical"))], (view, named)
        assert tab.run("document.documentElement.scrollWidth <= innerWidth"), f"{view} is wider than the window"
        assert tab.run("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    assert tab.problems == []
    assert tab.requests == [whole_page.resolve().as_uri()]


def charts(tab: Page) -> list[dict[str, Any]]:
    """Name and series of every chart of the view, as the chart library holds them."""
    return json.loads(
        tab.run(
            """
            JSON.stringify([...document.querySelectorAll('.chart')].map((box) => ({
              name: box.getAttribute('aria-label'), marks: box.querySelectorAll('svg path').length,
              axis: (box.chartInstance.getOption().yAxis || [{}])[0].data,
              series: box.chartInstance.getOption().series.map((one) => ({name: one.name, data: one.data, links: one.links})),
            })))
            """
        )
    )


def asked(page: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(page.with_name("segments.duckdb")), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_charts_show_the_numbers_of_the_tables(tab: Page, whole_page: Path) -> None:
    tab.look(1360)
    tab.open(whole_page, "view=segmentation&s=loyalty_status&kpi=campaign_cost")
    sizes, moves, kpis, _ = charts(tab)
    assert all(chart["marks"] > 5 for chart in (sizes, moves, kpis))
    labels = dict(asked(whole_page, "select segment, label from published.segment_definitions where segmentation = 'loyalty_status'"))
    expected: dict[str, list[int | None]] = {}
    for segment, customers in asked(
        whole_page, "select segment, customers from published.segment_sizes where segmentation = 'loyalty_status' order by as_of_date"
    ):
        expected.setdefault(labels[segment], []).append(None if 0 < customers < 10 else customers)
    assert len(sizes["series"]) == 5
    for line in sizes["series"]:
        assert [value for _, value in line["data"]] == expected[line["name"]]

    period = asked(
        whole_page,
        """
        select from_segment, to_segment, customers from published.segment_migrations
        where
            segmentation = 'loyalty_status' and period_type = 'month' and customers >= 10 and from_segment <> 'not_a_customer'
            and period_start = (select max(period_start) from published.segment_migrations where period_type = 'month')
        """,
    )
    shown = {
        (link["source"].removeprefix("from:"), link["target"].removeprefix("to:")): link["value"] for link in moves["series"][0]["links"]
    }
    assert shown == {(source, target): customers for source, target, customers in period}

    costs = asked(
        whole_page,
        f"""
        select segment, campaign_cost from published.segment_kpis
        where segmentation = 'loyalty_status' and as_of_date = '{LAST_DAY}' and contacted_customers >= 10 and customers >= 10
        """,
    )
    assert dict(zip(kpis["axis"], kpis["series"][0]["data"], strict=True)) == {labels[code]: float(cost) for code, cost in costs}


def test_views_of_scores_and_value_show_the_numbers_of_the_tables(tab: Page, whole_page: Path) -> None:
    tab.open(whole_page, "view=rfm")
    (scores,) = charts(tab)
    cells = {(x + 1, y + 1): count for x, y, count in (cell["value"][:3] for cell in scores["series"][0]["data"])}
    table = asked(
        whole_page, "select recency_score, frequency_score, count(*) from published.rfm_segments group by all having count(*) >= 10"
    )
    assert cells == {(recency, frequency): customers for recency, frequency, customers in table if customers >= 10}
    tab.go("view=lifetime")
    spread, tenths, foretold = charts(tab)
    assert [[value for _, value in line["data"]] for line in foretold["series"]] == [
        [
            observed
            for (observed,) in asked(
                whole_page, f"select {column} from published.model_validations where measure = 'week' order by position"
            )
        ]
        for column in ("observed", "predicted")
    ]
    assert sum(count or 0 for count in spread["series"][0]["data"]) == 3000
    assert sum(tenths["series"][0]["data"]) == pytest.approx(1)
    title = tab.run("document.querySelector('h1').textContent")
    assert f"{tenths['series'][0]['data'][0]:.1%}" in title


def test_audiences_show_the_funnel_and_the_lift_of_the_tables(tab: Page, whole_page: Path) -> None:
    tab.look(1360)
    tab.open(whole_page, "view=audiences&a=audience_2")

    def rows_of(name: str) -> list[list[str]]:
        rows = f"document.querySelectorAll('[aria-label=\"{name}\"] tbody tr')"
        return tab.run(f"[...{rows}].map((row) => [...row.cells].map((cell) => cell.innerText))")  # type: ignore[no-any-return]

    shown = rows_of("What each condition leaves")
    table = asked(
        whole_page,
        "select condition_text, customers_left, customers_removed, customers_meeting from published.audience_funnels "
        "where audience_id = 'audience_2' order by step",
    )
    assert shown[0] == ["All customers", "3,000", "", ""]
    assert [row[1:] for row in shown[1:3]] == [[f"{count:,}" for count in row[1:]] for row in table[:2]]
    # The third number lies so near to the last that it would give a few customers away.
    left_out = "\N{EN DASH}"
    assert [row[1:] for row in shown[3:]] == [[left_out, left_out, f"{table[2][3]:,}"], [f"{table[3][1]:,}", left_out, f"{table[3][3]:,}"]]
    assert "<b>high</b> or a rather long condition" in shown[1][0]

    _, lift = charts(tab)
    measured = asked(
        whole_page,
        "select response_difference_lower, response_difference, response_difference_upper from published.audience_lift "
        "where verdict_reason is null order by starts_on desc",
    )
    whiskers, points = (series["data"] for series in lift["series"])
    assert [(low, high) for low, high, _ in whiskers] == [(float(low), float(high)) for low, _, high in measured]
    assert [middle for middle, _ in points] == [float(middle) for _, middle, _ in measured]
    rows = [" ".join(row) for row in rows_of("Campaigns to audiences")]
    assert len(rows) == 6
    assert "< 10" in rows[0] and "Not enough yet" in rows[0] and "too few customers on one side" in rows[0]
    assert "Not comparable" in rows[1] and "Win <i>back</i> 3" in rows[2] and "the days that count are not over" in rows[2]
    assert "+12.5 points" in rows[5] and "+7.5 to +17.5" in rows[5] and "More than without" in rows[5]


def test_few_customers_are_shown_as_few(tab: Page, whole_page: Path) -> None:
    tab.open(whole_page, "view=segmentation&s=rfm")
    row = tab.run("[...document.querySelectorAll('main tbody tr')].find((row) => row.textContent.includes('few')).innerText")
    assert "< 10" in row
    # A label that looks like markup is text.
    assert "<b>few</b>" in row and tab.run("document.querySelectorAll('main b').length") == 0


def test_what_is_chosen_stays_in_the_address(tab: Page, whole_page: Path) -> None:
    tab.look(1360)
    tab.open(whole_page, "view=segmentation&s=rfm")
    choose = "(() => {{ const box = document.getElementById('f-{0}'); box.value = '{1}'; box.dispatchEvent(new Event('change')); }})()"
    for name, value in (("period", "week"), ("kpi", "retention_rate"), ("measure", "share"), ("since", "30")):
        tab.run(choose.format(name, value))
        tab.settle()
    tab.run("document.getElementById('p-unknown').click()")
    tab.run("document.getElementById('theme').value = 'dark'; document.getElementById('theme').dispatchEvent(new Event('change'))")
    address = tab.run("location.hash")
    for part in ("period=week", "kpi=retention_rate", "measure=share", "since=30", "theme=dark", "unknown"):
        assert part in address
    tab.open(whole_page, address.removeprefix("#"))
    assert tab.run("document.getElementById('f-kpi').value") == "retention_rate"
    assert tab.run("document.getElementById('p-unknown').checked")
    assert tab.run("document.documentElement.dataset.theme") == "dark"
    # Another view keeps the colours and what is compared with, and the way back leads here.
    tab.run("[...document.querySelectorAll('nav a')].find((link) => link.textContent === 'Lifetime value').click()")
    tab.settle()
    assert tab.run("location.hash") == "#theme=dark&since=30&view=lifetime"
    tab.run("new Promise((done) => { addEventListener('popstate', () => setTimeout(done, 50), {once: true}); history.back(); })")
    assert tab.run("document.getElementById('f-kpi').value") == "retention_rate"


def test_search_finds_segmentations_by_their_words(tab: Page, whole_page: Path) -> None:
    tab.open(whole_page)
    tab.run("const box = document.getElementById('search'); box.value = 'discount'; box.dispatchEvent(new Event('input')); null")
    tab.run("new Promise((done) => setTimeout(done, 300))")
    assert tab.run("[...document.querySelectorAll('.card h3')].map((title) => title.textContent)") == ["Price sensitivity"]
    assert "q=discount" in tab.run("location.hash")


def test_the_keyboard_reaches_everything(tab: Page, whole_page: Path) -> None:
    tab.look(1360)
    tab.open(whole_page, "view=segmentation&s=rfm")

    def press(key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            tab.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    press("Tab", 9)
    assert tab.run("document.activeElement.id") == "skip"
    reached = set()
    for _ in range(160):
        press("Tab", 9)
        reached.add(tab.run("document.activeElement.id || document.activeElement.textContent.slice(0, 30)"))
    assert {
        "search",
        "theme",
        "print",
        "Overview",
        "f-since",
        "f-period",
        "f-at",
        "f-newcomers",
        "f-kpi",
        "f-measure",
        "p-segment_0",
    } <= reached
    # A choice leaves the focus where it was.
    tab.run("document.getElementById('p-unknown').focus()")
    tab.call("Input.dispatchKeyEvent", type="keyDown", key=" ", code="Space", windowsVirtualKeyCode=32, text=" ")
    tab.call("Input.dispatchKeyEvent", type="keyUp", key=" ", code="Space", windowsVirtualKeyCode=32)
    tab.settle()
    assert tab.run("[document.activeElement.id, document.activeElement.checked]") == ["p-unknown", True]


def test_numbers_are_written_as_the_reader_does(tab: Page, whole_page: Path) -> None:
    written = {}
    for locale in ("de-DE", "en-GB"):
        tab.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage=locale)
        tab.open(whole_page)
        written[locale] = tab.run("document.querySelector('h1').textContent + document.querySelector('.figures').textContent")
    assert "3.000 customers" in written["de-DE"] and "€" in written["de-DE"]
    assert "3,000 customers" in written["en-GB"]


def test_it_prints_on_paper_without_its_tools(tab: Page, whole_page: Path) -> None:
    tab.look(1360, dark=True)
    tab.open(whole_page, "view=segmentation&s=rfm")
    printed = tab.call("Page.printToPDF", printBackground=True, transferMode="ReturnAsBase64")
    assert len(printed["data"]) > 50_000
    tab.call("Emulation.setEmulatedMedia", media="print")
    hidden = tab.run("['nav', '.tools', '.row'].map((name) => getComputedStyle(document.querySelector(name)).display)")
    assert hidden == ["none", "none", "none"]
    tab.call("Emulation.setEmulatedMedia", media="")


def test_without_the_chart_library_the_numbers_are_still_there(tab: Page, whole_page: Path, tmp_path: Path) -> None:
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', whole_page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert data is not None
    page = tmp_path / "index.html"
    page.write_text(render_page(json.loads(data[1]), None), encoding="utf-8")
    for view in VIEWS:
        tab.open(page, view)
        assert tab.problems == []
    tab.go("view=segmentation&s=rfm")
    assert "Charts are left out" in tab.run("document.querySelector('main').innerText")
    assert tab.run("document.querySelectorAll('main figure details[open] table').length") >= 3


def test_the_largest_page_is_small_and_opens(tab: Page, large_page: Path) -> None:
    """How soon it opens, `make benchmark-page` says."""
    assert large_page.stat().st_size <= LARGEST_BYTES
    tab.look(1360)
    for view in ("", "view=segmentation&s=rfm", "view=audiences"):
        tab.open(large_page, view)
        assert tab.problems == []
    assert tab.run("document.querySelectorAll('nav a').length") > 40


def test_what_cannot_be_told_is_not_told_as_nothing(tab: Page, whole_page: Path, tmp_path: Path) -> None:
    """An earlier day that is not recorded is no day without changes, and moves too few to be told one by one have happened."""
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', whole_page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert data is not None
    document = json.loads(data[1])
    (rfm,) = [one for one in document["segmentations"] if one["code"] == "rfm"]
    weeks = rfm["moves"]["week"]
    weeks[0] |= {"moves": [], "others": 14, "others_arriving": 11}
    weeks[1] |= {"moves": [["not_a_customer", 0, 30]], "others": document["withheld"], "others_arriving": 0}
    weeks[2] |= {"moves": [[0, 1, 20]], "others": 12, "others_arriving": document["withheld"]}
    weeks[3] |= {"moves": [], "others": 0, "others_arriving": 0}
    page = tmp_path / "index.html"
    page.write_text(render_page(document, None), encoding="utf-8")

    def said(view: str) -> str:
        tab.open(page, view)
        return str(tab.run("document.querySelector('main').innerText"))

    starts = [week["start"] for week in weeks]
    assert "14 customers moved, few of them on any one way" in said(f"view=segmentation&s=rfm&period=week&at={starts[0]}")
    assert "25 customers moved, few of them on any one way" in said(f"view=segmentation&s=rfm&period=week&at={starts[0]}&newcomers=1")
    assert "only a few customers moved between segments" in said(f"view=segmentation&s=rfm&period=week&at={starts[1]}")
    assert "At least 30 customers ended the period in another segment" in said(
        f"view=segmentation&s=rfm&period=week&at={starts[1]}&newcomers=1"
    )
    assert "\n32 customers ended the period in another segment; 20 of them" in said(f"view=segmentation&s=rfm&period=week&at={starts[2]}")
    assert "nobody moved between segments" in said(f"view=segmentation&s=rfm&period=week&at={starts[3]}")

    first = f"Recording began on {tab.run('day(DATA.first_recorded_day)')}, so there is no earlier day to compare with."
    for view in ("", "view=segmentation&s=rfm"):
        assert first in said(f"{view}&since=90")
        assert first not in said(f"{view}&since=30")


def test_an_audience_says_who_may_not_be_contacted_and_how_often_the_others(tab: Page, whole_page: Path) -> None:
    tab.look(1360)
    tab.open(whole_page, "view=audiences&a=audience_2")
    steps, _ = charts(tab)
    ((members, contactable),) = asked(
        whole_page,
        "select count(*), count(*) filter (where is_contactable) from published.audience_memberships where audience_id = 'audience_2'",
    )
    assert steps["axis"] == ["Members", "\N{MINUS SIGN} contact limit", "\N{MINUS SIGN} no consent", "Contactable"]
    told = steps["series"][0]["data"]
    assert (told[0], told[0] - told[1] - told[2], told[3]) == (members, contactable, contactable)
    limits = "at most 1 message a day, on 3 days of any seven, by email; not between 21:00 and 08:00, by the clock of the business"
    assert f"How often: {limits}; nobody, with fewer than 25 members." in tab.run("document.querySelector('main').innerText")
