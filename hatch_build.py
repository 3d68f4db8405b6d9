"""Puts the migrations and the built pages into the wheel, both within the package `gateway`."""

import subprocess
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelFiles(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # it finds both in the checkout
            return
        command = [sys.executable, "-m", "gateway.pages.build"]  # does nothing if they are current
        if subprocess.run(command, cwd=self.root, check=False).returncode != 0:
            raise RuntimeError("A wheel holds the built pages; they could not be built: see above.")
        build_data["force_include"] |= {
            "alembic/env.py": "gateway/alembic/env.py",
            "alembic/facts.py": "gateway/alembic/facts.py",
            "alembic/versions": "gateway/alembic/versions",
            "dashboard/dist": "gateway/pages/dist",
        }
