// The phone: people, the log of one chat, and what is written into it.

import { find, make, post, postFile, toast } from "./dom.js";
import { renderMessage } from "./message.js";

const people = new Map();
let current = Number(location.hash.slice(1)) || 0;
let replyTo = null;
let topic = null;  // of a group with topics: the one on the screen
let suggested = [];
let chosen = -1;
let searching; // the timer of an inline search

const log = find("log");
const field = find("text");

export function takeChats({ reset, people: changed }) {
  if (reset) people.clear();
  for (const news of changed) {
    const known = people.get(news.id)?.messages ?? new Map();
    for (const message of news.messages) known.set(message.id, message);
    for (const id of news.deleted) known.delete(id);
    people.set(news.id, { ...news, messages: known });
    if (news.id === current && !reset) showNews(news);
  }
  if (!people.has(current)) current = people.keys().next().value;
  showSurroundings();
  if (reset) showChat();
}

/** Everybody by id, with their messages by id; and who is on the screen. */
export const everybody = () => people;
export const onScreenPerson = () => people.get(current);

const person = onScreenPerson;
const say = (text) => post(`people/${current}/say`, { text, reply_to: replyTo?.id ?? null, topic });
const onScreen = (message) => !person().topics || message.topic === topic;
const hands = () => ({ person: current, stars: () => person().stars, say, start, reply: startReply });

/** Follow a link to the bot: out of a group it leads into the private chat. */
function start(parameter) {
  choose(person().member ?? current);
  say(`/start ${parameter}`);
}

function choose(id) {
  current = id;
  history.replaceState(null, "", `#${id}`);
  startReply(null);
  showSurroundings();
  showChat();
}

function showChat() {
  log.setAttribute("aria-live", "off");
  log.replaceChildren(...[...person().messages.values()].filter(onScreen).map((message) => renderMessage(message, hands())));
  log.scrollTop = log.scrollHeight;
  requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
}

function showNews({ messages, deleted }) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  for (const id of deleted) find(`message-${id}`)?.remove();
  showTopics();
  for (const message of messages.filter(onScreen)) showMessage(message);
  if (atEnd || messages.some((message) => message.own)) log.scrollTop = log.scrollHeight;
}

function showMessage(message) {
  const before = find(`message-${message.id}`);
  const after = renderMessage(message, hands());
  if (!before) return log.append(after);
  const spot = before.contains(document.activeElement) ? document.activeElement.dataset.spot : undefined;
  before.replaceWith(after);
  // A tap often changes the keyboard under the finger: the focus stays in its place.
  if (spot !== undefined) (after.querySelector(`[data-spot="${spot}"]`) ?? after).focus({ preventScroll: true });
}

function markRead() {
  if (person()?.unread && document.visibilityState === "visible") post(`people/${current}/read`);
}

function showSurroundings() {
  markRead();
  showPeople();
  showTopics();
  showPinned();
  showKeyboard();
  const { blocked, messages, description } = person();
  const empty = messages.size === 0;
  find("start").hidden = !(empty || blocked);
  find("start").textContent = blocked ? "Unblock" : "Start";
  find("composer").hidden = empty || blocked;
  find("block").hidden = empty || blocked || Boolean(person().topics);
  log.classList.toggle("empty", empty);
  log.dataset.welcome = description || "No messages here yet. Press Start to talk to the bot.";
}

function showPeople() {
  const buttons = [...people.values()].map((someone, tone) => make("button",
    { type: "button", "aria-current": someone.id === current ? "true" : "false", onclick: () => choose(someone.id) },
    make("span", { class: `avatar tone-${tone}`, "aria-hidden": "true" }, someone.name[0]),
    make("span", { class: "names" }, make("strong", {}, someone.name), make("small", {}, someone.role)),
    someone.unread ? make("span", { class: "count", "aria-label": `${someone.unread} unread` }, `${someone.unread}`) : null));
  const focused = [...find("people").children].indexOf(document.activeElement);
  find("people").replaceChildren(...buttons);
  buttons[focused]?.focus();
  const unread = [...people.values()].reduce((sum, someone) => sum + someone.unread, 0);
  document.title = unread ? `(${unread}) Numlet sandbox` : "Numlet sandbox";
}

function showTopics() {
  const topics = person().topics ?? [];
  if (!topics.some(({ id }) => id === topic)) topic = topics.at(-1)?.id ?? null;
  find("topics").replaceChildren(...topics.map(({ id, name, closed }) => make("button",
    { type: "button", "aria-current": id === topic ? "true" : "false", onclick: () => chooseTopic(id) },
    closed ? `🔒 ${name}` : name)));
  find("topics").hidden = !topics.length;
}

