"""A rule that goes wrong is stopped by the gate: exit 1, the expectation is named, what was served stays byte for byte."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.python.functional.conftest import PROJECT_DIR, Run, segments
from tests.python.functional.test_night import served_bytes

# What somebody might break in a pull request: segment table, the text put in place of the last line of its model, what finds it.
PLANTED = [
    (
        "rfm_segments",
        "select * from final union all (select * from final order by customer_id limit 1)",
        "expect_customer_id_to_be_unique",
    ),
    (
        "value_trend_segments",
        "select * replace (case when customer_id = 'customer_0001' then 'bogus' else segment end as segment) from final",
        "expect_segment_to_be_declared",
    ),
    ("loyalty_status_segments", "select * replace ('loyal' as segment) from final", "expect_shares_within_their_declared_range"),
]


@pytest.fixture(scope="module")
def good_night(tmp_path_factory: pytest.TempPathFactory, write_shop: Callable[[Path, int], Path]) -> tuple[Path, Path]:
    """A shop and a home that serves one good night of it."""
    folder = tmp_path_factory.mktemp("gate")
    source = write_shop(folder / "shop", 400)
    home = folder / "home"
    run = segments("nightly", "--source", str(source), "--home", str(home))
    assert run.exit_code == 0, run.errors + run.output
    return source, home


@pytest.fixture(scope="module")
def stopped_night(good_night: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, dict[str, bytes]]:
    """A night by a checkout with every planted fault, after the good one; and what was served before it."""
    source, home = good_night
    before = served_bytes(home)
    project = tmp_path_factory.mktemp("faults") / "project"
    left_out = shutil.ignore_patterns(".venv", ".git", "warehouse", "target", "logs", "__pycache__", ".*_cache")
    shutil.copytree(PROJECT_DIR, project, ignore=left_out)
    for table, last_line, _ in PLANTED:
        model = project / "models" / "segments" / f"{table}.sql"
        text = model.read_text(encoding="utf-8").rstrip()
        assert text.endswith("select * from final")
        model.write_text(text.removesuffix("select * from final") + last_line + "\n", encoding="utf-8")
    return segments("nightly", "--source", str(source), "--home", str(home), project=project), before


def test_gate_stops_the_night(good_night: tuple[Path, Path], stopped_night: tuple[Run, dict[str, bytes]]) -> None:
    run, before = stopped_night
    assert run.exit_code == 1, run.errors + run.output
    assert served_bytes(good_night[1]) == before


@pytest.mark.parametrize(("table", "last_line", "expectation"), PLANTED)
def test_each_fault_is_named(stopped_night: tuple[Run, dict[str, bytes]], table: str, last_line: str, expectation: str) -> None:
    run, _ = stopped_night
    assert any(table in line and expectation in line for line in run.output.splitlines()), run.output


def test_publishing_alone_does_not_get_past_the_gate(good_night: tuple[Path, Path], stopped_night: tuple[Run, dict[str, bytes]]) -> None:
    """Whoever runs the publishing step by itself after the gate has stopped a night finds the gate closed."""
    from orchestration.automation.job import PUBLISH_JOB, build_definitions
    from orchestration.errors import GateClosed
    from orchestration.ingest.source import resolve_source
    from orchestration.night import NightKeeper
    from orchestration.progress import Progress
    from orchestration.settings import Settings

    source, home = good_night
    _, before = stopped_night
    settings = Settings(home=home, source=str(source))
    resolved = resolve_source(str(source))
    keeper = NightKeeper(settings, resolved, holds_lock=False)
    publish_alone = build_definitions(settings, resolved, keeper, Progress(enabled=False)).resolve_job_def(PUBLISH_JOB)
    with pytest.raises(GateClosed, match="did not pass its audit"):
        publish_alone.execute_in_process(partition_key="2026-01-01")
    assert served_bytes(home) == before
