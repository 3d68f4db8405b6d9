"""`gateway alerts`: a file is applied as a whole or not at all, compared, and exported."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml
from typer.testing import CliRunner, Result

from access.sealing import Seals
from gateway.cli.main import app as command

JWT_SECRET = "the-secret-of-the-settings"
SECRET = "a-secret-that-is-nowhere-shown"
FILE = """
platform:
  rules:
    - name: All builds fail
      severity: critical
      trigger:
        kind: watch
        measure: builds.failure_rate
        window_seconds: 3600
        group_by: [project]
        comparison: {kind: threshold, operator: above, bound: 0.5}
projects:
  shop:
    channels:
      - name: ops
        kind: webhook
        settings: {url: "https://hooks.example.com/alerts"}
        secrets: {secret: "${OPS_SECRET}"}
    rules:
      - name: Failures
        channels: [ops]
        labels: {team: payments}
        trigger:
          kind: watch
          measure: deployments.failure_rate
          window_seconds: 3600
          filter: {network: [Metis]}
          comparison: {kind: threshold, operator: above, bound: 0.1}
      - name: Failed
        trigger: {kind: event, event: deployment_failed}
    silences:
      - matchers: [{label: network, value: metis}]
        comment: The network is upgraded.
        starts_at: 2099-01-01T00:00:00Z
        ends_at: 2099-01-02T00:00:00Z
