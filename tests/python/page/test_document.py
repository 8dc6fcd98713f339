"""What the page is made from equals the published tables, and says nothing of few customers."""

import itertools
import json
import random
import re
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.report.document import ReportFailed, ReportOptions, read_document
from orchestration.report.page import DETAILS, chart_library, fitting_page, render_page
from orchestration.report.reading import WITHHELD, Tables, plain
from orchestration.report.segmentations import COUNTED_CUSTOMERS, LEAST_DIFFERENCE, told_days, told_months
from orchestration.report.views import told_funnel, told_reasons
from tests.python.page.pages import OPTIONS
from tests.python.page.serving import BUILD_ID, EMPTY, FEW, LAST_DAY, Size, make_serving

MINIMUM = OPTIONS.minimum_group_size


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_serving(tmp_path_factory.mktemp("document") / "segments.duckdb", Size(with_predictions=True, audiences=4, segmentations=26))


@pytest.fixture(scope="module")
def document(database: Path) -> dict[str, Any]:
    # As a browser reads it: what JSON loses is lost here too.
    return json.loads(json.dumps(read_document(database, BUILD_ID, OPTIONS, DETAILS[0])))


def asked(database: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query).fetchall()


def segments_of(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["code"], segment["code"]): segment for one in document["segmentations"] for segment in one["segments"]}


def test_sizes_equal_the_table_on_every_told_day(database: Path, document: dict[str, Any]) -> None:
    told = segments_of(document)
    rows = asked(database, "select segmentation, segment, as_of_date, customers from published.segment_sizes")
    assert document["days"] == sorted({str(row[2]) for row in rows})
    for segmentation, segment, day, customers in rows:
        expected = WITHHELD if 0 < customers < MINIMUM else customers
        assert told[segmentation, segment]["sizes"][document["days"].index(str(day))] == expected


def test_key_figures_equal_the_table_and_few_customers_have_none(database: Path, document: dict[str, Any]) -> None:
    told = segments_of(document)
    place = document["months"].index(str(LAST_DAY))
    columns = [kpi["code"] for kpi in document["kpis"] if kpi["code"] != "revenue_per_customer"]
    compared = 0
    query = f"""
        select segmentation, segment, customers, active_customers, contacted_customers, {", ".join(columns)}
        from published.segment_kpis
        where as_of_date = '{LAST_DAY}'
        """
    for segmentation, segment, customers, active, contacted, *values in asked(database, query):
        kpis = told[segmentation, segment]["kpis"]
        part = {"active_customers": active, "active_before_customers": active, "contacted_customers": contacted}
        for code, value in zip(columns, values, strict=True):
            shown = kpis.get(code, [None] * 99)[place]
            if min(customers, part.get(COUNTED_CUSTOMERS.get(code, ""), customers)) < MINIMUM:
                assert shown is None, (segmentation, segment, code)
            elif value is not None:
                assert shown == pytest.approx(float(value), rel=1e-5)
                compared += 1
        if customers >= MINIMUM:
            assert kpis["revenue_per_customer"][place] == pytest.approx(62.74)
    assert compared > 1000


def test_rates_of_a_small_part_of_a_segment_are_withheld(tmp_path: Path) -> None:
    database = make_serving(tmp_path / "segments.duckdb", Size(segmentations=1, days=1))
    with duckdb.connect(str(database)) as connection:
        connection.execute("update published.segment_kpis set active_customers = 9, contacted_customers = 10, customers = 500")
    kpis = segments_of(read_document(database, BUILD_ID, OPTIONS, DETAILS[0]))["rfm", "segment_0"]["kpis"]
    assert "average_order_value" not in kpis
    assert kpis["campaign_return"][0] is not None


def test_moves_equal_the_table_and_few_movers_are_only_added_up(database: Path, document: dict[str, Any]) -> None:
    expected: dict[tuple[str, str, str], dict[tuple[str, str], int]] = {}
    for segmentation, kind, start, source, target, customers in asked(
        database, "select segmentation, period_type, period_start, from_segment, to_segment, customers from published.segment_migrations"
    ):
        expected.setdefault((segmentation, kind, str(start)), {})[source, target] = customers
    told_periods = [
        (one, kind, period) for one in document["segmentations"] for kind, periods in one["moves"].items() for period in periods
    ]
    assert len(told_periods) == len(expected) > 100
    for one, kind, period in told_periods:
        codes = [segment["code"] for segment in one["segments"]]
        told = {tuple(codes[end] if isinstance(end, int) else end for end in pair): count for *pair, count in period["moves"]}
        moves = expected[one["code"], kind, period["start"]]
        assert told.items() <= moves.items()
        assert all(count >= MINIMUM for count in told.values())
        untold = {pair: customers for pair, customers in moves.items() if pair not in told}
        arriving = sum(customers for pair, customers in untold.items() if "not_a_customer" in pair)
        for name, count in (("others", sum(untold.values()) - arriving), ("others_arriving", arriving)):
            assert period[name] == (WITHHELD if 0 < count < MINIMUM else count)


