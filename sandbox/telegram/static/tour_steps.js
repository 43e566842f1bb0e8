// The steps of the tour. `watch(scene, memo)` answers the proof in words as soon as a promise was seen kept:
// it looks only at what happened since the step was opened, and keeps what it must remember in `memo`.

import { post, toast } from "./dom.js";
import { clockTime } from "./time.js";

const SUPPLIER = "smscode";
const GUEST = 1002;

const isNew = (memo) => ({ supplier, id }) => !memo.numbers.has(`${supplier} ${id}`);
const since = (memo) => ({ at }) => at >= Math.floor(memo.since);
const seconds = (span) => (span < 1 ? `${Math.max(1, Math.round(span * 1000))} ms` : `${Math.round(span)} s`);
const trouble = (changes) => post("trouble", { supplier: SUPPLIER, ...changes });
const buttonsOf = (message) => message.buttons.flat();

function* messagesOf(people) {
  for (const someone of people.values()) for (const message of someone.messages.values()) yield message;
}

/** The messages that brought a number's code: those that copy it. */
function bringing(people, { phone, code }) {
  return [...messagesOf(people)].filter((message) => !message.own && message.text.includes(phone)
    && buttonsOf(message).some(({ copy }) => copy === code));
}

/** A number with its code in the chat, as words; null where that has not happened. */
function shownOnce(people, number) {
  const shown = number?.code ? bringing(people, number) : [];
  if (shown.length !== 1) return null;
  return `code ${number.code} was shown once, ${seconds(shown[0].sent_at - number.received_at)} after its SMS`;
}

/** Whether the number's card has its code, too: the last thing that happens. */
function isOnCard(people, number) {
  const cards = [...messagesOf(people)].filter(({ own, text }) => !own && text.includes(number.phone) && text.includes(number.code));
  return cards.length > 1;
}

/** The line of a number's card that speaks of money. */
function moneyLine(people, number) {
  const cards = [...messagesOf(people)].filter((message) => !message.own && message.text.includes(number.phone));
  const lines = cards.flatMap((card) => card.text.split("\n"));
  return lines.filter((line) => /Rp|⭐/.test(line)).at(-1) ?? "";
}

/** The newest button of the person on the screen whose name begins so, with where it is. */
function findButton(person, beginning) {
  for (const message of [...person.messages.values()].reverse()) {
    for (const [row, buttons] of message.buttons.entries()) {
      const column = buttons.findIndex(({ text, copy, link }) => text.startsWith(beginning) && copy === null && link === null);
      if (column >= 0 && !message.own) return { message: message.id, row, column, text: buttons[column].text };
    }
  }
  return null;
}

async function buyAndKill({ person }) {
  const buy = findButton(person, "Buy for") ?? findButton(person, "Buy ");
  if (!buy) return toast("First write “whatsapp indonesia”, until there is a Buy button.");
  post(`people/${person.id}/tap`, buy);
  setTimeout(() => post("bot/kill"), 40);
}

async function tapAsGuest({ people }, memo) {
  const guest = people.get(GUEST);
  const owner = [...people.values()].find((someone) => someone.id !== GUEST && !someone.topics && findButton(someone, ""));
  if (!owner) return toast("First rent a number, so that there is something to steal.");
  if (![...guest.messages.values()].some((message) => !message.own)) await greet(guest);
  const stolen = findButton(owner, "Cancel") ?? findButton(owner, "");
  const answer = await post(`people/${GUEST}/borrow`, { owner: owner.id, ...stolen });
  if (answer) memo.stolen = `${guest.name} sent what ${owner.name}'s button “${stolen.text}” sends, and read: “${answer.text}”`;
}

async function greet(guest) {
  await post(`people/${guest.id}/say`, { text: "/start", reply_to: null });
  toast(`${guest.name} says hello to the bot first. Press again in a moment.`);
  await new Promise((resolve) => setTimeout(resolve, 1000));
}

