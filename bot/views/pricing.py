"""Prices, for operators: the rules, one of them, and what it would change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.language import Language
from bot.views.scopes import Named
from bot.views.screen import DANGER, SUCCESS, Page, Reader, View, bold, columns, escape, pager
from services.money import exponent
from services.pricing import HUNDREDTHS, Rule
from services.repricing import Change, Preview
from services.scopes import Scope

LEAST_PERCENT, MOST_PERCENT = Decimal(-100), Decimal(1000)
MOST_AMOUNT, MOST_STEP = 10**9, 10**6
"""Minor units; what a button can carry."""
PERCENT, FIXED, MINIMUM, STEP = "prc", "prf", "prm", "prs"
"""Buttons that ask for one of a rule's values to be typed."""
VALUES = (PERCENT, FIXED, MINIMUM, STEP)
_PERCENTS = (10, 20, 30, 50, 100)
_AMOUNTS = {0: (100, 500, 1_000, 5_000)}
_CENTS = (5, 10, 50, 100)
_EXAMPLE = {0: 15_000}
_EXAMPLE_CENTS = 100
"""What a number costs in an example; minor units, by the currency's decimals."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A rule that is being made, as its buttons carry it."""

    named: Named
    rule: Rule

    @property
    def args(self) -> tuple[str | int, ...]:
        """Of a button; `read_draft` reads them again."""
        rule = self.rule
        percent = int((rule.percent - LEAST_PERCENT) * HUNDREDTHS)
        return (*self.named.scope, percent, rule.fixed, rule.minimum, rule.step)


def read_rule(numbers: Sequence[int]) -> Rule:
    """From what follows the scope in a button's arguments."""
    percent, fixed, minimum, step = numbers
    return Rule(LEAST_PERCENT + Decimal(percent) / HUNDREDTHS, fixed, minimum, step)


def rules(reader: Reader, page: Page[Draft], default: Rule, currency: str) -> View:
    """All rules, each a button that opens it."""
    _ = reader.language._
    otherwise = bold(_rule_words(reader.language, default, currency))
    return View.of(
        [
            bold(_("Prices")),
            "",
            _("Where no rule fits: {rule}. MARKUP_PERCENT says so.").format(rule=otherwise),
            _(
                "Of several rules that fit, the one that names more wins; of two that name as much, first"
                " the one for a service, then the one for a country."
            ),
            "",
            _("The rules, the most exact first:") if page.items else _("There are no rules yet."),
        ],
        [
            *([reader.button(_label(reader.language, one, currency), "pr", *one.args)] for one in page.items),
            pager(reader, page, "pricing"),
            [reader.button(_("Add a rule"), "prsup"), reader.button(_("Blocklist"), "blocklist", 0)],
            [reader.button(_("‹ Operator"), "panel")],
        ],
    )


def rule(reader: Reader, draft: Draft, saved: Rule | None, currency: str) -> View:
    """One rule, to look at and to change. `saved`: what is in force about the same."""
    _ = reader.language._
    is_new = saved is None or replace(saved, below_cost=False) != replace(draft.rule, below_cost=False)
    lines = [_("Not saved yet.")] if is_new else []
    if saved and saved.below_cost and not is_new:
        lines = [_("⚠️ It may sell for less than a number costs us.")]
    return View.of(
        [
            bold(_("Price rule")),
            escape(draft.named.words(reader.language)),
            "",
            *_values(reader.language, draft.rule, currency),
            "",
            _example(reader.language, draft.rule, currency),
            *lines,
        ],
        [
            [
                reader.button(_("Percent"), PERCENT, *draft.args),
                reader.button(_("Fixed amount"), FIXED, *draft.args),
            ],
            [
                reader.button(_("Minimum"), MINIMUM, *draft.args),
                reader.button(_("Rounding"), STEP, *draft.args),
            ],
            [reader.button(_("Preview"), "prsee", *draft.args, style=SUCCESS)] if is_new else [],
            [reader.button(_("Delete"), "prdel", *draft.named.scope, style=DANGER)] if saved else [],
            [reader.button(_("‹ Prices"), "pricing", 0)],
        ],
    )


