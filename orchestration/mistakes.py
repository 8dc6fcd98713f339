"""Mistakes in the files that people write (rule tables, audiences): each one sentence with its file and line."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.errors import UnusableInput


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong, and where."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


def refuse(mistakes: Sequence[Mistake]) -> None:
    """Raise UnusableInput for the first of these mistakes, if there is any."""
    if mistakes:
        more = f" ({len(mistakes) - 1} more: run `segments check`)" if len(mistakes) > 1 else ""
        raise UnusableInput(f"{mistakes[0]}{more}")
