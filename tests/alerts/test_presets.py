"""Every preset is a valid rule with the number that is asked for."""

import pytest

from alerts.checking import problems
from alerts.presets import OF_NEW_PROJECTS, PRESETS, Preset
from alerts.rules import RULE, Change, GuardKind, OnEvent, Severity, Threshold, Watch
from tests.test_docs import DOCS

EACH = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


@EACH
def test_preset_is_a_valid_rule(preset: Preset) -> None:
    rule = preset.rule(("ops",))
    assert problems(rule, project_scoped=False) == []
    assert (problems(rule, project_scoped=True) == []) == preset.of_project
    assert rule.preset == preset.name
    assert rule.channels == ("ops",)
    assert RULE.validate_json(RULE.dump_json(rule)) == rule


# Of each threshold: its bound, its window, for how long, and how bad it is.
NUMBERS = {
    "deployment_failure_rate": (0.1, 3_600, 0, Severity.WARNING),
    "deployment_failures": (0, 300, 0, Severity.WARNING),
    "certificate_expiring": (14, 3_600, 0, Severity.WARNING),
    "function_error_rate": (0.05, 3_600, 0, Severity.WARNING),
    "function_slow": (500, 3_600, 0, Severity.WARNING),
    "api_slow": (500, 300, 0, Severity.WARNING),
    "api_errors_critical": (0.15, 300, 120, Severity.CRITICAL),
    "api_errors": (0.05, 300, 300, Severity.WARNING),
    "error_count": (100, 3_600, 0, Severity.WARNING),
    "memory_high": (90, 60, 0, Severity.WARNING),
    "cpu_critical": (95, 60, 120, Severity.CRITICAL),
    "memory_critical": (95, 60, 120, Severity.CRITICAL),
    "cpu_warning": (80, 60, 300, Severity.WARNING),
    "memory_warning": (85, 60, 300, Severity.WARNING),
}


@EACH
def test_page_tells_when_a_preset_fires(preset: Preset) -> None:
    mark = " ¹" if preset in OF_NEW_PROJECTS else "" if preset.of_project else " ²"
    row = f"| `{preset.name}`{mark} | {preset.description} | {preset.severity} |"
    assert row in (DOCS / "alert-rules.md").read_text(encoding="utf-8").splitlines()


@EACH
def test_preset_has_the_number_that_is_asked_for(preset: Preset) -> None:
    match preset.trigger:
        case Watch(comparison=Threshold(bound=bound)) as watch:
            found = (bound, watch.window_seconds, watch.for_seconds, preset.severity)
            assert found == NUMBERS[preset.name]
        case Watch(comparison=Change(factor=factor)) as watch:
            assert preset.name in {"error_spike", "build_slow"}
            expected = (2, 3_600) if preset.name == "error_spike" else (1.5, 86_400)
            assert (factor, watch.window_seconds) == expected
        case OnEvent() as on:
            expected_count = {"error_reached": 100, "error_spread": 3}.get(preset.name)
            assert on.count == expected_count
            assert on.after_seconds == (600 if preset.name == "deployment_slow" else None)


def test_rates_are_guarded_against_chance_and_the_spike_is_literal() -> None:
    for preset in PRESETS.values():
        if isinstance(preset.trigger, Watch) and "rate" in preset.trigger.measure:
            assert preset.trigger.guard is None  # so it is significant
    spike = PRESETS["error_spike"].trigger
    assert isinstance(spike, Watch)
    assert spike.guard is not None
    assert spike.guard.kind is GuardKind.LITERAL


def test_new_project_has_a_few_that_rarely_err() -> None:
    assert all(preset.of_project for preset in OF_NEW_PROJECTS)
    assert 3 <= len(OF_NEW_PROJECTS) <= 8