def test_scores_lifetime_values_and_habits_equal_the_tables(database: Path, document: dict[str, Any]) -> None:
    scores = asked(database, "select recency_score, frequency_score, count(*) from published.rfm_segments group by all order by all")
    assert [cell[:3] for cell in document["rfm"]["cells"]] == [[r, f, WITHHELD if n < MINIMUM else n] for r, f, n in scores]
    assert any(n < MINIMUM for _, _, n in scores)
    assert sum(cell[2] for cell in document["lifetime"]["bins"] if cell[2] != WITHHELD) <= 3000
    assert sum(document["lifetime"]["deciles"]) == pytest.approx(1)
    assert document["lifetime"]["deciles"] == sorted(document["lifetime"]["deciles"], reverse=True)
    ((total,),) = asked(database, "select sum(customer_lifetime_value) from published.customer_lifetime_values")
    assert document["lifetime"]["total"] == pytest.approx(float(total), abs=0.5)
    for segment, sales in asked(database, "select value_tier_segment, sum(net_amount_365d) from published.customer_profiles group by all"):
        assert document["budget"]["value_tier"][segment][0] == pytest.approx(float(sales), abs=0.5)
    by_method = asked(database, "select leading_payment_method, count(*) from published.customer_profiles group by 1")
    assert {code: customers for code, customers, _ in document["habits"]["payment"]["leading"]} == dict(by_method)


def test_numbers_lose_digits_that_nobody_reads_and_none_before_the_point() -> None:
    assert [plain(value) for value in (1384685.72, 4291551.5, 123456.7, 12345.678, 0.123456789)] == [
        1384686,
        4291552,
        123457,
        12345.7,
        0.123457,
    ]


def test_what_sets_a_segment_apart_is_its_mean_against_everybody(database: Path, document: dict[str, Any]) -> None:
    told = [
        (segment["code"], *difference)
        for one in document["segmentations"]
        if one["code"] == "rfm"
        for segment in one["segments"]
        for difference in segment["apart"]
    ]
    assert len(told) > 10
    for segment, feature, mean, everybody, difference in told:
        ((own, overall, spread),) = asked(
            database,
            f"""
            select avg({feature}) filter (where rfm_segment = '{segment}'), avg({feature}), stddev_pop({feature}::double)
            from published.customer_profiles
            """,
        )
        assert (mean, everybody) == (pytest.approx(float(own), rel=1e-5), pytest.approx(float(overall), rel=1e-5))
        assert difference == pytest.approx((float(own) - float(overall)) / spread, rel=1e-4)
        assert abs(difference) >= LEAST_DIFFERENCE


def test_audiences_and_the_night_equal_the_tables(database: Path, document: dict[str, Any]) -> None:
    audiences = document["audiences"]
    for audience, members, contactable in asked(
        database, "select audience_id, count(*), count(*) filter (where is_contactable) from published.audience_memberships group by 1"
    ):
        told = audiences["memberships"][audience]
        assert (told["members"], told["contactable"]) == (members, contactable)
        assert sum(count for _, count in told["reasons"]) == members - contactable
    ((people,),) = asked(database, "select count(distinct person_id) from published.audience_memberships")
    assert sum(count for _, count in audiences["combinations"]) <= people
    night = document["night"]
    assert {row["reason"]: row["rows"] for row in night["quarantine"]} == {f"missing column_{number}": 2 for number in range(3)}
    assert sum(suite["checks"] - suite["passed"] for suite in night["suites"]) == len(night["not_passed"]) == 1
    assert night["freshness"] == {"recorded_days": 40, "outdated_days": 1, "known_to": "2026-01-01T03:00:00"}


