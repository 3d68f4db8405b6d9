"""The audit of dependencies fails for what is known, and never takes silence for a good answer."""

import json
from datetime import date

from tests.advisories import Advisory, Report, accepted, faults, of_npm, of_pip, summary

TODAY = date(2026, 11, 21)
PIP = {
    "dependencies": [
        {"name": "good", "version": "1.0", "vulns": []},
        {
            "name": "bad",
            "version": "2.0",
            "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": [], "description": ""}],
        },
        {"name": "new", "skip_reason": "Dependency not found on PyPI"},
    ]
}
NPM = {
    "vulnerabilities": {
        "page": {"via": ["deep"]},
        "deep": {
            "via": [{"url": "https://x.test/advisories/GHSA-1", "severity": "high", "title": "t"}]
        },
    },
    "metadata": {"dependencies": {"total": 90}},
}
ACCEPTANCE = """
[[accepted]]
id = "PYSEC-1"
package = "bad"
reason = "only the part we do not use"
until = 2026-11-21
"""


def test_advisory_fails_until_it_is_mended() -> None:
    report = of_pip("lock", json.dumps(PIP))
    assert list(faults(report, [], TODAY)) == ["lock: bad 2.0: PYSEC-1, mended in 2.1"]
    assert summary(report) == "lock: 2 packages, 1 advisories; nothing is known of 1: new"


def test_advisory_of_a_page_package_fails_once() -> None:
    report = of_npm("lock", json.dumps(NPM))
    assert list(faults(report, [], TODAY)) == ["lock: deep: GHSA-1, high: t"]


def test_accepted_advisory_passes_until_its_day() -> None:
    report = of_pip("lock", json.dumps(PIP))
    assert list(faults(report, accepted(ACCEPTANCE), TODAY)) == []
    assert "until 2026-11-21 only" in next(faults(report, accepted(ACCEPTANCE), date(2026, 11, 22)))


def test_acceptance_is_for_one_package_alone() -> None:
    other = Report("lock", 1, [Advisory("PYSEC-1", "other 1.0", "mended in 2")])
    assert len(list(faults(other, accepted(ACCEPTANCE), TODAY))) == 1


def test_service_that_knows_nothing_has_audited_nothing() -> None:
    silent = {"dependencies": [{"name": "good", "skip_reason": "Dependency not found on PyPI"}]}
    for report in (
        of_pip("lock", json.dumps(silent)),
        of_pip("lock", "no JSON"),
        of_npm("lock", json.dumps({"message": "405 Method Not Allowed", "statusCode": 405})),
        of_npm("lock", ""),
    ):
        assert summary(report) == "lock: not audited, the advisories cannot be reached from here"
