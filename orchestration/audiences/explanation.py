"""Why a customer is in an audience or segment, and what an audience would be: read from the working database of the last build."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

import duckdb

from orchestration import working_database
from orchestration.audiences.definitions import Definition, read_definitions
from orchestration.audiences.macros import Macros
from orchestration.errors import UnusableInput
from orchestration.ingest.source import Source, resolve_source
from orchestration.settings import Settings
from orchestration.sql import quote_identifier
from orchestration.transform.dbt import variables

SHOWN_EVENTS = 5
SHOWN_OVERLAPS = 5
SHOWN_EXAMPLES = 10
SIGNS = {"met": "✓", "not met": "✗", "unknown": "?"}
# What the rows of a segmentation table say beside the figures that decided.
NOT_FIGURES = frozenset({"customer_id", "as_of_date", "segment"})


@dataclass(frozen=True)
class Build:
    """The working database of a source, open for reading, and the macros on its day."""

    connection: duckdb.DuckDBPyConnection
    source: Source
    as_of_date: date

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(sql, values).fetchall()

    def relation(self, model: str) -> str:
        """A model as SQL names it here."""
        found = self.query(
            "select table_schema from information_schema.tables where table_name = ? and table_type <> 'LOCAL TEMPORARY'", model
        )
        if not found:
            raise UnusableInput(f"the working database has no {model}: run `segments nightly` first")
        return f"{quote_identifier(found[0][0])}.{quote_identifier(model)}"

    def macros(self, definitions: list[Definition]) -> Macros:
        """The compiler on the day of the build."""
        texts = {definition.name: definition.text for definition in definitions}
        return Macros(
            variables(self.source, self.as_of_date) | {"business_timezone": self.source.business_timezone}, self.relation, definitions=texts
        )


@contextmanager
def open_build(settings: Settings) -> Iterator[Build]:
    """The last build of the source of these settings. Raises UnusableInput when there is none, or none that can be read."""
    source = resolve_source(settings.source)
    database = settings.database(source.name)
    if not database.is_file():
        raise UnusableInput(f"nothing was built for {source.name} in {settings.home} yet: run `segments nightly` first")
    with working_database.readable_errors(database), working_database.connect(database) as connection:
        connection.execute("set timezone = 'UTC'")
        try:
            day = connection.execute("select max(as_of_date) from intermediate.int_customers").fetchone()
            if day is None or day[0] is None:
                raise UnusableInput(f"the last build of {source.name} has no customer: there is nothing to explain")
            yield Build(connection, source, day[0])
        except duckdb.CatalogException as error:  # the first night has not come so far, or one that built everything anew
            missing = str(error).splitlines()[0]
            raise UnusableInput(
                f"{database} holds no whole build of {source.name} yet ({missing}): run `segments nightly` first"
            ) from error


def _named(name: str, definitions: list[Definition]) -> Definition:
    for definition in definitions:
        if definition.name == name:
            return definition
    names = [definition.name for definition in definitions]
    close = get_close_matches(name, names, n=1)
    raise UnusableInput(f"there is no audience '{name}': " + (f"did you mean '{close[0]}'?" if close else f"there are {', '.join(names)}"))


# --- explain ---------------------------------------------------------------------------------------------------------------------


def explain_audience(settings: Settings, customer: str, name: str) -> str:
    """Each condition of an audience with what was seen of the customer, and the events that counted."""
    definitions = read_definitions()
    definition = _named(name, definitions)
    with open_build(settings) as build:
        _require_customer(build, customer)
        conditions = build.query(
            "select condition_path, condition_text, value_seen, outcome from audiences.audience_explanations "
            "where customer_id = ? and audience_id = ?",
            customer,
            name,
        )
        if not conditions:
            raise UnusableInput(f"{name} was not part of the last build: run `segments nightly`")
        macros = build.macros(definitions)
        nodes = dict(conditions_of(definition.content["members"]))
        is_met = any(path == "1" and outcome == "met" for path, _, _, outcome in conditions)
        lines = [_membership(build, customer, name, is_met), ""]
        for path, text, value, outcome in conditions:
            seen = f" — seen: {value}" if value is not None else " — seen: nothing known" if outcome == "unknown" else ""
            lines.append(f"  {SIGNS[outcome]} {path:<7} {text}{seen}")
            lines += [f"      {line}" for line in _events(build, macros, nodes[path], customer)]
    return "\n".join(lines)


def conditions_of(node: Mapping[str, Any], path: str = "1") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every condition with its path, as the compiler counts them."""
    yield path, node
    for key in ("all", "any"):
        for number, part in enumerate(node.get(key, []), 1):
            yield from conditions_of(part, f"{path}.{number}")
    if "not" in node:
        yield from conditions_of(node["not"], f"{path}.1")


