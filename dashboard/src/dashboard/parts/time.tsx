// A time as its distance from now; pointing at it shows the time itself.
import { ago, moment, precise } from "../format/times";

export function Ago({ at, zone }: { at: string; zone: string }) {
  return (
    <time dateTime={at} title={precise(at, zone)}>
      {ago(at)}
    </time>
  );
}

export function Moment({ at, zone }: { at: string; zone: string }) {
  return (
    <time dateTime={at} title={precise(at, zone)}>
      {moment(at, zone)}
    </time>
  );
}
