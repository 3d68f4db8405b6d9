// Resolve, ignore, reopen and assign: offered to those whose role may.
import { type ErrorDetailQuery, graphql } from "../../../generated/graphql";
import { useMayDecide, useMutation } from "./acting";

const RESOLVE = graphql(`
  mutation ResolveError($error: ID!, $inNextRelease: Boolean!) {
    done: resolveErrors(input: { errors: [$error], inNextRelease: $inNextRelease }) { userErrors { message } }
  }
`);
const IGNORE = graphql(`
  mutation IgnoreError($error: ID!, $untilNextRelease: Boolean!) {
    done: ignoreErrors(input: { errors: [$error], untilNextRelease: $untilNextRelease }) { userErrors { message } }
  }
`);
const REOPEN = graphql(`
  mutation ReopenError($error: ID!) {
    done: reopenErrors(input: { errors: [$error] }) { userErrors { message } }
  }
`);
const ASSIGN = graphql(`
  mutation AssignError($error: ID!, $subject: String) {
    done: assignErrors(input: { errors: [$error], subject: $subject }) { userErrors { message } }
  }
`);

type Props = { error: NonNullable<ErrorDetailQuery["error"]>; onDone: () => void };

export function Decisions({ error, onDone }: Props) {
  const { run: decide, isBusy, fault } = useMutation(onDone);
  if (!useMayDecide()) return null;
  const id = { error: error.id };
  const members = (error.project.members ?? []).map(({ subject }) => subject);
  const assigned = error.assignee?.subject ?? "";
  return (
    <div className="filters" role="group" aria-label="Decide about this error">
      {error.status === "OPEN" ? (
        <>
          <button type="button" className="primary" disabled={isBusy} onClick={() => decide(RESOLVE, { ...id, inNextRelease: false })}>
            Resolve
          </button>
          <button type="button" disabled={isBusy} onClick={() => decide(RESOLVE, { ...id, inNextRelease: true })}>
            Resolve in the next release
          </button>
          <button type="button" disabled={isBusy} onClick={() => decide(IGNORE, { ...id, untilNextRelease: false })}>
            Ignore
          </button>
        </>
      ) : (
        <button type="button" className="primary" disabled={isBusy} onClick={() => decide(REOPEN, id)}>
          Reopen
        </button>
      )}
      {members.length > 0 && (
        <span className="choice">
          <select aria-label="Assigned to" value={assigned} disabled={isBusy} onChange={(event) => decide(ASSIGN, { ...id, subject: event.target.value || null })}>
            <option value="">assigned to nobody</option>
            {[...new Set([...members, ...(assigned ? [assigned] : [])])].map((subject) => (
              <option key={subject} value={subject}>
                {subject}
              </option>
            ))}
          </select>
        </span>
      )}
      {fault !== null && (
        <p className="banner" role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
