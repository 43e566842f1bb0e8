"""Suppliers, for operators: how each is doing, and what is not bought there."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from telegram import InlineKeyboardButton

from bot.language import Language
from bot.views.scopes import COUNTRY, PAUSE, SERVICE, Choice, Named
from bot.views.screen import (
    DANGER,
    SUCCESS,
    Page,
    Reader,
    Row,
    View,
    bold,
    code,
    columns,
    escape,
    moment,
    pager,
)
from db.models import Orphan
from services.breaker import State
from services.money import to_minor
from services.recent_calls import Summary
from services.scopes import Scope
from services.standings import Standing
from services.webhook_secrets import WebhookState

HOURS = (0, 1, 24, 168)
"""How long a pause may be; 0: until somebody ends it."""
LISTED = 6
"""Pauses that fit on the screen of a supplier; the others are a page further."""
_SMS_LIMIT, _REMARK_LIMIT, _ERROR_LIMIT = 200, 400, 200


def suppliers(reader: Reader, standings: Sequence[Standing], currency: str) -> View:
    """All of them in brief."""
    _ = reader.language._
    lines = [bold(_("Suppliers"))]
    for standing in standings:
        lines += ["", *_in_brief(reader.language, standing, currency)]
        if standing.health.is_down:
            lines += _last_trouble(reader.language, standing)
    if not standings:
        lines += ["", _("None is connected: set SMSCODE_TOKEN.")]
    return View.of(
        lines,
        [
            *columns(reader.button(standing.name, "supplier", standing.name) for standing in standings),
            [reader.button(_("Refresh"), "suppliers"), reader.button(_("Unexplained"), "orphans", 0)],
            [reader.button(_("‹ Operator"), "panel")],
        ],
    )


def supplier(
    reader: Reader, standing: Standing, pauses: Sequence[tuple[Named, datetime | None]], currency: str
) -> View:
    """All that is known of one, and what can be done. `pauses`: of some of what it sells."""
    _, name = reader.language._, standing.name
    switch = (
        reader.button(_("Switch on"), "unhalt", *Scope(name), style=SUCCESS)
        if standing.is_off
        else reader.button(_("Switch off"), "haltfor", *Scope(name), style=DANGER)
    )
    return View.of(
        [
            *_in_brief(reader.language, standing, currency),
            "",
            *_health(reader.language, standing),
            *_remarks(reader.language, standing),
            *([] if pauses else ["", _("Everything it has is sold.")] if not standing.is_off else []),
            *(["", _("Not bought there; tap to see it:")] if pauses else []),
        ],
        [
            *([_pause_button(reader, named, until)] for named, until in pauses[:LISTED]),
            [reader.button(_("All pauses"), "halts", name, 0)] if len(pauses) > LISTED else [],
            [
                reader.button(_("Pause a service"), "pick", *Choice(PAUSE, SERVICE, name), 0),
                reader.button(_("Pause a country"), "pick", *Choice(PAUSE, COUNTRY, name), 0),
            ],
            _webhook_row(reader, standing),
            [switch, reader.button(_("Refresh"), "supplier", name)],
            [reader.button(_("‹ Suppliers"), "suppliers")],
        ],
    )


def gone(reader: Reader) -> View:
    _ = reader.language._
    return View.of(
        [_("This supplier is no longer connected.")], [[reader.button(_("‹ Suppliers"), "suppliers")]]
    )


def pauses(reader: Reader, supplier: str, page: Page[tuple[Named, datetime | None]]) -> View:
    """What is not bought at a supplier; for no supplier the blocklist, which goes for all."""
    _ = reader.language._
    if supplier:
        lines, back = [bold(supplier), "", _("Not bought there:")], _back_to(reader, supplier)
    else:
        lines = [
            bold(_("Blocklist")),
            "",
            _("What nobody is sold, whoever has it. Numbers that were sold before go on."),
        ]
        back = reader.button(_("‹ Prices"), "pricing", 0)
    action = ("halts", supplier) if supplier else ("blocklist",)
    return View.of(
        [*lines, *([] if page.items else ["", _("Nothing.")])],
        [
            *([_pause_button(reader, named, until)] for named, until in page.items),
            pager(reader, page, *action),
            [
                reader.button(_("Add a service"), "pick", *Choice(PAUSE, SERVICE, supplier), 0),
                reader.button(_("Add a country"), "pick", *Choice(PAUSE, COUNTRY, supplier), 0),
            ],
            [back],
        ],
    )


def pause(reader: Reader, named: Named, until: datetime | None) -> View:
    """One of them."""
    _ = reader.language._
    end = _("It is sold again {when}.").format(when=moment(until)) if until else _("Until somebody ends it.")
    return View.of(
        [bold(named.words(reader.language)), "", _("Not sold."), end],
        [
            [
                reader.button(_("Sell again"), "unhalt", *named.scope, style=SUCCESS),
                reader.button(_("Change the end"), "haltfor", *named.scope),
            ],
            [_back_to(reader, named.scope.supplier)],
        ],
    )


def ask_how_long(reader: Reader, named: Named) -> View:
    _ = reader.language._
    labels = {0: _("Until I end it"), 1: _("For an hour"), 24: _("For a day"), 168: _("For a week")}
    return View.of(
        [
            bold(named.words(reader.language)),
            "",
            _(
                "How long shall it not be sold? Numbers that were sold before go on:"
                " codes, canceling, refunds."
            ),
        ],
        [
            *columns(reader.button(labels[hours], "halt", *named.scope, hours) for hours in HOURS),
            [_back_to(reader, named.scope.supplier)],
        ],
    )


def orphans(reader: Reader, page: Page[Orphan]) -> View:
    """What suppliers have or tell us that no purchase explains; it is nobody's, so it is shown whole."""
    _ = reader.language._
    lines = [bold(_("Unexplained")), "", _("Numbers and SMS at suppliers that no purchase here explains.")]
    for orphan in page.items:
        what = orphan.phone_number or _("order {ref}").format(ref=orphan.supplier_ref)
        said = (orphan.text or orphan.code or "")[:_SMS_LIMIT]
        sign = "✅ " if orphan.settled_at else ""
        lines += ["", f"{sign}{bold(orphan.supplier)} {code(what)}, {moment(orphan.found_at)}", escape(said)]
    if not page.items:
        lines += ["", _("None.")]
    is_news = any(orphan.settled_at is None for orphan in page.items)
    newest = max((orphan.id or 0 for orphan in page.items), default=0)
    return View.of(
        lines,
        [
            pager(reader, page, "orphans"),
            [reader.button(_("I have looked into it"), "settled", newest)] if is_news else [],
            [reader.button(_("‹ Suppliers"), "suppliers")],
        ],
    )


