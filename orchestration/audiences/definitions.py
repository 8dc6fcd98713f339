"""The files of models/audiences, read and judged before dbt runs: every mistake in one sentence, with its file and line.

The shape is in schema.json (keys, kinds of values, durations); what a name means is looked up where the compiler looks it up, in the
macros: features, events and their fields, segmentations, and the other audiences. A file holds one definition and one call:

    {%- set definition %}
    name: …
    members: …
    {% endset -%}
    {{ audience(definition) }}
"""

import csv
import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from orchestration.mistakes import Mistake, refuse
from orchestration.settings import PROJECT_DIR

AUDIENCES_DIR = PROJECT_DIR / "models" / "audiences"
SCHEMA_FILE = Path(__file__).with_name("schema.json")
LIST_FILE = Path("macros/audiences/audiences.sql")
DEFINITION = re.compile(
    r"\s*\{%-?\s*set definition\s*-?%\}(?P<text>.*?)\{%-?\s*endset\s*-?%\}\s*\{\{\s*audience\(definition\)\s*\}\}\s*", re.DOTALL
)
KINDS = ("all", "any", "not", "audience", "segment", "feature", "done", "not_done", "sequence")
MEASURES_OF = ("sum", "average", "distinct", "highest", "lowest")
MEASURES = ("count", *MEASURES_OF, "first_time", "last_time", "every_month_of", "came_back_after", "not_followed_by")
COMPARISONS = ("is", "is_not", "in", "not_in", "at_least", "above", "at_most", "below", "between")
ORDERING = ("at_least", "above", "at_most", "below", "between")
PLACES = ("top", "top_percent", "bottom", "bottom_percent")
WINDOWS = ("last", "from", "until", "since", "before")
# Operators that leave a value no lower, and no higher: whether the bound itself is left out.
LOWER_BOUNDS = {"is": False, "at_least": False, "above": True}
UPPER_BOUNDS = {"is": False, "at_most": False, "below": True}
OPERATORS = (*COMPARISONS, "is_known", *PLACES, *WINDOWS)
# No value of a shop looks like this, and whoever writes it means something else by a definition than we do.
SQL_IN_TEXT = re.compile(r"--|;|/\*|\*/|\{\{|\{%|[\x00-\x1f]|'\s*(?:or|and|union)\b", re.IGNORECASE)
# Attributes that may decide who is addressed only for a reason that somebody answers for.
PROTECTED_FEATURES = frozenset({"age_group", "gender", "household_type", "children_at_home"})
PROTECTED_SEGMENTATIONS = frozenset({"demographic", "socio_cultural"})
NAMED_BY_THE_DATA = "*"
# Fields of events that staging writes in lower case (macro clean_code), so that a value with capitals is never met.
LOWER_CASE_FIELDS = frozenset({"channel", "kind", "name", "origin", "payment_method", "quality_tier", "referrer", "topic"})
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2629746, "year": 31556952}


@dataclass(frozen=True)
class Catalogue:
    """What a definition may name."""

    features: Mapping[str, str]
    """{feature: type}"""
    events: Mapping[str, Mapping[str, str]]
    """{event: {field: type}}"""
    segments: Mapping[str, frozenset[str]]
    """{segmentation: its segments}"""
    listed: tuple[str, ...]
    """The audiences of the macro `audiences`."""


@dataclass
class Definition:
    """One file: the definition as data, with the line of everything in it, and how each value is written."""

    name: str
    file: Path
    text: str
    content: dict[str, Any] = field(default_factory=dict)
    lines: dict[tuple[Any, ...], int] = field(default_factory=dict)
    written: dict[tuple[Any, ...], str] = field(default_factory=dict)


def read_definitions(folder: Path | None = None) -> list[Definition]:
    """All definitions, of the project's own folder unless another is named. Raises UnusableInput for the first mistake in any of them."""
    definitions, mistakes = check_definitions(folder)
    refuse(mistakes)
    return definitions