def test_funnels_and_lift_equal_the_tables(database: Path, document: dict[str, Any]) -> None:
    funnels = document["audiences"]["funnels"]
    assert len(funnels) == 4
    for audience, steps in funnels.items():
        table = asked(
            database,
            "select condition_text, customers_meeting, customers_left, customers_removed from published.audience_funnels "
            f"where audience_id = '{audience}' order by step",
        )
        assert steps[:2] == [list(row) for row in table[:2]]
        # Four customers more than the audience has: they would be given away by what is left, and by what the last condition removes.
        assert steps[2] == [table[2][0], table[2][1], None, None]
        assert steps[3] == [table[3][0], table[3][1], table[3][2], None]
    lift = {row["campaign_id"]: row for row in document["audiences"]["lift"]}
    assert list(lift) == ["K5", "K4", "K3", "K2", "K1", "K0"]
    assert (lift["K0"]["response_difference"], lift["K0"]["response_difference_upper"], lift["K0"]["revenue_difference"]) == (
        0.125,
        0.175,
        1.25,
    )
    assert (lift["K0"]["treated_customers"], lift["K0"]["holdout_response_rate"]) == (900, 0.125)
    assert (lift["K3"]["verdict_reason"], lift["K3"]["response_difference"]) == ("window_open", None)
    # Nine held out: their number is few, and no figure is about them.
    assert (lift["K5"]["holdout_customers"], lift["K5"]["holdout_response_rate"], lift["K5"]["holdout_revenue_per_customer"]) == (
        -1,
        None,
        None,
    )
    assert lift["K5"]["treated_response_rate"] == 0.25


def test_no_number_of_a_funnel_gives_few_customers_away() -> None:
    """Whatever the conditions, no number told and no difference of two that are told is about one to nine customers."""
    tables = Tables(duckdb.connect(), 10)
    chance = random.Random(5)  # noqa: S311
    told = 0
    for _ in range(3000):
        everybody = chance.choice([0, 5, 30, 200])
        steps, left = [], everybody
        for number in range(chance.randint(1, 4)):
            left = max(0, left - chance.choice([0, 0, 3, 8, 12, 40]))
            meeting = left if number == 0 else min(everybody, left + chance.choice([0, 4, 15]))
            steps.append((str(number), meeting, left))
        shown = told_funnel(tables, everybody, steps)
        size = shown[-1][2]
        assert size == (left if left == 0 or left >= 10 else WITHHELD)
        known = {everybody, *(step[2] for step in shown if step[2] not in (None, WITHHELD))}
        for one, other in itertools.combinations(sorted(known), 2):
            # The size of the audience is told in any case, and so is the number of all customers.
            assert other - one >= 10 or {one, other} <= {everybody, size}
        before: int | None = everybody
        for _, meeting, left_told, removed in shown:
            assert meeting is None or ((meeting == 0 or meeting >= 10) and (everybody == meeting or everybody - meeting >= 10))
            assert meeting is None or left_told in (None, WITHHELD) or meeting == left_told or meeting - left_told >= 10
            assert removed is None or removed == 0 or removed >= 10
            assert removed is None or (before is not None and removed == before - left_told)
            before = None if left_told == WITHHELD else left_told
            told += left_told not in (None, WITHHELD)
    # It still tells most.
    assert told > 3000


def test_no_reason_of_few_customers_is_told_by_subtraction() -> None:
    """Reasons are told in groups of ten people and more, or all of them in one; everybody who is not contactable is in one group."""
    tables = Tables(duckdb.connect(), 10)
    assert told_reasons(tables, []) == []
    assert told_reasons(tables, [("no_consent", 186), ("contact_limit", 50), ("erased", 4)]) == [
        [["no_consent"], 186],
        [["contact_limit", "erased"], 54],
    ]
    assert told_reasons(tables, [("no_consent", 6), ("erased", 3)]) == [[["no_consent", "erased"], WITHHELD]]
    chance = random.Random(7)  # noqa: S311
    for _ in range(1000):
        counts = sorted((chance.choice([1, 4, 9, 10, 30]) for _ in range(chance.randint(0, 6))), reverse=True)
        reasons = [(str(number), people) for number, people in enumerate(counts)]
        told = told_reasons(tables, reasons)
        assert sorted(name for names, _ in told for name in names) == sorted(name for name, _ in reasons)
        assert all(people == sum(dict(reasons)[name] for name in names) >= MINIMUM for names, people in told) or len(told) == 1


