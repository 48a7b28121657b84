/** A value that may stand inside <script>: JSON in which nothing can close the element. */
export const safeJson = (value) =>
  JSON.stringify(value).replace(/[<\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
