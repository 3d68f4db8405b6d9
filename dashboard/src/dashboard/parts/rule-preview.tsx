// What a rule would have told in the range: the measure with its bound, when it would have fired, and how many messages.
import { type AlertTriggerInput, graphql } from "../../../generated/graphql";
import type { View } from "../address/view";
import { withFragments } from "../api/ask";
import { denominatorOf, type Measure } from "../api/catalogue";
import { type Answer, useAnalytics } from "../api/use-analytics";
import { counted } from "../format/numbers";
import { Empty } from "../panels/panel";
import { FILTER_NAMES } from "./filter-bar";
import { metricFilterOf } from "./measure-choice";
import { MetricChart } from "./metric-chart";
import { eventOf, groupsOf, moreOf } from "./rule-address";
import { Section } from "./section";
import { Moment } from "./time";
import { periodText } from "./trigger";
import { Waiting } from "./waiting";

const PREVIEW = graphql(`
  query AlertPreview(
    $trigger: AlertTriggerInput!, $project: String, $range: TimeRange!, $onMeasure: Boolean!
    $measures: [Measure!]!, $groupBy: [Dimension!], $filter: MetricFilter, $zone: TimeZone!
  ) {
    metrics(measures: $measures, groupBy: $groupBy, filter: $filter, range: $range, interval: AUTO, timeZone: $zone, first: 6) @include(if: $onMeasure) {
      buckets { start end open }
      groups { isOthers keys { kind name } }
      columns { values }
    }
    alertPreview(trigger: $trigger, project: $project, range: $range) {
      pages firingCount firingFor step leftOut notes
      range { start end }
      firings(first: 20) { firedAt endedAt labels { value } evidence { subject { title } } }
    }
    notificationChannels(first: 100) { nodes { name enabled project { slug } } }
    viewer { projects(first: 100) { nodes { slug } } }
    ...FilterNames
  }
`);
const QUERY = withFragments(PREVIEW, FILTER_NAMES);

export type Previewed = NonNullable<ReturnType<typeof usePreview>["data"]>;

/** Asks what a trigger would have told, with all that the form offers to choose from. */
export function usePreview(view: View, all: Measure[], measure: Measure, trigger: AlertTriggerInput, project: string | null) {
  const { range, zone } = view;
  const below = denominatorOf(measure, all);
  const [by] = groupsOf(view, measure);
  return useAnalytics(QUERY, {
    trigger,
    project,
    range,
    zone,
    onMeasure: eventOf(view) === null,
    measures: [measure, ...(below ? [below] : [])].map((one) => one.measure),
    groupBy: by === undefined ? null : [by],
    filter: { ...metricFilterOf(view, measure), ...moreOf(view) },
  });
}

type Props = { view: View; measure: Measure; bound: number | null; answer: Answer<Previewed> };

export function RulePreview({ view, measure, bound, answer }: Props) {
  const { zone } = view;
  const { alertPreview: preview, metrics: table } = answer.data ?? {};
  const markers = (preview?.firings ?? []).map(({ firedAt, labels }) => ({
    at: firedAt,
    label: `fired${labels.length > 0 ? `: ${labels.map(({ value }) => value).join(", ")}` : ""}`,
  }));
  const [by] = groupsOf(view, measure);
  return (
    <Section title="What it would have told" name="preview">
      <Waiting answer={answer} />
      {table && (
        <MetricChart table={table} measure={measure} by={by ?? null} zone={zone} markers={markers} height={240} {...(bound === null ? {} : { bound })} />
      )}
      {preview && (
        <>
          <p className="verdict" data-testid="preview">
            In this range it would have fired <strong>{counted(preview.firingCount, "time")}</strong>
            {preview.firingFor !== null && `, for ${periodText(preview.firingFor)} in all`}, and told of it in{" "}
            <strong>{counted(preview.pages, "message")}</strong>.
          </p>
          <ul className="rows firings" tabIndex={0} aria-label="When it would have fired">
            {preview.firings.map(({ firedAt, endedAt, labels, evidence: { subject } }, index) => (
              <li key={index}>
                <span>{subject?.title ?? (labels.map(({ value }) => value).join(", ") || "fired")}</span>
                <span className="side">
                  <Moment at={firedAt} zone={zone} /> – {endedAt ? <Moment at={endedAt} zone={zone} /> : "still"}
                </span>
              </li>
            ))}
          </ul>
          {preview.firings.length < preview.firingCount && <p className="sub">These are the first {preview.firings.length}.</p>}
          {eventOf(view) === null && measure.unit === "FRACTION" && view.value("guard") !== "literal" && (
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
  );
}