def test_no_customer_and_no_number_of_few_customers_is_in_the_document(database: Path) -> None:
    everybody = 3000
    written = json.dumps(read_document(database, BUILD_ID, ReportOptions(minimum_group_size=everybody + 1), DETAILS[0]))
    assert not re.search(r'"c\d+"', written)
    audiences = json.loads(written)["audiences"]
    assert {count for steps in audiences["funnels"].values() for step in steps for count in step[1:]} <= {None, WITHHELD, 0}
    assert {row[name] for row in audiences["lift"] for name in row if re.search("rate|revenue_per|difference", name)} == {None}
    for one in json.loads(written)["segmentations"]:
        for segment in one["segments"]:
            assert set(segment["sizes"]) <= {0, WITHHELD}
            assert not segment["kpis"] and not segment["apart"]
        assert all(not period["moves"] for periods in one["moves"].values() for period in periods)


def test_older_builds_and_missing_parts_still_give_a_page(tmp_path: Path) -> None:
    database = make_serving(tmp_path / "segments.duckdb", Size(segmentations=2, days=1))
    with duckdb.connect(str(database)) as connection:
        for table in ("segment_reviews", "recorded_days", "rfm_segments", "segment_cut_points", "customer_lifetime_values", "audiences"):
            connection.execute(f"drop table published.{table}")
    document = read_document(database, BUILD_ID, OPTIONS, DETAILS[0])
    assert (document["rfm"], document["lifetime"], document["audiences"], document["night"]["freshness"]) == (None, None, None, None)
    assert "segment_0" in render_page(document, None)


def test_what_every_build_has_is_missed_by_name(tmp_path: Path) -> None:
    database = make_serving(tmp_path / "segments.duckdb", Size(segmentations=1, days=1))
    with pytest.raises(ReportFailed, match="does not know the build another"):
        read_document(database, "another", OPTIONS, DETAILS[0])
    with duckdb.connect(str(database)) as connection:
        connection.execute("drop table published.segment_sizes")
    with pytest.raises(ReportFailed, match="segment_sizes"):
        read_document(database, BUILD_ID, OPTIONS, DETAILS[0])


def test_days_are_thinned_from_the_past() -> None:
    detail = DETAILS[0]
    recorded = [date(2024, 1, 1) + timedelta(days=number) for number in range(731)]
    days = told_days(recorded, detail)
    assert days[-detail.days :] == recorded[-detail.days :]
    assert all(day.weekday() == 6 for day in days[: -detail.days - 1])
    assert days == sorted(set(days))
    months = told_months(recorded, detail)
    assert months[-1] == recorded[-1]
    assert len(months) == min(detail.months, 24)
    assert told_days([], detail) == [] and told_days(recorded[:1], detail) == recorded[:1]


def test_texts_of_the_data_cannot_leave_their_place(database: Path) -> None:
    document = read_document(database, BUILD_ID, OPTIONS, DETAILS[0])
    document["segmentations"][0]["question"] = "</script><script>alert(1)</script><!-- {{library}}"
    page = render_page(document, "/* library */")
    assert "<script>alert" not in page
    assert page.count("/* library */") == 1
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, flags=re.DOTALL)
    assert data and json.loads(data[1])["segmentations"][0]["question"] == "</script><script>alert(1)</script><!-- {{library}}"


def test_the_page_carries_less_history_before_it_gets_too_large(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @cache
    def of(detail: Any) -> dict[str, Any]:
        return read_document(database, BUILD_ID, OPTIONS, detail)

    whole, least = len(render_page(of(DETAILS[0]), None)), len(render_page(of(DETAILS[-1]), None))
    monkeypatch.setattr("orchestration.report.page.LARGEST_BYTES", (whole + least) // 2)
    assert len(fitting_page(of, None)) <= (whole + least) // 2
    monkeypatch.setattr("orchestration.report.page.LARGEST_BYTES", least // 2)
    with pytest.raises(ReportFailed, match="larger than"):
        fitting_page(of, None)


def test_the_chart_library_is_installed_and_asks_nobody(tmp_path: Path) -> None:
    library = chart_library()
    assert library is not None, "`make install` unpacks it"
    assert "Licensed to the Apache Software Foundation" in library
    assert "</script" not in library and "<!--" not in library
    assert chart_library(tmp_path) is None


def test_an_empty_segment_is_told_as_empty(document: dict[str, Any]) -> None:
    told = segments_of(document)
    assert set(told["rfm", EMPTY]["sizes"]) == {0}
    assert WITHHELD in told["rfm", FEW]["sizes"]
