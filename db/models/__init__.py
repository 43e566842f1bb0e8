"""The tables. A wrong state should be impossible to write, so the rules that can live here do.

Amounts are integers of minor units of the `currency` beside them. Every datetime is aware UTC
(SQLModel maps it to a column type that refuses naive values and restores the zone on SQLite).
"""

from db.models.broadcasts import Broadcast, BroadcastDelivery, BroadcastStatus
from db.models.favourites import Favourite
from db.models.gifts import Invitation, InviteLink, Redemption, Voucher, WrongGuess
from db.models.lookouts import Lookout
from db.models.money import Account, Invoice, InvoicePurpose, LedgerEntry, Payment, PaymentStatus
from db.models.odds import Outcome
from db.models.orders import OPEN, Attempt, AttemptStatus, Order, OrderStatus, Purchase, Sms
from db.models.people import Act, Conversation, Note, Setting, User
from db.models.queues import OutboxMessage, WebhookDelivery
from db.models.shop import Offer, Orphan, Pause, PricingRule, Service, SupplierBalance
from db.models.support import Dispute, DisputeCard, DisputeStatus, SupportMessage, SupportTopic
from db.models.texts import LinkedPhone, PhoneCheck, StoppedPhone, TextMessage, TextStatus

__all__ = [
    "OPEN",
    "Account",
    "Act",
    "Attempt",
    "AttemptStatus",
    "Broadcast",
    "BroadcastDelivery",
    "BroadcastStatus",
    "Conversation",
    "Dispute",
    "DisputeCard",
    "DisputeStatus",
    "Favourite",
    "Invitation",
    "InviteLink",
    "Invoice",
    "InvoicePurpose",
    "LedgerEntry",
    "LinkedPhone",
    "Lookout",
    "Note",
    "Offer",
    "Order",
    "OrderStatus",
    "Orphan",
    "OutboxMessage",
    "Outcome",
    "Pause",
    "Payment",
    "PaymentStatus",
    "PhoneCheck",
    "PricingRule",
    "Purchase",
    "Redemption",
    "Service",
    "Setting",
    "Sms",
    "StoppedPhone",
    "SupplierBalance",
    "SupportMessage",
    "SupportTopic",
    "TextMessage",
    "TextStatus",
    "User",
    "Voucher",
    "WebhookDelivery",
    "WrongGuess",
]
