"""The guarded failure-rate rule pages for what is wrong, and the literal one for noise."""

from alerts.rules import LITERAL, SIGNIFICANT
from tests.simulations.alert_rules import MINUTE, Run, real
from tests.test_docs import DOCS


def test_guarded_rule_finds_the_incident_without_false_pages() -> None:
    runs = [Run.drawn(12, days=5, seed=seed) for seed in range(3)]
    literal = [run.pages(LITERAL) for run in runs]
    guarded = [run.pages(SIGNIFICANT) for run in runs]
    assert sum(each.false for each in literal) > 30
    assert sum(each.false for each in guarded) <= 1
    for each in guarded:
        assert each.delay is not None
        assert 2 * MINUTE <= each.delay <= 150 * MINUTE


def test_page_has_what_the_rules_make_of_real_builds() -> None:
    assert real() in (DOCS / "alert-rules.md").read_text(encoding="utf-8")
