import { expect, it } from "vitest";
import { fieldsOf } from "../../components/schema-form/schema";
import { withoutSecrets } from "./drafts";

const fields = fieldsOf({
  type: "object",
  properties: {
    from: { type: "string" },
    token: { type: "string", writeOnly: true },
    smtp: {
      type: "object",
      properties: { host: { type: "string" }, password: { type: "string", writeOnly: true } },
    },
    headers: { type: "object", additionalProperties: { type: "string", writeOnly: true } },
  },
});
const typed = {
  from: "shop@example.org",
  token: "123:ABC",
  smtp: { host: "mail.example", password: "s3cret" },
  headers: { "X-Key": "s3cret" },
};

it("keeps no secret in a draft, at any depth", () => {
  expect(withoutSecrets(typed, fields)).toEqual({ from: "shop@example.org", smtp: { host: "mail.example" } });
});
