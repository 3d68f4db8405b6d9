// Below the answer: what it cost, how long it took, and how to leave the editor without a mouse.
import type { Measured } from "./send";

const exact = new Intl.NumberFormat();
const time = new Intl.NumberFormat(undefined, { style: "unit", unit: "millisecond", maximumFractionDigits: 0 });

export function Measurements({ measured }: { measured: Measured | null }) {
  return (
    <div className="measured">
      <span role="status" data-testid="measured">
        {measured && textOf(measured)}
      </span>
      <span>Escape, then Tab, leaves an editor.</span>
    </div>
  );
}

function textOf({ cost, ms, messages }: Measured): string {
  const parts = [
    cost && `${exact.format(cost.estimate)} of ${exact.format(cost.limit)} points`,
    cost?.remaining !== undefined && `${exact.format(cost.remaining)} left`,
    messages === undefined ? `answered in ${time.format(ms)}` : `${exact.format(messages)} ${messages === 1 ? "message" : "messages"}, the last after ${time.format(ms)}`,
  ];
  return parts.filter(Boolean).join(" · ");
}
