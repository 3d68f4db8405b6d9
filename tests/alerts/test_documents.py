"""Rules and evidence are read back as they were written."""

from datetime import UTC, datetime, timedelta

import pytest

from alerts.evidence import EVIDENCE, Evidence, GuardVerdict, Measured, Subject
from alerts.rules import (
    LITERAL,
    RULE,
    Absence,
    Baseline,
    Change,
    EventKind,
    Guard,
    GuardKind,
    OnEvent,
    Operator,
    Rule,
    Severity,
    Threshold,
    Watch,
)
from alerts.states import Outcome

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
COMPARISONS = (
    Threshold(Operator.ABOVE, 0.1),
    Change(Operator.AT_LEAST, 1.5, Baseline.BEFORE, 7 * 86_400),
    Absence(),
)
TRIGGERS = (
    *(
        Watch("deployments.failure_rate", 3_600, each, filter={"network": ("metis",)})
        for each in COMPARISONS
    ),
    Watch("builds.attempts", 60, COMPARISONS[0], LITERAL, group_by=("framework",)),
    Watch("builds.attempts", 60, COMPARISONS[0], Guard(GuardKind.MIN_SAMPLE, at_least=5)),
    OnEvent(EventKind.ERROR_REACHED, count=100),
)


@pytest.mark.parametrize("trigger", TRIGGERS, ids=range(len(TRIGGERS)))
def test_rule_is_read_back(trigger: Watch | OnEvent) -> None:
    rule = Rule("failures", trigger, Severity.CRITICAL, channels=("ops",), labels={"team": "a"})
    assert RULE.validate_python(RULE.dump_python(rule, mode="json")) == rule
    assert RULE.validate_json(RULE.dump_json(rule)) == rule


def test_evidence_is_read_back() -> None:
    window = Measured(NOW - timedelta(hours=1), NOW, 0.25, {"failed": 1, "succeeded": 3})
    verdict = GuardVerdict(GuardKind.SIGNIFICANT, False, trials=4, p_value=0.34)
    subject = Subject("Deployment", "0190", "Deployment of shop")
    evidence = Evidence(NOW, Outcome.CLEAR, "a.b", window, window, 0.1, verdict, subject)
    assert EVIDENCE.validate_json(EVIDENCE.dump_json(evidence)) == evidence
