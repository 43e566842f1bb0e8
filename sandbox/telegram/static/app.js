// The sandbox's page: what happens comes in as server-sent events, what people do goes out as calls.

import { takeChats } from "./chat.js";
import { find } from "./dom.js";
import { takeSenders } from "./senders.js";
import { takeWorld } from "./world.js";

const events = new EventSource("/world/events");
events.addEventListener("chats", (event) => takeChats(JSON.parse(event.data)));
events.addEventListener("world", (event) => {
  const world = JSON.parse(event.data);
  takeWorld(world);
  takeSenders(world);
});
events.addEventListener("error", () => { find("bot-state").textContent = "connecting…"; });

const views = document.querySelectorAll(".views button");
for (const button of views) {
  button.addEventListener("click", () => {
    document.body.dataset.view = button.dataset.view;
    for (const other of views) other.setAttribute("aria-pressed", String(other === button));
  });
}
