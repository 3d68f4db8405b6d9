"""Settings come from the environment, and production refuses unsafe ones."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.config.credentials import secret_fault
from gateway.config.retention import retention
from gateway.config.settings import Settings, SettingsError, load_settings, require
from storage.keeping.windows import DEFAULT

STRONG = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*(field.upper() for field in Settings.model_fields), "GATEWAY_ENV"]:
        monkeypatch.delenv(name, raising=False)


def test_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv("JWT_SECRET", STRONG)
    settings = load_settings()
    assert settings.port == 8123
    assert settings.environment == "production"


def test_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    assert load_settings(signs=False).port == 8000


def test_command_line_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    assert load_settings(signs=False, port=8200).port == 8200
    assert load_settings(signs=False, port=None).port == 8123


@pytest.mark.parametrize(
    ("environment", "given", "project"),
    [
        ("production", "", None),
        ("demo", "", "gateway"),
        ("demo", "off", None),
        ("production", "auto", None),
        ("production", "our-api", "our-api"),
        ("demo", "our-api", "our-api"),
    ],
)
def test_own_api_calls_go_to_a_project(
    monkeypatch: pytest.MonkeyPatch, environment: str, given: str, project: str | None
) -> None:
    monkeypatch.setenv("GATEWAY_ENV", environment)
    monkeypatch.setenv("API_CALLS_PROJECT", given)
    assert load_settings(signs=False).api_calls_slug == project


@pytest.mark.parametrize("given", ["Our API", "other", "a/b", "-a", "a" * 101])
def test_the_project_of_api_calls_has_a_slug(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("API_CALLS_PROJECT", given)
    with pytest.raises(SettingsError, match="API_CALLS_PROJECT"):
        load_settings(signs=False)


def test_retention_follows_its_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """R163."""
    assert retention(load_settings(signs=False)) == DEFAULT
    monkeypatch.setenv("METRICS_RETENTION_DAYS", "30")
    monkeypatch.setenv("DAILY_RETENTION_DAYS", "0")
    assert retention(load_settings(signs=False)) == replace(DEFAULT, fine_days=30, day_days=0)


def test_cache_may_keep_answers_for_an_hour_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """R101, R163."""
    assert load_settings(signs=False).analytics_cache_ttl == 3600
    monkeypatch.setenv("ANALYTICS_CACHE_TTL", "3601")
    with pytest.raises(SettingsError, match="ANALYTICS_CACHE_TTL"):
        load_settings(signs=False)


def test_wrong_value_is_refused_by_the_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eight thousand")
    with pytest.raises(SettingsError, match=r"PORT: .*integer"):
        load_settings(signs=False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PORT", 0),
        ("PORT", 65_536),
        ("WORKER_PORT", -1),
        ("RATE_LIMIT_MAX", 0),
        ("RATE_LIMIT_BURST", -1),
        ("RATE_LIMIT_EVENTS_MAX", 9_999),
        ("RATE_LIMIT_KIBIBYTES_MAX", 19_999),
        ("EVENT_RETENTION_DAYS", 36_501),
        ("CORS_ORIGINS", "no origin"),
        ("JWT_JWKS_URL", "http://login.example/keys"),
    ],
)
def test_value_out_of_range_is_refused(variable: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=variable):
        load_settings(signs=False, **{variable.lower(): value})


@pytest.mark.parametrize(
    ("secret", "fault"),
    [
        ("", "not set"),
        ("demo-" + STRONG, "demo secret"),
        ("please-changeme-" + STRONG, "well-known"),
        ("0123456789abcdef", "shorter"),
        ("abab" * 20, "repeats"),
        (STRONG, None),
    ],
)
def test_secret_fit_for_production(secret: str, fault: str | None) -> None:
    found = secret_fault(secret)
    assert found == fault or (fault is not None and fault in str(found))


def test_production_refuses_to_start_without_a_secret() -> None:
    with pytest.raises(SettingsError, match="JWT_SECRET is not set"):
        load_settings()


def test_production_refuses_the_demo_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo = load_settings(environment="demo", data_dir=tmp_path)
    monkeypatch.setenv("JWT_SECRET", demo.jwt_secret)
    with pytest.raises(SettingsError, match="demo secret"):
        load_settings(environment="production")


def test_demo_secret_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    first = load_settings(environment="demo", data_dir=tmp_path)
    second = load_settings(environment="demo", data_dir=tmp_path)
    other = load_settings(environment="demo", data_dir=tmp_path / "other")
    assert first.jwt_secret == second.jwt_secret != other.jwt_secret
    assert (tmp_path / "demo-secret").stat().st_mode & 0o777 == 0o600


def test_secret_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{STRONG}\n")
    assert load_settings(jwt_secret_file=file).jwt_secret == STRONG


def test_missing_secret_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_settings(jwt_secret_file=tmp_path / "absent")


def test_two_secrets_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(STRONG)
    with pytest.raises(SettingsError, match="not both"):
        load_settings(jwt_secret_file=file, jwt_secret=STRONG)


def test_secrets_are_not_shown() -> None:
    settings = Settings(jwt_secret=STRONG, database_url="postgresql://user:hidden@host/name")
    assert STRONG not in repr(settings)
    assert "hidden" not in repr(settings)


def test_missing_servers_are_named() -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL and REDIS_URL must be set"):
        require(Settings(), "database_url", "redis_url")


@pytest.mark.parametrize(
    ("changes", "project"),
    [
        ({}, None),
        ({"errors_project": "own"}, "own"),
        ({"environment": "demo"}, "gateway"),
        ({"environment": "demo", "errors_project": "off"}, None),
        ({"environment": "demo", "error_tracking_enabled": False}, None),
    ],
)
def test_own_crashes_go_to_a_project(changes: dict[str, Any], project: str | None) -> None:
    assert Settings(**changes).errors_slug == project


@pytest.mark.parametrize("uri", ["databricks", "file:./mlruns", "https://", "http://:5000/x"])
def test_address_of_mlflow_is_one_of_a_server(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """R167."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(SettingsError, match="MLFLOW_TRACKING_URI "):
        load_settings(signs=False)


def test_credentials_of_mlflow_are_not_shown() -> None:
    shown = repr(
        Settings(
            mlflow_tracking_uri="https://user:hidden@host",
            mlflow_tracking_password="hidden",
            mlflow_tracking_token="hidden",
        )
    )
    assert "hidden" not in shown
