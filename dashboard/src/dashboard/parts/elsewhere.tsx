// For a range that has nothing: when there was something last, and the way there.
import { graphql, type Measure, type MetricFilter } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useAddress } from "../address/location";
import type { View } from "../address/view";
import { localOf } from "../address/zones";
import { useAnalytics } from "../api/use-analytics";
import { dated } from "../format/times";

const QUERY = graphql(`
  query Elsewhere($measures: [Measure!]!, $filter: MetricFilter, $zone: TimeZone!) {
    metrics(measures: $measures, filter: $filter, range: { calendar: { unit: MONTH, count: 180 } }, interval: MONTH, timeZone: $zone) {
      buckets { start end }
      columns { values }
    }
  }
`);

/** `measure`: what is counted; `filter`: that of the page. Nothing is shown if there never was anything in fifteen years. */
export function Elsewhere({ measure, filter, view }: { measure: Measure; filter: MetricFilter; view: View }) {
  const { path } = useAddress();
  const { zone } = view;
  const { data } = useAnalytics(QUERY, { measures: [measure], filter, zone });
  const { buckets = [], columns = [] } = data?.metrics ?? {};
  const at = buckets.findLastIndex((_, index) => columns[0]?.values[0]?.[index]);
  const month = buckets[at];
  if (month === undefined) return null;
  const last = localOf(new Date(Date.parse(month.end) - 1), zone).slice(0, 10);
  const range = `${localOf(new Date(month.start), zone).slice(0, 10)}..${last}`;
  if (range === view.rangeName) return null;
  return (
    <p className="notice" role="status" data-testid="elsewhere">
      There is nothing in this range. The newest is of <Link href={view.link(path, { range })}>{dated(month.start, zone, true)}</Link>.
    </p>
  );
}
