// Range, comparison, zone and filters: all of them change the address alone.
import { graphql, type FilterNamesFragment } from "../../../generated/graphql";
import { withFragments } from "../api/ask";
import { useAnalytics } from "../api/use-analytics";
import { COMPARISONS, type Dimension, DIMENSIONS, RANGES, type View } from "../address/view";

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

type Props = { view: View; names: Names; hasComparison?: boolean; only?: readonly Dimension[] };

export function FilterBar({ view, names, hasComparison, only = DIMENSIONS }: Props) {
  const isFiltered = DIMENSIONS.some((dimension) => view.value(dimension) !== "");
  return (
    <div className="filters" role="group" aria-label="Range and filters">
      <Ranges view={view} />
      {only.map((dimension) => (
        <Choice
          key={dimension}
          label={dimension}
          value={view.value(dimension)}
          options={optionsOf(view.values(dimension), (names?.[GROUPS[dimension]] ?? []).map(({ name }) => name))}
          onChange={(value) => view.change({ [dimension]: value })}
        />
      ))}
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
        <button type="button" className="quiet" onClick={() => view.change(Object.fromEntries(DIMENSIONS.map((name) => [name, null])))}>
          Clear filters
        </button>
      )}
    </div>
  );
}

function Ranges({ view }: { view: View }) {
  return (
    <fieldset className="ranges">
      <legend className="hidden">Range</legend>
      {RANGES.map(({ name, label }) => (
        <label key={name} className={view.rangeName === name ? "chosen" : ""}>
          <input type="radio" name="range" className="hidden" checked={view.rangeName === name} onChange={() => view.change({ range: name })} />
          {label}
        </label>
      ))}
    </fieldset>
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

export function Choice({ label, value, options, onChange, none = `any ${label}`, textOf = spaced }: ChoiceProps) {
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

/** The names by alphabet; several chosen by a link are one option more. */
function optionsOf(chosen: string[], names: (string | null)[]): string[] {
  const known = names.filter((name) => name !== null);
  const all = new Set([...known, ...(chosen.length > 0 ? [chosen.join(",")] : [])]);
  return [...all].sort((one, other) => one.localeCompare(other));
}

function spaced(names: string): string {
  return names.replaceAll(",", ", ");
}

const NAMES = graphql(`
  query Names($range: TimeRange!, $zone: TimeZone!) { ...FilterNames }
`);

/** The names, for a page whose own request does not ask for them. */
export function useNames({ range, zone }: View): Names {
  return useAnalytics(withFragments(NAMES, FILTER_NAMES), { range, zone }).data?.names;
}
