"""The composition root: everything is built here and nowhere else. To read it is to know the whole."""

from dataclasses import dataclass
from functools import partial

from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from bot import handlers
from bot.books import Books
from bot.buttons import Buttons
from bot.carrier import Carrier
from bot.client import telegram_application
from bot.context import App, Shop
from bot.courier import Panels, TelegramCourier
from bot.jobs import Jobs
from bot.miniapp.app import Desk as PageDesk
from bot.miniapp.app import MiniApp
from bot.outgoing import Outgoing
from bot.pictures import Pictures
from bot.reachability import TelegramWatch
from bot.settings import Settings
from bot.updates import TELEGRAM, Polling
from bot.views import alarms as alarm_views
from bot.webhooks import Readiness, accept_supplier, accept_telegram, create_app
from db.leadership import Leadership
from db.session import Database
from services.accounts import Accounts
from services.acts import Trail
from services.alarms import Alarms
from services.announcer import Announcer
from services.answers import Answers
from services.audit import Audit
from services.broadcast_sending import Sending
from services.broadcasts import BROADCAST, PANEL, RECALL, Broadcasts
from services.buying import Buying
from services.catalog import Catalog
from services.clock import Clock
from services.codes import Codes
from services.deliveries import Deliveries, Source
from services.disputes import Disputes
from services.errands import BUY, CANCEL, FINISH, RESEND
from services.favourites import Favourites
from services.forwarding import FORWARD, Forwarding, listeners
from services.home import Homes
from services.inbox import Inbox
from services.invitations import Invitations
from services.invoices import Invoices
from services.keys import Keys
from services.late_codes import LateCodes
from services.lookouts import Lookouts
from services.low_balances import LowBalances
from services.maintenance import Maintenance
from services.odds import Odds
from services.orders import Orders
from services.orphans import Orphans
from services.outbox import Outbox
from services.pauses import Pauses
from services.payments import Payments
from services.people import People
from services.phones import PhoneBook
from services.places import CURRENCIES
from services.popularity import Popularity
from services.pricing import Pricing
from services.rates import Rates
from services.reconciliation import Reconciliation
from services.refunds import REFUND, Refunds
from services.rentals import Rentals, event_serial
from services.repricing import Repricing
from services.retention import Retention
from services.sender_ids import SenderIdBook
from services.senders.base import Sender
from services.senders.stars import TelegramStars
from services.standings import Standings
from services.stars import Stars
from services.statements import Statements
from services.statistics import Statistics
from services.supervision import Supervision
from services.supplier_balances import SupplierBalances
from services.suppliers.base import Supplier
from services.supply import Senders, Suppliers
from services.support import Support
from services.swaps import SWAP, Swaps
from services.switchboard import Switchboard
from services.team import Team
from services.text_tracking import TextTracking
from services.texting import SMS, Texting
from services.timelines import Timelines
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
        assert self.settings.bot_token
        page = MiniApp(
            self.settings.bot_token, self.clock, self._page_desk, framed_by=self.settings.bot_api_origin
        )
        return create_app(endpoints, ready=self.readiness, pages=page.routes())

    def _page_desk(self) -> PageDesk | None:
        return self.leading.page if self.leading and self.leading.application.running else None

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
    suppliers: Suppliers
    catalog: Catalog
    lookouts: Lookouts
    pauses: Pauses
    odds: Odds
    popularity: Popularity
    reconciliation: Reconciliation
    outbox: Outbox
    inbox: Inbox
    deliveries: Deliveries
    text_tracking: TextTracking
    answers: Answers
    registration: WebhookRegistration
    jobs: Jobs
    stars: Stars
    retention: Retention
    watch: Watch
    balances: SupplierBalances
    team: Team
    application: App
    polling: Polling
    page: PageDesk
    low_balances: LowBalances
    supervision: Supervision
    telegram_watch: TelegramWatch


