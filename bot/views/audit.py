"""What the audit says, on a phone and on a terminal."""

from collections.abc import Iterable, Sequence
from typing import Any

from bot.language import Language
from bot.views.screen import ROWS, Reader, Row, View, bold, escape, moment
from services.audit import Check, Earnings, Finding, Margin, Report, StarBooks, SupplierBooks
from services.watch import Watched

PERIODS = (1, 7, 30)
"""Days, today among them."""
SUPPLIERS, SERVICES, DAYS = "suppliers", "services", "days"


def report(reader: Reader, report: Report, watched: Watched, books: Sequence[SupplierBooks]) -> View:
    """A verdict first."""
    language, _ = reader.language, reader.language._
    old = [check for check in watched.differs_since if check not in report.checks]
    agrees = report.agrees and not old
    lines = [f"✅ {bold(_('All sums agree.'))}" if agrees else f"⚠️ {bold(_('Something does not agree.'))}"]
    for finding in report.findings:
        lines += ["", f"• {escape(finding_text(language, finding))}"]
    for check in old:
        since = moment(watched.differs_since[check])
        found = _("at the last check of everything, first {when}").format(when=since)
        lines += ["", f"• {escape(check_name(language, Check(check)))}: {found}"]
    lines += ["", _full_check(language, watched), "", *map(escape, money_lines(language, report))]
    lines += ["", *(escape(books_text(language, one)) for one in books)]
    return View.of(
        lines,
        [
            _periods(reader, 0, SUPPLIERS),
            [reader.button(_("Check everything"), "audit", 1)],
            [reader.button(_("‹ Operator"), "panel")],
        ],
    )


def _full_check(language: Language, watched: Watched) -> str:
    _ = language._
    if watched.full_at is None:
        return _("The whole ledger has not been gone through yet.")
    return _("The whole ledger was gone through {when}.").format(when=moment(watched.full_at))


def earnings(reader: Reader, shown: Earnings, books: Sequence[SupplierBooks], by: str, currency: str) -> View:
    """The margin of a period, by supplier, by service or by day."""
    language, _ = reader.language, reader.language._
    rows = {SUPPLIERS: shown.suppliers, SERVICES: shown.services, DAYS: shown.by_day}[by]
    tabs = ((SUPPLIERS, _("Suppliers")), (SERVICES, _("Services")), (DAYS, _("Days")))
    lines = [
        bold(_("Margin: {period}").format(period=_period_name(language, shown.days))),
        "",
        *map(escape, total_lines(language, shown.total, currency)),
        "",
        *map(escape, margin_lines(language, rows[:ROWS], currency)),
    ]
    if len(rows) > ROWS:
        lines.append(_("… and {count} more: numlet audit").format(count=len(rows) - ROWS))
    lines += ["", *(escape(flow_text(language, one)) for one in books if one.topped_up or one.unexplained)]
    return View.of(
        lines,
        [
            _periods(reader, shown.days, by),
            [reader.button(_marked(label, name == by), "margin", shown.days, name) for name, label in tabs],
            [reader.button(_("‹ Audit"), "audit", 0)],
        ],
    )


def _periods(reader: Reader, chosen: int, by: str) -> Row:
    return [
        reader.button(_marked(_period_name(reader.language, days), days == chosen), "margin", days, by)
        for days in PERIODS
    ]


def _period_name(language: Language, days: int) -> str:
    _ = language._
    if days == 1:
        return _("Today")
    return language.ngettext("{count} day", "{count} days", days).format(count=language.number(days))


def _marked(label: str, is_chosen: bool) -> str:
    return f"• {label} •" if is_chosen else label


