"""Alerts are made, changed, switched, deleted and listed, by those who may."""

from typing import Any
from uuid import uuid4

import pytest

from access.viewers import Viewer
from alerts.defaults import row_of, rows_of
from alerts.presets import OF_NEW_PROJECTS
from alerts.rules import Operator, Rule, Threshold, Watch
from alerts.windows import SPANS_OF_PLATFORM_AT_MOST
from resolvers.identifiers import decode
from storage.alerts import rules
from storage.errors import Forbidden, NotFound
from tests.schema.alerts.asking import (
    CREATE,
    DELETE,
    FAILURES,
    LIST,
    ONE,
    SWITCH,
    UPDATE,
    changed,
    created,
    maintainer,
    new_project,
    reader,
)
from tests.schema.platform import ADMIN, NOW, Platform


def watch(**more: Any) -> dict[str, Any]:
    return {"watch": FAILURES["watch"] | more}


TRIGGERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        watch(),
        {
            "measure": "DEPLOYMENT_FAILURE_RATE",
            "window": "PT1H",
            "for": None,
            "keepFiring": None,
            "groupBy": [],
            "filter": [],
            "guard": None,
            "comparison": {
                "absence": False,
                "threshold": {"operator": "ABOVE", "bound": 0.1},
                "change": None,
            },
        },
    ),
    (
        watch(
            guard={"minSample": 20},
            groupBy=["NETWORK", "ENVIRONMENT"],
            filter={"networks": ["Metis"], "frameworks": ["never-seen"]},
            keepFiring="PT1M30S",
            **{"for": "P1D"},
        ),
        {
            "for": "P1D",
            "keepFiring": "PT1M30S",
            "groupBy": ["NETWORK", "ENVIRONMENT"],
            "filter": [
                {"dimension": "NETWORK", "names": ["metis"]},
                {"dimension": "FRAMEWORK", "names": ["never-seen"]},
            ],
            "guard": {"kind": "MIN_SAMPLE", "minSample": 20, "significant": None},
        },
    ),
    (
        watch(
            measure="BUILD_ATTEMPTS",
            window="P7D",
            guard={"significant": 0.05},
            comparison={
                "change": {
                    "operator": "AT_MOST",
                    "factor": 0.5,
                    "baseline": "WEEK_EARLIER",
                    "baselineLength": "P1D",
                }
            },
        ),
        {
            "measure": "BUILD_ATTEMPTS",
            "window": "P7D",
            "guard": {"kind": "SIGNIFICANT", "minSample": None, "significant": 0.05},
            "comparison": {
                "absence": False,
                "threshold": None,
                "change": {
                    "operator": "AT_MOST",
                    "factor": 0.5,
                    "baseline": "WEEK_EARLIER",
                    "baselineLength": "P1D",
                },
            },
        },
    ),
    (
        watch(measure="DEPLOYMENT_ATTEMPTS", guard={"literal": True}, comparison={"absence": True}),
        {
            "guard": {"kind": "LITERAL", "minSample": None, "significant": None},
            "comparison": {"absence": True, "threshold": None, "change": None},
        },
    ),
]


@pytest.mark.parametrize(("given", "shown"), TRIGGERS, ids=range(len(TRIGGERS)))
async def test_what_is_watched_is_shown_as_it_was_given(
    platform: Platform, project: str, given: dict[str, Any], shown: dict[str, Any]
) -> None:
    made = await created(platform, project, trigger=given)
    assert made["trigger"]["event"] is None
    watched = made["trigger"]["watch"]
    assert {name: watched[name] for name in shown} == shown


async def test_what_happens_is_shown_as_it_was_given(platform: Platform, project: str) -> None:
    event = {"kind": "ERROR_REACHED", "count": 100, "filter": {"environments": ["production"]}}
    made = await created(platform, project, trigger={"event": event})
    assert made["trigger"] == {
        "watch": None,
        "event": {
            "kind": "ERROR_REACHED",
            "count": 100,
            "after": None,
            "keepFiring": "PT1H",
            "filter": [{"dimension": "ENVIRONMENT", "names": ["production"]}],
        },
    }


