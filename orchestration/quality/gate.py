"""The audit of a build that nobody has seen yet: every suite of `suites/`, run by Great Expectations as SQL on the working database.

Great Expectations is imported by the first audit of a process and not before (it takes seconds), always without
analytics and progress bars. The context is ephemeral: nothing is written but what the caller stores.
"""

import datetime
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from orchestration import working_database
from orchestration.errors import UnusableInput
from orchestration.quality.suites import REFERENCE, Check, Suite, Threshold, load_suites, references

SEGMENTS_SCHEMA = "segments"
SPINE = "intermediate.int_customers"
DEFINITIONS = "rules.segment_definitions"
THRESHOLDS = "rules.thresholds"
# A definition of this segment is one for every name that comes from the data: payment methods, channels, categories.
NAMED_BY_THE_DATA = "*"
# What the macro code_of makes of a text.
CODE_PATTERN = r"[\p{L}\p{N}]+(_[\p{L}\p{N}]+)*"
# Values of these columns name a person: results are stored with builds and outlive an erasure, so they count and never quote them.
UNQUOTED_COLUMNS = frozenset({"customer_id", "person_id"})
QUOTED_VALUES = 3
LONGEST_ERROR = 500


@dataclass(frozen=True)
class CheckResult:
    """What one expectation found. `error` is set when it could not be evaluated at all; it has then not passed."""

    suite: str
    expectation: str
    column: str | None
    expected: str
    observed: str
    passed: bool
    severity: str
    error: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether this result alone keeps the gate closed: a failed check of severity error."""
        return not self.passed and self.severity == "error"

    def __str__(self) -> str:
        """What was expected and what was found, in one line."""
        column = f" of {self.column}" if self.column else ""
        return f"{self.suite}: {self.expectation}{column}: expected {self.expected}, observed {self.error or self.observed}"


def audit(
    database: Path,
    as_of_date: datetime.date,
    suites_dir: Path,
    segment_tables: Sequence[str],
    variables: Mapping[str, Any] | None = None,
    on_suite: Callable[[str, int, int], None] | None = None,
) -> list[CheckResult]:
    """Run the suite of every table of `segment_tables` (schema segments) and return all results, suite by suite.

    `database` is the working DuckDB file; it is opened read-only, so no other process may be writing it and this process
    may hold no read-write connection to it (close dbt's first). `variables` are the dbt variables of the night: they override
    suite parameters and thresholds of the same name, as they do in the models. `on_suite(table, done, of)` is called after
    each suite.

    Whatever is wrong with the data comes back as failed results; a check that raised, or whose table does not exist, comes
    back with its `error` and severity error. Raises UnusableInput for suites or a database file that cannot be used.
    """
    suites = load_suites(suites_dir, segment_tables)
    if not database.is_file():
        raise UnusableInput(f"There is no working database {database}: build the segments before auditing them.")
    results: list[CheckResult] = []
    with _connected(database) as (connection, datasource):
        for done, suite in enumerate(suites, 1):
            results += _audit_suite(connection, datasource, suite, as_of_date, variables or {})
            if on_suite is not None:
                on_suite(suite.table, done, len(suites))
    return results


def _audit_suite(
    connection: duckdb.DuckDBPyConnection, datasource: Any, suite: Suite, as_of_date: datetime.date, variables: Mapping[str, Any]
) -> list[CheckResult]:
    relation = connection.execute(
        "select 1 from information_schema.tables where table_schema = ? and table_name = ?", [SEGMENTS_SCHEMA, suite.table]
    ).fetchone()
    if relation is None:
        # One result instead of one for each check: nothing else can be said about the table.
        missing = f"the table {SEGMENTS_SCHEMA}.{suite.table} does not exist in the working database"
        return [CheckResult(suite.table, "expect_table_to_exist", None, "a table", "not evaluated", False, "error", missing)]

    bound = _bindings(connection, suite, as_of_date, variables)
    outcomes: dict[int, CheckResult] = {}
    expectations = []
    for number, check in enumerate(suite.checks):
        try:
            expectations.append(_expectation(check, bound, number))
        except Exception as error:  # whatever it was, this check was not evaluated, and that is a result
            outcomes[number] = _not_evaluated(suite, check, bound, str(error))
    # Great Expectations answers in an order of its own; the number in `meta` says which check an answer belongs to.
    for answer in _validate(datasource, suite.table, expectations):
        number = answer.expectation_config.meta["number"]
        outcomes[number] = _result(suite, suite.checks[number], bound, answer)
    unanswered = "Great Expectations gave no answer"
    return [outcomes.get(number) or _not_evaluated(suite, check, bound, unanswered) for number, check in enumerate(suite.checks)]


# --- binding -------------------------------------------------------------------------------------------------------------


class _Identifier(str):
    """A name already quoted for SQL."""

    __slots__ = ()


class _Segments(list[str]):
    """Segment codes, and how to say them."""

    in_words: str


def _bindings(
    connection: duckdb.DuckDBPyConnection, suite: Suite, as_of_date: datetime.date, variables: Mapping[str, Any]
) -> dict[str, Any]:
    """The value of every `$name`. One that cannot be read is bound to the exception, raised only by the checks that use it."""

    def read(what: str, sql: str, *values: Any) -> list[Any] | Exception:
        try:
            found = [row[0] for row in connection.execute(sql, values).fetchall()]
        except duckdb.Error as error:
            return error
        # Nothing found is no value: an empty set of allowed segments would let every segment pass.
        return found or LookupError(what)

    def single(values: list[Any] | Exception) -> Any:
        return values[0] if isinstance(values, list) else values

    def parameter(name: str, value: Any) -> Any:
        if isinstance(value, Threshold):
            if value.name in variables:
                return variables[value.name]
            return single(read(f"{THRESHOLDS} has no {value.name}", f"select value from {THRESHOLDS} where name = ?", value.name))
        return variables.get(name, value)

    def segments() -> list[str] | Exception:
        undeclared = f"{DEFINITIONS} declares no segment of the segmentation {suite.segmentation}"
        declared = read(undeclared, f"select segment from {DEFINITIONS} where segmentation = ? order by segment", suite.segmentation)
        if isinstance(declared, Exception):
            return declared
        allowed = _Segments(declared)
        allowed.in_words = "one of " + ", ".join(segment for segment in declared if segment != NAMED_BY_THE_DATA)
        if NAMED_BY_THE_DATA in declared:
            allowed.in_words += " or a code that comes from the data"
            codes = (
                f"select distinct segment from {table} where regexp_full_match(segment, ?) and segment = lower(segment) order by segment"
            )
            found = read("", codes, CODE_PATTERN)
            allowed.extend(found if isinstance(found, list) else [])
        return allowed

    table = _Identifier(f'{SEGMENTS_SCHEMA}."{suite.table}"')
    return {
        **{name: parameter(name, value) for name, value in suite.parameters.items()},
        "table": table,
        "as_of_date": as_of_date,
        "segmentation": suite.segmentation,
        "customers": single(read(f"{SPINE} cannot be counted", f"select count(*) from {SPINE}")),
        "declared_segments": segments(),
    }


def _bound(value: Any, bound: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_bound(item, bound) for item in value]
    if not references(value):
        return value
    (name,) = references(value)
    return _look_up(name, bound)


def _look_up(name: str, bound: Mapping[str, Any]) -> Any:
    if isinstance(bound[name], Exception):
        raise bound[name]
    return bound[name]


def _bound_query(query: str, bound: Mapping[str, Any]) -> str:
    """The query with every `$name` as a quoted literal, and with what Great Expectations and SQLAlchemy read as theirs escaped."""
    text = REFERENCE.sub(lambda match: _sql_literal(_look_up(match[1] or match[2], bound)), query)
    text = text.strip().rstrip(";")
    text = text.replace("{", "{{").replace("}", "}}")
    return re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", text)


def _bound_text(text: str | None, bound: Mapping[str, Any]) -> str | None:
    from orchestration.quality.expectations import show

    return text and REFERENCE.sub(lambda match: show(_look_up(match[1] or match[2], bound)), text)


def _sql_literal(value: Any) -> str:
    if isinstance(value, _Identifier):
        return str(value)
    if isinstance(value, datetime.date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, list):
        return f"({', '.join(map(_sql_literal, value))})"
    return "'" + str(value).replace("'", "''") + "'"


# --- Great Expectations ----------------------------------------------------------------------------------------------------


@contextmanager
def _connected(database: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Any]]:
    """A read-only connection held for the whole audit, and Great Expectations' data source on the same file."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when Great Expectations is first imported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duckdb_engine on indices, Great Expectations on more specific data sources
        import great_expectations
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )

        from orchestration.quality import duckdb_dialect

        logging.getLogger("great_expectations").setLevel(logging.WARNING)
        duckdb_dialect.register()
        config = DataContextConfig(
            # Without this every context leaves a folder for its documentation pages behind.
            store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
            progress_bars=ProgressBarsConfig(globally=False),
            analytics_enabled=False,
        )
        context = great_expectations.get_context(mode="ephemeral", project_config=config)
        connection = working_database.connect(database)
        try:
            # The path goes in as an argument, not in a URL: any file name works.
            sources: Any = context.data_sources  # its stub does not know `kwargs`
            datasource = sources.add_sql(
                name="working", connection_string=f"{duckdb_dialect.NAME}://", kwargs={"connect_args": {"database": str(database)}}
            )
            try:
                yield connection, datasource
            finally:
                datasource.get_execution_engine().close()
                datasource.get_engine().dispose()
                duckdb_dialect.AuditDialect.forget()
        finally:
            connection.close()


