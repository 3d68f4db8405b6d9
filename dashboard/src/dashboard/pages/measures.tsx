// The catalogue: every measure with its unit, its definition and what it can be grouped by, each a link to its chart.
import { Link } from "../address/link";
import { useView, type View } from "../address/view";
import { CATALOGUE, type Measure, wordsOf } from "../api/catalogue";
import { useAnalytics } from "../api/use-analytics";
import { counted, percent } from "../format/numbers";
import { unitText } from "../format/units";
import { lower } from "../format/words";
import { Empty } from "../panels/panel";
import { Heading } from "../parts/heading";
import { Search } from "../parts/search";
import { Section } from "../parts/section";
import { ManyTabs } from "../parts/tabs";
import { Waiting } from "../parts/waiting";

import "../design/measures.css";

export default function MeasuresPage() {
  const view = useView();
  const answer = useAnalytics(CATALOGUE, {});
  const all = answer.data?.measures ?? [];
  const facts = [...new Set(all.map(({ fact }) => fact))];
  const chosen = view.values("fact").map((fact) => fact.toUpperCase());
  const words = view.value("search").toLowerCase().split(" ").filter(Boolean);
  const found = all.filter((one) => words.every((word) => textOf(one).includes(word)));
  const shown = facts.filter((fact) => chosen.length === 0 || chosen.includes(fact)).flatMap((fact) => {
    const rows = found.filter((one) => one.fact === fact);
    return rows.length > 0 ? [{ fact, rows }] : [];
  });
  return (
    <>
      <Heading title="Measures" answer={answer} zone={view.zone} />
      <p className="lead">What the figures mean. The same definition holds on every page, in alerts and in the API.</p>
      <div className="filters">
        <ManyTabs
          label="Kind of event"
          chosen={chosen}
          tabs={[{ value: "", label: "All", count: found.length }, ...facts.map((fact) => ({ value: fact, label: titled(fact), count: found.filter((one) => one.fact === fact).length }))]}
          onChoose={(values) => view.change({ fact: values.map((fact) => fact.toLowerCase()) })}
        />
        <Search view={view} label="Search measures" />
      </div>
      <div className="panels">
        {(answer.data === null || answer.problems.length > 0) && (
          <Section title="Measures" name="waiting">
            <Waiting answer={answer} />
          </Section>
        )}
        {shown.map(({ fact, rows }) => (
          <Section key={fact} title={`${titled(fact)}: ${counted(rows.length, "measure")}`} name={fact.toLowerCase()}>
            <ul className="measures">
              {rows.map((one) => (
                <Definition key={one.measure} one={one} view={view} />
              ))}
            </ul>
          </Section>
        ))}
        {answer.data !== null && shown.length === 0 && (
          <Section title="Measures" name="none">
            <Empty>No measure is like that.</Empty>
          </Section>
        )}
      </div>
    </>
  );
}

function textOf({ measure, description, formula, fact }: Measure): string {
  return [measure, lower(measure), description, formula, fact].join(" ").toLowerCase();
}

function titled(name: string): string {
  const text = lower(name);
  return name === "API" ? name : text.charAt(0).toUpperCase() + text.slice(1);
}

function Definition({ one, view }: { one: Measure; view: View }) {
  const { measure, unit, description, formula, errorBound, additive, dimensions } = one;
  return (
    <li>
      <div>
        <h3>{wordsOf(one)}</h3>
        <code className="sub">{measure}</code>
        <Link href={view.link("/explorer", { measure })}>
          Chart this<span className="hidden">: {wordsOf(one)}</span>
        </Link>
      </div>
      <div>
        <p>{description}</p>
        <p className="sub">
          {unitText(unit)}: <code>{formula}</code>
          {errorBound !== null && `, within ${percent(errorBound)}`}
          {!additive && "; does not add up over time or groups"}
        </p>
        <p className="sub">
          By{" "}
          {dimensions.map((dimension, index) => (
            <span key={dimension}>
              {index > 0 && ", "}
              <Link href={view.link("/explorer", { measure, by: dimension.toLowerCase() })}>{lower(dimension)}</Link>
            </span>
          ))}
        </p>
      </div>
    </li>
  );
}
