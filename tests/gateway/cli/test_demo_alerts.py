"""A demo has alerts from the start: valid rules, made once, told to its inbox if it has one."""

from alerts.checking import problems
from alerts.rules import RULE
from gateway.cli.demo_alerts import add_rules
from gateway.config.settings import Settings
from ingest.demo.cast import PROJECTS
from storage.connections.database import Database
from storage.dictionaries import upsert_project


async def rules_after(database_url: str, mail_port: int) -> list[tuple[int | None, list[str]]]:
    """Adds the rules; returns the project and the channels of each that there is then."""
    await add_rules(Settings(database_url=database_url, demo_mail_port=mail_port))
    database = await Database.open(database_url)
    async with database.connection() as connection:
        rows = await connection.fetch("select project_id, document from alert_rules")
    await database.close()
    for row in rows:
        rule = RULE.validate_python(row["document"])
        assert problems(rule, project_scoped=row["project_id"] is not None) == []
    return [(row["project_id"], row["document"]["channels"]) for row in rows]


async def test_projects_and_the_platform_have_rules_once(own_database_url: str) -> None:
    database = await Database.open(own_database_url)
    async with database.transaction() as connection:
        ids = {await upsert_project(connection, project.slug) for project in PROJECTS}
        await upsert_project(connection, "another")
    await database.close()
    found = await rules_after(own_database_url, 2525)
    assert {project_id for project_id, _channels in found} == {None, *ids}
    assert all(channels == ["inbox", "mail"] for _project_id, channels in found)
    assert await rules_after(own_database_url, 2525) == found


async def test_without_an_inbox_no_channel_is_named(own_database_url: str) -> None:
    found = await rules_after(own_database_url, 0)
    assert found
    assert all(channels == [] for _project_id, channels in found)