def ask(reader: Reader, field: str, draft: Draft, currency: str, problem: str = "") -> View:
    """One value of a rule, to be typed or picked."""
    _ = reader.language._
    texts = {
        PERCENT: _("How many percent come on the cost? From −100 to 1,000, like 20 or 12.5."),
        FIXED: _("Which amount is added then? Write 0 for none."),
        MINIMUM: _("What does a number cost at least? Write 0 for no minimum."),
        STEP: _("Prices are rounded up to multiples of which amount? Write 0 for no rounding."),
    }
    return View.of(
        [
            bold(_("Price rule")),
            escape(draft.named.words(reader.language)),
            "",
            *([escape(problem)] if problem else []),
            texts[field],
        ],
        [
            *columns(
                (
                    reader.button(label, "pr", *picked.args)
                    for label, picked in _picks(reader, field, draft, currency)
                ),
                4,
            ),
            [reader.button(_("‹ Back"), "pr", *draft.args)],
        ],
    )


def with_value(draft: Draft, field: str, value: Decimal | int) -> Draft:
    """The same rule with another value for what one of the buttons asks for."""
    if field == PERCENT:
        return replace(draft, rule=replace(draft.rule, percent=Decimal(value)))
    amount = int(value)
    if field == STEP:
        return replace(draft, rule=replace(draft.rule, step=max(1, amount)))
    if field == FIXED:
        return replace(draft, rule=replace(draft.rule, fixed=amount))
    return replace(draft, rule=replace(draft.rule, minimum=amount))


def preview(reader: Reader, draft: Draft, seen: Preview, services: Mapping[int, str], currency: str) -> View:
    """What a rule would change, before it is saved."""
    _ = reader.language._
    lines = _preview_lines(reader.language, seen, services, currency)
    save = reader.button(_("Save"), "prput", *draft.args, style=SUCCESS)
    if seen.below_cost:
        lines += ["", _losing(reader.language, seen.below_cost), _("So it is not saved.")]
        save = reader.button(_("Save anyway…"), "prany", *draft.args, style=DANGER)
    return View.of(
        [
            bold(_("Preview")),
            escape(draft.named.words(reader.language)),
            escape(_rule_words(reader.language, draft.rule, currency)),
            "",
            *lines,
        ],
        [[save], [reader.button(_("‹ Back"), "pr", *draft.args)]],
    )


def ask_below_cost(reader: Reader, draft: Draft, count: int, currency: str) -> View:
    """The second look at a rule that loses money."""
    _ = reader.language._
    return View.of(
        [
            bold(_("Sell below cost?")),
            escape(draft.named.words(reader.language)),
            escape(_rule_words(reader.language, draft.rule, currency)),
            "",
            _losing(reader.language, count),
            _("Each of these sales loses money, and the rule goes on doing so when costs rise."),
        ],
        [
            [reader.button(_("Save anyway"), "prfrc", *draft.args, style=DANGER)],
            [reader.button(_("‹ Back"), "pr", *draft.args)],
        ],
    )


def ask_delete(
    reader: Reader, draft: Draft, seen: Preview, services: Mapping[int, str], currency: str
) -> View:
    _ = reader.language._
    return View.of(
        [
            bold(_("Delete this rule?")),
            escape(draft.named.words(reader.language)),
            escape(_rule_words(reader.language, draft.rule, currency)),
            "",
            *_preview_lines(reader.language, seen, services, currency),
        ],
        [
            [reader.button(_("Delete"), "prrm", *draft.named.scope, style=DANGER)],
            [reader.button(_("‹ Back"), "pr", *draft.args)],
        ],
    )


def _label(language: Language, draft: Draft, currency: str) -> str:
    warning = "⚠️ " if draft.rule.below_cost else ""
    return f"{warning}{draft.named.words(language)}: {_rule_words(language, draft.rule, currency)}"


