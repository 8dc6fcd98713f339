"""When an audience may be contacted: the quiet hours of its channel, by the clock of the business timezone."""

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from orchestration.errors import UnusableInput
from orchestration.settings import PROJECT_DIR

LIMITS_FILE = PROJECT_DIR / "seeds" / "contact_limits.csv"


@dataclass(frozen=True)
class ContactHours:
    """Nothing is sent from `quiet_from` until `quiet_until`, local times of `timezone`. The same time twice is no quiet at all."""

    timezone: str
    quiet_from: time
    quiet_until: time

    def window(self, now: datetime) -> tuple[datetime, datetime | None]:
        """The next moment at which something may be sent, which may be now, and the one at which quiet begins after it; both in UTC.

        The second is None where there is no quiet. `now` says its zone. Where the clock shows a time twice or never, quiet is the longer of
        both readings.
        """
        now = now.astimezone(UTC)
        if self.quiet_from == self.quiet_until:
            return now, None
        today = now.astimezone(ZoneInfo(self.timezone)).date()
        quiets = [self._quiet_of(today + timedelta(days=days)) for days in range(-2, 4)]
        not_before = now
        for begin, end in quiets:
            if begin <= not_before < end:
                not_before = end
        return not_before, min(begin for begin, _ in quiets if begin > not_before)

    def _quiet_of(self, day: date) -> tuple[datetime, datetime]:
        """The quiet that begins on a day, in UTC."""
        last_day = day + timedelta(days=1) if self.quiet_until < self.quiet_from else day
        return min(self._instants(day, self.quiet_from)), max(self._instants(last_day, self.quiet_until))

    def _instants(self, day: date, clock: time) -> tuple[datetime, datetime]:
        local = datetime.combine(day, clock, ZoneInfo(self.timezone))
        return local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def contact_hours(channel: str, timezone: str) -> ContactHours:
    """The hours of one channel, of seeds/contact_limits.csv. Raises UnusableInput where it has no row for the channel or no times in it."""
    with LIMITS_FILE.open(newline="", encoding="utf-8") as file:
        rows = {row["channel"]: row for row in csv.DictReader(file)}
    if channel not in rows:
        raise UnusableInput(f"seeds/contact_limits.csv has no row for the channel '{channel}': add one")
    try:
        quiet_from, quiet_until = (time.fromisoformat(rows[channel][column]) for column in ("quiet_from", "quiet_until"))
    except ValueError as error:
        raise UnusableInput(f"the quiet hours of '{channel}' in seeds/contact_limits.csv are no times like 21:00 ({error})") from None
    return ContactHours(timezone, quiet_from, quiet_until)
