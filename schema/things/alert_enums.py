"""The words of alerts."""

from enum import Enum

import strawberry

from alerts import rules, silences, states
from alerts.delivery import KINDS
from schema.declarations import valued
from schema.enums import described, enum_of
from storage.alerts import rules as stored
from storage.alerts import sends

AlertSeverity = enum_of(
    "AlertSeverity",
    "How bad it is when an alert fires.",
    described(rules.Severity, "Good to know.", "Somebody should look.", "Somebody must act now."),
)

AlertOperator = enum_of(
    "AlertOperator",
    "How a value is compared with its bound.",
    described(
        rules.Operator,
        "Wrong above the bound.",
        "Wrong at the bound and above it.",
        "Wrong below the bound.",
        "Wrong at the bound and below it.",
    ),
)

AlertBaseline = enum_of(
    "AlertBaseline",
    "The earlier time that a window is compared with.",
    described(
        rules.Baseline,
        "The time that ends where the window begins.",
        "The same time of the day before.",
        "The same time a week before.",
    ),
)

AlertGuardKind = enum_of(
    "AlertGuardKind",
    "What a value that passes its bound must meet beside that.",
    described(
        rules.GuardKind,
        "Nothing.",
        "There are so many trials in the window.",
        "Chance alone gives such a value at most so often.",
    ),
)

AlertEventKind = enum_of(
    "AlertEventKind",
    "What happened, for alerts that fire on it.",
    described(
        rules.EventKind,
        "A deployment failed.",
        "A deployment runs, or ran, longer than `after`.",
        "A build failed.",
        "A function invocation failed.",
        "An error occurred that never occurred before.",
        "An error occurred again after it was resolved.",
        "A critical error occurred.",
        "An error occurred for the `count`th time.",
        "One failure signature occurred in `count` projects.",
    ),
)

AlertOutcome = enum_of(
    "AlertOutcome",
    "What an evaluation found.",
    described(
        states.Outcome,
        "It is wrong.",
        "It is right.",
        "There is too little data to judge.",
        "It could not be evaluated.",
        "The group no longer exists in the window.",
    ),
)

AlertTransition = enum_of(
    "AlertTransition",
    "What happened to an instance of an alert.",
    described(
        states.Transition,
        "It became wrong, and fires if it stays so.",
        "It fires.",
        "It no longer fires, since it is right again.",
        "It no longer fires, since its group no longer exists.",
        "It became right before it fired.",
        "It fires again and again: it is told once, until it is steady.",
        "It no longer flaps.",
        "Somebody takes care of it.",
        "It could not be evaluated for five minutes.",
        "It can be evaluated again.",
    ),
)

AlertRevisionKind = enum_of(
    "AlertRevisionKind",
    "What made a revision of an alert.",
    described(
        stored.RuleChange,
        "It was created.",
        "It was changed.",
        "It was switched on.",
        "It was switched off.",
        "It was deleted.",
    ),
)


@strawberry.enum(
    description="The state of an instance, or the worst state of an alert's instances."
)
class AlertState(Enum):
    INACTIVE = valued(states.Phase.INACTIVE, "It is right.")
    PENDING = valued(states.Phase.PENDING, "It is wrong, but not for long enough.")
    FIRING = valued(states.Phase.FIRING, "It fires.")


@strawberry.enum(description="Whether the last evaluation could judge; apart from the state.")
class AlertHealth(Enum):
    OK = valued(states.Health.OK, "It could.")
    NO_DATA = valued(states.Health.NO_DATA, "There was too little data.")
    ERROR = valued(states.Health.ERROR, "The evaluation failed.")
    FAILING = valued(
        states.Health.FAILING,
        "It has failed for five minutes or longer, and the channels of the alert were told.",
    )


@strawberry.enum(description="What alerts are sorted by; then by name.")
class AlertOrderField(Enum):
    STATE = valued("state", "The state, then the severity.")
    SEVERITY = valued("severity", "The severity.")
    CHANGED_AT = valued("changed_at", "The time of the last change of the alert itself.")
    NAME = valued("name", "The name.")


MatchKind = enum_of(
    "MatchKind",
    "How the value of a label is compared.",
    described(
        silences.MatchKind,
        "It is the value.",
        "It is not the value.",
        "The whole of it matches a regular expression.",
        "The whole of it does not match a regular expression.",
    ),
)

_KINDS = {
    "alertmanager": "Alertmanager of Prometheus.",
    "apprise": "One of the services that Apprise knows.",
    "email": "Mails.",
    "in_app": "The list of what was not read, and the subscription.",
    "pagerduty": "PagerDuty.",
    "slack": "Slack.",
    "webhook": "A signed request to an address.",
}
NotificationChannelKind = enum_of(
    "NotificationChannelKind",
    "How a channel tells.",
    {name.upper(): valued(name, _KINDS[name]) for name in KINDS},
)
NotificationStatus = enum_of(
    "NotificationStatus",
    "Where a send is.",
    described(
        sends.SendStatus,
        "It is to be tried, or tried again.",
        "The receiver took it.",
        "It is not tried any more; it can be sent again.",
        "It was held back, for the reason that is given.",
        "A test that did not arrive; test the channel again instead of sending it again.",
    ),
)
NotificationOutcome = enum_of(
    "NotificationOutcome",
    "What became of a try.",
    described(
        sends.AttemptOutcome,
        "It goes on.",
        "The receiver took it.",
        "It failed, and another try follows.",
        "It failed, and no other try would help.",
        "It was cut off: nobody knows whether it arrived.",
    ),
)
