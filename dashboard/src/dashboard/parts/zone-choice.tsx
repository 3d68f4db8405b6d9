// The choice of the time zone: the browser's, UTC, or any other by its name.
import { lazy } from "react";

import type { View } from "../address/view";
import { Popup } from "./popup";

const Zones = lazy(() => import("./zones"));

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
