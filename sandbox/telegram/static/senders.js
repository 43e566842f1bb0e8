// Senders of SMS: the texts on people's phones, and what each sender does on its bad days.

import { change, find, make, post, reflect } from "./dom.js";
import { clockTime } from "./time.js";
import { FAILURES } from "./world.js";

let phones = new Map();

export function takeSenders(world) {
  showTexts(world.texts);
  showSenders(world.senders);
}

function showTexts(texts) {
  const before = phones;
  const states = texts.map((text) => JSON.stringify(text));
  if (before.size && states.join() === [...before.keys()].join()) return;
  // One that has not changed stays, with what is being written into it.
  phones = new Map(texts.map((text, place) => [states[place], before.get(states[place]) ?? handset(text)]));
  find("texts").replaceChildren(texts.length
    ? make("ol", { class: "texts" }, ...phones.values())
    : make("p", { class: "empty" }, "None yet."));
}

/** A phone that has rung, and can write back. */
function handset(text) {
  const input = make("input", { "aria-label": `Answer from ${text.to}`, placeholder: "Write back, as STOP", maxlength: 160, required: true });
  const answer = async (event) => {
    event.preventDefault();
    await post(`texts/${text.id}/answer`, { text: input.value });
  };
  return make("li", { class: "handset" },
    make("header", {}, make("strong", {}, text.to), make("small", {}, `from ${text.sender}`),
      make("small", {}, `${text.vendor}, ${text.status}, ${clockTime(text.at)}`)),
    make("p", {}, text.text),
    ...text.answers.map((words) => make("p", { class: "answer" }, words)),
    make("form", { class: "sms", onsubmit: answer, autocomplete: "off" }, input, make("button", {}, "Answer")));
}

function showSenders(senders) {
  const box = find("senders");
  if (box.children.length !== senders.length) box.replaceChildren(...senders.map(controlsOf));
  for (const sender of senders) {
    for (const [kind] of FAILURES) reflect(find(`${sender.name}-${kind}`), sender.always === kind);
    find(`${sender.name}-facts`).replaceChildren(...sender.facts.map((fact) => make("li", {}, fact)));
    for (const { name, on } of sender.switches) reflect(find(`${sender.name}-${name}`), on);
  }
}

function controlsOf(sender) {
  const path = `senders/${sender.name}/trouble`;
  const failures = FAILURES.map(([kind, words]) => make("label", {},
    make("input", { type: "radio", name: `failure-${sender.name}`, id: `${sender.name}-${kind}`,
      onchange: ({ target }) => change(target, path, { always: kind }) }),
    make("span", {}, words)));
  const switches = sender.switches.map(({ name, title, note }) => make("label", { class: "switch" },
    make("span", {}, make("span", {}, title), make("small", {}, note)),
    make("input", { type: "checkbox", role: "switch", id: `${sender.name}-${name}`,
      onchange: ({ target }) => change(target, path, { [name]: target.checked }) })));
  return make("details", {}, make("summary", {}, `Calls to ${sender.name}`),
    make("ul", { class: "facts", id: `${sender.name}-facts` }),
    make("div", { class: "choices" }, ...failures), ...switches);
}
