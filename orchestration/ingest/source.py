"""Which source is meant: its folder, its mapping if it has one, and what its source.yml says about it."""

import csv
import difflib
import functools
import hashlib
import importlib.util
import re
import zoneinfo
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from orchestration.errors import UnusableInput
from orchestration.files import read_yaml
from orchestration.ingest.contract import Contract, read_contract
from orchestration.settings import PROJECT_DIR

SETTINGS_FILE = "source.yml"
FILE_SUFFIXES = (".parquet", ".csv", ".csv.gz")
COMMON_KEYS = ("name", "business_timezone", "currency", "holiday_country", "as_of_date", "vars")
MAPPING_KEYS = ("folder", "python_package")
# dbt variables that a night sets itself, or that are keys of source.yml in their own right.
RESERVED_VARIABLES = frozenset({"as_of_date", "build_id", "as_known_at", "business_timezone", "currency", "holiday_country"})

Variable = str | int | float


@dataclass(frozen=True)
class Number:
    """The numbers that a variable may be."""

    least: float
    most: float
    is_whole: bool = False

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float) or (self.is_whole and isinstance(value, float)):
            return False
        return self.least <= value <= self.most

    def __str__(self) -> str:
        return f"a {'whole ' if self.is_whole else ''}number from {self.least:g} to {self.most:g}"


DAYS = Number(1, 99_999, is_whole=True)
THRESHOLD_VALUES = Number(-1e15, 1e15)
# What each variable of dbt_project.yml may be: one of some words, or a number. It ends up in SQL text, so nothing else may pass.
VARIABLE_VALUES: dict[str, tuple[str, ...] | Number] = {
    "rfm_monetary": ("sum", "mean"),
    "rfm_cut_points": ("percentile", "fixed"),
    "fit_every": ("month", "week", "day"),
    "lifetime_value_time_unit": ("day", "week"),
    "lifetime_value_horizon_days": DAYS,
    "lifetime_value_discount_rate": Number(0, 10),
    "lifetime_value_holdout_days": DAYS,
    "behaviour_cluster_window_days": DAYS,
    "maximum_quarantined_share": Number(0, 1),
    "history_correction_days": Number(0, DAYS.most, is_whole=True),
}


@dataclass(frozen=True)
class Source:
    """One source of raw tables, and what it says about itself."""

    name: str
    """Its identity: the landing, the working database and every batch carry it. Lower-case letters, digits and underscores."""
    folder: Path
    """Where its data files are, absolute."""
    mapping: Path | None = None
    """The folder of `<table>.sql` files; None when the files are the contract's tables already."""
    business_timezone: str = "UTC"
    currency: str | None = None
    holiday_country: str | None = None
    as_of_date: date | None = None
    """The day to describe, for data that has ended; None means the night decides."""
    vars: dict[str, Variable] = field(default_factory=dict)
    """Overrides of dbt variables and of thresholds."""


@dataclass(frozen=True)
class FoundFiles:
    """The data files of a source, or the SQL files of its mapping, by table."""

    tables: dict[str, tuple[Path, ...]]
    ignored: tuple[tuple[str, str], ...]
    """Files that no table takes, each with the reason."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the valid name that was probably meant, or None when nothing is close."""
    found = difflib.get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(name: str, names: Collection[str]) -> str:
    """Return the end of a sentence that refuses a name: the nearest valid one, or all of them."""
    near = nearest(name, names)
    return f"did you mean {near}?" if near else f"use one of {', '.join(sorted(names))}"


def resolve_source(name_or_folder: str | Path, project_dir: Path = PROJECT_DIR) -> Source:
    """Find a source by name or by folder.

    Args:
        name_or_folder: the name of a folder below `mappings/`; otherwise the path of a folder of files, or of a mapping elsewhere.
        project_dir: the project whose mappings, contract and variables hold.

    Raises:
        UnusableInput: there is no such source, or its source.yml is wrong.
    """
    asked = str(name_or_folder)
    mappings = project_dir / "mappings"
    if re.fullmatch(r"\w[\w-]*", asked) and (mappings / asked).is_dir():
        return _read_source(mappings / asked, default_name=_sanitised(asked), project_dir=project_dir)
    folder = Path(name_or_folder).expanduser()
    if folder.is_dir():
        folder = folder.resolve()
        # Two folders of one name are two sources: what tells them apart is where they are.
        where = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:8]
        in_project = folder.parent == mappings.resolve()
        name = _sanitised(folder.name)
        return _read_source(folder, default_name=name if in_project else f"{name}_{where}", project_dir=project_dir)
    if folder.exists():
        raise UnusableInput(f"source {asked} is a file: give the folder that holds the files of the tables")
    names = sorted(path.name for path in mappings.iterdir() if path.is_dir()) if mappings.is_dir() else []
    near = nearest(asked, names)
    hint = f"; did you mean {near}?" if near else f"; known names: {', '.join(names)}" if names else ""
    raise UnusableInput(f"source {asked} is neither a folder nor the name of a folder below {mappings}{hint}")


