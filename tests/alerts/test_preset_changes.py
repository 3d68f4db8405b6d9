"""Presets are taken by their names, with other numbers."""

from typing import Any

import pytest

from alerts.checking import problems
from alerts.preset_changes import (
    NUMBERS,
    PresetError,
    document_of,
    numbers_of,
    preset_called,
    trigger_of,
)
from alerts.presets import PRESETS
from alerts.rules import RULE, OnEvent, Rule, Threshold, Watch


@pytest.mark.parametrize("name", PRESETS)
def test_each_number_of_a_preset_can_be_changed(name: str) -> None:
    preset = preset_called(name)
    assert trigger_of(preset, {}, {}) == preset.trigger
    for number in numbers_of(preset):
        trigger = trigger_of(preset, {number: 0.5 if number == "bound" else 7_200}, {})
        assert trigger != preset.trigger, number
        rule = Rule("A name", trigger)
        assert problems(rule, project_scoped=preset.of_project) == [], number
    for number in NUMBERS.keys() - set(numbers_of(preset)):
        with pytest.raises(PresetError, match="it has") as refused:
            trigger_of(preset, {number: 7_200}, {})
        assert refused.value.name == number


def test_a_filter_is_added_to_that_of_the_preset() -> None:
    trigger = trigger_of(
        preset_called("cpu_warning"), {"bound": 70.0}, {"environment": ("production",)}
    )
    assert isinstance(trigger, Watch)
    assert trigger.filter == {
        "metric": ("system_cpu_busy_percent",),
        "environment": ("production",),
    }
    assert isinstance(trigger.comparison, Threshold)
    assert trigger.comparison.bound == 70


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"severty": "critical"}, "no severty: there it has name, trigger"),
        ({"trigger": {"bound": 1}}, "no trigger.bound: there it has event, filter, count"),
    ],
)
def test_a_part_that_a_preset_lacks_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(PresetError, match=what):
        document_of(preset_called("deployment_slow"), changes)


def test_parts_of_a_document_are_merged_and_kinds_replaced() -> None:
    preset = preset_called("deployment_slow")
    given = {"name": "Slow", "labels": {"team": "web"}, "trigger": {"after_seconds": 60}}
    rule = RULE.validate_python(document_of(preset, given))
    assert (rule.name, rule.labels, rule.preset) == ("Slow", {"team": "web"}, "deployment_slow")
    assert isinstance(rule.trigger, OnEvent)
    assert rule.trigger.after_seconds == 60
    other = {"trigger": {"kind": "event", "event": "deployment_failed"}}
    assert (
        RULE.validate_python(document_of(preset, other)).trigger
        == PRESETS["deployment_failed"].trigger
    )


def test_an_unknown_preset_is_refused_with_a_similar_name() -> None:
    with pytest.raises(PresetError, match="did you mean 'deployment_slow'"):
        preset_called("deploymnt_slow")
    with pytest.raises(PresetError, match="there are deployment_failed, "):
        preset_called("zzz")
