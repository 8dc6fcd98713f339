"""The builds of a home: how they are named, listed, served again and pruned."""

import datetime
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestration.errors import PublishingFailed, UnusableInput
from orchestration.publishing.builds import (
    Build,
    build_dir,
    code_version,
    current_build,
    fail_build,
    list_builds,
    mark_published,
    mark_recorded,
    prune,
    read_build,
    rollback,
    served_build_id,
    start_build,
    swap,
)
from orchestration.publishing.summary import describe_builds, describe_failure
from orchestration.settings import Settings

DAY = datetime.date(2018, 1, 1)
NOON = datetime.datetime(2018, 1, 2, 12, tzinfo=datetime.UTC)


def moment(minutes: int) -> datetime.datetime:
    return NOON + datetime.timedelta(minutes=minutes)


def started(home: Path, minutes: int, day: datetime.date = DAY) -> Build:
    return start_build(home, "demo", day, "v1", moment(minutes))


def published(home: Path, minutes: int, day: datetime.date = DAY) -> Build:
    """A build with something to serve, published and served."""
    build = started(home, minutes, day)
    (build_dir(home, build.id) / "segments.duckdb").write_bytes(b"tables")
    (build_dir(home, build.id) / "parquet").mkdir()
    swap(home, build.id)
    return mark_published(home, build.id, {"rfm_segments": 3}, moment(minutes + 5))


def ids(builds: list[Build]) -> list[str]:
    return [build.id for build in builds]


def test_a_build_is_entered_when_it_starts(tmp_path: Path) -> None:
    build = started(tmp_path, 0)
    assert build.id == "2018-01-01T20180102T120000Z"
    assert (build.status, build.finished_at, build.rows, build.bytes, build.failure) == ("building", None, {}, None, None)
    assert read_build(tmp_path, build.id) == build
    assert list_builds(tmp_path) == [build]
    assert current_build(tmp_path) is None


def test_ids_are_unique_within_a_second_and_sort(tmp_path: Path) -> None:
    same_second = [started(tmp_path, 0).id for _ in range(12)]
    later = started(tmp_path, 1).id
    assert len(set(same_second)) == 12
    assert sorted([later, *reversed(same_second)]) == [*same_second, later]


def test_a_build_starts_in_utc(tmp_path: Path) -> None:
    local = datetime.datetime(2018, 1, 2, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=3)))
    assert start_build(tmp_path, "demo", DAY, "v1", local).id == "2018-01-01T20180101T220000Z"


def test_a_published_build_reads_back(tmp_path: Path) -> None:
    build = published(tmp_path, 0)
    assert current_build(tmp_path) == build == read_build(tmp_path, build.id)
    assert (build.status, build.finished_at, build.rows) == ("published", moment(5), {"rfm_segments": 3})
    assert build.bytes is not None
    assert build.bytes > len(b"tables")


def test_the_link_is_relative_so_that_a_home_may_move(tmp_path: Path) -> None:
    home = tmp_path / "here"
    build = published(home, 0)
    assert (home / "serving").readlink() == Path("builds") / build.id
    moved = home.rename(tmp_path / "there")
    assert (moved / "serving" / "segments.duckdb").read_bytes() == b"tables"
    assert current_build(moved) == build


def test_a_failed_build_says_why(tmp_path: Path) -> None:
    earlier = published(tmp_path, 0)
    build = fail_build(tmp_path, started(tmp_path, 10).id, "2 checks failed", moment(11))
    assert (build.status, build.failure, build.finished_at) == ("failed", "2 checks failed", moment(11))
    assert ids(list_builds(tmp_path)) == [earlier.id, build.id]
    assert current_build(tmp_path) == earlier


def test_builds_are_listed_as_they_were_started_whatever_their_day(tmp_path: Path) -> None:
    days = [DAY, DAY - datetime.timedelta(days=30), DAY + datetime.timedelta(days=1)]
    builds = [published(tmp_path, 10 * number, day) for number, day in enumerate(days)]
    (tmp_path / "builds" / "notes").mkdir()
    assert list_builds(tmp_path) == builds


def test_a_home_without_builds(tmp_path: Path) -> None:
    assert list_builds(tmp_path) == []
    assert current_build(tmp_path) is None
    assert prune(tmp_path, 1) == []
    with pytest.raises(UnusableInput, match="Nothing is served"):
        rollback(tmp_path)


def test_a_build_left_unfinished_is_closed_by_the_next(tmp_path: Path) -> None:
    left = started(tmp_path, 0)
    started(tmp_path, 1)
    closed = read_build(tmp_path, left.id)
    assert (closed.status, closed.failure) == ("failed", "the process ended before the build was finished")


