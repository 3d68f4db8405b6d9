// Figures out of a table of `metrics`: rates over nothing are null, not the 0 of the API.
import type { Measure as MeasureName } from "../../../generated/graphql";
import { denominatorOf, type Measure } from "./catalogue";

type Column = {
  measure: MeasureName;
  values?: (number | null)[][];
  totals: (number | null)[];
  previousTotals?: (number | null)[] | null;
};

export type Figure = {
  total: number | null;
  previous: number | null;
  /** One for each bucket, where the query asked for them. */
  values: (number | null)[];
};

/** What a table must have so that `figureOf` can tell nothing from 0: the measures, and what they divide by. */
export function askedFor(measures: MeasureName[], all: Measure[]): MeasureName[] {
  const below = measures.map((name) => belowOf(name, all)).filter((name) => name !== null);
  return [...new Set([...measures, ...below])];
}

/** A measure of one group of a table. */
export function figureOf(columns: Column[], name: MeasureName, group: number, all: Measure[]): Figure {
  const column = columns.find(({ measure }) => measure === name);
  const below = columns.find(({ measure }) => measure === belowOf(name, all));
  const unless = (value: number | null | undefined, divisor: number | null | undefined) => (divisor === 0 ? null : (value ?? null));
  return {
    total: unless(column?.totals[group], below?.totals[group]),
    previous: unless(column?.previousTotals?.[group], below?.previousTotals?.[group]),
    values: (column?.values?.[group] ?? []).map((value, at) => unless(value, below?.values?.[group]?.[at])),
  };
}

function belowOf(name: MeasureName, all: Measure[]): MeasureName | null {
  const measure = all.find((one) => one.measure === name);
  return measure === undefined ? null : (denominatorOf(measure, all)?.measure ?? null);
}