async def test_an_alert_is_created_changed_switched_and_deleted(
    platform: Platform, project: str
) -> None:
    keeper = maintainer(project)
    labels = [{"name": "team", "value": "payments"}]
    made = await created(platform, project, name="failures", labels=labels, title="{{ rule }}")
    assert (made["revision"], made["state"], made["createdBy"]) == (1, "INACTIVE", keeper.subject)
    assert (made["severity"], made["labels"], made["project"]) == (
        "WARNING",
        labels,
        {"slug": project},
    )
    changes = {"id": made["id"], "severity": "CRITICAL", "title": "", "revision": 1}
    second = (await changed(platform, UPDATE, keeper, **changes))["alert"]
    assert second == made | {"revision": 2, "severity": "CRITICAL", "title": None}
    off = await changed(platform, SWITCH, keeper, id=made["id"], enabled=False)
    assert off["alert"] == second | {"revision": 3, "enabled": False}
    again = await changed(platform, SWITCH, keeper, id=made["id"], enabled=False)
    assert again == off, "what changes nothing makes no revision"
    gone = await changed(platform, DELETE, keeper, id=made["id"])
    assert gone == {"deleted": made["id"], "userErrors": []}
    assert (await platform.ask(LIST, keeper))["alerts"]["totalCount"] == 0
    found = (await platform.ask(ONE, keeper, id=made["id"]))["alert"]
    assert found["deletedAt"]


async def test_revisions_say_who_did_what_and_outlive_the_alert(
    platform: Platform, project: str
) -> None:
    keeper = maintainer(project)
    made = await created(platform, project, name="first")
    await changed(platform, UPDATE, ADMIN, id=made["id"], name="second")
    await changed(platform, SWITCH, keeper, id=made["id"], enabled=False)
    await changed(platform, DELETE, keeper, id=made["id"])
    document = """query($id: ID!) { alert(id: $id) {
      revisions { number change changedBy name enabled trigger { watch { measure } } } } }"""
    revisions = (await platform.ask(document, keeper, id=made["id"]))["alert"]["revisions"]
    assert [
        (each["number"], each["change"], each["changedBy"], each["name"], each["enabled"])
        for each in revisions
    ] == [
        (4, "DELETED", keeper.subject, None, None),
        (3, "DISABLED", keeper.subject, "second", False),
        (2, "CHANGED", "admin", "second", True),
        (1, "CREATED", keeper.subject, "first", True),
    ]
    assert revisions[1]["trigger"] == {"watch": {"measure": "DEPLOYMENT_FAILURE_RATE"}}


async def test_a_change_of_an_older_revision_is_refused(platform: Platform, project: str) -> None:
    made = await created(platform, project)
    await changed(platform, UPDATE, ADMIN, id=made["id"], severity="INFO")
    late = await changed(
        platform, UPDATE, maintainer(project), id=made["id"], severity="CRITICAL", revision=1
    )
    assert late["alert"] is None
    (error,) = late["userErrors"]
    assert (error["field"], error["code"]) == (["input", "revision"], "CONFLICT")
    assert "admin" in error["message"]
    assert "revision 2" in error["message"]


async def test_the_rules_of_a_project_look_at_few_times(platform: Platform, project: str) -> None:
    def given(minutes: int, name: str = "") -> dict[str, Any]:
        trigger = {"watch": {**FAILURES["watch"], "window": f"PT{minutes}M"}}
        return {"name": name or str(minutes), "trigger": trigger}

    for minutes in range(1, 19):  # beside those of the rules that a new project may have
        made = await created(platform, project, **given(minutes))
    errors: list[Any] = []
    for minutes in range(19, 22):
        errors += (await changed(platform, CREATE, ADMIN, project=project, **given(minutes)))[
            "userErrors"
        ]
    assert errors
    assert {(*each["field"], each["code"]) for each in errors} == {
        ("input", "trigger", "watch", "window", "TOO_MANY")
    }
    assert await created(platform, project, **given(1, "as another"))
    own = {"id": made["id"], "trigger": given(30)["trigger"]}
    assert (await changed(platform, UPDATE, ADMIN, **own))["userErrors"] == []


