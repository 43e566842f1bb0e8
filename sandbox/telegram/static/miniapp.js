// A page of the bot's, opened inside Telegram: in a frame that is told who opened it.

import { find, post } from "./dom.js";

const frame = find("miniapp-frame");
let follow = () => {};

/** `start` follows a link to the bot that the page opens. */
export async function openPage(url, person, start) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const opened = await post(`people/${person}/page`, { url, dark });
  if (!opened) return;
  follow = start;
  frame.src = opened.url;
  find("miniapp").showModal();
}

function close() {
  find("miniapp").close();
}

find("miniapp").addEventListener("close", () => frame.removeAttribute("src"));

addEventListener("message", ({ source, data }) => {
  if (source !== frame.contentWindow || typeof data !== "string") return;
  const { eventType, eventData } = JSON.parse(data);
  if (eventType === "web_app_close") close();
  if (eventType !== "web_app_open_tg_link") return;
  const link = /\?start=([\w-]+)$/.exec(eventData.path_full);
  close();
  if (link) follow(link[1]);
});
