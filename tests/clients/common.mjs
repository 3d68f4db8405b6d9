// What every client is asked to do, and how it tells the test what came of it.
import { readFileSync } from "node:fs";

export const { GATEWAY_URL: url, GATEWAY_TOKEN: token, GATEWAY_PROJECT: project } = process.env;
export const endpoint = `${url}/graphql`;
export const headers = { authorization: `Bearer ${token}` };
export const operations = readFileSync(new URL("operations.graphql", import.meta.url), "utf8");
export const unknown = "nobody-has-this";

/** One operation of the file, with the fragment that it may use. */
export function operation(name) {
  const parts = operations.split(/\n\n/);
  const fragment = parts.find((part) => part.startsWith("fragment"));
  const text = parts.find((part) => part.includes(` ${name}(`));
  return text.includes("...DeploymentParts") ? `${text}\n${fragment}` : text;
}

/** A fetch that notes what was sent, text or hash, and what the answer looked like. */
export function noted(requests) {
  return async (target, options = {}) => {
    const answer = await fetch(target, options);
    const sent = options.body
      ? JSON.parse(options.body)
      : Object.fromEntries(new URL(target).searchParams);
    requests.push({
      method: options.method ?? "GET",
      hasText: "query" in sent,
      hasHash: JSON.stringify(sent.extensions ?? "").includes("sha256Hash"),
      status: answer.status,
      type: answer.headers.get("content-type"),
      encoding: answer.headers.get("content-encoding"),
    });
    return answer;
  };
}

export function tell(result) {
  process.stdout.write(JSON.stringify(result));
}
