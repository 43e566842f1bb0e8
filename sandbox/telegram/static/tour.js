// The guided tour: one step a promise. What happens in the world ticks a step; nothing is kept on the server.

import { onScreenPerson } from "./chat.js";
import { find, make, showView, toast } from "./dom.js";
import { STEPS } from "./tour_steps.js";

let world = null;
let people = new Map();
let proofs = {}; // by the step's id
let current = null; // the id of the step that is open, and watched
let memo = {}; // what that step has seen so far
let drawn = "";

const store = (key, value) => sessionStorage.setItem(`numlet tour ${key}`, JSON.stringify(value));
const stored = (key) => JSON.parse(sessionStorage.getItem(`numlet tour ${key}`) ?? "null");

/** Called with everything, whenever anything has changed. */
export function takeTour(newWorld, newPeople) {
  const isFirst = world?.id !== newWorld.id;
  [world, people] = [newWorld, newPeople];
  if (isFirst) begin();
  look();
}

/** Tick the step that is open as soon as its promise was seen kept. */
function look() {
  const step = STEPS.find(({ id }) => id === current);
  const proof = step && !proofs[current] ? step.watch(scene(), memo) : null;
  if (proof) keep(step, proof);
  draw();
}

function begin() {
  proofs = stored(world.id) ?? {};
  hide(stored("hidden") ?? false);
  open(STEPS.find(({ id }) => !proofs[id])?.id ?? null);
}

/** What a step looks at. */
function scene() {
  return { world, people, now: Date.now() / 1000, person: onScreenPerson() };
}

/** Watch a step from now on; null closes them all. */
function open(id) {
  current = id;
  const numbers = new Set(world.numbers.map(({ supplier, id: number }) => `${supplier} ${number}`));
  memo = { numbers, since: Date.now() / 1000 };
  draw();
}

function keep(step, proof) {
  proofs[step.id] = proof;
  store(world.id, proofs);
  find("tour-news").textContent = `Kept: ${step.title}. ${proof}`;
  step.tidy?.(scene());
  toast(`✓ ${step.title}`);
}

function goOn() {
  open(STEPS.find(({ id }) => !proofs[id])?.id ?? null);
  find(`tour-${current}`)?.querySelector("button").focus();
}

function draw() {
  const state = JSON.stringify([proofs, current]);
  if (state === drawn) return;
  drawn = state;
  const count = STEPS.filter(({ id }) => proofs[id]).length;
  const next = STEPS.find(({ id }) => !proofs[id]);
  find("tour-progress").textContent = `${count} of ${STEPS.length}`;
  find("tour-open").replaceChildren(
    make("span", {}, next ? `Try next: ${next.title}` : "The tour: every promise was kept"),
    make("span", { class: "count" }, `${count}/${STEPS.length}`));
  const focused = document.activeElement?.closest?.("#tour-steps li")?.id;
  find("tour-steps").replaceChildren(...STEPS.map(renderStep));
  if (focused) find(focused).querySelector("button").focus();
}

function renderStep(step, index) {
  const proof = proofs[step.id];
  const isOpen = step.id === current;
  const mark = make("span", { class: proof ? "mark kept" : "mark", "aria-hidden": "true" }, proof ? "✓" : `${index + 1}`);
  const title = make("button",
    { type: "button", class: "step", "aria-expanded": String(isOpen), onclick: () => open(isOpen ? null : step.id) },
    mark, make("span", {}, step.title), proof ? make("span", { class: "unseen" }, " (kept)") : null);
  return make("li", { id: `tour-${step.id}` }, title, isOpen ? renderBody(step, proof) : null);
}

function renderBody(step, proof) {
  return make("div", { class: "body" },
    make("p", { class: "promise" }, step.promise),
    make("ol", { class: "how" }, ...step.how.map((line) => make("li", {}, line))),
    make("div", { class: "doing" }, ...(step.actions ?? []).map(([words, act]) =>
      make("button", { type: "button", onclick: () => press(act) }, words))),
    proof ? make("p", { class: "proof" }, make("b", {}, "Kept. "), proof) : null,
    proof ? make("button", { type: "button", class: "quiet", onclick: goOn }, "Next step") : null);
}

/** What a button has seen may be all that happens: no news need follow it. */
async function press(act) {
  await act(scene(), memo);
  look();
}

function hide(isHidden) {
  find("tour").hidden = isHidden;
  store("hidden", isHidden);
}

find("tour-close").addEventListener("click", () => {
  hide(true);
  showView("chat");
  find("tour-open").focus();
});
find("tour-open").addEventListener("click", () => {
  hide(false);
  showView("tour");
  find("tour-title").focus();
});
document.querySelector(".views [data-view=tour]").addEventListener("click", () => hide(false));
