// The answer to a page's request: asked once, and again when a subscription tells of a change.
import { useEffect, useState } from "react";

import type { Text } from "../../../generated/graphql";
import { ask, type Outcome, type Problem } from "./ask";
import { connection, follow } from "./live";

export type Answer<Data> = {
  data: Data | null;
  problems: Problem[];
  /** The data is of other variables: of those before the last change of them. */
  isStale: boolean;
  /** Why the gateway could not be asked; the data is what it said last. */
  unreachable: string | null;
};

/**
 * A subscription that tells when a page's data changes. Its first message comes when it has begun:
 * what changed between the request and then is not missed, since each message makes the page ask
 * again. Only one that holds the same values as the page's field `of` does not.
 */
export type Signal = { text: Text<object, never>; variables: object; of?: string };

/** Changes that follow each other are asked for together, so that a busy hour costs 30 requests a minute. */
export const PAUSE_MS = 2_000;

/** A query, and what tells that its answer changes; it is asked again after a pause, at the earliest. */
export type Question<Data, Variables> = { text: Text<Data, Variables>; variables: Variables; signals?: Signal[]; pauseMs?: number };

/** After so long a question that was not answered is asked again, then after twice as long, and so on. */
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

const NOTHING = { data: null, problems: [], isStale: false, unreachable: null };

export function useAnalytics<Data, Variables>(
  text: Text<Data, Variables>,
  variables: Variables,
  signals: Signal[] = [],
): Answer<Data> & { reload: () => void } {
  const [turn, setTurn] = useState(0);
  const [answer = NOTHING] = useAnswers([{ text, variables, signals }], turn);
  return { ...answer, reload: () => setTurn((before) => before + 1) };
}

/** The answers to some questions, each of which is asked again by itself; all of them in another turn. */
export function useAnswers<Data, Variables>(questions: Question<Data, Variables>[], turn = 0): Answer<Data>[] {
  const [answers, setAnswers] = useState<Answer<Data>[]>([]);
  const key = JSON.stringify(questions);
  useEffect(() => {
    setAnswers((before) => questions.map((_, at) => ({ ...(before[at] ?? NOTHING), isStale: (before[at]?.data ?? null) !== null })));
    const ends = questions.map((question, at) => watch(question, (change) => setAnswers((before) => before.with(at, change(before[at] ?? NOTHING)))));
    return () => {
      for (const end of ends) end();
    };
  }, [key, turn]); // the key holds the questions
  return answers;
}

function watch<Data, Variables>(
  { text, variables, signals = [], pauseMs = PAUSE_MS }: Question<Data, Variables>,
  show: (change: (before: Answer<Data>) => Answer<Data>) => void,
): () => void {
  const ended = new AbortController();
  let shown: Data | null = null;
  let isAnswered = false;
  let retryMs = RETRY_MS;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const waiting = new Map<Signal, () => void>(); // the last messages that came before the first answer

  const load = paused(async () => {
    clearTimeout(retry);
    try {
      const outcome = await ask(text, variables, ended.signal);
      isAnswered = outcome.kind === "answered" && !isLimited(outcome);
      if (isAnswered && outcome.kind === "answered") shown = outcome.data;
      const messages = isAnswered ? [...waiting.values()] : [];
      if (isAnswered) waiting.clear();
      show((before) => answerAfter(before, outcome));
      for (const compare of messages) compare();
      if (!isAnswered) retry = setTimeout(load, retryMs);
      retryMs = isAnswered ? RETRY_MS : Math.min(LONGEST_RETRY_MS, retryMs * 2);
    } catch (error) {
      if (!ended.signal.aborted) throw error;
    }
  }, ended.signal, pauseMs);

  const ends = signals.map((signal) => {
    return follow(signal.text, signal.variables as never, (data) => {
      const [value] = Object.values(data);
      const compare = () => {
        if (signal.of === undefined || !says(shown, signal.of, value)) load();
      };
      if (isAnswered) compare();
      else waiting.set(signal, compare);
    });
  });
  const stop = connection.follow(() => {
    if (connection.get() === "live" && !isAnswered) load();
  });
  const wake = () => {
    if (!document.hidden) load();
  };
  document.addEventListener("visibilitychange", wake);
  load();
  return () => {
    ended.abort();
    clearTimeout(retry);
    for (const end of [...ends, stop]) end();
    document.removeEventListener("visibilitychange", wake);
  };
}

/** What is shown after an outcome: what there was before stays if nothing came. */
function answerAfter<Data>(before: Answer<Data>, outcome: Outcome<Data>): Answer<Data> {
  const isStale = before.data !== null;
  if (outcome.kind === "unreachable") return { ...before, isStale, unreachable: outcome.reason };
  if (isLimited(outcome)) return { ...before, isStale, problems: outcome.problems, unreachable: null };
  return { data: outcome.data, problems: outcome.problems, isStale: false, unreachable: null };
}

/** Whether the reader has asked too much in the last minute. */
function isLimited(outcome: Outcome<unknown>): boolean {
  return outcome.kind === "answered" && outcome.data === null && outcome.problems.some(({ code }) => code === "RATE_LIMITED");
}

type Values = Record<string, unknown>;

/** Whether a field of a page's data holds the same values as a message, which may have it under its name. */
function says(data: unknown, field: string, message: unknown): boolean {
  const part = (data as Record<string, Values | null> | null)?.[field];
  const values = field in (message as Values) ? (message as Values)[field] : message;
  if (!part || !values) return false;
  return Object.entries(values).every(([name, value]) => part[name] === value);
}

/** Runs the work at once, then again after a pause if it was wanted meanwhile; never while the page is hidden. */
export function paused(work: () => Promise<void>, ended: AbortSignal, pauseMs = PAUSE_MS): () => void {
  let isBusy = false;
  let isWanted = false;
  const run = async () => {
    if (ended.aborted || document.hidden) return;
    isBusy = true;
    isWanted = false;
    await work();
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    isBusy = false;
    if (isWanted) void run();
  };
  return () => {
    isWanted = true;
    if (!isBusy) void run();
  };
}