async function sendCode({ world }, memo) {
  const open = world.numbers.find((number) => number.open && number.supplier === SUPPLIER);
  if (!open) return toast("First rent a number to send a code to.");
  const { people, told } = world.crowd;
  if (!people || told <= people) return toast("First start the broadcast: the guests have not heard of it yet.");
  const code = String(Math.floor(Math.random() * 1e6)).padStart(6, "0");
  memo.race = { code, told };
  await post(`numbers/${open.id}/sms`, { supplier: open.supplier, text: `WhatsApp code: ${code}` });
}

async function expireNewest({ world }, memo) {
  const number = world.numbers.filter(isNew(memo)).find(({ open, code, supplier }) => open && !code && supplier === SUPPLIER);
  if (!number) return toast("First rent a number whose code does not come.");
  await post(`suppliers/${SUPPLIER}/numbers/${number.id}/expire`);
}

const BUY = "Write “whatsapp indonesia” in the chat, and press Buy.";

export const STEPS = [
  {
    id: "buy",
    title: "Rent a number",
    promise: "You pay the price on the button, once, however often you tap it; and the code finds you.",
    how: ["Press Start, then Accept.", "Pick WhatsApp, Indonesia, and press Buy, as often as you like.", "Wait for the code, or send one from “Rented numbers”."],
    watch({ world, people }, memo) {
      const fresh = world.numbers.filter(isNew(memo));
      const number = fresh.find((each) => shownOnce(people, each) && isOnCard(people, each));
      if (!number) return null;
      const count = fresh.length === 1 ? "One number was" : `${fresh.length} numbers were`;
      return `${count} sold. For ${number.phone} ${shownOnce(people, number)}. ${moneyLine(people, number)}`.trim();
    },
  },
  {
    id: "lose",
    title: "Lose the webhook",
    promise: "No code is lost: what no webhook tells is found by asking the supplier, and shown once.",
    how: ["Press the button below.", BUY, "Watch the webhook being dropped, and the code coming within 15 seconds all the same."],
    actions: [["Lose webhooks", () => trouble({ drop_webhooks: true })]],
    tidy: () => trouble({ drop_webhooks: false }),
    watch({ world, people }, memo) {
      const lost = world.deliveries.filter(since(memo)).filter(({ error, event }) => error === "dropped" && event.endsWith("otp_received"));
      for (const { order, supplier, at } of lost) {
        const number = world.numbers.find((each) => each.id === order && each.supplier === supplier);
        const shown = shownOnce(people, number);
        if (shown) return `The webhook of ${clockTime(at)} was dropped. ${number.phone}: ${shown}, by asking. The switch is off again.`;
      }
      return null;
    },
  },
  {
    id: "forge",
    title: "Forge a webhook",
    promise: "Nobody can invent a code: a wrong signature is refused, whatever it claims.",
    how: ["Press the button below.", BUY, "Watch “Last webhooks”: 401. The real code comes by asking."],
    actions: [["Forge signatures", () => trouble({ forge_webhooks: true })]],
    tidy: () => trouble({ forge_webhooks: false }),
    watch({ world, people }, memo) {
      const refused = world.deliveries.filter(since(memo)).filter(({ status }) => status === 401);
      for (const { order, supplier, milliseconds } of refused) {
        const number = world.numbers.find((each) => each.id === order && each.supplier === supplier);
        const shown = shownOnce(people, number);
        if (shown) return `The forged webhook was answered 401 in ${milliseconds} ms. ${number.phone}: ${shown}. The switch is off again.`;
      }
      return null;
    },
  },
  {
    id: "kill",
    title: "Kill the bot in the middle",
    promise: "A crash is only a delay: no number is bought twice, none is paid for and forgotten.",
    how: ["Write “whatsapp indonesia”, until there is a Buy button.", "Press “Tap Buy and kill”: the process dies 40 ms after the tap.", "Press “Start it again”."],
    actions: [["Tap Buy and kill", buyAndKill], ["Start it again", () => post("bot/restart")]],
    watch({ world, people, now }, memo) {
      if (world.bot.alive === false) memo.killedAt ??= now;
      if (world.bot.alive && memo.killedAt) memo.backAt ??= now;
      const fresh = world.numbers.filter(isNew(memo));
      const number = fresh.find((each) => shownOnce(people, each) && isOnCard(people, each));
      if (!memo.backAt || !number) return null;
      const count = fresh.length === 1 ? "One number was" : `${fresh.length} numbers were`;
      return `The bot was gone for ${seconds(memo.backAt - memo.killedAt)}. ${count} bought. ${number.phone}: ${shownOnce(people, number)}. ${moneyLine(people, number)}`.trim();
    },
  },
  {
    id: "expire",
    title: "Let no code come",
    promise: "No code, no charge: what was on hold goes back in full.",
    how: ["Press “Withhold codes”.", BUY, "Press “Let its time run out”, instead of waiting for twenty minutes."],
    actions: [["Withhold codes", () => trouble({ withhold_codes: true })], ["Let its time run out", expireNewest]],
    tidy: () => trouble({ withhold_codes: false }),
    watch({ world, people }, memo) {
      const number = world.numbers.filter(isNew(memo)).find(({ status }) => status === "expired" || status === "canceled");
      const cards = number ? [...messagesOf(people)].filter(({ own, text }) => !own && text.includes(number.phone)) : [];
      // While a number is open, its card has a button that copies it.
      if (!cards.length || cards.some((card) => buttonsOf(card).some(({ copy }) => copy === number.phone))) return null;
      return `${number.phone} ended without a code. Its card says: “${moneyLine(people, number)}” The switch is off again.`;
    },
  },
  {
    id: "break",
    title: "Break a supplier",
    promise: "A supplier's trouble stays its own: menus and wallets work on, and another supplier sells.",
    how: ["Press the button below: smscode answers 503 to everything.", "Write “whatsapp germany”, and press Buy.", "The menus answer as before; the number comes from the other supplier."],
    actions: [["Break smscode", () => trouble({ always: "503" })]],
    tidy: () => trouble({ always: null }),
    watch({ world }, memo) {
      const isBroken = world.suppliers.some(({ name, always }) => name === SUPPLIER && always);
      const number = world.numbers.filter(isNew(memo)).find(({ supplier }) => supplier !== SUPPLIER);
      if (!isBroken || !number) return null;
      return `While smscode answered 503, ${number.phone} came from ${number.supplier}. smscode works again.`;
    },
  },
  {
    id: "steal",
    title: "Press somebody else's button",
    promise: "Nobody sees or touches another's orders: every button is signed for its owner.",
    how: ["As Rina, rent a number, so that she has a card with buttons.", "Press the button below: Ben's forged app sends what her button sends."],
    actions: [["Tap Rina's button as Ben", tapAsGuest]],
    watch: (_scene, memo) => memo.stolen ?? null,
  },
  {
    id: "race",
    title: "A code in the middle of a broadcast",
    promise: "A code outranks everything: it does not wait behind a broadcast.",
    how: ["As Rina, rent a number and leave it open.", "Press “Invite 200 guests”, and wait until they were greeted.", "As Olga, write /broadcast, then a message, and press Send.", "While it runs, press “Send a code”."],
    actions: [["Invite 200 guests", () => post("crowd")], ["Send a code", sendCode]],
    watch({ world, people }, memo) {
      const number = memo.race && world.numbers.find(({ code }) => code === memo.race.code);
      const shown = shownOnce(people, number);
      if (shown) memo.race.toldThen ??= world.crowd.told;
      if (!shown || world.crowd.told < memo.race.toldThen + 10) return null;
      const { people: guests } = world.crowd;
      return `The ${shown}. ${memo.race.told - guests} of ${guests} guests had the broadcast by then, and it went on.`;
    },
  },
];
