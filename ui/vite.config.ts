import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** One build for both hosts: the desktop window and a browser. Nothing is inlined, so that a strict content security policy holds. */
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "dist",
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
  },
  server: { port: 5173, strictPort: true, proxy: { "/api": "http://127.0.0.1:7410" } },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["src/test-setup.ts"] },
});
