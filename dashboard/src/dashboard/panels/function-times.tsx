// How many function invocations took how long.
import { graphql } from "../../../generated/graphql";
import { Histogram } from "../charts/histogram";
import { panel } from "./panel";

const fragment = graphql(`
  fragment FunctionTimes on Query {
    functionStats(filter: $functionFilter, range: $range, timeZone: $zone) {
      durationP50Ms durationP95Ms durationP99Ms
      distribution { fromMs toMs count }
    }
  }
`);

export const functionTimes = panel({
  name: "function-times",
  title: "How long invocations took",
  columns: 4,
  alert: { measure: "FUNCTION_DURATION_P95_MS" },
  fragment,
  roots: ["functionStats"],
  View: ({ data }) => <Histogram label="Invocations by duration" stats={data.functionStats} empty="No invocation of this time has a known duration." />,
});
