/**
 * UUID version 7: sorts by time, so that a kept outbox replays in the order in which it was written.
 *
 * Two messages of one millisecond get ascending values as well: the 12 bits after the version count up.
 */
let lastAt = 0;
let count = 0;

export function uuidv7(now = Date.now()): string {
  if (now > lastAt) {
    lastAt = now;
    count = 0;
  } else {
    count = (count + 1) & 0xfff;
    if (count === 0) lastAt++;
  }
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x80;
  const tail = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  const time = lastAt.toString(16).padStart(12, "0");
  const counter = count.toString(16).padStart(3, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}
