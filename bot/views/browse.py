"""The shop's shelves: services, countries, and what a search found."""

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton

from bot.views.offers import pin_button
from bot.views.screen import ROWS, Page, Reader, Row, View, bold, columns, escape, pager, title
from bot.views.start import home_button, service_button
from db.models import Service
from services.favourites import Choice
from services.lines import Line, Sort

NAMES = 2 * (ROWS - 2)
"""How many short names are on a page, in two columns."""


def services(reader: Reader, page: Page[Service]) -> View:
    _ = reader.language._
    return View.of(
        [bold(_("Services")), "", _("Which service is the number for?")],
        [
            *columns(service_button(reader, service) for service in page.items),
            pager(reader, page, "services"),
            [reader.button(_("🔎 Search"), "search"), home_button(reader)],
        ],
    )


def countries(reader: Reader, page: Page[str]) -> View:
    _ = reader.language._
    return View.of(
        [bold(_("Countries")), "", _("Where should the number be from?")],
        [
            *columns(reader.button(reader.language.country(iso), "country", iso, 0) for iso in page.items),
            pager(reader, page, "countries"),
            [reader.button(_("🔎 Search"), "search"), home_button(reader)],
        ],
    )


def service(
    reader: Reader,
    service: Service,
    page: Page[Line],
    currency: str,
    *,
    sort: Sort = Sort.PRICE,
    has_odds: bool = False,
) -> View:
    """A service's countries with their prices. `has_odds`: whether they are known of any."""
    _ = reader.language._
    service_id = service.id or 0
    questions = {
        Sort.PRICE: _("Which country? The cheapest come first."),
        Sort.ODDS: _("Which country? Those where codes come most often are first."),
        Sort.STOCK: _("Which country? Those with the most numbers are first."),
    }
    lines = [bold(reader.language.service(service.name)), "", questions[sort]]
    if has_odds:
        lines.append(_("Percent: how many of our last orders there got a code."))
    turning = ("service", service_id) if sort is Sort.PRICE else ("sorted", service_id, sort.value)
    return View.of(
        lines,
        [
            _sort_row(reader, service_id, sort, has_odds=has_odds)
            if page.number or len(page.items) > 1
            else [],
            *(
                [_line_button(reader, reader.language.country(line.country), line, currency)]
                for line in page.items
            ),
            pager(reader, page, *turning),
            [reader.button(_("‹ Services"), "services", 0), home_button(reader)],
        ],
    )


def _sort_row(reader: Reader, service_id: int, sort: Sort, *, has_odds: bool) -> Row:
    _ = reader.language._
    choices = {Sort.PRICE: _("Price"), Sort.ODDS: _("Odds"), Sort.STOCK: _("Stock")}
    if not has_odds:
        del choices[Sort.ODDS]
    return [
        reader.button(f"• {label} •" if choice is sort else label, "sorted", service_id, choice.value, 0)
        for choice, label in choices.items()
    ]


def country(reader: Reader, iso: str, page: Page[tuple[Service, Line]], currency: str) -> View:
    """A country's services with their prices."""
    _ = reader.language._
    return View.of(
        [bold(reader.language.country(iso)), "", _("Which service? The cheapest come first.")],
        [
            *(
                [_line_button(reader, reader.language.service(service.name), line, currency)]
                for service, line in page.items
            ),
            pager(reader, page, "country", iso),
            [reader.button(_("‹ Countries"), "countries", 0), home_button(reader)],
        ],
    )


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a search may have meant: a service, a country, or a line, which has both."""

    service: Service | None = None
    country: str | None = None
    line: Line | None = None


def results(reader: Reader, text: str, found: Sequence[Found], currency: str) -> View:
    _ = reader.language._
    return View.of(
        [_("Found for “{text}”:").format(text=escape(text))],
        [*_found_rows(reader, found, currency), [home_button(reader)]],
    )


def missed(reader: Reader, service: Service, country: str, found: Sequence[Found], currency: str) -> View:
    """For a search that names what nobody sells now. `found`: what else it may mean."""
    return gone(reader, (service, country), instead=_found_rows(reader, found, currency))


def nothing_found(reader: Reader, text: str, suggested: Sequence[Service], *, is_stocked: bool) -> View:
    """`is_stocked`: whether every supplier has told what it sells."""
    _ = reader.language._
    filling = [] if is_stocked else [_("Some shelves are still being filled. Try again in a few seconds.")]
    return View.of(
        [
            _("I found nothing for “{text}”.").format(text=escape(text)),
            *filling,
            "",
            _("Write a service, a country or both, like <i>whatsapp indonesia</i>, or pick one:"),
        ],
        [
            *columns(service_button(reader, service) for service in suggested),
            [reader.button(_("All services"), "services", 0), reader.button(_("Countries"), "countries", 0)],
        ],
    )


def gone(
    reader: Reader,
    wanted: tuple[Service, str] | None = None,
    *,
    pinned: Choice | None = None,
    instead: Sequence[Row] = (),
) -> View:
    """For a shelf that has been sold out since the button was drawn.

    `wanted`: a service and country that can be waited for; `pinned`: what can lose its star; `instead`:
    buttons that lead to something like it.
    """
    _ = reader.language._
    waiting: list[Row] = []
    lines = [_("Sold out at the moment. Other services and countries are in stock.")]
    if wanted:
        service, country = wanted
        lines = [title(reader.language, service.name, country), "", *lines]
        label = _("🔔 Tell me when it's back")
        waiting = [[reader.button(label, "lookout", service.id or 0, country, 0)]]
    return View.of(
        lines,
        [
            *waiting,
            *instead,
            [pin_button(reader, pinned, 1, is_pinned=True)] if pinned else [],
            [reader.button(_("All services"), "services", 0), reader.button(_("Countries"), "countries", 0)],
            [home_button(reader)],
        ],
    )


def ask_search(reader: Reader) -> View:
    _ = reader.language._
    return View.of(
        [_("What do you need? Write a service, a country or both, like <i>whatsapp indonesia</i>.")],
        [[reader.button(_("‹ Back"), "home")]],
    )


def _line_button(reader: Reader, name: str, line: Line, currency: str) -> InlineKeyboardButton:
    price = reader.language.money(line.price, currency)
    shown = [reader.language.isolate(price)]
    if line.odds:
        shown.append(reader.language.isolate(reader.language.percent(line.odds.percent)))
    label = " · ".join((name, *shown))
    return reader.button(label, "confirm", line.service_id, line.country, 1)


def _found_rows(reader: Reader, found: Sequence[Found], currency: str) -> list[Row]:
    return [[_found_button(reader, one, currency)] for one in found[:ROWS]]


def _found_button(reader: Reader, found: Found, currency: str) -> InlineKeyboardButton:
    country = reader.language.country(found.country) if found.country else ""
    if found.line and found.service:
        name = reader.language.service(found.service.name)
        return _line_button(reader, f"{name} · {country}", found.line, currency)
    if found.service:
        return service_button(reader, found.service)
    return reader.button(country, "country", found.country or "", 0)
