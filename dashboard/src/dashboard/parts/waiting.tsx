// What stands in the place of data that is not there: that it is being loaded, why it was refused, or that there is none.
import type { Answer } from "../api/use-analytics";
import { Empty, Loading } from "../panels/panel";

type Props = {
  answer: Answer<unknown>;
  /** What a page about one thing has not found in its answer, such as `deployment`. */
  missing?: string | null;
};

export function Waiting({ answer: { data, problems }, missing = null }: Props) {
  if (problems.length > 0) {
    return [...new Set(problems.map(({ message }) => message))].map((message) => (
      <p key={message} className="failed" role="alert">
        {message}
      </p>
    ));
  }
  if (data === null) return <Loading />;
  return missing !== null && <Empty>There is no such {missing}, or you may not see it.</Empty>;
}
