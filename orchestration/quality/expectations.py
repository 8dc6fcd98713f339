"""Two expectations of our own, for rules that compare a segment output with other tables. Both run one query.

Great Expectations' UnexpectedRowsExpectation runs every query twice (once to count, once to fetch rows that nobody may
see in a stored result) and cannot say which figure was observed. Import this module lazily: it imports Great Expectations.
"""

from decimal import Decimal
from typing import Any, ClassVar

from great_expectations.expectations.expectation import BatchExpectation


class ExpectNoRows(BatchExpectation):
    """Passes when `query` finds no row. The observed value is the number of rows found, never the rows themselves."""

    query: str
    metric_dependencies: ClassVar[tuple[str, ...]] = ("query.row_count",)
    success_keys: ClassVar[tuple[str, ...]] = ("query",)

    def _validate(self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:
        rows = metrics["query.row_count"]
        return {"success": rows == 0, "result": {"observed_value": rows}}


class ExpectFiguresWithinBounds(BatchExpectation):
    """Passes when every figure that `query` returns is what it should be. At most 200 figures, and at least one.

    The query returns one row per figure: `figure` (its name) and `observed`, with either `expected` (the same figure
    from an independent place) or `lowest` and `highest` (inclusive; null is no bound). Optional columns: `unit`
    ("share" is shown as a percentage) and `not_judged_because` (a text; the figure then counts as met).
    """

    query: str
    metric_dependencies: ClassVar[tuple[str, ...]] = ("query.table",)
    success_keys: ClassVar[tuple[str, ...]] = ("query",)

    def _validate(self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None) -> dict[str, Any]:
        figures = [{str(name): value for name, value in row.items()} for row in metrics["query.table"]]
        return judge_figures(figures)


def judge_figures(figures: list[dict[str, Any]]) -> dict[str, Any]:
    """What Great Expectations wants back: success, and in `result` the observed and the expected text.

    When a figure fails, the texts name the failing figures only; otherwise all of them. Raises ValueError when there is
    no figure at all: a comparison of nothing proves nothing.
    """
    if not figures:
        raise ValueError("the query returned no figure: there was nothing to compare")
    reasons = sorted({figure["not_judged_because"] for figure in figures if figure.get("not_judged_because")})
    judged = [figure for figure in figures if not figure.get("not_judged_because")]
    failing = [figure for figure in judged if not _is_met(figure)]
    shown = failing or judged or figures
    observed = "; ".join(f"{figure['figure']} {show(figure['observed'], figure.get('unit'))}" for figure in shown)
    if reasons:
        observed = "; ".join(["not judged: " + ", ".join(reasons), *([observed] if judged else [])])
    expected = "; ".join(f"{figure['figure']} {_bounds(figure)}" for figure in shown)
    return {"success": not failing, "result": {"observed_value": observed, "details": {"expected": expected}}}


def _is_met(figure: dict[str, Any]) -> bool:
    if "expected" in figure:
        return bool(figure["observed"] == figure["expected"])
    observed, lowest, highest = figure["observed"], figure["lowest"], figure["highest"]
    return observed is not None and (lowest is None or observed >= lowest) and (highest is None or observed <= highest)


def _bounds(figure: dict[str, Any]) -> str:
    unit = figure.get("unit")
    if "expected" in figure:
        return show(figure["expected"], unit)
    lowest, highest = figure["lowest"], figure["highest"]
    if lowest is None and highest is None:
        return "any"
    if lowest == highest:
        return show(lowest, unit)
    if lowest is None:
        return f"at most {show(highest, unit)}"
    if highest is None:
        return f"at least {show(lowest, unit)}"
    return f"{show(lowest, unit)} to {show(highest, unit)}"


def show(value: Any, unit: str | None = None) -> str:
    """A value as a person reads it: thousands separated, shares as percentages, nothing rounded that decides."""
    if value is None:
        return "null"
    if unit == "share":
        return f"{100 * float(value):.2f} %"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value.normalize():,f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else repr(value)
    return str(value)
