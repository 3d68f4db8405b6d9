"""What decides whether a channel is told of a transition: pure, with everything passed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.messages import ACTIONS, Action, Happening
from alerts.rules import Rule, Severity
from alerts.silences import Silence, matches
from storage.alerts.outbox import Last

# While an alert fires and nobody has acknowledged it, it is told again after this time.
REPEATED_AFTER = timedelta(hours=4)
REPEATED_AFTER_CRITICAL = timedelta(hours=1)

# Groups of what has no network, or is not told apart.
_NO_NETWORK = (None, "", "other")
PROJECTS_LABEL = "projects"  # slugs with commas, of a platform rule that names projects


@dataclass(frozen=True, slots=True)
class Cause:
    """An alert of the platform that fires, and explains those of projects it concerns."""

    rule: Rule
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Send:
    """The channel is told."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The channel is not told, for a reason that its history shows."""

    reason: str


@dataclass(frozen=True, slots=True)
class Skip:
    """There is nothing to tell."""


Verdict = Send | Hold | Skip


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds messages back at a time."""

    now: datetime
    silences: Sequence[Silence] = ()
    causes: Sequence[Cause] = ()


def verdict(
    happening: Happening,
    around: Surroundings,
    known: Last | None,
    *,
    keeps_state: bool,
) -> Verdict:
    """Whether a channel is told of a transition, where it has room for it.

    The end of what it was told is always told, whatever holds back new alerts: a receiver that
    has opened an incident must be able to close it.
    """
    action = ACTIONS.get(happening.transition)
    if action is None or (keeps_state and action is Action.TELL):
        return Skip()
    if action in (Action.RESOLVE, Action.ACKNOWLEDGE):
        is_open = known is not None and known.action != Action.RESOLVE
        is_new = known is None or known.action != action
        return Send() if is_open and is_new else Skip()
    if action is Action.FIRE and known is not None:
        return Skip()
    if happening.flapping and action is Action.FIRE:
        return Hold("It fires and resolves over and over: told once that it is flapping")
    return held_back(happening, around) or Send()


def held_back(happening: Happening, around: Surroundings) -> Hold | None:
    """Why nobody is told now: a silence, or an alert that explains this one.

    A project reads the reason, so it names nothing of the platform.
    """
    labels = labels_of(happening)
    for silence in around.silences:
        if silence.is_active(around.now) and silence.covers(happening.project_id, labels):
            until = f"until {silence.ends_at:%Y-%m-%d %H:%M} UTC"
            if silence.project_id != happening.project_id:
                return Hold(f"Silenced by the platform {until}")
            return Hold(f"Silenced {until}: {silence.comment}")
    if happening.project_id is None:
        return None
    if any(_explains(cause, happening, labels) for cause in around.causes):
        return Hold("Explained by an alert of the platform, which fires")
    return None


def is_repeat_due(
    severity: Severity, known: Last | None, now: datetime, *, acknowledged: bool
) -> bool:
    """Whether an alert that fires is told (again): never told, or long ago and not acknowledged."""
    if known is None:
        return True
    wait = REPEATED_AFTER_CRITICAL if severity is Severity.CRITICAL else REPEATED_AFTER
    return not acknowledged and known.action != Action.RESOLVE and now - known.at >= wait


def labels_of(happening: Happening) -> dict[str, str]:
    """The labels that silences match: of the group, of the rule, and what the rule is about."""
    rule = happening.rule
    return {
        **_watched(rule),
        **rule.labels,
        **happening.labels,
        "rule": rule.name,
        "severity": happening.severity.value,
        "instance": happening.instance,
        **({"project": happening.project} if happening.project else {}),
    }


def may_cover(silence: Silence, rule: Rule, project: str | None) -> bool:
    """Whether a silence can be about alerts of a rule; labels of groups are known later."""
    known = {
        **_watched(rule),
        **rule.labels,
        "rule": rule.name,
        "severity": rule.severity.value,
        **({"project": project} if project else {}),
    }
    return all(matches(each, known) for each in silence.matchers if each.label in known)


def cause_of(rule: Rule, labels: Mapping[str, str]) -> Cause:
    """An instance of a platform's rule, as what may explain others."""
    return Cause(rule, {**_watched(rule), **rule.labels, **labels, "rule": rule.name})


def is_told(cause: Cause, silences: Sequence[Silence], now: datetime) -> bool:
    """Whether somebody is told of it: what nobody hears of holds nothing back."""
    labels = {**cause.labels, "severity": cause.rule.severity.value}
    return bool(cause.rule.channels) and not any(
        silence.is_active(now) and silence.covers(None, labels) for silence in silences
    )


def _watched(rule: Rule) -> dict[str, str]:
    """The names that a rule watches alone, by dimension."""
    return {name: names[0] for name, names in rule.trigger.filter.items() if len(names) == 1}


def _explains(cause: Cause, happening: Happening, labels: Mapping[str, str]) -> bool:
    order = list(Severity)
    if order.index(cause.rule.severity) < order.index(happening.severity):
        return False
    network = cause.labels.get("network")
    projects = cause.labels.get(PROJECTS_LABEL, "").split(",")
    return (network not in _NO_NETWORK and labels.get("network") == network) or (
        happening.project in projects
    )
