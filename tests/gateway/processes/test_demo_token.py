"""The demo's token: an administrator's, private, renewed before it expires."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from access.tokens import TokenVerifier
from gateway.config.settings import Settings
from gateway.processes.demo_token import LIFETIME, ensure_demo_token

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(environment="demo", jwt_secret="0123456789abcdef" * 4, data_dir=tmp_path)


def test_token_is_an_administrators_and_private(settings: Settings) -> None:
    path = ensure_demo_token(settings, NOW)
    verifier = TokenVerifier(
        [settings.jwt_secret], settings.jwt_issuer, settings.jwt_audience, clock=lambda: NOW
    )
    assert asyncio.run(verifier.authenticate(path.read_text().strip())).is_admin
    assert path.stat().st_mode & 0o777 == 0o600


def test_valid_token_stays(settings: Settings) -> None:
    first = ensure_demo_token(settings, NOW).read_text()
    assert ensure_demo_token(settings, NOW + timedelta(days=3)).read_text() == first


def test_token_is_renewed_before_it_expires(settings: Settings) -> None:
    first = ensure_demo_token(settings, NOW).read_text()
    assert ensure_demo_token(settings, NOW + LIFETIME - timedelta(hours=3)).read_text() != first


def test_token_of_another_secret_is_replaced(settings: Settings) -> None:
    first = ensure_demo_token(settings, NOW).read_text()
    other = settings.model_copy(update={"jwt_secret": "fedcba9876543210" * 4})
    assert ensure_demo_token(other, NOW).read_text() != first
