"""The composition root: everything is built here and nowhere else. To read it is to know the whole."""

from dataclasses import dataclass
from functools import partial

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from bot import handlers
from bot.buttons import Buttons
from bot.client import telegram_application
from bot.context import App, Shop
from bot.courier import Panels, TelegramCourier
from bot.jobs import Jobs
from bot.outgoing import Outgoing
from bot.reachability import TelegramWatch
from bot.settings import Settings
from bot.updates import TELEGRAM, Polling
from bot.webhooks import Readiness, accept_supplier, accept_telegram, create_app
from db.leadership import Leadership
from db.session import Database
from services.accounts import Accounts
from services.acts import Trail
from services.alarms import Alarms
from services.announcer import Announcer
from services.audit import Audit
from services.broadcast_sending import Sending
from services.broadcasts import BROADCAST, PANEL, RECALL, Broadcasts
from services.buying import Buying
from services.catalog import Catalog
from services.clock import Clock
from services.deliveries import Deliveries, Source
from services.desk import Desk
from services.forwarding import FORWARD, Forwarding, listeners
from services.inbox import Inbox
from services.invitations import Invitations
from services.invoices import Invoices
from services.keys import Keys
from services.low_balances import LowBalances
from services.maintenance import Maintenance
from services.orders import Orders
from services.outbox import Outbox
from services.payments import Payments
from services.people import People
from services.phones import PhoneBook
from services.places import LANGUAGES, currency_for_language
from services.pricing import Pricing
from services.rates import Rates
from services.reconciliation import Reconciliation
from services.refunds import REFUND, Refunds
from services.rentals import Rentals, event_serial
from services.retention import Retention
from services.sender_ids import SenderIdBook
from services.senders.base import Sender
from services.senders.stars import TelegramStars
from services.stars import Stars
from services.supplier_balances import SupplierBalances
from services.suppliers.base import Supplier
from services.supply import Senders, Suppliers
from services.switchboard import Switchboard
from services.team import Team
from services.text_tracking import TextTracking
from services.texting import SMS, Texting
from services.vouchers import Vouchers
from services.watch import Watch
from services.webhook_secrets import WebhookRegistration, WebhookSecrets


@dataclass
class Reception:
    """What every process does: take in what the outside tells us, and stand ready to lead."""

    settings: Settings
    clock: Clock
    keys: Keys
    database: Database
    suppliers: list[Supplier]
    senders: list[Sender]
    inbox: Inbox
    webhook_secrets: WebhookSecrets
    leadership: Leadership
    leading: "Numlet | None" = None
    """The parts that act, while this process leads."""

    @property
    def http(self) -> ASGIApp:
        endpoints = {s.name: accept_supplier(s, self.webhook_secrets, self.inbox) for s in self.suppliers}
        endpoints[TELEGRAM] = accept_telegram(self.keys.telegram, self.inbox)
        return create_app(endpoints, ready=self.readiness)

    async def readiness(self) -> Readiness:
        try:
            await self.database.ping()
        except (SQLAlchemyError, OSError) as error:
            return Readiness(ok=False, says=f"the database does not answer: {type(error).__name__}")
        if self.leading:
            trouble = self.leading.polling.trouble
            return Readiness(ok=not trouble, says=trouble or "ready")
        if self.leadership.stands_by:
            return Readiness(ok=True, says="standby: another process leads")
        return Readiness(ok=False, says="starting")


@dataclass
class Numlet:
    """The parts that act, wired together; built anew each time that a process comes to lead."""

    settings: Settings
    keys: Keys
    database: Database
    suppliers: Suppliers
    catalog: Catalog
    rentals: Rentals
    reconciliation: Reconciliation
    outbox: Outbox
    inbox: Inbox
    deliveries: Deliveries
    text_tracking: TextTracking
    registration: WebhookRegistration
    jobs: Jobs
    stars: Stars
    retention: Retention
    watch: Watch
    balances: SupplierBalances
    team: Team
    application: App
    polling: Polling
    low_balances: LowBalances
    telegram_watch: TelegramWatch


