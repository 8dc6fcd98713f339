"""What a definition means, once more and in plain Python: no SQL, nothing of the compiler, nothing of its macros.

A customer is a dictionary of features and segments, an event a dictionary with `at` (UTC), `date` (business day) and its fields.
Conditions are true, false, or None where it is not known.
"""

import calendar
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

Event = Mapping[str, Any]
Node = Mapping[str, Any]
Truth = bool | None

WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
SECONDS = {"second": 1, "minute": 60, "hour": 3600}
DAYS = {"day": 1, "week": 7}
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "is": lambda value, other: value == other,
    "in": lambda value, others: value in others,
    "at_least": lambda value, other: value >= other,
    "above": lambda value, other: value > other,
    "at_most": lambda value, other: value <= other,
    "below": lambda value, other: value < other,
    "between": lambda value, ends: ends[0] <= value <= ends[1],
    "is_not": lambda value, other: value != other,
    "not_in": lambda value, others: value not in others,
}
DENYING = ("is_not", "not_in")
PLACES = ("top", "top_percent", "bottom", "bottom_percent")
SHOWN_ONCE = Decimal("0.0001")


def both(*truths: Truth) -> Truth:
    """And, where not knowing is neither."""
    if any(truth is False for truth in truths):
        return False
    return None if any(truth is None for truth in truths) else True


def either(*truths: Truth) -> Truth:
    """Or, likewise."""
    if any(truth is True for truth in truths):
        return True
    return None if any(truth is None for truth in truths) else False


def exact(value: Any) -> Any:
    """A number as it is written."""
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


