// The audit log: who did what, when, from where, and how it ended.
import { useMemo } from "react";

import { type AuditLogQuery, graphql } from "../../../generated/graphql";
import { Link } from "../address/link";
import { useAddress } from "../address/location";
import { endsOf } from "../address/span";
import { useView, type View } from "../address/view";
import { useAnalytics } from "../api/use-analytics";
import { lower } from "../format/words";
import { Empty } from "../panels/panel";
import { Badge } from "../parts/badge";
import { FilterBar } from "../parts/filter-bar";
import { Heading } from "../parts/heading";
import { Pager, pageOf } from "../parts/pager";
import { Search } from "../parts/search";
import { Section } from "../parts/section";
import { SettingsTabs } from "../parts/settings-tabs";
import { type Column, Table } from "../parts/table";
import { Moment } from "../parts/time";
import { Waiting } from "../parts/waiting";

const QUERY = graphql(`
  query AuditLog($filter: AuditFilter, $first: Int, $after: String, $last: Int, $before: String) {
    auditLog(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
      totalCount isEstimate
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges {
        cursor
        node { recordedAt subject tokenId action target outcome times requestId address details }
      }
    }
  }
`);

const PAGE_SIZE = 50;
/** What entries are filtered by, each exactly; the address names them so. */
const EXACTLY = ["subject", "action", "target", "outcome"] as const;

type Edge = NonNullable<AuditLogQuery["auditLog"]>["edges"][number];

export default function AuditPage() {
  const view = useView();
  // The range ends now: it is fixed until the address changes, so that it is asked once.
  const ends = useMemo(() => endsOf(view), [view]);
  const filter = { since: ends.start, until: ends.end, ...Object.fromEntries(EXACTLY.map((name) => [name, view.value(name) || null])) };
  const answer = useAnalytics(QUERY, { filter, ...pageOf(view, PAGE_SIZE) });
  const log = answer.data?.auditLog;
  return (
    <>
      <Heading title="Audit log" answer={answer} zone={view.zone} />
      <div className="filters">
        <SettingsTabs view={view} />
      </div>
      <FilterBar view={view} names={undefined} only={[]} also={EXACTLY}>
        {EXACTLY.map((name) => (
          <Search key={name} view={view} name={name} label={`${name.charAt(0).toUpperCase()}${name.slice(1)}`} />
        ))}
      </FilterBar>
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        <Section title="Records, newest first" name="audit">
          {!log && <Waiting answer={answer} />}
          {log?.edges.length === 0 && <Empty>No entry is like that. Filters match exactly; try a longer range or fewer of them.</Empty>}
          {log && log.edges.length > 0 && <Table label="Audit log" columns={COLUMNS} rows={log.edges} keyOf={({ cursor }) => cursor} view={view} />}
          {log && <Pager page={log} view={view} kept={[...EXACTLY]} noun="record" />}
        </Section>
      </div>
    </>
  );
}

/** A value that leads to the entries which have the same. */
function Same({ name, value, view }: { name: (typeof EXACTLY)[number]; value: string; view: View }) {
  const { path } = useAddress();
  const others = Object.fromEntries(EXACTLY.map((one) => [one, view.value(one)]));
  return <Link href={view.link(path, { ...others, [name]: value })}>{value}</Link>;
}

const COLUMNS: Column<Edge>[] = [
  { title: "When", cell: ({ node }, view) => <Moment at={node.recordedAt} zone={view.zone} /> },
  { title: "Who", cell: ({ node }, view) => (node.subject === "" ? "no valid token" : <Same name="subject" value={node.subject} view={view} />) },
  { title: "What", cell: ({ node }, view) => <><Same name="action" value={node.action} view={view} />{node.times > 1 && <span className="sub"> {node.times} times</span>}</> },
  { title: "Which", cell: ({ node }, view) => node.target !== null && <Same name="target" value={node.target} view={view} /> },
  { title: "Outcome", cell: ({ node }) => <Badge word={{ text: lower(node.outcome), tone: node.outcome === "ok" ? "good" : node.outcome === "begun" ? "quiet" : "warn" }} /> },
  { title: "From", cell: ({ node }) => node.address },
  {
    title: "Details",
    cell: ({ node }) => (
      <details className="audit-details">
        <summary>Show</summary>
        <pre>{JSON.stringify({ request: node.requestId, ...(node.tokenId ? { token: node.tokenId } : {}), arguments: node.details }, null, 2)}</pre>
      </details>
    ),
  },
];
