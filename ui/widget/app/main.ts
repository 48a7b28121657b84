/** The app in the iframe: opens the bridge, waits for the page's word, begins. */
import { Bridge } from "./bridge";
import { Chat } from "./chat";
import "./style.css";

let chat: Chat | null = null;

const bridge = Bridge.open((message) => {
  if (chat) chat.hear(message);
  else if (message.type === "init" && bridge) chat = new Chat(bridge, message);
});

if (!bridge) console.warn("Shopbell: this page is the inside of a chat and does nothing by itself.");
