// The world beside the chat: numbers, webhooks, trouble, the supplier, the bot.

import { change, find, make, post, reflect } from "./dom.js";
import { clockTime, countdown } from "./time.js";

const SWITCHES = [
  ["drop_webhooks", "Lose webhooks", "Codes come by asking"],
  ["duplicate_webhooks", "Send webhooks twice", "Each code must show once"],
  ["forge_webhooks", "Forge signatures", "They must be refused"],
  ["delay_webhooks", "Delay webhooks", "By ten seconds"],
  ["withhold_codes", "Withhold codes", "None arrives by itself"],
  ["out_of_stock", "Out of stock", "No number to be had"],
  ["price_jump_percent", "Price jump", "Half as much again"],
];
export const FAILURES = [
  [null, "work"], ["429", "429 too many"], ["503", "503 down"], ["timeout", "no answer"], ["lost_answer", "answer lost"],
  ["html", "garbage"], ["half_json", "cut off"],
];
const STATES = {
  active: "waiting", otp_received: "received", completed: "completed", canceled: "canceled", expired: "expired",
};
const cards = new Map();
let suppliers = [];
let troubled = null; // the name of the supplier whose switches are shown
let shownSuppliers = "";
const number = new Intl.NumberFormat("en");

export function takeWorld(world) {
  showNumbers(world.numbers);
  showDeliveries(world.deliveries);
  suppliers = world.suppliers;
  showTrouble();
  showCharges(world.charges);
  showBot(world.bot);
  showSuppliers(world.stars);
}

function showNumbers(numbers) {
  const open = numbers.filter((order) => order.open).length;
  find("open-numbers").textContent = open;
  find("open-numbers").hidden = !open;
  const shown = new Set(numbers.map(keyOf));
  for (const id of cards.keys()) if (!shown.has(id)) cards.delete(id);
  const list = numbers.map(cardOf);
  const box = find("numbers");
  if (!list.length) {
    box.replaceChildren(make("p", { class: "empty" }, "None yet. Buy one in the chat and it appears here."));
  } else if (list.length !== box.children.length || list.some((card, index) => card !== box.children[index])) {
    box.replaceChildren(...list);
  }
}

/** The number's card. While its state stays, so does the element, with what is being typed into it. */
function cardOf(order) {
  const state = JSON.stringify(order);
  const known = cards.get(keyOf(order));
  if (known?.state === state) return known.element;
  const typed = known?.element.querySelector("input")?.value;
  const element = renderCard(order, typed);
  cards.set(keyOf(order), { state, element });
  return element;
}

function keyOf(order) {
  return `${order.supplier} ${order.id}`;
}

function renderCard(order, typed) {
  const title = make("div", { class: "title" },
    make("span", { class: "flag", title: order.country }, order.flag),
    make("strong", {}, order.service),
    make("span", { class: "number" }, order.phone),
    make("span", { class: `state ${order.status}` }, STATES[order.status]));
  if (!order.open) return make("div", { class: "card closed" }, title);
  const input = make("input", { "aria-label": `SMS to ${order.phone}`, maxlength: 500, required: true });
  input.value = typed ?? sampleSms(order.service);
  const send = async (event) => {
    event.preventDefault();
    const text = input.value;
    input.value = sampleSms(order.service);
    await post(`numbers/${order.id}/sms`, { supplier: order.supplier, text });
  };
  if (order.expires_at) {
    const left = make("time", { class: "left", "data-unix": order.expires_at, "data-kind": "countdown", title: "Time left" },
      countdown(order.expires_at));
    title.insertBefore(left, title.lastChild);
  }
  const expire = order.expires_at ? make("button", { type: "button", class: "quiet", "aria-label": `Expire ${order.phone}`,
    onclick: () => post(`suppliers/${order.supplier}/numbers/${order.id}/expire`) }, "Expire") : null;
  return make("div", { class: "card" }, title,
    make("form", { class: "sms", onsubmit: send, autocomplete: "off" }, input, make("button", {}, "Send SMS"), expire));
}

function sampleSms(service) {
  const code = String(Math.floor(Math.random() * 1e6)).padStart(6, "0");
  return `${service} code: ${code}`;
}

function showDeliveries(deliveries) {
  const rows = deliveries.map((delivery) => {
    const good = delivery.status >= 200 && delivery.status < 300;
    return make("li", {},
      make("span", { class: "at" }, clockTime(delivery.at)),
      make("span", { class: "event" }, delivery.event.replace(/^order\./, "").replaceAll("_", " "),
        delivery.order ? make("small", {}, ` #${delivery.order}`) : null),
      make("span", { class: good ? "status good" : "status bad" }, `${delivery.status ?? delivery.error ?? "?"}`),
      make("span", { class: "took" }, delivery.status ? `${delivery.milliseconds} ms` : ""));
  });
  find("deliveries").replaceChildren(rows.length
    ? make("ol", { class: "deliveries" }, ...rows)
    : make("p", { class: "empty" }, "None yet."));
}