def find_files(source: Source, contract: Contract) -> FoundFiles:
    """List the files of every table, in the order in which they are landed (by path).

    A table is `<table>.parquet`, `.csv` or `.csv.gz`, or a folder `<table>/` of such files at any depth. Names that start with a dot
    or an underscore are what other tools leave beside data (`_SUCCESS`, `.DS_Store`): they are not looked at.
    """
    if source.mapping is not None:
        return _find_mapping_files(source.mapping, contract)
    found: dict[str, list[Path]] = {table: [] for table in contract.tables}
    ignored: list[tuple[str, str]] = []
    for path in sorted(source.folder.iterdir()):
        if path.name.startswith((".", "_")) or path.name == SETTINGS_FILE:
            continue
        suffix = None if path.is_dir() else data_suffix(path)
        stem = path.name.removesuffix(suffix or "")
        if stem in contract.tables and path.is_dir():
            for inner in sorted(path.rglob("*")):
                hidden = any(part.startswith((".", "_")) for part in inner.relative_to(path).parts)
                if inner.is_dir() or hidden:
                    continue
                if data_suffix(inner):
                    found[stem].append(inner)
                else:
                    ignored.append((inner.relative_to(source.folder).as_posix(), f"not one of {', '.join(FILE_SUFFIXES)}"))
        elif stem in contract.tables and suffix:
            found[stem].append(path)
        elif suffix or path.is_dir():
            near = nearest(stem, contract.tables)
            ignored.append((path.name, f"{stem} is not a table of the raw contract" + (f"; did you mean {near}?" if near else "")))
        else:
            ignored.append((path.name, f"not one of {', '.join(FILE_SUFFIXES)}"))
    return FoundFiles({table: tuple(paths) for table, paths in found.items()}, tuple(ignored))


def data_suffix(path: Path) -> str | None:
    """Return the suffix that makes this a data file, or None."""
    return next((suffix for suffix in FILE_SUFFIXES if path.name.endswith(suffix) and path.name != suffix), None)


def _find_mapping_files(mapping: Path, contract: Contract) -> FoundFiles:
    found: dict[str, tuple[Path, ...]] = dict.fromkeys(contract.tables, ())
    for path in sorted(mapping.glob("*.sql")):
        if path.stem not in contract.tables:
            raise UnusableInput(f"{path}: {path.stem} is not a table of the raw contract; {did_you_mean(path.stem, contract.tables)}")
        found[path.stem] = (path,)
    return FoundFiles(found, ())


def _sanitised(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:40] or "source"


def _read_source(folder: Path, default_name: str, project_dir: Path) -> Source:
    """Make a source of its folder: a mapping when it holds `<table>.sql`, otherwise a folder of files."""
    contract = read_contract(project_dir)
    is_mapping = any((folder / f"{table}.sql").is_file() for table in contract.tables)
    where = folder / SETTINGS_FILE
    settings = _read_settings(where, COMMON_KEYS + MAPPING_KEYS if is_mapping else COMMON_KEYS)
    name = _text(settings, "name", where) or default_name
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,62}", name):
        raise UnusableInput(
            f"{where}: name {name!r} is not usable: use lower-case letters, digits and underscores, such as {_sanitised(name)}"
        )
    return Source(
        name=name,
        folder=_data_folder(settings, folder, where) if is_mapping else folder,
        mapping=folder if is_mapping else None,
        business_timezone=_timezone(settings, where),
        currency=_code(settings, "currency", r"[A-Z]{3}", "three capital letters, such as EUR", where),
        holiday_country=_code(settings, "holiday_country", r"[A-Z]{2}", "two capital letters, such as DE", where),
        as_of_date=_date(settings, "as_of_date", where),
        vars=_variables(settings, where, project_dir),
    )


def _read_settings(where: Path, valid_keys: Collection[str]) -> dict[str, Any]:
    if not where.exists():
        return {}
    try:
        settings = read_yaml(where)
    except (yaml.YAMLError, ValueError) as error:
        raise UnusableInput(f"{where} cannot be read as YAML: {' '.join(str(error).split())}") from error
    if settings is None:
        return {}
    if not isinstance(settings, dict):
        raise UnusableInput(f"{where} must hold `key: value` lines and nothing else, such as `currency: EUR`")
    for key in settings:
        if key in MAPPING_KEYS and key not in valid_keys:
            raise UnusableInput(f"{where}: {key} says where the files of a mapping are, but this folder has no <table>.sql; take it out")
        if key not in valid_keys:
            raise UnusableInput(f"{where}: unknown key {key}; {did_you_mean(str(key), valid_keys)}")
    return settings


