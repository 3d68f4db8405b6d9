// PostGraphile over the views of one schema: `node server.mjs PORT DATABASE_URL`.
import { createServer } from "node:http";
import { PgAggregatesPreset } from "@graphile/pg-aggregates";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { PostGraphileConnectionFilterPreset } from "postgraphile-plugin-connection-filter";

const [port, connectionString] = process.argv.slice(2);

// The plug-in's own aggregates have no percentiles.
const PercentilePlugin = {
  name: "PercentilePlugin",
  version: "1.0.0",
  after: ["PgAggregatesSpecsPlugin"],
  schema: {
    hooks: {
      build(build) {
        const { sql } = build;
        build.pgAggregateSpecs.push({
          id: "p95",
          humanLabel: "95th percentile",
          HumanLabel: "95th percentile",
          isSuitableType: (codec) => Boolean(codec.extensions?.isNumberLike),
          sqlAggregateWrap: (value) =>
            sql`percentile_disc(0.95) within group (order by ${value})`,
        });
        return build;
      },
    },
  },
};

const preset = {
  extends: [PostGraphileAmberPreset, PgAggregatesPreset, PostGraphileConnectionFilterPreset],
  plugins: [PercentilePlugin],
  disablePlugins: ["PgIndexBehaviorsPlugin"],
  pgServices: [makePgService({ connectionString, schemas: ["peer"], poolConfig: { max: 10 } })],
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
  grafast: { explain: false },
};

const server = createServer();
const serv = postgraphile(preset).createServ(grafserv);
await serv.addTo(server);
server.listen(Number(port), "127.0.0.1");
