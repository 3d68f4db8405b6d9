"""Each problem of a rule names its field and the fix."""

from dataclasses import replace
from typing import Any

import pytest

from alerts.checking import (
    FACT_OF,
    MAX_CHANNELS,
    MAX_LABELS,
    MAX_NAMES,
    problems,
)
from alerts.measures import measure_called, measure_name
from alerts.rules import (
    LITERAL,
    SIGNIFICANT,
    Absence,
    Baseline,
    Change,
    EventKind,
    Guard,
    GuardKind,
    OnEvent,
    Operator,
    Rule,
    Threshold,
    Watch,
)
from alerts.templates import TEMPLATE_CHARACTERS
from analytics.measures import MEASURES

ABOVE = Threshold(Operator.ABOVE, 0.1)
WATCH = Watch("deployments.failure_rate", 3_600, ABOVE)
COUNT = Watch("deployments.failed", 3_600, Threshold(Operator.ABOVE, 5))
RULE = Rule("failures", WATCH)
AT_LEAST_10 = Guard(GuardKind.MIN_SAMPLE, at_least=10)
ENVIRONMENT = {"environment": ("production",)}


def _paths(rule: Rule, *, project_scoped: bool = True) -> list[str]:
    return [".".join(problem.path) for problem in problems(rule, project_scoped=project_scoped)]


def _watching(**changes: Any) -> Rule:
    return replace(RULE, trigger=replace(WATCH, **changes))


def _on(event: EventKind, **given: Any) -> Rule:
    return replace(RULE, trigger=OnEvent(event, **given))


VALID = (
    RULE,
    replace(RULE, channels=("ops", "mail"), labels={"team": "a b"}, title="t", text="x\ny"),
    _watching(filter=ENVIRONMENT, group_by=("environment", "network")),
    _watching(window_seconds=28 * 86_400, for_seconds=86_400, keep_firing_seconds=86_400),
    _watching(window_seconds=60, guard=SIGNIFICANT),
    _watching(window_seconds=59 * 60),
    _watching(window_seconds=86_100),
    _watching(guard=LITERAL),
    _watching(guard=AT_LEAST_10),
    _watching(comparison=Threshold(Operator.AT_LEAST, 1.0)),
    _watching(comparison=Threshold(Operator.AT_MOST, 0.0)),
    _watching(comparison=Change(Operator.ABOVE, 2.0, Baseline.WEEK_EARLIER), guard=SIGNIFICANT),
    replace(RULE, trigger=COUNT),
    replace(RULE, trigger=replace(COUNT, comparison=Absence())),
    replace(RULE, trigger=replace(COUNT, comparison=Absence(), guard=LITERAL)),
    replace(RULE, trigger=replace(COUNT, comparison=Change(Operator.ABOVE, 2), guard=SIGNIFICANT)),
    _watching(measure="samples.average", filter={"metric": ("cpu",)}),
    _watching(measure="samples.average", group_by=("metric",)),
    _watching(measure="samples.count", filter={"label_set": ("core=0,type=user",)}),
    _watching(
        measure="samples.average",
        filter={"metric": ("cpu",)},
        comparison=Threshold(Operator.BELOW, -40.0),
    ),
    _watching(
        measure="builds.duration_p50_ms",
        window_seconds=86_400,
        comparison=Change(Operator.ABOVE, 1.5, Baseline.BEFORE, 7 * 86_400),
        guard=AT_LEAST_10,
    ),
    *(
        _on(event)
        for event in EventKind
        if event not in {EventKind.DEPLOYMENT_SLOW, EventKind.ERROR_REACHED, EventKind.ERROR_SPREAD}
    ),
    _on(EventKind.DEPLOYMENT_SLOW, after_seconds=600),
    _on(EventKind.ERROR_REACHED, count=1),
    _on(EventKind.DEPLOYMENT_FAILED, filter=ENVIRONMENT, keep_firing_seconds=0),
)


@pytest.mark.parametrize("rule", VALID, ids=range(len(VALID)))
def test_valid_rule_has_no_problem(rule: Rule) -> None:
    assert problems(rule, project_scoped=True) == []
    assert problems(rule, project_scoped=False) == []


