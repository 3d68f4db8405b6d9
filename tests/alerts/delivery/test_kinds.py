"""The fields of each kind of channel, and what is said about wrong ones."""

import pytest

from alerts.delivery import KINDS

SECRET = "correct horse battery"


def test_every_kind_of_the_requirements_exists() -> None:
    assert set(KINDS) == {
        *("alertmanager", "apprise", "email", "in_app", "pagerduty", "slack", "webhook"),
    }


@pytest.mark.parametrize(
    ("kind", "settings", "secrets"),
    [
        ("webhook", {"url": "https://hooks.example.com/x"}, {"secret": SECRET}),
        ("email", {"to": ["a@example.com"]}, {}),
        ("email", {"to": "a@example.com, b@example.com"}, {}),
        ("email", {"owners": True}, {}),
        ("slack", {}, {"url": "https://hooks.slack.com/services/T/B/x"}),
        ("pagerduty", {}, {"routing_key": "a" * 32}),
        ("alertmanager", {"url": "https://alerts.example.com"}, {"token": "abc"}),
        ("apprise", {}, {"service": "tgram://123456789:abcdefghijklmnop/12315544"}),
        ("in_app", {}, {}),
    ],
)
def test_right_fields_have_no_problem(
    kind: str, settings: dict[str, object], secrets: dict[str, object]
) -> None:
    assert KINDS[kind].problems(settings, secrets) == []
    channel = KINDS[kind].of(settings, secrets)
    assert not any(str(value) in repr(channel) for value in secrets.values())


@pytest.mark.parametrize(
    ("kind", "settings", "secrets", "field", "part"),
    [
        ("webhook", {}, {"secret": SECRET}, "url", "It is needed"),
        ("webhook", {"url": "https://a.example"}, {"secret": "short"}, "secret", "at least 16"),
        ("webhook", {"url": "ftp://a.example"}, {"secret": SECRET}, "url", "written like"),
        ("webhook", {"url": "https://a.example:x"}, {"secret": SECRET}, "url", "Port"),
        ("webhook", {"url": "http://a.example"}, {"secret": SECRET}, "url", "https://"),
        ("webhook", {"url": "https://u:p@a.example"}, {"secret": SECRET}, "url", "a password"),
        ("webhook", {"url": "https://10.0.0.1/"}, {"secret": SECRET}, "url", "public"),
        ("webhook", {"url": "https://[::1]/"}, {"secret": SECRET}, "url", "public"),
        ("webhook", {"secret": SECRET}, {}, "secret", "give it as one"),
        ("slack", {}, {"other": "x"}, "other", "no secret"),
        ("email", {}, {}, "to", "`owners`"),
        ("email", {"to": ["no address"]}, {}, "to", "no e-mail address"),
        ("email", {"to": ["a@b.c\r\nBcc: d@e.f"]}, {}, "to", "no e-mail address"),
        ("pagerduty", {}, {"routing_key": "x"}, "routing_key", "not written as pagerduty"),
        ("apprise", {}, {"service": "json://localhost/"}, "service", "must begin with"),
        ("apprise", {}, {"service": "discord://a/b?verify=no"}, "service", "parameters"),
        ("apprise", {}, {"service": "discord://"}, "service", "cannot be read"),
        ("in_app", {"colour": "red"}, {}, "colour", "no such field"),
    ],
)
def test_wrong_fields_are_named_without_their_values(
    kind: str, settings: dict[str, object], secrets: dict[str, object], field: str, part: str
) -> None:
    (problem,) = KINDS[kind].problems(settings, secrets)
    assert problem[0] == field
    assert part in problem[1]
    for value in secrets.values():
        assert len(str(value)) < 6 or str(value) not in problem[1]


def test_local_receivers_may_be_named() -> None:
    webhook, secrets = KINDS["webhook"], {"secret": SECRET}
    assert webhook.problems({"url": "http://127.0.0.1:9/x"}, secrets, {"127.0.0.1:9"}) == []
    assert webhook.problems({"url": "http://127.0.0.1:8/x"}, secrets, {"127.0.0.1:9"}) != []
