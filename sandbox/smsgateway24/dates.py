"""Moments as requests write them, as text in UTC, and as answers write them, as objects in a zone.

That requests are in UTC is not stated. It follows from the examples, which came back two hours later,
in +02:00.
Source: smsgateway24 API documentation, sections addsms and getallsms.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.smsgateway24.errors import ApiError

Shape = dict[str, Any]

_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_NEWSLETTER_FORM = "%d.%m.%Y %H:%M:%S"


def read_moment(text: str, *forms: str) -> datetime | None:
    """None for an empty text."""
    for form in forms or _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    if text:
        raise ApiError("Date incorrect")
    return None


def read_newsletter_moment(text: str) -> datetime | None:
    """Of a form that no other request has; 0 stands for at once."""
    return read_moment("" if text == "0" else text, _NEWSLETTER_FORM)


def show_moment(at: datetime | None, zone: str) -> Shape | None:
    if at is None:
        return None
    return {
        "date": f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S.%f}",
        "timezone_type": 3,
        "timezone": zone,
    }


def human_form(at: datetime) -> str:
    return f"{at:%d.%m.%Y %H:%M:%S}"
