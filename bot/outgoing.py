"""What the bot says of its own accord: codes, cards, alerts and rewards. Workers of the outbox."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog
from prometheus_client import Histogram
from sqlmodel.ext.asyncio.session import AsyncSession
from telegram.error import BadRequest, Forbidden

from bot import messages
from bot.commands import publish_menu
from bot.context import Bot, Shop
from bot.language import ENGLISH, Language
from bot.messages import reaching_telegram, reason_of
from bot.views import cards, invitations
from bot.views import lookouts as lookout_views
from bot.views import operator as operator_views
from bot.views import payments as payment_views
from bot.views import people as people_views
from bot.views import preferences as preference_views
from bot.views import senders as sender_views
from bot.views import team as team_views
from bot.views.screen import Reader
from db import orders as db_orders
from db import sms as db_sms
from db.models import OutboxMessage, Sms, User
from db.session import after_commit
from services.announcer import (
    ALERT,
    ARRIVAL,
    CARD,
    CODE,
    FORGET,
    LATE,
    LOOKOUT,
    NOTICE,
    PAYMENT,
    REWARD,
    TEXT,
    Announcer,
    right_for,
)
from services.errors import UpstreamUnavailable
from services.lanes import Lane
from services.orders import PurchaseView
from services.outbox import Effect, Worker
from services.people import LETTER
from services.senders.base import SenderIds
from services.team import ROLE

log = structlog.get_logger()

DELETABLE = timedelta(hours=48)
"""How old a message may be that Telegram still deletes."""
SHOWN = Histogram(
    "numlet_code_seconds",
    "From hearing of a code, by webhook or by asking the supplier, until Telegram has taken it",
    ["via"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300),
)


class Outgoing:
    """Each message is drawn from the facts of the moment in which it is sent."""

    def __init__(self, bot: Bot, shop: Shop, announcer: Announcer) -> None:
        self._bot = bot
        self._shop = shop
        self._announcer = announcer

    def workers(self) -> Mapping[str, Worker]:
        return {
            CODE: self.code,
            FORGET: self.forget,
            LATE: self.late,
            LOOKOUT: self.lookout,
            CARD: self.card,
            ALERT: self.alert,
            REWARD: self.reward,
            TEXT: self.text,
            PAYMENT: self.payment,
            LETTER: self.letter,
            ROLE: self.role,
            NOTICE: self.notice,
        }

    async def code(self, message: OutboxMessage) -> Effect | None:
        """Send a code as a message of its own. Raises UpstreamUnavailable."""
        facts = message.payload
        sms, view, renter = await self._shop.orders.get_sms(facts["sms_id"], at_hand=facts.get(ARRIVAL))
        if renter.blocked_at or not (sms.code or sms.text):
            return None
        sent_id = await self._send_code(renter, view, sms)
        if sent_id is None:
            return None
        now = self._shop.clock.now()

        async def shown(session: AsyncSession) -> None:
            await db_sms.mark_shown(session, sms.id or 0, now=now)
            if renter.codes_erased_after:
                at = now + timedelta(minutes=renter.codes_erased_after)
                await self._announcer.forget(session, renter.id, sms.id or 0, sent_id, at=at)
            await self._announcer.card(session, view.purchase.id or 0)
            after_commit(session, f"shown:{sms.id}", partial(_note_latency, message, now))

        return shown

    async def forget(self, message: OutboxMessage) -> Effect:
        """Delete a code's message, and take the code off its card. Raises UpstreamUnavailable."""
        sms_id = message.payload["sms_id"]
        sms, view, _ = await self._shop.orders.get_sms(sms_id)
        now = self._shop.clock.now()
        try:
            with reaching_telegram():
                await self._bot.delete_message(
                    message.payload["user_id"], message.payload["message_id"], rate_limit_args=Lane.EDIT
                )
        except (BadRequest, Forbidden) as error:
            # It is gone already, too old, or behind a block.
            log.info("code.not_deleted", sms=sms_id, error=reason_of(error))
        except UpstreamUnavailable as error:
            if now < (sms.shown_at or now) + DELETABLE:
                raise
            log.warning("code.not_deleted", sms=sms_id, error=str(error))

        async def cleared(session: AsyncSession) -> None:
            await db_sms.clear(session, sms_id, now=now)
            await self._announcer.card(session, view.purchase.id or 0)

        return cleared

    async def card(self, message: OutboxMessage) -> Effect | None:
        """Draw a purchase's card anew, in its message or in a new one. Raises UpstreamUnavailable."""
        purchase_id = message.payload["purchase_id"]
        view = await self._shop.orders.get_purchase(purchase_id)
        renter = await self._shop.accounts.get(view.purchase.user_id)
        if renter.blocked_at:
            return None
        sent_id = await self._send_card(renter, view)
        if sent_id is None:
            return None

        async def adopt(session: AsyncSession) -> None:
            await db_orders.set_message(session, purchase_id, sent_id)

        return adopt

    async def late(self, message: OutboxMessage) -> None:
        """Offer what came after an order had ended, while it can be bought. Raises UpstreamUnavailable."""
        view = await self._shop.orders.get_order(message.payload["order_id"])
        renter = await self._shop.accounts.get(view.purchase.user_id)
        if renter.blocked_at or not view.orders[0].on_offer:
            return
        try:
            with reaching_telegram():
                await messages.send(self._bot, renter.id, cards.late_offer(self._reader(renter), view))
        except Forbidden:
            await self._shop.accounts.mark_blocked(renter.id)
        except BadRequest as error:
            log.error("late.refused", order=message.payload["order_id"], error=reason_of(error))

    async def lookout(self, message: OutboxMessage) -> None:
        """Tell a renter that what they waited for is there. Raises UpstreamUnavailable."""
        facts, shop = message.payload, self._shop
        renter = await shop.accounts.get(facts["user_id"])
        service = shop.catalog.service(facts["service_id"])
        if renter.blocked_at or renter.banned_at or service is None:
            return
        view = lookout_views.come_true(
            self._reader(renter), service, facts["country"], facts["price"], shop.currency
        )
        try:
            with reaching_telegram():
                await messages.send(self._bot, renter.id, view, Lane.BULK)
        except Forbidden:
            await shop.accounts.mark_blocked(renter.id)
        except BadRequest as error:
            log.error("lookout.refused", user=renter.id, error=reason_of(error))

    async def payment(self, message: OutboxMessage) -> None:
        """Tell who paid what became of it. Raises UpstreamUnavailable."""
        payment = await self._shop.payments.get(message.payload["payment_id"])
        payer = await self._shop.accounts.get(payment.user_id)
        if payer.blocked_at:
            return
        wallet = await self._shop.accounts.wallet(payer.id, moves=0)
        name, settled = message.payload["news"], message.payload.get("settled", 0)
        view = payment_views.news(self._reader(payer), name, payment, wallet, settled)
        try:
            with reaching_telegram():
                await messages.send(self._bot, payer.id, view)
        except Forbidden:
            await self._shop.accounts.mark_blocked(payer.id)
        except BadRequest as error:
            log.error("payment.not_told", payment=payment.id, error=reason_of(error))

    async def alert(self, message: OutboxMessage) -> None:
        """Tell everybody on the team whom it concerns. Raises UpstreamUnavailable."""
        facts = dict(message.payload)
        name = facts.pop("name")
        for operator_id in await self._shop.team.holders(right_for(name)):
            operator = await self._shop.accounts.find(operator_id)
            view = operator_views.alert(Language.of(operator.language if operator else ENGLISH), name, facts)
            try:
                with reaching_telegram():
                    await messages.send(self._bot, operator_id, view)
            except (Forbidden, BadRequest) as error:
                # An operator who has never opened the bot must not keep the others from knowing.
                log.warning("alert.not_sent", operator=operator_id, error=str(error))

    async def text(self, message: OutboxMessage) -> None:
        """Tell how an SMS fares to whom it was sent for. Raises UpstreamUnavailable."""
        text = await self._shop.texting.get(message.payload["text_id"])
        assert text.user_id is not None
        user = await self._shop.accounts.get(text.user_id)
        sender = self._shop.senders.find(text.sender)
        has_sender_ids = isinstance(sender, SenderIds)
        view = sender_views.text_news(self._reader(user), text, has_sender_ids=has_sender_ids)
        try:
            with reaching_telegram():
                await messages.send(self._bot, user.id, view)
        except (Forbidden, BadRequest) as error:
            log.warning("text.not_told", user=user.id, error=reason_of(error))

    async def reward(self, message: OutboxMessage) -> None:
        """Tell somebody what their invitation has earned. Raises UpstreamUnavailable."""
        facts = message.payload
        renter = await self._shop.accounts.get(facts["user_id"])
        if renter.blocked_at or not renter.told_of_rewards:
            return
        view = invitations.rewarded(Language.of(renter.language), facts["amount"], facts["currency"])
        try:
            with reaching_telegram():
                await messages.send(self._bot, renter.id, view)
        except Forbidden:
            await self._shop.accounts.mark_blocked(renter.id)
        except BadRequest as error:
            log.error("reward.refused", user=renter.id, error=reason_of(error))

    async def letter(self, message: OutboxMessage) -> None:
        """Bring a renter an operator's words. Raises UpstreamUnavailable."""
        renter = await self._shop.accounts.get(message.payload["user_id"])
        try:
            with reaching_telegram():
                await messages.send(self._bot, renter.id, people_views.letter(message.payload["text"]))
        except Forbidden:
            await self._shop.accounts.mark_blocked(renter.id)
        except BadRequest as error:
            log.error("letter.refused", user=renter.id, error=reason_of(error))

    async def role(self, message: OutboxMessage) -> None:
        """Give somebody the menu of their role, and tell them. Raises UpstreamUnavailable."""
        user = await self._shop.accounts.get(message.payload["user_id"])
        role = self._shop.team.role_of(user)
        try:
            with reaching_telegram():
                await publish_menu(self._bot, user, role)
                await messages.send(self._bot, user.id, team_views.news(Language.of(user.language), role))
        except (Forbidden, BadRequest) as error:
            log.warning("role.not_told", user=user.id, error=reason_of(error))

    async def notice(self, message: OutboxMessage) -> None:
        """Tell a renter what changed by itself. Raises UpstreamUnavailable."""
        user = await self._shop.accounts.get(message.payload["user_id"])
        if user.blocked_at:
            return
        try:
            with reaching_telegram():
                view = preference_views.notice(self._reader(user), message.payload["name"])
                await messages.send(self._bot, user.id, view)
        except Forbidden:
            await self._shop.accounts.mark_blocked(user.id)
        except BadRequest as error:
            log.error("notice.refused", user=user.id, error=reason_of(error))

    async def _send_code(self, renter: User, view: PurchaseView, sms: Sms) -> int | None:
        """Whatever Telegram thinks of its shape, the code itself arrives; the message, or None where nothing
        can."""
        shaped = cards.code_message(self._reader(renter), view, sms)
        try:
            with reaching_telegram():
                return (await messages.send(self._bot, renter.id, shaped, Lane.CODE)).message_id
        except Forbidden:
            await self._shop.accounts.mark_blocked(renter.id)
            return None
        except BadRequest as error:
            log.error("code.shape_refused", sms=sms.id, error=reason_of(error))
            return await self._send_bare(renter, sms)

    async def _send_bare(self, renter: User, sms: Sms) -> int | None:
        try:
            with reaching_telegram():
                sent = await self._bot.send_message(
                    renter.id, sms.code or sms.text or "", parse_mode=None, rate_limit_args=Lane.CODE
                )
        except (BadRequest, Forbidden) as error:
            log.error("code.refused", sms=sms.id, error=reason_of(error))
            return None
        return sent.message_id

    async def _send_card(self, renter: User, view: PurchaseView) -> int | None:
        """The id of the message, where it is a new one."""
        purchase = view.purchase
        card = cards.card(self._reader(renter), view)
        try:
            with reaching_telegram():
                if purchase.message_id and await messages.edit(
                    self._bot, renter.id, purchase.message_id, card
                ):
                    return None
                return (await messages.send(self._bot, renter.id, card)).message_id
        except Forbidden:
            await self._shop.accounts.mark_blocked(renter.id)
        except BadRequest as error:
            log.error("card.refused", purchase=purchase.id, error=reason_of(error))
        return None

    def _reader(self, renter: User) -> Reader:
        return Reader(renter.id, Language.of(renter.language), self._shop.buttons)


def _note_latency(message: OutboxMessage, shown_at: datetime) -> None:
    heard_at = message.payload.get("heard_at")
    via = "webhook" if heard_at else "asking"
    began_at = datetime.fromisoformat(heard_at) if heard_at else message.created_at
    SHOWN.labels(via).observe((shown_at - began_at).total_seconds())
