"""`numlet doctor`: every setting and every connection, tried with a harmless call."""

from collections.abc import AsyncIterator

import httpx
from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot
from telegram.error import InvalidToken, TelegramError

from bot.doctor import support_chat, surroundings
from bot.doctor.findings import Finding
from bot.senders import connect_senders
from bot.settings import Settings
from bot.suppliers import connect_suppliers
from bot.updates import TELEGRAM
from db import migrate
from db.session import Database
from services.clock import SystemClock
from services.errors import AccessRefused, UpstreamError, UpstreamRefused
from services.money import format_amount, to_minor
from services.senders.base import Sender
from services.suppliers.base import Supplier


async def examine(settings: Settings) -> bool:
    """Print what is found, as it is found; whether everything can work."""
    healthy = True
    async for finding in _findings(settings):
        mark = "note" if finding.is_note else "bad " if finding.advice else "ok  "
        print(f"{mark}  {finding.about}: {finding.says}")
        if finding.advice:
            print(f"      → {finding.advice}")
        healthy &= finding.is_note or not finding.advice
    print("\nEverything can work." if healthy else "\nSomething must be mended first; see above.")
    return healthy


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    for finding in surroundings.misspelt(str(settings.model_config.get("env_file") or "")):
        yield finding
    yield await _database(settings)
    async for finding in _telegram(settings):
        yield finding
    for around in (surroundings.disk(settings), await surroundings.clock(settings)):
        if around:
            yield around
    yield _stars(settings)
    suppliers = connect_suppliers(settings, SystemClock())
    if not suppliers:
        yield Finding(
            "suppliers", "none is connected", "Set SMSCODE_TOKEN or NUMBERPANEL_KEY, see .env.example."
        )
    if bool(settings.numberpanel_key) != bool(settings.numberpanel_url):
        yield Finding("numberpanel", "is half set", "It needs both NUMBERPANEL_KEY and NUMBERPANEL_URL.")
    for supplier in suppliers:
        try:
            async for finding in _supplier(supplier, settings):
                yield finding
            for remark in supplier.remarks():
                yield Finding(supplier.name, remark, "See .env.example.", is_note=True)
        finally:
            await supplier.aclose()
    for sender in connect_senders(settings, SystemClock()):
        try:
            yield await _sender(sender)
        finally:
            await sender.aclose()
    yield await _public_url(settings)
    yield _admins(settings)


async def _database(settings: Settings) -> Finding:
    database = Database(settings.database_url.get_secret_value())
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    try:
        revision = await migrate.current_revision(database)
    except (SQLAlchemyError, OSError) as error:
        reason = str(error).splitlines()[0]
        return Finding("database", f"{kind} does not answer: {reason}", "Check DATABASE_URL and the server.")
    finally:
        await database.aclose()
    if revision == migrate.head_revision():
        return Finding("database", f"{kind}, schema {revision}")
    if revision and not migrate.is_known(revision):
        return Finding(
            "database", f"{kind}, written by a newer Numlet (schema {revision})", "Update this program."
        )
    return Finding("database", f"{kind}, schema {revision or 'empty'}: run brings it up to date by itself")


async def _telegram(settings: Settings) -> AsyncIterator[Finding]:
    if settings.bot_token is None:
        yield Finding("BOT_TOKEN", "not set", "Get one from @BotFather; to try without: ./numlet demo")
        return
    try:
        async with Bot(settings.bot_token.get_secret_value(), base_url=f"{settings.bot_api_url}/bot") as bot:
            yield Finding("Telegram", f"answers as @{bot.username}")
            if not bot.supports_inline_queries:
                yield Finding(
                    "inline mode",
                    "is off",
                    "To offer cards in any chat: /setinline at @BotFather.",
                    is_note=True,
                )
            for finding in await surroundings.telegram_delivery(bot, settings):
                yield finding
            yield await support_chat.examine(bot, settings)
    except InvalidToken:
        yield Finding("BOT_TOKEN", "Telegram does not know it", "Copy it from @BotFather again.")
    except TelegramError as error:
        yield Finding("Telegram", f"cannot be reached: {error}", "Check BOT_API_URL and the network.")


