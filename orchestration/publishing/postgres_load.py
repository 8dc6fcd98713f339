"""Bringing one published build into PostgreSQL, in one transaction that no reader has to wait for.

Rows are replaced by `delete` and `copy`, not by `truncate` or by other tables under the same names: whoever reads goes on reading the
build before until the commit, and tables keep their identity, so that views, grants and indexes of other people survive. Where the
columns of a table change, its rows are brought beside it first, and it is locked for as long as they take to move over.
"""

import contextlib
import datetime
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import duckdb

from orchestration.errors import PublishingFailed
from orchestration.publishing.builds import Build
from orchestration.publishing.serving import MEMORY_LIMIT, PUBLISHED_SCHEMA
from orchestration.sql import quote_identifier, quote_literal

# Whether a home has made the build of this id that was started at this moment.
MadeHere = Callable[[str, datetime.datetime], bool]

STATE_SCHEMA = "segments_publishing"
STATE_TABLE = f"{STATE_SCHEMA}.served_build"
# What this project has made, so that a table of somebody else's is never taken for its own.
OWN_TABLES = f"{STATE_SCHEMA}.published_tables"
# What is held while a build is brought in: PostgreSQL knows such locks by number.
ADVISORY_LOCK = 7236465
# For tables whose columns change. Asked for again and again and never waited for: who waits for a lock makes others wait behind them,
# and readers of two tables could end in a deadlock.
LOCK_SECONDS = 60.0
LOCK_PAUSE = 0.05
LOCK_NOT_AVAILABLE = "55P03"
CONNECT_SECONDS = 10
ROWS_PER_BATCH = 50_000
# DuckDB's types by the names that PostgreSQL gives its own.
TYPES = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIME": "time without time zone",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}


@dataclass(frozen=True)
class Table:
    """A table with its columns in order (name → type as PostgreSQL writes it) and its comments (those of columns by name)."""

    columns: Mapping[str, str]
    comment: str | None = None
    column_comments: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Change:
    """What has to happen to a table that PostgreSQL already has: columns to drop, and columns to add (a new type is both)."""

    dropped: tuple[str, ...]
    added: tuple[str, ...]


@dataclass(frozen=True)
class Served:
    """What PostgreSQL says about itself: the build it serves, and the tables that this project has made there."""

    build_id: str
    source: str
    started_at: datetime.datetime
    tables: tuple[str, ...]


def load_build(url: str, database: Path, build: Build, *, made_here: MadeHere | None = None, on_purpose: bool = False) -> None:
    """Let PostgreSQL serve what `database` holds, instead of the build it serves now; all of it from one instant to the next.

    Args:
        url: where PostgreSQL is, as a connection URI of libpq.
        database: the serving database of the build.
        build: the build.
        made_here: whether a build is one of this home; what another home has brought there is then not replaced. None: not asked.
        on_purpose: also when PostgreSQL serves a build that was started later, or one of another home.

    Raises PublishingFailed, in one sentence that never tells the password; PostgreSQL then serves what it served before.
    """
    import adbc_driver_postgresql.dbapi as postgres
    from adbc_driver_manager import Error

    try:
        with duckdb.connect(str(database), read_only=True, config={"memory_limit": MEMORY_LIMIT}) as serving:
            serving.execute("set timezone = 'UTC'")
            tables = published_tables(serving)
            with contextlib.closing(postgres.connect(_with_timeout(url))) as connection, connection.cursor() as cursor:
                _Loading(cursor, serving, tables, build).run(made_here, on_purpose=on_purpose)
                connection.commit()
    except (Error, duckdb.Error) as error:
        raise PublishingFailed(
            f"PostgreSQL could not be loaded with build {build.id} and goes on with what it served: {reason(error, url)} "
            f"`segments rollback {build.id} --publish postgres` tries again."
        ) from None
    # The build is served. What goes wrong from here on is done later by PostgreSQL's own autovacuum.
    with (
        contextlib.suppress(Error),
        contextlib.closing(postgres.connect(_with_timeout(url), autocommit=True)) as connection,
        connection.cursor() as cursor,
    ):
        for name in tables:
            # Gives the room of the replaced rows to the next build, and counts for the planner; no reader waits for it.
            cursor.execute(f"vacuum (analyze, truncate false) {_qualified(name)}")


