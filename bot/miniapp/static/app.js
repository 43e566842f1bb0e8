// The page: what is for sale, one sheet to buy from, and one's own orders.

import { Names, scorer } from "./search.js";

const find = (id) => document.getElementById(id);
const launch = new URLSearchParams(location.hash.slice(1));
const initData = window.Telegram?.WebApp?.initData || launch.get("tgWebAppData") || "";
const SHOWN = 50;
const LOOK_AGAIN = 3000; // milliseconds, while a code is waited for
const RARELY = 20000;
const TRIES = 8; // of several processes one has the shop, and while that changes none has

let words, names, language, chat, money;
let lines = [], services, countries, regions;
let pinned = new Set();
let sort = "price", shown = SHOWN;
let offer; // the line on the sheet, with the key that buys it once
let looking; // the timer of the orders

class Refused extends Error {
  constructor(status, facts) {
    super(facts.error ?? "");
    Object.assign(this, { status, price: facts.price });
  }
}

/** Raises Refused where the server says no, TypeError where it cannot be reached. */
async function call(path, options = {}) {
  for (let left = TRIES; ; left--) {
    const response = await fetch(`/app/api/${path}`, {
      ...options, headers: { Authorization: `tma ${initData}`, ...options.headers },
    });
    if (response.status === 204) return null;
    if (response.ok) return response.json();
    const facts = await response.json().catch(() => ({}));
    if (response.status !== 503 || left <= 1) throw new Refused(response.status, facts);
    const soon = 250 * 2 ** (TRIES - left);
    const told = 1000 * (Number(response.headers.get("Retry-After")) || 1);
    await new Promise((resolve) => setTimeout(resolve, Math.min(soon, told)));
  }
}

/** Tell Telegram something, from a frame in a browser or from an app. */
function tell(eventType, eventData = {}) {
  if (window.TelegramWebviewProxy) window.TelegramWebviewProxy.postEvent(eventType, JSON.stringify(eventData));
  else if (window.external && "notify" in window.external) window.external.notify(JSON.stringify({ eventType, eventData }));
  else if (parent !== window) parent.postMessage(JSON.stringify({ eventType, eventData }), "*");
}

