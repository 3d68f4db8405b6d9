// A page about one thing: the way back to its list, its title and state, and the rest; or that there is none.
import type { ReactNode } from "react";

import { Link } from "../address/link";
import type { View } from "../address/view";
import type { Answer } from "../api/use-analytics";
import type { Word } from "../format/words";
import { Badge } from "./badge";
import { Heading } from "./heading";
import { Waiting } from "./waiting";

type Props = {
  /** What it is: `alert`. */
  noun: string;
  /** The path of its list. */
  list?: string;
  /** What it is called, once that is known. */
  title: string | null | undefined;
  state: Word | null | undefined;
  answer: Answer<unknown>;
  view: View;
  /** The rest of the page; nothing while the thing is not there. */
  children: ReactNode;
};

export function ThingPage({ noun, list, title, state, answer, view, children }: Props) {
  const name = `${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
  return (
    <>
      {list !== undefined && (
        <p className="crumbs">
          <Link href={view.link(list)}>{name}s</Link>
        </p>
      )}
      <Heading title={title ?? name} answer={answer} zone={view.zone}>
        {state && <Badge word={state} />}
      </Heading>
      <Waiting answer={answer} missing={children ? null : noun} />
      {children}
    </>
  );
}
