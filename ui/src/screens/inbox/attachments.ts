/** Files that go with a reply: looked at before they are sent to the hub, so that a wrong one costs no waiting. */
import type { TFunction } from "i18next";
import type { ChannelLimits, MediaKind, MediaPart } from "../../bindings";
import { call } from "../../bridge";
import type { Watch } from "../../bridge/host";
import { size } from "../../words/size";

/** What a channel takes, in bytes by kind. */
export type Limits = ChannelLimits["media_limits"];
export type Refusal =
  | { type: "too_big"; kind: MediaKind; most: number }
  /** The channel has no such messages. */
  | { type: "not_taken"; kind: MediaKind }
  | { type: "empty" }
  | { type: "kind" };

/** What the hub itself takes at once (`LARGEST` in core's api/files.rs); a channel that would take more cannot be given more. */
export const hubTakes = 25 * 1024 * 1024;

/** What can truly be sent: the channel's limits, none of them beyond what the hub takes. */
export const within = (limits: Limits): Limits =>
  Object.fromEntries(Object.entries(limits).map(([kind, most]) => [kind, Math.min(most, hubTakes)]));

/** So many files go with one message. */
export const mostFiles = 10;
const refusedEndings = /\.(exe|msi|bat|cmd|com|scr|ps1|vbs|js|jar|app|dmg|sh|html?|svg)$/i;

/** Why a file cannot go as `kind`; `undefined` when it can. `limits` is `undefined` while it is not known. */
export function refusal(file: File, limits: Limits | undefined, kind = kindOf(file.type)): Refusal | undefined {
  if (file.size === 0) return { type: "empty" };
  if (refusedEndings.test(file.name)) return { type: "kind" };
  if (limits === undefined) return undefined;
  const most = limits[kind];
  if (most === undefined) return { type: "not_taken", kind };
  return file.size > most ? { type: "too_big", kind, most } : undefined;
}

/** What a customer's phone makes of the file. */
export function kindOf(mime: string): MediaKind {
  if (/^image\/(png|jpe?g|gif|webp)$/.test(mime)) return "image";
  if (mime.startsWith("audio/")) return "audio";
  if (mime.startsWith("video/")) return "video";
  return "document";
}

/** "Photos up to 5 MB, anything else up to 25 MB." What most kinds have in common stands last. */
export function limitWords(limits: Limits, t: TFunction, language: string): string {
  const kinds = (["image", "video", "audio", "document"] as const).flatMap((kind) => {
    const most = limits[kind];
    return most === undefined ? [] : [{ kind, most }];
  });
  if (kinds.length === 0) return t("composer.limits.none");
  const say = (kind: (typeof kinds)[number]["kind"] | "rest", most: number) =>
    t(`composer.limits.${kind}`, { most: size(most, language) });
  const own = kinds.filter((one) => one.most !== limits.document);
  const rest = kinds.filter((one) => one.most === limits.document);
  // "Anything else" only where the channel takes everything.
  const last =
    kinds.length === 4 && rest.length > 1
      ? [say(own.length === 0 ? "document" : "rest", limits.document ?? 0)]
      : rest.map(({ kind, most }) => say(kind, most));
  const text = [...own.map(({ kind, most }) => say(kind, most)), ...last].join(", ");
  return `${text.charAt(0).toLocaleUpperCase(language)}${text.slice(1)}.`;
}

/** Gives the file to the hub; the part that names it in a message. */
export async function upload(file: File, kind: MediaKind, watch: Watch): Promise<MediaPart> {
  const mime = file.type || "application/octet-stream";
  const bytes = new Uint8Array(await file.arrayBuffer());
  const kept = await call("upload_media", { name: file.name, mime, base64: base64(bytes) }, watch);
  // What the bytes are decides, unless a photo is to go as a file.
  const is = kind === "document" ? kind : kindOf(kept.mime || mime);
  return { type: "media", kind: is, media: kept.id, mime: kept.mime || mime, bytes: kept.bytes, filename: file.name };
}

/** A photo made smaller until it has at most `most` bytes; `undefined` when the browser cannot. */
export async function shrunk(file: File, most: number): Promise<File | undefined> {
  const picture = await createImageBitmap(file).catch(() => undefined);
  if (picture === undefined) return undefined;
  for (const [edge, quality] of [
    [2560, 0.88],
    [2048, 0.82],
    [1600, 0.78],
    [1200, 0.7],
    [800, 0.6],
  ] as const) {
    const scale = Math.min(1, edge / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const paper = canvas.getContext("2d");
    if (paper === null) return undefined;
    // A photo has no holes: what was transparent becomes paper.
    paper.fillStyle = "white";
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", quality));
    if (blob !== null && blob.size <= most)
      return new File([blob], file.name.replace(/\.\w+$/, "").concat(".jpg"), { type: "image/jpeg" });
  }
  return undefined;
}

/** Base64 in pieces: one call with a million arguments would not survive. */
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}
