// What the search over everything finds: pages at once, all else by one request after a pause in typing.
import { useEffect, useState } from "react";

import { type FindQuery, graphql } from "../../../generated/graphql";
import type { View } from "../address/view";
import { ask } from "../api/ask";
import { ago } from "../format/times";
import { DEPLOYMENT, ERROR } from "../format/words";

const FIND = graphql(`
  query Find($text: String!) {
    projects(search: $text, first: 5) { nodes { slug name } }
    deployments(search: $text, range: { last: "P90D" }, first: 5) {
      nodes { deploymentId externalId release status createdAt project { slug } }
    }
    errors(search: $text, range: { last: "P90D" }, first: 5) { nodes { id title status lastSeen project { slug } } }
    templates(search: $text, first: 5) { nodes { slug name } }
    networks { name }
  }
`);

const PAUSE_MS = 200;
/** From how many letters on the gateway is asked. */
const ENOUGH = 2;

export type Found = { text: string; note: string; href: string };
type Group = { title: string; results: Found[] };
type State = { found: FindQuery | null; isBusy: boolean; fault: string | null };

const NOTHING: State = { found: null, isBusy: false, fault: null };

/** What the gateway finds for a text; that of the text before, while it is being asked. */
export function useFound(text: string): State {
  const wanted = text.trim();
  const [state, setState] = useState(NOTHING);
  useEffect(() => {
    if (wanted.length < ENOUGH) {
      setState(NOTHING);
      return;
    }
    const ended = new AbortController();
    setState((before) => ({ ...before, isBusy: true }));
    const timer = setTimeout(async () => {
      try {
        const outcome = await ask(FIND, { text: wanted }, ended.signal);
        const isAnswered = outcome.kind === "answered";
        const fault = isAnswered ? (outcome.problems[0]?.message ?? null) : "The gateway does not respond.";
        setState({ found: isAnswered ? outcome.data : null, isBusy: false, fault });
      } catch (error) {
        if (!ended.signal.aborted) throw error;
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      ended.abort();
    };
  }, [wanted]);
  return state;
}

type Offered = { path: string; title: string; group?: string };

/** The results by kind, those kinds without any left out. */
export function resultsOf(text: string, pages: Offered[], found: FindQuery | null, view: View): Group[] {
  const wanted = text.trim().toLowerCase();
  const has = (name: string) => name.toLowerCase().includes(wanted);
  const to = (path: string, id: string) => view.link(`${path}/${encodeURIComponent(id)}`);
  const titles = pages.map(({ path, title, group }) => ({ text: title, note: group ?? "", href: view.link(path) }));
  const groups = [
    { title: "Pages", results: titles.filter((page) => has(page.text)) },
    { title: "Projects", results: (found?.projects?.nodes ?? []).map(({ slug, name }) => ({ text: slug, note: name === slug ? "" : name, href: to("/projects", slug) })) },
    {
      title: "Deployments",
      results: (found?.deployments?.nodes ?? []).map(({ deploymentId, externalId, release, status, createdAt, project }) => ({
        text: release ?? externalId ?? deploymentId,
        note: [project.slug, DEPLOYMENT[status].text.toLowerCase(), ago(createdAt)].join(" · "),
        href: to("/deployments", deploymentId),
      })),
    },
    {
      title: "Errors",
      results: (found?.errors?.nodes ?? []).map(({ id, title, status, lastSeen, project }) => ({
        text: title,
        note: [project.slug, ERROR[status].text.toLowerCase(), ago(lastSeen)].join(" · "),
        href: to("/errors", id),
      })),
    },
    { title: "Templates", results: (found?.templates?.nodes ?? []).map(({ slug, name }) => ({ text: slug, note: name === slug ? "" : name, href: to("/templates", slug) })) },
    { title: "Networks", results: (found?.networks ?? []).filter(({ name }) => has(name)).map(({ name }) => ({ text: name, note: "", href: to("/networks", name) })) },
  ];
  return groups.filter(({ results }) => results.length > 0);
}
