"""Everything that can go wrong, sorted by what the caller can do about it.

NumletError
  CustomerError            a person can act
    InsufficientFunds
    OutOfStock
    PriceChanged
    LimitReached
    TermsNotAccepted
    Banned
    ShopClosed
    StillInUse
    OrderNotFound
    LateCodeGone
    UserNotFound
    NotPossible
    VoucherRefused
    TooManyGuesses
    WordRefused
    InvoiceRefused
    StarsLimitReached
    InDebt
    PaymentNotFound
    PhoneOutOfReach
    PhoneStopped
    AskedTooOften
    CodeWrong
    CodeSpent
    BelowCost
    BroadcastNotFound
    DisputeNotFound
    TooManyMessages
    TooManyPins
    TooManyLookouts
  ConflictError            already done, or moved on
    KeyReused
  UpstreamError            a supplier or a sender
    UpstreamRefused        a definite no: release the hold
      ProductGone
      SupplierBroke
      CancelTooEarly
      RemoteOrderNotFound
      AccessRefused
      NoCredit
      SenderIdRefused
        NameRequired
        NameInvalid
        NumberRequired
        NumberInvalid
        NumberTaken
        OtpRefused
    UpstreamUnavailable    never accepted: retry with the same key
    UpstreamUnknown        sent, no clear answer: look it up first
      UpstreamBroken       unreadable answer: as unknown, and page someone
  WebhookRefused
    BadSignature
    BadEvent
    WrongAddress
  Deferred                 not now, try again later: no failure
"""

from datetime import datetime, timedelta


class NumletError(Exception):
    """Root of all errors that this program raises on purpose."""


class CustomerError(NumletError):
    """A person can act on this; the front end finds the words."""


class InsufficientFunds(CustomerError):
    """The wallet does not hold `needed`; both amounts are minor units of `currency`."""

    def __init__(self, *, needed: int, available: int, currency: str) -> None:
        super().__init__(f"{needed} {currency} needed, {available} available")
        self.needed = needed
        self.available = available
        self.currency = currency


class OutOfStock(CustomerError):
    """No supplier sells this service in this country now."""


class PriceChanged(CustomerError):
    """Every live offer costs more than the price on the button (minor units of the shop's currency)."""

    def __init__(self, *, offered: int, current: int) -> None:
        super().__init__(f"offered at {offered}, now {current}")
        self.offered = offered
        self.current = current


class LimitReached(CustomerError):
    """The renter has `limit` open orders, or bought `limit` numbers within `per`."""

    def __init__(self, *, limit: int, per: timedelta | None = None) -> None:
        super().__init__(f"limit of {limit} reached")
        self.limit = limit
        self.per = per


class TermsNotAccepted(CustomerError):
    """The renter has not accepted the terms yet."""


class Banned(CustomerError):
    """The operator has banned this renter, for `reason` where one was given."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__("banned")
        self.reason = reason


class ShopClosed(CustomerError):
    """Nothing is sold for the time being; `text` is the operator's own words, or empty."""

    def __init__(self, text: str) -> None:
        super().__init__("closed for maintenance")
        self.text = text


class StillInUse(CustomerError):
    """The renter has open orders or a balance."""


class OrderNotFound(CustomerError):
    """There is no such order, or it belongs to somebody else."""


class TooManyLookouts(CustomerError):
    """The renter waits for `limit` prices already."""

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"limit of {limit} reached")
        self.limit = limit


class LateCodeGone(CustomerError):
    """What came late cannot be bought any more; `reason`: expired, or taken by who has the number now."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BroadcastNotFound(CustomerError):
    """There is no such broadcast, or it is another operator's."""


class UserNotFound(CustomerError):
    """Nobody with this id has met the bot."""


class NotPossible(CustomerError):
    """The state of an order, or of a person, or a supplier, does not allow this `action`."""

    def __init__(self, action: str, *, status: str) -> None:
        super().__init__(f"cannot {action} what is {status}")
        self.action = action
        self.status = status


class VoucherRefused(CustomerError):
    """Nothing was redeemed. `reason`: unknown, already_used, revoked, expired or used_up."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"voucher {reason}")
        self.reason = reason


class TooManyGuesses(CustomerError):
    """Too many wrong voucher codes came, from this renter or from all; the next may be tried in `wait`."""

    def __init__(self, *, wait: timedelta) -> None:
        super().__init__(f"no more guesses for {wait}")
        self.wait = wait


class WordRefused(CustomerError):
    """A voucher cannot have this word as its code. `reason`: shape or taken."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"word refused: {reason}")
        self.reason = reason