def _rule_words(language: Language, rule: Rule, currency: str) -> str:
    """In one line of plain text: "cost + 20 %, at least Rp 10,000"."""
    _ = language._
    words = [_percent_words(language, rule.percent)]
    if rule.fixed:
        words.append(_("plus {amount}").format(amount=language.money(rule.fixed, currency)))
    if rule.minimum:
        words.append(_("at least {amount}").format(amount=language.money(rule.minimum, currency)))
    if rule.step > 1:
        words.append(_("rounded up to {amount}").format(amount=language.money(rule.step, currency)))
    return ", ".join(words)


def _percent_words(language: Language, percent: Decimal) -> str:
    text = language._("cost + {percent} %") if percent >= 0 else language._("cost − {percent} %")
    return text.format(percent=language.number(abs(percent)))


def _values(language: Language, rule: Rule, currency: str) -> list[str]:
    """Each value in a line of its own."""
    _, none = language._, language._("none")

    def amount(value: int) -> str:
        return bold(language.money(value, currency) if value else none)

    return [
        _("Percent: {value}").format(value=bold(_percent_words(language, rule.percent))),
        _("Fixed amount: {value}").format(value=amount(rule.fixed)),
        _("Minimum: {value}").format(value=amount(rule.minimum)),
        _("Rounded up to: {value}").format(value=amount(rule.step if rule.step > 1 else 0)),
    ]


def _example(language: Language, rule: Rule, currency: str) -> str:
    cost = _EXAMPLE.get(exponent(currency), _EXAMPLE_CENTS)
    return language._("A number that costs us {cost} is sold for {price}.").format(
        cost=language.money(cost, currency), price=language.money(rule.price(cost), currency)
    )


def _picks(reader: Reader, field: str, draft: Draft, currency: str) -> list[tuple[str, Draft]]:
    if field == PERCENT:
        return [
            (_percent_label(reader.language, percent), with_value(draft, field, percent))
            for percent in _PERCENTS
        ]
    amounts = (0, *_AMOUNTS.get(exponent(currency), _CENTS))
    return [
        (
            reader.language.money(amount, currency) if amount else reader.language._("None"),
            with_value(draft, field, amount),
        )
        for amount in amounts
    ]


def _percent_label(language: Language, percent: int) -> str:
    return language._("{percent} %").format(percent=language.number(percent))


def _preview_lines(
    language: Language, seen: Preview, services: Mapping[int, str], currency: str
) -> list[str]:
    """How many prices change, and the ones that stand out. `services`: the names of those in `seen`."""
    _ = language._
    text = language.ngettext(
        "{changed} of {count} price changes.", "{changed} of {count} prices change.", seen.lines
    )
    lines = [text.format(changed=bold(language.number(seen.changed)), count=language.number(seen.lines))]
    if not seen.changed:
        return lines
    lines.append(
        _("Dearer: {dearer}, cheaper: {cheaper}").format(
            dearer=language.number(seen.dearer), cheaper=language.number(seen.cheaper)
        )
    )
    examples: tuple[tuple[str, Change | None], ...] = (
        (_("Greatest rise"), seen.rise),
        (_("Greatest fall"), seen.fall),
        (_("Cheapest of the changed"), seen.least),
        (_("Most expensive of the changed"), seen.most),
    )
    for title, change in examples:
        if change:
            service = services.get(change.service_id, "")
            where = Named(Scope("", change.service_id, change.country), service).words(language)
            before, after = (language.money(price, currency) for price in (change.before, change.after))
            lines += ["", title, f"{escape(where)}: {before} → {bold(after)}"]
    return lines


def _losing(language: Language, count: int) -> str:
    text = language.ngettext(
        "⚠️ {count} line would be sold for less than it costs us.",
        "⚠️ {count} lines would be sold for less than they cost us.",
        count,
    )
    return text.format(count=language.number(count))
