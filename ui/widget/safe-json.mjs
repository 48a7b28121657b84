/**
 * A value that may stand inside <script>: JSON in which nothing can close the element, in plain ASCII, because the page
 * it is pasted into may say that it is written in anything.
 */
export const safeJson = (value) =>
  JSON.stringify(value).replace(/[<\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
