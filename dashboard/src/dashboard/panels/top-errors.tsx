// The errors that occurred most often.
import { graphql } from "../../../generated/graphql";
import { count, exact, percent } from "../format/numbers";
import { ShareList } from "../parts/share-list";
import { panel } from "./panel";

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
  View: ({ data, view }) => (
    <ShareList
      label="Most common errors"
      shares={(data.errorStats.top ?? []).map(({ error, occurrences, share }) => ({
        name: error.title,
        share,
        text: count(occurrences),
        title: `${exact(occurrences)} times, ${percent(share)}`,
        note: error.project.slug,
        href: view.link(`/errors/${encodeURIComponent(error.id)}`),
      }))}
      tone="bad"
      empty="No error occurred in this time."
    />
  ),
});