def _stars(settings: Settings) -> Finding:
    if settings.stars_are_sold:
        price = format_amount(settings.stars_rate, settings.currency)
        return Finding("Stars", f"one Telegram Star buys {price}")
    return Finding(
        "Stars",
        f"nothing is sold for them: STARS_RATE is not set for {settings.currency}",
        "Set it to what one Star is worth to you; Telegram pays about 1.3 US cents for one.",
        is_note=True,
    )


async def _supplier(supplier: Supplier, settings: Settings) -> AsyncIterator[Finding]:
    try:
        yield await (_balance(supplier) if supplier.capabilities.balance else _shelf(supplier))
        if finding := await surroundings.webhook(supplier, settings):
            yield finding
    except AccessRefused as error:
        advice = f"Copy {supplier.setting} from your account there again."
        yield Finding(supplier.name, f"refuses our credentials: {error}", advice)
    except UpstreamError as error:
        yield Finding(supplier.name, str(error), "Check its address, and whether it is down.")


async def _balance(supplier: Supplier) -> Finding:
    balance = await supplier.balance()
    amount = to_minor(balance.amount_decimal, balance.currency)
    text = format_amount(amount, balance.currency)
    if amount <= 0:
        return Finding(supplier.name, f"answers; balance {text}", "Top up there: nothing can be bought.")
    return Finding(supplier.name, f"answers; balance {text}")


async def _shelf(supplier: Supplier) -> Finding:
    """For a supplier that does not tell our balance: what it sells."""
    countries = len({quote.country for quote in await supplier.quotes()})
    if not countries:
        return Finding(supplier.name, "answers, but nothing can be sold", "The notes below say why.")
    return Finding(supplier.name, f"answers; sells in {countries} countries")


async def _sender(sender: Sender) -> Finding:
    try:
        await sender.check()
    except UpstreamRefused as error:
        says = "refuses our credentials" if isinstance(error, AccessRefused) else str(error)
        settings = f"{sender.name.upper()}_…"
        return Finding(sender.name, says, f"Compare the settings {settings} with your account there.")
    except UpstreamError as error:
        return Finding(sender.name, str(error), "Check its address, and whether it is down.")
    return Finding(sender.name, "answers; it sends SMS")


async def _public_url(settings: Settings) -> Finding:
    if not settings.public_url:
        return Finding(
            "PUBLIC_URL",
            f"not set: codes come by reconciliation alone, every {settings.reconcile_seconds} s,"
            " and none from a supplier that only pushes them",
            "Set it to the https address at which the internet reaches this server; codes then come at once.",
            is_note=True,
        )
    if wrong := surroundings.address(settings):
        return wrong
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = await client.post(f"{settings.public_url}/webhooks/{TELEGRAM}")
            page = await client.get(f"{settings.public_url}/app")
    except httpx.HTTPError as error:
        return Finding(
            "PUBLIC_URL",
            f"is not reached from here ({type(error).__name__})",
            "Fine while the bot is stopped; otherwise check the reverse proxy and HTTP_PORT.",
            is_note=True,
        )
    # Our refusal of a webhook without Telegram's secret; a proxy that refuses by itself sends a page with it.
    if answer.status_code != 403 or answer.content:
        advice = "Have the reverse proxy pass POSTs to /webhooks/ on to HTTP_PORT."
        return Finding(
            "PUBLIC_URL", f"somebody else answers there, with {answer.status_code}", advice, is_note=True
        )
    if page.status_code != 200:
        says = f"reaches this bot, but not the page of the shop: /app is answered {page.status_code}"
        return Finding("PUBLIC_URL", says, "Have the reverse proxy pass /app on, too.", is_note=True)
    return Finding("PUBLIC_URL", "reaches this bot")


def _admins(settings: Settings) -> Finding:
    if settings.admin_ids:
        return Finding("ADMIN_IDS", f"{len(settings.admin_ids)} operator(s)")
    return Finding(
        "ADMIN_IDS",
        "nobody: nobody can credit wallets or hears of trouble",
        "Put your Telegram user id there (ask @userinfobot).",
        is_note=True,
    )
