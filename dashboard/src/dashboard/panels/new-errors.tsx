// The open errors that were seen for the first time in the range, newest first.
import { graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { counted, exact } from "../format/numbers";
import { Row } from "../parts/row";
import { Ago } from "../parts/time";
import { Empty, panel } from "./panel";

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
  View({ data, view }) {
    const { nodes, totalCount } = data.errors;
    if (nodes.length === 0) return <Empty>No error was new in this time.</Empty>;
    return (
      <>
        <ul className="rows">
          {nodes.map(({ id, title, firstSeen, occurrences, project }) => (
            <Row key={id} href={view.link(`/errors/${encodeURIComponent(id)}`)} title={title} side={<Ago at={firstSeen} zone={view.zone} />}>
              {project.slug} · {counted(occurrences, "time")}
            </Row>
          ))}
        </ul>
        {totalCount > nodes.length && (
          <p className="more">
            <Link href={view.link("/errors", { sort: "newest" })}>All {exact(totalCount)}</Link>
          </p>
        )}
      </>
    );
  },
});
