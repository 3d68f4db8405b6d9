"""Time zones: IANA names checked, and local days as instants."""

from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storage.errors import InvalidInput

# What lies beside the zones on some machines: their own zone, and clocks with leap seconds.
_MACHINES_OWN = ("localtime", "posix", "right/")


@lru_cache(maxsize=1024)
def zone_info(name: str) -> ZoneInfo:
    """The zone of an IANA name such as Asia/Kolkata; anything else is the caller's mistake."""
    try:
        if name.startswith(_MACHINES_OWN):
            raise ZoneInfoNotFoundError
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(f"Unknown time zone {name[:64]!r}: an IANA name is expected.") from error


def midnight(day: date, zone: str) -> datetime:
    """The first instant of a local day: where midnight is skipped, the moment after the gap."""
    return datetime.combine(day, time(), zone_info(zone)).astimezone(UTC)


def local(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(zone_info(zone))


def from_local(wall: datetime, zone: str) -> datetime:
    """The instant of a naive wall clock time; of two, the first."""
    return wall.replace(tzinfo=zone_info(zone), fold=0).astimezone(UTC)
