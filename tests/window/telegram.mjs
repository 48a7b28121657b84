/** As much of Telegram's Bot API as the test of a connection asks: a right token has an account, a wrong one is refused. */
import { createServer } from "node:http";

export function telegram({ token, name }) {
  const server = createServer((request, response) => {
    const right = request.url.startsWith(`/bot${token}/`);
    const answer = right
      ? { ok: true, result: { id: 1, is_bot: true, first_name: name, username: "golden_crust_bot" } }
      : { ok: false, error_code: 401, description: "Unauthorized" };
    response.writeHead(right ? 200 : 401, { "content-type": "application/json" }).end(JSON.stringify(answer));
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      resolve({
        url: `http://127.0.0.1:${port}`,
        close: () => {
          server.closeAllConnections();
          server.close();
        },
      });
    });
  });
}