async def test_the_rules_of_the_platform_look_at_few_times(platform: Platform) -> None:
    rows = []
    for minutes in range(1, SPANS_OF_PLATFORM_AT_MOST + 1):
        trigger = Watch("builds.attempts", minutes * 60, Threshold(Operator.ABOVE, 1))
        rows.append(row_of(Rule(f"platform {minutes}", trigger), None, NOW))
    database = platform.services.database
    async with database.transaction() as connection:
        for row in rows:
            await rules.add(connection, row)
    above = {"threshold": {"operator": "ABOVE", "bound": 1}}
    build = {"measure": "BUILD_ATTEMPTS", "comparison": above}
    given = {"name": "one more", "trigger": {"watch": build | {"window": "PT55M"}}}
    (error,) = (await changed(platform, CREATE, ADMIN, **given))["userErrors"]
    assert (error["code"], error["field"][-1]) == ("TOO_MANY", "window")
    assert "of the platform have 50 windows" in error["message"]
    same = given | {"trigger": {"watch": build | {"window": "PT5M"}}}
    assert (await changed(platform, CREATE, ADMIN, **same))["userErrors"] == []
    async with database.transaction() as connection:
        await connection.execute("delete from alert_rules where project_id is null")


async def test_names_are_unique_in_a_project(platform: Platform, project: str) -> None:
    keeper = maintainer(project)
    made = await created(platform, project, name="failures")
    other = await created(platform, project, name="others")
    for document, given in (
        (CREATE, {"name": "failures", "trigger": FAILURES, "project": project}),
        (UPDATE, {"id": other["id"], "name": "failures"}),
    ):
        (error,) = (await changed(platform, document, keeper, **given))["userErrors"]
        assert (error["field"], error["code"]) == (["input", "name"], "TAKEN")
    await changed(platform, DELETE, keeper, id=made["id"])
    assert await created(platform, project, name="failures")
    assert await created(platform, await new_project(platform), name="failures")


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"name": " "}, ["name"]),
    ({"trigger": watch(window="PT30S")}, ["trigger", "watch", "window"]),
    ({"trigger": watch(**{"for": "P2D"})}, ["trigger", "watch", "for"]),
    ({"trigger": watch(keepFiring="P2D")}, ["trigger", "watch", "keepFiring"]),
    ({"trigger": watch(groupBy=["PHASE"])}, ["trigger", "watch", "groupBy"]),
    ({"trigger": watch(guard={"minSample": 0})}, ["trigger", "watch", "guard", "minSample"]),
    (
        {"trigger": watch(guard={"significant": 0.9})},
        ["trigger", "watch", "guard", "significant"],
    ),
    (
        {"trigger": watch(comparison={"threshold": {"operator": "ABOVE", "bound": 10}})},
        ["trigger", "watch", "comparison", "threshold", "bound"],
    ),
    (
        {
            "trigger": watch(
                comparison={"change": {"operator": "ABOVE", "factor": 2, "baselineLength": "PT30S"}}
            )
        },
        ["trigger", "watch", "comparison", "change", "baselineLength"],
    ),
    (
        {"trigger": watch(filter={"networks": ["nowhere"]})},
        ["trigger", "watch", "filter", "networks"],
    ),
    (
        {"trigger": watch(filter={"errorTypes": ["TypeError"]})},
        ["trigger", "watch", "filter", "errorTypes"],
    ),
    (
        {"trigger": {"event": {"kind": "DEPLOYMENT_SLOW"}}},
        ["trigger", "event", "after"],
    ),
    (
        {"trigger": {"event": {"kind": "ERROR_SPREAD", "count": 5}}},
        ["trigger", "event", "kind"],
    ),
    ({"channels": ["nobody"]}, ["channels"]),
    ({"labels": [{"name": "rule", "value": "x"}]}, ["labels", "rule"]),
]


async def test_an_alert_is_made_of_a_preset(platform: Platform, project: str) -> None:
    trigger: dict[str, Any] = {"preset": {"name": "cpu_critical", "bound": 90, "for": "PT3M"}}
    made = await created(platform, project, name=None, trigger=trigger)
    assert (made["name"], made["severity"], made["preset"]) == (
        *("CPU exhausted", "CRITICAL"),
        "cpu_critical",
    )
    watch = made["trigger"]["watch"]
    assert (watch["comparison"]["threshold"]["bound"], watch["for"]) == (90, "PT3M")
    given = {"preset": {"name": "deployment_slow", "after": "PT15M"}}
    changes = {"id": made["id"], "trigger": given, "severity": "INFO"}
    done = (await changed(platform, UPDATE, maintainer(project), **changes))["alert"]
    assert (done["name"], done["severity"], done["preset"]) == (
        *("CPU exhausted", "INFO"),
        "deployment_slow",
    )
    assert done["trigger"]["event"]["after"] == "PT15M"


