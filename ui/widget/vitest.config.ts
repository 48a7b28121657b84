import { defineConfig } from "vitest/config";

/** The widget's own tests. Those in `test/browser` drive Chromium against the built files: build first. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    environment: "node",
    include: ["test/**/*.test.ts"],
    testTimeout: 90_000,
    hookTimeout: 60_000,
    // A loaded machine may starve a browser for seconds; a test that fails twice is broken.
    retry: process.env.CI ? 1 : 0,
    // One browser at a time: these tests measure what a visitor would wait for.
    fileParallelism: false,
  },
});
