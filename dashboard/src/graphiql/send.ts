// Sends an operation to the gateway, and reports a refused token or a gateway that is out of reach.

export type Operation = {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
};
export type Options = { headers?: Record<string, string> };
export type Outcome = { kind: "answered" | "refused" | "unreachable"; reason: string };

const ANSWERED: Outcome = { kind: "answered", reason: "" };

export type Send = (operation: Operation, options?: Options) => Promise<object>;

export function createSender(token: string | null, report: (outcome: Outcome) => void): Send {
  return async (operation, options) => {
    try {
      const response = await fetch("/graphql", {
        method: "POST",
        headers: headersFor(token, options?.headers),
        body: JSON.stringify(withoutOldName(operation)),
      });
      const answer = await readAnswer(response);
      report(response.status === 401 ? { kind: "refused", reason: firstMessage(answer) } : ANSWERED);
      return answer;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      report({ kind: "unreachable", reason });
      return { errors: [{ message: reason }] };
    }
  };
}

/** Removes a name that the document lacks: after a change of tabs GraphiQL sends the old one. */
function withoutOldName(operation: Operation): Operation {
  const name = operation.operationName ?? "";
  const declared = operation.query.matchAll(/\b(?:query|mutation|subscription)\s+(\w+)/g);
  const known = [...declared].some((match) => match[1] === name);
  return known ? operation : { ...operation, operationName: undefined };
}

function headersFor(token: string | null, entered: Record<string, string> = {}): Headers {
  const headers = new Headers(entered); // the headers editor takes precedence
  headers.set("Content-Type", "application/json");
  if (!headers.has("Accept")) {
    headers.set("Accept", "application/graphql-response+json, application/json;q=0.9");
  }
  if (token !== null && !headers.has("Authorization")) {
    headers.set("Authorization", `Bearer ${token}`);
  }
  return headers;
}

async function readAnswer(response: Response): Promise<object> {
  const text = await response.text();
  try {
    return JSON.parse(text) as object;
  } catch {
    throw new Error(`The response (${response.status}) is not JSON.`);
  }
}

function firstMessage(answer: object): string {
  const errors = (answer as { errors?: { message?: string }[] }).errors;
  return errors?.[0]?.message ?? "no reason given";
}
