// Sends errors with Sentry's SDK for Node, and tells their ids by name.
import * as Sentry from "@sentry/node";
import { tell } from "./common.mjs";

const { SENTRY_DSN: dsn, CANARY: canary = "" } = process.env;

Sentry.init({
  dsn,
  release: "shop@2.0.0",
  environment: "staging",
  sendDefaultPii: true,
  tracesSampleRate: 1.0,
});

class OrderError extends Error {
  name = "OrderError";
}

function findOrder(number) {
  throw new OrderError(`order ${number} of user ${number * 7} does not exist`);
}

/** The id under which an error that the function throws is sent. */
function captured(fail) {
  try {
    fail();
  } catch (error) {
    return Sentry.captureException(error);
  }
}

function chained() {
  try {
    const password = `${canary}-password`;
    throw new TypeError(`cannot log in with password=${password}`);
  } catch (cause) {
    throw new Error("the order was not placed", { cause });
  }
}

function greet() {
  throw new SyntaxError("Grüße 🦊 \u202e\u0000 \ud800 日本語");
}

function huge() {
  const wide = Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`name${at}`, "x".repeat(100)]));
  wide.self = wide;
  Sentry.setContext("wide", wide);
  throw new RangeError("y".repeat(200_000));
}

Sentry.setUser({ id: 7, email: `${canary}@example.com` });
Sentry.setTag("shop", "north");
Sentry.addBreadcrumb({ message: `token=${canary}-crumb`, category: "http" });

const ids = {
  orders: [1, 22, 333].map((number) => captured(() => findOrder(number))),
  chained: [captured(chained), captured(chained)],
  unicode: [captured(greet)],
  text: [captured(() => { throw "only a text"; })],
  message: [Sentry.captureMessage("hello", "warning")],
  huge: [captured(huge)],
};
await Sentry.startSpan({ op: "http.server", name: "GET /orders" }, async () => {});
await Sentry.flush(20_000);
tell(ids);
