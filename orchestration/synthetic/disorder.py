"""How clean rows become the files of a real source: some late, some corrected, some doubled, some beyond use (`disorder.yml`).

What is done to a row is decided by chance on its key, and counted, so that a test can demand the exact number of rows in quarantine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.files import read_yaml
from orchestration.ingest.contract import Column, Table, read_contract

DISORDER_FILE = Path(__file__).parent / "disorder.yml"

LATE = "late_and_corrected"
MANUAL = "manual"
WHOLE_TIME = "history"
UNKNOWN_CUSTOMER = "'C99999999'"
TABLES_WITHOUT_CUSTOMER_CHECK = frozenset({"customers", "products", "stores", "campaigns", "erasure_requests"})
# What somebody typed where a value of this type belongs.
UNREADABLE_TEXT = {"timestamp": "last Tuesday", "date": "31.02.", "decimal": "a dozen", "boolean": "perhaps"}


@dataclass(frozen=True)
class Spoiling:
    """One way to make a row unusable.

    Attributes:
        kind: missing_value, unreadable_value, impossible_value or unknown_customer.
        column: the column that is spoilt.
        value: what is put into it, as an SQL expression; text where the value is unreadable.
    """

    kind: str
    column: str
    value: str

    @property
    def is_text(self) -> bool:
        """Only a CSV file can hold it."""
        return self.kind == "unreadable_value"

    @property
    def reason_begins(self) -> str:
        """How the quarantine's reason begins for such a row."""
        return {
            "missing_value": f"missing {self.column}",
            "unreadable_value": f"unreadable value in {self.column}",
            "impossible_value": "impossible value",
            "unknown_customer": "unknown customer",
        }[self.kind]