"""


@pytest.fixture(autouse=True)
def database(own_database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", own_database_url)
    monkeypatch.setenv("OPS_SECRET", SECRET)
    monkeypatch.setenv("JWT_SECRET", JWT_SECRET)
    fetch(own_database_url, "insert into projects (slug, name) values ('shop', 'S'), ('blog', 'B')")
    return own_database_url


def fetch(url: str, statement: str) -> list[Any]:
    async def work() -> list[Any]:
        connection = await asyncpg.connect(url)
        rows = await connection.fetch(statement)
        await connection.close()
        return [tuple(row) for row in rows]

    return asyncio.run(work())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, ["alerts", *arguments])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "alerts.yaml"
    path.write_text(FILE)
    return path


def test_a_file_is_applied_once(database: str, file: Path) -> None:
    told = run("diff", str(file))
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines() == [
        "platform: + rule 'All builds fail'",
        "shop: + channel 'ops'",
        "shop: + rule 'Failures'",
        "shop: + rule 'Failed'",
        "shop: + silence 'The network is upgraded.'",
    ]
    assert run("apply", str(file), "--dry-run").stdout == told.stdout
    assert fetch(database, "select * from alert_rules") == []
    assert run("apply", str(file)).stdout == told.stdout
    for verb in ("diff", "apply"):
        assert run(verb, str(file), "--prune").stdout == "Nothing to change.\n"
    rules = fetch(
        database,
        "select slug, rule.name, revision, created_by like 'cli:%', document -> 'trigger' ->"
        " 'filter' ->> 'network' from alert_rules as rule left join projects using (project_id)"
        " order by rule.name",
    )
    assert rules == [
        (None, "All builds fail", 1, True, None),
        ("shop", "Failed", 1, True, None),
        ("shop", "Failures", 1, True, '["metis"]'),
    ]
    ((sealed,),) = fetch(database, "select secrets ->> 'secret' from alert_channels")
    assert SECRET not in sealed
    assert Seals([JWT_SECRET]).open({"secret": sealed}) == {"secret": SECRET}
    log = fetch(database, "select action, audit_log::text from audit_log")
    assert [action for action, _ in log] == ["alerts.apply"]
    assert SECRET not in log[0][1]


def test_a_rule_may_be_a_preset_with_what_differs(database: str, tmp_path: Path) -> None:
    file = tmp_path / "presets.yaml"
    file.write_text(
        "projects: {shop: {rules: [{preset: deployment_failed},"
        " {preset: deployment_slow, name: Slow, trigger: {after_seconds: 900}}]}}"
    )
    told = run("apply", str(file))
    assert told.stdout.splitlines() == [
        "shop: + rule 'Deployment failed'",
        "shop: + rule 'Slow'",
    ], told.output
    assert run("apply", str(file), "--prune").stdout == "Nothing to change.\n"
    again = tmp_path / "again.yaml"
    again.write_text(run("export").stdout)
    assert run("apply", str(again), "--prune").stdout == "Nothing to change.\n"
    for given, what in (
        ("{preset: deployment_slo}", "did you mean 'deployment_slow'?"),
        ("{preset: deployment_slow, trigger: {bound: 1}}", "The preset has no trigger.bound"),
    ):
        file.write_text(f"projects:\n  shop:\n    rules:\n      - {given}\n")
        refused = run("apply", str(file))
        assert (refused.exit_code, f"{file}: line 4: " in refused.stderr) == (1, True)
        assert what in refused.stderr


# One more than may be made.
OLDER_RULE = """
insert into alert_rules select gen_random_uuid(), project_id, 'older', true,
  jsonb_set(document, '{trigger,window_seconds}', '90000'), 1, created_at, created_by, changed_at,
  changed_by, null from alert_rules where name = '1' returning rule_id"""


def test_the_rules_of_a_file_look_at_few_times(database: str, tmp_path: Path) -> None:
    rules = [
        {"preset": "error_count", "name": str(minutes), "trigger": {"window_seconds": minutes * 60}}
        for minutes in range(1, 22)
    ]
    file = tmp_path / "many.yaml"
    file.write_text(yaml.safe_dump({"projects": {"shop": {"rules": rules}}}))
    refused = run("apply", str(file))
    assert "line 3: projects.shop.rules: The rules have 21 windows" in refused.stderr
    file.write_text(yaml.safe_dump({"projects": {"shop": {"rules": rules[:20]}}}))
    assert run("apply", str(file)).exit_code == 0
    fetch(database, OLDER_RULE)
    assert run("apply", str(file)).stdout == "Nothing to change.\n"
    file.write_text(yaml.safe_dump({"projects": {"shop": {"rules": rules[20:]}}}))
    assert "20 at most" in run("apply", str(file)).stderr
    assert run("apply", str(file), "--prune").exit_code == 0


def test_a_secret_is_sealed_under_the_secret_of_the_settings(
    database: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JWT_SECRET")
    refused = run("apply", str(file))
    assert (refused.exit_code, "JWT_SECRET must be set" in str(refused.exception)) == (1, True)
    assert fetch(database, "select name from alert_channels") == []
    monkeypatch.setenv("JWT_SECRET", "a-lost-one")
    run("apply", str(file))
    monkeypatch.setenv("JWT_SECRET", "a-new-one")
    assert run("apply", str(file)).stdout == "shop: ~ channel 'ops': (secret)\n"
    assert run("diff", str(file)).stdout == "Nothing to change.\n"


def test_what_is_exported_can_be_applied_and_holds_no_secret(
    database: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("apply", str(file))
    exported = run("export")
    assert exported.exit_code == 0, exported.output
    assert SECRET not in exported.stdout
    assert yaml.safe_load(exported.stdout)["projects"]["shop"]["channels"][0]["secrets"] == {
        "secret": "${OPS_SECRET}"
    }
    again = tmp_path / "again.yaml"
    again.write_text(exported.stdout)
    assert run("apply", str(again), "--prune").stdout == "Nothing to change.\n"
    assert "platform" not in run("export", "--project", "shop").stdout
    assert run("export", "--project", "gone").exit_code == 1
    fetch(database, "delete from alert_rules")
    fetch(database, "delete from alert_channels")
    assert run("apply", str(again)).exit_code == 0
    assert run("export").stdout == exported.stdout


def test_a_rule_that_cannot_be_read_is_left_out_and_can_be_replaced(
    database: str, file: Path
) -> None:
    run("apply", str(file))
    fetch(database, "update alert_rules set document = '{}' where name = 'Failed'")
    exported = run("export")
    assert exported.exit_code == 0, exported.output
    assert "The rule 'Failed' is left out. What is stored cannot be read" in exported.stderr
    rules = yaml.safe_load(exported.stdout)["projects"]["shop"]["rules"]
    assert [rule["name"] for rule in rules] == ["Failures"]
    told = run("apply", str(file))
    assert told.stdout == "shop: ~ rule 'Failed': what is stored cannot be evaluated\n"
    assert run("diff", str(file)).stdout == "Nothing to change.\n"


def test_changes_are_named_and_what_the_file_lacks_is_removed_if_asked(
    database: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("apply", str(file))
    document = yaml.safe_load(FILE)
    document["projects"]["shop"]["rules"][0]["severity"] = "critical"
    del document["projects"]["shop"]["rules"][1], document["projects"]["shop"]["silences"]
    file.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("OPS_SECRET", "another-secret-of-this-length")
    changes = [
        "shop: ~ channel 'ops': (secret)",
        "shop: ~ rule 'Failures': severity: None → critical",
    ]
    assert run("diff", str(file)).stdout.splitlines() == changes
    told = run("apply", str(file), "--prune").stdout.splitlines()
    assert told == [*changes, "shop: - rule 'Failed'", "shop: - silence 'The network is upgraded.'"]
    assert run("apply", str(file), "--prune").stdout == "Nothing to change.\n"
    revisions = fetch(database, "select change from alert_revisions order by revision, change")
    assert sorted(change for (change,) in revisions) == [
        *("changed", "created", "created", "created", "deleted"),
    ]


WRONG: list[tuple[str, str, str]] = [
    ("bound: 0.1}", "bound: 10}", "fraction"),
    ("bound: 0.1}", "bound: x}", "number"),
    ("window_seconds: 3600\n          filter", "window: 3600\n          filter", ""),
    ("[ops]", "[nobody]", "no channel 'nobody'"),
    ("[Metis]", "[nowhere]", "No network is called 'nowhere'"),
    ("${OPS_SECRET}", "plain", "such as ${OPS_SECRET}"),
    ("${OPS_SECRET}", "${UNSET_SECRET}", "UNSET_SECRET is not set"),
    ("kind: webhook", "kind: pigeon", "pigeon"),
    ("name: Failed", "name: Failures", "twice"),
    ("comment: The network is upgraded.", "comment: ''", "Say why"),
    ("2099-01-02", "2099-03-02", "30 days"),
    ("  shop:", "  gone:", "no project 'gone'"),
    ("severity: critical", "name: twice", "twice"),
    ("    silences:", "    : [silences", ""),
]


@pytest.mark.parametrize(("part", "wrong", "message"), WRONG, ids=range(len(WRONG)))
def test_an_error_names_its_line_and_nothing_is_changed(
    database: str, file: Path, part: str, wrong: str, message: str
) -> None:
    assert part in FILE
    text = FILE.replace(part, wrong, 1)
    file.write_text(text)
    done = run("apply", str(file))
    assert done.exit_code == 1
    lines = [old == new for old, new in zip(FILE.splitlines(), text.splitlines(), strict=True)]
    assert f"line {lines.index(False) + 1}: " in done.output
    assert message in done.output
    assert SECRET not in done.output
    for table in ("alert_rules", "alert_channels", "alert_silences", "audit_log"):
        assert fetch(database, f"select * from {table}") == [], table


def test_a_channel_of_the_platform_that_a_project_names_is_not_removed(
    database: str, tmp_path: Path
) -> None:
    shared, own = tmp_path / "platform.yaml", tmp_path / "shop.yaml"
    shared.write_text("platform: {channels: [{name: all, kind: in_app}]}")
    own.write_text(
        "projects: {shop: {rules: [{name: a, channels: [all], "
        "trigger: {kind: event, event: build_failed}}]}}"
    )
    assert run("apply", str(shared)).exit_code == 0
    assert run("apply", str(own), "--prune").exit_code == 0
    shared.write_text("platform: {channels: [{name: other, kind: in_app}]}")
    done = run("apply", str(shared), "--prune")
    assert done.exit_code == 1
    assert "in use" in done.output
    assert fetch(database, "select name from alert_channels") == [("all",)]


def test_receivers_of_this_network_are_the_platforms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_LOCAL_HOSTS", "alertmanager.internal:9093")
    file = tmp_path / "local.yaml"
    channel = "{channels: [{name: am, kind: alertmanager, settings: {url: URL}}]}"
    channel = channel.replace("URL", '"http://alertmanager.internal:9093"')
    for owner, code in ((f"platform: {channel}", 0), (f"projects: {{shop: {channel}}}", 1)):
        file.write_text(owner)
        done = run("apply", str(file))
        assert done.exit_code == code, done.output
