// The choice of the time zone: the browser's, UTC, or any other by its name.
import { type FormEvent, useState } from "react";

import type { View } from "../address/view";
import { isZone, ownZone, zoneNames } from "../address/zones";
import { Popup } from "./popup";

export function ZoneChoice({ view }: { view: View }) {
  return (
    <Popup label="Time zone" text={view.zone.replaceAll("_", " ")}>
      {(close) => (
        <Zones
          chosen={view.zone}
          onChange={(zone) => {
            close();
            view.change({ zone });
          }}
        />
      )}
    </Popup>
  );
}

function Zones({ chosen, onChange }: { chosen: string; onChange: (zone: string) => void }) {
  const [text, setText] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const name = text.trim().replaceAll(" ", "_");
    if (isZone(name)) onChange(name);
    else setFault(`There is no time zone “${text.trim()}”. Its name is that of a place, such as Europe/Berlin.`);
  };
  return (
    <form onSubmit={submit} className="fields">
      <ul className="options">
        {[...new Set([ownZone(), "UTC"])].map((zone) => (
          <li key={zone}>
            <button type="button" className="option" aria-pressed={zone === chosen} autoFocus={zone === chosen} onClick={() => onChange(zone)}>
              {zone.replaceAll("_", " ")} {zone === ownZone() && <span className="sub">of this browser</span>}
            </button>
          </li>
        ))}
      </ul>
      <label htmlFor="zone-name">Another zone</label>
      <input id="zone-name" list="zones" placeholder="Europe/Berlin" autoComplete="off" value={text} onChange={(event) => setText(event.target.value)} aria-invalid={fault !== null} aria-describedby={fault === null ? undefined : "zone-fault"} />
      <datalist id="zones">
        {zoneNames().map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      {fault !== null && (
        <p id="zone-fault" className="banner" role="alert">
          {fault}
        </p>
      )}
      <button type="submit" className="primary" disabled={text.trim() === ""}>
        Use this zone
      </button>
    </form>
  );
}
