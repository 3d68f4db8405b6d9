// The panel beside the editors that lists the examples and opens one in a tab.
import { type GraphiQLPlugin, useEditorContext, usePluginStore } from "@graphiql/react";

import { type Example, EXAMPLES, queryAt } from "./examples";
import { isNarrow } from "./screen";

export const EXAMPLES_PLUGIN: GraphiQLPlugin = { title: "Examples", icon: Icon, content: Panel };

function Panel() {
  const open = useOpenExample();
  const { queryEditor, responseEditor } = useEditorContext({ nonNull: true });
  const ready = queryEditor !== null && responseEditor !== null; // each loads on its own
  return (
    <section className="examples" aria-label="Examples" data-testid="examples">
      <h2>Examples</h2>
      <ul>
        {EXAMPLES.map((example) => (
          <li key={example.name}>
            <button
              type="button"
              data-testid={`example-${example.name}`}
              disabled={!ready}
              onClick={() => open(example)}
            >
              <strong>{example.title}</strong>
              <span>{example.about}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Goes to the tab that already shows the example, or opens one. */
function useOpenExample(): (example: Example) => void {
  const { tabs, moveTab, changeTab } = useEditorContext({ nonNull: true });
  const setVisiblePlugin = usePluginStore((state) => state.setVisiblePlugin);
  return (example) => {
    if (isNarrow()) setVisiblePlugin(null); // the panel would cover the operation
    const query = queryAt(example, new Date());
    const shown = tabs.findIndex((tab) => tab.query === query);
    if (shown >= 0) return changeTab(shown);
    moveTab([...tabs, newTab(example.title, query)]);
    changeTab(tabs.length);
  };
}

function newTab(title: string, query: string) {
  const empty = { variables: null, headers: null, operationName: null, response: null };
  return { id: `${title} ${Date.now()}`, hash: title, title, query, ...empty };
}

function Icon() {
  return (
    <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M3 2h7l3 3v9H3zM6 8h4M6 11h4" />
    </svg>
  );
}
