// Log lines, each with its time, level and text.
import { precise, stamp } from "../format/times";
import { lower } from "../format/words";

export type Line = { id: string; occurredAt: string; level: string; logger: string | null; message: string | null };

export function LogLines({ lines, zone }: { lines: Line[]; zone: string }) {
  return (
    <div className="log" tabIndex={0} role="region" aria-label="Log lines">
      <table>
        <tbody>
          {lines.map(({ id, occurredAt, level, logger, message }) => (
            <tr key={id}>
              <td>
                <time dateTime={occurredAt} title={precise(occurredAt, zone)}>
                  {stamp(occurredAt, zone)}
                </time>
              </td>
              <td className={`level-${lower(level)}`}>{lower(level)}</td>
              <td>{logger}</td>
              <td className="message">{message ?? "the text is no longer stored"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