def check_definitions(folder: Path | None = None, catalogue: Catalogue | None = None) -> tuple[list[Definition], list[Mistake]]:
    """All definitions of a folder, and what is wrong with them, in the order of files and lines."""
    folder = folder or AUDIENCES_DIR
    catalogue = catalogue or project_catalogue()
    definitions: list[Definition] = []
    mistakes: list[Mistake] = []
    for path in sorted(folder.glob("*.sql")):
        shown = path.relative_to(PROJECT_DIR) if path.is_relative_to(PROJECT_DIR) else path
        try:
            definitions.append(_read(path, shown))
        except _Found as found:
            mistakes.append(Mistake(shown, found.line, found.text))
    names = {path.stem for path in folder.glob("*.sql")}
    for definition in definitions:
        judge = _Judge(definition, catalogue, names)
        mistakes += judge.mistakes()
    mistakes += _circles(definitions)
    mistakes += _priorities(definitions)
    wrong = {mistake.file for mistake in mistakes}
    unlisted = [d for d in definitions if d.name not in catalogue.listed and d.file not in wrong]
    mistakes += [Mistake(d.file, 1, f"the audience '{d.name}' is not in the list of {LIST_FILE}: add it there") for d in unlisted]
    gone = sorted(set(catalogue.listed) - names)
    mistakes += [Mistake(LIST_FILE, 1, f"'{name}' has no file {folder.name}/{name}.sql: {_nearest(name, names)}") for name in gone]
    return definitions, sorted(mistakes, key=lambda mistake: (str(mistake.file), mistake.line))


@functools.cache
def project_catalogue(project: Path = PROJECT_DIR) -> Catalogue:
    """The catalogue of the project's macros and seeds."""
    from orchestration.audiences.macros import Macros

    macros = Macros({}, lambda model: model, folder=project / "macros")
    with (project / "seeds" / "segment_definitions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    segments = {name: frozenset(row["segment"] for row in rows if row["segmentation"] == name) for name in macros.call("segmentations")}
    return Catalogue(
        features=macros.call("audience_features"),
        events={name: {f: kind for f, (_, kind) in event["fields"].items()} for name, event in macros.call("audience_events").items()},
        segments=segments,
        listed=tuple(macros.call("audiences")),
    )


# --- reading ---------------------------------------------------------------------------------------------------------------------


class _Found(Exception):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line, self.text = line, text


def _read(path: Path, shown: Path) -> Definition:
    source = path.read_text(encoding="utf-8")
    match = DEFINITION.fullmatch(re.sub(r"\{#.*?#\}", lambda comment: "\n" * str(comment[0]).count("\n"), source, flags=re.DOTALL))
    if not match:
        raise _Found(
            1,
            "the file must hold `{%- set definition %}`, the definition, `{% endset -%}`, `{{ audience(definition) }}`, and nothing else",
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem):
        raise _Found(1, f"'{path.stem}' is no name for an audience: use lower_snake_case")
    text = match["text"]
    # Comments were blanked line by line, so lines still count as in the file.
    first_line = source[: source.index("set definition")].count("\n") + 1
    if template := re.search(r"\{\{|\{%|\{#", text):
        line = first_line + text[: template.start()].count("\n")
        raise _Found(line, "a definition is data: templates like {{ … }} have no place in it")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "cannot be read"
        raise _Found(first_line + (mark.line if mark else 0), f"the definition is not readable as YAML: {problem}") from error
    definition = Definition(path.stem, shown, text)
    content = _construct(root, (), first_line, definition.lines, definition.written)
    if not isinstance(content, dict):
        raise _Found(
            definition.lines.get((), first_line),
            "the definition must be a mapping with name, description, owner, last_reviewed, channel and members",
        )
    definition.content = content
    return definition


def _construct(
    node: yaml.Node | None, path: tuple[Any, ...], first_line: int, lines: dict[tuple[Any, ...], int], written: dict[tuple[Any, ...], str]
) -> Any:
    """The data of a YAML node; notes the line of every key and item and the text of every value, and refuses a key that is there twice."""
    if node is None:
        return None
    lines.setdefault(path, first_line + node.start_mark.line)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = _construct(key_node, (*path, "key of"), first_line, {}, {})
            line = first_line + key_node.start_mark.line
            if not isinstance(key, str):
                raise _Found(line, f"the key {key_node.value} is read as {_in_words(key)}: write it in quotes")
            if key in mapping:
                raise _Found(line, f"the key '{key}' is there twice")
            lines[(*path, key)] = line
            mapping[key] = _construct(value_node, (*path, key), first_line, lines, written)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item, (*path, number), first_line, lines, written) for number, item in enumerate(node.value)]
    written[path] = node.value
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise _Found(first_line + node.start_mark.line, f"{node.value} cannot be read: {' '.join(str(error).split())}") from error