def _expectation(check: Check, bound: Mapping[str, Any], number: int) -> Any:
    from great_expectations.expectations.registry import get_expectation_impl

    from orchestration.quality import expectations  # noqa: F401 - defining them registers them

    arguments = {name: _bound_query(value, bound) if name == "query" else _bound(value, bound) for name, value in check.arguments.items()}
    if check.column is not None and not check.type.startswith(("expect_no_rows", "expect_figures")):
        arguments["column"] = check.column
    implementation: Any = get_expectation_impl(check.type)
    return implementation(**arguments, meta={"number": number})


def _validate(datasource: Any, table: str, expectations: list[Any]) -> list[Any]:
    """One batch for the table and one validation for the whole suite: Great Expectations then asks for all metrics together."""
    if not expectations:
        return []
    from great_expectations import ExpectationSuite

    asset = datasource.add_table_asset(name=table, schema_name=SEGMENTS_SCHEMA, table_name=table)
    batch = asset.add_batch_definition_whole_table("whole").get_batch()
    suite = ExpectationSuite(name=table, expectations=expectations)
    # BASIC asks for counts and a few unexpected values; COMPLETE would fetch every unexpected row.
    validation = batch.validate(suite, result_format={"result_format": "BASIC", "partial_unexpected_count": QUOTED_VALUES})
    return list(validation.results)