class InvoiceRefused(CustomerError):
    """An invoice that must not be paid; `reason`: expired, not_yours, paid, changed or too_large."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StarsLimitReached(CustomerError):
    """Somebody who pays for the first time may pay `limit` Stars a day; `left` are left of them."""

    def __init__(self, *, limit: int, left: int) -> None:
        super().__init__(f"{left} of {limit} Stars left today")
        self.limit = limit
        self.left = left


class InDebt(CustomerError):
    """The renter owes `amount`, in minor units of `currency`, which has to be settled first."""

    def __init__(self, *, amount: int, currency: str) -> None:
        super().__init__(f"owes {amount} {currency}")
        self.amount = amount
        self.currency = currency


class PaymentNotFound(CustomerError):
    """There is no such payment."""


class PhoneOutOfReach(CustomerError):
    """No connected sender texts this phone's country."""


class PhoneStopped(CustomerError):
    """The phone has answered STOP: nothing is texted to it."""


class AskedTooOften(CustomerError):
    """Codes were sent to prove a phone lately; another one only after `wait`."""

    def __init__(self, *, wait: timedelta) -> None:
        super().__init__(f"another code in {wait}")
        self.wait = wait


class CodeWrong(CustomerError):
    """Not the code that was texted; it may be typed `tries_left` times more."""

    def __init__(self, *, tries_left: int) -> None:
        super().__init__(f"{tries_left} tries left")
        self.tries_left = tries_left


class CodeSpent(CustomerError):
    """The code is too old, or was typed wrong too often: only a new one helps."""


class BelowCost(CustomerError):
    """A rule would sell for less than it costs us, in `count` lines of the catalog."""

    def __init__(self, *, count: int) -> None:
        super().__init__(f"below cost in {count} lines")
        self.count = count


class DisputeNotFound(CustomerError):
    """There is no such problem."""


class TooManyMessages(CustomerError):
    """The renter has written a lot to support; the next message is taken in `wait`."""

    def __init__(self, *, wait: timedelta) -> None:
        super().__init__(f"no more messages for {wait}")
        self.wait = wait


class TooManyPins(CustomerError):
    """The renter has pinned `most` offers already."""

    def __init__(self, *, most: int) -> None:
        super().__init__(f"{most} offers are pinned")
        self.most = most


class ConflictError(NumletError):
    """The thing was already done, or the world moved on meanwhile."""


class KeyReused(ConflictError):
    """An idempotency key came back with other parameters."""


class UpstreamError(NumletError):
    """A supplier or a sender; `upstream` names it, `code` is the vendor's own word where it gave one."""

    def __init__(
        self,
        message: str,
        *,
        upstream: str = "",
        code: str | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.upstream = upstream
        self.code = code
        self.retry_after = retry_after


class UpstreamRefused(UpstreamError):
    """A definite no: nothing was done and nothing will be."""


class ProductGone(UpstreamRefused):
    """The product cannot be sold now: no stock, or the network behind the supplier refused it."""


class SupplierBroke(UpstreamRefused):
    """Our own balance with the supplier is too low: the operator must top it up."""


class CancelTooEarly(UpstreamRefused):
    """The supplier does not cancel an order this young; try again later."""


class RemoteOrderNotFound(UpstreamRefused):
    """The supplier knows no such order."""


class AccessRefused(UpstreamRefused):
    """The supplier refuses our credentials: the operator must mend the setting."""


class NoCredit(UpstreamRefused):
    """Our credit with the sender is too low: the operator must top it up."""


class SenderIdRefused(UpstreamRefused):
    """A number or a name that texts may not come from (yet)."""


class NameRequired(SenderIdRefused):
    """A sender ID needs a name."""


class NameInvalid(SenderIdRefused):
    """The name is too short or too long, or has characters that a sender ID cannot have."""


class NumberRequired(SenderIdRefused):
    """The sender misses the phone number."""


class NumberInvalid(SenderIdRefused):
    """Not a phone number that the sender takes."""


class NumberTaken(SenderIdRefused):
    """The number is registered already, by us or by somebody else; whether verified is not told."""


class OtpRefused(SenderIdRefused):
    """The one-time code is missing or wrong; the sender does not tell which."""


class UpstreamUnavailable(UpstreamError):
    """Never accepted (connect error, 429, 503): retry with the same key, after `retry_after` where given."""


class UpstreamUnknown(UpstreamError):
    """Sent, but no clear answer (read timeout, 5xx): look it up before doing anything else."""


class UpstreamBroken(UpstreamUnknown):
    """The answer cannot be read: as unknown, and somebody should look at it."""


class WebhookRefused(NumletError):
    """An incoming webhook that must have no effect."""


class BadSignature(WebhookRefused):
    """The signature is missing or wrong."""


class BadEvent(WebhookRefused):
    """Signed, but no event."""


class WrongAddress(WebhookRefused):
    """Nothing of ours is at this path; where the path is the secret, it was guessed wrong."""


class Deferred(NumletError):
    """Raised by an outbox worker: not now, try again at `until` (aware UTC); not a failure."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"deferred until {until:%H:%M:%S}")
        self.until = until
