"""Renters as operators read them. Codes never appear here, and no numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.language import Language
from bot.views.cards import sign
from bot.views.lists import move_line
from bot.views.screen import DANGER, Page, Reader, Row, View, bold, code, escape, moment, pager
from bot.views.team import role_name
from db.models import Note, User
from services.accounts import Wallet
from services.orders import Allowance, PurchaseView
from services.people import Ties
from services.roles import Right, Role

NOTES_A_PAGE = 5
_NAME_LIMIT, _NOTE_PREVIEW = 40, 120
_SCREEN_LIMIT = 1800
"""Characters of each of the two screens that are shown in one message."""


@dataclass(frozen=True, slots=True)
class Card:
    """All that the card of a person shows."""

    user: User
    role: Role | None
    wallet: Wallet
    orders: Sequence[PurchaseView]
    notes: Sequence[Note]
    inviter_id: int | None
    allowance: Allowance


def card(reader: Reader, shown: Card, rights: frozenset[Right]) -> View:
    user, wallet = shown.user, shown.wallet
    _, money = reader.language._, reader.language.money
    owed = money(wallet.debt, wallet.currency)
    return View.of(
        [
            _title(user),
            "",
            *_facts(reader.language, shown),
            "",
            _("Available: {amount}").format(amount=bold(money(wallet.available, wallet.currency))),
            _("Reserved: {amount}").format(amount=money(wallet.held, wallet.currency)),
            *([_("Owes us: {amount}").format(amount=bold(owed))] if wallet.debt else []),
            *(move_line(reader, move) for move in wallet.moves),
            "",
            *(_note_line(note, _NOTE_PREVIEW) for note in shown.notes),
        ],
        [
            *(
                [reader.button(_order_label(reader.language, view), "order", view.orders[0].order.id or 0)]
                for view in shown.orders
            ),
            *_look_rows(reader, shown),
            *_act_rows(reader, shown, rights),
            _role_row(reader, shown) if Right.TEAM in rights else [],
            [reader.button(_("‹ Users"), "people", "", 0), reader.button(_("‹ Operator"), "panel")],
        ],
    )


def _facts(language: Language, shown: Card) -> list[str]:
    _, user = language._, shown.user
    lines = [
        _("Language: {code}").format(code=escape(user.language)),
        _("First met: {when}").format(when=moment(user.created_at)),
        _("Last seen: {when}").format(when=moment(user.seen_at) if user.seen_at else _("never")),
        _("Terms accepted: {when}").format(
            when=moment(user.terms_accepted_at) if user.terms_accepted_at else _("no")
        ),
    ]
    if shown.role:
        lines.append(_("Works here: {role}").format(role=role_name(language, shown.role)))
    if shown.inviter_id:
        lines.append(_("Invited by: {id}").format(id=code(str(shown.inviter_id))))
    if user.open_limit is not None or user.hourly_limit is not None:
        lines.append(_limits_line(language, shown.allowance))
    if user.blocked_at:
        lines.append(_("Has blocked the bot, {when}").format(when=moment(user.blocked_at)))
    if user.banned_at:
        reason = escape(user.ban_reason or _("no reason given"))
        lines.append(_("🚫 Banned {when}: {reason}").format(when=moment(user.banned_at), reason=reason))
    if user.erasure_asked_at:
        lines.append(_("🗑 Asked to be forgotten, {when}").format(when=moment(user.erasure_asked_at)))
    return lines


def _look_rows(reader: Reader, shown: Card) -> list[Row]:
    _, user_id = reader.language._, shown.user.id
    return [
        [
            reader.button(_("All orders"), "theirs", user_id, 0),
            reader.button(_("What they see"), "see", user_id),
        ],
        [
            reader.button(_("Message"), "askletter", user_id),
            reader.button(_("Add a note"), "asknote", user_id),
            *([reader.button(_("Notes"), "notes", user_id, 0)] if shown.notes else []),
        ],
    ]


def _act_rows(reader: Reader, shown: Card, rights: frozenset[Right]) -> list[Row]:
    """What changes something, as far as the reader may."""
    _, user = reader.language._, shown.user
    money: Row = []
    if Right.MONEY in rights:
        money = [
            reader.button(_("Credit"), "askcredit", user.id),
            reader.button(_("Debit"), "askdebit", user.id),
            reader.button(_("Payments"), "payments", user.id, 0),
        ]
    if Right.AUDIT in rights:
        money.append(reader.button(_("Log"), "trail", user.id, 0))
    stern: Row = []
    if Right.BAN in rights and user.banned_at:
        stern.append(reader.button(_("Unban"), "unban", user.id))
    elif Right.BAN in rights and not shown.role:
        stern.append(reader.button(_("Ban"), "askban", user.id, style=DANGER))
    if Right.BAN in rights:
        stern.append(reader.button(_("Limits"), "asklimits", user.id))
    if Right.ERASE in rights and not shown.role:
        stern.append(reader.button(_("Erase data"), "askerase", user.id, style=DANGER))
    return [money, stern]


def _role_row(reader: Reader, shown: Card) -> Row:
    _, user_id = reader.language._, shown.user.id
    if shown.role is Role.OWNER or shown.user.banned_at:
        return []
    row = [
        reader.button(label, "role", user_id, role)
        for label, role in ((_("Make manager"), Role.MANAGER), (_("Make support"), Role.SUPPORT))
        if role is not shown.role
    ]
    if shown.role:
        row.append(reader.button(_("Dismiss"), "role", user_id, "", style=DANGER))
    return row


def found(reader: Reader, page: Page[User], query: str) -> View:
    _ = reader.language._
    says = _("Last seen first.") if page.items else _("Nobody found.")
    return View.of(
        [bold(_("Users")), "", *([escape(f"“{query}”")] if query else []), says],
        [
            *([reader.button(f"{_name(one)} · {one.id}", "user", one.id)] for one in page.items),
            pager(reader, page, "people", query),
            [reader.button(_("Search"), "askpeople"), reader.button(_("‹ Operator"), "panel")],
        ],
    )


def ask_query(reader: Reader) -> View:
    _ = reader.language._
    return View.of(
        [_("Whom are you looking for? A name, an @username, an id, a rented number or an order's number.")],
        [[reader.button(_("‹ Operator"), "panel")]],
    )


def ask(reader: Reader, question: str, about: User, problem: str = "") -> View:
    """What to type about somebody; `question` is the conversation's state."""
    _ = reader.language._
    texts = {
        "note": _("Write the note. Only operators see it."),
        "letter": _("Write the message. They get it from the shop, without your name."),
        "ban reason": _("Why? They will read it."),
        "credit": _("How much do they get? The amount, and after it a reason if you like."),
        "debit": _("How much is taken back? The amount, and after it a reason if you like."),
    }
    return View.of(
        [_title(about), "", *([escape(problem)] if problem else []), texts[question], _("To leave: /cancel")],
        [[reader.button(_("‹ Back"), "user", about.id)]],
    )


