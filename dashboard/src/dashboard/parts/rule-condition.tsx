// When a rule fires: on a measure or on what happens, past which bound, for how long.
import type { Change, View } from "../address/view";
import { type Measure } from "../api/catalogue";
import { lower } from "../format/words";
import { Choices, Field } from "./form";
import { MeasureChoice } from "./measure-choice";
import { BASELINES, boundOf, COUNTED, EVENTS, eventOf, groupsOf, moreOf, operatorOf, scaleOf, SEVERITIES, severityOf, SLOW, USUAL_WINDOW } from "./rule-address";
import { OPERATORS, periodText } from "./trigger";

const WINDOWS = ["PT5M", "PT10M", "PT30M", "PT1H", "PT6H", "P1D", "P7D", "P28D"];
const WAITS = ["PT1M", "PT2M", "PT5M", "PT15M", "PT1H"];
const SLOW_AFTER = ["PT2M", "PT5M", "PT10M", "PT30M", "PT1H"];

type Props = { view: View; all: Measure[]; measure: Measure };

export function Condition({ view, all, measure }: Props) {
  const event = eventOf(view);
  const more = Object.entries(moreOf(view));
  return (
    <div className="form">
      <Field name="Fires on">
        <Choices
          value={event ?? ""}
          options={[["", "a measure"], ...EVENTS.map((one) => [one, `each ${lower(one)}`] as const)]}
          onChange={(value) => view.change({ event: value.toLowerCase(), count: null, after: null })}
        />
      </Field>
      {event === null ? <OnMeasure view={view} all={all} measure={measure} /> : <OnEvent view={view} event={event} />}
      <Period name="Keeps firing" value={view.value("keep")} none={event === null ? "no longer than it is wrong" : "for the usual hour"} options={WAITS} textOf={(one) => `${one} after the last`} onChange={(keep) => view.change({ keep })} />
      <Field name="Severity">
        <Choices value={severityOf(view)} options={SEVERITIES.map((one) => [one, lower(one)] as const)} onChange={(value) => view.change({ severity: value.toLowerCase() })} />
      </Field>
      {event === null && <Groups view={view} measure={measure} />}
      {more.length > 0 && (
        <p className="whole sub">
          Only for {more.map(([name, names]) => `${name}: ${String(names).replaceAll(",", ", ")}`).join("; ")}{" "}
          <button type="button" className="quiet" onClick={() => view.change({ more: null })}>
            For all
          </button>
        </p>
      )}
    </div>
  );
}

function OnEvent({ view, event }: { view: View; event: (typeof EVENTS)[number] }) {
  return (
    <>
      {COUNTED.includes(event) && (
        <Field name={event === "ERROR_SPREAD" ? "Projects that have it" : "Occurrences"}>
          <input type="number" min={1} required value={view.value("count") || "3"} onChange={({ target }) => view.change({ count: target.value })} />
        </Field>
      )}
      {event === SLOW && <Period name="Longer than" value={view.value("after") || "PT10M"} options={SLOW_AFTER} onChange={(after) => view.change({ after })} />}
    </>
  );
}

function OnMeasure({ view, all, measure }: Props) {
  const than = view.value("than");
  const isChange = BASELINES.some((one) => one.toLowerCase() === than);
  const unit = isChange ? "% of the earlier value" : scaleOf(measure).text;
  const set = (change: Change) => view.change(change);
  return (
    <>
      <div className="field">
        <span className="sub">Measure</span>
        <MeasureChoice all={all} chosen={measure.measure} onChange={(value) => set({ measure: value, by: null })} />
      </div>
      <Field name="Compared with">
        <Choices
          value={than}
          options={[["", "a bound"], ["before", "the time before"], ["day_earlier", "a day earlier"], ["week_earlier", "a week earlier"], ["absence", "anything: is there any?"]]}
          onChange={(value) => set({ than: value, baseline: null, bound: null })}
        />
      </Field>
      {than !== "absence" && (
        <>
          <Field name="Wrong if it is">
            <Choices
              value={operatorOf(view)}
              options={(Object.keys(OPERATORS) as (keyof typeof OPERATORS)[]).map((one) => [one, `${OPERATORS[one]} ${lower(one)}`] as const)}
              onChange={(operator) => set({ operator })}
            />
          </Field>
          <Field name={`Bound, ${unit}`}>
            <input inputMode="decimal" type="number" step="any" required value={boundOf(view)} onChange={({ target }) => set({ bound: target.value })} />
          </Field>
        </>
      )}
      <Period name="Window" value={view.value("window") || USUAL_WINDOW} options={WINDOWS} onChange={(window) => set({ window })} />
      {isChange && <Period name="The earlier time lasts" value={view.value("baseline")} none="as long as the window" options={WINDOWS} onChange={(baseline) => set({ baseline })} />}
      <Period name="Fires" value={view.value("for")} none="at once" options={WAITS} textOf={(one) => `once wrong for ${one}`} onChange={(value) => set({ for: value })} />
      {than !== "absence" && <Guard view={view} />}
    </>
  );
}

function Guard({ view }: { view: View }) {
  const guard = view.value("guard");
  return (
    <>
      <Field name="Guard against chance">
        <Choices
          value={guard}
          options={[["", "the usual one"], ["literal", "none: the value alone"], ["sample", "so many events at least"], ["significant", "chance at most"]]}
          onChange={(value) => view.change({ guard: value, least: null })}
        />
      </Field>
      {(guard === "sample" || guard === "significant") && (
        <Field name={guard === "sample" ? "Events at least" : "Chance at most"}>
          <input type="number" step="any" min={0} required value={view.value("least") || (guard === "sample" ? "10" : "0.01")} onChange={({ target }) => view.change({ least: target.value })} />
        </Field>
      )}
    </>
  );
}

/** The dimensions of which each group is judged by itself. */
function Groups({ view, measure }: { view: View; measure: Measure }) {
  const chosen = groupsOf(view, measure);
  if (measure.dimensions.length === 0) return null;
  return (
    <fieldset className="whole">
      <legend>Judged for each</legend>
      {measure.dimensions.map((one) => (
        <label key={one} className="check">
          <input
            type="checkbox"
            checked={chosen.includes(one)}
            onChange={({ target }) => view.change({ by: measure.dimensions.filter((other) => (other === one ? target.checked : chosen.includes(other))).map((name) => name.toLowerCase()) })}
          />
          {lower(one)}
        </label>
      ))}
    </fieldset>
  );
}

type PeriodProps = { name: string; value: string; options: string[]; none?: string; textOf?: (period: string) => string; onChange: (value: string) => void };

/** A choice of a length of time; one that is not among the usual ones is offered too. */
function Period({ name, value, options, none, textOf = (period) => period, onChange }: PeriodProps) {
  const all = [...new Set([...options, ...(value === "" ? [] : [value])])].map((one) => [one, textOf(periodText(one))] as const);
  return (
    <Field name={name}>
      <Choices value={value} options={none === undefined ? all : [["", none], ...all]} onChange={onChange} />
    </Field>
  );
}
