// A new alert on a measure, with what it would have told of in the range.
import { type FormEvent, useState } from "react";

import { type AlertOperator, type AlertSeverity, type AlertTriggerInput, type Dimension, graphql } from "../../../generated/graphql";
import { go } from "../address/location";
import { DIMENSIONS, useView, type View } from "../address/view";
import { denominatorOf, type Measure, useCatalogue, wordsOf } from "../api/catalogue";
import { useAnalytics } from "../api/use-analytics";
import { counted } from "../format/numbers";
import { lower } from "../format/words";
import { Empty, Loading } from "../panels/panel";
import { useMutation } from "../parts/acting";
import { Choice, FilterBar, useNames } from "../parts/filter-bar";
import { Heading } from "../parts/heading";
import { MetricChart } from "../parts/metric-chart";
import { MeasureChoice, metricFilterOf } from "../parts/measure-choice";
import { Section } from "../parts/section";
import { Moment } from "../parts/time";
import { OPERATORS, periodText } from "../parts/trigger";

const PREVIEW = graphql(`
  query AlertPreview(
    $trigger: AlertTriggerInput!, $project: String, $range: TimeRange!
    $measures: [Measure!]!, $groupBy: [Dimension!], $filter: MetricFilter, $interval: Interval!, $zone: TimeZone!
  ) {
    metrics(measures: $measures, groupBy: $groupBy, filter: $filter, range: $range, interval: $interval, timeZone: $zone, first: 6) {
      buckets { start end open }
      groups { isOthers keys { kind name } }
      columns { values }
    }
    alertPreview(trigger: $trigger, project: $project, range: $range) {
      pages firingCount firingFor step leftOut notes
      range { start end }
      firings(first: 20) { firedAt endedAt labels { value } }
    }
  }
`);
const CREATE = graphql(`
  mutation NewAlert($input: CreateAlertInput!) {
    done: createAlert(input: $input) { alert { id } userErrors { message } }
  }
`);

const USUAL = "DEPLOYMENT_FAILURE_RATE";
const USUAL_WINDOW = "PT1H"; // whole hours can be played back over any range
const WINDOWS = ["PT5M", "PT10M", "PT30M", "PT6H", "P1D"];
const WAITS = ["PT1M", "PT5M", "PT15M", "PT1H"];
const SEVERITIES = ["INFO", "WARNING", "CRITICAL"] as const;

export default function NewAlertPage() {
  const view = useView();
  const all = useCatalogue();
  const measure = all.find((one) => one.measure === view.value("measure")) ?? all.find((one) => one.measure === USUAL);
  if (measure === undefined) return <Loading />;
  return <Form view={view} all={all} measure={measure} />;
}

/** How a bound is typed: rates as percentages, durations in seconds. */
function scaleOf({ unit }: Measure): { factor: number; text: string } {
  if (unit === "FRACTION") return { factor: 0.01, text: "%" };
  if (unit === "MILLISECONDS") return { factor: 1_000, text: "seconds" };
  return { factor: 1, text: lower(unit) };
}

function Form({ view, all, measure }: { view: View; all: Measure[]; measure: Measure }) {
  const [name, setName] = useState("");
  const { run, isBusy, fault } = useMutation(() => undefined);
  const scale = scaleOf(measure);
  const operator = (view.value("operator") in OPERATORS ? view.value("operator") : "ABOVE") as AlertOperator;
  const bound = view.value("bound") || "10";
  const by = measure.dimensions.find((one) => one === view.value("by").toUpperCase()) ?? null;
  const severity: AlertSeverity = SEVERITIES.find((one) => one.toLowerCase() === view.value("severity")) ?? "WARNING";
  const project = view.values("project")[0] ?? null;
  const trigger = triggerOf(view, measure, operator, Number(bound) * scale.factor, by);
  const usualName = `${wordsOf(measure)} ${OPERATORS[operator]} ${bound} ${scale.text}`;

  const create = async (event: FormEvent) => {
    event.preventDefault();
    const made = await run(CREATE, { input: { project, name: name.trim() || usualName, trigger, severity } });
    const id = made?.done.alert?.id;
    if (id !== undefined) go(view.link(`/alerts/${encodeURIComponent(id)}`));
  };
  return (
    <>
      <Preview view={view} all={all} measure={measure} by={by} trigger={trigger} project={project} bound={Number(bound) * scale.factor} />
      <form className="panels" onSubmit={create}>
        <Section title="When" name="form">
          <div className="filters">
            <MeasureChoice all={all} chosen={measure.measure} onChange={(value) => view.change({ measure: value })} />
            <span className="choice">
              <select aria-label="is" value={operator} onChange={(event) => view.change({ operator: event.target.value })}>
                {Object.entries(OPERATORS).map(([value, sign]) => (
                  <option key={value} value={value}>
                    {sign} {lower(value)}
                  </option>
                ))}
              </select>
            </span>
            <span className="choice">
              <input aria-label={`bound, ${scale.text}`} inputMode="decimal" type="number" step="any" required value={bound} onChange={(event) => view.change({ bound: event.target.value })} />{" "}
              {scale.text}
            </span>
            <Choice label="window" none="in 1 hour" value={view.value("window")} options={WINDOWS} textOf={(value) => `in ${periodText(value)}`} onChange={(value) => view.change({ window: value })} />
            <Choice label="for" none="at once" value={view.value("for")} options={WAITS} textOf={(value) => `for ${periodText(value)}`} onChange={(value) => view.change({ for: value })} />
            <Choice label="by" none="all together" value={by?.toLowerCase() ?? ""} options={measure.dimensions.map((one) => one.toLowerCase())} textOf={(value) => `for each ${value.replaceAll("_", " ")}`} onChange={(value) => view.change({ by: value })} />
            <Choice label="severity" none="warning" value={view.value("severity")} options={["info", "critical"]} textOf={(value) => value} onChange={(value) => view.change({ severity: value })} />
          </div>
          <div className="filters">
            <span className="choice search">
              <input aria-label="Name" placeholder={usualName} maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
            </span>
            <button type="submit" className="primary" disabled={isBusy || !Number.isFinite(Number(bound))}>
              Create alert
            </button>
          </div>
          {fault !== null && (
            <p className="banner" role="alert">
              {fault}
            </p>
          )}
        </Section>
      </form>
    </>
  );
}