def _webhook(language: Language, state: WebhookState | None) -> str:
    """How it is doing, in words."""
    _ = language._
    if state is None:
        return _("not registered yet")
    right, wrong = _("tested, {host} answered 200"), _("the test reached {host} with {status}")
    return {
        "by_hand": _("set by hand, on the supplier's site"),
        "no_address": _("codes come by reconciliation alone: PUBLIC_URL is not set"),
        "failed": _("not registered: {error}"),
        "tested": right if state.status == 200 else wrong,
    }[state.kind].format(error=state.detail, host=state.detail, status=state.status)


def _in_brief(language: Language, standing: Standing, currency: str) -> list[str]:
    _ = language._
    return [
        f"{bold(standing.name)} {_state(language, standing)}",
        *_money(language, standing, currency),
        _("Webhook: {state}").format(state=escape(_webhook(language, standing.webhook))),
    ]


def _state(language: Language, standing: Standing) -> str:
    _ = language._
    if standing.is_off:
        return _("⏸ switched off")
    return _("🔴 out of order") if standing.health.is_down else _("🟢 working")


def _money(language: Language, standing: Standing, currency: str) -> list[str]:
    """The balance in the supplier's currency, what an hour costs in ours, and how long that lasts."""
    _ = language._
    if standing.trouble:
        unknown = _("unknown ({error})").format(error=standing.trouble)
        return [_("Balance: {amount}").format(amount=escape(unknown))]
    if not (standing.balance and standing.forecast):
        return []
    balance, forecast = standing.balance, standing.forecast
    amount = language.money(to_minor(balance.amount_decimal, balance.currency), balance.currency)
    spent = language.money(forecast.per_hour, currency)
    lines = [
        _("Balance: {amount}").format(amount=bold(amount)),
        _("Spent an hour: {amount}").format(amount=spent),
    ]
    if forecast.hours_left is not None:
        hours = int(forecast.hours_left)
        text = language.ngettext("Lasts about {count} hour", "Lasts about {count} hours", hours)
        lines.append(text.format(count=language.number(hours)))
    return lines


