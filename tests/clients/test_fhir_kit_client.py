"""fhir-kit-client, a FHIR client for Node and browsers, works unchanged."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tools.build_assets import find_node

from .conftest import Server

SCRIPT = Path(__file__).with_name("fhir_kit_client.mjs")


def test_a_javascript_client_sees_what_it_should(server: Server) -> None:
    node, _ = find_node()
    done = subprocess.run(
        [node, str(SCRIPT), server.base, server.token],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "read": "Kit",
        "updated": ["2", "1990-05-06"],
        "stale": 412,
        "patched": "female",
        "unseen": 400,
        "conditional": "other",
        "vread": None,
        "history": 4,
        "transaction": ["201 Created"] * 5,
        "pages": ["0", "1", "2", "3", "4"],
        "posted": 1,
        "compartment": 3,
        "deleted": 410,
        "capabilities": "4.0.1",
    }
