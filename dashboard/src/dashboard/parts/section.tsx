// A titled part of a page about one thing.
import { type ReactNode, useId } from "react";

export function Section({ title, columns = 12, children, name }: { title: string; columns?: number; children: ReactNode; name: string }) {
  const id = useId();
  return (
    <section className={`panel columns-${columns}`} aria-labelledby={id} data-testid={`section-${name}`}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
