// The choice of a range: a named one, or days and times of one's own.
import { lazy } from "react";

import { customText, RANGES } from "../address/span";
import type { View } from "../address/view";
import { Popup } from "./popup";

const CustomRange = lazy(() => import("./custom-range"));

export function RangeChoice({ view }: { view: View }) {
  const { rangeName, custom, zone } = view;
  return (
    <>
      <fieldset className="ranges">
        <legend className="hidden">Range</legend>
        {RANGES.map(({ name, label }) => (
          <label key={name} className={rangeName === name ? "chosen" : ""}>
            <input type="radio" name="range" className="hidden" checked={rangeName === name} onChange={() => view.change({ range: name })} />
            {label}
          </label>
        ))}
      </fieldset>
      <Popup label="Range from and to" text={custom ? customText(custom) : "Custom"} isChosen={custom !== null}>
        {(close) => (
          <CustomRange
            chosen={custom}
            zone={zone}
            onChange={(range) => {
              close();
              view.change({ range });
            }}
          />
        )}
      </Popup>
    </>
  );
}