@dataclass
class World:
    """All that is known about everybody on one day."""

    day: date
    zone: ZoneInfo
    customers: Mapping[str, Mapping[str, Any]]
    """{customer: features and segments by name}"""
    events: Mapping[str, Mapping[str, Sequence[Event]]]
    """{kind of event: {customer: events}}"""
    definitions: Mapping[str, Node]

    @property
    def begins(self) -> datetime:
        """The first instant, in UTC, that the clock of the zone counts to the day."""
        # By search: no clause of a library says what becomes of a midnight that does not exist.
        at = datetime(self.day.year, self.day.month, self.day.day, tzinfo=UTC) - timedelta(days=1)
        while at.astimezone(self.zone).date() < self.day:
            at += timedelta(minutes=15)
        return at.replace(tzinfo=None)

    def members(self, name: str) -> set[str]:
        """Who is in an audience."""
        return {customer for customer in self.customers if self.holds(self.definitions[name]["members"], customer) is True}

    def holds(self, node: Node, customer: str) -> Truth:
        """Whether a condition is met by a customer."""
        if "all" in node:
            return both(*[self.holds(part, customer) for part in node["all"]])
        if "any" in node:
            return either(*[self.holds(part, customer) for part in node["any"]])
        if "not" in node:
            met = self.holds(node["not"], customer)
            if met is None:
                return None if node.get("unknown") == "excluded" else True
            return not met
        if "audience" in node:
            return self.holds(self.definitions[node["audience"]]["members"], customer) is True
        if "segment" in node:
            return self.compare(self.customers[customer][node["segment"]], node)
        if "feature" in node:
            return self.feature(node, customer)
        if "sequence" in node:
            return self.sequence(node, customer)
        return self.happened(node, customer)

    # --- values ------------------------------------------------------------------------------------------------------------

    def compare(self, value: Any, node: Node) -> Truth:
        """A value against all operators of a node."""
        truths: list[Truth] = []
        for operator, test in COMPARED.items():
            if operator not in node:
                continue
            asked = node[operator]
            asked = [exact(one) for one in asked] if isinstance(asked, list) else exact(asked)
            if value is not None:
                truths.append(test(exact(value), asked))
            else:
                truths.append(True if operator in DENYING and node.get("unknown") != "excluded" else None)
        if "is_known" in node:
            truths.append((value is not None) == node["is_known"])
        return both(*truths)

    def feature(self, node: Node, customer: str) -> Truth:
        value = self.customers[customer][node["feature"]]
        truths = [self.compare(value, node)]
        if any(key in node for key in ("last", "from", "until", "since", "before")):
            truths.append(None if value is None else self.in_window(node, value, value))
        if any(key in node for key in PLACES):
            values = {name: features[node["feature"]] for name, features in self.customers.items()}
            truths.append(self.has_place(node, customer, values))
        met = both(*truths)
        return True if met is None and node.get("unknown") == "included" else met

    def has_place(self, node: Node, customer: str, values: Mapping[str, Any]) -> Truth:
        """Whether the customer is among the first; whoever equals somebody who is in is in as well."""
        group = node.get("within")
        own_group = self.customers[customer][group] if group else None
        if values[customer] is None or (group and own_group is None):
            return None
        peers = [v for name, v in values.items() if v is not None and (not group or self.customers[name][group] == own_group)]
        (key,) = [key for key in PLACES if key in node]
        if key.startswith("top"):
            ahead = sum(1 for value in peers if value > values[customer])
        else:
            ahead = sum(1 for value in peers if value < values[customer])
        if key.endswith("percent"):
            return Fraction(ahead) < Fraction(str(node[key])) * len(peers) / 100
        return ahead < node[key]

    # --- time --------------------------------------------------------------------------------------------------------------

    def ago(self, text: str) -> tuple[bool, Any]:
        """Whether it counts to the second, and the instant or day so long before the day described."""
        count, unit = int(text.split()[0]), text.split()[1].rstrip("s")
        if unit in SECONDS:
            return True, self.begins - timedelta(seconds=count * SECONDS[unit])
        if unit in DAYS:
            return False, self.day - timedelta(days=count * DAYS[unit])
        months = count * (12 if unit == "year" else 1)
        year, month = self.day.year, self.day.month - months
        while month < 1:
            year, month = year - 1, month + 12
        return False, date(year, month, min(self.day.day, calendar.monthrange(year, month)[1]))

    def in_window(self, node: Node, at: Any, day: date) -> bool:
        """Start in, end out."""
        for key in ("last", "from"):
            if key in node:
                to_the_second, start = self.ago(node[key])
                if (at if to_the_second else day) < start:
                    return False
        if "until" in node:
            to_the_second, end = self.ago(node["until"])
            if (at if to_the_second else day) >= end:
                return False
        if "since" in node and day < node["since"]:
            return False
        return not ("before" in node and day >= node["before"])

    # --- events ------------------------------------------------------------------------------------------------------------

    def matching(self, node: Node, customer: str) -> list[Event]:
        """The customer's events that a node is about, but for its window."""
        kind = node.get("done") or node["not_done"]
        return [event for event in self.events[kind].get(customer, []) if self.fits(node, event)]

    def fits(self, node: Node, event: Event) -> bool:
        if event["at"] is None or event["at"] >= self.begins:
            return False
        for field, asked in node.get("where", {}).items():
            if not isinstance(asked, dict):
                asked = {"in": asked} if isinstance(asked, list) else {"is": asked}
            if self.compare(event[field], asked) is not True:
                return False
        if "weekdays" in node and WEEKDAYS[event["date"].weekday()] not in node["weekdays"]:
            return False
        if "local_time" in node:
            start, end = node["local_time"].split("-")
            clock = event["at"].replace(tzinfo=UTC).astimezone(self.zone).strftime("%H:%M")
            return bool(start <= clock < end) if start < end else bool(clock >= start or clock < end)
        return True

    def happened(self, node: Node, customer: str) -> Truth:
        everything = self.matching(node, customer)
        events = [event for event in everything if self.in_window(node, event["at"], event["date"])]
        if "not_done" in node:
            return not events
        for measure in ("count", "sum", "average", "distinct", "highest", "lowest"):
            if measure in node:
                return self.measured(measure, node, customer)
        if "first_time" in node or "last_time" in node:
            if not events:
                return False
            pick = min if "first_time" in node else max
            chosen = pick(events, key=lambda event: event["at"])
            return self.in_window(node.get("first_time") or node["last_time"], chosen["at"], chosen["date"])
        if "every_month_of" in node:
            year, month, wanted = self.day.year, self.day.month, set()
            for _ in range(node["every_month_of"]):
                year, month = (year - 1, 12) if month == 1 else (year, month - 1)
                wanted.add((year, month))
            return wanted <= {(event["date"].year, event["date"].month) for event in events}
        if "came_back_after" in node:
            return any(self.is_comeback(node["came_back_after"], event, everything) for event in events)
        if "not_followed_by" in node:
            answers = self.matching(node["not_followed_by"], customer)
            if not events:
                return False
            last = max(event["at"] for event in events)
            return not any(answer["at"] > last for answer in answers)
        return bool(events)

    def is_comeback(self, gap: str, event: Event, everything: Sequence[Event]) -> bool:
        before = [other for other in everything if other["at"] < event["at"]]
        if not before:
            return False
        previous = max(before, key=lambda other: other["at"])
        return self.apart(previous, event, gap) >= 0

    @staticmethod
    def apart(first: Event, second: Event, text: str) -> int:
        """By how much the time between two events is longer than a duration: in seconds or in days of the calendar."""
        count, unit = int(text.split()[0]), text.split()[1].rstrip("s")
        if unit in SECONDS:
            return int((second["at"] - first["at"]).total_seconds()) - count * SECONDS[unit]
        return int((second["date"] - first["date"]).days) - count * DAYS[unit]

    def measured(self, measure: str, node: Node, customer: str) -> Truth:
        asked = node[measure]
        value = self.value(measure, node, customer)
        has_done = {"sum": self.has_amount, "count": self.has_any, "distinct": self.has_any}.get(measure)
        truths = [self.compare(value, asked)]
        if any(key in asked for key in PLACES):
            values = {}
            for name in self.customers:
                counts = has_done is None or has_done(measure, node, name)
                values[name] = self.value(measure, node, name) if counts else None
            truths.append(False if values[customer] is None else self.has_place(asked, customer, values))
        return both(*truths)

    def has_any(self, measure: str, node: Node, customer: str) -> bool:
        return self.value(measure, node, customer) != 0

    def has_amount(self, _: str, node: Node, customer: str) -> bool:
        return bool(self.amounts(node, customer, node["sum"]["of"]))

    def amounts(self, node: Node, customer: str, field: str) -> list[Any]:
        counted = [event for event in self.matching(node, customer) if self.in_window(node, event["at"], event["date"])]
        return [event[field] for event in counted if event[field] is not None]

    def value(self, measure: str, node: Node, customer: str) -> Any:
        if measure == "count":
            return len([e for e in self.matching(node, customer) if self.in_window(node, e["at"], e["date"])])
        amounts = self.amounts(node, customer, node[measure]["of"])
        if measure == "sum":
            return sum(amounts, Decimal(0))
        if measure == "distinct":
            return len(set(amounts))
        if not amounts:
            return None
        if measure == "average":
            mean = Fraction(sum(amounts)) / len(amounts)
            # Half up: towards the greater, of negative numbers too.
            return Decimal((mean * 10000 + Fraction(1, 2)).__floor__()) * SHOWN_ONCE
        return max(amounts) if measure == "highest" else min(amounts)

    def sequence(self, node: Node, customer: str) -> bool:
        """Whether any choice of one event for each step is in order and short enough: all of them are tried."""
        chains: list[tuple[Event, Event]] = []
        for number, step in enumerate(node["sequence"]):
            events = [event for event in self.matching(step, customer) if self.in_window(node, event["at"], event["date"])]
            if number == 0:
                chains = [(event, event) for event in events]
            else:
                chains = [(first, event) for first, last in chains for event in events if event["at"] > last["at"]]
        return any("within" not in node or self.apart(first, last, node["within"]) <= 0 for first, last in chains)