def served_build(url: str) -> Served | None:
    """What PostgreSQL serves, or None where nothing was ever loaded. Raises PublishingFailed when it does not answer."""
    import adbc_driver_postgresql.dbapi as postgres
    from adbc_driver_manager import Error

    try:
        with contextlib.closing(postgres.connect(_with_timeout(url))) as connection, connection.cursor() as cursor:
            return _served(cursor)
    except Error as error:
        raise PublishingFailed(f"PostgreSQL does not answer: {reason(error, url)}") from None


def published_tables(serving: duckdb.DuckDBPyConnection) -> dict[str, Table]:
    """The tables of a serving database, as PostgreSQL is to have them. Raises PublishingFailed on a type it has no equal of."""
    query = """
        select table_name, comment from duckdb_tables() where schema_name = $1
        union all
        select view_name, comment from duckdb_views() where schema_name = $1
    """
    comments = dict(serving.execute(query, [PUBLISHED_SCHEMA]).fetchall())
    tables: dict[str, Table] = {}
    for name in sorted(comments):
        columns = serving.execute(
            "select column_name, data_type, comment from duckdb_columns() where schema_name = ? and table_name = ? order by column_index",
            [PUBLISHED_SCHEMA, name],
        ).fetchall()
        tables[name] = Table(
            {column: postgres_type(kind, f"{name}.{column}") for column, kind, _ in columns},
            comments[name],
            {column: comment for column, _, comment in columns if comment},
        )
    return tables


def postgres_type(kind: str, column: str) -> str:
    """DuckDB's type as PostgreSQL names its own; decimals keep their digits, lists are arrays."""
    if kind.endswith("[]"):
        return postgres_type(kind.removesuffix("[]"), column) + "[]"
    if decimal := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind):
        return f"numeric({decimal[1]},{decimal[2]})"
    if kind not in TYPES:
        raise PublishingFailed(f"{column} is {kind}, which PostgreSQL has no type for: cast it in the model.")
    return TYPES[kind]


def change_of(have: Mapping[str, str], want: Mapping[str, str]) -> Change:
    """What makes a table with the columns `have` one with the columns `want`; their order is not looked at."""
    dropped = tuple(column for column, kind in have.items() if want.get(column) != kind)
    added = tuple(column for column, kind in want.items() if have.get(column) != kind)
    return Change(dropped, added)


def reason(error: Exception, url: str) -> str:
    """What PostgreSQL said, in one line without the driver's words around it, and without the password."""
    text = " ".join(str(error).split())
    said = re.search(r"(?:ERROR|FATAL): (.*?)(?: LINE \d+: .*| SQLSTATE: \w+\.?| Query was: .*)?$", text)
    text = said[1] if said else text.removeprefix("IO: ").replace("[libpq] ", "")
    text = re.sub(r" Is the server running .*\?$", "", text)
    for secret in (url, *_passwords(url)):
        text = text.replace(secret, "***")
    return text.rstrip(". ") + "."


def _passwords(url: str) -> set[str]:
    """The password of a connection URI, in every form in which a message could repeat it."""
    try:
        parts = urlsplit(url)
        written = {parts.password or "", *parse_qs(parts.query).get("password", [])}
    except ValueError:  # no address at all
        return set()
    return {form for password in written for form in (password, unquote(password), quote(password)) if form}


