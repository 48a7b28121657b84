// Twilio's own library on a free port: it signs as Twilio does, and says whether it believes a call.
import { createServer } from "node:http";
import webhooks from "twilio/lib/webhooks/webhooks.js";

const { getExpectedTwilioSignature, getExpectedBodyHash, validateRequest, validateRequestWithBody } = webhooks;

const answers = {
  "/sign": ({ token, url, params }) => ({ signature: getExpectedTwilioSignature(token, url, params) }),
  "/hash": ({ body }) => ({ hash: getExpectedBodyHash(body) }),
  "/validate": ({ token, signature, url, params }) => ({ valid: validateRequest(token, signature, url, params) }),
  "/validate-body": ({ token, signature, url, body }) => ({ valid: validateRequestWithBody(token, signature, url, body) }),
};

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const asked = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answers[request.url](asked)));
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })));
process.stdin.resume();
// Whoever started us holds our input open; when it is gone, so are we.
process.stdin.on("end", () => process.exit(0));
