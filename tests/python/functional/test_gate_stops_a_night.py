"""A rule that goes wrong is stopped by the gate: exit 1, the expectation is named, what was served stays byte for byte."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.python.functional.conftest import PROJECT_DIR, Run, segments
from tests.python.functional.test_night import served_bytes

# What somebody might break in a pull request, as text put in place of the last line of models/segments/rfm_segments.sql.
PLANTED = {
    "a customer twice": (
        "select * from final union all (select * from final order by customer_id limit 1)",
        "expect_customer_id_to_be_unique",
    ),
    "an unknown segment": (
        "select * replace (case when customer_id = 'customer_0001' then 'bogus' else segment end as segment) from final",
        "expect_segment_to_be_declared",
    ),
    "a share out of range": ("select * replace ('champions' as segment) from final", "expect_shares_within_their_declared_range"),
}


@pytest.fixture(scope="module")
def good_night(tmp_path_factory: pytest.TempPathFactory, write_shop: Callable[[Path, int], Path]) -> tuple[Path, Path]:
    """A shop and a home that serves one good night of it."""
    folder = tmp_path_factory.mktemp("gate")
    source = write_shop(folder / "shop", 400)
    home = folder / "home"
    run = segments("nightly", "--source", str(source), "--home", str(home))
    assert run.exit_code == 0, run.errors + run.output
    return source, home


def project_with(tmp_path: Path, last_line: str) -> Path:
    """A checkout in which rfm_segments ends in another line."""
    project = tmp_path / "project"
    shutil.copytree(
        PROJECT_DIR, project, ignore=shutil.ignore_patterns(".venv", ".git", "warehouse", "target", "logs", "__pycache__", ".*_cache")
    )
    model = project / "models" / "segments" / "rfm_segments.sql"
    text = model.read_text(encoding="utf-8").rstrip()
    assert text.endswith("select * from final")
    model.write_text(text.removesuffix("select * from final") + last_line + "\n", encoding="utf-8")
    return project


@pytest.mark.parametrize("fault", PLANTED)
def test_gate_stops_the_night(good_night: tuple[Path, Path], tmp_path: Path, fault: str) -> None:
    source, home = good_night
    before = served_bytes(home)
    last_line, expectation = PLANTED[fault]
    run: Run = segments("nightly", "--source", str(source), "--home", str(home), project=project_with(tmp_path, last_line))
    assert run.exit_code == 1, run.errors + run.output
    assert expectation in run.output
    assert "rfm_segments" in run.output
    assert served_bytes(home) == before


def test_publishing_alone_does_not_get_past_the_gate(good_night: tuple[Path, Path], tmp_path: Path) -> None:
    """Whoever runs the publishing step by itself after the gate has stopped a night finds the gate closed."""
    from orchestration.automation.job import PUBLISH_JOB, build_definitions
    from orchestration.errors import GateClosed
    from orchestration.ingest.source import resolve_source
    from orchestration.night import NightKeeper
    from orchestration.progress import Progress
    from orchestration.settings import Settings

    source, home = good_night
    last_line, _ = PLANTED["a customer twice"]
    stopped = segments("nightly", "--source", str(source), "--home", str(home), project=project_with(tmp_path, last_line))
    assert stopped.exit_code == 1
    before = served_bytes(home)
    settings = Settings(home=home, source=str(source))
    resolved = resolve_source(str(source))
    keeper = NightKeeper(settings, resolved, holds_lock=False)
    publish_alone = build_definitions(settings, resolved, keeper, Progress(enabled=False)).resolve_job_def(PUBLISH_JOB)
    with pytest.raises(GateClosed, match="did not pass its audit"):
        publish_alone.execute_in_process(partition_key="2026-01-01")
    assert served_bytes(home) == before