function dress() {
  let theme = {};
  try { theme = JSON.parse(launch.get("tgWebAppThemeParams") || "{}"); } catch { /* the system's colours do */ }
  const root = document.documentElement;
  for (const [name, colour] of Object.entries(theme)) {
    if (/^#[0-9a-f]{6}$/i.test(colour)) root.style.setProperty(`--tg-${name}`, colour);
  }
  if (/^#[0-9a-f]{6}$/i.test(theme.bg_color)) {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(theme.bg_color.slice(at, at + 2), 16));
    root.classList.add(red * 0.299 + green * 0.587 + blue * 0.114 > 128 ? "light" : "dark");
  }
}

function notify(text) {
  find("notice").textContent = text;
  find("notice").hidden = !text;
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

const flag = (country) => [...country].map((letter) => String.fromCodePoint(0x1f1e6 + letter.charCodeAt(0) - 65)).join("");
const placeOf = (line) => `${line.service}:${line.country}`;
const nameOf = (country) => `${flag(country)} ${regions.of(country) ?? country}`;

async function open() {
  dress();
  try {
    const me = await call("me");
    ({ words, names, language, chat } = me);
    document.documentElement.lang = language;
    document.documentElement.dir = me.direction;
    regions = new Intl.DisplayNames([language, "en"], { type: "region" });
    write();
    await stock();
  } catch (error) {
    notify(error.message || "No connection. Please close this page and open it again.");
    return;
  } finally {
    tell("web_app_ready");
    tell("web_app_expand");
  }
  find("page").hidden = false;
  await look();
}

function write() {
  const texts = {
    "tab-shop": words.shop, "tab-orders": words.orders, "head-number": words.number, "by-price": words.price,
    "by-odds": words.odds, more: words.more, "sheet-promise": words.promise, details: words.details, back: words.back,
  };
  for (const [id, text] of Object.entries(texts)) find(id).textContent = text;
  find("by-odds").title = words.odds_help;
  find("search").placeholder = words.search;
  find("search").setAttribute("aria-label", words.search);
}

async function stock() {
  const catalog = await call("catalog");
  const { currency, exponent } = catalog;
  const format = new Intl.NumberFormat(language, {
    style: "currency", currency, currencyDisplay: "narrowSymbol",
    minimumFractionDigits: exponent, maximumFractionDigits: exponent,
  });
  money = (amount) => format.format(amount / 10 ** exponent);
  services = new Names(Object.entries(catalog.services).map(([id, names]) => [Number(id), names]));
  countries = new Names(Object.entries(catalog.countries));
  const nameOfService = ([name]) => names[name] ?? name;
  lines = catalog.lines.map(([service, country, price, percent]) =>
    ({ service, name: nameOfService(catalog.services[service]), country, price, percent }));
  list();
}

const isPinned = (line) => Number(pinned.has(placeOf(line)));

const orders = {
  price: (one, other) => one.price - other.price,
  odds: (one, other) => (other.percent ?? -1) - (one.percent ?? -1) || one.price - other.price,
};

function list() {
  const query = find("search").value.trim();
  let found = [...lines].sort((one, other) => isPinned(other) - isPinned(one) || orders[sort](one, other));
  if (query) {
    const score = scorer(query, services, countries);
    const scores = new Map(found.map((line) => [line, score(line)]));
    found = found.filter((line) => scores.get(line)).sort((one, other) => scores.get(other) - scores.get(one));
  }
  find("lines").replaceChildren(...found.slice(0, shown).map(row));
  find("more").hidden = found.length <= shown;
  find("nothing").hidden = found.length > 0;
  find("nothing").textContent = lines.length ? words.nothing : words.sold_out;
  find("by-price").setAttribute("aria-pressed", sort === "price");
  find("by-odds").setAttribute("aria-pressed", sort === "odds");
}

function row(line) {
  const what = make("button", { type: "button" }, isPinned(line) ? `★ ${line.name}` : line.name, make("small", {}, nameOf(line.country)));
  const element = make("tr", { onclick: () => show(line) },
    make("td", {}, what), make("td", {}, money(line.price)), make("td", {}, percent(line)));
  return element;
}

const percent = (line) =>
  line.percent === null ? "–" : new Intl.NumberFormat(language, { style: "percent" }).format(line.percent / 100);

/** The last look. The key is made here: however often Buy is tapped, it is one purchase. */
function show(line) {
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(12)))).replace(/\+/g, "-").replace(/\//g, "_");
  offer = { ...line, key };
  find("sheet-title").textContent = `${line.name} · ${nameOf(line.country)}`;
  find("sheet-facts").textContent = line.percent === null ? "" : `${words.odds}: ${percent(line)}`;
  find("buy").textContent = fill(words.buy, { amount: money(line.price) });
  find("buy").disabled = false;
  find("pin").textContent = isPinned(line) ? words.pinned : words.pin;
  complain("");
  if (!find("sheet").open) find("sheet").showModal();
}

function complain(text) {
  find("sheet-problem").textContent = text;
  find("sheet-problem").hidden = !text;
}

async function buy() {
  const { key, service, country, price } = offer;
  find("buy").disabled = true;
  complain("");
  try {
    const body = JSON.stringify({ key, service, country, price });
    await call("buy", { method: "POST", body, headers: { "Content-Type": "application/json" } });
  } catch (error) {
    if (error.price) show({ ...offer, price: error.price });
    // Without an answer nobody knows whether it came through: the same key may be sent again.
    find("buy").disabled = false;
    complain(error.message && error instanceof Refused ? error.message : words.offline);
    if (error.price) stock().catch(() => {});
    return;
  }
  find("sheet").close();
  choose("orders");
  notify(words.bought);
  await look();
}