def test_a_build_left_between_swap_and_entry_is_published(tmp_path: Path) -> None:
    left = started(tmp_path, 0)
    (build_dir(tmp_path, left.id) / "segments.duckdb").write_bytes(b"tables")
    swap(tmp_path, left.id)
    started(tmp_path, 1)
    current = current_build(tmp_path)
    assert current is not None
    assert (current.id, current.status) == (left.id, "published")


def test_a_build_left_between_swap_and_entry_can_be_served_again_after_a_rollback(tmp_path: Path) -> None:
    first = published(tmp_path, 0)
    left = mark_recorded(tmp_path, started(tmp_path, 10).id, moment(11))
    (build_dir(tmp_path, left.id) / "segments.duckdb").write_bytes(b"tables")
    swap(tmp_path, left.id)
    assert rollback(tmp_path) == first
    assert rollback(tmp_path, left.id).status == "published"


@pytest.mark.parametrize("build_id", ["../../etc", "a/b", "", ".", "..", ".hidden", "a b", "x\n"])
def test_an_id_cannot_lead_elsewhere(tmp_path: Path, build_id: str) -> None:
    with pytest.raises(UnusableInput, match="is not a build id"):
        build_dir(tmp_path, build_id)


def test_a_damaged_entry_is_named(tmp_path: Path) -> None:
    build = started(tmp_path, 0)
    path = build_dir(tmp_path, build.id) / "build.json"
    for damage in ("{", "[]", json.dumps({"id": build.id}), path.read_text().replace("2018-01-01", "someday")):
        path.write_text(damage)
        with pytest.raises(UnusableInput, match=r"build\.json is damaged"):
            list_builds(tmp_path)


def test_rollback_goes_back_one_publishing_at_a_time(tmp_path: Path) -> None:
    first, second, third = (published(tmp_path, minutes) for minutes in (0, 10, 20))
    fail_build(tmp_path, started(tmp_path, 15).id, "no")
    assert current_build(tmp_path) == third
    assert rollback(tmp_path) == second == current_build(tmp_path)
    assert rollback(tmp_path) == first == current_build(tmp_path)
    with pytest.raises(UnusableInput, match=f"No build published before {first.id} is kept"):
        rollback(tmp_path)
    assert current_build(tmp_path) == first


def test_rollback_goes_by_publishing_not_by_day(tmp_path: Path) -> None:
    """A past day that was rebuilt today was published today."""
    today = published(tmp_path, 0, DAY)
    past = published(tmp_path, 10, DAY - datetime.timedelta(days=30))
    assert current_build(tmp_path) == past
    assert rollback(tmp_path) == today


def test_rollback_to_a_named_build(tmp_path: Path) -> None:
    first, second, third = (published(tmp_path, minutes) for minutes in (0, 10, 20))
    assert rollback(tmp_path, first.id) == first == current_build(tmp_path)
    assert rollback(tmp_path, third.id) == third == current_build(tmp_path)
    assert second in list_builds(tmp_path)


def test_rollback_refuses_what_cannot_be_served(tmp_path: Path) -> None:
    served = published(tmp_path, 0)
    failed = fail_build(tmp_path, started(tmp_path, 10).id, "2 checks failed")
    building = started(tmp_path, 20)
    gone = published(tmp_path, 30)
    rollback(tmp_path, served.id)
    (build_dir(tmp_path, gone.id) / "segments.duckdb").unlink()
    for build_id, message in (
        (failed.id, r"is failed \(2 checks failed\), not published"),
        (building.id, "is failed|is building, not published"),
        ("2017-01-01T20170101T000000Z", "There is no build"),
        ("../serving", "is not a build id"),
        (gone.id, "are gone"),
    ):
        with pytest.raises(UnusableInput, match=message):
            rollback(tmp_path, build_id)
    assert current_build(tmp_path) == served


def test_a_folder_named_serving_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / "mine.txt").write_text("mine")
    with pytest.raises(UnusableInput, match="is not a link to a build: move it away"):
        published(tmp_path, 0)
    assert (tmp_path / "serving" / "mine.txt").read_text() == "mine"


def test_a_build_without_tables_is_never_served(tmp_path: Path) -> None:
    served = published(tmp_path, 0)
    empty = started(tmp_path, 10)
    with pytest.raises(PublishingFailed, match=r"has no segments\.duckdb"):
        swap(tmp_path, empty.id)
    assert served_build_id(tmp_path) == served.id