def money_lines(language: Language, report: Report) -> list[str]:
    """Where the money is."""
    _ = language._
    names = {
        "wallet": _("In wallets"),
        "held": _("Reserved"),
        "revenue": _("Revenue"),
        "debt": _("Owed to us"),
        "gateway:operator": _("Came in by the operator"),
        "gateway:stars": _("Came in by Stars"),
        "gateway:vouchers": _("Given away by vouchers"),
    }
    order = [*names, *(group.name for group in report.groups)]
    lines = []
    for group in sorted(report.groups, key=lambda group: order.index(group.name)):
        kind, _colon, way = group.name.partition(":")
        label = names.get(group.name) or (_("Came in by {way}").format(way=way) if way else group.name)
        # A gateway and a debt stand for somebody outside: what is negative there came in, or is owed.
        balance = -group.balance if kind in ("gateway", "debt") else group.balance
        lines.append(f"{label}: {language.money(balance, group.currency)}")
    if report.stars.received:
        lines.append(_stars_line(language, report.stars))
    return lines or [_("No money has moved yet.")]


def _stars_line(language: Language, stars: StarBooks) -> str:
    number = language.number
    return language._(
        "Stars: {received} received, {returned} given back, {locked} still locked by Telegram"
    ).format(received=number(stars.received), returned=number(stars.returned), locked=number(stars.locked))


def total_lines(language: Language, total: Margin, currency: str) -> list[str]:
    _, money = language._, language.money
    return [
        _("Profit: {amount}").format(amount=money(total.profit, currency)),
        _("Income after refunds and rewards: {amount}").format(amount=money(total.income, currency)),
        _("Numbers cost: {amount}").format(amount=money(total.cost, currency)),
        _("Orders with a code: {count}").format(count=language.number(total.orders)),
    ]


def margin_lines(language: Language, rows: Iterable[tuple[str, Margin]], currency: str) -> list[str]:
    """A name, its profit, and how many orders brought it."""
    _, money, number = language._, language.money, language.number
    none = _("no order")
    return [
        f"{name or none}: {money(margin.profit, currency)} ({number(margin.orders)})" for name, margin in rows
    ]


def books_text(language: Language, books: SupplierBooks) -> str:
    """What a supplier says of our balance, and how that fits our orders."""
    _, last = language._, books.last
    text = _("{supplier} says that we have {amount}").format(
        supplier=last.supplier, amount=language.money(last.amount, last.currency)
    )
    if last.unexplained is None:
        return _("{text}. There is nothing to compare that with yet.").format(text=text)
    by = language.money(abs(last.unexplained), last.currency)
    if last.unexplained < -last.tolerance:
        return _("{text}, {by} less than our orders explain.").format(text=text, by=by)
    if last.unexplained > last.tolerance:
        return _("{text}, {by} more than our orders explain: a top-up?").format(text=text, by=by)
    return _("{text}, as our orders explain.").format(text=text)


def flow_text(language: Language, books: SupplierBooks) -> str:
    """What came and went at a supplier besides the cost of our orders."""
    _, currency = language._, books.last.currency
    return _("{supplier}: topped up {more}, not explained {rest}").format(
        supplier=books.last.supplier,
        more=language.money(books.topped_up, currency),
        rest=language.money(books.unexplained, currency),
    )


def check_name(language: Language, check: Check) -> str:
    _ = language._
    return {
        Check.SUM: _("The sum over all accounts"),
        Check.BELOW_ZERO: _("Accounts below zero"),
        Check.HOLDS: _("Holds against open orders"),
        Check.DEBTS: _("Debts against wallets"),
        Check.GUARD: _("The ledger's protection"),
        Check.BALANCES: _("Balances against entries"),
        Check.SETTLEMENTS: _("Ended orders against what was paid"),
        Check.PAYMENTS: _("Stars against what was credited"),
        Check.CREDITS: _("Each payment in Stars against its credit"),
        Check.REFUNDS: _("Refunds of orders against what was paid"),
    }[check]


