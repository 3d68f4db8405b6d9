// How often errors occur: in all, an hour, and how that changed over time.
import { graphql } from "../../../generated/graphql";
import { ChartComponent } from "../charts/chart";
import { counted, rate } from "../format/numbers";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment ErrorTrend on Query {
    errorStats(filter: $errorFilter, range: $range, timeZone: $zone) {
      occurrences occurrencesPerHour
      previous(compare: $compare) { occurrencesPerHour }
      series { start end open occurrencesPerHour }
    }
  }
`);

export const errorTrend = panel({
  name: "error-trend",
  title: "Errors an hour",
  columns: 4,
  alert: { measure: "ERROR_OCCURRENCES_PER_HOUR" },
  fragment,
  roots: ["errorStats"],
  View({ data, view }) {
    const { occurrences, occurrencesPerHour, previous, series } = data.errorStats;
    const points = series ?? [];
    if (occurrences === 0) return <Empty>No error occurred in this time.</Empty>;
    const values = points.map((point) => point.occurrencesPerHour);
    return (
      <>
        <p className="said">
          {counted(occurrences, "time")}, <strong>{rate(occurrencesPerHour)}</strong> an hour
          {previous && `; ${rate(previous.occurrencesPerHour)} an hour ${view.compareLabel}`}.
        </p>
        <ChartComponent label="Errors an hour" buckets={points} series={[{ name: "Errors an hour", tone: "bad", kind: "line", values }]} zone={view.zone} format={rate} height={140} />
      </>
    );
  },
});
