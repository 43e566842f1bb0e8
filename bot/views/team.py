"""Who works here."""

from collections.abc import Mapping

from bot.language import Language
from bot.views.screen import Page, Reader, Row, View, bold, pager
from services.roles import Role


def role_name(language: Language, role: Role) -> str:
    _ = language._
    return {Role.OWNER: _("owner"), Role.MANAGER: _("manager"), Role.SUPPORT: _("support")}[role]


def team(reader: Reader, page: Page[tuple[int, Role]], names: Mapping[int, str]) -> View:
    _ = reader.language._
    rows: list[Row] = [
        [reader.button(f"{names.get(id) or id} · {role_name(reader.language, role)}", "user", id)]
        for id, role in page.items
    ]
    return View.of(
        [
            bold(_("Team")),
            "",
            _("Owners are named in ADMIN_IDS. Managers run the shop; only owners appoint and erase."),
            _("Support looks renters up, takes notes and writes to them."),
        ],
        [
            *rows,
            pager(reader, page, "team"),
            [reader.button(_("Add"), "askmember"), reader.button(_("‹ Operator"), "panel")],
        ],
    )


def ask_member(reader: Reader, *, wrong: bool = False) -> View:
    _ = reader.language._
    lines = [_("Who is it? Write their id or @username. They must have written to this bot before.")]
    if wrong:
        lines.insert(0, _("I don't know them."))
    return View.of(lines, [[reader.button(_("‹ Back"), "team", 0)]])


def news(language: Language, role: Role | None) -> View:
    """For whoever was appointed or dismissed."""
    _ = language._
    if role is None:
        return View.of([_("You no longer work for this shop's desk.")])
    text = _("You work for this shop now, as {role}: /admin").format(role=role_name(language, role))
    return View.of([text])
