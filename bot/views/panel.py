"""The operators' panel: everything that they may do, and nothing else."""

from typing import NamedTuple

from bot.language import Language
from bot.views.screen import Reader, Row, View, bold
from bot.views.team import role_name
from services.roles import RIGHTS, Right, Role


class Way(NamedTuple):
    """A button of the panel."""

    right: Right
    label: str
    action: str
    args: tuple[str | int, ...] = ()


def panel(reader: Reader, role: Role) -> View:
    """A line and a row of buttons for each part of the desk that the role may enter."""
    heading = f"{bold(reader.language._('Operator'))} · {role_name(reader.language, role)}"
    lines, rows = [heading, ""], list[Row]()
    for title, ways in _parts(reader.language):
        row = [reader.button(way.label, way.action, *way.args) for way in ways if way.right in RIGHTS[role]]
        if row:
            lines.append(title)
            rows.append(row)
    return View.of(lines, [*rows, [reader.button(reader.language._("‹ Menu"), "home")]])


def _parts(language: Language) -> list[tuple[str, list[Way]]]:
    """The parts of the desk, in HTML, and what stands in each."""
    _ = language._
    return [
        (
            _("<b>People</b>: wallets, orders, problems, bans"),
            [
                Way(Right.PEOPLE, _("Users"), "people", ("", 0)),
                Way(Right.PEOPLE, _("Problems"), "disputes", (0,)),
                Way(Right.TEAM, _("Team"), "team", (0,)),
            ],
        ),
        (
            _("<b>Money</b>: what came in; credit and debit stand on a user's card"),
            [
                Way(Right.MONEY, _("Vouchers"), "vouchers", (0,)),
                Way(Right.AUDIT, _("Statistics"), "stats", (7,)),
                Way(Right.AUDIT, _("Export"), "export"),
            ],
        ),
        (
            _("<b>Shop</b>: whom we buy from, at which prices, and who sends our SMS"),
            [
                Way(Right.SHOP, _("Suppliers"), "suppliers"),
                Way(Right.SHOP, _("Prices"), "pricing", (0,)),
                Way(Right.SHOP, _("Senders"), "senders"),
            ],
        ),
        (
            _("<b>Messages</b>: to everybody, or to some"),
            [Way(Right.BROADCAST, _("Broadcast"), "bcnew")],
        ),
        (
            _("<b>System</b>: the books, who did what, closing the shop"),
            [
                Way(Right.AUDIT, _("Audit"), "audit", (0,)),
                Way(Right.AUDIT, _("Log"), "trail", (0, 0)),
                Way(Right.MAINTENANCE, _("Maintenance"), "maintenance"),
            ],
        ),
    ]
