// One message: a bubble, and the buttons under it.

import { openPage } from "./miniapp.js";
import { copy, make, post, showAlert, toast } from "./dom.js";
import { confirmPayment, receiptOf } from "./pay.js";
import { renderText, safeLink } from "./text.js";
import { clockTime } from "./time.js";

/** `hands`: { person, stars(), say(text), start(parameter), reply(message) }. */
export function renderMessage(message, hands) {
  const service = renderService(message);
  if (service) return make("div", { class: "service", id: `message-${message.id}` }, service);
  const bubble = make("div", { class: "bubble" },
    message.via ? make("span", { class: "forwarded" }, `via @${message.via}`) : null,
    message.forwarded ? make("span", { class: "forwarded" }, "Forwarded") : null,
    message.quote ? make("blockquote", { class: "quote" }, message.quote) : null,
    message.photo ? renderPhoto(message) : null,
    message.document ? renderDocument(message.document) : null,
    message.contact ? make("p", {}, `☎ ${message.contact.first_name}, ${message.contact.phone_number}`) : null,
    message.invoice ? renderInvoice(message.invoice) : null,
    message.text ? make("div", { class: "text" }, ...renderText(message.text, message.entities, hands.say)) : null,
    renderMeta(message, hands),
  );
  const label = message.own ? "You" : "Bot";
  return make("article",
    { class: message.own ? "message own" : "message", id: `message-${message.id}`, "aria-label": label, tabindex: -1 },
    bubble, renderButtons(message, hands));
}

function renderService(message) {
  if (message.successful_payment) return `You paid ⭐️ ${message.successful_payment.total_amount}`;
  if (message.refunded_payment) return `⭐️ ${message.refunded_payment.total_amount} came back to you`;
  return "";
}

function renderPhoto(message) {
  return make("img", { src: `/world/files/${message.photo}`, alt: message.text || "Photo", loading: "lazy" });
}

function renderDocument(document) {
  const size = `${Math.max(1, Math.round(document.file_size / 1024))} KB`;
  return make("a", { class: "document", href: `/world/files/${document.file_id}`, download: document.file_name },
    make("strong", {}, document.file_name), make("small", {}, size));
}

function renderInvoice(invoice) {
  return make("div", { class: "invoice" },
    make("strong", {}, invoice.title), make("p", {}, invoice.description),
    make("span", { class: "price" }, `⭐️ ${invoice.total_amount}`));
}

function renderMeta(message, hands) {
  return make("span", { class: "meta" },
    message.own ? null : make("button",
      { type: "button", class: "reply", "aria-label": "Reply to this message", onclick: () => hands.reply(message) }, "↩"),
    message.pinned ? make("span", { title: "Pinned" }, "📌") : null,
    message.edited ? make("span", {}, "edited") : null,
    make("time", { datetime: new Date(message.at * 1000).toISOString() }, clockTime(message.at)));
}

function renderButtons(message, hands) {
  if (!message.buttons.length) return null;
  const rows = message.buttons.map((row, rowIndex) => make("div", { class: "row" },
    ...row.map((button, column) => renderButton(message, button, rowIndex, column, hands))));
  return make("div", { class: "buttons", role: "group", "aria-label": "Buttons of this message" }, ...rows);
}

function renderButton(message, button, row, column, hands) {
  const element = make("button", {
    type: "button", class: button.style ? `press ${button.style}` : "press", "data-spot": `${row}.${column}`,
  }, make("span", {}, button.pay && message.receipt ? "Receipt" : button.text));
  if (button.pay && message.receipt) {
    element.addEventListener("click", () => showAlert(receiptOf(message)));
  } else if (button.pay) {
    element.addEventListener("click", async () => {
      if (await confirmPayment(message.invoice, hands.stars())) tap(element, message.id, button, row, column, hands.person);
    });
  } else if (button.copy !== null) {
    element.classList.add("copies");
    element.setAttribute("aria-label", `${button.text}, copies to the clipboard`);
    element.addEventListener("click", () => copy(button.copy));
  } else if (button.page) {
    element.classList.add("links");
    element.addEventListener("click", () => openPage(button.page, hands.person, hands.start));
  } else if (button.link !== null) {
    element.classList.add("links");
    const start = /^https:\/\/t\.me\/\w+\?start=([\w-]+)$/.exec(button.link);
    if (start) element.addEventListener("click", () => hands.start(start[1]));
    else element.addEventListener("click", () => open(safeLink(button.link) ?? "about:blank", "_blank", "noopener"));
  } else {
    element.addEventListener("click", () => tap(element, message.id, button, row, column, hands.person));
  }
  return element;
}

async function tap(element, message, button, row, column, person) {
  if (element.getAttribute("aria-busy")) return;
  element.setAttribute("aria-busy", "true");
  const answer = await post(`people/${person}/tap`, { message, row, column, text: button.text });
  element.removeAttribute("aria-busy");
  if (!answer?.text) return;
  (answer.alert || button.pay ? showAlert : toast)(answer.text);
}