@pytest.mark.parametrize(
    ("preset", "field"),
    [
        ({"name": "error_reached", "count": 0}, "count"),
        ({"name": "error_count", "window": "PT61S"}, "window"),
        ({"name": "error_spread"}, "name"),
        ({"name": "deployment_failed", "filter": {"networks": ["nowhere"]}}, "filter.networks"),
    ],
)
async def test_an_error_in_a_preset_names_its_field(
    platform: Platform, project: str, preset: dict[str, Any], field: str
) -> None:
    given = {"project": project, "trigger": {"preset": preset}}
    payload = await changed(platform, CREATE, maintainer(project), **given)
    (error,) = payload["userErrors"]
    assert error["field"] == ["input", "trigger", "preset", *field.split(".")]


@pytest.mark.parametrize(
    ("preset", "path", "message"),
    [
        ({"name": "deployment_slo"}, "preset.name", "did you mean 'deployment_slow'?"),
        ({"name": "deployment_slow", "keepFiring": "P1M"}, "keepFiring", "write weeks, days"),
        ({"name": "deployment_slow", "bound": 1.5}, "preset.bound", "it has after, keepFiring"),
    ],
)
async def test_what_a_preset_lacks_is_refused(
    platform: Platform, project: str, preset: dict[str, Any], path: str, message: str
) -> None:
    given = {"project": project, "trigger": {"preset": preset}}
    error = await platform.refused(CREATE, maintainer(project), input=given)
    assert error.path == path
    assert message in error.message


@pytest.mark.parametrize(("given", "path"), WRONG, ids=[".".join(path) for _, path in WRONG])
async def test_an_error_names_its_field_and_the_fix(
    platform: Platform, project: str, given: dict[str, Any], path: list[str]
) -> None:
    given = {"project": project, "name": "failures", "trigger": FAILURES} | given
    payload = await changed(platform, CREATE, maintainer(project), **given)
    assert payload["alert"] is None
    (error,) = payload["userErrors"]
    assert error["field"] == ["input", *path]
    assert error["message"].endswith(".") or "Did you mean" in error["message"]
    assert (await platform.ask(LIST, maintainer(project)))["alerts"]["totalCount"] == 0


async def test_months_are_refused_since_their_length_varies(
    platform: Platform, project: str
) -> None:
    given = {"project": project, "name": "failures", "trigger": watch(window="P1M")}
    error = await platform.refused(CREATE, maintainer(project), input=given)
    assert error.path == "window"


async def test_the_platforms_alerts_are_for_admins_alone(platform: Platform, project: str) -> None:
    keeper = maintainer(project)
    (error,) = (await changed(platform, CREATE, keeper, name="a", trigger=FAILURES))["userErrors"]
    assert (error["field"], error["code"]) == (["input", "project"], "MISSING_FIELD")
    made = await created(platform, None, trigger=watch(groupBy=["PROJECT"]))
    assert made["project"] is None
    assert (await platform.ask(ONE, keeper, id=made["id"]))["alert"] is None
    (error,) = (await changed(platform, DELETE, keeper, id=made["id"]))["userErrors"]
    assert (error["field"], error["code"]) == (["input", "id"], "NOT_FOUND")
    found = await platform.ask(LIST, ADMIN, search=made["name"])
    assert [each["id"] for each in found["alerts"]["nodes"]] == [made["id"]]
    assert (await platform.ask(LIST, keeper))["alerts"]["nodes"] == []


async def test_readers_see_but_do_not_change(platform: Platform, project: str) -> None:
    made = await created(platform, project)
    looking = reader(project)
    assert (await platform.ask(ONE, looking, id=made["id"]))["alert"]["name"] == made["name"]
    refused = await platform.refused(DELETE, looking, input={"id": made["id"]})
    assert isinstance(refused, Forbidden)


