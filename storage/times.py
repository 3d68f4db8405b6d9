"""Full hours and days, in UTC."""

from datetime import UTC, datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def full_hour(at: datetime) -> datetime:
    """The start of the hour of a time."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def midnight(at: datetime) -> datetime:
    """The start of the day of a time."""
    return full_hour(at).replace(hour=0)
