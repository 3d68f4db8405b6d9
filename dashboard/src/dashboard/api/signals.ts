// Subscriptions that tell when figures of a measure change.
import { graphql } from "../../../generated/graphql";
import type { View } from "../address/view";
import type { Measure } from "./catalogue";
import type { Signal } from "./use-analytics";

const TEXTS: Record<string, Signal["text"]> = {
  deployment: graphql(`
    subscription DeploymentsMoved($range: TimeRange) { deploymentStatsChanged(range: $range) { attempts inProgress } }
  `),
  build: graphql(`
    subscription BuildsMoved($range: TimeRange) { buildStatsChanged(range: $range) { __typename } }
  `),
  build_phase: graphql(`
    subscription PhasesMoved($range: TimeRange) { buildPhaseStatsChanged(range: $range) { __typename } }
  `),
  function: graphql(`
    subscription FunctionsMoved($range: TimeRange) { functionStatsChanged(range: $range) { __typename } }
  `),
  api: graphql(`
    subscription ApiMoved($range: TimeRange) { apiStatsChanged(range: $range) { __typename } }
  `),
  error: graphql(`
    subscription ErrorsMoved($range: TimeRange) { errorStatsChanged(range: $range) { __typename } }
  `),
};

/** The signal for a measure's kind of event; none for kinds that have no subscription. */
export function signalsOf({ fact }: Measure, { range }: View): Signal[] {
  const text = TEXTS[fact.toLowerCase()];
  return text === undefined ? [] : [{ text, variables: { range } }];
}
