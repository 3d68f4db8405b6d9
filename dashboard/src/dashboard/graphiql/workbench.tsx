// GraphiQL, with a panel of examples beside those for documentation and history.
import { DOC_EXPLORER_PLUGIN, DocExplorerContextProvider } from "@graphiql/plugin-doc-explorer";
import { HISTORY_PLUGIN, HistoryContextProvider } from "@graphiql/plugin-history";
import { useEditorContext } from "@graphiql/react";
import { GraphiQL, GraphiQLInterface, GraphiQLProvider } from "graphiql";
import { type ComponentProps, useEffect, useState } from "react";

import { useAccessibleEditors } from "./accessibility";
import { EXAMPLES_PLUGIN } from "./example-panel";
import { EXAMPLES } from "./examples";
import { Measurements } from "./footer";
import { isNarrow } from "./screen";
import type { Measured, Send } from "./send";

const PLUGINS = [EXAMPLES_PLUGIN, DOC_EXPLORER_PLUGIN, HISTORY_PLUGIN];
const FIRST_TABS = EXAMPLES.slice(0, 1).map(({ query }) => ({ query }));

/** Where GraphiQL stores its tabs, and the operation of the open one. */
const STORED_TABS = "graphiql:tabState";
const STORED_QUERY = "graphiql:query";
type Tabs = { tabs: { query: string | null }[]; activeTabIndex: number };

/** Its type has more ways to subscribe than the one that GraphiQL uses. */
type Fetcher = ComponentProps<typeof GraphiQLProvider>["fetcher"];

/** An operation that a link brought. */
export type Linked = { query: string; variables: string };

type Props = { send: Send; linked: Linked | null; measured: Measured | null };

export function Workbench({ send, linked, measured }: Props) {
  useState(completeStored);
  return (
    <GraphiQLProvider
      fetcher={send as Fetcher}
      plugins={PLUGINS}
      referencePlugin={DOC_EXPLORER_PLUGIN}
      visiblePlugin={showsExamples() ? EXAMPLES_PLUGIN : undefined}
      defaultTabs={FIRST_TABS}
      query={linked?.query}
      variables={linked?.variables}
      inputValueDeprecation
      schemaDescription
    >
      <HistoryContextProvider>
        <DocExplorerContextProvider>
          <Editors measured={measured} />
        </DocExplorerContextProvider>
      </HistoryContextProvider>
    </GraphiQLProvider>
  );
}

/** Renders the editors after the provider knows which panel is open: they read it only once. */
function Editors({ measured }: { measured: Measured | null }) {
  const [ready, setReady] = useState(false);
  useEffect(() => setReady(true), []);
  useAccessibleEditors();
  useWrappedLines();
  if (!ready) return null;
  return (
    <GraphiQLInterface forcedTheme="system">
      <GraphiQL.Logo>
        <span />
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <Measurements measured={measured} />
      </GraphiQL.Footer>
    </GraphiQLInterface>
  );
}

/** Wraps long lines, as the response does. */
function useWrappedLines(): void {
  const { queryEditor } = useEditorContext({ nonNull: true });
  useEffect(() => queryEditor?.setOption("lineWrapping", true), [queryEditor]);
}

/** Not on a narrow screen, nor after the panel was closed, which GraphiQL stores under this key. */
function showsExamples(): boolean {
  return !isNarrow() && localStorage.getItem("graphiql:docExplorerFlex") !== "hide-first";
}

/**
 * Stores the operation of the open tab if GraphiQL has stored only its tabs. It does so half a
 * second after they open, and stores the operation once its editor is loaded. Made anew in
 * between, by a change of the token or a reload, GraphiQL would open an empty tab.
 */
function completeStored(): void {
  if (localStorage.getItem(STORED_QUERY) !== null) return;
  try {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem(STORED_TABS) ?? "") as Tabs;
    const query = tabs[activeTabIndex]?.query;
    if (query) localStorage.setItem(STORED_QUERY, query);
  } catch {
    // Without tabs, or with none that can be read, GraphiQL opens the first example.
  }
}