class _Loading:
    """The transaction: the cursor of PostgreSQL, the serving database, and what is to be there afterwards."""

    def __init__(self, cursor: Any, serving: duckdb.DuckDBPyConnection, tables: Mapping[str, Table], build: Build) -> None:
        self._cursor = cursor
        self._serving = serving
        self._tables = tables
        self._build = build

    def run(self, made_here: MadeHere | None, *, on_purpose: bool) -> None:
        """Everything but the commit."""
        if self._fetch(f"select pg_try_advisory_xact_lock({ADVISORY_LOCK})") != [(True,)]:
            raise PublishingFailed(
                f"PostgreSQL is being loaded by somebody else: build {self._build.id} was not loaded, try again when they have finished."
            )
        _make_schemas(self._cursor)
        served = _served(self._cursor)
        self._require_successor(served, made_here, on_purpose=on_purpose)
        ours = set(served.tables) if served else set()
        present = self._present()
        if foreign := sorted((present.keys() - ours) & self._tables.keys()):
            raise PublishingFailed(
                f"{PUBLISHED_SCHEMA}.{foreign[0]} in PostgreSQL was not made by this project and is not overwritten: "
                f"rename it, or load another database."
            )
        changes = {name: change_of(present[name], table.columns) for name, table in self._tables.items() if name in present}
        changes = {name: change for name, change in changes.items() if change != Change((), ())}
        gone = sorted((ours & present.keys()) - self._tables.keys())
        self._require_unneeded(served, changes, gone)

        beside: dict[str, str] = {}
        for number, (name, table) in enumerate(self._tables.items()):
            if name in changes:
                beside[name] = f"segments_publishing_{number}"
                self._execute(f"create temporary table {beside[name]} ({_definition(table)}) on commit drop")
                self._copy(name, beside[name], temporary=True)
            else:
                if name in present:
                    self._execute(f"delete from {_qualified(name)}")
                else:
                    self._execute(f"create table {_qualified(name)} ({_definition(table)})")
                self._copy(name, name)
        if changes or gone:
            self._lock([*changes, *gone])
        for name, change in changes.items():
            self._move(name, change, beside[name])
        for name in gone:
            self._execute(f"drop table {_qualified(name)}")
        self._comment()
        self._compare()
        self._enter()

    def _require_successor(self, served: Served | None, made_here: MadeHere | None, *, on_purpose: bool) -> None:
        """Raise PublishingFailed unless this build may take the place of the served one."""
        if served is None:
            return
        if served.source != self._build.source:
            raise PublishingFailed(
                f"PostgreSQL serves the source {served.source} and was not loaded with build {self._build.id} of {self._build.source}: "
                f"use another database, or drop the schemas {PUBLISHED_SCHEMA} and {STATE_SCHEMA} of this one."
            )
        if on_purpose:
            return
        if made_here is not None and not made_here(served.build_id, served.started_at):
            raise PublishingFailed(
                f"PostgreSQL serves build {served.build_id}, which another home has brought there, and goes on doing so: "
                f"`segments rollback {self._build.id} --publish postgres` lets it serve this home from now on."
            )
        if served.started_at > self._build.started_at:
            raise PublishingFailed(
                f"PostgreSQL serves build {served.build_id}, which is newer than {self._build.id}, and goes on doing so: "
                f"`segments rollback {self._build.id} --publish postgres` serves the earlier one on purpose."
            )

    def _require_unneeded(self, served: Served | None, changes: Mapping[str, Change], gone: Sequence[str]) -> None:
        """Raise PublishingFailed when a view needs a column or table that is to go."""
        going = {(name, column) for name, change in changes.items() for column in change.dropped}
        needed = self._fetch(
            """
            select tables.relname, columns.attname, views.oid::regclass::text
            from pg_depend as needs
            inner join pg_rewrite as rules on needs.classid = 'pg_rewrite'::regclass and needs.objid = rules.oid
            inner join pg_class as views on rules.ev_class = views.oid
            inner join pg_class as tables on needs.refclassid = 'pg_class'::regclass and needs.refobjid = tables.oid
            inner join pg_namespace as schemas on tables.relnamespace = schemas.oid
            left join pg_attribute as columns on needs.refobjid = columns.attrelid and needs.refobjsubid = columns.attnum
            where schemas.nspname = $1 and views.oid <> tables.oid
            order by 1, 2, 3
            """,
            [PUBLISHED_SCHEMA],
        )
        for name, column, view in needed:
            if name in gone or (name, column) in going:
                retyped = column in self._tables[name].columns if name in self._tables else False
                what = f"the table {name}" if name in gone else f"{name}.{column}"
                kept = f" Build {served.build_id} is still served there." if served else ""
                raise PublishingFailed(
                    f"The view {view} in PostgreSQL needs {what}, which build {self._build.id} "
                    f"{'has with another type' if retyped else 'no longer has'}: change or drop the view, then "
                    f"`segments rollback {self._build.id} --publish postgres` loads the build.{kept}"
                )

    def _present(self) -> dict[str, dict[str, str]]:
        """Every relation of the published schema with its columns, whoever made it."""
        rows = self._fetch(
            """
            select tables.relname, columns.attname, format_type(columns.atttypid, columns.atttypmod)
            from pg_class as tables
            inner join pg_namespace as schemas on tables.relnamespace = schemas.oid
            left join pg_attribute as columns on tables.oid = columns.attrelid and columns.attnum > 0 and not columns.attisdropped
            where schemas.nspname = $1 and tables.relkind in ('r', 'p', 'v', 'm', 'f')
            order by tables.relname, columns.attnum
            """,
            [PUBLISHED_SCHEMA],
        )
        present: dict[str, dict[str, str]] = {}
        for name, column, kind in rows:
            columns = present.setdefault(name, {})
            if column is not None:
                columns[column] = kind
        return present

    def _copy(self, name: str, target: str, *, temporary: bool = False) -> None:
        """The rows of a table of the serving database, by Arrow, into a table that is there."""
        rows = self._serving.sql(f"from {PUBLISHED_SCHEMA}.{quote_identifier(name)}").to_arrow_reader(ROWS_PER_BATCH)
        where: dict[str, Any] = {"temporary": True} if temporary else {"db_schema_name": PUBLISHED_SCHEMA}
        self._cursor.adbc_ingest(target, rows, mode="append", **where)

    def _lock(self, names: Sequence[str]) -> None:
        """Nobody else reads these tables any more. Raises PublishingFailed when somebody reads one of them all the time."""
        from adbc_driver_manager import Error

        tables = ", ".join(map(_qualified, names))
        # Each failed attempt gives back what it had locked of them.
        attempts = f"""
            do $attempts$
            begin
                for attempt in 1 .. {round(LOCK_SECONDS / LOCK_PAUSE)} loop
                    begin
                        lock table {tables} in access exclusive mode nowait;
                        return;
                    exception when lock_not_available then
                        perform pg_sleep({LOCK_PAUSE});
                    end;
                end loop;
                raise lock_not_available;
            end
            $attempts$
        """
        try:
            self._execute(attempts)
        except Error as error:
            if getattr(error, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            raise PublishingFailed(
                f"The columns of {', '.join(names)} in PostgreSQL have to change, and somebody was reading there for {LOCK_SECONDS:.0f} s: "
                f"load build {self._build.id} later with `segments rollback {self._build.id} --publish postgres`."
            ) from None

    def _move(self, name: str, change: Change, beside: str) -> None:
        """Give a locked table its new columns, and the rows that were brought beside it."""
        table = self._tables[name]
        steps = [f"drop column {quote_identifier(column)}" for column in change.dropped]
        steps += [f"add column {quote_identifier(column)} {table.columns[column]}" for column in change.added]
        self._execute(f"alter table {_qualified(name)} {', '.join(steps)}")
        self._execute(f"delete from {_qualified(name)}")
        columns = ", ".join(map(quote_identifier, table.columns))
        self._execute(f"insert into {_qualified(name)} ({columns}) select {columns} from {beside}")

    def _comment(self) -> None:
        """Descriptions of tables and columns, where they are not there yet."""
        rows = self._fetch(
            """
            select tables.relname, columns.attname, col_description(tables.oid, columns.attnum), obj_description(tables.oid, 'pg_class')
            from pg_class as tables
            inner join pg_namespace as schemas on tables.relnamespace = schemas.oid
            inner join pg_attribute as columns on tables.oid = columns.attrelid and columns.attnum > 0 and not columns.attisdropped
            where schemas.nspname = $1
            """,
            [PUBLISHED_SCHEMA],
        )
        said = {name: comment for name, _, _, comment in rows}
        said_of_columns = {(name, column): comment for name, column, comment, _ in rows}
        for name, table in self._tables.items():
            if (table.comment or None) != said.get(name):
                self._execute(f"comment on table {_qualified(name)} is {quote_literal(table.comment) if table.comment else 'null'}")
            for column in table.columns:
                comment = (table.column_comments or {}).get(column)
                if comment != said_of_columns.get((name, column)):
                    literal = quote_literal(comment) if comment else "null"
                    self._execute(f"comment on column {_qualified(name)}.{quote_identifier(column)} is {literal}")

    def _compare(self) -> None:
        """Raise PublishingFailed when PostgreSQL does not hold as many rows as the serving database."""
        for name in self._tables:
            held = self._fetch(f"select count(*) from {_qualified(name)}")
            wanted = self._serving.execute(f"select count(*) from {PUBLISHED_SCHEMA}.{quote_identifier(name)}").fetchall()
            if held != wanted:
                raise PublishingFailed(f"PostgreSQL took {held[0][0]} of the {wanted[0][0]} rows of {name}: nothing was changed there.")

    def _enter(self) -> None:
        """Say in PostgreSQL which build it serves."""
        self._execute(f"delete from {STATE_TABLE}")
        self._execute(
            f"insert into {STATE_TABLE} (build_id, source, as_of_date, started_at, loaded_at) "
            "values ($1, $2, $3::date, $4::timestamptz, now())",
            [self._build.id, self._build.source, self._build.as_of_date.isoformat(), self._build.started_at.isoformat()],
        )
        self._execute(f"delete from {OWN_TABLES}")
        self._execute(
            f"insert into {OWN_TABLES} (table_name) select jsonb_array_elements_text($1::jsonb)", [json.dumps(sorted(self._tables))]
        )

    def _execute(self, statement: str, values: Sequence[Any] | None = None) -> None:
        self._cursor.execute(statement, values)

    def _fetch(self, statement: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        self._cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = self._cursor.fetchall()
        return rows


def _make_schemas(cursor: Any) -> None:
    """What is missing of the schemas; a role that may not make any can work where they are there."""
    cursor.execute("select nspname from pg_namespace")
    present = {name for (name,) in cursor.fetchall()}
    for schema in (PUBLISHED_SCHEMA, STATE_SCHEMA):
        if schema not in present:
            cursor.execute(f"create schema {schema}")
    cursor.execute("select to_regclass($1)::text", [STATE_TABLE])
    if cursor.fetchall() == [(None,)]:
        cursor.execute(
            f"create table {STATE_TABLE} (build_id text not null, source text not null, as_of_date date not null, "
            "started_at timestamp with time zone not null, loaded_at timestamp with time zone not null)"
        )
        cursor.execute(f"create table {OWN_TABLES} (table_name text not null)")
        cursor.execute(f"comment on table {STATE_TABLE} is 'The build that the schema published holds: one row.'")
        cursor.execute(f"comment on table {OWN_TABLES} is 'The tables of the schema published that are replaced with each build.'")


def _served(cursor: Any) -> Served | None:
    cursor.execute("select to_regclass($1)::text", [STATE_TABLE])
    if cursor.fetchall() == [(None,)]:
        return None
    cursor.execute(f"select build_id, source, started_at from {STATE_TABLE}")
    rows = cursor.fetchall()
    cursor.execute(f"select table_name from {OWN_TABLES} order by table_name")
    tables = tuple(name for (name,) in cursor.fetchall())
    return Served(rows[0][0], rows[0][1], rows[0][2], tables) if rows else None


def _definition(table: Table) -> str:
    return ", ".join(f"{quote_identifier(column)} {kind}" for column, kind in table.columns.items())


def _qualified(name: str) -> str:
    return f"{PUBLISHED_SCHEMA}.{quote_identifier(name)}"


def _with_timeout(url: str) -> str:
    """The same address, not waited for without end."""
    if "connect_timeout" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}connect_timeout={CONNECT_SECONDS}"
