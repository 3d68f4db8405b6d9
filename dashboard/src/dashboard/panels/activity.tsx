// Functions, builds and API calls: a second row of figures, each with its change.
import { type ActivityFragment, graphql } from "../../../generated/graphql";
import type { View } from "../address/view";
import { count, duration, exact, exactDuration, percent } from "../format/numbers";
import { LeftOut } from "../parts/left-out";
import { MetricsCard } from "../parts/metrics-card";
import { panel } from "./panel";

const fragment = graphql(`
  fragment Activity on Query {
    functionStats(filter: $functionFilter, range: $range, timeZone: $zone) {
      invocations errors errorRate
      previous(compare: $compare) { invocations errorRate }
      series { invocations errorRate }
    }
    buildStats(filter: $buildFilter, range: $range, timeZone: $zone) {
      attempts averageDurationMs
      previous(compare: $compare) { attempts averageDurationMs }
      series { attempts averageDurationMs }
    }
    apiStats(filter: $apiFilter, range: $range, timeZone: $zone) {
      calls averageDurationMs
      previous(compare: $compare) { calls averageDurationMs }
      series { calls averageDurationMs }
    }
  }
`);

export const activity = panel({
  name: "activity",
  title: "Functions, builds and API calls",
  columns: 12,
  height: 134,
  isBare: true,
  fragment,
  roots: [],
  View: Activity,
});

/** Figures of a kind that could not be loaded, or that the reader may not see, are shown as none. */
function Activity({ data: { functionStats: functions, buildStats: builds, apiStats: api }, view }: { data: ActivityFragment; view: View }) {
  return (
    <>
      <LeftOut things="Functions and API calls" lack={["network", "template"]} view={view} />
      <LeftOut things="Builds" lack={["network"]} view={view} />
      <div className="cards">
        <MetricsCard
          name="Function invocations"
          value={functions?.invocations}
          previous={functions?.previous?.invocations}
          format={count}
          exactly={exact(functions?.invocations)}
          tone="info"
          points={(functions?.series ?? []).map(({ invocations }) => invocations)}
          view={view}
        />
        <MetricsCard
          name="Function error rate"
          value={functions && errorRate(functions)}
          previous={functions?.previous && errorRate(functions.previous)}
          format={percent}
          exactly={`${exact(functions?.errors)} of ${exact(functions?.invocations)} invocations`}
          better="down"
          isRate
          tone="bad"
          points={(functions?.series ?? []).map(errorRate)}
          view={view}
        />
        <MetricsCard
          name="Builds"
          value={builds?.attempts}
          previous={builds?.previous?.attempts}
          format={count}
          exactly={exact(builds?.attempts)}
          tone="info"
          points={(builds?.series ?? []).map(({ attempts }) => attempts)}
          view={view}
        />
        <MetricsCard
          name="Mean build time"
          value={builds?.averageDurationMs}
          previous={builds?.previous?.averageDurationMs}
          format={duration}
          exactly={exactDuration(builds?.averageDurationMs)}
          better="down"
          tone="line"
          points={(builds?.series ?? []).map(({ averageDurationMs }) => averageDurationMs)}
          view={view}
        />
        <MetricsCard
          name="API calls"
          value={api?.calls}
          previous={api?.previous?.calls}
          format={count}
          exactly={exact(api?.calls)}
          tone="info"
          points={(api?.series ?? []).map(({ calls }) => calls)}
          view={view}
        />
        <MetricsCard
          name="Mean API time"
          value={api?.averageDurationMs}
          previous={api?.previous?.averageDurationMs}
          format={duration}
          exactly={exactDuration(api?.averageDurationMs)}
          better="down"
          tone="line"
          points={(api?.series ?? []).map(({ averageDurationMs }) => averageDurationMs)}
          view={view}
        />
      </div>
    </>
  );
}

type Errors = { invocations: number; errorRate: number };

/** The error rate, or null where nothing ran: 0 of nothing is no rate. */
function errorRate({ invocations, errorRate }: Errors): number | null {
  return invocations > 0 ? errorRate : null;
}
