// Starts telegram-test-api, somebody else's idea of Telegram, on a free port and says where it is.
import { createServer } from "node:net";
import TelegramServer from "telegram-test-api";

const port = await new Promise((resolve) => {
  const probe = createServer().listen(0, "127.0.0.1", () => {
    const { port } = probe.address();
    probe.close(() => resolve(port));
  });
});
const Server = TelegramServer.default ?? TelegramServer;
const server = new Server({ port, host: "127.0.0.1" });
await server.start();
console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }));
process.stdin.resume();
// Whoever started us holds our input open; when it is gone, so are we.
process.stdin.on("end", () => process.exit(0));