def ask_limits(reader: Reader, about: User, allowance: Allowance, problem: str = "") -> View:
    """How much somebody may buy, to be typed."""
    _ = reader.language._
    has_own = about.open_limit is not None or about.hourly_limit is not None
    return View.of(
        [
            _title(about),
            "",
            *([escape(problem)] if problem else []),
            _limits_line(reader.language, allowance),
            _("Write two numbers: open orders at once, and numbers an hour, like 10 30."),
        ],
        [
            [reader.button(_("As for everybody"), "nolimits", about.id)] if has_own else [],
            [reader.button(_("‹ Back"), "user", about.id)],
        ],
    )


def _limits_line(language: Language, allowance: Allowance) -> str:
    return language._("Limits: {open} open at once, {hourly} an hour").format(
        open=language.number(allowance.open_orders), hourly=language.number(allowance.per_hour)
    )


def notes(reader: Reader, user_id: int, page: Page[Note]) -> View:
    _ = reader.language._
    lines = [line for note in page.items for line in (_note_line(note), "")]
    return View.of(
        [bold(_("Notes")), "", *(lines or [_("There are none.")])],
        [pager(reader, page, "notes", user_id), [reader.button(_("‹ Back"), "user", user_id)]],
    )


def orders(reader: Reader, user_id: int, page: Page[PurchaseView]) -> View:
    _ = reader.language._
    return View.of(
        [bold(_("Orders of {id}").format(id=user_id)), "", "" if page.items else _("Nothing here yet.")],
        [
            *(
                [reader.button(_order_label(reader.language, view), "order", view.orders[0].order.id or 0)]
                for view in page.items
            ),
            pager(reader, page, "theirs", user_id),
            [reader.button(_("‹ Back"), "user", user_id)],
        ],
    )