# --- judging ---------------------------------------------------------------------------------------------------------------------


@functools.cache
def _schema() -> Any:
    from jsonschema import Draft202012Validator, ValidationError, validators

    def is_date(_: Any, __: Any, value: Any, ___: Any) -> Iterator[ValidationError]:
        if type(value) is not date:
            yield ValidationError("no date")

    def is_scalar(_: Any, __: Any, value: Any, ___: Any) -> Iterator[ValidationError]:
        if isinstance(value, dict | list) or value is None:
            yield ValidationError("no scalar")

    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return validators.extend(Draft202012Validator, {"x-type": is_date, "x-scalar": is_scalar})(schema)


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if value is None:
        return "nothing"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, date):
        return f"the date {value}"
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else f"the text '{value}'"


def _nearest(name: str, known: Iterable[str]) -> str:
    """The nearest valid name, or where to find them."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else "docs/audiences.md lists what there is"


class _Judge:
    """One definition against the schema and the catalogue."""

    def __init__(self, definition: Definition, catalogue: Catalogue, audiences: set[str]) -> None:
        self.definition = definition
        self.catalogue = catalogue
        self.audiences = audiences
        self.found: list[Mistake] = []
        self.protected: list[str] = []

    def say(self, path: tuple[Any, ...], text: str) -> None:
        while path not in self.definition.lines:
            path = path[:-1]
        self.found.append(Mistake(self.definition.file, self.definition.lines[path], text))

    def mistakes(self) -> list[Mistake]:
        content = self.definition.content
        for error in _schema().iter_errors(content):
            self.shape(error)
        # Names are looked up in what has the right shape: one mistake is told once.
        if not self.found:
            self.condition(content["members"], ("members",))
            self.texts(content, ())
            if self.protected and "protected_attributes" not in content:
                asked = " and ".join(sorted(set(self.protected)))
                self.say(("members",), f"{asked} may decide an audience only with protected_attributes: reason, owner and review_on")
        return self.found

    def shape(self, error: Any) -> None:
        path = tuple(error.absolute_path)
        where = f"'{path[-1]}'" if path and isinstance(path[-1], str) else f"item {path[-1] + 1}" if path else "the definition"
        wanted = error.schema.get("x-wanted")
        if error.validator == "additionalProperties":
            known = error.schema["properties"]
            for key in [key for key in error.instance if key not in known]:
                self.say((*path, key), f"the key '{key}' is not known here: {_nearest(key, known)}")
        elif error.validator == "required":
            missing = next(key for key in error.validator_value if key not in error.instance and repr(key) in error.message)
            self.say(path, f"{where} lacks '{missing}'")
        elif wanted and error.validator in ("minItems", "maxItems", "minProperties"):
            there = {0: "is none", 1: "is one"}.get(len(error.instance), f"are {len(error.instance)}")
            self.say(path, f"{where} must be {wanted}, and here {there}")
        elif wanted:
            self.say(path, f"{where} must be {wanted}, not {_in_words(error.instance)}")
        else:
            self.say(path, f"{where}: {error.message}")

    # --- conditions --------------------------------------------------------------------------------------------------------

    def condition(self, node: Mapping[str, Any], path: tuple[Any, ...]) -> None:
        kinds = [kind for kind in KINDS if kind in node]
        if not kinds:
            key = next(iter(node), "")
            self.say((*path, key), f"'{key}' begins no condition: {_nearest(key, KINDS)}")
        elif kinds[0] in ("all", "any"):
            for number, part in enumerate(node[kinds[0]]):
                self.condition(part, (*path, kinds[0], number))
        elif kinds[0] == "not":
            self.condition(node["not"], (*path, "not"))
        else:
            getattr(self, f"{kinds[0]}_condition")(node, path)

    def audience_condition(self, node: Mapping[str, Any], path: tuple[Any, ...]) -> None:
        if node["audience"] not in self.audiences:
            known = self.audiences - {self.definition.name}
            self.say((*path, "audience"), f"there is no audience '{node['audience']}': {_nearest(node['audience'], known)}")

    def segment_condition(self, node: Mapping[str, Any], path: tuple[Any, ...]) -> None:
        name = node["segment"]
        if name not in self.catalogue.segments:
            self.say((*path, "segment"), f"there is no segmentation '{name}': {_nearest(name, self.catalogue.segments)}")
            return
        if name in PROTECTED_SEGMENTATIONS:
            self.protected.append(f"segment {name}")
        self.has_operator(node, path, ("is", "is_not", "in", "not_in"))
        segments = self.catalogue.segments[name]
        for key, value, where in _values(node, path):
            if not isinstance(value, str):
                self.say(where, f"'{key}' takes a segment of {name}, not {_in_words(value)}")
            elif value not in segments and NAMED_BY_THE_DATA not in segments:
                self.say(where, f"{name} has no segment '{value}': {_nearest(value, segments)}")

    def feature_condition(self, node: Mapping[str, Any], path: tuple[Any, ...]) -> None:
        name = node["feature"]
        kind = self.catalogue.features.get(name)
        if kind is None:
            self.say((*path, "feature"), f"there is no feature '{name}': {_nearest(name, self.catalogue.features)}")
            return
        if name in PROTECTED_FEATURES:
            self.protected.append(f"feature {name}")
        self.has_operator(node, path, OPERATORS)
        self.comparison(node, path, kind, name)
        self.place(node, path, kind, name)
        self.window(node, path)
        for key in WINDOWS:
            if key in node and kind != "date":
                self.say((*path, key), f"'{key}' is for dates, and {name} is a {kind}")
            elif key in node and re.search("second|minute|hour", str(node[key])):
                self.say((*path, key), f"{name} is a day: '{key}' takes days, weeks, months or years, not {node[key]}")

    def done_condition(self, node: Mapping[str, Any], path: tuple[Any, ...]) -> None:
        fields = self.event(node, path)
        self.window(node, path)
        measures = [measure for measure in MEASURES if measure in node]
        if len(measures) > 1:
            self.say(
                (*path, measures[1]), f"a condition has one measure, and here are {' and '.join(measures)}: write one condition for each"
            )
        if fields is None or not measures:
            return
        measure = measures[0]
        asked, where = node[measure], (*path, measure)
        if measure == "count" or measure in MEASURES_OF:
            self.has_operator(asked, where, OPERATORS)
            self.comparison(asked, where, "number", f"the {measure}", is_counted=measure in ("count", "distinct"))
            self.place(asked, where, "number", f"the {measure}")
        if measure in MEASURES_OF:
            self.field(asked["of"], (*where, "of"), fields, node["done"], None if measure == "distinct" else "number")
        elif measure in ("first_time", "last_time"):
            self.window(asked, where)
        elif measure == "not_followed_by":
            self.event(asked, where)

    def not_done_condition(self, node: Mapping[str, Any], path: tuple[Any, ...]) -> None:
        self.event(node, path, "not_done")
        self.window(node, path)

    def sequence_condition(self, node: Mapping[str, Any], path: tuple[Any, ...]) -> None:
        for number, step in enumerate(node["sequence"]):
            self.event(step, (*path, "sequence", number))
        self.window(node, path)

    # --- parts of conditions -----------------------------------------------------------------------------------------------

    def event(self, node: Mapping[str, Any], path: tuple[Any, ...], key: str = "done") -> Mapping[str, str] | None:
        """Judge the event of a node and its filters; returns the event's fields."""
        name = node[key]
        fields = self.catalogue.events.get(name)
        if fields is None:
            self.say((*path, key), f"there is no event '{name}': {_nearest(name, self.catalogue.events)}")
            return None
        if node.get("local_time", "0-1").split("-")[0] == node.get("local_time", "0-1").split("-")[1]:
            self.say((*path, "local_time"), "'local_time' must end at another time than it begins")
        for name_of_field, asked in node.get("where", {}).items():
            where = (*path, "where", name_of_field)
            if not self.field(name_of_field, where, fields, name):
                continue
            kind = fields[name_of_field]
            if isinstance(asked, dict):
                errors = list(
                    _schema().evolve(schema={**_schema().schema["$defs"]["filter"], "$defs": _schema().schema["$defs"]}).iter_errors(asked)
                )
                for error in errors:
                    error.path.extendleft(reversed(where))
                    self.shape(error)
                if not errors:
                    self.comparison(asked, where, kind, name_of_field)
            elif asked is None:
                self.say(where, f"'{name_of_field}' is compared with nothing: give a value, or {{is_known: false}}")
            else:
                self.comparison({"in": asked} if isinstance(asked, list) else {"is": asked}, where, kind, name_of_field, written=False)
        return fields

    def field(self, name: str, path: tuple[Any, ...], fields: Mapping[str, str], event: str, kind: str | None = None) -> bool:
        if name not in fields:
            self.say(path, f"{event} has no field '{name}': {_nearest(name, fields)}")
            return False
        if kind and fields[name] != kind:
            self.say(path, f"'{name}' is a {fields[name]}, and here a {kind} is needed")
            return False
        return True

    def has_operator(self, node: Mapping[str, Any], path: tuple[Any, ...], operators: tuple[str, ...]) -> None:
        if not any(operator in node for operator in operators):
            self.say(path, f"nothing is asked: add one of {', '.join(operators)}")

    def comparison(
        self, node: Mapping[str, Any], path: tuple[Any, ...], kind: str, name: str, *, written: bool = True, is_counted: bool = False
    ) -> None:
        """Whether the operators of a node fit a type, their values as well, and anybody can meet all of them."""
        for key, value, where in _values(node, path, written=written):
            if kind in ("text", "boolean") and key in ORDERING:
                self.say(where, f"'{key}' is for numbers and dates, and {name} is a {kind}")
            elif not _is_a(value, kind):
                hint = f": write it in quotes, '{self.definition.written.get(where, value)}'" if kind == "text" else ""
                self.say(where, f"{name} is a {kind}, and {_in_words(value)} is none{hint}")
            elif isinstance(value, float) and round(value, 4) != value:
                self.say(where, f"{value} has more than four decimal places")
            elif path[-2:-1] == ("where",) and name in LOWER_CASE_FIELDS and value != value.lower():
                self.say(where, f"{name} is always in lower case, and '{value}' is not: write '{value.lower()}'")
        if (
            isinstance(node.get("between"), list)
            and all(_is_a(end, kind) for end in node["between"])
            and node["between"][0] > node["between"][1]
        ):
            self.say((*path, "between"), f"'between' must name the lower end first, not {node['between'][0]} and {node['between'][1]}")
        elif kind in ("number", "date"):
            self.bounds(node, path, kind, name, is_counted=is_counted)

    def bounds(self, node: Mapping[str, Any], path: tuple[Any, ...], kind: str, name: str, *, is_counted: bool) -> None:
        """Whether a value can lie within all bounds of a node; what is counted is 0 at least."""
        lowest, highest = (
            [(key, node[key], is_out) for key, is_out in bounds.items() if key in node] for bounds in (LOWER_BOUNDS, UPPER_BOUNDS)
        )
        if isinstance(node.get("between"), list):
            lowest.append(("between", node["between"][0], False))
            highest.append(("between", node["between"][1], False))
        if is_counted:
            lowest.append(("", 0, False))
        for low_key, low, low_is_out in lowest:
            for high_key, high, high_is_out in highest:
                if not (_is_a(low, kind) and _is_a(high, kind)) or low < high or (low == high and not (low_is_out or high_is_out)):
                    continue
                of_low = f"{low_key} {low}" if low_key else "0 or more"
                self.say((*path, high_key), f"nobody can be met: {name} would have to be {of_low} and {high_key} {high}")
                return

    def place(self, node: Mapping[str, Any], path: tuple[Any, ...], kind: str, name: str) -> None:
        places = [place for place in PLACES if place in node]
        if len(places) > 1:
            self.say((*path, places[1]), f"a condition has one place, and here are {' and '.join(places)}")
        for place in places:
            if kind not in ("number", "date"):
                self.say((*path, place), f"'{place}' is for numbers and dates, and {name} is a {kind}")
        if "within" in node:
            group = node["within"]
            if not places:
                self.say((*path, "within"), "'within' goes with top, top_percent, bottom or bottom_percent")
            elif group not in self.catalogue.features:
                self.say((*path, "within"), f"there is no feature '{group}': {_nearest(group, self.catalogue.features)}")
            elif self.catalogue.features[group] != "text":
                self.say((*path, "within"), f"'{group}' is a {self.catalogue.features[group]}: a group is a text, like home_store_id")

    def window(self, node: Mapping[str, Any], path: tuple[Any, ...]) -> None:
        keys = [key for key in WINDOWS if key in node]
        if "last" in keys and len(keys) > 1:
            self.say((*path, keys[1]), f"'last' and '{keys[1]}' are two windows: write one")
        if "from" in keys and "since" in keys:
            self.say((*path, "since"), "'from' and 'since' are two starts: write one")
        if "until" in keys and "before" in keys:
            self.say((*path, "before"), "'until' and 'before' are two ends: write one")
        if "from" in keys and "until" in keys and _seconds(node["from"]) <= _seconds(node["until"]):
            self.say((*path, "until"), f"the window ends ({node['until']}) before it begins ({node['from']})")
        if "since" in keys and "before" in keys and node["since"] >= node["before"]:
            self.say((*path, "before"), f"the window ends (before {node['before']}) before it begins (since {node['since']})")

    def texts(self, value: Any, path: tuple[Any, ...]) -> None:
        """Whether any text of the members looks like SQL."""
        if isinstance(value, dict):
            for key, part in value.items():
                self.texts(part, (*path, key))
        elif isinstance(value, list):
            for number, part in enumerate(value):
                self.texts(part, (*path, number))
        elif isinstance(value, str) and path[:1] == ("members",) and SQL_IN_TEXT.search(value):
            self.say(path, f"the text {value!r} looks like SQL: a value is compared, never run")


