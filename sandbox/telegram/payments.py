"""Payments in play Stars: invoices, charges, refunds, and the bot's account.

Source: Bot API documentation, section "Payments"; "Bot Payments API for Digital Goods and Services".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from secrets import token_urlsafe

from sandbox.telegram.account import Account, Method
from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import Refusal, bad_request
from sandbox.telegram.formatting import Formatted
from sandbox.telegram.keyboards import read_markup
from sandbox.telegram.queries import CHECKOUT_LIFETIME, Queries
from sandbox.telegram.sending import Sending
from sandbox.telegram.wire import Object, Params

PURSE = 10_000
"""The Stars that everybody has at first."""
MOST_STARS = 10_000


@dataclass(frozen=True)
class Invoice:
    title: str
    description: str
    payload: str
    stars: int
    start_parameter: str = ""
    """Where it is not empty, a forwarded copy cannot be paid: its button leads to the bot."""

    def wire(self) -> Object:
        return {
            "title": self.title,
            "description": self.description,
            "start_parameter": self.start_parameter,
            "currency": "XTR",
            "total_amount": self.stars,
        }


@dataclass(frozen=True)
class Payment:
    """How an attempt to pay ended."""

    paid: bool
    error: str = ""
    charge_id: str = ""


@dataclass
class Charge:
    id: str
    chat: Chat
    invoice: Invoice
    refunded: bool = False


class Payments:
    def __init__(self, account: Account, sending: Sending, queries: Queries) -> None:
        self._account = account
        self._sending = sending
        self._queries = queries
        self._invoices: dict[int | str, Invoice] = {}
        """By message id, or by link."""
        self._charges: dict[str, Charge] = {}
        self._transactions: list[Object] = []
        """Oldest first."""
        self.balance = 0
        """The bot's Stars; below zero where the store took back what had been spent."""
        self.purses: defaultdict[int, int] = defaultdict(lambda: PURSE)
        """Stars by person."""
        self.receipts: dict[int, Charge] = {}
        """By message id: invoices whose button shows a receipt instead."""
        self.patience = CHECKOUT_LIFETIME.total_seconds()
        """Real seconds that the bot has to answer a pre-checkout query."""
        self.silent = False
        """Whether service messages about payments fail to reach the bot."""
        self.methods: dict[str, Method] = {
            "sendInvoice": self.send_invoice,
            "createInvoiceLink": self.create_invoice_link,
            "refundStarPayment": self.refund_star_payment,
            "getStarTransactions": self.get_star_transactions,
            "getMyStarBalance": self.get_my_star_balance,
        }

    def send_invoice(self, params: Params) -> Object:
        self._account.open_chat(params)
        invoice = _read_invoice(params)
        pay = {"inline_keyboard": [[{"text": f"Pay ⭐️{invoice.stars}", "pay": True}]]}
        markup = read_markup(params, invoice=True) or pay
        attachment = {"invoice": invoice.wire()}
        message = self._sending.post(params, Formatted(""), attachment=attachment, markup=markup)
        self._invoices[message.id] = invoice
        return message.wire()

    def create_invoice_link(self, params: Params) -> str:
        link = f"https://t.me/${token_urlsafe(16)}"
        self._invoices[link] = _read_invoice(params)
        return link

    def copy_invoice(self, source_id: int, copy_id: int) -> Object | None:
        """The buttons of a forwarded copy."""
        invoice = self._invoices[source_id]
        if invoice.start_parameter:
            link = f"https://t.me/{self._account.user['username']}?start={invoice.start_parameter}"
            return {"inline_keyboard": [[{"text": "Open", "url": link}]]}
        self._invoices[copy_id] = invoice
        return {"inline_keyboard": [[{"text": f"Pay ⭐️{invoice.stars}", "pay": True}]]}

    @property
    def charges(self) -> list[Charge]:
        """Oldest first."""
        return list(self._charges.values())

    async def pay(self, chat: Chat, reference: int | str) -> Payment:
        """Pay the invoice in a message or behind a link: ask the bot, then charge.

        `chat.user` pays, whoever the invoice was made for.

        Raises: LookupError, where there is no such invoice.
        """
        invoice = self._invoices[reference]
        if self.purses[chat.id] < invoice.stars:
            return Payment(False, "You don't have enough Stars.")
        terms = {"currency": "XTR", "total_amount": invoice.stars, "invoice_payload": invoice.payload}
        query = self._queries.ask("pre_checkout_query", chat.user, terms, CHECKOUT_LIFETIME)
        try:
            reply = Params(await query.wait(self.patience))
        except TimeoutError:
            self._queries.close(query)
            return Payment(False, "The bot did not answer in time.")
        if not reply.flag("ok"):
            return Payment(False, reply.text("error_message"))
        charge = self.charge(chat, invoice)
        if isinstance(reference, int):
            self._show_receipt(chat, reference, charge)
        return Payment(True, charge_id=charge.id)

    def _show_receipt(self, chat: Chat, message_id: int, charge: Charge) -> None:
        if message_id in chat.messages:
            self.receipts[message_id] = charge
            chat.touch(chat.messages[message_id])

    def charge(self, chat: Chat, invoice: Invoice) -> Charge:
        """Take the Stars without asking the bot."""
        # As long as real ones are.
        charge = Charge(f"stx{token_urlsafe(96)}", chat, invoice)
        self._charges[charge.id] = charge
        self.balance += invoice.stars
        self.purses[chat.id] -= invoice.stars
        self._transactions.append(self._transaction(charge, "source"))
        self._announce(charge, "successful_payment")
        return charge

    def refund_star_payment(self, params: Params) -> bool:
        charge = self._charges.get(params.text("telegram_payment_charge_id"))
        if charge is None or charge.chat.id != params.integer("user_id"):
            raise bad_request("CHARGE_NOT_FOUND")
        if charge.refunded:
            raise bad_request("CHARGE_ALREADY_REFUNDED")
        self._give_back(charge)
        return True

    def store_refund(self, charge_id: str) -> None:
        """The app store gives somebody their money back and takes it out of the bot's Stars.

        Raises: LookupError, where there is no such charge or it went back before.
        """
        charge = self._charges[charge_id]
        if charge.refunded:
            raise LookupError(charge_id)
        self._give_back(charge)

    def _give_back(self, charge: Charge) -> None:
        charge.refunded = True
        self.balance -= charge.invoice.stars
        self.purses[charge.chat.id] += charge.invoice.stars
        self._transactions.append(self._transaction(charge, "receiver"))
        self._announce(charge, "refunded_payment")

    def repeat(self, charge_id: str) -> None:
        """Tell the bot of a payment once more."""
        self._announce(self._charges[charge_id], "successful_payment")

    def get_star_transactions(self, params: Params) -> Object:
        start = params.integer("offset")
        limit = min(max(params.integer("limit", 100), 1), 100)
        return {"transactions": self._transactions[start : start + limit]}

    def get_my_star_balance(self, params: Params) -> Object:
        return {"amount": self.balance}

    def _transaction(self, charge: Charge, side: str) -> Object:
        """`side` is source for Stars that come in, receiver for Stars that go back."""
        partner = {
            "type": "user",
            "transaction_type": "invoice_payment",
            "user": charge.chat.user,
            "invoice_payload": charge.invoice.payload,
        }
        now = int(self._account.now().timestamp())
        return {"id": charge.id, "amount": charge.invoice.stars, "date": now, side: partner}

    def _announce(self, charge: Charge, field: str) -> None:
        """Both the person and the bot read of it in a service message."""
        payment: Object = {
            "currency": "XTR",
            "total_amount": charge.invoice.stars,
            "invoice_payload": charge.invoice.payload,
            "telegram_payment_charge_id": charge.id,
            "provider_payment_charge_id": "",
        }
        message = self._account.new_message(
            charge.chat, Formatted(""), from_bot=False, attachment={field: payment}
        )
        if not self.silent:
            self._account.updates.put("message", message.wire(), person_id=charge.chat.id)


def _read_invoice(params: Params) -> Invoice:
    title, description, payload = map(params.text, ("title", "description", "payload"))
    if not 1 <= len(title) <= 32:
        raise _refuse_length("title", title)
    if not 1 <= len(description) <= 255:
        raise _refuse_length("description", description)
    if not 1 <= len(payload.encode()) <= 128:
        raise bad_request("INVOICE_PAYLOAD_INVALID")
    if params.text("currency") != "XTR":
        raise bad_request(
            "PAYMENT_PROVIDER_INVALID" if not params.text("provider_token") else "CURRENCY_INVALID"
        )
    prices = params.json("prices") or []
    if len(prices) != 1 or not isinstance(prices[0].get("amount"), int):
        raise bad_request("STARS_INVOICE_INVALID")
    if not 1 <= prices[0]["amount"] <= MOST_STARS:
        raise bad_request("STARS_INVOICE_INVALID")
    return Invoice(title, description, payload, prices[0]["amount"], params.text("start_parameter"))


def _refuse_length(field: str, value: str) -> Refusal:
    return bad_request(f"invoice {field} {'is too long' if value else 'must be non-empty'}")
