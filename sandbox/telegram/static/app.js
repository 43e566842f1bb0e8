// The sandbox's page: what happens comes in as server-sent events, what people do goes out as calls.

import { everybody, takeChats } from "./chat.js";
import { find, showView } from "./dom.js";
import { takeSenders } from "./senders.js";
import { takeTour } from "./tour.js";
import { takeWorld } from "./world.js";

const events = new EventSource("/world/events");
let world = null;
events.addEventListener("chats", (event) => {
  takeChats(JSON.parse(event.data));
  if (world) takeTour(world, everybody());
});
events.addEventListener("world", (event) => {
  world = JSON.parse(event.data);
  takeWorld(world);
  takeSenders(world);
  if (everybody().size) takeTour(world, everybody());
});
events.addEventListener("error", () => { find("bot-state").textContent = "connecting…"; });

const views = document.querySelectorAll(".views button");
for (const button of views) button.addEventListener("click", () => showView(button.dataset.view));
