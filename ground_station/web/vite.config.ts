import { defineConfig } from "vite";

// The page is package data of ground_station: built into its static/ folder, which git ignores.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../static",
    emptyOutDir: true,
    // Nothing is inlined as data: so that the station's policy can say font-src and script-src 'self'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // The map library is one large file by nature; it is loaded after the login.
    chunkSizeWarningLimit: 1500,
  },
});
