"""What `/export` offers."""

from bot.language import Language
from bot.views.screen import Reader, View, bold


def offer(reader: Reader) -> View:
    _ = reader.language._
    names = book_names(reader.language)
    return View.of(
        [
            bold(_("Export")),
            "",
            _("The books as CSV, for a spreadsheet or an accountant: everything, with times in UTC."),
            _("Neither codes nor whole phone numbers are in them."),
            _("What is large comes as a zip; more than 50 MB Telegram does not take."),
        ],
        [
            [reader.button(name, "book", book) for book, name in names.items()],
            [reader.button(_("‹ Operator"), "panel")],
        ],
    )


def book_names(language: Language) -> dict[str, str]:
    _ = language._
    return {"ledger": _("Ledger"), "orders": _("Orders"), "payments": _("Payments")}


def too_large(reader: Reader) -> View:
    _ = reader.language._
    return View.of(
        [_("That is more than the 50 MB that Telegram takes. On the server, numlet export writes it.")]
    )
