"""The language that people read: as in Telegram, or as they chose; and the currency beside the shop's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot import commands
from bot.buttons import Buttons
from bot.language import Language, own_name
from bot.views.screen import Reader
from db.models import LinkedPhone
from sandbox.telegram import Button
from services.alarms import Word
from services.rates import Exchange
from services.roles import Role
from tests.bot.catalogues import Words, spoken
from tests.bot.stage import KEY, labels

pytestmark = pytest.mark.anyio

NBSP = "\N{NO-BREAK SPACE}"
FSI, PDI = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
TRIES = (
    "That is not the code. You have {count} try left.",
    "That is not the code. You have {count} tries left.",
)
RUSSIAN: Words = {
    "Rent a number, get the code here": "Снимите номер, код придёт сюда",
    "Language": "Язык",
    "As in Telegram": "Как в Telegram",
    "‹ Settings": "‹ Настройки",
    "Your numbers and codes": "Ваши номера и коды",
    "Rent a phone number, get its code here. No code, no charge.": "Номер для кода. Нет кода — нет платы.",
    "{amount} was added to your balance.": "На баланс добавлено {amount}.",
    "This button is not yours.": "Это не ваша кнопка.",
    "Before you start": "Прежде чем начать",
    "Our balance at {supplier} is too low to buy. Please top it up.": "Пополните наш счёт у {supplier}.",
    "Codes have been late since {at}.": "Коды опаздывают с {at}.",
    "“{text}” is not an amount in {currency}.": "«{text}» — не сумма в {currency}.",
    TRIES: ("Осталась {count} попытка.", "Осталось {count} попытки.", "Осталось {count} попыток."),
}
ARABIC: Words = {
    "Balance: {amount}": "الرصيد: {amount}",
    "{supplier} has order {ref} open, which no purchase here explains: /suppliers": "{supplier}: الطلب {ref}",
}


@pytest.fixture(autouse=True)
def catalogues(tmp_path) -> Iterator[None]:
    """The bot speaks a little Russian and Arabic, whatever else it speaks."""
    with spoken(tmp_path, "ru", RUSSIAN), spoken(tmp_path / "ar", "ar", ARABIC):
        yield


def test_english_is_what_nobody_has_translated():
    assert Language.of("tlh").code == Language.of("en-GB").code == "en"
    assert Language.of("ru")._("Nobody has translated this") == "Nobody has translated this"


def test_a_region_has_the_words_of_its_language_and_numbers_of_its_own():
    swiss = Language.of("ru-ua")
    assert swiss._("Language") == "Язык"
    assert swiss.code == "ru_UA"


@pytest.mark.parametrize(
    ("count", "says"),
    [
        (1, "Осталась 1 попытка."),
        (3, "Осталось 3 попытки."),
        (5, "Осталось 5 попыток."),
        (11, "Осталось 11 попыток."),
        (21, "Осталась 21 попытка."),
    ],
)
def test_plurals_are_those_of_the_language(count, says):
    assert Language.of("ru").ngettext(*TRIES, count).format(count=count) == says


@pytest.mark.parametrize(
    ("code", "name"),
    [("en", "English"), ("hi", "हिन्दी"), ("id", "Bahasa Indonesia"), ("ru", "Русский"), ("ar", "العربية")],
)
def test_languages_are_called_as_their_speakers_call_them(code, name):
    assert own_name(code) == name


def test_what_is_filled_in_from_right_to_left_keeps_its_direction():
    arabic = Language.of("ar")
    text = arabic._("Balance: {amount}").format(amount=f"Rp{NBSP}18,000")
    assert text == f"الرصيد: {FSI}Rp{NBSP}18,000{PDI}"
    assert Language.of("ru").isolate("+62") == "+62"
    assert arabic.isolate("") == ""


def test_numbers_dates_and_lists_are_written_as_the_language_does():
    at = datetime(2026, 2, 25, 10, 5, 9, tzinfo=UTC)
    russian, english = Language.of("ru"), Language.of("en")
    assert russian.number(1234567) == f"1{NBSP}234{NBSP}567"
    assert (english.percent(40), russian.percent(40)) == ("40%", f"40{NBSP}%")
    assert (english.time(at), russian.time(at)) == ("25 Feb 10:05", "25 февр. 10:05")
    assert english.time(at, seconds=True) == "25 Feb 10:05:09"
    assert Language.of("ar").join(["a", "b"]) == "a وb"


async def test_the_bot_writes_in_the_language_of_telegram(stage):
    ben = await stage.renter(43, name="Ben", language_code="ru")
    await ben.say("/start")
    await ben.wait_for("Снимите номер")


async def test_somebody_chooses_a_language_and_returns_to_telegrams(stage, ann):
    await ann.say("/settings")
    await ann.tap("🌐 Language")
    screen = await ann.wait_for("In which language")
    assert {"English", "Русский", "العربية", "✓ As in Telegram"} <= set(labels(screen))
    await ann.tap("Русский")
    screen = await ann.wait_for(lambda message: "✓ Русский" in labels(message))
    assert screen.text.startswith("Язык")
    assert await menu(stage, ann) == "Ваши номера и коды"
    said = await ann.say("/start")
    await ann.wait_for("Снимите номер", after=said)
    await ann.tap("Как в Telegram", screen)
    await ann.wait_for(lambda message: "✓ As in Telegram" in labels(message))
    assert await menu(stage, ann) == "Your numbers and codes"


async def menu(stage, person) -> str:
    """What the menu says of /orders."""
    await commands.publish(stage.application.bot, [])
    listed = stage.telegram.profile.commands_for(person.chat.user)
    return next(str(command["description"]) for command in listed if command["command"] == "orders")


async def test_a_choice_outlives_what_telegram_says_later(stage, ann):
    await stage.world.accounts.choose_language(ann.id, "ru")
    await ann.say("/balance")
    await stage.world.accounts.meet(ann.id, name="Ann", username=None, language_code="ar")
    said = await ann.say("/start")
    await ann.wait_for("Снимите номер", after=said)


async def test_a_newcomer_reads_the_terms_in_a_language_of_their_choice(stage):
    ben = stage.person(43, "Ben")
    await ben.say("/start")
    await ben.tap("🌐 Language", await ben.wait_for("Before you start"))
    await ben.tap("Русский", await ben.wait_for("In which language"))
    await ben.wait_for("Прежде чем начать")


async def test_menus_and_descriptions_are_published_in_each_language(stage):
    ben = stage.person(43, "Ben", language_code="ru")
    await commands.publish(stage.application.bot, [])
    assert await menu(stage, ben) == "Ваши номера и коды"
    profile = stage.telegram.profile
    assert profile.text_for("short_description", ben.chat.user) == "Номер для кода. Нет кода — нет платы."
    assert "No code" in profile.text_for("short_description", {"language_code": "fr"})


async def test_a_notice_is_in_the_language_of_whoever_reads_it(stage, ann, olga):
    await stage.world.accounts.choose_language(ann.id, "ru")
    await olga.say("/credit 42 5000")
    await olga.wait_for("Credited")
    await ann.wait_for(f"На баланс добавлено 5{NBSP}000{NBSP}Rp.")


async def test_an_alert_is_in_the_language_of_each_operator(stage, olga):
    await olga.say("/start")
    await olga.wait_for("Before you start")
    await stage.world.accounts.choose_language(olga.id, "ru")
    async with stage.world.database.write() as session:
        await stage.world.announcer.alert(session, "supplier_broke", "now", supplier="smscode")
    await stage.world.settle()
    await olga.wait_for("Пополните наш счёт у smscode.")


async def test_an_alarm_is_texted_in_the_language_of_each_phone(stage, ann, olga):
    world = stage.world
    await world.renter(olga.id, money=0)
    await world.accounts.choose_language(olga.id, "ru")
    await world.team.appoint(ann.id, Role.MANAGER, by=olga.id)
    async with world.database.write() as session:
        for user_id, phone in ((ann.id, "+61400000001"), (olga.id, "+61400000002")):
            session.add(
                LinkedPhone(
                    user_id=user_id, phone_number=phone, takes_alarms=True, linked_at=world.clock.now()
                )
            )
    await world.alarms.note("it", is_bad=True, begins=Word("codes_late"), ends=Word("codes_in_time"))
    await world.settle()
    at = world.outside.phones.at
    assert at("+61400000001") == ["Numlet: Codes have been late since 25 Feb 10:00 UTC."]
    assert at("+61400000002") == ["Numlet: Коды опаздывают с 25 февр. 10:00 UTC."]


async def test_what_is_no_amount_is_said_in_the_readers_language(stage, olga):
    await stage.world.renter(olga.id, money=0)
    await stage.world.accounts.choose_language(olga.id, "ru")
    await olga.say("/credit 42 much")
    await olga.wait_for("«much» — не сумма в IDR.")


async def test_a_refusal_is_in_the_chosen_language(stage, ann):
    await stage.world.accounts.choose_language(ann.id, "ru")
    await ann.say("/start")
    forged = Buttons(KEY).pack(ann.id + 1, "language")
    answer = await ann.use(await ann.wait_for("Снимите"), Button("x", callback_data=forged))
    assert answer.text == "Это не ваша кнопка."


async def test_a_language_that_is_gone_cannot_be_chosen(stage, ann):
    await ann.say("/language")
    screen = await ann.wait_for("In which language")
    tap = Button("Esperanto", callback_data=Buttons(KEY).pack(ann.id, "speak", "eo"))
    await ann.use(screen, tap)
    assert (await stage.world.accounts.get(ann.id)).chosen_language is None


async def test_amounts_are_also_shown_in_the_currency_of_choice(stage, ann):
    await ann.say("/balance")
    assert f"Rp{NBSP}100,000 (≈ $" in (await ann.wait_for("Available")).text
    await ann.say("/settings")
    await ann.tap("Currency", await ann.wait_for("Prices also in: US Dollar (USD)"))
    screen = await ann.wait_for("You pay in Indonesian Rupiah (IDR).")
    assert labels(screen)[0] == "USD"
    await ann.tap("No other currency")
    await ann.wait_for(lambda message: "✓ No other currency" in labels(message))
    said = await ann.say("/balance")
    assert "≈" not in (await ann.wait_for("Available", after=said)).text
    await ann.tap("USD", screen)
    await ann.wait_for(lambda message: "✓ USD" in labels(message))
    said = await ann.say("/buy whatsapp indonesia")
    assert "(≈ $" in (await ann.wait_for("Price:", after=said)).text


def test_an_amount_too_small_to_be_told_is_not_told():
    reader = Reader(1, Language.of("en"), Buttons(b"key"), Exchange("IDR", "USD", Decimal("0.00006")))
    assert reader.about(10) == ""
    assert reader.about(100_000) == " (≈ $6.00)"
