// Builds the dashboard into dist/, which the gateway serves under /pages/.
import { readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const SOURCES = join(import.meta.dirname, "src");
const DIST = join(import.meta.dirname, "dist");

const PAGE = join(SOURCES, "dashboard", "index.html");

/** What all scripts until the overview is drawn may weigh, compressed. */
const MOST_BYTES = 200_000;

export default defineConfig({
  root: SOURCES,
  base: "/pages/",
  plugins: [withoutFonts(), budget(), compress(), stamp()],
  resolve: { alias: { "react-style-singleton": join(SOURCES, "dashboard", "graphiql", "style-sheet.ts") } },
  build: {
    outDir: DIST,
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: PAGE,
      // Libraries mark client code for frameworks that also render on a server; we have none.
      onwarn: (warning, warn) => {
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
});

/** Leaves out the fonts that GraphiQL's styles hold: its page has the dashboard's. */
function withoutFonts(): Plugin {
  return {
    name: "without-fonts",
    enforce: "pre",
    transform: {
      filter: { id: /graphiql\/dist\/style\.css$/ },
      handler: (code) => code.replaceAll(/@font-face\s*{[^}]*}/g, ""),
    },
  };
}

/** Fails if the scripts that draw the overview have more bytes, compressed, than a first visit should load. */
function budget(): Plugin {
  return {
    name: "budget",
    generateBundle(_options, files) {
      const entry = Object.values(files).find((file) => file.type === "chunk" && file.isEntry);
      const names = new Set(entry === undefined ? [] : [entry.fileName]);
      for (const name of names) {
        const file = files[name];
        if (file?.type === "chunk") for (const other of file.imports) names.add(other);
      }
      const sizes = [...names].map((name) => {
        const file = files[name];
        return file?.type === "chunk" ? gzipSync(file.code, { level: 9 }).length : 0;
      });
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      if (bytes === 0) this.error("There is no page.");
      if (bytes > MOST_BYTES) this.error(`The overview loads ${bytes} bytes of scripts; at most ${MOST_BYTES} are allowed.`);
    },
  };
}

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
