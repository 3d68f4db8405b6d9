// The errors that occurred most often.
import { graphql, type TopErrorsFragment } from "../../../generated/graphql";
import type { View } from "../address/view";
import { count, exact, percent } from "../format/numbers";
import { ShareList } from "../parts/share-list";
import { type Data, Empty, panel } from "./panel";

const fragment = graphql(`
  fragment TopErrors on Query {
    errorStats(filter: $errorFilter, range: $range, timeZone: $zone) {
      top(first: 6) { occurrences share error { id title project { slug } } }
    }
  }
`);

export const topErrors = panel({
  name: "top-errors",
  title: "Most common errors",
  columns: 4,
  height: 200,
  fragment,
  roots: ["errorStats"],
  View: TopErrors,
});

function TopErrors({ data, view }: { data: Data<TopErrorsFragment, "errorStats">; view: View }) {
  const top = data.errorStats.top ?? [];
  if (top.length === 0) return <Empty>No error occurred in this time.</Empty>;
  const shares = top.map(({ error, occurrences, share }) => ({
    name: error.title,
    share,
    text: count(occurrences),
    title: `${exact(occurrences)} times, ${percent(share)}`,
    note: error.project.slug,
    href: view.link(`/errors/${encodeURIComponent(error.id)}`),
  }));
  return <ShareList label="Most common errors" shares={shares} tone="bad" />;
}
