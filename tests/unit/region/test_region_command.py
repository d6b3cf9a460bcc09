"""The region's command writes shards that can be compared, or hands them to the import."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import pytest

from helsevev.region.command import add_arguments, run
from helsevev.region.generate import Plan, bundles
from helsevev.region.into import NotStored, environment, load
from helsevev.region.shards import write

SMALL = ("--scale", "0.00001", "--years", "0.1", "--processes", "1")
COUNTS = (
    "import gzip, json, sys\n"
    "n = sum(len(json.loads(line)['entry']) for line in gzip.open(sys.argv[-1]))\n"
    "print(json.dumps({'resources': n, 'seconds': 0.5}))"
)


def ask(*words: str) -> int:
    parser = ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args(["generate", *words]))


def test_a_region_is_shards_and_a_manifest_that_says_what_they_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(*SMALL, "--out", str(tmp_path), "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["resources"] == summary["resources"] == sum(manifest["by_type"].values())
    assert manifest["inhabitants"] >= 7
    lines = 0
    for row in manifest["shards"]:
        text = gzip.decompress((tmp_path / "bundles" / row["file"]).read_bytes())
        assert hashlib.sha256(text).hexdigest() == row["sha256_of_text"]
        assert len(text) == row["text_bytes"]
        lines += text.count(b"\n")
    assert lines == manifest["bundles"]


def test_organisations_and_staff_come_before_the_inhabitants(tmp_path: Path) -> None:
    plan = Plan(scale=0.00001, years=0.1)
    first, *_, last = (told.counts for told in bundles(plan))
    assert "Organization" in first
    assert "Patient" in last


def test_two_runs_write_the_same_files(tmp_path: Path) -> None:
    plan = Plan(scale=0.00001, years=0.1)
    for name in ("one", "other"):
        write(plan, bundles(plan), tmp_path / name)
    for path in (tmp_path / "one").rglob("*.gz"):
        twin = tmp_path / "other" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == twin.read_bytes()


def test_a_folder_with_a_region_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    assert ask(*SMALL, "--out", str(tmp_path)) == 1
    assert "holds a region already" in capsys.readouterr().err


def test_everything_is_handed_to_the_import_shard_by_shard(tmp_path: Path) -> None:
    plan = Plan(scale=0.00001, years=0.1)
    stream = list(bundles(plan))
    command = (sys.executable, "-c", COUNTS)
    stored = load(stream, str(tmp_path), command, size=2_000_000)
    assert stored["resources"] == sum(sum(told.counts.values()) for told in stream)
    assert stored["seconds"] > 0.5, "more than one shard was imported"


@pytest.mark.parametrize("command", [(sys.executable, "-c", "import sys; sys.exit('no room')")])
def test_a_shard_that_is_not_stored_is_said(tmp_path: Path, command: Sequence[str]) -> None:
    with pytest.raises(NotStored, match="no room"):
        load(bundles(Plan(scale=0.00001, years=0.1)), str(tmp_path), command)


def test_a_server_is_named_by_url_and_a_record_by_its_folder(tmp_path: Path) -> None:
    assert environment("postgresql://somewhere/it")["HELSEVEV_DATABASE_URL"].endswith("/it")
    named = environment(str(tmp_path))
    assert named["HELSEVEV_DATA"] == str(tmp_path)
    assert "HELSEVEV_DATABASE_URL" not in named


@pytest.mark.parametrize("wrong", [("--scale", "0"), ("--years", "-1"), ("--until", "yesterday")])
def test_what_makes_no_sense_is_refused(
    wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        ask(*SMALL, *wrong, "--out", "somewhere")
    assert ended.value.code == 2
    assert wrong[0] in capsys.readouterr().err