def test_prune_keeps_the_last_and_the_served(tmp_path: Path) -> None:
    builds = [published(tmp_path, 10 * number) for number in range(6)]
    rollback(tmp_path, builds[1].id)
    assert prune(tmp_path, 2) == ids([builds[0], builds[2], builds[3]])
    assert list_builds(tmp_path) == [builds[1], builds[4], builds[5]]
    assert current_build(tmp_path) == builds[1]
    assert prune(tmp_path, 2) == []


def test_prune_goes_by_publishing_not_by_day(tmp_path: Path) -> None:
    today = published(tmp_path, 0, DAY)
    past = published(tmp_path, 10, DAY - datetime.timedelta(days=30))
    assert prune(tmp_path, 1) == [today.id]
    assert list_builds(tmp_path) == [past]


def test_prune_keeps_of_a_failed_build_only_what_says_why(tmp_path: Path) -> None:
    served = published(tmp_path, 0)
    failed = []
    for number in range(4):
        build = started(tmp_path, 10 + number)
        folder = build_dir(tmp_path, build.id)
        (folder / "segments.duckdb").write_bytes(b"tables")
        (folder / "verdict.json").write_text("{}")
        (folder / "parquet" / "rfm_segments").mkdir(parents=True)
        failed.append(fail_build(tmp_path, build.id, "no"))
    building = started(tmp_path, 30)
    assert prune(tmp_path, 3) == [failed[0].id]
    assert ids(list_builds(tmp_path)) == ids([served, *failed[1:], building])
    for build in failed[1:]:
        assert sorted(path.name for path in build_dir(tmp_path, build.id).iterdir()) == ["build.json", "verdict.json"]


def test_prune_finishes_what_a_crash_began(tmp_path: Path) -> None:
    served = published(tmp_path, 0)
    half = tmp_path / "builds" / ".removed-2017-01-01T20170101T000000Z"
    half.mkdir()
    (half / "build.json").write_text("{")
    assert list_builds(tmp_path) == [served]
    assert prune(tmp_path, 1) == []
    assert not half.exists()


def test_at_least_one_build_is_kept(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="At least one"):
        prune(tmp_path, 0)


def test_a_reader_keeps_the_file_it_has_open(tmp_path: Path) -> None:
    first = published(tmp_path, 0)
    with (tmp_path / "serving" / "segments.duckdb").open("rb") as reader:
        published(tmp_path, 10)
        assert prune(tmp_path, 1) == [first.id]
        assert reader.read() == b"tables"


def git(folder: Path, *arguments: str) -> None:
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env={**os.environ, **identity})


def test_code_version(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "file").write_text("one")
    assert code_version(project) == "0.1.0"  # no git: the package's
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "another repository")
    assert code_version(project) == "0.1.0"  # a repository that merely contains it
    git(project, "init", "-q")
    git(project, "add", "file")
    git(project, "commit", "-qm", "one")
    clean = code_version(project)
    assert len(clean) >= 7
    (project / "file").write_text("two")
    assert code_version(project) == f"{clean}-dirty"


def test_a_served_build_that_is_gone_stops_no_night_and_rollback_serves_the_last_one_kept(tmp_path: Path) -> None:
    first, second, third = (published(tmp_path, minutes) for minutes in (0, 10, 20))
    shutil.rmtree(build_dir(tmp_path, third.id))
    assert current_build(tmp_path) is None
    sentence = f"The served build {third.id} is gone from {tmp_path}/builds: `segments rollback` serves the last published one"
    with pytest.raises(UnusableInput, match=sentence):
        read_build(tmp_path, third.id)
    assert "is gone from" in describe_builds(tmp_path)
    stopped = fail_build(tmp_path, started(tmp_path, 30).id, "2 checks failed")
    told = describe_failure(Settings(home=tmp_path), stopped, None, "")
    assert sentence in told
    assert "Nothing was served before" not in told
    assert rollback(tmp_path) == second == current_build(tmp_path)
    assert rollback(tmp_path) == first
    shutil.rmtree(build_dir(tmp_path, first.id))
    # What a night does: it starts, publishes and prunes as ever.
    fourth = published(tmp_path, 40)
    assert prune(tmp_path, 1) == [second.id]
    assert current_build(tmp_path) == fourth


def test_a_damaged_entry_of_the_served_build_is_not_to_be_removed_first(tmp_path: Path) -> None:
    first, second = published(tmp_path, 0), published(tmp_path, 10)
    (build_dir(tmp_path, second.id) / "build.json").write_text("{")
    with pytest.raises(UnusableInput, match=r"readers see this build, so .* serve another one with `segments rollback BUILD`"):
        current_build(tmp_path)
    assert rollback(tmp_path, first.id) == first
    with pytest.raises(UnusableInput, match=r"remove the folder, or restore the file"):
        list_builds(tmp_path)
