r"""SQL that reads a value of any type into a type of the raw contract.

The rules, which docs/sources.md tells to people:

* Text is trimmed; empty text is null.
* A value that is there and cannot be read is *unreadable*: it becomes null, and the row says so.
* Timestamps with an offset become UTC; without one they are UTC already. A date without a time is midnight in the business timezone.
* A date column takes the date as it is written; a timestamp with an offset is first brought into the business timezone.
* Days before the year 1000 or after 9999 are unreadable: they are two-digit years, infinities and slips of the keyboard.
* Amounts are rounded half away from zero, by their shortest decimal writing. NaN and infinity are unreadable.
* Whole numbers become text without a decimal point, whatever type held them. NaN as text is what data frames write for nothing: null.
"""

from dataclasses import dataclass

from orchestration.ingest.contract import Column
from orchestration.sql import quote_literal

WHITESPACE = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"
INTEGERS = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"})
FLOATS = frozenset({"FLOAT", "DOUBLE"})
TIMESTAMPS = frozenset({"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})


@dataclass(frozen=True)
class Reading:
    """How one column is read."""

    value: str
    """SQL of the value in the contract's type, or null."""
    is_given: str | None
    """SQL of a boolean: the source gives a value; when the reading is null all the same, it is unreadable. None when that cannot be."""


def read_column(raw: str, raw_type: str, column: Column, business_timezone: str) -> Reading:
    """Say how a raw column becomes a column of the contract.

    Args:
        raw: SQL of the raw value.
        raw_type: its DuckDB type.
        column: the column of the contract.
        business_timezone: where a date without a time begins.
    """
    if column.data_type == "string":
        return _read_text(raw, raw_type)
    zone = quote_literal(business_timezone)
    if column.data_type == "timestamp":
        value = _timestamp(raw, raw_type, zone)
    elif column.data_type == "date":
        value = _date(raw, raw_type, zone)
    elif column.data_type == "boolean":
        value = _boolean(raw, raw_type)
    else:
        value = _decimal(raw, raw_type, column.duckdb_type)
    has_text = raw_type not in INTEGERS | FLOATS | TIMESTAMPS | {"DATE", "BOOLEAN", "TIMESTAMP WITH TIME ZONE"}
    given = _text(raw, raw_type) if has_text else raw
    return Reading(value, f"{given} is not null")


def _text(raw: str, raw_type: str) -> str:
    """Trimmed text, null when empty."""
    text = raw if raw_type == "VARCHAR" else f"cast({raw} as varchar)"
    # trim() alone takes spaces of every alphabet but no tabs and line ends; naming those too costs four times as much, so only where seen.
    ends = " or ".join(f"suffix({text}, {character})" for character in ("' '", "chr(9)", "chr(10)", "chr(13)"))
    return f"nullif(case when {text} < '!' or {ends} then trim({text}, {WHITESPACE}) else trim({text}) end, '')"


def _is_nested(raw_type: str) -> bool:
    return raw_type.endswith("]") or raw_type.startswith(("STRUCT", "MAP", "UNION", "VARIANT"))


def _read_text(raw: str, raw_type: str) -> Reading:
    if raw_type in FLOATS:
        whole = f"{raw} = trunc({raw}) and abs({raw}) < 1e15"
        text = f"case when {whole} then cast(cast({raw} as bigint) as varchar) else cast({raw} as varchar) end"
        value = f"case when not isnan({raw}) and not isinf({raw}) then {text} end"
        return Reading(value, f"not isnan({raw})")
    if raw_type.startswith("DECIMAL"):
        return Reading(f"case when {raw} = trunc({raw}) then cast(cast({raw} as hugeint) as varchar) else cast({raw} as varchar) end", None)
    if _is_nested(raw_type):
        return Reading(f"cast(to_json({raw}) as varchar)", None)
    return Reading(_text(raw, raw_type), None)


def _timestamp(raw: str, raw_type: str, zone: str) -> str:
    if raw_type == "TIMESTAMP_NS":
        # A cast rounds, and could carry the last moment of a day into the next one.
        return _within_range(f"make_timestamp(epoch_ns({raw}) // 1000)", "timestamp")
    if raw_type in TIMESTAMPS:
        return _within_range(f"try_cast({raw} as timestamp)", "timestamp")
    if raw_type == "TIMESTAMP WITH TIME ZONE":
        return _within_range(f"timezone('UTC', {raw})", "timestamp")
    if raw_type == "DATE":
        return _within_range(_midnight(f"cast({raw} as timestamp)", zone), "timestamp")
    text = _text(raw, raw_type)
    # timestamptz, because DuckDB's cast to timestamp drops an offset; the session's time zone is UTC.
    read = f"timezone('UTC', try_cast({text} as timestamptz))"
    if zone != "'UTC'":
        read = f"case when {_is_date_only(text)} then {_midnight(f'try_cast({text} as timestamp)', zone)} else {read} end"
    return _within_range(_from_digits(text, read), "timestamp")


def _date(raw: str, raw_type: str, zone: str) -> str:
    if raw_type == "DATE":
        return _within_range(raw, "date")
    if raw_type in TIMESTAMPS:
        return _within_range(f"try_cast({raw} as date)", "date")
    if raw_type == "TIMESTAMP WITH TIME ZONE":
        return _within_range(f"cast(timezone({zone}, {raw}) as date)", "date")
    text = _text(raw, raw_type)
    read = f"try_cast({text} as timestamptz)"
    has_offset = rf"regexp_matches({text}, ':.*(Z|z|[+-]\d.*|[A-Za-z_]/?[A-Za-z_]+)$')"
    day = f"cast(timezone(case when {has_offset} then {zone} else 'UTC' end, {read}) as date)"
    return _within_range(_from_digits(text, f"case when {_is_date_only(text)} then try_cast({text} as date) else {day} end"), "date")


def _midnight(local: str, zone: str) -> str:
    return local if zone == "'UTC'" else f"timezone('UTC', timezone({zone}, {local}))"


def _is_date_only(text: str) -> str:
    return rf"regexp_full_match({text}, '\d+[-/]\d+[-/]\d+')"


def _from_digits(text: str, read: str) -> str:
    """Refuse words that DuckDB knows as dates: epoch, infinity."""
    return f"case when {text} >= '0' and {text} < ':' then {read} end"


def _within_range(value: str, data_type: str) -> str:
    return f"case when {value} >= {data_type} '1000-01-01' and {value} < {data_type} '10000-01-01' then {value} end"


def _boolean(raw: str, raw_type: str) -> str:
    if raw_type == "BOOLEAN":
        return raw
    if raw_type in INTEGERS | FLOATS or raw_type.startswith("DECIMAL"):
        return f"case when {raw} = 1 then true when {raw} = 0 then false end"
    text = f"lower({_text(raw, raw_type)})"
    return f"case when {text} in ('true', 't', 'yes', 'y', '1') then true when {text} in ('false', 'f', 'no', 'n', '0') then false end"


def _decimal(raw: str, raw_type: str, duckdb_type: str) -> str:
    if raw_type in INTEGERS or raw_type.startswith("DECIMAL"):
        return f"try_cast({raw} as {duckdb_type})"
    if raw_type in FLOATS:
        # 1.005 as a float is a little less than 1.005: its shortest writing says what was meant, but costs ten times a plain cast.
        direct = f"try_cast({raw} as {duckdb_type})"
        written = f"try_cast(cast({raw} as varchar) as {duckdb_type})"
        return f"case when cast({direct} as {raw_type}) = {raw} then {direct} else {written} end"
    return f"try_cast({_text(raw, raw_type)} as {duckdb_type})"
