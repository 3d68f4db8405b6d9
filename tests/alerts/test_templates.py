"""Templates print values; what could run for long, grow large or reach inside is refused."""

import time
from contextlib import suppress

import pytest

from alerts.templates import EXAMPLE, TemplateError, render, template_problems


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ rule }}: {{ value_text }}", "Failure rate: 12.5 %"),
        ("{% if value > bound %}wrong{% else %}right{% endif %}", "wrong"),
        (
            "{% for name in labels %}{{ loop.index }}={{ labels[name] }} {% endfor %}",
            "1=metis 2=platform ",
        ),
        ("{{ labels.nothing|default('none') }}", "none"),
        ("{{ labels|join(' and ') }}", "network and team"),
        ("{{ value|round(1) }}", "0.1"),
        ("{{ '<b>' }}{{ since }}", "<b>2026-01-01 12:30:00+00:00"),
    ],
)
def test_values_are_filled_in(template: str, expected: str) -> None:
    assert template_problems(template) == []
    assert render(template, EXAMPLE) == expected


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("{{ rule", "Line 1"),
        ("first\n{{ valeu }}", "Line 2: there is no value 'valeu'; use rule"),
        ("{{ labels.team.nothing }}", "It cannot be filled"),
        ("{{ value * 3 }}", "a computation"),
        ("{{ 9 ** 9 ** 9 }}", "a computation"),
        ("{{ rule.upper() }}", "a call"),
        ("{{ rule.__class__ }}", "It cannot be filled"),
        ("{{ rule['__class__'] }}", "It cannot be filled"),
        ("{{ rule|attr('x') }}", "there is no filter 'attr'; use default"),
        ("{{ 'a'|center(999999999) }}", "there is no filter 'center'"),
        ("{% include 'x' %}", "an include"),
        ("{% set x = 1 %}", "Assign is not possible"),
        ("{% for a in labels %}{% for b in labels %}{% endfor %}{% endfor %}", "a loop inside"),
        ("{% for a in rule %}{{ a }}{% endfor %}", "only `labels`"),
        ("x" * 4_001, "longer than 4,000"),
        ("{{ " + "(" * 1_500 + "value" + ")" * 1_500 + " }}", "nested too deeply"),
        ("{% if value %}" * 120 + "{% endif %}" * 120, "nested too deeply"),
        ("{{ " + "not " * 900 + "value }}", "nested too deeply"),
    ],
)
def test_a_bad_template_is_refused_with_a_reason(template: str, part: str) -> None:
    (problem,) = template_problems(template)
    assert part in problem


@pytest.mark.parametrize(
    "template",
    [
        "{{ labels|join(" * 100 + "'x'" + ")" * 100 + " }}",
        "{{ value|round(999999999) }}",
        "{% for a in labels %}" + "{{ labels|join(labels|join(a)) }}" * 100 + "{% endfor %}",
        "{{ labels|join }}" * 200,
    ],
)
def test_a_template_ends_soon(template: str) -> None:
    values = {**EXAMPLE, "labels": {f"label{n}": "x" * 200 for n in range(50)}}
    began = time.perf_counter()
    with suppress(TemplateError):
        assert len(render(template, values)) <= 20_000
    assert time.perf_counter() - began < 1


def test_a_result_has_a_largest_size() -> None:
    with pytest.raises(TemplateError, match="longer than 20,000"):
        render("{% for a in labels %}{{ labels[a] }}{% endfor %}", {"labels": {"a": "x" * 20_001}})
