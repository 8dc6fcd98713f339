"""What a run of the benchmark found, as tables for a terminal and for Markdown."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from benchmarks.performance.measure import Measured
from benchmarks.performance.targets import GIGABYTE, Judged

MEASURED_PACKAGES = ("duckdb", "dbt-core", "dbt-duckdb", "dagster", "great-expectations", "polars", "pandas")


@dataclass(frozen=True)
class Sheet:
    """A table: texts only, the first column is words, the others are numbers or short."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]

    def as_rich(self) -> Table:
        """For a terminal."""
        table = Table(title=self.title, title_justify="left")
        for number, heading in enumerate(self.headings):
            table.add_column(heading, justify="right" if number else "left", no_wrap=bool(number))
        for row in self.rows:
            table.add_row(*row)
        return table

    def as_markdown(self) -> str:
        """For documentation."""
        alignment = ["---", *("---:" for _ in self.headings[1:])]
        lines = [f"| {' | '.join(row)} |" for row in (self.headings, alignment, *self.rows)]
        return "\n".join([f"**{self.title}**", "", *lines])


def seconds(value: float) -> str:
    """Two digits where it matters: 0.32, 4.5, 81."""
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def size(value: int | None) -> str:
    """Bytes in GB, or MB where that is less than a tenth; a dash where nothing was left behind."""
    if value is None:
        return "-"
    return f"{value / GIGABYTE:.1f} GB" if value >= GIGABYTE / 10 else f"{value / 1e6:.0f} MB"


def costs(measured: Mapping[str, Measured], descriptions: Mapping[str, str]) -> Sheet:
    """What each piece cost, in the order in which they are described."""
    rows = [
        (descriptions[name], seconds(cost.cpu), seconds(cost.wall), size(cost.memory), size(cost.disk))
        for name, cost in ((name, measured[name]) for name in descriptions if name in measured)
    ]
    return Sheet("What was measured", ("piece", "CPU s", "wall s", "peak memory", "left on disk"), rows)


def parts(nights: Mapping[str, Mapping[str, float]]) -> Sheet:
    """Where nights spend their CPU seconds, in the order of the first one's parts."""
    names = list(dict.fromkeys(part for by_part in nights.values() for part in by_part))
    rows = [(name, *(seconds(by_part.get(name, 0.0)) for by_part in nights.values())) for name in names]
    return Sheet("Where a night spends its CPU seconds", ("part", *nights), rows)


def verdicts(judged: Sequence[Judged]) -> Sheet:
    """Every target with what was found."""
    rows = [
        (
            one.target.figure,
            "any" if one.target.scale is None else f"{one.target.scale:,}",
            _number(one.value, one.target.unit),
            "-" if one.by_the_clock is None else _number(one.by_the_clock, one.target.unit),
            _number(one.target.at_most, one.target.unit),
            _number(one.target.stretch, one.target.unit),
            one.verdict,
        )
        for one in judged
    ]
    return Sheet("Targets", ("figure", "meant at lines", "measured", "by the clock", "at most", "stretch", ""), rows)


def _number(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if unit == "rows" else f"{value:.2f}".rstrip("0").rstrip(".") if value < 10 else f"{value:,.0f}"
    return f"{number} {unit}".strip()


def machine() -> str:
    """Cores, memory and versions, in one line; nothing that names the machine."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    packages = ", ".join(f"{package} {version(package)}" for package in MEASURED_PACKAGES)
    return f"{len(os.sched_getaffinity(0))} cores, {memory:.0f} GB, {platform.system()}, Python {platform.python_version()}, {packages}"


def replace_section(document: str, name: str, content: str) -> str:
    """The document with the section of that name (between two comment lines) replaced, or added at its end."""
    begin, end = f"<!-- measured: {name} -->", "<!-- end of what was measured -->"
    section = f"{begin}\n{content}\n{end}"
    if begin not in document:
        return f"{document.rstrip()}\n\n{section}\n"
    before, rest = document.split(begin, 1)
    after = rest.split(end, 1)[1]
    return f"{before}{section}{after}"


def write_section(document: Path, name: str, content: str) -> None:
    """Replace the section of that name in a file."""
    document.write_text(replace_section(document.read_text(encoding="utf-8"), name, content), encoding="utf-8")