def _values(node: Mapping[str, Any], path: tuple[Any, ...], *, written: bool = True) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    """Every value that a node compares with: its operator, itself, where it stands."""
    for key in COMPARISONS:
        where = (*path, key) if written else path
        if isinstance(node.get(key), list):
            yield from ((key, value, (*where, number)) for number, value in enumerate(node[key]))
        elif key in node:
            yield key, node[key], where


def _is_a(value: Any, kind: str) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "date":
        return type(value) is date
    return isinstance(value, bool if kind == "boolean" else str)


def _seconds(ago: str) -> int:
    count, unit = ago.split()[:2]
    return int(count) * SECONDS[unit.rstrip("s")]


# --- all together ----------------------------------------------------------------------------------------------------------------


def _named(node: Any, path: tuple[Any, ...] = ("members",)) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The audiences that a condition names, and where."""
    if isinstance(node, dict):
        if isinstance(node.get("audience"), str):
            yield node["audience"], (*path, "audience")
        for key in ("all", "any"):
            if isinstance(node.get(key), list):
                for number, part in enumerate(node[key]):
                    yield from _named(part, (*path, key, number))
        yield from _named(node.get("not"), (*path, "not"))


def _circles(definitions: list[Definition]) -> list[Mistake]:
    """Audiences that name each other in a circle, each circle once."""
    by_name = {definition.name: definition for definition in definitions}
    named = {d.name: list(_named(d.content.get("members"))) for d in definitions}
    mistakes, told = [], set()

    def follow(name: str, trail: list[str]) -> None:
        for other, path in named.get(name, []):
            if other in trail:
                circle = trail[trail.index(other) :]
                if frozenset(circle) not in told:
                    told.add(frozenset(circle))
                    definition = by_name[name]
                    mistakes.append(
                        Mistake(
                            definition.file,
                            definition.lines[path],
                            f"audiences name each other in a circle: {' > '.join([*circle, other])}",
                        )
                    )
            else:
                follow(other, [*trail, other])

    for name in named:
        follow(name, [name])
    return mistakes


def _priorities(definitions: list[Definition]) -> list[Mistake]:
    """Two audiences of a group with the same rank leave open where a person lands."""
    mistakes: list[Mistake] = []
    taken: dict[tuple[str, int], str] = {}
    for definition in definitions:
        priority = definition.content.get("priority")
        if not isinstance(priority, dict) or not {"group", "rank"} <= set(priority):
            continue
        place = (priority["group"], priority["rank"])
        if place in taken:
            text = f"{taken[place]} has rank {place[1]} of the group '{place[0]}' as well: give each its own"
            mistakes.append(Mistake(definition.file, definition.lines[("priority", "rank")], text))
        taken.setdefault(place, definition.name)
    return mistakes
