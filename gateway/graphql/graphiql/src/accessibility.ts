// What GraphiQL's editors and tabs lack for people who use a keyboard or a screen reader.
import { useEditorContext } from "@graphiql/react";
import { useEffect, useLayoutEffect } from "react";

export function useAccessibleEditors(): void {
  const { queryEditor, variableEditor, headerEditor, responseEditor, tabs, activeTabIndex } =
    useEditorContext({ nonNull: true });
  useEffect(() => name(queryEditor, "Operation"), [queryEditor]);
  useEffect(() => name(variableEditor, "Variables"), [variableEditor]);
  useEffect(() => name(headerEditor, "Request headers"), [headerEditor]);
  useEffect(() => name(responseEditor, "Response"), [responseEditor]);
  useLayoutEffect(listTabs, [tabs, activeTabIndex, queryEditor]);
}

type Editor = {
  setOption(option: "screenReaderLabel", label: string): void;
  getScrollerElement(): HTMLElement;
};

function name(editor: Editor | null, label: string): void {
  if (editor === null) return;
  editor.setOption("screenReaderLabel", label);
  const scroller = editor.getScrollerElement();
  scroller.tabIndex = 0; // so that the arrow keys can scroll it
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", `${label}, scrollable`);
}

/** Each tab holds buttons, which the role "tab" forbids: they are a list of buttons, so say so. */
function listTabs(): void {
  document.querySelector(".graphiql-tabs")?.setAttribute("role", "list");
  for (const tab of document.querySelectorAll(".graphiql-tab")) {
    const current = tab.classList.contains("graphiql-tab-active");
    tab.setAttribute("role", "listitem");
    tab.removeAttribute("aria-selected");
    tab.querySelector("button")?.setAttribute("aria-current", String(current));
  }
}
