"""Hours of the day in which nobody is sent to what can wait."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST = 64
"""Characters of a span as it is written."""
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d{2}))?", re.IGNORECASE)
_HOUR = r"(\d{1,2})(?:[:.](\d{2}))?"
_SPAN = re.compile(rf"{_HOUR}\s*[-–—]\s*{_HOUR}(?:\s+(\S+))?")


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Every day from one time to another, which may be on the next day."""

    start: time
    end: time
    zone: str
    """As it was typed; one that `find_zone` knows."""

    @classmethod
    def read(cls, text: str) -> "QuietHours | None":
        """From "22-8 Asia/Jakarta" or what `str` writes; None for what is no such span."""
        found = _SPAN.fullmatch(text.strip())
        if found is None or find_zone(found[5]) is None or len(text) > LONGEST:
            return None
        try:
            start, end = time(int(found[1]), int(found[2] or 0)), time(int(found[3]), int(found[4] or 0))
        except ValueError:
            return None
        return cls(start, end, found[5] or "UTC") if start != end else None

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.zone}"

    def end_after(self, moment: datetime) -> datetime | None:
        """When the quiet of a moment ends, aware UTC; None where it is not quiet then."""
        local = moment.astimezone(find_zone(self.zone))
        now = local.time()
        began, goes_on = self.start <= now, now < self.end
        if not (began and goes_on if self.start < self.end else began or goes_on):
            return None
        end = local.replace(hour=self.end.hour, minute=self.end.minute, second=0, microsecond=0)
        return (end if goes_on else end + timedelta(days=1)).astimezone(UTC)


def find_zone(name: str | None) -> tzinfo | None:
    """By name ("Asia/Jakarta") or offset ("+7", "UTC+05:30"); UTC without a name, None for an unknown one."""
    if not name:
        return UTC
    if offset := _OFFSET.fullmatch(name):
        sign = -1 if offset[1] == "-" else 1
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return timezone(sign * timedelta(minutes=minutes)) if minutes < 24 * 60 else None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
