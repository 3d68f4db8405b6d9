// The choice of a measure, and which of the page's filters its events know.
import type { MetricFilter } from "../../../generated/graphql";
import { type Dimension, DIMENSIONS, type View } from "../address/view";
import { type Measure, wordsOf } from "../api/catalogue";
import { lower } from "../format/words";

export function MeasureChoice({ all, chosen, onChange }: { all: Measure[]; chosen: string; onChange: (name: string) => void }) {
  const facts = [...new Set(all.map(({ fact }) => fact))];
  return (
    <span className="choice chosen measure">
      <select aria-label="measure" value={chosen} onChange={(event) => onChange(event.target.value)}>
        {facts.map((fact) => (
          <optgroup key={fact} label={lower(fact)}>
            {all
              .filter((one) => one.fact === fact)
              .map((one) => (
                <option key={one.measure} value={one.measure}>
                  {wordsOf(one)}
                </option>
              ))}
          </optgroup>
        ))}
      </select>
    </span>
  );
}

/** Whether events of the measure's kind have the dimension. */
export function takes(measure: Measure, dimension: Dimension): boolean {
  return measure.dimensions.some((one) => one.toLowerCase() === dimension);
}

/** The page's filters, without those that the measure's events do not know. */
export function metricFilterOf(view: View, measure: Measure): MetricFilter {
  const known = DIMENSIONS.filter((one) => view.value(one) !== "" && takes(measure, one));
  return Object.fromEntries(known.map((one) => [`${one}s`, view.values(one)]));
}
