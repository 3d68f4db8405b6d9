// The panels of the overview, in their order.
import { activity } from "./activity";
import { durations } from "./durations";
import { errorRate } from "./error-rate";
import { failures } from "./failures";
import { headline } from "./headline";
import { invocations } from "./invocations";
import { latest } from "./latest";
import { networks } from "./networks";
import { newErrors } from "./new-errors";
import { outcomes } from "./outcomes";
import type { Panel } from "./panel";
import { templates } from "./templates";
import { topErrors } from "./top-errors";

export const OVERVIEW: Panel[] = [
  headline,
  activity,
  outcomes,
  networks,
  durations,
  errorRate,
  invocations,
  topErrors,
  failures,
  newErrors,
  templates,
  latest,
];
