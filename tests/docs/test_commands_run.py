"""What the documents tell readers to type works, and prints what they say."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from .conftest import Checkout, free_port

HOW_TO = "docs/how-to"


def test_the_first_hour_can_be_followed(checkout: Checkout) -> None:
    checkout.follow("docs/tutorial/first-hour.md")


@pytest.mark.parametrize(
    "page",
    [
        "use-the-fhir-api", "subscribe", "export", "analyse", "import", "replay-a-day",
        "register-an-app", "connect-a-system", "administer",
    ],
)  # fmt: skip
def test_what_a_how_to_says_works(checkout: Checkout, page: str) -> None:
    checkout.follow(f"{HOW_TO}/{page}.md")


def test_what_was_backed_up_can_be_restored(
    checkout: Checkout, database_url: str, tmp_path: Path
) -> None:
    other = free_port()
    checkout.follow(
        f"{HOW_TO}/back-up-and-restore.md",
        **{
            "/srv/backup": str(tmp_path),
            "127.0.0.1:8001": f"127.0.0.1:{other}",
            "--port 8001": f"--port {other}",
            "postgresql://helsevev:secret@db.example/helsevev": database_url,
        },
    )


def test_the_record_lives_in_a_server_of_ones_own(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    serving = subprocess.Popen(
        [Path(sys.executable).with_name("helsevev"), "serve"],
        env={
            **os.environ, "HELSEVEV_DATABASE_URL": database_url, "HELSEVEV_PORT": str(port),
            "HELSEVEV_DATA": str(tmp_path),
        },
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert serving.stdout is not None
        assert b"Helsevev answers" in serving.stdout.readline()
        last = time.monotonic() + 10
        while time.monotonic() < last:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
                assert answer.read() == b"ok"
                break
        assert not (tmp_path / "postgres").exists()
    finally:
        serving.send_signal(signal.SIGINT)
        serving.communicate(timeout=30)


def test_the_readme_s_commands_are_make_s(repository: Path) -> None:
    for target, last in {
        "demo": "helsevev serve --demo --scale 0.002",
        "reset": "helsevev region reset",
        "test": "-m pytest",
    }.items():
        done = subprocess.run(
            ["make", "--no-print-directory", "-n", target],
            cwd=repository,
            capture_output=True,
            text=True,
            check=True,
        )
        assert last in done.stdout.splitlines()[-1]