def finding_text(language: Language, finding: Finding) -> str:
    """What does not agree, by how much, and where to look."""
    _ = language._
    text = {
        Check.SUM: _(
            "The sum over all accounts is {amount} instead of zero. Somebody changed a balance by hand,"
            " or the database is damaged: compare with the last backup."
        ),
        Check.BELOW_ZERO: _(
            "Accounts below zero that must not be: {count}, {amount} in all. Kind: {example}."
        ),
        Check.HOLDS: _(
            "Holds that are not what their open orders cost: {count}, by {amount} in all. One: {example}."
        ),
        Check.DEBTS: _("Debts beside money in the same wallet: {count}, {amount} in all. One: {example}."),
        Check.GUARD: _(
            "The triggers that keep ledger entries from being changed are missing:"
            " restore the schema from a backup, and compare the entries."
        ),
        Check.BALANCES: _(
            "Balances that are not the sum of their entries: {count}, by {amount} in all. One: {example}."
        ),
        Check.SETTLEMENTS: _(
            "Orders that were not charged or given back as they ended: {count}, {amount} in all."
            " One: {example}."
        ),
        Check.PAYMENTS: _(
            "Payments in Stars and what was credited for them differ by {amount}: compare payments.csv"
            " and ledger.csv of numlet export."
        ),
        Check.CREDITS: _(
            "Payments in Stars that were not credited: {count}, {amount} in all. One: {example}."
        ),
        Check.REFUNDS: _(
            "Orders that were refunded wrongly, or not as decided: {count}, {amount} in all. One: {example}."
        ),
    }[finding.check]
    return text.format(
        count=language.number(finding.count),
        amount=language.money(finding.amount, finding.currency),
        example=_where(finding.example),
    )


def _where(example: str) -> str:
    """The command that shows it, where there is one."""
    kind, _colon, number = example.replace(" ", ":").partition(":")
    command = {"wallet": "/user", "debt": "/user", "held": "/order", "order": "/order"}.get(kind)
    return f"{command} {number}" if command and number.isdecimal() else example


ALERTS = ("audit_differs", "audit_agrees", "supplier_took_more")


def alert(language: Language, name: str, facts: dict[str, Any]) -> View:
    """What the scheduled audit has to say."""
    _ = language._
    if name == "audit_agrees":
        about = check_name(language, Check(facts["check"]))
        return View.of(["✅ " + escape(_("{about}: it agrees again.").format(about=about))])
    if name == "audit_differs":
        finding = Finding(**{**facts, "check": Check(facts["check"])})
        title = "⚠️ " + bold(_("The books do not agree."))
        return View.of([title, escape(finding_text(language, finding)), "/audit"])
    text = _(
        "{supplier} took {amount} more than our orders cost since {since} UTC. A price may have moved between"
        " its catalog and the purchase, or a number was bought there that no order here explains."
    )
    amount = language.money(facts["amount"], facts["currency"])
    since = facts["since"][:16].replace("T", " ")
    return View.of([f"⚠️ {escape(text.format(supplier=facts['supplier'], amount=amount, since=since))}"])


def printed(
    language: Language,
    report: Report,
    periods: Sequence[Earnings],
    books: Sequence[SupplierBooks],
    currency: str,
) -> str:
    """Everything, for a terminal."""
    _ = language._
    wrong = {finding.check: finding for finding in report.findings}
    lines = [_("All sums agree.") if report.agrees else _("Something does not agree."), ""]
    for check in report.checks:
        lines.append(f"{'BAD ' if check in wrong else 'ok  '} {check_name(language, check)}")
    lines += ["", *(finding_text(language, finding) for finding in report.findings)]
    lines += ["", *money_lines(language, report)]
    if report.entries is not None:
        lines.append(_("Entries in the ledger: {count}").format(count=language.number(report.entries)))
    for shown in periods:
        lines += ["", _("Margin: {period}").format(period=_period_name(language, shown.days))]
        lines += total_lines(language, shown.total, currency)
        for rows in (shown.suppliers, shown.services, shown.by_day):
            lines += ["", *(f"  {line}" for line in margin_lines(language, rows, currency))]
        lines += ["", *(f"  {flow_text(language, one)}" for one in books if shown.days == PERIODS[-1])]
    lines += ["", *(books_text(language, one) for one in books)]
    return "\n".join(_single_blanks(lines))


def _single_blanks(lines: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return kept