# --- results -----------------------------------------------------------------------------------------------------------------


def _result(suite: Suite, check: Check, bound: Mapping[str, Any], answer: Any) -> CheckResult:
    if error := _raised(answer.exception_info):
        return _not_evaluated(suite, check, bound, error)
    found: Mapping[str, Any] = answer.result
    expected = _bound_text(check.expected, bound) or found.get("details", {}).get("expected") or _expected(check, bound)
    return CheckResult(suite.table, check.name, check.column, expected, _observed(check, found), bool(answer.success), check.severity)


def _not_evaluated(suite: Suite, check: Check, bound: Mapping[str, Any], error: str) -> CheckResult:
    """A check that could not be evaluated is an error whatever its severity: nobody knows what it would have found."""
    # SQLAlchemy repeats the whole query after the message; it stands in the suite.
    message = " ".join(error.partition("[SQL:")[0].split())
    try:
        expected = _bound_text(check.expected, bound) or ("" if "query" in check.arguments else _expected(check, bound))
    except Exception:  # what could not be bound is named in the error
        expected = check.expected or ""
    return CheckResult(suite.table, check.name, check.column, expected, "not evaluated", False, "error", message[:LONGEST_ERROR])


def _raised(exception_info: Mapping[str, Any]) -> str | None:
    """The first exception in Great Expectations' account: one record, or one by metric."""
    records = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    for record in records:
        if record["raised_exception"]:
            return str(record["exception_message"] or "raised without a message")
    return None


def _expected(check: Check, bound: Mapping[str, Any]) -> str:
    from orchestration.quality.expectations import show

    arguments = {name: _bound(value, bound) for name, value in check.arguments.items() if name != "query"}
    if isinstance(arguments.get("value_set"), _Segments):
        return str(arguments["value_set"].in_words)
    if "value_set" in arguments:
        values = [show(value) for value in arguments["value_set"]]
        return "always " + values[0] if len(values) == 1 else "one of " + ", ".join(values)
    if "value" in arguments:
        return show(arguments["value"])
    if check.type.endswith("_not_be_null"):
        return "never null"
    if check.type.endswith("_be_null"):
        return "always null"
    low, high = arguments.get("min_value"), arguments.get("max_value")
    above = "above" if arguments.get("strict_min") else "at least"
    below = "below" if arguments.get("strict_max") else "at most"
    if low is not None and low == high:
        return show(low)
    return " and ".join([f"{above} {show(low)}"] * (low is not None) + [f"{below} {show(high)}"] * (high is not None))


def _observed(check: Check, found: Mapping[str, Any]) -> str:
    from orchestration.quality.expectations import show

    if check.type == "expect_no_rows":
        return f"{found['observed_value']:,} rows"
    if "unexpected_count" in found:
        if not found["unexpected_count"]:
            return f"so in all {found['element_count']:,} rows"
        text = f"otherwise in {found['unexpected_count']:,} of {found['element_count']:,} rows"
        values = sorted({show(value) for value in found.get("partial_unexpected_list", []) if value is not None})
        if values and check.column not in UNQUOTED_COLUMNS:
            text += f", such as {', '.join(values)}"
        return text
    return show(found.get("observed_value"))
