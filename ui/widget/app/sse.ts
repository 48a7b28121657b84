/**
 * Reads Server-Sent Events from a fetched stream.
 *
 * `EventSource` would hide what we need: the status of a refusal, and the heartbeat comments that tell a quiet
 * stream from one that a proxy is holding back.
 */
export interface SseEvent {
  type: string;
  data: string;
  id: string | null;
}

export class SseParser {
  private rest = "";
  private type = "";
  private data: string[] = [];
  private id: string | null = null;

  /** Feeds a piece of text; gives the events that became whole. */
  push(text: string): SseEvent[] {
    const events: SseEvent[] = [];
    // A lone CR at the very end may be half of a CRLF: it waits for the next piece.
    const whole = this.rest + text;
    const held = whole.endsWith("\r") ? 1 : 0;
    const lines = whole.slice(0, whole.length - held).split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? "") + (held ? "\r" : "");
    for (const line of lines) {
      if (line === "") {
        if (this.data.length > 0)
          events.push({ type: this.type || "message", data: this.data.join("\n"), id: this.id });
        this.type = "";
        this.data = [];
        this.id = null;
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
      if (field === "event") this.type = value;
      else if (field === "data") this.data.push(value);
      else if (field === "id" && !value.includes("\0")) this.id = value;
    }
    return events;
  }
}

/** Reads until the end. Throws `silent` when nothing at all, not even a heartbeat, came for `patience()` ms. */
export async function readEvents(
  stream: ReadableStream<Uint8Array>,
  patience: () => number,
  onBytes: () => void,
  onEvent: (event: SseEvent) => void,
): Promise<void> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("silent")), patience());
      });
      const piece = await Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer));
      if (piece.done) return;
      onBytes();
      for (const event of parser.push(decoder.decode(piece.value, { stream: true }))) onEvent(event);
    }
  } finally {
    // Cancelling an already broken stream rejects; it is gone either way.
    reader.cancel().catch(() => undefined);
  }
}
