// The catalogue of measures, asked once.
import { useEffect } from "react";

import { type CatalogueQuery, graphql } from "../../../generated/graphql";
import { lower } from "../format/words";
import { ask } from "./ask";
import { session } from "./session";
import { Store, useStore } from "./store";

export const CATALOGUE = graphql(`
  query Catalogue {
    measures { measure fact unit formula description additive errorBound dimensions }
  }
`);

export type Measure = CatalogueQuery["measures"][number];

const measures = new Store<Measure[]>([]);
let isAsked = false;
const RETRY_MS = 2_000;

/** Why the catalogue is not there yet, if its request failed. */
export const catalogueFault = new Store<string | null>(null);

/** All measures; none until they are known. */
export function useCatalogue(): Measure[] {
  useEffect(() => {
    if (isAsked) return;
    isAsked = true;
    void askCatalogue();
  }, []);
  return useStore(measures);
}

/** Asks until it is answered; after signing out the next page does. */
async function askCatalogue(): Promise<void> {
  const outcome = await ask(CATALOGUE, {});
  if (outcome.kind === "answered" && outcome.data) {
    catalogueFault.set(null);
    measures.set(outcome.data.measures);
    return;
  }
  catalogueFault.set(outcome.kind === "unreachable" ? "The gateway does not respond." : (outcome.problems[0]?.message ?? null));
  if (session.token() === null) isAsked = false;
  else setTimeout(() => void askCatalogue(), RETRY_MS);
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
