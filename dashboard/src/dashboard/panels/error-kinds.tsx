// Which types of errors occur, and how severe they are.
import { type ErrorKindsFragment, graphql } from "../../../generated/graphql";
import type { View } from "../address/view";
import { count, exact, percent } from "../format/numbers";
import { groupName } from "../format/words";
import { type Share, ShareList } from "../parts/share-list";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment ErrorKinds on Query {
    errorStats(filter: $errorFilter, range: $range, timeZone: $zone) {
      byErrorType(first: 4) { kind name occurrences share }
      bySeverity(first: 4) { kind name occurrences share }
    }
  }
`);

export const errorKinds = panel({
  name: "error-kinds",
  title: "By type and severity",
  columns: 4,
  fragment,
  roots: ["errorStats"],
  View({ data, view }) {
    const types = sharesOf(data.errorStats.byErrorType ?? [], "type", view);
    const severities = sharesOf(data.errorStats.bySeverity ?? [], "severity", view);
    if (types.length === 0) return <Empty>No error occurred in this time.</Empty>;
    return (
      <>
        <ShareList label="Errors by type" shares={types} tone="bad" />
        <h3>Severity</h3>
        <ShareList label="Errors by severity" shares={severities} tone="warn" />
      </>
    );
  },
});

type Group = NonNullable<NonNullable<ErrorKindsFragment["errorStats"]>["byErrorType"]>[number];

/** The groups with errors; a name leads to those alone. */
function sharesOf(groups: Group[], filter: "type" | "severity", view: View): Share[] {
  const chosen = Object.fromEntries(["type", "severity", "status"].map((one) => [one, view.values(one)]));
  return groups
    .filter(({ occurrences }) => occurrences > 0)
    .map(({ kind, name, occurrences, share }) => ({
      name: groupName({ kind, name }, filter),
      share: kind === "OTHERS" ? 0 : share,
      text: count(occurrences),
      title: `${exact(occurrences)} times`,
      note: percent(share),
      href: name === null ? undefined : view.link("/errors", { ...chosen, [filter]: [name] }),
    }));
}
