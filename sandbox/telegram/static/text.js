// Formatted text: Telegram's entities as elements. Offsets count UTF-16 units, as JavaScript's strings do.

import { copy, make } from "./dom.js";
import { agoOrAhead, moment } from "./time.js";

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote", custom_emoji: "span",
};

/** `onCommand` is called with a command that is tapped. */
export function renderText(text, entities, onCommand) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return renderRange(text, sorted, 0, text.length, onCommand);
}

function renderRange(text, entities, start, end, onCommand) {
  const nodes = [];
  let position = start;
  let index = 0;
  while (index < entities.length) {
    const entity = entities[index++];
    const stop = entity.offset + entity.length;
    if (entity.offset < position || stop > end) continue;
    const inner = [];
    while (index < entities.length && entities[index].offset < stop) inner.push(entities[index++]);
    nodes.push(text.slice(position, entity.offset));
    const children = renderRange(text, inner, entity.offset, stop, onCommand);
    nodes.push(renderEntity(entity, text.slice(entity.offset, stop), children, onCommand));
    position = stop;
  }
  nodes.push(text.slice(position, end));
  return nodes.filter((node) => node !== "");
}

function renderEntity(entity, covered, children, onCommand) {
  switch (entity.type) {
    case "code":
      return make("code", { tabindex: 0, role: "button", title: "Copy", onclick: () => copy(covered),
        onkeydown: (event) => event.key === "Enter" && copy(covered) }, covered);
    case "spoiler":
      return renderSpoiler(children);
    case "bot_command":
      return make("button", { type: "button", class: "inline", onclick: () => onCommand(covered) }, covered);
    case "text_link":
    case "url":
      return renderLink(entity.url ?? covered, children);
    case "date_time":
      return renderMoment(entity, covered);
    case "mention":
      return make("span", { class: "mention" }, ...children);
    default:
      return make(TAGS[entity.type] ?? "span", {}, ...children);
  }
}

function renderSpoiler(children) {
  const reveal = (event) => event.currentTarget.classList.add("revealed");
  return make("button", { type: "button", class: "inline spoiler", title: "Reveal", onclick: reveal }, ...children);
}

export function safeLink(url) {
  return /^https?:\/\//i.test(url) ? url : null;
}

function renderLink(url, children) {
  const href = safeLink(url);
  if (!href) return make("span", { class: "mention" }, ...children);
  return make("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

function renderMoment(entity, fallback) {
  const at = new Date(entity.unix_time * 1000);
  const attributes = { datetime: at.toISOString(), title: at.toLocaleString() };
  if (entity.date_time_format === "r") {
    return make("time", { ...attributes, "data-unix": entity.unix_time }, agoOrAhead(entity.unix_time));
  }
  return make("time", attributes, moment(at, entity.date_time_format) || fallback);
}
