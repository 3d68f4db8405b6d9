// Range, comparison, zone and filters: all of them change the address alone.
import type { ReactNode } from "react";

import { graphql, type Measure } from "../../../generated/graphql";
import { useAnalytics } from "../api/use-analytics";
import { COMPARISONS, type Dimension, DIMENSIONS, type View } from "../address/view";
import { ManyChoice } from "./many-choice";
import { RangeChoice } from "./range-choice";
import { ZoneChoice } from "./zone-choice";

/** The names to choose from: those that deployments of the range have. */
export const FILTER_NAMES = graphql(`
  fragment FilterNames on Query {
    names: deploymentStats(range: $range, timeZone: $zone) {
      byProject(first: 100) { name }
      byNetwork(first: 20) { name }
      byTemplate(first: 100) { name }
      byEnvironment(first: 20) { name }
    }
  }
`);

type Named = { name: string | null }[] | null;
export type Names = Partial<Record<(typeof GROUPS)[Dimension], Named>> | null | undefined;

const GROUPS = {
  project: "byProject",
  network: "byNetwork",
  template: "byTemplate",
  environment: "byEnvironment",
} as const satisfies Record<Dimension, string>;

/** `also`: filters of the page's own, which its children change. */
type Props = { view: View; names: Names; hasComparison?: boolean; only?: readonly Dimension[]; children?: ReactNode; also?: readonly string[] };

export function FilterBar({ view, names, hasComparison, only = DIMENSIONS, children, also = [] }: Props) {
  const filters = [...DIMENSIONS, ...also];
  const isFiltered = filters.some((name) => view.value(name) !== "");
  return (
    <div className="filters" role="group" aria-label="Range and filters">
      <RangeChoice view={view} />
      <ZoneChoice view={view} />
      {only.map((dimension) => (
        <ManyChoice
          key={dimension}
          label={dimension}
          chosen={view.values(dimension)}
          options={(names?.[GROUPS[dimension]] ?? []).flatMap(({ name }) => name ?? [])}
          onChange={(chosen) => view.change({ [dimension]: chosen })}
        />
      ))}
      {children}
      {hasComparison && (
        <span className="choice">
          <select aria-label="Compared with" value={view.value("compare") || "previous"} onChange={(event) => view.change({ compare: event.target.value })}>
            {COMPARISONS.map(({ name, label }) => (
              <option key={name} value={name}>
                vs {label}
              </option>
            ))}
          </select>
        </span>
      )}
      {isFiltered && (
        <button type="button" className="quiet" onClick={() => view.change(Object.fromEntries([...filters, "before"].map((name) => [name, null])))}>
          Clear filters
        </button>
      )}
      {view.faults.map((fault) => (
        <p key={fault} className="notice" role="alert">
          {fault}
        </p>
      ))}
    </div>
  );
}

type ChoiceProps = {
  label: string;
  value: string;
  options: string[];
  onChange: (value: string) => void;
  /** The text of the choice of none. */
  none?: string;
  textOf?: (value: string) => string;
};

export function Choice({ label, value, options, onChange, none = `any ${label}`, textOf = (name) => name }: ChoiceProps) {
  return (
    <span className={`choice ${value === "" ? "" : "chosen"}`}>
      <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value)}>
        <option value="">{none}</option>
        {options.map((name) => (
          <option key={name} value={name}>
            {textOf(name)}
          </option>
        ))}
      </select>
    </span>
  );
}

const NAMES = graphql(`
  query Names($measures: [Measure!]!, $range: TimeRange!, $zone: TimeZone!, $hasNetwork: Boolean!, $hasTemplate: Boolean!) {
    byProject: metrics(measures: $measures, groupBy: [PROJECT], range: $range, timeZone: $zone, first: 100) { groups { keys { name } } }
    byEnvironment: metrics(measures: $measures, groupBy: [ENVIRONMENT], range: $range, timeZone: $zone, first: 20) { groups { keys { name } } }
    byNetwork: metrics(measures: $measures, groupBy: [NETWORK], range: $range, timeZone: $zone, first: 20) @include(if: $hasNetwork) { groups { keys { name } } }
    byTemplate: metrics(measures: $measures, groupBy: [TEMPLATE], range: $range, timeZone: $zone, first: 100) @include(if: $hasTemplate) { groups { keys { name } } }
  }
`);

/** The names that the events of a measure have, for a page whose own request does not ask for them. */
export function useNames({ range, zone }: View, measure: Measure, only: readonly Dimension[]): Names {
  const variables = { measures: [measure], range, zone, hasNetwork: only.includes("network"), hasTemplate: only.includes("template") };
  const { data } = useAnalytics(NAMES, variables);
  if (data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([name, table]) => [name, (table?.groups ?? []).flatMap(({ keys }) => keys)]));
}
