// Searches pages, projects, deployments, errors, templates and networks: a combobox with one list of results.
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";

import { go } from "../address/location";
import { useView } from "../address/view";
import { counted } from "../format/numbers";
import { offeredPages } from "../pages/pages";
import { useRoles } from "./acting";
import { type Found, resultsOf, useFound } from "./palette-results";

import "../design/palette.css";

export default function Palette({ onClose }: { onClose: () => void }) {
  const view = useView();
  const roles = useRoles();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const { found, isBusy, fault } = useFound(text);
  const groups = resultsOf(text, offeredPages(roles), found, view);
  const results = groups.flatMap((group) => group.results);
  const chosen = Math.min(at, results.length - 1);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const open = ({ href }: Found) => {
    dialog.current?.close();
    go(href);
  };
  const press = (event: KeyboardEvent) => {
    const next = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 }[event.key];
    const result = results[chosen];
    if (next !== undefined && results.length > 0) setAt((next + results.length) % results.length);
    else if (event.key === "Enter" && result) open(result);
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={dialog} className="palette" aria-label="Search" onClose={onClose} onClick={(event) => event.target === dialog.current && dialog.current.close()}>
      <input
        role="combobox"
        aria-label="Search pages, projects, deployments, errors, templates and networks"
        aria-expanded={results.length > 0}
        aria-controls={`${id}list`}
        aria-activedescendant={results.length > 0 ? `${id}${chosen}` : undefined}
        aria-autocomplete="list"
        placeholder="Pages, projects, deployments, errors, templates, networks"
        autoFocus
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <div ref={list} id={`${id}list`} role="listbox" aria-label="Results">
        {groups.map(({ title, results: some }) => (
          <div key={title} role="group" aria-label={title}>
            <p aria-hidden="true">{title}</p>
            {some.map((result) => {
              const index = results.indexOf(result);
              return (
                <div key={result.href} id={`${id}${index}`} role="option" aria-selected={index === chosen} onPointerMove={() => setAt(index)} onClick={() => open(result)}>
                  <span>{result.text}</span> {result.note && <span className="sub">{result.note}</span>}
                </div>
              );
            })}
          </div>
        ))}
      </div>
      {fault !== null && (
        <p className="banner" role="alert">
          {fault}
        </p>
      )}
      <p className="palette-foot sub" role="status">
        {isBusy ? "Searching …" : results.length === 0 ? "Nothing is called that." : `${counted(results.length, "result")}. Enter opens one, Escape closes.`}
      </p>
    </dialog>
  );
}