async def test_lists_are_filtered_and_sorted(platform: Platform, project: str) -> None:
    keeper = maintainer(project)
    for name, severity in (("b", "INFO"), ("a", "CRITICAL"), ("c", "INFO"), ("D", "WARNING")):
        await created(platform, project, name=name, severity=severity, enabled=name != "c")

    async def names(**given: Any) -> list[str]:
        found = (await platform.ask(LIST, keeper, **given))["alerts"]
        return [each["name"] for each in found["nodes"]]

    assert await names() == ["a", "D", "b", "c"]
    assert await names(orderBy={"field": "NAME", "direction": "ASC"}) == ["D", "a", "b", "c"]
    assert await names(filter={"severities": ["INFO"]}) == ["b", "c"]
    assert await names(filter={"enabled": False}) == ["c"]
    assert await names(filter={"states": ["FIRING"]}) == []
    assert await names(search="d") == ["D"]
    assert await names(filter={"projects": [project]}, search="B") == ["b"]
    error = await platform.refused(LIST, keeper, filter={"projects": ["shop"]})
    assert isinstance(error, NotFound)


async def test_a_project_shows_its_own_alerts(platform: Platform, project: str) -> None:
    keeper, other = maintainer(project), await new_project(platform)
    for name, severity in (("b", "INFO"), ("a", "CRITICAL"), ("c", "INFO")):
        await created(platform, project, name=name, severity=severity)
    await created(platform, other, name="of another project")
    gone = await created(platform, project, name="gone")
    await changed(platform, DELETE, keeper, id=gone["id"])
    document = "query($slug: String!) { project(slug: $slug) { alerts(first: 2) { name } } }"
    found = await platform.ask(document, keeper, slug=project)
    assert [each["name"] for each in found["project"]["alerts"]] == ["a", "b"]
    both = "{ projects(first: 100) { nodes { slug alerts(first: 2) { name } } } }"
    all_ = await platform.ask(both, maintainer(project, other))
    assert {each["slug"]: len(each["alerts"]) for each in all_["projects"]["nodes"]} == {
        project: 2,
        other: 1,
    }
    assert sum("alerts_of_projects" in each for each in platform.statements) == 1


async def test_alerts_of_the_platform_and_of_projects_are_told_apart(
    platform: Platform, project: str
) -> None:
    ours, own = f"o-{uuid4().hex}", f"p-{uuid4().hex}"
    made = await created(platform, None, name=ours)
    await created(platform, project, name=own)

    async def names(viewer: Viewer, **filter: Any) -> set[str]:
        found = await platform.ask(LIST, viewer, filter=filter, search="-", first=100)
        return {each["name"] for each in found["alerts"]["nodes"]} & {ours, own}

    assert await names(ADMIN) == {ours, own}
    assert await names(ADMIN, platform=True) == {ours}
    assert await names(ADMIN, platform=False) == {own}
    assert await names(maintainer(project), platform=True) == set()
    assert await names(maintainer(project), platform=False) == {own}
    await changed(platform, DELETE, ADMIN, id=made["id"])


async def test_pages_follow_each_other(platform: Platform, project: str) -> None:
    keeper = maintainer(project)
    made = [(await created(platform, project, name=f"n-{each}"))["name"] for each in range(5)]
    seen: list[str] = []
    after = None
    while True:
        page = (await platform.ask(LIST, keeper, first=2, after=after))["alerts"]
        seen += [node["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == made


@pytest.mark.parametrize("first", [1, 5])
async def test_a_page_with_instances_and_revisions_is_a_few_statements(
    platform: Platform, project: str, first: int
) -> None:
    for _ in range(5):
        await created(platform, project)
    document = """query($n: Int) { alerts(first: $n) { nodes {
      id name project { slug } instances { name } revisions { number } } } }"""
    await platform.ask(document, maintainer(project), n=first)
    assert sorted(platform.statements) == [
        "alert_instances",
        "alert_revisions",
        "alerts_by_state_find",
        "projects_by_project_id",
    ]


async def test_an_alert_that_a_new_project_got_says_so(platform: Platform, project: str) -> None:
    asked = await created(platform, project)
    project_id = decode(asked["id"]).number
    assert project_id is not None
    async with platform.services.database.transaction() as connection:
        for row in rows_of(project_id, NOW):
            assert await rules.add(connection, row) is None
    document = "{ alerts(first: 50) { nodes { name preset isDefault } } }"
    found = (await platform.ask(document, reader(project)))["alerts"]["nodes"]
    defaults = [each for each in found if each["isDefault"]]
    assert [each["name"] for each in found if not each["isDefault"]] == [asked["name"]]
    assert {each["preset"] for each in defaults} == {preset.name for preset in OF_NEW_PROJECTS}