function triggerOf(view: View, measure: Measure, operator: AlertOperator, bound: number, by: Dimension | null): AlertTriggerInput {
  const filter = metricFilterOf(view, measure);
  delete filter.projects; // the alert itself belongs to the project
  return {
    watch: {
      measure: measure.measure,
      window: WINDOWS.find((one) => one === view.value("window")) ?? USUAL_WINDOW,
      for: WAITS.find((one) => one === view.value("for")) ?? null,
      comparison: { threshold: { operator, bound: Number.isFinite(bound) ? bound : 0 } },
      filter: Object.keys(filter).length > 0 ? filter : null,
      groupBy: by === null ? [] : [by],
    },
  };
}

type PreviewProps = {
  view: View;
  all: Measure[];
  measure: Measure;
  by: Dimension | null;
  trigger: AlertTriggerInput;
  project: string | null;
  bound: number;
};

function Preview({ view, all, measure, by, trigger, project, bound }: PreviewProps) {
  const { range, interval, zone } = view;
  const below = denominatorOf(measure, all);
  const answer = useAnalytics(PREVIEW, {
    trigger,
    project,
    range,
    interval,
    zone,
    measures: [measure, ...(below ? [below] : [])].map((one) => one.measure),
    groupBy: by === null ? null : [by],
    filter: metricFilterOf(view, measure),
  });
  const preview = answer.data?.alertPreview;
  const table = answer.data?.metrics;
  const markers = (preview?.firings ?? []).map(({ firedAt, labels }) => ({
    at: firedAt,
    label: `fired${labels.length > 0 ? `: ${labels.map(({ value }) => value).join(", ")}` : ""}`,
  }));
  const names = useNames(view);
  return (
    <>
      <Heading title="New alert" answer={answer} zone={view.zone} />
      <FilterBar view={view} names={names} only={DIMENSIONS} />
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        <Section title="What it would have told" name="preview">
          {answer.data === null && answer.problems.length === 0 && answer.unreachable === null && <Loading />}
          {answer.problems.map(({ message }) => (
            <p key={message} className="failed" role="alert">
              {message}
            </p>
          ))}
          {table && <MetricChart table={table} measure={measure} by={by} zone={zone} bound={bound} markers={markers} height={240} />}
          {preview && (
            <>
              <p className="verdict" data-testid="preview">
                In this range it would have fired <strong>{counted(preview.firingCount, "time")}</strong>
                {preview.firingFor !== null && `, for ${periodText(preview.firingFor)} in all`}, and told of it in{" "}
                <strong>{counted(preview.pages, "message")}</strong>.
              </p>
              <ul className="rows">
                {preview.firings.map(({ firedAt, endedAt, labels }, index) => (
                  <li key={index}>
                    <span>{labels.map(({ value }) => value).join(", ") || "fired"}</span>
                    <span className="side">
                      <Moment at={firedAt} zone={view.zone} /> – {endedAt ? <Moment at={endedAt} zone={view.zone} /> : "still"}
                    </span>
                  </li>
                ))}
              </ul>
              {measure.unit === "FRACTION" && (
                <p className="sub">A rate out of bounds fires only if it is unlikely to be so by chance, among so few events.</p>
              )}
              {preview.notes.map((note) => (
                <p key={note} className="sub">
                  {note}
                </p>
              ))}
              {preview.firingCount === 0 && <Empty>It would have stayed quiet.</Empty>}
            </>
          )}
        </Section>
      </div>
    </>
  );
}