def _health(language: Language, standing: Standing) -> list[str]:
    _, health = language._, standing.health
    breakers = {
        State.CLOSED: _("Breaker: closed, all calls pass"),
        State.OPEN: _("Breaker: open, it is left alone for a while"),
        State.HALF_OPEN: _("Breaker: half-open, one call tries it"),
    }
    lines = [*_calls(language, standing.calls), breakers[standing.breaker]]
    if health.last_ok_at:
        lines.append(_("Last good answer: {when}").format(when=moment(health.last_ok_at)))
    return [*lines, *_last_trouble(language, standing)]


def _last_trouble(language: Language, standing: Standing) -> list[str]:
    health = standing.health
    if health.last_error_at is None:
        return []
    error = escape((health.last_error or "")[:_ERROR_LIMIT])
    says = language._("Last trouble: {error}, {when}")
    return [says.format(error=error, when=moment(health.last_error_at))]


def _calls(language: Language, calls: Summary | None) -> list[str]:
    _ = language._
    if calls is None:
        return [_("No calls within the last hour")]
    text = language.ngettext(
        "{count} call within the last hour, {percent} % answered",
        "{count} calls within the last hour, {percent} % answered",
        calls.count,
    )
    times = _("Time for an answer: {median} ms, of one in twenty more than {p95} ms")
    return [
        text.format(count=language.number(calls.count), percent=language.number(calls.percent)),
        times.format(median=_milliseconds(language, calls.median), p95=_milliseconds(language, calls.p95)),
    ]


def _remarks(language: Language, standing: Standing) -> list[str]:
    return [
        language._("Mind: {remark}").format(remark=escape(remark[:_REMARK_LIMIT]))
        for remark in standing.supplier.remarks()
    ]


def _webhook_row(reader: Reader, standing: Standing) -> Row:
    """Where the supplier's webhook can be set through its API."""
    _ = reader.language._
    if not standing.supplier.capabilities.webhook_setup:
        return []
    return [
        reader.button(_("Register webhook"), "hookset", standing.name),
        reader.button(_("Test webhook"), "hooktest", standing.name),
    ]


def _pause_button(reader: Reader, named: Named, until: datetime | None) -> InlineKeyboardButton:
    """In the list of its supplier, so without its name."""
    own = Named(named.scope._replace(supplier=""), named.service).words(reader.language)
    end = f" · {reader.language.time(until)} UTC" if until else ""
    return reader.button(f"⏸ {own}{end}", "halted", *named.scope)


def _back_to(reader: Reader, supplier: str) -> InlineKeyboardButton:
    if supplier:
        return reader.button(f"‹ {supplier}", "supplier", supplier)
    return reader.button(reader.language._("‹ Blocklist"), "blocklist", 0)


def _milliseconds(language: Language, seconds: float) -> str:
    return language.number(ceil(seconds * 1000))
