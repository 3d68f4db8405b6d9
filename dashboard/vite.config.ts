// Builds every page of src/ into dist/, which the gateway serves under /graphiql/.
import { readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const SOURCES = join(import.meta.dirname, "src");
const DIST = join(import.meta.dirname, "dist");

/** The folders of src/ that hold a page, which is their index.html. */
const PAGES = ["graphiql"];

export default defineConfig({
  root: SOURCES,
  base: "/graphiql/",
  plugins: [compress(), stamp()],
  build: {
    outDir: DIST,
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: PAGES.map((page) => join(SOURCES, page, "index.html")),
      // Libraries mark client code for frameworks that also render on a server; we have none.
      onwarn: (warning, warn) => {
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
});

/** Writes a compressed copy beside each file that becomes smaller by it: `app.js.gz`. */
function compress(): Plugin {
  return {
    name: "compress",
    writeBundle(_options, files) {
      for (const file of Object.keys(files).map((name) => join(DIST, name))) {
        const content = readFileSync(file);
        const compressed = gzipSync(content, { level: 9 });
        if (compressed.length < content.length) writeFileSync(`${file}.gz`, compressed);
      }
    },
  };
}

/**
 * Writes an empty file as the last one, dated when the build began.
 * gateway/pages/build.py builds again when a source is newer, so an edit during a build counts too.
 */
function stamp(): Plugin {
  const started = new Date();
  return {
    name: "stamp",
    writeBundle: {
      order: "post",
      sequential: true,
      handler() {
        const file = join(DIST, "built");
        writeFileSync(file, "");
        utimesSync(file, started, started);
      },
    },
  };
}
