// How the page is bundled. The gateway serves the result under /graphiql/.
import { defineConfig } from "vite";

export default defineConfig({
  base: "/graphiql/",
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 1500,
    // Libraries mark client code for frameworks that also render on a server; nothing here does.
    rolldownOptions: {
      onwarn: (warning, warn) => {
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
});