function showTrouble() {
  const names = suppliers.map((supplier) => supplier.name);
  if (!names.includes(troubled)) troubled = names[0];
  const choice = find("troubled");
  if (choice.querySelectorAll("input").length !== names.length) {
    choice.append(...names.map((name) => make("label", {},
      make("input", { type: "radio", name: "troubled", value: name, checked: name === troubled,
        onchange: () => { troubled = name; showTrouble(); } }),
      make("span", {}, name))));
  }
  const supplier = suppliers.find((one) => one.name === troubled);
  for (const [name] of SWITCHES) {
    const input = find(`switch-${name}`);
    input.closest("label").hidden = !(name in supplier.switches);
    reflect(input, supplier.switches[name] ?? false);
  }
  for (const [kind] of FAILURES) reflect(find(`failure-${kind}`), supplier.always === kind);
}

/** What each supplier has; not drawn anew while somebody is typing into it. */
function showSuppliers(stars) {
  const state = JSON.stringify([suppliers.map(({ name, balance, webhook_url, stock }) => [name, balance, webhook_url, stock]), stars]);
  const box = find("suppliers");
  if (state === shownSuppliers || box.querySelector("input:focus")) return;
  shownSuppliers = state;
  box.replaceChildren(...suppliers.flatMap((supplier) => [
    supplier.balance === null ? null : fact(`Balance at ${supplier.name}`,
      amountField(`Balance at ${supplier.name}, rupiah`, supplier.balance, (amount) => post(`suppliers/${supplier.name}/balance`, { amount }))),
    ...supplier.stock.map((product) => fact(`${product.name}, Rp ${number.format(product.price)}`,
      amountField(`Stock of ${product.name}`, product.available,
        (available) => post(`suppliers/${supplier.name}/stock`, { product: product.id, available })))),
    fact(`${supplier.name} sends webhooks to`, supplier.webhook_url?.replace(/(\/webhooks\/\w+\/).+/, "$1…") ?? "nowhere yet"),
  ].filter(Boolean)), fact("The bot's Stars at Telegram", `⭐️ ${number.format(stars)}`));
}

/** A number that can be changed: with Enter, or by leaving it. */
function amountField(label, value, change) {
  const input = make("input", { type: "number", class: "amount", min: 0, step: 1, value, required: true, "aria-label": label });
  input.addEventListener("change", () => { if (input.checkValidity()) change(Number(input.value)); });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") input.blur(); });
  return input;
}

function fact(term, text) {
  return make("div", {}, make("dt", {}, term), make("dd", {}, text));
}

function showCharges(charges) {
  find("charges").hidden = !charges.length;
  find("charges").replaceChildren(make("p", { class: "hint" }, "What an app store takes back comes out of the bot's Stars."),
    ...charges.map((charge) => make("div", { class: "charge" },
      make("span", {}, `${charge.name}, ${charge.title}, ⭐️ ${charge.stars}`),
      charge.refunded ? make("small", {}, "went back")
        : make("button", { type: "button", onclick: () => post(`charges/${charge.id}/refund`) }, "Store refund"))));
}

function showBot(bot) {
  const words = { true: "online", false: "stopped", null: "bot" };
  find("bot-state").textContent = words[bot.alive];
  find("bot-state").classList.toggle("down", bot.alive === false);
  const actions = find("bot-actions");
  const wanted = [bot.restart && ["restart", "Restart the bot"], bot.kill && ["kill", "Kill the bot"]].filter(Boolean);
  actions.hidden = !wanted.length;
  if (actions.children.length === wanted.length) return;
  actions.replaceChildren(...wanted.map(([action, words]) =>
    make("button", { type: "button", class: action, onclick: () => post(`bot/${action}`) }, words)));
}

function buildTrouble() {
  find("switches").append(...SWITCHES.map(([name, title, note]) => make("label", { class: "switch" },
    make("span", {}, make("span", {}, title), make("small", {}, note)),
    make("input", { type: "checkbox", role: "switch", id: `switch-${name}`,
      onchange: ({ target }) => change(target, "trouble", { supplier: troubled, [name]: target.checked }) }))));
  find("failures").append(...FAILURES.map(([kind, words]) => make("label", {},
    make("input", { type: "radio", name: "failure", id: `failure-${kind}`, onchange: ({ target }) => change(target, "trouble", { supplier: troubled, always: kind }) }),
    make("span", {}, words))));
}

buildTrouble();
