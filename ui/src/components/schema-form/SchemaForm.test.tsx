import { fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import type { JsonSchema } from "../../bindings";
import { i18next } from "../../i18n";
import { SchemaForm } from "./SchemaForm";
import { check, type FieldErrors, fieldsOf, normalErrors, toSend, type Values } from "./schema";

const email: JsonSchema = {
  type: "object",
  required: ["from_email", "smtp"],
  properties: {
    from_email: { type: "string", title: "From", description: "The address customers see." },
    mode: {
      oneOf: [
        { const: "polling", title: "Fetch" },
        { const: "webhook", title: "Be called" },
      ],
      default: "polling",
    },
    smtp: { $ref: "#/$defs/Smtp" },
    imap: { anyOf: [{ $ref: "#/$defs/Imap" }, { type: "null" }] },
    allowed_origins: { type: "array", items: { type: "string" }, title: "Allowed pages" },
    base_url: { type: ["string", "null"], format: "uri" },
  },
  $defs: {
    Smtp: {
      type: "object",
      required: ["host", "port", "password"],
      properties: {
        host: { type: "string" },
        port: { type: "integer", minimum: 1, maximum: 65535 },
        secure: { type: "boolean", default: true },
        password: { type: "string", writeOnly: true, title: "Password" },
      },
    },
    Imap: { type: "object", required: ["host"], properties: { host: { type: "string" } } },
  },
};
const t = i18next.getFixedT("en");

function Form({ start = {}, errors }: { start?: Values; errors?: FieldErrors }) {
  const [values, setValues] = useState(start);
  return (
    <>
      <SchemaForm schema={email} values={values} onValues={setValues} errors={errors} />
      <output>{JSON.stringify(toSend(fieldsOf(email), values))}</output>
    </>
  );
}
const sent = () => JSON.parse(screen.getByRole("status").textContent ?? "");

describe("reading a schema", () => {
  it("keeps the order, follows references and finds what is optional", () => {
    const kinds = fieldsOf(email).map((field) => [field.path, field.kind, field.required, field.advanced]);
    expect(kinds).toEqual([
      ["from_email", "text", true, false],
      ["mode", "choice", false, false],
      ["smtp", "group", true, false],
      ["imap", "group", false, false],
      ["allowed_origins", "list", false, false],
      ["base_url", "url", false, true],
    ]);
  });

  it("says what is wrong, by path, and leaves an untouched optional group alone", () => {
    const errors = check(fieldsOf(email), { smtp: { host: "x", port: "99999" }, base_url: "mail.example" }, t);
    expect(errors).toEqual({
      from_email: "This is needed.",
      "smtp.port": "At most 65535.",
      "smtp.password": "This is needed.",
      base_url: "An address starts with https:// or http://.",
    });
  });

  it("sends numbers as numbers, and neither kept secrets nor empty fields", () => {
    const values = {
      from_email: " a@b.c ",
      smtp: { host: "h", port: "587", password: { set: true } },
      imap: { host: "" },
      allowed_origins: [],
    };
    expect(toSend(fieldsOf(email), values)).toEqual({ from_email: "a@b.c", smtp: { host: "h", port: 587 } });
  });

  it("knows the hub's names of fields", () => {
    expect(normalErrors({ "/smtp/host": "a", "config.smtp.port": "b", name: "c" })).toEqual({
      "smtp.host": "a",
      "smtp.port": "b",
      name: "c",
    });
  });
});

describe("the form", () => {
  it("is filled in and gives the values", () => {
    render(<Form />);
    fireEvent.change(screen.getByLabelText("From"), { target: { value: "shop@example.org" } });
    fireEvent.change(screen.getByLabelText("Password"), { target: { value: "s3cret" } });
    fireEvent.click(screen.getByRole("button", { name: "Add one" }));
    fireEvent.change(screen.getByLabelText("Allowed pages 1"), { target: { value: "https://shop.example" } });
    expect(sent()).toEqual({
      from_email: "shop@example.org",
      smtp: { password: "s3cret" },
      allowed_origins: ["https://shop.example"],
    });
  });

  it("puts the cursor into a line that was asked for, and sends no line that stayed empty", () => {
    render(<Form start={{ allowed_origins: ["https://shop.example"] }} />);
    fireEvent.click(screen.getByRole("button", { name: "Add one" }));
    expect(document.activeElement).toBe(screen.getByLabelText("Allowed pages 2"));
    fireEvent.change(screen.getByLabelText("Allowed pages 2"), { target: { value: "  " } });
    fireEvent.click(screen.getByRole("button", { name: "Add one" }));
    expect(document.activeElement).toBe(screen.getByLabelText("Allowed pages 3"));
    expect(sent().allowed_origins).toEqual(["https://shop.example"]);
    expect(toSend(fieldsOf(email), { allowed_origins: [""] })).not.toHaveProperty("allowed_origins");
  });

  it("masks a secret while it is typed, and never shows a kept one", () => {
    render(<Form start={{ smtp: { password: { set: true } } }} />);
    expect(screen.getByText("Saved")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Replace: Password" }));
    expect(screen.getByLabelText<HTMLInputElement>("Password").type).toBe("password");
    fireEvent.click(screen.getByRole("button", { name: "Keep the saved one" }));
    expect(sent().smtp).toEqual({});
  });

  it("checks a field when it is left, not while it is typed in", () => {
    render(<Form />);
    const port = screen.getByLabelText("Port");
    fireEvent.change(port, { target: { value: "99999" } });
    expect(screen.queryByText("At most 65535.")).toBeNull();
    fireEvent.blur(port);
    expect(screen.getByText("At most 65535.")).toBeTruthy();
    expect(port.getAttribute("aria-invalid")).toBe("true");
  });

  it("moves the focus to the first error, opens what hides it, and reads it out", () => {
    render(<Form errors={{ base_url: "Not here.", "smtp.host": "Nobody answers." }} />);
    expect(document.activeElement).toBe(screen.getAllByLabelText("Host")[0]);
    expect(screen.getByRole("alert").textContent).toContain("2 fields need another look");
    expect(document.querySelector("details")?.open).toBe(true);
  });
});
