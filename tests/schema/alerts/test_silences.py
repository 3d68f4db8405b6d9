"""Silences are made, listed and ended by those who manage their project."""

from datetime import timedelta
from typing import Any

import pytest

from tests.schema.alerts.asking import ERRORS, changed, maintainer, new_project, reader
from tests.schema.platform import ADMIN, NOW, Platform

SILENCE = """silence { id comment startsAt endsAt untilResolved isActive createdBy endedBy
  matchers { label value kind } schedule { weekdays start end timeZone } project { slug } }"""
SILENCE_ALERTS = f"""mutation($input: CreateSilenceInput!) {{
  createSilence(input: $input) {{ {SILENCE} {ERRORS} }} }}"""
END = f"""mutation($input: EndSilenceInput!) {{
  endSilence(input: $input) {{ {SILENCE} {ERRORS} }} }}"""
LIST = """query($current: Boolean!) { silences(current: $current) {
  totalCount nodes { id comment } } }"""
NIGHTS = {
    "weekdays": ["SATURDAY", "MONDAY"],
    "start": "22:00",
    "end": "06:30",
    "timeZone": "Europe/Berlin",
}


def given(project: str | None, **more: Any) -> dict[str, Any]:
    return {
        "project": project,
        "matchers": [{"label": "network", "value": "metis"}],
        "comment": "The network is upgraded.",
        "endsAt": (NOW + timedelta(hours=2)).isoformat(),
    } | more


async def test_alerts_are_silenced_for_a_time(platform: Platform, project: str) -> None:
    keeper = maintainer(project)
    done = await changed(platform, SILENCE_ALERTS, keeper, **given(project))
    silence = done["silence"]
    assert (silence["isActive"], silence["createdBy"], silence["endedBy"]) == (
        True,
        keeper.subject,
        None,
    )
    assert silence["matchers"] == [{"label": "network", "value": "metis", "kind": "EQUAL"}]
    assert silence["schedule"] is None
    listed = (await platform.ask(LIST, reader(project), current=True))["silences"]
    assert listed == {
        "totalCount": 1,
        "nodes": [{"id": silence["id"], "comment": "The network is upgraded."}],
    }
    over = (await changed(platform, END, ADMIN, id=silence["id"]))["silence"]
    assert over == silence | {"isActive": False, "endedBy": "admin"}
    assert (await platform.ask(LIST, keeper, current=True))["silences"]["totalCount"] == 0
    assert (await platform.ask(LIST, keeper, current=False))["silences"]["totalCount"] == 1


async def test_hours_recur_by_the_clocks_of_a_zone(platform: Platform, project: str) -> None:
    done = await changed(
        platform, SILENCE_ALERTS, maintainer(project), **given(project, schedule=NIGHTS)
    )
    assert done["silence"]["schedule"] == NIGHTS | {"weekdays": ["MONDAY", "SATURDAY"]}
    assert done["silence"]["isActive"] is False, "noon is no night"


def later(days: float) -> str:
    return (NOW + timedelta(days=days)).isoformat()


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"matchers": []}, ["matchers"]),
    ({"matchers": [{"label": "", "value": "x"}]}, ["matchers"]),
    ({"matchers": [{"label": "a", "value": "(a", "kind": "PATTERN"}]}, ["matchers"]),
    ({"endsAt": later(-1)}, ["endsAt"]),
    ({"endsAt": later(31)}, ["endsAt"]),
    ({"startsAt": later(3), "endsAt": later(2)}, ["endsAt"]),
    ({"comment": " "}, ["comment"]),
    ({"schedule": NIGHTS | {"weekdays": []}}, ["schedule", "weekdays"]),
    ({"schedule": NIGHTS | {"end": "22:00"}}, ["schedule", "end"]),
]


@pytest.mark.parametrize(("wrong", "path"), WRONG, ids=range(len(WRONG)))
async def test_an_error_names_its_field(
    platform: Platform, project: str, wrong: dict[str, Any], path: list[str]
) -> None:
    done = await changed(platform, SILENCE_ALERTS, maintainer(project), **given(project, **wrong))
    assert done["silence"] is None
    assert done["userErrors"][0]["field"] == ["input", *path]


async def test_nobody_silences_what_is_not_theirs(platform: Platform, project: str) -> None:
    made = (await changed(platform, SILENCE_ALERTS, ADMIN, **given(None)))["silence"]
    own = (await changed(platform, SILENCE_ALERTS, maintainer(project), **given(project)))[
        "silence"
    ]
    stranger = maintainer(await new_project(platform))
    answers = set()
    for id in (made["id"], own["id"], "nonsense"):
        answers.add(str(await changed(platform, END, stranger, id=id)).replace(id, "it"))
    for slug in (project, "never-existed"):
        payload = await changed(platform, SILENCE_ALERTS, stranger, **given(slug))
        assert payload["userErrors"][0]["code"] == "NOT_FOUND"
    assert len(answers) == 1
    (error,) = (await changed(platform, SILENCE_ALERTS, stranger, **given(None)))["userErrors"]
    assert error["field"] == ["input", "project"]
    assert (await platform.ask(LIST, stranger, current=False))["silences"]["nodes"] == []
