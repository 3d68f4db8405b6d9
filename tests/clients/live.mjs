// What graphql-ws and graphql-sse are both asked to do: follow a project while it deploys.
import { operation, unknown, url, headers } from "./common.mjs";

export const project = process.env.GATEWAY_LIVE_PROJECT;

const ask = (client, name, variables) => client.iterate({ query: operation(name), variables });

async function record(deployment) {
  const event = {
    type: "started", deployment, project, id: `${deployment}-started`, time: new Date().toISOString(),
  };
  const answer = await fetch(`${url}/v1/events`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(event),
  });
  const [result] = (await answer.json()).results;
  if (result.status !== "accepted") throw new Error(JSON.stringify(result));
}

async function all(results) {
  const told = [];
  for await (const result of results) told.push(result);
  return told;
}

export async function follow(client, name) {
  const named = await all(ask(client, "NameProject", { slug: project, name: `Named by ${name}` }));
  const changes = ask(client, "Changes", { project });
  const figures = ask(client, "LiveFigures", { project });
  const before = [(await changes.next()).value, (await figures.next()).value];
  const started = performance.now();
  await record(`live-${name}`);
  const change = (await changes.next()).value;
  const tookSeconds = (performance.now() - started) / 1000;
  const after = (await figures.next()).value;
  await Promise.all([changes.return(), figures.return()]);
  // One client throws what went wrong, the other hands it over like a result.
  const missing = await all(ask(client, "Changes", { project: unknown })).catch((thrown) => thrown);
  const errors = [missing].flat().flatMap((one) => one.errors ?? [one]);
  return {
    named: named.map((one) => one.data.upsertProject.project.name),
    first: before[0].data.deploymentChanged,
    attempts: [before[1], after].map((one) => one.data.deploymentStatsChanged.attempts),
    change: change.data.deploymentChanged.deployment,
    tookSeconds,
    codes: errors.map((error) => error.extensions?.code ?? String(error)),
  };
}