def build(reception: Reception) -> Numlet:
    """Construct every part, once. Nothing runs yet and nothing is called."""
    settings, database, clock = reception.settings, reception.database, reception.clock

    # What is for sale, and for how much.
    suppliers = Suppliers(reception.suppliers, clock)
    pricing = Pricing(database, clock, markup_percent=settings.markup_percent)
    pauses = Pauses(database, clock)
    rates = Rates({settings.currency, *CURRENCIES})
    odds = Odds(database, clock)
    popularity = Popularity(database, clock)
    catalog = Catalog(database, clock, suppliers, pricing, pauses, rates, odds, currency=settings.currency)

    # What is promised, and to whom.
    outbox = Outbox(database, clock)
    announcer = Announcer(outbox)
    lookouts = Lookouts(database, clock, catalog, announcer)

    # Renters and their money.
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

    # Texts to phones.
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

    # Numbers, from the supplier and back.
    swaps = Swaps(database, clock, catalog, suppliers, outbox, announcer)
    late_codes = LateCodes(database, clock, announcer, invitations, forwarding)
    codes = Codes(clock, announcer, invitations, forwarding, late_codes, odds)
    rentals = Rentals(database, clock, suppliers, announcer, refunds, codes, odds, swaps)
    reconciliation = Reconciliation(database, clock, suppliers, rentals, codes, announcer)
    buying = Buying(database, clock, catalog, suppliers, rates, rentals, announcer, swaps)
    deliveries = Deliveries(database, clock)
    registration = WebhookRegistration(
        database, clock, suppliers, reception.webhook_secrets, public_url=settings.public_url
    )

    # Who works here, and what they look after.
    team = Team(database, clock, outbox, owner_ids=settings.admin_ids)
    alarms = Alarms(database, clock, texting, announcer, team, alarm_views.text)
    low_balances = LowBalances(
        database,
        clock,
        suppliers,
        rates,
        alarms,
        currency=settings.currency,
        hours=settings.low_balance_hours,
    )
    broadcasts = Broadcasts(database, clock, outbox)
    audit = Audit(database, clock, currency=settings.currency)
    watch = Watch(database, clock, audit, alarms)
    support = Support(database, clock, outbox, announcer, team, chat_id=settings.support_chat_id)

    # The chat.
    shop = Shop(
        accounts=accounts,
        broadcasts=broadcasts,
        orders=orders,
        invoices=invoices,
        payments=payments,
        refunds=refunds,
        catalog=catalog,
        favourites=Favourites(database, clock),
        homes=Homes(database),
        popularity=popularity,
        rates=rates,
        suppliers=suppliers,
        standings=Standings(clock, suppliers, low_balances, pauses, registration),
        registration=registration,
        pauses=pauses,
        repricing=Repricing(catalog, pricing),
        senders=senders,
        switchboard=switchboard,
        sender_ids=SenderIdBook(database, clock, senders),
        texting=texting,
        phones=phones,
        forwarding=forwarding,
        late_codes=late_codes,
        lookouts=lookouts,
        swaps=swaps,
        orphans=Orphans(database, clock),
        support=support,
        disputes=Disputes(database, clock, outbox, announcer, refunds, support, within=settings.retention),
        timelines=Timelines(database),
        statements=Statements(database),
        vouchers=Vouchers(database, clock, announcer, currency=settings.currency),
        invitations=invitations,
        audit=audit,
        statistics=Statistics(database, clock),
        pictures=Pictures(),
        books=Books(database, clock),
        watch=watch,
        people=People(database, clock, outbox, announcer, owner_ids=settings.admin_ids),
        team=team,
        trail=Trail(database),
        maintenance=Maintenance(database, clock),
        clock=clock,
        buttons=Buttons(reception.keys.buttons),
        currency=settings.currency,
        retention_days=settings.retention_days,
        page_url=settings.page_url,
    )

    application = telegram_application(settings, database)
    handlers.register(application, shop)
    outgoing = Outgoing(application.bot, shop, announcer)
    sending = Sending(database, clock, outbox, TelegramCourier(application.bot), texting)
    stars = Stars(database, clock, payments, refunds, TelegramStars(application.bot))

    # Who keeps which promise, and who handles what was told us.
    outbox.register(
        {
            BUY: buying.buy,
            SWAP: swaps.ask,
            CANCEL: rentals.cancel,
            FINISH: rentals.finish,
            RESEND: rentals.resend,
            SMS: texting.send,
            FORWARD: forwarding.forward,
            BROADCAST: sending.send,
            RECALL: sending.recall,
            PANEL: Panels(application.bot, shop).draw,
            REFUND: stars.refund,
            **outgoing.workers(),
            **Carrier(application.bot, shop).workers(),
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

    polling = Polling(application.bot, reception.inbox)
    return Numlet(
        settings=settings,
        keys=reception.keys,
        suppliers=suppliers,
        catalog=catalog,
        pauses=pauses,
        odds=odds,
        lookouts=lookouts,
        popularity=popularity,
        reconciliation=reconciliation,
        outbox=outbox,
        inbox=reception.inbox,
        deliveries=deliveries,
        text_tracking=TextTracking(database, clock, senders, texting),
        answers=Answers(database, clock, senders, phones),
        registration=registration,
        jobs=Jobs(clock, rentals),
        stars=stars,
        retention=Retention(database, clock, keep=settings.retention),
        watch=watch,
        balances=SupplierBalances(database, clock, suppliers, rates, announcer, currency=settings.currency),
        team=team,
        application=application,
        polling=polling,
        page=PageDesk(shop, application.bot),
        low_balances=low_balances,
        supervision=Supervision(database, clock, suppliers, alarms),
        telegram_watch=TelegramWatch(
            application.bot, polling, alarms, polls=settings.bot_updates == "polling"
        ),
    )
