// Sends the operations of GraphiQL, and measures what each answer took.
import { getOperationAST, parse } from "graphql";

import { type Answer, post } from "../api/ask";
import { subscribe } from "../api/live";

export type Operation = {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
};
export type Options = { headers?: Record<string, string> };

type Cost = { estimate: number; limit: number; remaining?: number };
/** What an answer took; a subscription counts its messages. */
export type Measured = { ms: number; cost?: Cost | undefined; messages?: number };

type Sink = { next: (answer: object) => void; complete: () => void };
type Messages = { subscribe: (sink: Sink) => { unsubscribe: () => void } };
export type Send = (operation: Operation, options?: Options) => Promise<object> | Messages;

const INTROSPECTION = "IntrospectionQuery";

/**
 * Sends operations until `end` is called, which ends the subscriptions that still run: GraphiQL
 * leaves them when its page is left. `onFault` is told why the gateway is out of reach, or null.
 */
export function createSender(onFault: (reason: string | null) => void, onMeasured: (measured: Measured) => void) {
  const running = new Set<() => void>();
  const send: Send = (given, options) => {
    const operation = withoutOldName(given);
    if (!isSubscription(operation)) return answer(operation, options?.headers, onFault, onMeasured);
    return messages(operation, running, onMeasured);
  };
  const end = () => {
    for (const stop of running) stop();
  };
  return { send, end };
}

async function answer(
  operation: Operation,
  headers: Record<string, string> | undefined,
  onFault: (reason: string | null) => void,
  onMeasured: (measured: Measured) => void,
): Promise<object> {
  const isOwn = operation.operationName === INTROSPECTION;
  const started = performance.now();
  try {
    const { answer } = await post(isOwn ? operation : { ...operation, extensions: { cost: true } }, headers);
    const { cost, shown } = withoutCost(answer);
    onFault(null);
    if (!isOwn) onMeasured({ ms: performance.now() - started, cost });
    return shown;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    onFault(message);
    return { errors: [{ message }] };
  }
}

function messages(operation: Operation, running: Set<() => void>, onMeasured: (measured: Measured) => void): Messages {
  return {
    subscribe({ next, complete }) {
      const started = performance.now();
      let count = 0;
      const stop = subscribe(operation, {
        next: (message) => {
          count += 1;
          onMeasured({ ms: performance.now() - started, messages: count });
          next(message);
        },
        error: (error) => {
          running.delete(stop);
          next({ errors: Array.isArray(error) ? error : [{ message: String(error) }] });
          complete();
        },
        complete: () => {
          running.delete(stop);
          complete();
        },
      });
      running.add(stop);
      return { unsubscribe: stop };
    },
  };
}

/** Whether the operation that runs is a subscription; one that cannot be read is sent for the gateway to refuse. */
function isSubscription({ query, operationName }: Operation): boolean {
  try {
    return getOperationAST(parse(query), operationName)?.operation === "subscription";
  } catch {
    return false;
  }
}

/** Removes a name that the document lacks: after a change of tabs GraphiQL sends the old one. */
function withoutOldName(operation: Operation): Operation {
  const name = operation.operationName ?? "";
  const declared = operation.query.matchAll(/\b(?:query|mutation|subscription)\s+(\w+)/g);
  const known = [...declared].some((match) => match[1] === name);
  return known ? operation : { ...operation, operationName: undefined };
}

/** The cost is asked for by this page and shown below the answer, not within it. */
function withoutCost(answer: Answer<unknown>): { cost?: Cost | undefined; shown: object } {
  const { extensions, ...rest } = answer;
  if (extensions?.cost === undefined) return { shown: answer };
  const { cost, ...others } = extensions;
  return { cost: cost as Cost, shown: Object.keys(others).length > 0 ? { ...rest, extensions: others } : rest };
}