def build(reception: Reception) -> Numlet:
    """Construct every part, once. Nothing runs yet and nothing is called."""
    settings, database, clock = reception.settings, reception.database, reception.clock
    suppliers = Suppliers(reception.suppliers, clock)
    pricing = Pricing(settings.markup_percent)
    shown = {currency_for_language(language) for language in LANGUAGES} - {None}
    rates = Rates({settings.currency, *(currency for currency in shown if currency)})
    catalog = Catalog(database, clock, suppliers, pricing, rates, currency=settings.currency)
    outbox = Outbox(database, clock)
    announcer = Announcer(outbox)
    accounts = Accounts(database, clock, currency=settings.currency)
    orders = Orders(
        database,
        clock,
        catalog,
        suppliers,
        outbox,
        announcer,
        currency=settings.currency,
        open_limit=settings.order_limit,
        hourly_limit=settings.order_limit_per_hour,
    )
    invitations = Invitations(
        database,
        clock,
        announcer,
        percent=settings.invite_percent,
        purchases=settings.invite_purchases,
    )
    refunds = Refunds(database, clock, outbox, announcer)
    rate = settings.stars_rate if settings.stars_are_sold else 0
    invoices = Invoices(
        database,
        clock,
        orders,
        currency=settings.currency,
        rate=rate,
        newcomer_limit=settings.stars_newcomer_limit,
    )
    payments = Payments(database, clock, orders, refunds, announcer, currency=settings.currency, rate=rate)
    senders = Senders(reception.senders, clock)
    switchboard = Switchboard(database, clock, senders)
    texting = Texting(database, clock, senders, switchboard, outbox, announcer)
    phones = PhoneBook(database, clock, switchboard, texting, announcer)
    forwarding = Forwarding(
        database,
        clock,
        outbox,
        texting,
        phones,
        announcer,
        price=settings.sms_price,
        currency=settings.currency,
    )
    texting.register(listeners(phones, forwarding))
    rentals = Rentals(database, clock, suppliers, announcer, refunds, invitations, forwarding)
    reconciliation = Reconciliation(database, clock, suppliers, rentals, announcer)
    buying = Buying(database, clock, catalog, suppliers, rates, rentals, announcer)
    deliveries = Deliveries(database, clock)
    registration = WebhookRegistration(suppliers, reception.webhook_secrets, public_url=settings.public_url)
    broadcasts = Broadcasts(database, clock, outbox)
    audit = Audit(database, clock, currency=settings.currency)
    watch = Watch(database, clock, audit, announcer)
    team = Team(database, clock, outbox, owner_ids=settings.admin_ids)
    shop = Shop(
        accounts=accounts,
        broadcasts=broadcasts,
        orders=orders,
        invoices=invoices,
        payments=payments,
        refunds=refunds,
        catalog=catalog,
        rates=rates,
        suppliers=suppliers,
        senders=senders,
        switchboard=switchboard,
        sender_ids=SenderIdBook(database, clock, senders),
        texting=texting,
        phones=phones,
        forwarding=forwarding,
        desk=Desk(database),
        vouchers=Vouchers(database, clock, announcer, currency=settings.currency),
        invitations=invitations,
        audit=audit,
        watch=watch,
        people=People(database, clock, outbox, announcer, owner_ids=settings.admin_ids),
        team=team,
        trail=Trail(database),
        maintenance=Maintenance(database, clock),
        clock=clock,
        buttons=Buttons(reception.keys.buttons),
        currency=settings.currency,
        admin_ids=settings.admin_ids,
        retention_days=settings.retention_days,
        webhook_states=registration.states,
    )
    application = telegram_application(settings, database)
    handlers.register(application, shop)
    outgoing = Outgoing(application.bot, shop, database, announcer)
    sending = Sending(database, clock, outbox, TelegramCourier(application.bot), texting)
    stars = Stars(database, clock, payments, refunds, TelegramStars(application.bot))
    outbox.register(
        {
            "buy": buying.buy,
            "cancel": rentals.cancel,
            "finish": rentals.finish,
            "resend": rentals.resend,
            SMS: texting.send,
            FORWARD: forwarding.forward,
            BROADCAST: sending.send,
            RECALL: sending.recall,
            PANEL: Panels(application.bot, shop).draw,
            REFUND: stars.refund,
            **outgoing.workers(),
        }
    )
    deliveries.register(
        {
            supplier.name: Source(
                partial(rentals.handle_event, supplier.name), partial(event_serial, supplier)
            )
            for supplier in suppliers
        }
    )
    alarms = Alarms(database, clock, texting, admin_ids=settings.admin_ids)
    low_balances = LowBalances(
        database,
        clock,
        suppliers,
        rates,
        alarms,
        currency=settings.currency,
        hours=settings.low_balance_hours,
    )
    polling = Polling(application.bot, reception.inbox)
    return Numlet(
        settings=settings,
        keys=reception.keys,
        database=database,
        suppliers=suppliers,
        catalog=catalog,
        rentals=rentals,
        reconciliation=reconciliation,
        outbox=outbox,
        inbox=reception.inbox,
        deliveries=deliveries,
        text_tracking=TextTracking(database, clock, senders, texting),
        registration=registration,
        jobs=Jobs(clock, rentals),
        stars=stars,
        retention=Retention(database, clock, keep=settings.retention),
        watch=watch,
        balances=SupplierBalances(database, clock, suppliers, rates, announcer, currency=settings.currency),
        team=team,
        application=application,
        polling=polling,
        low_balances=low_balances,
        telegram_watch=TelegramWatch(
            application.bot, polling, alarms, polls=settings.bot_updates == "polling"
        ),
    )
