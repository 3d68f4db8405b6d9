"""What is wrong with one alert, whatever it is, holds up no other one."""

from datetime import timedelta
from typing import Any

import pytest

from access.outgoing import wished_seconds
from alerts.delivery.webhook import Webhook
from alerts.measures import measure_name
from alerts.numbers import number_text, pair_text
from alerts.rules import Rule
from alerts.sending import ATTEMPTS_AT_MOST
from alerts.silences import Matcher
from alerts.templates import EXAMPLE, TemplateError, render
from analytics.measures import MEASURES, Measure
from tests.alerts.delivery.receivers import receiver
from tests.alerts.delivery.stage import NOW, Stage, evidence, rule

HOUR = timedelta(hours=1)


async def break_document(told: Stage) -> None:
    await told.happen(await told.rule(rule("Broken")))
    await told.execute("update alert_rules set document = '{}' where name = 'Broken'")


async def break_silence(told: Stage) -> None:
    silence_id = await told.silence(Matcher("rule", "Another"), HOUR)
    schedule = {"weekdays": [0], "start": "10:00", "end": "11:00", "zone": "Nowhere/At_All"}
    await told.execute(
        "update alert_silences set schedule = $2 where silence_id = $1", silence_id, schedule
    )


async def break_evidence(told: Stage) -> None:
    await told.happen(await told.rule(rule("Broken")))
    for table in ("alert_events", "alert_instances"):
        await told.execute(f"""update {table} set evidence = '{{"outcome": "unheard of"}}'""")


@pytest.mark.parametrize("breaks", [break_document, break_silence, break_evidence])
async def test_what_cannot_be_read_holds_up_nothing_else(told: Stage, breaks: Any) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        await breaks(told)
        await told.happen(await told.rule(rule("Good")))
        sending = told.sending(server.outside())
        await told.settle(sending)
        await told.pass_time(sending, timedelta(minutes=1), steps=3)
        assert [each.document["title"] for each in server.requests] == ["Firing: Good"]


@pytest.mark.parametrize("value", [1.2345678e30, -1e300, 5e-324, 1e28, 123456789.0])
async def test_any_number_is_told(told: Stage, value: float) -> None:
    async with receiver() as server:
        await told.webhook(server.url)
        await told.happen(await told.rule(rule()), found=evidence(value, value / 2))
        await told.settle(told.sending(server.outside()))
        (request,) = server.requests
        assert number_text(value, rule_measure(rule())) in request.document["text"]


@pytest.mark.parametrize("measure", MEASURES.values(), ids=lambda each: ".".join(each.key))
def test_the_number_of_any_measure_is_told(measure: Measure) -> None:
    assert number_text(12.5, measure_name(measure)).startswith("1")


def rule_measure(given: Rule) -> str:
    measure: str = getattr(given.trigger, "measure", "")
    return measure


@pytest.mark.parametrize("value", [1.2345678e30, -1e300, 5e-324, 0.0])
def test_a_long_number_is_short_as_a_text(value: float) -> None:
    assert len(number_text(value, None)) <= 28
    assert len(set(pair_text(value, value * 1.000001 + 1e-320, None))) == 2


@pytest.mark.parametrize(
    "template",
    [
        "{{ rule|truncate(rule|length) }}",
        "{{ rule|truncate(1) }}",
        "{% if value > 1e999 %}x{% endif %}",
        "{{ rule|truncate('x') }}",
    ],
)
@pytest.mark.parametrize("name", ["ab", "Failure rate of all", ""])
def test_a_template_fails_as_a_template(template: str, name: str) -> None:
    try:
        text = render(template, {**EXAMPLE, "rule": name, "since": NOW})
    except TemplateError as error:
        text = str(error)
    assert isinstance(text, str)


async def test_a_failure_that_no_receiver_caused_is_tried_again_later_and_ends(
    told: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(*_arguments: object) -> str:
        raise RuntimeError("with a secret in it")

    monkeypatch.setattr(Webhook, "send", fail)
    async with receiver() as server:
        await told.webhook(server.url)
        await told.happen(await told.rule(rule()))
        sending = told.sending(server.outside())
        await told.settle(sending)
        (send,) = await told.sends()
        assert (send["status"], send["attempts"]) == ("waiting", 1)
        assert send["due_at"] > told.now
        await told.pass_time(sending, timedelta(hours=25), steps=200)
        first = next(each for each in await told.sends() if each["send_id"] == send["send_id"])
        assert first["status"] == "dead"
        assert first["attempts"] <= ATTEMPTS_AT_MOST
        details = {row["detail"] for row in await told.fetch("select detail from alert_attempts")}
        assert details == {"The message could not be sent (RuntimeError)."}
        assert "with a secret" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("host", ["a..example.com", "x" * 64 + ".example.com"])
def test_a_host_that_cannot_be_is_refused(host: str) -> None:
    found = Webhook.problems({"url": f"https://{host}/"}, {"secret": "correct horse battery"})
    assert [field for field, _message in found] == ["url"]


@pytest.mark.parametrize(
    "text", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 99 Jan 2026", "x", "-1"]
)
def test_a_date_that_cannot_be_is_no_wish(text: str) -> None:
    assert wished_seconds(text) is None
