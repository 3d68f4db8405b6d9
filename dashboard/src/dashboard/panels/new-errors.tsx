// The open errors that were seen for the first time in the range, newest first.
import { graphql, type NewErrorsFragment } from "../../../generated/graphql";
import { Link } from "../address/link";
import type { View } from "../address/view";
import { counted, exact } from "../format/numbers";
import { Ago } from "../parts/time";
import { type Data, Empty, panel } from "./panel";

const fragment = graphql(`
  fragment NewErrors on Query {
    errors(filter: $errorFilter, firstSeen: $range, timeZone: $zone, statuses: [OPEN], orderBy: { field: FIRST_SEEN }, first: 6) {
      totalCount
      nodes { id title firstSeen occurrences project { slug } }
    }
  }
`);

export const newErrors = panel({
  name: "new-errors",
  title: "New errors",
  columns: 4,
  height: 345,
  fragment,
  roots: ["errors"],
  View: NewErrors,
});

function NewErrors({ data, view }: { data: Data<NewErrorsFragment, "errors">; view: View }) {
  const { nodes, totalCount } = data.errors;
  if (nodes.length === 0) return <Empty>No error was new in this time.</Empty>;
  return (
    <>
      <ul className="rows">
        {nodes.map(({ id, title, firstSeen, occurrences, project }) => (
          <li key={id}>
            <Link href={view.link(`/errors/${encodeURIComponent(id)}`)} className="main">
              {title}
            </Link>
            <span className="side">
              <Ago at={firstSeen} zone={view.zone} />
            </span>
            <span className="sub">
              {project.slug} · {counted(occurrences, "time")}
            </span>
          </li>
        ))}
      </ul>
      {totalCount > nodes.length && (
        <p className="more">
          <Link href={view.link("/errors", { sort: "newest" })}>All {exact(totalCount)}</Link>
        </p>
      )}
    </>
  );
}
