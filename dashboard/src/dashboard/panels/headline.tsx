// The six figures on top: each with its change against the period before.
import { graphql, type HeadlineFragment } from "../../../generated/graphql";
import type { View } from "../address/view";
import { count, duration, exact, exactDuration, percent } from "../format/numbers";
import { MetricsCard } from "../parts/metrics-card";
import { type Data, panel } from "./panel";

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
  View: Headline,
});

function Headline({ data, view }: { data: Data<HeadlineFragment, "deploymentStats">; view: View }) {
  // The card of the errors shows no value if they alone could not be loaded.
  const { deploymentStats: deployments, errorStats: errors } = data;
  const { previous, series } = deployments;
  const points = series ?? [];
  return (
    <div className="cards">
      <MetricsCard
        name="Deployments"
        value={deployments.attempts}
        previous={previous?.attempts}
        format={count}
        exactly={exact(deployments.attempts)}
        tone="info"
        points={points.map(({ attempts }) => attempts)}
        view={view}
      />
      <MetricsCard
        name="Success rate"
        value={rate(deployments)}
        previous={previous ? rate(previous) : null}
        format={percent}
        exactly={`${exact(deployments.succeeded)} of ${exact(deployments.finished)} that finished`}
        better="up"
        isRate
        tone="good"
        points={points.map(rate)}
        view={view}
      />
      <MetricsCard
        name="Median duration"
        value={deployments.durationP50Ms}
        previous={previous?.durationP50Ms}
        format={duration}
        exactly={exactDuration(deployments.durationP50Ms)}
        better="down"
        tone="line"
        points={points.map(({ durationP50Ms }) => durationP50Ms)}
        view={view}
      />
      <MetricsCard
        name="95th percentile"
        value={deployments.durationP95Ms}
        previous={previous?.durationP95Ms}
        format={duration}
        exactly={exactDuration(deployments.durationP95Ms)}
        better="down"
        tone="line"
        points={points.map(({ durationP95Ms }) => durationP95Ms)}
        view={view}
      />
      <MetricsCard
        name="Errors"
        value={errors?.occurrences}
        previous={errors?.previous?.occurrences}
        format={count}
        exactly={exact(errors?.occurrences)}
        better="down"
        tone="bad"
        points={(errors?.series ?? []).map(({ occurrences }) => occurrences)}
        view={view}
      />
      <MetricsCard
        name="Active projects"
        value={deployments.activeProjects}
        previous={previous?.activeProjects}
        format={count}
        exactly={exact(deployments.activeProjects)}
        better="up"
        tone="info"
        points={points.map(({ activeProjects }) => activeProjects)}
        view={view}
      />
    </div>
  );
}

type Rate = { finished: number; successRate: number };

/** The success rate, or null where nothing finished: 0 of nothing is no rate. */
function rate({ finished, successRate }: Rate): number | null {
  return finished > 0 ? successRate : null;
}
