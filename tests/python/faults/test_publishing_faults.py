"""Whatever goes wrong on the way to the readers: what was served before is still served, byte for byte."""

import datetime
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.errors import GateClosed, PublishingFailed, UnusableInput
from orchestration.publishing import serving
from orchestration.publishing.builds import build_dir, current_build, list_builds, read_build, rollback, start_build, swap
from orchestration.publishing.serving import PublishedTable, parquet_file, publish_build, verify_build, write_build
from orchestration.quality.verdict import audit_build, read_verdict
from tests.python.faults.segment_warehouse import AS_OF_DATE, SEGMENT_TABLES
from tests.python.faults.toy_builds import TABLES, audited, contents, make_working, pass_audit, publish, served_marker

NOON = datetime.datetime(2018, 1, 1, 12, tzinfo=datetime.UTC)
REAL_TABLES = [PublishedTable(table, "segments", table, order_by=("customer_id",)) for table in SEGMENT_TABLES]


def night(home: Path, warehouse: Path, suites: Path) -> str:
    """Audit and publish with the real gate; returns the build id."""
    build = start_build(home, "demo", AS_OF_DATE, "v1")
    audit_build(build_dir(home, build.id), warehouse, AS_OF_DATE, suites, SEGMENT_TABLES, checked_at=NOON)
    publish_build(home, build.id, warehouse, REAL_TABLES)
    return build.id


@pytest.mark.parametrize(
    ("fault", "expectation"),
    [
        ("insert into segments.rfm_segments from segments.rfm_segments limit 1", "rfm_segments: expect_customer_id_to_be_unique"),
        ("update segments.value_trend_segments set segment = 'vip' where segment = 'new' or rowid = 7", "expect_segment_to_be_declared"),
        (
            "update rules.segment_definitions set expected_share_max = 0.01 where segment = 'champions'",
            r"expect_shares_within_their_declared_range.*: expected champions 0.00 % to 1.00 %, observed champions 15.75 %",
        ),
    ],
)
def test_a_bad_row_keeps_the_gate_closed(tmp_path: Path, warehouse: Path, suites: Path, fault: str, expectation: str) -> None:
    home = tmp_path / "home"
    served = night(home, warehouse, suites)
    before = contents(home / "serving")
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(fault)
    with pytest.raises(GateClosed, match=expectation):
        night(home, warehouse, suites)
    assert current_build(home) == read_build(home, served)
    assert contents(home / "serving") == before
    # Publishing alone, again and by itself, does not get past the gate either.
    build = list_builds(home)[-1]
    assert not read_verdict(build_dir(home, build.id)).passed
    for attempt in (publish_build, lambda *_: write_build(warehouse, build_dir(home, build.id), REAL_TABLES)):
        with pytest.raises(GateClosed):
            attempt(home, build.id, warehouse, REAL_TABLES)
    assert contents(home / "serving") == before


def without_verdict(home: Path, folder: Path, database: Path) -> None:
    (folder / "verdict.json").unlink()


def verdict_of_another_build(home: Path, folder: Path, database: Path) -> None:
    served = (home / "serving" / "verdict.json").read_bytes()
    (folder / "verdict.json").write_bytes(served)


def rows_changed_after_the_audit(home: Path, folder: Path, database: Path) -> None:
    make_working(home, "changed")


def table_added_after_the_audit(home: Path, folder: Path, database: Path) -> None:
    verdict = (folder / "verdict.json").read_text()
    (folder / "verdict.json").write_text(verdict.replace('"value_segments": {', '"other_segments": {'))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (without_verdict, "was never audited"),
        (verdict_of_another_build, "is of the build"),
        (rows_changed_after_the_audit, "is not what was audited"),
        (table_added_after_the_audit, "value_segments was not audited"),
    ],
)
def test_no_way_past_the_gate(tmp_path: Path, fault: Callable[[Path, Path, Path], None], message: str) -> None:
    publish(tmp_path, "first")
    before = contents(tmp_path / "serving")
    build, database = audited(tmp_path, "second")
    folder = build_dir(tmp_path, build.id)
    fault(tmp_path, folder, database)
    with pytest.raises(GateClosed, match=message):
        publish_build(tmp_path, build.id, database, TABLES)
    assert contents(tmp_path / "serving") == before
    assert not (folder / "segments.duckdb").exists()


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("at", ["_create", "_write_parquet", "sync_file", "verify_build", "swap"])
def test_a_crash_on_the_way_leaves_the_old_build_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    publish(tmp_path, "first")
    before = contents(tmp_path / "serving")
    build, database = audited(tmp_path, "second")

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched, pytest.raises(Crash):
        patched.setattr(serving, at, crash)
        publish_build(tmp_path, build.id, database, TABLES)
    assert contents(tmp_path / "serving") == before
    assert read_build(tmp_path, build.id).status == "building"
    # The same build, published again, and the night after it both succeed.
    assert publish_build(tmp_path, build.id, database, TABLES).status == "published"
    assert served_marker(tmp_path) == "second"
    publish(tmp_path, "third")
    assert served_marker(tmp_path) == "third"


def test_a_crash_after_the_swap_leaves_the_new_build_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = publish(tmp_path, "first")
    build, database = audited(tmp_path, "second")

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched, pytest.raises(Crash):
        patched.setattr(serving, "mark_published", crash)
        publish_build(tmp_path, build.id, database, TABLES)
    assert served_marker(tmp_path) == "second"
    publish(tmp_path, "third")
    assert [known.status for known in list_builds(tmp_path)] == ["published"] * 3
    assert rollback(tmp_path).id == build.id
    assert rollback(tmp_path) == first
    assert served_marker(tmp_path) == "first"


