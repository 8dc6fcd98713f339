"""What the benchmark is measured against: ratios within one run, what they may be at most, and what was found."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.performance.measure import Measured
from benchmarks.performance.trace import START, UP_TO_FEATURES, UP_TO_SEGMENTS

GIGABYTE = 10**9
REACHED, STRETCH, MISSED = "reached", "stretch", "not reached"

# Parts of a night (see trace.py): what comes before the segments.
BEFORE_SEGMENTS = ("land raw tables", *UP_TO_FEATURES, *(f"{layer} tests" for layer in UP_TO_FEATURES))


@dataclass(frozen=True)
class Target:
    """One limit.

    Attributes:
        figure: what is compared with what.
        scale: order lines at which it is meant; None where it is meant at any size.
        at_most: greatest value that is good enough.
        stretch: greatest value that is as good as we hope for.
        unit: of all three numbers, empty for ratios.
    """

    figure: str
    scale: int | None
    at_most: float
    stretch: float
    unit: str = ""


@dataclass(frozen=True)
class Judged:
    """A target with what was measured: by CPU seconds (by bytes, by rows), which decides, and by the clock."""

    target: Target
    value: float
    by_the_clock: float | None = None

    @property
    def verdict(self) -> str:
        """Whether the value is within the target."""
        if self.value <= self.target.stretch:
            return STRETCH
        return REACHED if self.value <= self.target.at_most else MISSED


def judge(measured: Mapping[str, Measured], rows_that_differ: int) -> list[Judged]:
    """All targets in the order of the documentation, from what one run measured (by the names that `sequence` gives)."""

    def compared(target: Target, first: str, second: str) -> Judged:
        one, two = measured[first], measured[second]
        return Judged(target, ratio(one.cpu, two.cpu), ratio(one.wall, two.wall))

    first_night, fixed = measured["full night"], measured["night without news"]
    by_part = first_night.found["cpu_by_part"]
    nights_memory = max(measured[name].memory for name in ("full night", "later night", "correcting night")) / GIGABYTE
    return [
        compared(Target("full build to features / hand-written features SQL", 10_000_000, 2.4, 1.6), "full build", "features by hand"),
        compared(Target("later build to features / full build to features", 10_000_000, 0.15, 0.05), "later build", "full build"),
        compared(Target("whole later night / whole full night", 100_000_000, 0.5, 0.25), "later night", "full night"),
        Judged(
            Target("segments, gate, publishing (of the full night) / full build to features", 100_000_000, 1.0, 0.5),
            ratio(after_features(by_part), measured["full build"].cpu),
        ),
        Judged(Target("incremental against full: rows that differ", None, 0, 0, "rows"), rows_that_differ),
        compared(Target("RFM summary by the SQL of the models / polars streaming", 10_000_000, 1.2, 0.9), "rfm: models", "rfm: polars"),
        Judged(Target("peak memory of a whole night", 100_000_000, 8.0, 4.0, "GB"), nights_memory),
        Judged(
            Target("Dagster + dbt / the same SQL run bare", 100_000_000, 1.2, 1.05),
            ratio(up_to_segments(by_part), measured["bare SQL"].cpu),
        ),
        Judged(Target("night that changes nothing, tiny retailer", None, 40, 20, "s"), fixed.cpu, fixed.wall),
    ]


def ratio(dividend: float, divisor: float) -> float:
    """One number over another; infinite where there is nothing to divide by, so that no target is reached by measuring nothing."""
    return dividend / divisor if divisor else float("inf")


def is_orchestration(part: str) -> bool:
    """Whether a part of a night is what Dagster and dbt take for themselves up to the gate.

    How the models are divided among steps is the night's affair: every step that builds some is named `build …`, the one after the gate
    by the history that it writes.
    """
    return part in (START, "preparing") or (part.startswith("build ") and "history" not in part)


def after_features(by_part: Mapping[str, float]) -> float:
    """CPU seconds of a night after the features, with the tests about what it makes there; what Dagster and dbt take apart."""
    return sum(seconds for part, seconds in by_part.items() if not is_orchestration(part) and part not in BEFORE_SEGMENTS)


def up_to_segments(by_part: Mapping[str, float]) -> float:
    """CPU seconds of a night for what the bare SQL does, every model up to the segments, with all that Dagster and dbt take.

    Raises KeyError where a layer is missing, or any step that builds: a ratio without them would flatter.
    """
    orchestration = [seconds for part, seconds in by_part.items() if is_orchestration(part)]
    if not any(part.startswith("build ") and is_orchestration(part) for part in by_part):
        raise KeyError("build …")
    return sum(orchestration) + sum(by_part[layer] for layer in UP_TO_SEGMENTS)
