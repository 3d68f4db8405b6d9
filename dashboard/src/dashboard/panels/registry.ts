// The panels of the overview, in their order.
import { durations } from "./durations";
import { errorRate } from "./error-rate";
import { failures } from "./failures";
import { headline } from "./headline";
import { latest } from "./latest";
import { networks } from "./networks";
import { newErrors } from "./new-errors";
import { outcomes } from "./outcomes";
import type { Panel } from "./panel";
import { templates } from "./templates";

export const OVERVIEW: Panel[] = [headline, outcomes, networks, durations, errorRate, failures, newErrors, templates, latest];
