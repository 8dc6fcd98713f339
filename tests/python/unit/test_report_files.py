"""Pages beside builds: the latest one follows what is served, and a page that fails takes nothing back."""

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration.cli import main
from orchestration.errors import UnusableInput
from orchestration.ingest.source import Source
from orchestration.publishing import builds
from orchestration.report import files
from orchestration.report.document import ReportOptions

OPTIONS = ReportOptions(minimum_group_size=10)


def a_build(home: Path) -> str:
    """A published build whose tables nobody looks into."""
    build = builds.start_build(home, "shop", date(2026, 1, 1), "1.0")
    (builds.build_dir(home, build.id) / builds.DATABASE_FILE).touch()
    builds.mark_published(home, build.id, {})
    return build.id


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page is the id of its build."""
    monkeypatch.setattr(files, "read_document", lambda database, build_id, options, detail: {"build_id": build_id})
    monkeypatch.setattr(files, "fitting_page", lambda read, library: read(None)["build_id"])


def test_the_latest_page_is_of_what_is_served(tmp_path: Path, pages: None) -> None:
    first, second = a_build(tmp_path), a_build(tmp_path)
    builds.swap(tmp_path, second)
    for build in (first, second):
        assert files.try_report(tmp_path, build, OPTIONS) is None
    assert files.latest_page(tmp_path).read_text(encoding="utf-8") == second
    assert files.describe_page(tmp_path, second) == str(files.latest_page(tmp_path))
    assert files.describe_page(tmp_path, first) == str(files.page_file(tmp_path, first))
    done = CliRunner().invoke(main, ["rollback", first, "--home", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert done.output.endswith(f"Its page: {files.latest_page(tmp_path)}\n")
    assert files.latest_page(tmp_path).read_text(encoding="utf-8") == first


def test_a_home_may_be_moved(tmp_path: Path, pages: None) -> None:
    home = tmp_path / "home"
    home.mkdir()
    build = a_build(home)
    builds.swap(home, build)
    files.make_report(home, build, OPTIONS)
    moved = home.rename(tmp_path / "moved")
    assert files.latest_page(moved).read_text(encoding="utf-8") == build


def test_a_page_that_fails_is_told_and_leaves_no_page_of_another_build(
    tmp_path: Path, pages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = a_build(tmp_path)
    builds.swap(tmp_path, first)
    files.make_report(tmp_path, first, OPTIONS)
    second = a_build(tmp_path)
    builds.swap(tmp_path, second)

    def fail(read: object, library: object) -> str:
        raise ZeroDivisionError("nothing to divide by")

    monkeypatch.setattr(files, "fitting_page", fail)
    assert files.try_report(tmp_path, second, OPTIONS) == "nothing to divide by"
    assert not files.latest_page(tmp_path).exists()
    assert files.describe_page(tmp_path, second) == "no page: nothing to divide by (`segments report` makes it)"
    assert builds.current_build(tmp_path).id == second  # type: ignore[union-attr]
    monkeypatch.undo()
    assert files.try_report(tmp_path, second, OPTIONS) is not None  # an empty file is no database, and that is told too
    assert files.page_file(tmp_path, first).read_text(encoding="utf-8") == first


def test_a_page_made_again_takes_the_place_of_the_reason(tmp_path: Path, pages: None) -> None:
    build = a_build(tmp_path)
    builds.swap(tmp_path, build)
    problem = files.page_file(tmp_path, build).with_name(files.PROBLEM_FILE)
    problem.parent.mkdir(parents=True)
    problem.write_text("no room\n", encoding="utf-8")
    assert "no room" in files.describe_page(tmp_path, build)
    files.make_report(tmp_path, build, OPTIONS)
    assert not problem.exists()


def test_pages_go_with_their_builds(tmp_path: Path, pages: None) -> None:
    kept, pruned = a_build(tmp_path), a_build(tmp_path)
    builds.swap(tmp_path, kept)
    for build in (kept, pruned):
        files.make_report(tmp_path, build, OPTIONS)
    (builds.build_dir(tmp_path, pruned) / builds.DATABASE_FILE).unlink()
    files.make_report(tmp_path, kept, OPTIONS)
    assert {path.name for path in files.reports_dir(tmp_path).iterdir()} == {kept, "latest"}
    with pytest.raises(UnusableInput, match=r"has no segments\.duckdb"):
        files.make_report(tmp_path, pruned, OPTIONS)


def test_without_a_build_there_is_nothing_to_report(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["report", "--home", str(tmp_path)])
    assert done.exit_code == 2
    assert "segments nightly" in done.output


def test_a_source_may_ask_for_larger_groups() -> None:
    source = Source(name="shop", folder=Path("/nowhere"), currency="EUR")
    assert files.report_options(source) == ReportOptions(10, "EUR")
    careful = Source(name="shop", folder=Path("/nowhere"), vars={"minimum_group_size": 50})
    assert files.report_options(careful) == ReportOptions(50, None)


def test_a_page_that_cannot_be_made_is_a_warning_of_the_run_and_no_failure(tmp_path: Path) -> None:
    import dagster as dg

    from orchestration.night import NightKeeper
    from orchestration.progress import Progress
    from orchestration.report.assets import build_report_asset
    from orchestration.settings import Settings

    settings, source = Settings(home=tmp_path), Source(name="shop", folder=Path("/nowhere"))
    keeper = NightKeeper(settings, source, holds_lock=True)
    keeper.open_build(date(2026, 1, 1))
    builds.mark_published(tmp_path, keeper.build_id, {})
    partitions = dg.DailyPartitionsDefinition(start_date="2026-01-01")
    page = build_report_asset(settings=settings, source=source, partitions=partitions, keeper=keeper, progress=Progress(enabled=False))
    run = dg.materialize([page], partition_key="2026-01-01", raise_on_error=False)
    assert run.success
    (check,) = run.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.description is not None and "has no segments.duckdb" in check.description
    assert builds.read_build(tmp_path, keeper.build_id).status == builds.PUBLISHED
    assert "has no segments.duckdb" in files.describe_page(tmp_path, keeper.build_id)