WRONG = {
    "name": (
        replace(RULE, name=""),
        replace(RULE, name="  "),
        replace(RULE, name="x" * 201),
        replace(RULE, name="a\x00b"),
        replace(RULE, name="a\ud800b"),
    ),
    "title": (
        replace(RULE, title="x" * 501),
        replace(RULE, title="a\x00"),
        replace(RULE, title="{{"),
    ),
    "text": (
        replace(RULE, text="x" * (TEMPLATE_CHARACTERS + 1)),
        replace(RULE, text="\udfff"),
        replace(RULE, text="{{ nothing }}"),
        replace(RULE, text="{% include 'x' %}"),
    ),
    "labels": (replace(RULE, labels={f"l{n}": "x" for n in range(MAX_LABELS + 1)}),),
    "labels.team": (
        replace(RULE, labels={"team": "x" * 501}),
        replace(RULE, labels={"team": "a\x07"}),
    ),
    "labels.1st": (replace(RULE, labels={"1st": "x"}),),
    "labels.": (replace(RULE, labels={"": "x"}),),
    "labels.severity": (replace(RULE, labels={"severity": "x"}),),
    "labels.network": (replace(RULE, labels={"network": "x"}),),
    "channels": (
        replace(RULE, channels=tuple(f"c{n}" for n in range(MAX_CHANNELS + 1))),
        replace(RULE, channels=("a", "a")),
        replace(RULE, channels=("",)),
        replace(RULE, channels=("x" * 201,)),
    ),
    "trigger.measure": (
        _watching(measure="deployments.failure_rat"),
        _watching(measure="deployment"),
        _watching(measure=""),
    ),
    "trigger.window_seconds": (
        _watching(window_seconds=0),
        _watching(window_seconds=-60),
        _watching(window_seconds=59),
        _watching(window_seconds=90),
        _watching(window_seconds=28 * 86_400 + 60),
        _watching(window_seconds=3_660),
        _watching(window_seconds=86_700),
    ),
    "trigger.for_seconds": (_watching(for_seconds=-1), _watching(for_seconds=86_401)),
    "trigger.keep_firing_seconds": (
        _watching(keep_firing_seconds=-1),
        _watching(keep_firing_seconds=86_401),
        _on(EventKind.BUILD_FAILED, keep_firing_seconds=86_401),
    ),
    "trigger.comparison.bound": (
        _watching(comparison=Threshold(Operator.ABOVE, 10.0)),
        _watching(comparison=Threshold(Operator.ABOVE, 1.0)),
        _watching(comparison=Threshold(Operator.BELOW, 0.0)),
        _watching(comparison=Threshold(Operator.ABOVE, -0.1)),
        _watching(comparison=Threshold(Operator.ABOVE, float("nan"))),
        _watching(comparison=Threshold(Operator.ABOVE, float("inf"))),
        _watching(measure="deployments.failed", comparison=Threshold(Operator.BELOW, 1e16)),
        _watching(measure="deployments.failed", comparison=Threshold(Operator.ABOVE, -1)),
        _watching(measure="deployments.failed", comparison=Threshold(Operator.BELOW, 0)),
    ),
    "trigger.comparison.factor": (
        _watching(comparison=Change(Operator.ABOVE, 0.0)),
        _watching(comparison=Change(Operator.ABOVE, -2.0)),
        _watching(comparison=Change(Operator.ABOVE, float("inf"))),
        _watching(comparison=Change(Operator.ABOVE, 1e7)),
    ),
    "trigger.comparison.baseline_seconds": (
        _watching(comparison=Change(Operator.ABOVE, 2.0, baseline_seconds=90)),
        _watching(comparison=Change(Operator.ABOVE, 2.0, baseline_seconds=29 * 86_400)),
    ),
    "trigger.comparison.baseline": (
        _watching(
            window_seconds=90_000, comparison=Change(Operator.ABOVE, 2.0, Baseline.DAY_EARLIER)
        ),
    ),
    "trigger.comparison": (_watching(comparison=Absence()),),
    "trigger.guard": (
        _watching(measure="deployments.failed", guard=SIGNIFICANT),
        _watching(measure="deployments.average_duration_ms", guard=SIGNIFICANT),
        _watching(measure="deployments.share", group_by=("network",), guard=SIGNIFICANT),
        _watching(measure="deployments.failed", comparison=Absence(), guard=AT_LEAST_10),
    ),
    "trigger.guard.at_least": (
        _watching(guard=Guard(GuardKind.MIN_SAMPLE)),
        _watching(guard=Guard(GuardKind.MIN_SAMPLE, at_least=0)),
        _watching(guard=Guard(GuardKind.LITERAL, at_least=5)),
    ),
    "trigger.guard.alpha": (
        _watching(guard=Guard(GuardKind.SIGNIFICANT)),
        _watching(guard=Guard(GuardKind.SIGNIFICANT, alpha=0.0)),
        _watching(guard=Guard(GuardKind.SIGNIFICANT, alpha=0.5)),
        _watching(guard=Guard(GuardKind.MIN_SAMPLE, at_least=5, alpha=0.01)),
    ),
    "trigger.group_by": (
        _watching(group_by=("network", "network")),
        _watching(group_by=("network", "environment", "template", "framework")),
        _watching(group_by=("function",)),
        _watching(group_by=("project",)),
        _watching(measure="deployments.share"),
    ),
    "trigger.filter.metric": (
        _watching(measure="samples.average"),
        _watching(measure="samples.average", filter={"metric": ("a", "b")}),
    ),
    "trigger.filter.function": (
        _watching(filter={"function": ("f",)}),
        _on(EventKind.DEPLOYMENT_FAILED, filter={"function": ("f",)}),
    ),
    "trigger.filter.project": (_watching(filter={"project": ("shop",)}),),
    "trigger.filter.environment": (
        _watching(filter={"environment": ()}),
        _watching(filter={"environment": tuple(str(n) for n in range(MAX_NAMES + 1))}),
        _watching(filter={"environment": ("x" * 201,)}),
        _watching(filter={"environment": ("a\x00",)}),
    ),
    "trigger.event": (_on(EventKind.ERROR_SPREAD, count=5),),
    "trigger.count": (
        _on(EventKind.ERROR_REACHED),
        _on(EventKind.ERROR_REACHED, count=0),
        _on(EventKind.ERROR_REACHED, count=10**9 + 1),
        _on(EventKind.ERROR_NEW, count=5),
        _on(EventKind.DEPLOYMENT_SLOW, after_seconds=600, count=5),
    ),
    "trigger.after_seconds": (
        _on(EventKind.DEPLOYMENT_SLOW),
        _on(EventKind.DEPLOYMENT_SLOW, after_seconds=0),
        _on(EventKind.DEPLOYMENT_SLOW, after_seconds=7 * 86_400 + 1),
        _on(EventKind.DEPLOYMENT_FAILED, after_seconds=600),
    ),
}
CASES = [
    pytest.param(path, rule, id=f"{path}-{number}")
    for path, rules in WRONG.items()
    for number, rule in enumerate(rules)
]


