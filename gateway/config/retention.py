"""The retention windows and the archive of the settings."""

from gateway.config.settings import Settings
from ingest.wire.archiving import archive_lines
from storage.keeping.archive import Archive
from storage.keeping.windows import Retention


def retention(settings: Settings) -> Retention:
    return Retention(
        events_days=settings.event_retention_days,
        error_days=settings.error_log_retention_days,
        log_days=settings.log_retention_days,
        fine_days=settings.metrics_retention_days,
        day_days=settings.daily_retention_days,
        minute_hours=settings.minute_retention_hours,
        audit_days=settings.audit_retention_days,
        log_texts_per_day=settings.log_texts_per_day,
    )


def archive(settings: Settings) -> Archive | None:
    folder = settings.archive_dir
    return None if folder is None else Archive(folder, archive_lines)
