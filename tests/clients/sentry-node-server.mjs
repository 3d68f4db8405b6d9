// A server with Sentry's SDK for Node, which is asked twice.
import * as Sentry from "@sentry/node";
import { tell } from "./common.mjs";

Sentry.init({ dsn: process.env.SENTRY_DSN, release: "shop@2.0.0", tracesSampleRate: 1.0 });

// Imported after the SDK, which watches it.
const { createServer } = await import("node:http");

const server = createServer((request, response) => {
  response.statusCode = request.method === "POST" ? 503 : 200;
  response.end("fine");
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}`;
for (const [method, path] of [["GET", "/orders/7"], ["POST", "/orders/8123?token=secret"]]) {
  const answer = await fetch(`${address}${path}`, { method });
  await answer.text();
}
await new Promise((done) => server.close(done));
await Sentry.flush(20_000);
tell({});