def test_a_crash_while_the_link_is_replaced_leaves_one_or_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tmp_path, "first")
    build, database = audited(tmp_path, "second")
    write_build(database, build_dir(tmp_path, build.id), TABLES)

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patched, pytest.raises(Crash):
        patched.setattr(Path, "replace", crash)
        swap(tmp_path, build.id)
    assert served_marker(tmp_path) == "first"
    assert (tmp_path / f".serving.{os.getpid()}").is_symlink()
    swap(tmp_path, build.id)
    assert served_marker(tmp_path) == "second"
    assert not (tmp_path / f".serving.{os.getpid()}").is_symlink()


def test_a_relation_that_is_missing_or_broken(tmp_path: Path) -> None:
    publish(tmp_path, "first")
    before = contents(tmp_path / "serving")
    build, database = audited(tmp_path, "second")
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "create view reporting.broken as select cast(customer_id as integer) as number from warehouse.segments.rfm_segments"
        )
    for table, message in (
        (PublishedTable("gone", "reporting", "gone"), r"reporting\.gone could not be published as gone: Catalog Error"),
        (PublishedTable("broken", "reporting", "broken"), r"reporting\.broken could not be published as broken: Conversion Error"),
        (PublishedTable("rfm_segments", "segments", "rfm_segments", order_by=("nothing",)), "could not be published"),
        (PublishedTable("rfm_segments", "segments", "rfm_segments", column_descriptions={"nothing": "x"}), "could not be published"),
    ):
        with pytest.raises(PublishingFailed, match=message):
            publish_build(tmp_path, build.id, database, [*TABLES, table] if table.name != "rfm_segments" else [table])
    assert contents(tmp_path / "serving") == before


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def row_lost(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("delete from published.rfm_segments where rowid = 3")


def table_lost(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("drop table published.value_segments")


def value_changed(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("update published.rfm_segments set amount = amount + 1 where rowid = 3")


def bits_rotten(path: Path) -> None:
    """One byte somewhere in the tables."""
    content = bytearray(path.read_bytes())
    place = content.index(b"customer-")
    content[place] ^= 1
    path.write_bytes(content)


def newer_format(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[12] = 68
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [truncated, row_lost, table_lost, value_changed, bits_rotten, newer_format, Path.unlink])
def test_a_damaged_file_is_found_before_it_is_served(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    publish(tmp_path, "first")
    build, database = audited(tmp_path, "second")
    folder = build_dir(tmp_path, build.id)
    counts = write_build(database, folder, TABLES)
    verify_build(folder, counts)
    damage(folder / "segments.duckdb")
    with pytest.raises(PublishingFailed):
        verify_build(folder, counts)


@pytest.mark.parametrize("damage", [truncated, Path.unlink])
def test_damaged_parquet_is_found_before_it_is_served(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    build, database = audited(tmp_path, "first")
    folder = build_dir(tmp_path, build.id)
    counts = write_build(database, folder, TABLES)
    damage(parquet_file(folder, "value_segments"))
    with pytest.raises(PublishingFailed, match="cannot be read back"):
        verify_build(folder, counts)
    other = parquet_file(folder, "value_segments")
    other.write_bytes(b"")
    with duckdb.connect() as connection:
        connection.execute(f"copy (select 1 as n) to '{other}' (format parquet)")
    with pytest.raises(PublishingFailed, match=r"does not hold what segments\.duckdb holds"):
        verify_build(folder, counts)


def test_what_is_written_is_what_was_audited(tmp_path: Path) -> None:
    """Even a fault of the copy itself, made alike in both forms, is found."""
    publish(tmp_path, "first")
    build, database = audited(tmp_path, "second")
    wrong = [*TABLES[1:], PublishedTable("rfm_segments", "reporting", "renamed")]
    with duckdb.connect(str(database)) as connection:
        connection.execute("create view reporting.renamed as select * replace (amount + 1 as amount) from warehouse.segments.rfm_segments")
    folder = build_dir(tmp_path, build.id)
    counts = write_build(database, folder, wrong)
    with pytest.raises(PublishingFailed, match=r"rfm_segments in .* is not what was audited"):
        verify_build(folder, counts, read_verdict(folder).fingerprints)


def test_a_type_that_parquet_cannot_hold(tmp_path: Path) -> None:
    """Both forms must be the same table: a huge integer would come back as a float."""
    build, database = audited(tmp_path, "first")
    with duckdb.connect(str(database)) as connection:
        connection.execute("create view reporting.huge as select sum(amount) as total from warehouse.segments.rfm_segments")
    with pytest.raises(PublishingFailed, match=r"total DOUBLE.*instead of.*total HUGEINT"):
        publish_build(tmp_path, build.id, database, [*TABLES, PublishedTable("huge", "reporting", "huge")])


def test_a_folder_in_the_place_of_the_link(tmp_path: Path) -> None:
    build, database = audited(tmp_path, "first")
    (tmp_path / "serving").mkdir()
    with pytest.raises(UnusableInput, match="is not a link to a build"):
        publish_build(tmp_path, build.id, database, TABLES)
    assert list((tmp_path / "serving").iterdir()) == []


def test_a_second_audit_of_a_mended_build_opens_the_gate(tmp_path: Path) -> None:
    build, database = audited(tmp_path, "first")
    make_working(tmp_path, "mended")
    with pytest.raises(GateClosed):
        publish_build(tmp_path, build.id, database, TABLES)
    pass_audit(build_dir(tmp_path, build.id), database)
    publish_build(tmp_path, build.id, database, TABLES)
    assert served_marker(tmp_path) == "mended"
