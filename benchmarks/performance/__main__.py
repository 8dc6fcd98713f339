"""`python -m benchmarks.performance --lines N`: what nights cost, against plain SQL, other engines and the targets."""

import shutil
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from benchmarks.performance import report
from benchmarks.performance.sequence import DESCRIPTIONS, Found, run_all
from orchestration.errors import SegmentsError
from orchestration.progress import Progress

MINIMUM_WIDTH = 130  # columns of text
NIGHTS = ("full night", "later night", "correcting night", "night without news")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--lines", default=1_000_000, show_default=True, type=click.IntRange(min=1000), help="Order lines of the retailer.")
@click.option(
    "--folder", default="warehouse_benchmark", show_default=True, type=click.Path(path_type=Path), help="Where everything is written."
)
@click.option("--keep", is_flag=True, help="Keep the retailer's files, and use them again the next time.")
@click.option("--into", type=click.Path(path_type=Path, exists=True), help="A Markdown file whose section of this size is replaced.")
def main(lines: int, folder: Path, keep: bool, into: Path | None) -> None:
    """Time the project's nights on a synthetic retailer of LINES order lines, and print them beside the targets."""
    folder = folder.resolve()
    data, work = folder / f"retailer_{lines}", folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    tempfile.tempdir = str(work)  # what engines spill goes where the disk is
    try:
        found = run_all(lines, data, work, Progress())
    except SegmentsError as error:
        click.echo(f"benchmark: {error}", err=True)
        sys.exit(1)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if not keep:
            shutil.rmtree(data, ignore_errors=True)
    sheets = [
        report.verdicts(found.judged),
        report.costs(found.measured, DESCRIPTIONS),
        report.parts({name: found.measured[name].found["cpu_by_part"] for name in NIGHTS}),
    ]
    console = Console(width=max(Console().width, MINIMUM_WIDTH))
    for sheet in sheets:
        console.print(sheet.as_rich())
    for note in notes(found):
        console.print(f"- {note}", highlight=False)
    remarks = "\n".join(f"- {note}" for note in notes(found))
    text = "\n\n".join([f"### {lines:,} order lines", *(sheet.as_markdown() for sheet in sheets), remarks])
    result = folder / f"performance_{lines}.md"
    result.write_text(text + "\n", encoding="utf-8")
    if into:
        report.write_section(into, f"{lines:,} lines", text)
    console.print(f"The same as Markdown: {into or result}")


def notes(found: Found) -> list[str]:
    """What the tables do not say: the machine, what was compared, and where figures did not agree."""
    hand, difference = found.compared_by_hand, found.difference
    unequal = [f"{column} ({count:,} customers)" for column, count in hand["different"].items()]
    unequal += [f"{column} (absent)" for column in hand["absent"]]
    tables = [f"{table} ({count:,})" for table, count in difference["different"].items()]
    return [
        f"Machine: {report.machine()}.",
        f"{found.lines_landed:,} order lines landed, {found.retailer.customers:,} customers; "
        f"the later night brings {found.retailer.new_orders:,} new orders and {found.retailer.corrected_orders:,} corrected old ones.",
        f"Written by hand: {len(hand['equal'])} features, equal to the project's for every customer"
        + (f"; not equal: {', '.join(unequal)}." if unequal else ".")
        + f" The project's full build makes {hand['feature_columns']} features in {hand['feature_tables']} tables.",
        f"Two nights against one full rebuild: {difference['tables']} tables of features and segments, {difference['rows']:,} rows, "
        + (f"different: {', '.join(tables)}." if tables else "no row differs."),
        "The checksum of the RFM summary is the same for all.",
    ]


if __name__ == "__main__":
    main()
