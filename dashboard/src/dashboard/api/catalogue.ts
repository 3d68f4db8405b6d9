// The catalogue of measures, asked once.
import { useEffect } from "react";

import { type CatalogueQuery, graphql } from "../../../generated/graphql";
import { lower } from "../format/words";
import { ask } from "./ask";
import { Store, useStore } from "./store";

export const CATALOGUE = graphql(`
  query Catalogue {
    measures { measure fact unit formula description additive errorBound dimensions }
  }
`);

export type Measure = CatalogueQuery["measures"][number];

const measures = new Store<Measure[]>([]);
let isAsked = false;

/** All measures; none until they are known. */
export function useCatalogue(): Measure[] {
  useEffect(() => {
    if (isAsked) return;
    isAsked = true;
    void ask(CATALOGUE, {}).then((outcome) => {
      if (outcome.kind === "answered" && outcome.data) measures.set(outcome.data.measures);
      else isAsked = false; // the next page tries again
    });
  }, []);
  return useStore(measures);
}

/** The measure that a rate divides by, such as `DEPLOYMENT_FINISHED`; null if it divides by none. */
export function denominatorOf(measure: Measure, all: Measure[]): Measure | null {
  const [, below] = measure.formula.split(" / ");
  const name = `${measure.fact}_${below}`.toUpperCase();
  return measure.unit === "FRACTION" ? (all.find((one) => one.measure === name) ?? null) : null;
}

/** `DEPLOYMENT_DURATION_P95_MS` as `deployment duration p95`: values show their unit. */
export function wordsOf({ measure }: Pick<Measure, "measure">): string {
  return lower(measure).replace(/ ms$/, "").replace(/^api\b/, "API");
}

/** The same without the kind of event, where a page is about one kind: `duration p95`. */
export function shortWordsOf(measure: Measure, { fact }: Measure): string {
  const words = wordsOf(measure);
  return measure.fact === fact ? words.slice(fact.length + 1) : words;
}
