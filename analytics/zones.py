"""Time zones: IANA names, and local times as instants."""

from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage.errors import InvalidInput

# Not IANA names, but files beside the zones on some machines.
_NO_ZONES = ("localtime", "posix", "right/")


@lru_cache(maxsize=1024)
def zone_info(name: str) -> ZoneInfo:
    """Returns the zone of an IANA name such as Asia/Kolkata; raises InvalidInput for others."""
    try:
        if name.startswith(_NO_ZONES):
            raise ZoneInfoNotFoundError
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(
            f"Unknown time zone {name[:64]!r}: use an IANA name such as Europe/Berlin."
        ) from error


def midnight(day: date, zone: str) -> datetime:
    """Returns the first instant of a local day; if midnight is skipped, the end of the gap."""
    return datetime.combine(day, time(), zone_info(zone)).astimezone(UTC)


def local(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(zone_info(zone))


def from_local(wall: datetime, zone: str) -> datetime:
    """Returns the instant of a naive wall clock time; the first of two if it occurs twice."""
    return wall.replace(tzinfo=zone_info(zone), fold=0).astimezone(UTC)