@pytest.mark.parametrize(("path", "rule"), CASES)
def test_problem_is_the_only_one_and_names_its_field(path: str, rule: Rule) -> None:
    assert _paths(rule) == [path]


def test_rule_of_the_platform_may_tell_projects_apart() -> None:
    rule = _watching(filter={"project": ("shop",)}, group_by=("project",))
    assert _paths(rule, project_scoped=False) == []
    assert _paths(_on(EventKind.ERROR_SPREAD, count=5), project_scoped=False) == []
    assert _paths(_on(EventKind.ERROR_SPREAD, count=1), project_scoped=False) == ["trigger.count"]
    distinct = _watching(
        measure="deployments.active_projects",
        comparison=Threshold(Operator.BELOW, 3),
        group_by=("project",),
    )
    assert _paths(distinct, project_scoped=False) == ["trigger.group_by"]


def test_all_problems_are_told_at_once() -> None:
    rule = replace(_watching(window_seconds=1, for_seconds=-1, measure="x"), name="", labels={})
    assert _paths(rule) == [
        "name",
        "trigger.measure",
        "trigger.window_seconds",
        "trigger.for_seconds",
    ]


def test_messages_name_the_fix() -> None:
    def message(rule: Rule) -> str:
        return problems(rule, project_scoped=True)[0].message

    assert message(_watching(measure="deployments.failure_rat")) == (
        "There is no measure 'deployments.failure_rat'. Did you mean 'deployments.failure_rate'?"
    )
    assert message(_watching(window_seconds=90)) == (
        "The window has whole minutes: 60 or 120 seconds."
    )
    assert message(_watching(window_seconds=3_660)) == (
        "The window has whole 5 minutes beyond an hour: 3,600 or 3,900 seconds."
    )
    assert message(_watching(comparison=Threshold(Operator.ABOVE, 10))) == (
        "It is a fraction, from 0 to 1: 0.1 is 10 %."
    )
    assert message(_watching(filter={"function": ("f",)})) == (
        "There is no 'function' of deployments, which have environment, network, template and "
        "framework: use one of those."
    )


def test_every_measure_has_a_name_of_its_own() -> None:
    for measure in MEASURES.values():
        assert measure_called(measure_name(measure)) is measure
    assert measure_name(MEASURES["deployment", "failure_rate"]) == "deployments.failure_rate"


def test_every_event_has_a_fact() -> None:
    assert FACT_OF.keys() == set(EventKind)