@dataclass(frozen=True)
class RawTable:
    """A raw table of the contract and the disorder of its files.

    Attributes:
        contract: the table in the contract.
        disorder: what `disorder.yml` says about it.
        spoilt_share: how many of its rows are spoilt in each way.
    """

    contract: Table
    disorder: dict[str, Any]
    spoilt_share: float

    @property
    def name(self) -> str:
        """Its name in the contract."""
        return self.contract.name

    @property
    def columns(self) -> tuple[Column, ...]:
        """Its columns, in the order of the contract."""
        return self.contract.columns

    @property
    def key(self) -> str:
        """The row's key as one text."""
        parts = (f"coalesce(cast({column} as varchar), '')" for column in self.disorder["key"])
        return " || '/' || ".join(parts)

    @property
    def spoilings(self) -> tuple[Spoiling, ...]:
        """Every way in which a row of this table is spoilt, in a fixed order."""
        required = [column for column in self.columns if column.required]
        ways = [Spoiling("missing_value", column.name, "null") for column in required]
        ways += [
            Spoiling("impossible_value", column.name, "timestamp '1900-01-01 00:00:00'")
            for column in required
            if _kind(column) == "timestamp"
        ]
        ways += [Spoiling("impossible_value", column, value) for column, value in self.disorder.get("impossible", {}).items()]
        if self.name not in TABLES_WITHOUT_CUSTOMER_CHECK:
            ways.append(Spoiling("unknown_customer", self.disorder.get("customer", "customer_id"), UNKNOWN_CUSTOMER))
        ways += [
            Spoiling("unreadable_value", column.name, f"'{UNREADABLE_TEXT[_kind(column)]}'")
            for column in self.columns
            if _kind(column) in UNREADABLE_TEXT
        ]
        return tuple(ways)

    def copies_of_each(self, rows: int) -> int:
        """How many rows are spoilt in each way, in a table of so many rows."""
        return max(2, round(rows * self.spoilt_share))

    def landed_sql(self) -> str:
        """The rows as the files have them, from `clean_<name>`: the contract's columns, `fate` (what was done) and `part` (which file)."""
        disorder = self.disorder
        late = disorder["late"]
        corrected = late + disorder["corrected"]
        doubled = corrected + disorder["doubled"]
        untidy = doubled + disorder["untidy"]
        time = disorder.get("time")
        period = f"year({time}) || 'q' || quarter({time})" if time else f"'{WHOLE_TIME}'"
        columns = ", ".join(self._cast(column) for column in self.columns)
        return f"""
            with chances as (
                select *, {period} as period, text_draw('fate of {self.name}', {self.key}) as chance
                from clean_{self.name}
            ),
            fates as (
                select
                    * exclude (chance),
                    case
                        when chance < {late} then if(chance < {late / 10}, 'late_by_hand', 'late')
                        when chance < {corrected} then 'corrected'
                        when chance < {corrected + disorder["doubled"] / 2} then 'doubled_at_once'
                        when chance < {doubled} then 'doubled_later'
                        when chance < {untidy} then 'untidy'
                        else 'sound'
                    end as fate
                from chances
            ),
            landed as (
                select * replace (case fate when 'late' then '{LATE}' when 'late_by_hand' then '{MANUAL}' else period end as period)
                from fates where fate not in ('corrected', 'untidy')
                union all
                select * {_replaced(disorder["untidy_values"])} from fates where fate = 'untidy'
                union all
                select * {_replaced({**disorder["first_version"], "fate": "'first_version'"})} from fates where fate = 'corrected'
                union all
                select * replace ('{LATE}' as period) from fates where fate = 'corrected'
                union all
                select * replace ('copy' as fate, if(fate = 'doubled_at_once', period, '{LATE}') as period)
                from fates where fate in ('doubled_at_once', 'doubled_later')
            )
            select {columns}, fate, period as part
            from landed
        """

    def candidates_sql(self, rows: int) -> str:
        """Enough rows of `clean_<name>` to be copied and spoilt, chosen by chance, with their `chance`."""
        columns = ", ".join(self._cast(column) for column in self.columns)
        needed = len(self.spoilings) * self.copies_of_each(rows)
        return f"""
            select {columns}, text_draw('spoilt {self.name}', {self.key}) as chance
            from clean_{self.name}
            where {self.disorder.get("spoilt_from", "true")}
            order by chance
            limit {needed}
        """

    def spoilt_sql(self, rows: int, is_text: bool) -> str:
        """The spoilt rows from `candidates_<name>`: typed ones, or those that only text can hold; with `kind` and `column_name`."""
        copies = self.copies_of_each(rows)
        fresh = _replaced(self.disorder.get("fresh", {}))
        selects = []
        for number, way in enumerate(self.spoilings):
            if way.is_text != is_text:
                continue
            typed = ", ".join(
                f"cast({way.value if column.name == way.column else column.name} as varchar) as {column.name}"
                if is_text
                else self._cast(column, way.value if column.name == way.column else None)
                for column in self.columns
            )
            selects.append(
                f"select {typed}, '{way.kind}' as kind, '{way.column}' as column_name from copies "
                f"where copy_number >= {number * copies} and copy_number < {(number + 1) * copies}"
            )
        if not selects:
            return ""
        return f"""
            with ranked as (
                select *, row_number() over (order by chance) - 1 as candidate_number, count(*) over () as candidates
                from candidates_{self.name}
            ),
            -- Where there are too few rows to go round, the same ones are copied again.
            copies as (
                select ranked.* exclude (chance, candidate_number, candidates) {fresh}, numbers.range as copy_number
                from ranked
                inner join range({len(self.spoilings) * copies}) as numbers
                    on ranked.candidate_number = numbers.range % ranked.candidates
            )
            {" union all ".join(selects)}
        """

    @staticmethod
    def _cast(column: Column, value: str | None = None) -> str:
        return f"cast({value or column.name} as {column.duckdb_type}) as {column.name}"


def _replaced(values: dict[str, str]) -> str:
    return "replace (" + ", ".join(f"{value} as {column}" for column, value in values.items()) + ")" if values else ""


def _kind(column: Column) -> str:
    """The type without its size: string, timestamp, date, decimal or boolean."""
    return column.data_type.split("(")[0]


def load_raw_tables() -> dict[str, RawTable]:
    """Every raw table by name: its columns from the contract, its disorder from `disorder.yml`."""
    disorder = read_yaml(DISORDER_FILE)
    return {
        name: RawTable(contract=table, disorder=disorder["tables"][name], spoilt_share=float(disorder["spoilt"]))
        for name, table in read_contract().tables.items()
    }
