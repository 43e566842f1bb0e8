// Senders of SMS: the texts on people's phones, and what each sender does on its bad days.

import { find, make, post } from "./dom.js";
import { clockTime } from "./time.js";
import { FAILURES } from "./world.js";

let drawn = "";

export function takeSenders(world) {
  showTexts(world.texts);
  showSenders(world.senders);
}

function showTexts(texts) {
  const state = JSON.stringify(texts);
  if (state === drawn) return;
  drawn = state;
  find("texts").replaceChildren(texts.length
    ? make("ol", { class: "texts" }, ...texts.map(handset))
    : make("p", { class: "empty" }, "None yet."));
}

/** A phone that has rung. */
function handset(text) {
  return make("li", { class: "handset" },
    make("header", {}, make("strong", {}, text.to), make("small", {}, `from ${text.sender}`),
      make("small", {}, `${text.vendor}, ${text.status}, ${clockTime(text.at)}`)),
    make("p", {}, text.text));
}

function showSenders(senders) {
  const box = find("senders");
  if (box.children.length !== senders.length) box.replaceChildren(...senders.map(controlsOf));
  for (const sender of senders) {
    for (const [kind] of FAILURES) find(`${sender.name}-${kind}`).checked = sender.always === kind;
    find(`${sender.name}-facts`).replaceChildren(...sender.facts.map((fact) => make("li", {}, fact)));
    for (const { name, on } of sender.switches) find(`${sender.name}-${name}`).checked = on;
  }
}

function controlsOf(sender) {
  const path = `senders/${sender.name}/trouble`;
  const failures = FAILURES.map(([kind, words]) => make("label", {},
    make("input", { type: "radio", name: `failure-${sender.name}`, id: `${sender.name}-${kind}`,
      onchange: () => post(path, { always: kind }) }),
    make("span", {}, words)));
  const switches = sender.switches.map(({ name, title, note }) => make("label", { class: "switch" },
    make("span", {}, make("span", {}, title), make("small", {}, note)),
    make("input", { type: "checkbox", role: "switch", id: `${sender.name}-${name}`,
      onchange: (event) => post(path, { [name]: event.target.checked }) })));
  return make("details", {}, make("summary", {}, `Calls to ${sender.name}`),
    make("ul", { class: "facts", id: `${sender.name}-facts` }),
    make("div", { class: "choices" }, ...failures), ...switches);
}
