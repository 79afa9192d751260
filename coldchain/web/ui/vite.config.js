import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// The build hook says where to (UI_OUT) and works on a copy; by hand it lands in the ignored dist/.
export default defineConfig({
  base: "./",
  plugins: [svelte()],
  esbuild: { legalComments: "none" },
  build: {
    outDir: process.env.UI_OUT ?? "dist",
    emptyOutDir: true,
    sourcemap: false,
    modulePreload: { polyfill: false }, // every browser of the target has it; a phone waits for each byte
    target: "es2022",
  },
});
