// Subscriptions that tell when figures of a measure change.
import { graphql } from "../../../generated/graphql";
import type { View } from "../address/view";
import type { Measure } from "./catalogue";
import type { Signal } from "./use-analytics";

const TEXTS: Record<Measure["fact"], Signal["text"]> = {
  DEPLOYMENT: graphql(`
    subscription DeploymentsMoved($range: TimeRange, $filter: DeploymentFilter) {
      deploymentStatsChanged(range: $range, filter: $filter) { attempts inProgress }
    }
  `),
  BUILD: graphql(`
    subscription BuildsMoved($range: TimeRange, $filter: BuildFilter) { buildStatsChanged(range: $range, filter: $filter) { __typename } }
  `),
  BUILD_PHASE: graphql(`
    subscription PhasesMoved($range: TimeRange, $filter: BuildPhaseFilter) { buildPhaseStatsChanged(range: $range, filter: $filter) { __typename } }
  `),
  FUNCTION: graphql(`
    subscription FunctionsMoved($range: TimeRange, $filter: FunctionFilter) { functionStatsChanged(range: $range, filter: $filter) { __typename } }
  `),
  API: graphql(`
    subscription ApiMoved($range: TimeRange, $filter: ApiFilter) { apiStatsChanged(range: $range, filter: $filter) { __typename } }
  `),
  ERROR: graphql(`
    subscription ErrorsMoved($range: TimeRange, $filter: ErrorFilter) { errorStatsChanged(range: $range, filter: $filter) { __typename } }
  `),
  MODEL: graphql(`
    subscription ModelsMoved($range: TimeRange, $filter: ModelFilter) { modelStatsChanged(range: $range, filter: $filter) { __typename } }
  `),
  SAMPLE: graphql(`
    subscription SamplesMoved($range: TimeRange, $filter: SampleFilter) { sampleStatsChanged(range: $range, filter: $filter) { __typename } }
  `),
  LOG: graphql(`
    subscription LogsMoved($range: TimeRange, $filter: LogFilter) { logStatsChanged(range: $range, filter: $filter) { __typename } }
  `),
  CERTIFICATE: graphql(`
    subscription CertificatesMoved($range: TimeRange, $filter: CertificateFilter) { certificateStatsChanged(range: $range, filter: $filter) { __typename } }
  `),
};

/** The signal for a measure's kind of event in the projects that the view selects. */
export function signalOf({ fact }: Pick<Measure, "fact">, { range, filter: { projects } }: View): Signal {
  return { text: TEXTS[fact], variables: { range, filter: projects ? { projects } : null } };
}