def _text(settings: dict[str, Any], key: str, where: Path) -> str | None:
    value = settings.get(key)
    if value is None:
        return None
    if isinstance(value, bool):
        # YAML 1.1 reads NO, no, on and off as booleans; Norway knows.
        raise UnusableInput(f"{where}: {key} was read as {str(value).lower()}; write it in quotes")
    if not isinstance(value, str):
        raise UnusableInput(f"{where}: {key} must be text; write {value!r} in quotes")
    return value


def _code(settings: dict[str, Any], key: str, pattern: str, meaning: str, where: Path) -> str | None:
    value = _text(settings, key, where)
    if value is not None and not re.fullmatch(pattern, value):
        raise UnusableInput(f"{where}: {key} {value!r} must be {meaning}")
    return value


def _timezone(settings: dict[str, Any], where: Path) -> str:
    value = _text(settings, "business_timezone", where)
    if value is None:
        return "UTC"
    zones = zoneinfo.available_timezones()
    if value not in zones:
        near = {zone.lower(): zone for zone in zones}
        found = nearest(value, near)
        hint = f"did you mean {near[found]}?" if found else "use a name such as America/New_York"
        raise UnusableInput(f"{where}: business_timezone {value!r} is not a time zone; {hint}")
    return value


def _date(settings: dict[str, Any], key: str, where: Path) -> date | None:
    value = settings.get(key)
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise UnusableInput(f"{where}: {key} {str(value)!r} is not a date; write it as 2018-01-31") from None


def _variables(settings: dict[str, Any], where: Path, project_dir: Path) -> dict[str, Variable]:
    given = settings.get("vars")
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise UnusableInput(f"{where}: vars must hold `name: value` lines and nothing else, such as `rfm_monetary: mean`")
    variables = project_variables(project_dir)
    thresholds = _thresholds(project_dir)
    for name, value in given.items():
        if name in COMMON_KEYS:
            raise UnusableInput(f"{where}: {name} is a key of its own; move it out of vars")
        if name in RESERVED_VARIABLES:
            raise UnusableInput(f"{where}: vars: {name} is set by the night, not by a source; take it out")
        if name not in variables and name not in thresholds:
            valid = variables.keys() | thresholds
            near = nearest(str(name), valid)
            hint = f"did you mean {near}?" if near else "see vars in dbt_project.yml and the names in seeds/thresholds.csv"
            raise UnusableInput(f"{where}: vars: {name} is neither a variable nor a threshold of the project; {hint}")
        if name in thresholds and value not in THRESHOLD_VALUES:
            raise UnusableInput(f"{where}: vars: {name} is a threshold; give it a number, not {value!r}")
        if name in variables and value not in VARIABLE_VALUES[name]:
            allowed = VARIABLE_VALUES[name]
            words = " or ".join(allowed) if isinstance(allowed, tuple) else str(allowed)
            raise UnusableInput(f"{where}: vars: {name} is {value!r}; set it to {words}")
    return dict(given)


def project_variables(project_dir: Path = PROJECT_DIR) -> dict[str, Any]:
    """The dbt variables of the project that a source may override, with their defaults."""
    project = read_yaml(project_dir / "dbt_project.yml")
    return {name: value for name, value in (project.get("vars") or {}).items() if name not in RESERVED_VARIABLES}


def _thresholds(project_dir: Path) -> set[str]:
    seed = project_dir / "seeds" / "thresholds.csv"
    if not seed.exists():
        return set()
    with seed.open(encoding="utf-8", newline="") as file:
        return {row["name"] for row in csv.DictReader(file)}


def _data_folder(settings: dict[str, Any], mapping: Path, where: Path) -> Path:
    """Where the data files of a mapping are: in a Python package, in the folder it names, or beside the mapping itself."""
    inner = _text(settings, "folder", where) or "."
    package = _text(settings, "python_package", where)
    base = mapping if package is None else _package_folder(package, where)
    folder = (base / Path(inner).expanduser()).resolve()
    if not folder.is_dir():
        raise UnusableInput(f"{where}: folder {folder} does not exist; correct `folder`, which is relative to {base}")
    return folder


@functools.cache
def _package_folder(package: str, where: Path) -> Path:
    """Where an installed package is, found without importing it."""
    found = importlib.util.find_spec(package) if package.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        raise UnusableInput(
            f"{where}: the Python package {package}, which holds the data, is not installed; install it (for the demo: `make install`)"
        )
    return Path(next(iter(found.submodule_search_locations)))
