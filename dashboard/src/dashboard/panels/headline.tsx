// The six figures on top: each with its change against the period before.
import { graphql, type HeadlineFragment } from "../../../generated/graphql";
import { count, duration, exact, percent } from "../format/numbers";
import { type CardOf, Cards } from "../parts/metrics-card";
import { panel } from "./panel";

const fragment = graphql(`
  fragment Headline on Query {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      attempts inProgress queued succeeded failed cancelled rolledBack finished
      successRate durationP50Ms durationP95Ms activeProjects
      previous(compare: $compare) { attempts finished successRate durationP50Ms durationP95Ms activeProjects }
      freshness { asOf source complete }
      series { attempts finished successRate durationP50Ms durationP95Ms activeProjects }
    }
    errorStats(filter: $errorFilter, range: $range, timeZone: $zone) {
      occurrences
      previous(compare: $compare) { occurrences }
      series { occurrences }
    }
  }
`);

export const headline = panel({
  name: "headline",
  title: "At a glance",
  columns: 12,
  height: 134,
  isBare: true,
  fragment,
  roots: ["deploymentStats"],
  View: ({ data: { deploymentStats, errorStats }, view }) => (
    <div className="cards">
      <Cards cards={DEPLOYMENTS} stats={deploymentStats} view={view} />
      <Cards cards={ERRORS} stats={errorStats} view={view} />
      <Cards cards={PROJECTS} stats={deploymentStats} view={view} />
    </div>
  ),
});

type Deployments = NonNullable<HeadlineFragment["deploymentStats"]>;

const DEPLOYMENTS: CardOf<Deployments>[] = [
  { name: "Deployments", of: ({ attempts }) => attempts, format: count, tone: "info" },
  {
    name: "Success rate",
    of: ({ finished, successRate }) => (finished > 0 ? successRate : null), // 0 of nothing is no rate
    format: percent,
    exactly: ({ succeeded, finished }) => `${exact(succeeded)} of ${exact(finished)} that finished`,
    better: "up",
    tone: "good",
  },
  { name: "Median duration", of: ({ durationP50Ms }) => durationP50Ms, format: duration, better: "down", tone: "line" },
  { name: "95th percentile", of: ({ durationP95Ms }) => durationP95Ms, format: duration, better: "down", tone: "line" },
];

const ERRORS: CardOf<NonNullable<HeadlineFragment["errorStats"]>>[] = [
  { name: "Errors", of: ({ occurrences }) => occurrences, format: count, better: "down", tone: "bad" },
];

const PROJECTS: CardOf<Deployments>[] = [
  { name: "Active projects", of: ({ activeProjects }) => activeProjects, format: count, better: "up", tone: "info" },
];
