"""Builds the screens' assets when a wheel is built, so that the wheel needs no Node."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsHook(BuildHookInterface[Any]):
    """Calls tools/build_assets.py; an editable install leaves that to `make assets`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build into screens/static and put it in the wheel, though git ignores it."""
        if version == "editable":
            return
        tool = Path(self.root) / "tools" / "build_assets.py"
        if not tool.exists():
            return
        spec = importlib.util.spec_from_file_location("build_assets", tool)
        if spec is None or spec.loader is None:
            raise RuntimeError(f"cannot load {tool}")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if module.main([]):
            raise RuntimeError("the screens' assets could not be built")
        build_data["artifacts"].append("src/helsevev/screens/static/*")
