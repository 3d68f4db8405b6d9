"""Messages: what is wrong, since when, the number and its bound, the likely cause, and one link."""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from pydantic import TypeAdapter

from alerts.evidence import Evidence
from alerts.numbers import number_text, pair_text, time_text
from alerts.rules import Absence, Rule, Severity, Watch
from alerts.silences import Silence
from alerts.states import Transition
from alerts.templates import TemplateError, render
from storage.alerts.changes import PLATFORM

TITLE_CHARACTERS = 200
TEXT_CHARACTERS = 10_000
ITEMS_IN_TEXT = 20  # further ones are counted

# Times, and a measure's values at them; None where there was nothing to measure.
Points = tuple[tuple[datetime, float | None], ...]

_KEYS = UUID("0190b6d1-5e0d-7000-8000-a1e27a11e276")


class Action(StrEnum):
    """What a message asks its receiver to do with an episode."""

    FIRE = "firing"
    ACKNOWLEDGE = "acknowledged"
    RESOLVE = "resolved"
    TELL = "told"  # nothing: it is only said


ACTIONS: Mapping[Transition, Action] = {
    Transition.FIRING: Action.FIRE,
    Transition.RESOLVED: Action.RESOLVE,
    Transition.GONE: Action.RESOLVE,
    Transition.ACKNOWLEDGED: Action.ACKNOWLEDGE,
    Transition.FLAPPING: Action.TELL,
    Transition.STEADY: Action.TELL,
    Transition.FAILING: Action.TELL,
    Transition.RECOVERED: Action.TELL,
}
_WORDS: Mapping[Transition, str] = {
    Transition.FIRING: "Firing",
    Transition.RESOLVED: "Resolved",
    Transition.GONE: "Gone",
    Transition.ACKNOWLEDGED: "Acknowledged",
    Transition.FLAPPING: "Flapping",
    Transition.STEADY: "Steady again",
    Transition.FAILING: "Cannot be evaluated",
    Transition.RECOVERED: "Can be evaluated again",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """A transition that is to be told: its event, its rule, and when its episode began."""

    event_id: UUID
    rule_id: UUID
    rule: Rule
    project: str | None
    instance: str
    transition: Transition
    at: datetime
    since: datetime
    severity: Severity
    labels: Mapping[str, str]
    evidence: Evidence
    project_id: int | None = None
    episode_id: UUID | None = None
    by: str | None = None
    flapping: bool = False
    acknowledged: bool = False

    @property
    def episode(self) -> UUID:
        """The key of what receivers see as one: of the episode, or of the event alone."""
        return self.episode_id or self.event_id


@dataclass(frozen=True, slots=True)
class Item:
    """One transition in a message; ``value`` and ``bound`` are exactly those of its evidence."""

    event_id: UUID
    rule_id: UUID
    rule: str
    project: str | None
    instance: str
    episode: str  # the key of its episode at receivers
    transition: Transition
    action: Action
    severity: Severity
    at: datetime
    since: datetime
    title: str
    text: str
    link: str
    labels: Mapping[str, str] = field(default_factory=dict)
    measure: str | None = None
    value: float | None = None
    bound: float | None = None
    baseline: float | None = None
    deployment_id: str | None = None
    subject: str | None = None
    by: str | None = None
    points: Points = ()  # the measure over time, for a chart


@dataclass(frozen=True, slots=True)
class Message:
    """What one send tells: a title, a text, and the items it is made of."""

    action: Action
    severity: Severity
    title: str
    text: str
    link: str
    items: tuple[Item, ...]
    held: Mapping[str, int] = field(default_factory=dict)  # by rule, what a summary stands for


MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


def message_of(items: Iterable[Item]) -> Message:
    """One message of one or more items, the worst first."""
    given = tuple(items)
    order = list(Severity)
    worst = max(given, key=lambda item: order.index(item.severity))
    action = next(each for each in Action if any(item.action is each for item in given))
    if len(given) == 1:
        return Message(action, worst.severity, worst.title, worst.text, worst.link, given)
    title = one_line(f"{len(given)} alerts: {worst.title}")
    told = [f"{item.title}\n{item.text}" for item in given[:ITEMS_IN_TEXT]]
    if len(given) > ITEMS_IN_TEXT:
        told.append(f"… and {len(given) - ITEMS_IN_TEXT} more.")
    text = "\n\n".join(told)[:TEXT_CHARACTERS]
    return Message(action, worst.severity, title, text, worst.link, given)


CHANNEL_IS_FULL = "This channel has reached its messages per hour. Alerts that last follow."


def summary_of(
    held: Mapping[str, int], key: str, at: datetime, link: str, why: str = CHANNEL_IS_FULL
) -> Message:
    """The message that stands for those that there was no room for."""
    total = sum(held.values())
    most = sorted(held, key=lambda rule: (-held[rule], rule))
    lines = [f"{rule}: {held[rule]}" for rule in most[:ITEMS_IN_TEXT]]
    if len(most) > ITEMS_IN_TEXT:
        lines.append(f"… and {len(most) - ITEMS_IN_TEXT} more rules.")
    lines.append(why)
    title = f"{total} more alerts were held back"
    item = plain_item(uuid5(_KEYS, key), "Too many alerts", title, "\n".join(lines), at)
    return replace(message_of([replace(item, action=Action.FIRE, link=link)]), held=held)


def plain_item(key: UUID, rule: str, title: str, text: str, at: datetime) -> Item:
    """What is told of something else than a rule's transition; ``key`` is its own."""
    return Item(
        event_id=key,
        rule_id=key,
        rule=rule,
        project=None,
        instance="",
        episode=str(key),
        transition=Transition.FIRING,
        action=Action.TELL,
        severity=Severity.INFO,
        at=at,
        since=at,
        title=one_line(title),
        text=text,
        link="",
    )


def silence_item(silence: Silence, now: datetime, project_id: int | None) -> Item:
    """What a channel of a project, or of the platform, is told before a silence ends.

    A project does not learn what else a silence of the platform is about, nor why.
    """
    title = f"A silence ends at {time_text(silence.ends_at)}"
    about = ", ".join(f"{each.label} {each.kind.value} {each.value}" for each in silence.matchers)
    text = f"It holds back alerts with {about or 'any labels'}.\nIts comment: {silence.comment}"
    if silence.project_id is None and project_id is not None:
        text = "It is one of the platform, and may hold back alerts of this project."
    return plain_item(silence.silence_id, "Silence", title, text, now)


def item_of(happening: Happening, base_url: str) -> Item:
    """What a message says about a transition; a template that fails is told in the text."""
    evidence, rule = happening.evidence, happening.rule
    values = _values(happening, base_url)
    title, text = _usual_title(values, happening), _usual_text(values, happening)
    try:
        title = render(rule.title, values) if rule.title else title
        text = render(rule.text, values) if rule.text else text
    except TemplateError as error:
        text = f"{text}\nThe template of this rule fails: {error}"
    return Item(
        event_id=happening.event_id,
        rule_id=happening.rule_id,
        rule=rule.name,
        project=happening.project,
        instance=happening.instance,
        episode=str(happening.episode),
        transition=happening.transition,
        action=ACTIONS.get(happening.transition, Action.TELL),
        severity=happening.severity,
        at=happening.at,
        since=happening.since,
        title=one_line(title),
        text=text[:TEXT_CHARACTERS],
        link=values["link"],
        labels=happening.labels,
        measure=evidence.measure,
        value=evidence.window.value if evidence.window else None,
        bound=evidence.bound,
        baseline=evidence.baseline.value if evidence.baseline else None,
        deployment_id=evidence.deployment_id,
        subject=evidence.subject.title if evidence.subject else None,
        by=happening.by,
        points=_points(evidence),
    )


def pictured(message: Message) -> int | None:
    """The number of the item that a chart shows: the first one that has values over time."""
    of = ((n, item.points) for n, item in enumerate(message.items))
    return next((n for n, points in of if any(value is not None for _, value in points)), None)


def _points(evidence: Evidence) -> Points:
    """For a chart: the level before, where it is compared with that, and the level now."""
    points: list[tuple[datetime, float | None]] = []
    for measured in (evidence.baseline, evidence.window):
        if measured is not None:
            if points and points[-1][0] < measured.start:
                points.append((measured.start, None))  # nobody looked in between
            points += [(measured.start, measured.value), (measured.end, measured.value)]
    return tuple(points)


def page_of(base_url: str, project_id: int | None, rule_id: UUID) -> str:
    """The address of the page of an alert, which has the alert's global id in it."""
    key = f"Alert:{PLATFORM if project_id is None else project_id}:{rule_id}"
    return f"{base_url}/alerts/{urlsafe_b64encode(key.encode()).decode().rstrip('=')}"


def one_line(text: str) -> str:
    """The text as a title: without line breaks and control characters, and not too long."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words if len(words) <= TITLE_CHARACTERS else words[: TITLE_CHARACTERS - 1] + "…"


def _values(happening: Happening, base_url: str) -> dict[str, Any]:
    """What templates may use; the names are those of `alerts.templates.EXAMPLE`."""
    evidence = happening.evidence
    value = evidence.window.value if evidence.window else None
    value_text, bound_text = pair_text(value, evidence.bound, evidence.measure)
    return {
        "rule": happening.rule.name,
        "severity": happening.severity.value,
        "transition": happening.transition.value,
        "project": happening.project or "",
        "instance": happening.instance,
        "labels": dict(happening.labels),
        "measure": evidence.measure or "",
        "value": value,
        "bound": evidence.bound,
        "value_text": value_text if evidence.window else "",
        "bound_text": bound_text if evidence.bound is not None else "",
        "since": happening.since,
        "deployment": evidence.deployment_id or "",
        "subject": evidence.subject.title if evidence.subject else "",
        "reason": evidence.reason or "",
        "link": page_of(base_url, happening.project_id, happening.rule_id),
        "summary": _summary(happening, value_text, bound_text),
    }


def _summary(happening: Happening, value_text: str, bound_text: str) -> str:
    """The number and its bound, or what happened."""
    evidence, trigger = happening.evidence, happening.rule.trigger
    if evidence.subject is not None:
        return f"{evidence.subject.kind}: {evidence.subject.title}"
    if evidence.window is None or not isinstance(trigger, Watch):
        return evidence.reason or ""
    if isinstance(trigger.comparison, Absence):
        return f"{value_text}, where some are expected"
    if evidence.bound is None:
        return value_text
    compared = trigger.comparison.operator.replace("_", " ")
    if happening.transition is Transition.FIRING:
        return f"{value_text}, {compared} {bound_text}"
    return f"{value_text}; wrong {compared} {bound_text}"


def _usual_title(values: Mapping[str, Any], happening: Happening) -> str:
    where = " · ".join(part for part in (values["project"], happening.instance) if part)
    word = _WORDS.get(happening.transition, "Told")
    if happening.transition is Transition.FIRING and happening.at > happening.since:
        word = "Still firing"
    title = f"{word}: {happening.rule.name}"
    return title + (f" ({where})" if where else "")


def _usual_text(values: Mapping[str, Any], happening: Happening) -> str:
    evidence = happening.evidence
    lines = [f"{values['measure']}: {values['summary']}".removeprefix(": ")]
    if evidence.window is not None:
        lines.append(
            f"Window: {time_text(evidence.window.start)} to {time_text(evidence.window.end)}"
        )
    if evidence.baseline is not None:
        before = number_text(evidence.baseline.value, evidence.measure)
        times = f"{time_text(evidence.baseline.start)} to {time_text(evidence.baseline.end)}"
        lines.append(f"Before: {before} ({times})")
    lines.append(f"Since: {time_text(happening.since)}")
    if happening.transition is not Transition.FIRING:
        by = f" by {happening.by}" if happening.by else ""
        lines.append(f"{_WORDS.get(happening.transition, 'Told')}: {time_text(happening.at)}{by}")
    if evidence.deployment_id:
        lines.append(f"Likely deployment: {evidence.deployment_id}")
    if evidence.reason and evidence.reason != values["summary"]:
        lines.append(evidence.reason)
    lines.append(f"Severity: {happening.severity.value}")
    return "\n".join(line for line in lines if line)
