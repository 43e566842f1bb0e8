"""What the page inside Telegram shows, as JSON: its words, and a renter's own orders."""

from collections.abc import Iterable
from typing import Any

from bot.language import Language
from bot.views.closing import notice
from db.models import OrderStatus
from services.accounts import Wallet
from services.favourites import Choice
from services.orders import OrderView, PurchaseView
from services.places import format_phone
from services.well_known import ANY_SERVICE

_TEXT_LIMIT = 300
"""Of an SMS in which no code was found."""
_OPEN = {OrderStatus.PENDING, OrderStatus.ACTIVE, OrderStatus.RECEIVED}


def not_known(language: Language, *, left_open: bool) -> str:
    _ = language._
    if left_open:
        return _("This page was open for too long. Please close it and open it again.")
    return _("Please open this page from the chat with the bot, in Telegram.")


def elsewhere(language: Language) -> str:
    """Another process has the shop: the next try may reach that one."""
    return language._("The shop is starting. Please try again in a moment.")


def surroundings(language: Language, *, chat: str) -> dict[str, Any]:
    """`chat`: a link to the bot."""
    return {
        "language": language.code.replace("_", "-"),
        "direction": "rtl" if language.is_right_to_left else "ltr",
        "chat": chat,
        "words": _words(language),
        "names": {ANY_SERVICE["name"]: language.service(ANY_SERVICE["name"])},
    }


def _words(language: Language) -> dict[str, str]:
    _ = language._
    return {
        "shop": _("Shop"),
        "orders": _("My orders"),
        "search": _("Service or country"),
        "number": _("Number"),
        "price": _("Price"),
        "odds": _("Odds"),
        "odds_help": _("How many of our last orders there got a code."),
        "more": _("Show more"),
        "nothing": _("Nothing found. Try a service, a country or both, like whatsapp indonesia."),
        "sold_out": _("Nothing is for sale at the moment. Please look again in a few minutes."),
        "no_orders": _("Nothing here yet."),
        "buy": _("Buy for {amount}"),
        "promise": _("You pay only if a code comes. If none does, the money goes back by itself."),
        "bought": _("Getting your number… It and its code also come into the chat."),
        "pin": _("☆ Pin"),
        "pinned": _("★ Pinned"),
        "details": _("More in the chat"),
        "back": _("‹ Back"),
        "until": _("until {time}"),
        "copy": _("Copy"),
        "copied": _("Copied"),
        "balance": _("Balance: {amount}"),
        "offline": _("No connection. Nothing is lost; this page tries again by itself."),
    }


def own(
    language: Language,
    orders: Iterable[PurchaseView],
    wallet: Wallet,
    pinned: Iterable[Choice],
    *,
    closed: str | None,
) -> dict[str, Any]:
    """A renter's own, the newest order first; `closed` as `Maintenance.notice` tells it."""
    return {
        "available": wallet.available,
        "notice": "" if closed is None else notice(language, closed),
        "orders": [_order(language, view, shown) for view in orders for shown in view.orders],
        "pinned": [[choice.service_id, choice.country] for choice in pinned if not choice.network],
    }


def _order(language: Language, view: PurchaseView, shown: OrderView) -> dict[str, Any]:
    order = shown.order
    status = OrderStatus(order.status)
    return {
        "id": order.id,
        "service": language.service(view.service.name),
        "country": view.purchase.country,
        "price": view.purchase.price,
        "currency": view.purchase.currency,
        "number": order.phone_number or "",
        "number_text": format_phone(order.phone_number) if order.phone_number else "",
        "open": status in _OPEN,
        "status": _status(language, status),
        "ends_at": int(order.expires_at.timestamp()) if status in _OPEN and order.expires_at else None,
        "codes": [
            sms.code or (sms.text or "")[:_TEXT_LIMIT]
            for sms in shown.sms
            # What came late belongs to whoever buys it, and is bought in the chat.
            if (sms.code or sms.text) and (sms.shown_at or not sms.late)
        ],
    }


def _status(language: Language, status: OrderStatus) -> str:
    _ = language._
    return {
        OrderStatus.PENDING: _("Getting your number…"),
        OrderStatus.ACTIVE: _("Waiting for the code"),
        OrderStatus.RECEIVED: _("The code is here"),
        OrderStatus.COMPLETED: _("Finished"),
        OrderStatus.FAILED: _("No number was to be had; nothing was charged"),
        OrderStatus.CANCELED: _("Canceled; nothing was charged"),
        OrderStatus.EXPIRED: _("No code came; nothing was charged"),
    }[status]
