// The sheet on which somebody pays with play Stars.

import { find } from "./dom.js";

const number = new Intl.NumberFormat("en");

/** Whether they want to pay an invoice. */
export function confirmPayment(invoice, purse) {
  const sheet = find("checkout");
  find("checkout-title").textContent = invoice.title;
  find("checkout-text").textContent = invoice.description;
  find("checkout-purse").textContent = `You have ⭐️ ${number.format(purse)} of play money.`;
  find("checkout-pay").textContent = `Confirm and pay ⭐️ ${number.format(invoice.total_amount)}`;
  sheet.returnValue = "";
  sheet.showModal();
  return new Promise((resolve) => {
    sheet.addEventListener("close", () => resolve(sheet.returnValue === "pay"), { once: true });
  });
}

export function receiptOf(message) {
  return `You paid ⭐️ ${number.format(message.invoice.total_amount)} for “${message.invoice.title}”.\n\nTransaction ${message.receipt}`;
}
