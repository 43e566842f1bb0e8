"""`/pricing`: rules for prices, made step by step and looked at before they are saved."""

import re
from decimal import Decimal

from telegram import Update
from telegram.ext import ApplicationHandlerStop, ConversationHandler

from bot.buttons import Tap
from bot.context import Context
from bot.handlers.scopes import named, read_scope
from bot.handlers.screens import Acts, answer, read_tap, reader_of, said, show
from bot.views import pricing as views
from bot.views import scopes as scope_views
from bot.views.errors import bad_amount
from bot.views.pricing import LEAST_PERCENT, MOST_AMOUNT, MOST_PERCENT, MOST_STEP, PERCENT, STEP, Draft
from bot.views.screen import ROWS, Page
from services.errors import BelowCost
from services.money import BadAmount, parse_amount
from services.repricing import Preview
from services.scopes import Scope

VALUE = "price rule"
"""The conversation's state: one of a rule's values is awaited."""
END = ConversationHandler.END
_PERCENT = re.compile(r"[-−]?\d{1,4}(?:[.,]\d{1,2})?", re.ASCII)


async def command(update: Update, context: Context) -> None:
    await _show_rules(update, context, 0)


async def ask_value(update: Update, context: Context) -> None:
    tap = read_tap(update, context)
    context.typed.clear()
    context.typed.update(field=tap.action, draft=list(tap.args))
    await _ask(update, context, tap)


async def take_value(update: Update, context: Context) -> None:
    tap = Tap(context.typed["field"], tuple(context.typed["draft"]))
    try:
        value = _read_value(context, tap.action, said(update))
    except ValueError as error:
        await _ask(update, context, tap, str(error))
        return
    context.typed.clear()
    await _show_draft(update, context, views.with_value(_draft(context, tap), tap.action, value))
    raise ApplicationHandlerStop(END)


async def _ask(update: Update, context: Context, tap: Tap, problem: str = "") -> None:
    draft, currency = _draft(context, tap), context.shop.currency
    await show(update, context, views.ask(reader_of(context), tap.action, draft, currency, problem))
    raise ApplicationHandlerStop(VALUE)


def _read_value(context: Context, field: str, text: str) -> Decimal | int:
    """Raises ValueError with what is wrong, in the reader's words."""
    _ = context.language._
    if field == PERCENT:
        text = text.removesuffix("%").strip()
        percent = Decimal(text.replace(",", ".").replace("−", "-")) if _PERCENT.fullmatch(text) else None
        if percent is None or not LEAST_PERCENT <= percent <= MOST_PERCENT:
            raise ValueError(_("That is no number from −100 to 1,000 with at most two decimals."))
        return percent
    try:
        amount = parse_amount(text, context.shop.currency)
    except BadAmount as error:
        raise ValueError(bad_amount(error, context.language)) from error
    if amount > (MOST_STEP if field == STEP else MOST_AMOUNT):
        raise ValueError(_("That is too much."))
    return amount


async def _show_rules(update: Update, context: Context, number: int) -> None:
    shop = context.shop
    tariff = shop.repricing.tariff
    drafts = [Draft(named(context, scope), rule) for scope, rule in reversed(tariff.rules.items())]
    page = Page.of(drafts, number, ROWS)
    await show(update, context, views.rules(reader_of(context), page, tariff.default, shop.currency))


async def _show_draft(update: Update, context: Context, draft: Draft) -> None:
    shop = context.shop
    saved = shop.repricing.tariff.own(draft.named.scope)
    await show(update, context, views.rule(reader_of(context), draft, saved, shop.currency))


async def _tap_pricing(update: Update, context: Context, tap: Tap) -> None:
    await _show_rules(update, context, tap.number(0))


async def _tap_supplier(update: Update, context: Context, tap: Tap) -> None:
    names = [supplier.name for supplier in context.shop.suppliers]
    await show(update, context, scope_views.suppliers(reader_of(context), names))


async def _tap_new(update: Update, context: Context, tap: Tap) -> None:
    """The rule that is there about the same, or what goes for it now, to begin with."""
    scope, tariff = read_scope(tap), context.shop.repricing.tariff
    await _show_draft(update, context, Draft(named(context, scope), tariff.own(scope) or tariff.default))


async def _tap_rule(update: Update, context: Context, tap: Tap) -> None:
    await _show_draft(update, context, _draft(context, tap))


async def _tap_preview(update: Update, context: Context, tap: Tap) -> None:
    draft, shop = _draft(context, tap), context.shop
    seen = await shop.repricing.preview(draft.named.scope, draft.rule)
    names = _services_of(context, seen)
    await show(update, context, views.preview(reader_of(context), draft, seen, names, shop.currency))


async def _tap_save(update: Update, context: Context, tap: Tap) -> None:
    """Costs may have risen since the preview: then it is shown again, with its warning."""
    draft = _draft(context, tap)
    try:
        await context.shop.repricing.save(draft.named.scope, draft.rule, by=context.user.id)
    except BelowCost:
        await _tap_preview(update, context, tap)
    else:
        await _show_saved(update, context)


async def _tap_save_anyway(update: Update, context: Context, tap: Tap) -> None:
    draft, shop = _draft(context, tap), context.shop
    seen = await shop.repricing.preview(draft.named.scope, draft.rule)
    view = views.ask_below_cost(reader_of(context), draft, seen.below_cost, shop.currency)
    await show(update, context, view)


async def _tap_force(update: Update, context: Context, tap: Tap) -> None:
    draft = _draft(context, tap)
    await context.shop.repricing.save(draft.named.scope, draft.rule, by=context.user.id, forced=True)
    await _show_saved(update, context)


async def _tap_ask_delete(update: Update, context: Context, tap: Tap) -> None:
    scope, shop = read_scope(tap), context.shop
    saved = shop.repricing.tariff.own(scope)
    if saved is None:
        await _show_rules(update, context, 0)
        return
    seen, draft = await shop.repricing.preview(scope, None), Draft(named(context, scope), saved)
    names = _services_of(context, seen)
    await show(update, context, views.ask_delete(reader_of(context), draft, seen, names, shop.currency))


async def _tap_delete(update: Update, context: Context, tap: Tap) -> None:
    await context.shop.repricing.remove(read_scope(tap), by=context.user.id)
    await answer(update, context.language._("Deleted."))
    await _show_rules(update, context, 0)


async def _show_saved(update: Update, context: Context) -> None:
    await answer(update, context.language._("Saved: the new prices apply."))
    await _show_rules(update, context, 0)


def _draft(context: Context, tap: Tap) -> Draft:
    scope = read_scope(tap)
    numbers = [int(part, 36) for part in tap.args[len(scope) : len(scope) + 4]]
    return Draft(named(context, scope), views.read_rule(numbers))


def _services_of(context: Context, seen: Preview) -> dict[int, str]:
    """The names of the services whose prices stand out."""
    changes = [change for change in (seen.rise, seen.fall, seen.least, seen.most) if change]
    return {change.service_id: named(context, Scope("", change.service_id)).service for change in changes}


ACTS: Acts = {
    "pricing": _tap_pricing,
    "prsup": _tap_supplier,
    "prnew": _tap_new,
    "pr": _tap_rule,
    "prsee": _tap_preview,
    "prput": _tap_save,
    "prany": _tap_save_anyway,
    "prfrc": _tap_force,
    "prdel": _tap_ask_delete,
    "prrm": _tap_delete,
}
