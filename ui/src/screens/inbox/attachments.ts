/** Files that go with a reply: looked at before they are sent to the hub, so that a wrong one costs no waiting. */
import type { MediaKind, MediaPart } from "../../bindings";
import { call } from "../../bridge";

export type Refusal =
  | { type: "too_big"; name: string; most: number }
  | { type: "empty"; name: string }
  | { type: "kind"; name: string };
export type Attachment = MediaPart;

/** The hub takes files up to this size from the composer. */
export const mostBytes = 16_000_000;
const refusedEndings = /\.(exe|msi|bat|cmd|com|scr|ps1|vbs|js|jar|app|dmg|sh|html?|svg)$/i;

/** Why a file cannot go; `undefined` when it can. */
export function refusal(file: File): Refusal | undefined {
  if (file.size === 0) return { type: "empty", name: file.name };
  if (file.size > mostBytes) return { type: "too_big", name: file.name, most: mostBytes };
  if (refusedEndings.test(file.name)) return { type: "kind", name: file.name };
  return undefined;
}

/** What a customer's phone makes of the file. */
export function kindOf(mime: string): MediaKind {
  if (/^image\/(png|jpe?g|gif|webp)$/.test(mime)) return "image";
  if (mime.startsWith("audio/")) return "audio";
  if (mime.startsWith("video/")) return "video";
  return "document";
}

/** Gives the file to the hub; the part that names it in a message. */
export async function upload(file: File): Promise<Attachment> {
  const mime = file.type || "application/octet-stream";
  const kept = await call("upload_media", {
    name: file.name,
    mime,
    base64: base64(new Uint8Array(await file.arrayBuffer())),
  });
  return {
    type: "media",
    kind: kindOf(kept.mime || mime),
    media: kept.id,
    mime: kept.mime || mime,
    bytes: kept.bytes,
    filename: file.name,
  };
}

/** Base64 in pieces: one call with a million arguments would not survive. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
