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
import { PANEL_VARIABLES } from "./variables";

export const OVERVIEW: Panel[] = [headline, outcomes, networks, durations, errorRate, failures, newErrors, templates, latest];

/** One query for these panels: their fragments, and those variables that they use. */
export function queryOf(name: string, fragments: string[]): string {
  const names = fragments.map((text) => /fragment (\w+)/.exec(text)?.[1]);
  const used = Object.entries(PANEL_VARIABLES).filter(([variable]) =>
    fragments.some((text) => new RegExp(`\\$${variable}\\b`).test(text)),
  );
  const declared = used.map(([variable, type]) => `$${variable}: ${type}`).join(", ");
  return `query ${name}(${declared}) { ${names.map((one) => `...${one}`).join(" ")} }${fragments.join("")}`;
}