def seen(reader: Reader, renter: User, *screens: View) -> View:
    """Somebody's screens in words, with their buttons as text: none of them works."""
    _ = reader.language._
    lines = [_("What {name} sees. Numbers are hidden.").format(name=_title(renter))]
    for screen in screens:
        lines += ["", f"<blockquote>{screen.text}\n\n{_buttons_in_words(screen)}</blockquote>"]
    return View.of(lines, [[reader.button(_("‹ Back"), "user", renter.id)]])


def _buttons_in_words(screen: View) -> str:
    rows = screen.keyboard.inline_keyboard if screen.keyboard else ()
    words = "\n".join(" ".join(f"[ {button.text} ]" for button in row) for row in rows)
    return escape(words[:_SCREEN_LIMIT])


def letter(text: str) -> View:
    """For the renter: an operator's words, as they were typed."""
    return View.of([escape(text)])


def letter_promised(reader: Reader, user_id: int) -> View:
    _ = reader.language._
    text = _("On its way to {id}.").format(id=code(str(user_id)))
    return View.of([text], [[reader.button(_("User"), "user", user_id)]])


def ask_erase(reader: Reader, found: User, ties: Ties, *, currency: str) -> View:
    """The last look before somebody is forgotten; with what would be left behind, if anything."""
    _ = reader.language._
    lines = [
        _title(found),
        "",
        _("Erased for good: name, username, language, notes, codes, texts and numbers of closed orders."),
        _("Kept: the id, the moves of money, and a ban."),
    ]
    if ties.open_orders:
        lines += ["", _("⚠️ Open orders: {count}. They go on.").format(count=ties.open_orders)]
    if ties.debt:
        debt = bold(reader.language.money(ties.debt, currency))
        lines += ["", _("⚠️ Owes us: {amount}. That stays, too.").format(amount=debt)]
    if ties.balance:
        amount = bold(reader.language.money(ties.balance, currency))
        lines += ["", _("⚠️ Balance: {amount}. It stays in the wallet of this id.").format(amount=amount)]
    label = _("Erase all the same") if ties else _("Erase")
    return View.of(
        lines,
        [
            [reader.button(label, "erase", found.id, int(bool(ties)), style=DANGER)],
            [reader.button(_("‹ Back"), "user", found.id)],
        ],
    )


def _note_line(note: Note, limit: int | None = None) -> str:
    text = note.text if limit is None or len(note.text) <= limit else f"{note.text[:limit]}…"
    return f"📝 {escape(text)} ({code(str(note.author_id))}, {moment(note.created_at)})"


def _title(user: User) -> str:
    username = f" @{escape(user.username)}" if user.username else ""
    return f"{bold(_name(user))}{username} · {code(str(user.id))}"


def _name(user: User) -> str:
    return user.name[:_NAME_LIMIT] or str(user.id)


def _order_label(language: Language, view: PurchaseView) -> str:
    order = view.orders[0].order
    return f"{sign(order.status)} {order.id} · {language.service(view.service.name)}"
