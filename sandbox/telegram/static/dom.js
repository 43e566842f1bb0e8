// Small things that every part of the page uses.

export const find = (id) => document.getElementById(id);

/** Build an element. Strings become text, never markup. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** On a narrow page, what fills it: "chat", "tour" or "world". */
export function showView(view) {
  document.body.dataset.view = view;
  for (const button of document.querySelectorAll(".views button")) {
    button.setAttribute("aria-pressed", String(button.dataset.view === view));
  }
}

/** Call the page's API. Answers the JSON, null where there is none; failures are shown. */
export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  return answerOf(fetch(`/world/${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
}

const moving = new Set();
const groupOf = (input) => input.name || input.id;

/** Carry out what a switch or a choice was set to. News of before do not set it back meanwhile. */
export async function change(input, path, body) {
  moving.add(groupOf(input));
  await post(path, body);
  moving.delete(groupOf(input));
}

/** Show a switch or a choice as the world has it. */
export function reflect(input, checked) {
  if (!moving.has(groupOf(input))) input.checked = checked;
}

export async function postFile(path, file) {
  const headers = { "Content-Type": file.type };
  return answerOf(fetch(`/world/${path}`, { method: "POST", headers, body: file }));
}

async function answerOf(request) {
  try {
    const response = await request;
    if (response.status === 204) return null;
    if (response.ok) return await response.json();
    toast(await response.text());
  } catch {
    toast("The sandbox does not answer. Is it still running?");
  }
  return null;
}

let hiding;

export function toast(text) {
  const box = find("toast");
  box.textContent = text;
  box.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => box.classList.remove("shown"), Math.max(2500, text.length * 60));
}

export function showAlert(text) {
  find("alert-text").textContent = text;
  find("alert").showModal();
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied ${text}`);
  } catch {
    showAlert(`Your browser keeps the clipboard closed. Here it is: ${text}`);
  }
}
