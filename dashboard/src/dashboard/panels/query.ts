// The query of some panels, made of their fragments.
import type { View } from "../address/view";
import { PANEL_VARIABLES } from "./variables";

type Name = keyof typeof PANEL_VARIABLES;

/** One query for these fragments, which declares those variables that they use. */
export function queryOf(name: string, fragments: string[]): string {
  const names = fragments.map((text) => /fragment (\w+)/.exec(text)?.[1]);
  const used = variableNames().filter((variable) => fragments.some((text) => uses(text, variable)));
  const declared = used.map((variable) => `$${variable}: ${PANEL_VARIABLES[variable]}`).join(", ");
  return `query ${name}(${declared}) { ${names.map((one) => `...${one}`).join(" ")} }${fragments.join("")}`;
}

/** The values of the variables that a query or a fragment uses. */
export function variablesOf(text: string, view: View): object {
  const used = variableNames().filter((variable) => uses(text, variable));
  return Object.fromEntries(used.map((variable) => [variable, view[variable]]));
}

function variableNames(): Name[] {
  return Object.keys(PANEL_VARIABLES) as Name[];
}

function uses(text: string, variable: string): boolean {
  return new RegExp(`\\$${variable}\\b`).test(text);
}
