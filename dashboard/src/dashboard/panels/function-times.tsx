// How many function invocations took how long.
import { type FunctionTimesFragment, graphql } from "../../../generated/graphql";
import { Histogram } from "../charts/histogram";
import { type Data, Empty, panel } from "./panel";

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
  fragment,
  roots: ["functionStats"],
  View: FunctionTimes,
});

function FunctionTimes({ data: { functionStats } }: { data: Data<FunctionTimesFragment, "functionStats"> }) {
  const ranges = functionStats.distribution ?? [];
  if (ranges.length === 0) return <Empty>No invocation of this time has a known duration.</Empty>;
  return <Histogram label="Invocations by duration" ranges={ranges} {...functionStats} />;
}
