// The phone: people, the log of one chat, and what is written into it.

import { find, make, post, postFile, toast } from "./dom.js";
import { renderMessage } from "./message.js";

const people = new Map();
let current = Number(location.hash.slice(1)) || 0;
let replyTo = null;
let suggested = [];
let chosen = -1;

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

const person = () => people.get(current);
const say = (text) => post(`people/${current}/say`, { text, reply_to: replyTo?.id ?? null });
const hands = () => ({ person: current, stars: () => person().stars, say, reply: startReply });

function choose(id) {
  current = id;
  history.replaceState(null, "", `#${id}`);
  startReply(null);
  showSurroundings();
  showChat();
}

function showChat() {
  log.setAttribute("aria-live", "off");
  log.replaceChildren(...[...person().messages.values()].map((message) => renderMessage(message, hands())));
  log.scrollTop = log.scrollHeight;
  requestAnimationFrame(() => log.setAttribute("aria-live", "polite"));
}

function showNews({ messages, deleted }) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  for (const id of deleted) find(`message-${id}`)?.remove();
  for (const message of messages) showMessage(message);
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
  showPinned();
  showKeyboard();
  const { blocked, messages, description } = person();
  const empty = messages.size === 0;
  find("start").hidden = !(empty || blocked);
  find("start").textContent = blocked ? "Unblock" : "Start";
  find("composer").hidden = empty || blocked;
  find("block").hidden = empty || blocked;
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

function showPinned() {
  const pinned = [...person().messages.values()].filter((message) => message.pinned).at(-1);
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
  suggested = typed ? person().commands.filter(({ command }) => command.startsWith(typed[1].toLowerCase())) : [];
  chosen = -1;
  showSuggestions();
}

function showSuggestions() {
  const options = suggested.map(({ command, description }, index) => make("li",
    { id: `option-${index}`, role: "option", "aria-selected": index === chosen ? "true" : "false",
      onmousedown: (event) => event.preventDefault(), onclick: () => send(`/${command}`) },
    make("b", {}, `/${command}`), make("span", {}, description)));
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
  suggested = opening ? person().commands : [];
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
    send(chosen >= 0 ? `/${suggested[chosen].command}` : field.value);
  }
}

async function sendPhoto(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  await postFile(`people/${current}/photo?caption=${encodeURIComponent(field.value)}`, file);
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
