// Makes GraphiQL's editors and tabs usable with a keyboard and a screen reader.
import { useEditorContext } from "@graphiql/react";
import { useEffect, useLayoutEffect } from "react";

export function useAccessibleEditors(): void {
  const { queryEditor, variableEditor, headerEditor, responseEditor, tabs, activeTabIndex } =
    useEditorContext({ nonNull: true });
  useEffect(() => label(queryEditor, "Operation"), [queryEditor]);
  useEffect(() => label(variableEditor, "Variables"), [variableEditor]);
  useEffect(() => label(headerEditor, "Request headers"), [headerEditor]);
  useEffect(() => label(responseEditor, "Response"), [responseEditor]);
  useEffect(() => leaveByEscape(queryEditor), [queryEditor]);
  useEffect(() => leaveByEscape(variableEditor), [variableEditor]);
  useEffect(() => leaveByEscape(headerEditor), [headerEditor]);
  useLayoutEffect(listTabs, [tabs, activeTabIndex, queryEditor]);
}

type Editor = {
  setOption(option: "screenReaderLabel", label: string): void;
  getScrollerElement(): HTMLElement;
};

function label(editor: Editor | null, name: string): void {
  if (editor === null) return;
  editor.setOption("screenReaderLabel", name);
  const scroller = editor.getScrollerElement();
  scroller.tabIndex = 0; // so that the arrow keys can scroll it
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", `${name}, scrollable`);
}

type KeyMap = Record<string, false>;
type Keys = { addKeyMap(map: KeyMap): void; removeKeyMap(map: KeyMap): void; getInputField(): HTMLElement };

/** Tab indents in an editor; after Escape it leaves, as everywhere else. */
const LEAVING: KeyMap = { Tab: false, "Shift-Tab": false };

function leaveByEscape(editor: Keys | null): (() => void) | undefined {
  if (editor === null) return undefined;
  const field = editor.getInputField();
  const press = ({ key }: KeyboardEvent) => {
    if (key === "Tab" || key === "Shift") return;
    editor.removeKeyMap(LEAVING);
    if (key === "Escape") editor.addKeyMap(LEAVING);
  };
  const stay = () => editor.removeKeyMap(LEAVING);
  field.addEventListener("keydown", press);
  field.addEventListener("blur", stay);
  return () => {
    stay();
    field.removeEventListener("keydown", press);
    field.removeEventListener("blur", stay);
  };
}

/** Gives the tabs the role of a list: they contain buttons, which the role "tab" forbids. */
function listTabs(): void {
  document.querySelector(".graphiql-tabs")?.setAttribute("role", "list");
  for (const tab of document.querySelectorAll(".graphiql-tab")) {
    const current = tab.classList.contains("graphiql-tab-active");
    tab.setAttribute("role", "listitem");
    tab.removeAttribute("aria-selected");
    tab.querySelector("button")?.setAttribute("aria-current", String(current));
  }
}
