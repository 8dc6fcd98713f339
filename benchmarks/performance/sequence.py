"""What the benchmark runs, in order, and what it may keep on disk meanwhile."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.performance import retailer
from benchmarks.performance.measure import Measured, PieceFailed, middle, run_piece
from benchmarks.performance.retailer import FIRST_DAY, SECOND_DAY, Retailer
from benchmarks.performance.targets import Judged, judge
from benchmarks.performance.trace import UP_TO_FEATURES, UP_TO_SEGMENTS
from orchestration.prediction.facts import FACTS
from orchestration.progress import Progress
from orchestration.sql import quote_literal

SOURCE = "benchmark"  # the name in retailer.SOURCE_YML
TINY_LINES = 2_000
# pandas holds every line in memory, some 250 bytes each.
PANDAS_LINES = 20_000_000
# Short pieces run thrice and the middle one counts.
SHORT_RUNS = 3

DESCRIPTIONS = {
    "scan": "scan of all columns of the landed order lines",
    "rfm: duckdb": "RFM summary: DuckDB, one statement",
    "rfm: polars": "RFM summary: polars, streaming",
    "rfm: pandas": "RFM summary: pandas",
    "rfm: models": "RFM summary: the SQL of our models as views, nothing stored",
    "rfm: dbt": "RFM summary: `dbt build` of customer_order_features and all it reads, every model stored",
    "features by hand": "features by hand-written SQL",
    "bare SQL": "the SQL of all models up to the segments, run bare",
    "full build": "full build to features (dbt, from landed Parquet)",
    "later build": "build to features a day later, 0.1 % new lines",
    "full night": "whole full night: landing, build, tests, gate, publishing",
    "later night": "whole night a day later, 0.1 % new lines",
    "correcting night": "the same night once more, with the day before recorded again first, because lines came late",
    "tiny build": f"full build to features of {TINY_LINES:,} lines: dbt's fixed cost",
    "night without news": f"whole night that changes nothing, {TINY_LINES:,} lines: the fixed cost of a night",
}


@dataclass(frozen=True)
class Found:
    """Everything that one run of the benchmark found."""

    retailer: Retailer
    lines_landed: int
    measured: Mapping[str, Measured]
    compared_by_hand: Mapping[str, Any]
    difference: Mapping[str, Any]
    judged: Sequence[Judged]


class Home:
    """A home folder of the benchmark. Homes of one source may share its landing, so that the rows landed are the very same."""

    def __init__(self, folder: Path, source: Path, landing_of: "Home | None" = None) -> None:
        self.folder = folder
        self.source = source
        self.landing = folder / "landing" / SOURCE
        self.database = folder / "working" / SOURCE / "warehouse.duckdb"
        folder.mkdir(parents=True)
        if landing_of:
            (folder / "landing").symlink_to(landing_of.folder / "landing")

    def night(self, day: object) -> Measured:
        """A whole night of this home."""
        return run_piece("night", {"home": str(self.folder), "source": str(self.source), "as_of": str(day)}, [self.folder])

    def build(self, day: object, layers: Sequence[str]) -> Measured:
        """dbt up to a layer, from what was landed."""
        return self.build_selected(day, [f"path:{'seeds' if layer == 'rules' else f'models/{layer}'}" for layer in layers])

    def build_selected(self, day: object, selection: Sequence[str]) -> Measured:
        """dbt for a selection, seeds included, tests not."""
        arguments = {"home": str(self.folder), "source": str(self.source), "as_of": str(day), "selection": list(selection)}
        return run_piece("to_layers", arguments, [self.folder])

    def remove(self) -> None:
        """Give the disk back."""
        shutil.rmtree(self.folder)


def run_all(lines: int, data: Path, work: Path, progress: Progress) -> Found:
    """Run every piece, one after the other, each in a process of its own.

    Raises:
        PieceFailed: a piece did not end well, or engines disagree about the RFM summary.
    """
    planned = retailer.size(lines)
    measured: dict[str, Measured] = {}

    def keep(name: str, cost: Measured) -> Measured:
        measured[name] = cost
        progress.finish(f"{cost.cpu:.1f} s of CPU")
        return cost

    def short(name: str, piece: str, arguments: Mapping[str, Any]) -> Measured:
        progress.stage(DESCRIPTIONS[name])
        return keep(name, middle([run_piece(piece, arguments) for _ in range(SHORT_RUNS)]))

    progress.stage(f"a retailer of {lines:,} order lines")
    if not retailer.is_made(data, planned):
        run_piece("make_retailer", {"folder": str(data), "lines": lines})
    progress.finish()

    source = work / "source"
    retailer.link(data / "history", source)
    nights = Home(work / "nights", source)
    progress.stage(DESCRIPTIONS["full night"])
    keep("full night", nights.night(FIRST_DAY))

    landed = {"landing": str(nights.landing)}
    day = {"as_of": str(FIRST_DAY)}
    lines_landed = short("scan", "scan", landed).found["lines"]
    engines = ["duckdb", "polars", *(["pandas"] if lines <= PANDAS_LINES else [])]
    sums = {engine: short(f"rfm: {engine}", "rfm", {"engine": engine, **landed, **day}).found for engine in engines}
    compiled = {"home": str(nights.folder), "source": SOURCE}
    sums["models"] = short("rfm: models", "rfm_of_the_models", compiled).found
    sums["the night"] = run_piece("rfm_of_a_database", {"database": str(nights.database)}).found
    require_equal(sums)

    progress.stage(DESCRIPTIONS["features by hand"])
    by_hand = work / "by_hand.duckdb"
    runs = []
    for _ in range(SHORT_RUNS):
        by_hand.unlink(missing_ok=True)
        runs.append(run_piece("features", {**landed, **day, "database": str(by_hand)}, [by_hand]))
    keep("features by hand", middle(runs))
    compared = run_piece("compare_features", {"by_hand": str(by_hand), "by_models": str(nights.database)}).found
    by_hand.unlink()

    progress.stage(DESCRIPTIONS["bare SQL"])
    database = work / nights.database.name  # compiled SQL names its database, and the file names that
    keep("bare SQL", run_piece("bare", {**compiled, "database": str(database), "layers": list(UP_TO_SEGMENTS)}, [database]))
    database.unlink()

    progress.stage(DESCRIPTIONS["rfm: dbt"])
    alone = Home(work / "rfm", source, landing_of=nights)
    keep("rfm: dbt", alone.build_selected(FIRST_DAY, ["+customer_order_features"]))
    alone.remove()

    builds = Home(work / "builds", source, landing_of=nights)
    progress.stage(DESCRIPTIONS["full build"])
    keep("full build", builds.build(FIRST_DAY, UP_TO_FEATURES))

    retailer.link(data / "delivery", source)
    progress.stage(DESCRIPTIONS["later night"])
    keep("later night", nights.night(SECOND_DAY))
    retailer.describe(source, correction_days=1)
    progress.stage(DESCRIPTIONS["correcting night"])
    keep("correcting night", nights.night(SECOND_DAY))
    progress.stage(DESCRIPTIONS["later build"])
    keep("later build", builds.build(SECOND_DAY, UP_TO_FEATURES))
    builds.remove()

    progress.stage("two nights against one full rebuild")
    rebuilt = Home(work / "rebuilt", source, landing_of=nights)
    # Fits are facts, which no rebuilding makes again, and so is what they expect for the day.
    copy_facts(nights.database, rebuilt.database)
    rebuilt.build(SECOND_DAY, (*UP_TO_SEGMENTS, "audiences"))
    both = {"first": str(nights.database), "second": str(rebuilt.database), "schemas": ["features", "segments"]}
    difference = run_piece("rows_that_differ", both).found
    rebuilt.remove()
    nights.remove()
    progress.finish()

    progress.stage(DESCRIPTIONS["night without news"])
    tiny_data, tiny_source = work / "tiny_retailer", work / "tiny_source"
    run_piece("make_retailer", {"folder": str(tiny_data), "lines": TINY_LINES})
    retailer.link(tiny_data / "history", tiny_source)
    tiny = Home(work / "tiny", tiny_source)
    tiny.night(FIRST_DAY)
    keep("night without news", tiny.night(FIRST_DAY))
    progress.stage(DESCRIPTIONS["tiny build"])
    keep("tiny build", Home(work / "tiny_build", tiny_source, landing_of=tiny).build(FIRST_DAY, UP_TO_FEATURES))

    rows = sum(abs(count) for count in difference["different"].values())
    return Found(planned, lines_landed, measured, compared, difference, judge(measured, rows))


def copy_facts(made: Path, target: Path) -> None:
    """Copy what fits gave, and what follows from it for the day, into a new database."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(target)) as connection:
        connection.execute(f"attach {quote_literal(str(made))} as made (read_only)")
        connection.execute("create schema prediction")
        for table in FACTS:
            connection.execute(f"create table prediction.{table} as from made.prediction.{table}")


def require_equal(sums: Mapping[str, Any]) -> None:
    """Raise PieceFailed unless all engines found the same."""
    if len({tuple(found) for found in sums.values()}) > 1:
        found = "; ".join(f"{engine}: {values}" for engine, values in sums.items())
        raise PieceFailed(f"the engines disagree about the RFM summary, so their times cannot be compared: {found}")
