// The exceptions of an occurrence with their frames, the last call first.
import type { ErrorDetailQuery } from "../../../generated/graphql";
import { clock } from "../format/times";
import { Empty } from "../panels/panel";

type Occurrence = NonNullable<NonNullable<ErrorDetailQuery["error"]>["latestOccurrence"]>;
type Body = NonNullable<Occurrence["body"]>;
type Frame = Body["exceptions"][number]["frames"][number];

export function StackTrace({ body, zone }: { body: Body | null; zone: string }) {
  if (body === null) return <Empty>The body of this occurrence is not stored.</Empty>;
  return (
    <>
      {body.exceptions.map(({ type, value, handled, frames }, index) => (
        <div key={index} className="exception">
          <p>
            <strong>{type}</strong>: {value}
            {handled === false && <span className="sub"> · nobody caught it</span>}
          </p>
          <ol>
            {[...frames].reverse().map((frame, at) => (
              <FrameOf key={at} frame={frame} isOpen={at === 0} />
            ))}
          </ol>
        </div>
      ))}
      {body.exceptions.length === 0 && <p>{body.message}</p>}
      {body.tags.length > 0 && (
        <p className="sub">{body.tags.map(({ name, value }) => `${name}: ${value}`).join(" · ")}</p>
      )}
      {body.breadcrumbs.length > 0 && (
        <details>
          <summary>What happened before ({body.breadcrumbs.length})</summary>
          <ul className="rows">
            {body.breadcrumbs.map(({ occurredAt, category, level, message }, index) => (
              <li key={index}>
                <span>
                  <span className="sub">{[category, level].filter(Boolean).join(" · ")}</span> {message}
                </span>
                <span className="side">{occurredAt && clock(occurredAt, zone)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function FrameOf({ frame, isOpen }: { frame: Frame; isOpen: boolean }) {
  const place = `${frame.file ?? "unknown file"}${frame.line === null ? "" : `:${frame.line}`}`;
  const name = (
    <>
      <code>{frame.function ?? "anonymous"}</code> <span className="sub">{place}</span>
    </>
  );
  if (frame.sourceLine === null) return <li className={frame.inApp ? "own" : ""}>{name}</li>;
  return (
    <li className={frame.inApp ? "own" : ""}>
      <details open={isOpen}>
        <summary>{name}</summary>
        <pre tabIndex={0}>
          {frame.linesBefore.map((line) => `  ${line}\n`).join("")}
          <mark>{`> ${frame.sourceLine}\n`}</mark>
          {frame.linesAfter.map((line) => `  ${line}\n`).join("")}
        </pre>
      </details>
    </li>
  );
}