function chooseTopic(id) {
  topic = id;
  startReply(null);
  showSurroundings();
  showChat();
}

function showPinned() {
  const pinned = [...person().messages.values()].filter(onScreen).filter((message) => message.pinned).at(-1);
  find("pinned").hidden = !pinned;
  if (!pinned) return;
  find("pinned").textContent = `📌 ${pinned.text}`;
  find("pinned").onclick = () => find(`message-${pinned.id}`)?.scrollIntoView({ block: "center" });
}

function showKeyboard() {
  const press = (button) => (button.contact ? post(`people/${current}/contact`) : say(button.text));
  const rows = person().keyboard.map((row) => make("div", { class: "row" },
    ...row.map((button) => make("button", { type: "button", onclick: () => press(button) }, button.text))));
  find("keyboard").replaceChildren(...rows);
  find("keyboard").hidden = !rows.length;
}

function startReply(message) {
  replyTo = message;
  field.placeholder = message ? `Reply to “${message.text.slice(0, 30)}”` : "Message";
  if (message) field.focus();
}

// Commands, suggested while one is being typed.

function suggest() {
  const typed = /^\/(\w*)$/.exec(field.value);
  suggested = typed ? commandsOf(typed[1].toLowerCase()) : [];
  chosen = -1;
  showSuggestions();
  clearTimeout(searching);
  if (field.value.startsWith(`@${person().bot} `)) searching = setTimeout(searchInline, 250);
}

function commandsOf(beginning) {
  return person().commands.filter(({ command }) => command.startsWith(beginning))
    .map(({ command, description }) => ({ title: `/${command}`, description, pick: () => send(`/${command}`) }));
}

/** Inline mode: what the bot offers for what stands behind its name. */
async function searchInline() {
  const asked = field.value;
  const path = `people/${current}`;
  const results = await post(`${path}/search`, { query: asked.slice(person().bot.length + 2) });
  if (field.value !== asked) return;
  if (!results?.length) return toast("The bot offers nothing for this.");
  suggested = results.map(({ id, title, description }) => ({ title, description, pick: () => pick(`${path}/pick`, id) }));
  showSuggestions();
}

async function pick(path, id) {
  await send("");
  await post(path, { id });
}

function showSuggestions() {
  const options = suggested.map(({ title, description, pick: onPick }, index) => make("li",
    { id: `option-${index}`, role: "option", "aria-selected": index === chosen ? "true" : "false",
      onmousedown: (event) => event.preventDefault(), onclick: onPick },
    make("b", {}, title), make("span", {}, description)));
  find("suggestions").replaceChildren(...options);
  find("suggestions").hidden = !options.length;
  for (const element of [field, find("menu")]) element.setAttribute("aria-expanded", String(options.length > 0));
  if (chosen >= 0) {
    field.setAttribute("aria-activedescendant", `option-${chosen}`);
    options[chosen].scrollIntoView({ block: "nearest" });
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

function openMenu() {
  const opening = !suggested.length;
  suggested = opening ? commandsOf("") : [];
  if (opening && !suggested.length) toast("The bot has no commands yet.");
  chosen = -1;
  showSuggestions();
  field.focus();
}

async function send(text) {
  field.value = "";
  fit();
  suggest();
  if (text.trim()) await say(text);
  startReply(null);
  field.focus();
}

function fit() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

function onKey(event) {
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (move && suggested.length) {
    event.preventDefault();
    chosen = (chosen + move + suggested.length) % suggested.length;
    showSuggestions();
  } else if (event.key === "Escape") {
    suggested = [];
    showSuggestions();
    startReply(null);
  } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    if (chosen >= 0) suggested[chosen].pick();
    else send(field.value);
  }
}

async function sendPhoto(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  await postFile(`people/${current}/photo?caption=${encodeURIComponent(field.value)}&topic=${topic ?? ""}`, file);
  field.value = "";
}

field.addEventListener("input", () => { fit(); suggest(); });
field.addEventListener("keydown", onKey);
find("composer").addEventListener("submit", (event) => { event.preventDefault(); send(field.value); });
find("menu").addEventListener("click", openMenu);
find("photo").addEventListener("change", sendPhoto);
find("block").addEventListener("click", () => post(`people/${current}/block`, { blocked: true }));
find("start").addEventListener("click", () => {
  if (person().blocked) post(`people/${current}/block`, { blocked: false });
  else say("/start");
});
document.addEventListener("visibilitychange", markRead);
