// The choice of any number of names.
import { type FormEvent, useState } from "react";

import { Popup } from "./popup";

type Props = {
  label: string;
  chosen: string[];
  options: string[];
  onChange: (chosen: string[]) => void;
  textOf?: (name: string) => string;
};

/** From how many names on they can be searched. */
const MANY = 8;
/** How many names the button shows before it counts them. */
const SHOWN = 2;

export function ManyChoice({ label, chosen, options, onChange, textOf = (name) => name }: Props) {
  const names = chosen.length > SHOWN ? `${chosen.length} ${label}s` : chosen.map(textOf).join(", ");
  return (
    <Popup label={label} text={names || `any ${label}`} isChosen={chosen.length > 0}>
      {() => <Names {...{ label, chosen, options, onChange, textOf }} />}
    </Popup>
  );
}

function Names({ label, chosen, options, onChange, textOf }: Required<Props>) {
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const all = [...new Set([...options, ...chosen])].sort((one, other) => one.localeCompare(other));
  const shown = all.filter((name) => textOf(name).toLowerCase().includes(wanted));
  const toggle = (name: string) => onChange(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]);
  // A name that deployments of the range do not have can still be typed.
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const [only] = shown.length === 1 ? shown : [text.trim()];
    if (!only) return;
    toggle(only);
    setText("");
  };
  return (
    <form className="fields" onSubmit={submit}>
      {all.length > MANY && (
        <input type="search" aria-label={`Search ${label}s`} placeholder={`Search ${label}s`} autoFocus value={text} onChange={(event) => setText(event.target.value)} />
      )}
      <fieldset>
        <legend className="hidden">{label}s</legend>
        <ul className="options">
          {shown.map((name, index) => (
            <li key={name}>
              <label className="option">
                <input type="checkbox" autoFocus={index === 0 && all.length <= MANY} checked={chosen.includes(name)} onChange={() => toggle(name)} /> {textOf(name)}
              </label>
            </li>
          ))}
        </ul>
      </fieldset>
      {shown.length === 0 && <p className="sub">{wanted === "" ? `No ${label} in this range.` : `None is called that. Enter takes “${text.trim()}” all the same.`}</p>}
      {chosen.length > 0 && (
        <button type="button" className="quiet" onClick={() => onChange([])}>
          Any {label}
        </button>
      )}
    </form>
  );
}
