"""Who may do what at the desk: every command and every button, for every role."""

import pytest

from bot import commands
from bot.buttons import Buttons
from bot.commands import COMMANDS
from bot.handlers import prompts, taps
from sandbox.telegram import Button
from services.roles import RIGHTS, Right, Role
from tests.bot.stage import KEY, OPERATOR, labels

pytestmark = pytest.mark.anyio

MEMBER = 7
ROLES = [None, Role.SUPPORT, Role.MANAGER, Role.OWNER]
NOT_YOURS = "This button is not yours."


def may(role: Role | None, right: Right) -> bool:
    return role is not None and right in RIGHTS[role]


async def employ(stage, role: Role | None):
    """Somebody in this role, who has opened the bot."""
    if role is Role.OWNER:
        await stage.world.renter(OPERATOR)
        return stage.person(OPERATOR, "Olga", started=True)
    person = await stage.renter(MEMBER, name="Mia")
    if role:
        await stage.world.team.appoint(MEMBER, role, by=OPERATOR)
        await stage.world.settle()
    return person


async def tap(person, message, action, *args):
    return await person.use(
        message, Button("Tap me", callback_data=Buttons(KEY).pack(person.id, action, *args))
    )


@pytest.mark.parametrize("role", ROLES)
async def test_a_command_exists_for_those_who_may_use_it_alone(stage, ann, role):
    person = await employ(stage, role)
    for name, right in COMMANDS.items():
        said = await person.say(f"/{name}")
        answer = await person.wait_for("", after=said)
        assert ("I don't know this command" not in answer.text) == may(role, right), name


@pytest.mark.parametrize("role", ROLES)
async def test_a_button_works_for_those_who_may_use_it_alone(stage, ann, role):
    """Drawn with the right key for the right person, as if an old one had been kept."""
    person = await employ(stage, role)
    await person.say("/start")
    menu = await person.wait_for("Balance")
    actions = [
        (action, right)
        for table in (taps.OPERATOR, prompts.ASKED)
        for right in table
        for action in table[right]
    ]
    for action, right in actions:
        answer = await tap(person, menu, action, 42, 0, 0)
        assert (answer.text != NOT_YOURS) == may(role, right), action


@pytest.mark.parametrize("role", ROLES)
async def test_the_panel_shows_what_the_role_may_do(stage, role):
    person = await employ(stage, role)
    await person.say("/start")
    home = await person.wait_for("Balance")
    assert ("Operator" in labels(home)) == (role is not None)
    if role is None:
        return
    await person.tap("Operator")
    shown = set(labels(await person.wait_for(f"Operator · {role}")))
    entries = {"Users": Right.PEOPLE, "Team": Right.TEAM, "Vouchers": Right.MONEY, "Suppliers": Right.SHOP}
    entries |= {
        "Broadcast": Right.BROADCAST,
        "Log": Right.AUDIT,
        "Audit": Right.AUDIT,
        "Maintenance": Right.MAINTENANCE,
    }
    assert shown & set(entries) == {label for label, right in entries.items() if may(role, right)}


@pytest.mark.parametrize("role", ROLES)
async def test_the_menu_of_commands_follows_the_role(stage, role):
    person = await employ(stage, role)
    await commands.publish(stage.application.bot, await stage.shop.team.members())
    listed = {command["command"] for command in stage.telegram.profile.commands_for(person.chat.user)}
    assert listed & set(COMMANDS) == {name for name, right in COMMANDS.items() if may(role, right)}


async def test_support_sees_no_button_for_what_it_may_not_do(stage, ann):
    person = await employ(stage, Role.SUPPORT)
    await person.say("/user 42")
    card = await person.wait_for("Terms accepted")
    assert {"Message", "Add a note", "What they see"} <= set(labels(card))
    assert not {"Credit", "Debit", "Ban", "Erase data", "Log", "Make manager"} & set(labels(card))


async def test_an_owner_appoints_from_the_card_and_the_menu_follows(stage, ann, olga):
    await olga.say("/user 42")
    await olga.tap("Make manager")
    await olga.wait_for("Works here: manager")
    await ann.wait_for("You work for this shop now, as manager")
    seen = {command["command"] for command in stage.telegram.profile.commands_for(ann.chat.user)}
    assert "credit" in seen
    await olga.tap("Dismiss")
    await ann.wait_for("You no longer work")
    seen = {command["command"] for command in stage.telegram.profile.commands_for(ann.chat.user)}
    assert not seen & set(COMMANDS)


async def test_somebody_is_added_to_the_team_by_their_id(stage, ann, olga):
    await olga.say("/admin")
    await olga.tap("Team")
    await olga.tap("Add")
    await olga.say("nobody")
    await olga.wait_for("I don't know them")
    await olga.say("42")
    await olga.tap("Make support")
    await olga.wait_for("Works here: support")
    await olga.say("/admin")
    await olga.tap("Team", await olga.wait_for("Operator · owner", after=olga.messages[-1]))
    team = await olga.wait_for("Owners are named")
    assert [label for label in labels(team) if "support" in label]


async def test_a_dismissed_persons_old_buttons_do_nothing(stage, ann):
    person = await employ(stage, Role.MANAGER)
    await person.say("/user 42")
    card = await person.wait_for("Terms accepted")
    await stage.world.team.appoint(MEMBER, None, by=OPERATOR)
    for label in ("Credit", "Ban", "Message", "Log", "‹ Operator"):
        assert (await person.tap(label, card)).text == NOT_YOURS
    assert (await stage.world.accounts.get(42)).banned_at is None


async def test_what_a_dismissed_person_was_typing_is_a_search(stage, ann):
    person = await employ(stage, Role.MANAGER)
    await person.say("/user 42")
    await person.tap("Credit")
    await person.wait_for("How much do they get?")
    await stage.world.team.appoint(MEMBER, None, by=OPERATOR)
    await person.say("5000")
    await person.wait_for("I found nothing")
    assert (await stage.world.accounts.wallet(42)).available == 100_000


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.MANAGER])
async def test_alerts_reach_whoever_on_the_team_has_the_right(stage, role):
    person = await employ(stage, role)
    stage.world.vendor.buy(142, 1)
    await stage.world.reconcile()
    told = [message for message in person.messages if "no purchase here explains" in message.text]
    assert len(told) == may(role, Right.SHOP)
