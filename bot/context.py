"""What every handler has at hand."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from telegram.ext import Application, CallbackContext, ExtBot

from bot.books import Books
from bot.buttons import Buttons
from bot.language import Language
from bot.pictures import Pictures
from db.models import User
from services.accounts import Accounts
from services.acts import Trail
from services.audit import Audit
from services.broadcasts import Broadcasts
from services.catalog import Catalog
from services.clock import Clock
from services.disputes import Disputes
from services.favourites import Favourites
from services.forwarding import Forwarding
from services.home import Homes
from services.invitations import Invitations
from services.invoices import Invoices
from services.lanes import Lane
from services.late_codes import LateCodes
from services.lookouts import Lookouts
from services.maintenance import Maintenance
from services.orders import Orders
from services.orphans import Orphans
from services.pauses import Pauses
from services.payments import Payments
from services.people import People
from services.phones import PhoneBook
from services.popularity import Popularity
from services.rates import Rates
from services.refunds import Refunds
from services.repricing import Repricing
from services.roles import Right, Role, rights_of
from services.sender_ids import SenderIdBook
from services.standings import Standings
from services.statements import Statements
from services.statistics import Statistics
from services.supply import Senders, Suppliers
from services.support import Support
from services.swaps import Swaps
from services.switchboard import Switchboard
from services.team import Team
from services.texting import Texting
from services.timelines import Timelines
from services.vouchers import Vouchers
from services.watch import Watch
from services.webhook_secrets import WebhookRegistration

SHOP = "shop"
"""Where the application keeps the shop among its `bot_data`."""

Bot: TypeAlias = ExtBot[Lane]
Data: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Shop:
    """The services behind the chat, and the few settings that its texts name."""

    accounts: Accounts
    broadcasts: Broadcasts
    orders: Orders
    invoices: Invoices
    payments: Payments
    refunds: Refunds
    catalog: Catalog
    favourites: Favourites
    homes: Homes
    popularity: Popularity
    rates: Rates
    suppliers: Suppliers
    standings: Standings
    registration: WebhookRegistration
    pauses: Pauses
    repricing: Repricing
    senders: Senders
    switchboard: Switchboard
    sender_ids: SenderIdBook
    texting: Texting
    phones: PhoneBook
    forwarding: Forwarding
    late_codes: LateCodes
    lookouts: Lookouts
    swaps: Swaps
    orphans: Orphans
    support: Support
    disputes: Disputes
    timelines: Timelines
    statements: Statements
    vouchers: Vouchers
    invitations: Invitations
    audit: Audit
    statistics: Statistics
    pictures: Pictures
    books: Books
    watch: Watch
    people: People
    team: Team
    trail: Trail
    maintenance: Maintenance
    clock: Clock
    buttons: Buttons
    currency: str
    retention_days: int
    page_url: str
    """Where Telegram finds the page of the shop; empty where it cannot."""


class Context(CallbackContext[Bot, Data, Data, Data]):
    """python-telegram-bot's context, with the shop and the person who wrote."""

    user: User
    """Set by the doorman before any other handler runs, for messages and taps in private chats."""

    @property
    def shop(self) -> Shop:
        shop = self.bot_data[SHOP]
        assert isinstance(shop, Shop)
        return shop

    @property
    def typed(self) -> Data:
        """What they have told us so far, step by step; kept until the conversation ends."""
        assert self.user_data is not None
        return self.user_data

    @property
    def role(self) -> Role | None:
        """As of this update; None for renters."""
        return self.shop.team.role_of(self.user)

    @property
    def rights(self) -> frozenset[Right]:
        return rights_of(self.role)

    def may(self, right: Right) -> bool:
        return right in self.rights

    @property
    def language(self) -> Language:
        return Language.of(self.user.language)


App: TypeAlias = Application[Bot, Context, Data, Data, Data, Any]