/** Pinned offers stand first here, and at home in the chat. */
async function pin() {
  const { service, country } = offer;
  try {
    const body = JSON.stringify({ service, country, on: !isPinned(offer) });
    await call("pin", { method: "POST", body, headers: { "Content-Type": "application/json" } });
    await look();
    find("pin").textContent = isPinned(offer) ? words.pinned : words.pin;
  } catch (error) {
    complain(error.message && error instanceof Refused ? error.message : words.offline);
  }
}

/** Out of the page, to the same offer in the chat. */
function goToChat() {
  const link = new URL(chat);
  link.searchParams.set("start", `b_${offer.service.toString(36)}_${offer.country}`);
  tell("web_app_open_tg_link", { path_full: link.pathname + link.search });
}

async function look() {
  clearTimeout(looking);
  let waits = RARELY;
  if (document.visibilityState === "visible") {
    try {
      const news = await call("orders");
      find("balance").textContent = fill(words.balance, { amount: money(news.available) });
      draw(news.orders);
      star(news.pinned);
      if (news.notice) notify(news.notice);
      else if (isOver(find("notice").textContent, news.orders)) notify("");
      if (news.orders.some((order) => order.open)) waits = LOOK_AGAIN;
    } catch (error) {
      notify(error instanceof Refused && error.message ? error.message : words.offline);
    }
  }
  looking = setTimeout(look, waits);
}

/** Whether a notice says what is no longer so. */
function isOver(text, own) {
  return text === words.offline || (text === words.bought && own.every((order) => order.number || !order.open));
}

function star(places) {
  const now = new Set(places.map(([service, country]) => placeOf({ service, country })));
  if ([...now].join() === [...pinned].join()) return;
  pinned = now;
  list();
}

let drawn = "";

function draw(own) {
  const open = own.filter((order) => order.open).length;
  find("tab-orders").textContent = open ? `${words.orders} · ${new Intl.NumberFormat(language).format(open)}` : words.orders;
  if (JSON.stringify(own) === drawn) return;
  drawn = JSON.stringify(own);
  const cards = own.map(card);
  find("orders").replaceChildren(...(cards.length ? cards : [make("p", { className: "empty" }, words.no_orders)]));
}

function card(order) {
  const clock = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
  const until = order.ends_at ? ` · ${fill(words.until, { time: clock.format(order.ends_at * 1000) })}` : "";
  return make("article", { className: order.open ? "" : "over" },
    make("strong", {}, `${order.service} · ${nameOf(order.country)}`),
    order.number ? copies(order.number_text, order.number, "") : null,
    ...order.codes.map((code) => copies(code, code, "code")),
    make("p", {}, order.status, make("small", {}, `${money(order.price)}${until}`)));
}

function copies(text, value, kind) {
  const word = make("em", {}, words.copy);
  const button = make("button", { type: "button", className: "copies" }, make("span", { className: kind, dir: "ltr" }, text), word);
  button.addEventListener("click", async () => {
    if (await copy(value)) word.textContent = words.copied;
  });
  return button;
}

/** Frames may not use the clipboard; there, selecting what was tapped has to do. */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = make("textarea", { value: text });
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}

function choose(tab) {
  for (const name of ["shop", "orders"]) {
    find(name).hidden = name !== tab;
    find(`tab-${name}`).setAttribute("aria-selected", name === tab);
  }
  find("search").hidden = tab !== "shop";
  notify("");
}

function sortBy(order) {
  sort = order;
  shown = SHOWN;
  list();
}

find("search").addEventListener("input", () => { shown = SHOWN; list(); scrollTo(0, 0); });
find("more").addEventListener("click", () => { shown += SHOWN; list(); });
find("by-price").addEventListener("click", () => sortBy("price"));
find("by-odds").addEventListener("click", () => sortBy("odds"));
find("tab-shop").addEventListener("click", () => choose("shop"));
find("tab-orders").addEventListener("click", () => choose("orders"));
find("buy").addEventListener("click", buy);
find("details").addEventListener("click", goToChat);
find("pin").addEventListener("click", pin);
find("back").addEventListener("click", () => find("sheet").close());
document.addEventListener("visibilitychange", () => { if (words && document.visibilityState === "visible") look(); });

open();
