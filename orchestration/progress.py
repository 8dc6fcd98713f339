"""What a night is doing right now: a moving line on a terminal, a line per stage and per tenth in a log."""

import sys
import time
from typing import TextIO


class Progress:
    """Shows stages (`2/7 build`) and how many of how many within a stage, with the seconds it took."""

    def __init__(self, stream: TextIO | None = None, enabled: bool = True) -> None:
        self._stream = stream or sys.stderr
        self._enabled = enabled
        self._is_terminal = self._stream.isatty()
        self._title = ""
        self._started = time.monotonic()
        self._last_tenth = 0
        self.prefix = ""
        """Put before every title: which of several days is worked on."""

    def stage(self, title: str) -> None:
        """Begin a stage."""
        title = self.prefix + title
        self._title, self._started, self._last_tenth = title, time.monotonic(), 0
        if not self._is_terminal:
            self._write(f"{title} …\n")
        else:
            self._line(title)

    def step(self, what: str, done: int, total: int) -> None:
        """`done` of `total` pieces of the current stage are ready; `what` is the latest of them."""
        if self._is_terminal:
            self._line(f"{self._title}  {done}/{total}  {what}")
            return
        tenth = 10 * done // max(total, 1)
        if tenth > self._last_tenth and total >= 10:
            self._last_tenth = tenth
            self._write(f"  {done}/{total}  {self._seconds()}  {what}\n")

    def note(self, text: str) -> None:
        """Say something in a line of its own that stays."""
        self._write(f"\r\033[2K{text}\n" if self._is_terminal else f"  {text}\n")

    def finish(self, detail: str = "") -> None:
        """End the current stage with one line that stays."""
        mark = f"{self._title}  done in {self._seconds()}" + (f"  {detail}" if detail else "")
        if self._is_terminal:
            self._line(mark)
            self._write("\n")
        else:
            self._write(f"  {mark}\n")

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._started:.1f} s"

    def _line(self, text: str) -> None:
        self._write(f"\r\033[2K{text[:110]}")

    def _write(self, text: str) -> None:
        if self._enabled:
            self._stream.write(text)
            self._stream.flush()
