"""Files: YAML read, and writing that a crash cannot tear."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml


def read_yaml(path: Path) -> Any:
    """What a YAML file holds. Raises yaml.YAMLError where it is none, UnicodeDecodeError where it is no text."""
    # libyaml takes a tenth of the time of PyYAML's own reader, which every command would wait for.
    return yaml.load(path.read_text(encoding="utf-8-sig"), Loader=yaml.CSafeLoader)


def write_json(path: Path, document: Any) -> None:
    """Write `document` as JSON to `path`: afterwards the file holds all of it or what it held before, even after a crash."""
    with _in_place_of(path) as temporary:
        temporary.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def copy_file(source: Path, target: Path) -> None:
    """Copy a file: afterwards `target` holds all of it or what it held before, even after a crash."""
    with _in_place_of(target) as temporary:
        shutil.copyfile(source, temporary)


@contextmanager
def _in_place_of(path: Path) -> Iterator[Path]:
    """A file beside `path`, which takes its place once it is written and on disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    yield temporary
    sync_file(temporary)
    temporary.replace(path)
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Force a file's content to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# A folder's entries (names, links) are content of the folder.
sync_folder = sync_file
