// A small line or small bars without axes, beside a figure that says the value.
import { barPath, linePath } from "./shapes";

type Props = { values: (number | null)[]; tone: string; kind?: "line" | "bar" };

export function Spark({ values, tone, kind = "line" }: Props) {
  const largest = Math.max(...values.map((value) => value ?? 0), 1e-9);
  const frame = { width: 96, height: 26, left: 0, top: 2, count: values.length, largest };
  return (
    <svg className={`spark tone-${tone}`} viewBox="0 0 96 30" width="96" height="30" aria-hidden="true" preserveAspectRatio="none">
      {kind === "line" ? (
        <path className="stroke" d={linePath(frame, values)} />
      ) : (
        <path className="fill" d={barPath(frame, values, [], () => true)} />
      )}
    </svg>
  );
}
