"""Whom an audience may be delivered to: the contactable members of the served build, less whom something known since then holds back.

Two have to allow a contact. The build says who is in the audience and was contactable at the opening of its day. What has landed since,
read from the working database by the same SQL (macro `contactability`), says who is so now: a no that came since holds back at once, a yes
waits for the night that counts it. And a key is delivered only when all members who have it may be contacted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from orchestration.audiences.macros import Macros
from orchestration.errors import SegmentsError, UnusableInput
from orchestration.ingest.landing import read_batches_landed
from orchestration.publishing.builds import DATABASE_FILE, Build, read_build, served_build_id
from orchestration.publishing.lock import home_lock
from orchestration.settings import Settings
from orchestration.sql import quote_identifier, quote_literal
from orchestration.working_database import readable_errors

# What a channel's messages are addressed by. Letters and the app have no address of ours: their senders know the customer's number.
KEY_COLUMNS = {"email": "email_sha256", "sms": "phone_sha256"}
PERSON_KEY = "person_sha256"
KEY_MEANINGS = {
    "email_sha256": "SHA-256, hexadecimal, of the e-mail address in lower case without blanks around it",
    "phone_sha256": "SHA-256, hexadecimal, of the digits of the telephone number in E.164, without +",
    "person_sha256": "SHA-256, hexadecimal, of the customer's number",
}
# Schemas of what the macro refers to, in the working database.
SCHEMAS = {"contact_channels": "rules", "contact_limits": "rules"}


@dataclass(frozen=True)
class Audience:
    """An audience of a build, or one that it no longer has."""

    id: str
    name: str
    purpose: str
    channel: str
    definition_hash: str
    key: str
    """The column that its members are addressed by."""
    is_retired: bool = False
    """Whether the build no longer has it: it has nobody, and is what its last delivery was."""


@dataclass(frozen=True)
class ServedBuild:
    """The build that readers see, open as `serving` in a connection of its own."""

    build: Build
    connection: duckdb.DuckDBPyConnection

    @property
    def timezone(self) -> str:
        """By whose clock its day begins."""
        if self.build.business_timezone is None:
            raise UnusableInput(
                f"the build {self.build.id} does not say its business timezone: run `segments nightly`, which makes one that does"
            )
        return self.build.business_timezone

    def audiences(self) -> dict[str, Audience]:
        """Its audiences by name. Raises UnusableInput when they cannot be read."""
        nothing_there = UnusableInput(f"the build {self.build.id} has no audiences that can be delivered: run `segments nightly`")
        try:
            rows = self.connection.execute(
                "select audience_id, name, purpose, channel, definition_hash from serving.published.audiences"
            ).fetchall()
        except duckdb.Error as error:
            raise nothing_there from error
        # No night builds none: a table that was emptied must not read as if all of them were retired.
        if not rows:
            raise nothing_there
        return {
            audience_id: Audience(audience_id, name, purpose, channel, definition_hash, KEY_COLUMNS.get(channel, PERSON_KEY))
            for audience_id, name, purpose, channel, definition_hash in rows
        }


@contextmanager
def open_served_build(home: Path) -> Iterator[ServedBuild]:
    """The build that readers see now, and no other one, however long it is read. Raises UnusableInput when there is none."""
    build_id = served_build_id(home)
    if build_id is None:
        raise UnusableInput(f"nothing is published in {home} yet: run `segments nightly` first")
    build = read_build(home, build_id)
    database = home / "builds" / build_id / DATABASE_FILE
    with duckdb.connect(":memory:") as connection:
        connection.execute("set timezone = 'UTC'")
        try:
            connection.execute(f"attach {quote_literal(str(database))} as serving (read_only)")
        except duckdb.Error as error:
            raise UnusableInput(f"the build {build_id} cannot be read ({database}): serve another one with `segments rollback`") from error
        yield ServedBuild(build, connection)


def collect_keys(served: ServedBuild, audience: Audience, home: Path, day: date) -> dict[str, int]:
    """Make the table `current_keys` (contact_key, each once) in the connection of the build.

    Args:
        served: the build.
        audience: one of its audiences, or a retired one, of which nobody is left whatever has landed.
        home: where the working database is, if it is there at all.
        day: the day of the contact, in the business timezone: limits are counted for it.

    Returns how many contactable members are held back, by reason.

    Raises HomeInUse while a night is at work: what it has landed is not to be read yet. UnusableInput where one broke off before it had
    staged what it landed, and where rows have landed but the working database is gone: somebody may have said no in them.
    """
    connection = served.connection
    if audience.is_retired:
        connection.execute("create temp table current_keys (contact_key varchar)")
        return {}
    connection.execute(
        f"""
        create temp table members as
        select
            memberships.person_id,
            memberships.is_contactable,
            {"sha256(memberships.person_id)" if audience.key == PERSON_KEY else f"people.{audience.key}"} as contact_key,
            case when people.person_id is null then 'erased' end as reason
        from serving.published.audience_memberships as memberships
        left join serving.published.people as people on memberships.person_id = people.person_id
        where memberships.audience_id = ?
        """,
        [audience.id],
    )
    database = Settings(home=home).database(served.build.source)
    landing = Settings(home=home).landing(served.build.source)
    if database.is_file():
        with home_lock(home):
            _judge_once_more(connection, audience, database, landing, served.timezone, day)
    elif _has_rows(landing):
        raise UnusableInput(
            f"the working database {database} is missing, though rows have landed that may say who is not to be contacted: "
            "run `segments nightly`, then deliver"
        )
    connection.execute("update members set reason = 'no_address' where reason is null and contact_key is null")
    # A key reaches everybody who has it: whoever is held out of this audience, or over a limit, holds it back for the others.
    connection.execute(
        """
        update members set reason = 'address_barred'
        where
            reason is null
            and contact_key in (
                select contact_key from members
                where contact_key is not null and (not is_contactable or reason is not null)
            )
        """
    )
    connection.execute(
        "create temp table current_keys as "
        "select distinct contact_key from members where is_contactable and reason is null order by contact_key"
    )
    return dict(
        connection.execute(
            "select reason, count(*) from members where is_contactable and reason is not null group by reason order by reason"
        ).fetchall()
    )


def _judge_once_more(
    connection: duckdb.DuckDBPyConnection, audience: Audience, database: Path, landing: Path, timezone: str, day: date
) -> None:
    """Enter into `members` what holds somebody back by all that has landed."""
    # dbt's views name the database by the stem of its file.
    working = database.stem
    read: set[str] = set()

    def relation(model: str) -> str:
        read.add(model)
        return ".".join(map(quote_identifier, (working, SCHEMAS.get(model, "staging"), model)))

    macros = Macros({"business_timezone": timezone}, relation)
    moment = f"cast({quote_literal(day.isoformat())} as date)"
    try:
        with readable_errors(database):
            connection.execute(f"attach {quote_literal(str(database))} as {quote_identifier(working)} (read_only)")
            connection.execute(
                f"create temp table said as select * from ({macros.call('contactability', moment, is_underway=True)}) "
                "where purpose = ? and channel = ?",
                [audience.purpose, audience.channel],
            )
            connection.execute(
                "create temp table addresses as select customer_id, sha256(address) as contact_key "
                f"from ({macros.call('contact_addresses')}) where channel = ?",
                [audience.channel],
            )
            for table in sorted(model.removeprefix("stg_") for model in read if model.startswith("stg_")):
                _require_staged(connection, table, working, landing)
            connection.execute(f"detach {quote_identifier(working)}")
    except duckdb.Error as error:
        raise SegmentsError(f"what has landed since the build cannot be read from {database}: {' '.join(str(error).split())}") from error
    connection.execute(
        """
        update members set reason = case
            when said.is_erased then 'erased'
            when not coalesce(said.has_consent, false) then 'no_consent'
            when said.is_unsubscribed then 'unsubscribed'
            when not said.has_address then 'no_address'
            when said.is_address_barred then 'address_barred'
            when addresses.contact_key <> members.contact_key then 'address_changed'
            when said.is_over_limit then 'contact_limit'
        end
        from (select person_id as member from members) as everybody
        left join said on everybody.member = said.customer_id
        left join addresses on everybody.member = addresses.customer_id
        where members.person_id = everybody.member and members.reason is null
        """
    )


def _has_rows(landing: Path) -> bool:
    """Whether any row has landed: in a home that only serves, none has."""
    tables = {path.parent.name for path in landing.glob("*/batch=*")}
    return any(batch.rows for table in tables for batch in read_batches_landed(landing, table))


def _require_staged(connection: duckdb.DuckDBPyConnection, table: str, working: str, landing: Path) -> None:
    """Raise UnusableInput where rows of a raw table have landed that are not staged."""
    batches = [batch for batch in read_batches_landed(landing, table) if batch.rows]
    if not batches:
        return
    base_table = ".".join(map(quote_identifier, (working, "staging", f"base_{table}")))
    row = connection.execute(f"select max(batch) from {base_table}").fetchone()
    newest = batches[-1]
    if row is None or row[0] is None or row[0] < newest.batch:
        raise UnusableInput(
            f"what landed of {table} at {newest.loaded_at:%Y-%m-%d %H:%M:%S} UTC is not staged, because a night broke off, and may say who "
            "is not to be contacted: run `segments nightly`, then deliver"
        )
