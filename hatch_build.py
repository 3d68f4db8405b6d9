"""Puts the migrations into the wheel, within the package: `alembic` at the top is the library."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Migrations(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":  # an editable install finds them in the checkout
            for part in ("env.py", "versions"):
                build_data["force_include"][f"alembic/{part}"] = f"gateway/alembic/{part}"
