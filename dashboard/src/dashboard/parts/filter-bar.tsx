// Range, comparison, zone and filters: all of them change the address alone.
import type { ReactNode } from "react";

import { graphql, type FilterNamesFragment } from "../../../generated/graphql";
import { withFragments } from "../api/ask";
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

export type Names = FilterNamesFragment["names"] | undefined;

const GROUPS = {
  project: "byProject",
  network: "byNetwork",
  template: "byTemplate",
  environment: "byEnvironment",
} as const satisfies Record<Dimension, keyof NonNullable<Names>>;

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
  query Names($range: TimeRange!, $zone: TimeZone!) { ...FilterNames }
`);

/** The names, for a page whose own request does not ask for them. */
export function useNames({ range, zone }: View): Names {
  return useAnalytics(withFragments(NAMES, FILTER_NAMES), { range, zone }).data?.names;
}
