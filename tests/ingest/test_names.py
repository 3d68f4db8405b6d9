"""Names that events create: no tenant fills the dictionaries that all tenants share."""

from ingest.intake import Intake
from storage.connections.database import Database
from storage.dimensions import METHOD
from tests.ingest.conftest import ADMIN, now


async def test_one_project_creates_no_more_than_its_part_of_a_dictionary(
    intake: Intake, database: Database
) -> None:
    most = METHOD.of_project_at_most
    assert most < METHOD.at_most / 10
    events = [
        {
            "id": str(number),
            "type": "api.call",
            "time": now().isoformat(),
            "project": "greedy",
            "endpoint": "/",
            "method": f"M{number}",
            "status": 200,
        }
        for number in range(most + 20)
    ]
    half = len(events) // 2
    await intake.record(events[:half], ADMIN)
    await intake.record(events[half:], ADMIN)
    await intake.record([event | {"id": f"again {event['id']}"} for event in events[-20:]], ADMIN)
    other = events[0] | {"project": "modest", "method": "PATCH"}
    await intake.record([other], ADMIN)
    async with database.connection() as connection:
        names = await connection.fetchval("select count(*) from methods where name like 'M%'")
        assert 0 < names <= most
        assert await connection.fetchval("select 1 from methods where name = 'PATCH'")
        assert await connection.fetchval("select count(*) from api_calls") == len(events) + 21