def _membership(build: Build, customer: str, name: str, is_met: bool) -> str:
    rows = build.query(
        "select is_contactable, suppressed_reason from segments.audience_memberships where person_id = ? and audience_id = ?",
        customer,
        name,
    )
    day = f"as of {build.as_of_date}"
    if rows:
        contactable, reason = rows[0]
        return f"{customer} is in {name} ({day}) and " + ("may be contacted." if contactable else f"may not be contacted: {reason}.")
    if not is_met:
        return f"{customer} is not in {name} ({day})."
    instead = build.query(
        "select memberships.audience_id from segments.audience_memberships as memberships "
        "inner join audiences.audience_rules as theirs on memberships.audience_id = theirs.audience_id "
        "inner join audiences.audience_rules as ours on theirs.priority_group = ours.priority_group "
        "where memberships.person_id = ? and ours.audience_id = ?",
        customer,
        name,
    )
    others = ", ".join(audience for (audience,) in instead)
    return f"{customer} meets {name} ({day}), and is in {others} of the same priority group instead."


def _events(build: Build, macros: Macros, node: Mapping[str, Any], customer: str) -> list[str]:
    lines = []
    for query in macros.call("audience_counted_events", node):
        cursor = build.connection.execute(
            f"select *, count(*) over () as events from ({query['sql']}) as counted where customer_id = ? "
            f"order by happened_at desc limit {SHOWN_EVENTS}",
            [customer],
        )
        names = [column[0] for column in cursor.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for row in rows:
            fields = ", ".join(
                f"{name} {value}"
                for name, value in row.items()
                if value is not None and name not in ("customer_id", "happened_at", "events")
            )
            lines.append(f"{row['happened_at']:%Y-%m-%d %H:%M:%S} UTC  {query['event']}: {fields}")
        if rows and rows[0]["events"] > SHOWN_EVENTS:
            lines.append(f"… and {rows[0]['events'] - SHOWN_EVENTS} more of {query['event']}")
    return lines


def explain_segmentation(settings: Settings, customer: str, segmentation: str) -> str:
    """The segment of a customer with the figures that decided it, the rule in words, and the thresholds."""
    with open_build(settings) as build:
        _require_customer(build, customer)
        known = [name for (name,) in build.query("select distinct segmentation from rules.segment_definitions order by 1")]
        if segmentation not in known:
            close = get_close_matches(segmentation, known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(known)}"
            raise UnusableInput(f"there is no segmentation '{segmentation}': {hint}")
        cursor = build.connection.execute(f"select * from {build.relation(f'{segmentation}_segments')} where customer_id = ?", [customer])
        names = [column[0] for column in cursor.description or []]
        row = dict(zip(names, cursor.fetchone() or (), strict=True))
        lines = [f"{customer} is {row['segment']} in {segmentation} (as of {build.as_of_date}).", "", "What was seen"]
        lines += [f"  {name}: {'not known' if value is None else value}" for name, value in row.items() if name not in NOT_FIGURES]
        rules = build.query(
            "select segment, rule from rules.segment_definitions where segmentation = ? order by segment <> ?, segment",
            segmentation,
            row["segment"],
        )
        lines += ["", "The rules"] + [f"  {'✓' if segment == row['segment'] else ' '} {segment}: {rule}" for segment, rule in rules]
        limits = build.query("select name, value, unit from rules.thresholds where segmentation = ? order by name", segmentation)
        overridden = variables(build.source)
        if limits:
            lines += ["", "The thresholds"]
            lines += [f"  {name}: {overridden.get(name, f'{value.normalize():f}')} {unit}" for name, value, unit in limits]
    return "\n".join(lines)


def _require_customer(build: Build, customer: str) -> None:
    if not build.query("select 1 from intermediate.int_customers where customer_id = ?", customer):
        raise UnusableInput(f"there is no customer '{customer}' on {build.as_of_date}")


# --- preview ---------------------------------------------------------------------------------------------------------------------


def preview(settings: Settings, name: str) -> str:
    """What an audience would be on the data of the last build, by its file as it is now, built or not."""
    definitions = read_definitions()
    definition = _named(name, definitions)
    with open_build(settings) as build:
        macros = build.macros(definitions)
        everything = macros.call("audience_definitions")
        facts = macros.call("audience_facts_query", macros.call("audience_plan", {name: everything[name]} | _reached(name, everything)))
        build.connection.execute(f"create temp table previewed_facts as {facts}")

        def where(node: Mapping[str, Any]) -> str:
            return str(macros.call("audience_condition", node, macros.call("audience_new_plan"), everything, [name]))

        members = everything[name]["members"]
        build.connection.execute(f"create temp table previewed as select customer_id from previewed_facts where {where(members)}")
        ((everybody,),) = build.query("select count(*) from previewed_facts")
        ((size,),) = build.query("select count(*) from previewed")
        content = definition.content
        lines = [f"{content['name']} ({name}), as of {build.as_of_date}", content["description"], ""]
        lines.append(_members(size, everybody, content))
        lines.append(f"  contactable  {_contactable(build, content):>12,} by {content['channel']}, before holdout and priority group")
        lines += ["", "What each condition leaves"]
        lines += _funnel(build, members, where, everybody, macros)
        lines += ["", "In common with other audiences of the last build"]
        lines += _overlaps(build, name, size)
        examples = build.query(f"select customer_id from previewed order by md5(customer_id) limit {SHOWN_EXAMPLES}")
        lines += ["", "Examples: " + (", ".join(customer for (customer,) in examples) or "nobody")]
    return "\n".join(lines)


def _members(size: int, everybody: int, content: Mapping[str, Any]) -> str:
    group = ", before its priority group" if "priority" in content else ""
    return f"  members      {size:>12,} of {everybody:,} customers{group}"


def _reached(name: str, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The audiences that one names, directly or not."""
    reached: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        for _, node in conditions_of(definitions[waiting.pop()]["members"]):
            other = node.get("audience")
            if other and other not in reached:
                reached[other] = definitions[other]
                waiting.append(other)
    return reached


def _contactable(build: Build, content: Mapping[str, Any]) -> int:
    ((count,),) = build.query(
        "select count(*) from previewed "
        "inner join audiences.audience_contactability as contactability on previewed.customer_id = contactability.customer_id "
        "where contactability.purpose = ? and contactability.channel = ? "
        "and contactability.has_consent and not contactability.is_unsubscribed and not contactability.is_over_limit "
        "and contactability.has_address and not contactability.is_address_barred "
        "and previewed.customer_id not in (select customer_id from staging.stg_erasure_requests where requested_date < ?)",
        content.get("purpose", "marketing"),
        content["channel"],
        build.as_of_date,
    )
    return int(count)


def _funnel(build: Build, members: Mapping[str, Any], where: Any, everybody: int, macros: Macros) -> list[str]:
    """Condition after condition of the outermost `all`: who is left, and whom it alone removes from the rest."""
    parts = members.get("all", [members])
    predicates = [f"({where(part)})" for part in parts]
    lines, left = [], everybody
    for number, part in enumerate(parts):
        so_far = " and ".join(predicates[: number + 1])
        ((still,),) = build.query(f"select count(*) from previewed_facts where {so_far}")
        ((alone,),) = build.query(f"select count(*) from previewed_facts where {predicates[number]}")
        text = macros.call("audience_condition_words", part)
        lines.append(f"  {still:>12,} left, {left - still:,} removed ({alone:,} meet it): {text}")
        left = still
    return lines


def _overlaps(build: Build, name: str, size: int) -> list[str]:
    rows = build.query(
        "select audience_id, count(*) as customers from segments.audience_memberships "
        "inner join previewed on audience_memberships.person_id = previewed.customer_id "
        f"where audience_id <> ? group by audience_id order by customers desc, audience_id limit {SHOWN_OVERLAPS}",
        name,
    )
    return [f"  {customers:>12,} ({100 * customers / size:.0f} %) {audience}" for audience, customers in rows] or ["  nobody"]
