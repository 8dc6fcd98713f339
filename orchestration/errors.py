"""Errors a person is meant to read: one sentence that says what is wrong, where, and what to do."""

import errno
import sqlite3
from collections.abc import Iterator

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
# As the operating system says it, DuckDB after it, and SQLite, which holds Dagster's run logs.
DISK_FULL_IN_WORDS = ("No space left on device", "Disk quota exceeded", "database or disk is full", "disk I/O error")
NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)

STOPPED_BY_SIGNAL = "stopped by a signal (SIGTERM or Ctrl-C): run the night again"


class SegmentsError(Exception):
    """Base of every error this project raises on purpose."""


class UnusableInput(SegmentsError):
    """Wrong usage or input that cannot be used; nothing was written. The command line exits with 2."""


class GateClosed(SegmentsError):
    """A build may not be published: no verdict, a failed one, or one about other rows. The command line exits with 1."""


class HomeInUse(UnusableInput):
    """Another process is already writing below the same home folder."""


class PublishingFailed(SegmentsError):
    """A build could not be written, verified or swapped in; what was served before is still served."""


class DeliveryFailed(SegmentsError):
    """An audience could not be brought to its destination, though nothing is wrong with either: the same command again takes it up."""


def failure_of_the_machine(error: Exception, home: str) -> SegmentsError | None:
    """What an error that nobody raised on purpose means for who runs the command; None where it is a mistake of the code."""
    causes = list(_causes(error))
    for cause in causes:
        if any(words in str(cause) for words in DISK_FULL_IN_WORDS):
            return SegmentsError(
                f"The disk of {home} is full, or fails ({' '.join(str(cause).split())}): free space there (its folders dagster/ "
                "and dbt/ hold only logs and what is made anew, and may be removed), then run the command again."
            )
    for cause in causes:
        if isinstance(cause, sqlite3.Error):  # Dagster alone works with it
            return SegmentsError(
                f"Dagster's run logs in {home}/dagster cannot be used ({cause}): remove that folder, which holds only run logs and is made "
                "anew, then run the command again."
            )
        if isinstance(cause, OSError) and cause.errno in NOT_ALLOWED:
            return UnusableInput(f"{cause.filename or home} cannot be read or written ({cause.strerror}): let this user do so.")
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it, the innermost first: that is the one which says what happened."""
    if error is not None:
        yield from _causes(error.__cause__ or error.__context__)
        yield error
