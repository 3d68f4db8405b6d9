// What the platform has many of, each with figures of its own: networks, templates, functions, endpoints.
import type { Dimension as Grouping, Measure as MeasureName, MetricFilter } from "../../../generated/graphql";
import type { Dimension, View } from "../address/view";

export type Chart = { title: string; kind: "bar" | "line"; lines: { name: string; measure: MeasureName; tone: string }[] };

export type Subject = {
  /** The path of their list; one of them is at its name below that. */
  path: string;
  title: string;
  /** What one of them is called. */
  noun: string;
  dimension: Grouping;
  filter: keyof MetricFilter & string;
  /** The filters of the page that their events have. */
  only: readonly Dimension[];
  /** The columns of the list and the cards of one of them; the list is ordered by the first. */
  measures: MeasureName[];
  charts: Chart[];
  /** By what one of them is split. */
  split: Grouping;
};

const DEPLOYED = {
  only: ["project", "network", "template", "environment"],
  measures: [
    "DEPLOYMENT_ATTEMPTS",
    "DEPLOYMENT_SUCCESS_RATE",
    "DEPLOYMENT_DURATION_P50_MS",
    "DEPLOYMENT_DURATION_P95_MS",
    "DEPLOYMENT_ACTIVE_PROJECTS",
    "ERROR_OCCURRENCES",
  ],
  charts: [
    {
      title: "Deployments by outcome",
      kind: "bar",
      lines: [
        { name: "Failed", measure: "DEPLOYMENT_FAILED", tone: "bad" },
        { name: "Rolled back", measure: "DEPLOYMENT_ROLLED_BACK", tone: "warn" },
        { name: "Succeeded", measure: "DEPLOYMENT_SUCCEEDED", tone: "good" },
        { name: "Cancelled", measure: "DEPLOYMENT_CANCELLED", tone: "quiet" },
      ],
    },
    {
      title: "Duration",
      kind: "line",
      lines: [
        { name: "95th percentile", measure: "DEPLOYMENT_DURATION_P95_MS", tone: "line-2" },
        { name: "median", measure: "DEPLOYMENT_DURATION_P50_MS", tone: "line" },
      ],
    },
  ],
} satisfies Partial<Subject>;

export const NETWORK: Subject = {
  ...DEPLOYED,
  path: "/networks",
  title: "Networks",
  noun: "network",
  dimension: "NETWORK",
  filter: "networks",
  split: "TEMPLATE",
};

export const TEMPLATE: Subject = {
  ...DEPLOYED,
  path: "/templates",
  title: "Templates",
  noun: "template",
  dimension: "TEMPLATE",
  filter: "templates",
  split: "NETWORK",
};

export const FUNCTION: Subject = {
  path: "/functions",
  title: "Functions",
  noun: "function",
  dimension: "FUNCTION",
  filter: "functions",
  only: ["project", "environment"],
  measures: [
    "FUNCTION_INVOCATIONS",
    "FUNCTION_ERROR_RATE",
    "FUNCTION_COLD_START_RATE",
    "FUNCTION_DURATION_P50_MS",
    "FUNCTION_DURATION_P95_MS",
    "FUNCTION_DURATION_P99_MS",
  ],
  charts: [
    {
      title: "Invocations",
      kind: "line",
      lines: [
        { name: "Errors", measure: "FUNCTION_ERRORS", tone: "bad" },
        { name: "Invocations", measure: "FUNCTION_INVOCATIONS", tone: "info" },
      ],
    },
    {
      title: "Duration",
      kind: "line",
      lines: [
        { name: "99th percentile", measure: "FUNCTION_DURATION_P99_MS", tone: "line-2" },
        { name: "median", measure: "FUNCTION_DURATION_P50_MS", tone: "line" },
      ],
    },
  ],
  split: "REGION",
};

export const ENDPOINT: Subject = {
  path: "/endpoints",
  title: "API",
  noun: "endpoint",
  dimension: "ENDPOINT",
  filter: "endpoints",
  only: ["project", "environment"],
  measures: ["API_CALLS", "API_SERVER_ERROR_RATE", "API_CLIENT_ERROR_RATE", "API_DURATION_P50_MS", "API_DURATION_P95_MS", "API_DURATION_P99_MS"],
  charts: [
    {
      title: "Calls that failed",
      kind: "bar",
      lines: [
        { name: "Server errors", measure: "API_SERVER_ERRORS", tone: "bad" },
        { name: "Client errors", measure: "API_CLIENT_ERRORS", tone: "warn" },
      ],
    },
    {
      title: "Duration",
      kind: "line",
      lines: [
        { name: "99th percentile", measure: "API_DURATION_P99_MS", tone: "line-2" },
        { name: "95th percentile", measure: "API_DURATION_P95_MS", tone: "line" },
        { name: "median", measure: "API_DURATION_P50_MS", tone: "quiet" },
      ],
    },
  ],
  split: "METHOD",
};

/** The filter of the page, without what their events do not have. */
export function filterOf({ only }: Subject, view: View): MetricFilter {
  return Object.fromEntries(only.filter((one) => view.value(one) !== "").map((one) => [`${one}s`, view.values(one)]));
}

/** The page of one of them. */
export function pageOf({ path }: Subject, name: string, view: View): string {
  return view.link(`${path}/${encodeURIComponent(name)}`);
}
