"""Secrets are for their owner alone: the program does not start when others can read them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from helsevev.kit.secret import must_be_private, secret
from helsevev.kit.settings import BadSetting, Issuer, Settings
from helsevev.main import _arguments, cli


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder with a secret in it, and a key beside it."""
    key = tmp_path / "keys" / "staff.pem"
    key.parent.mkdir()
    key.touch(mode=0o600)
    secret(tmp_path / "data", "csrf")
    return Settings(data=tmp_path / "data", staff_issuer=Issuer("https://sts.example", "us", key))


def test_what_is_made_is_for_its_owner_alone_and_stays_the_same(settings: Settings) -> None:
    assert (settings.data / "csrf.secret").stat().st_mode & 0o777 == 0o600
    assert secret(settings.data, "csrf") == secret(settings.data, "csrf")
    must_be_private(settings)


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o620, 0o777])
def test_a_secret_that_others_can_read_or_change_is_refused(settings: Settings, mode: int) -> None:
    assert settings.staff_issuer is not None
    for path in (settings.data / "csrf.secret", settings.staff_issuer.key_file):
        path.chmod(mode)
        with pytest.raises(BadSetting, match="chmod 600"):
            must_be_private(settings)
        path.chmod(0o640)
    must_be_private(settings)


def test_the_program_says_so_and_does_not_start(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (settings.data / "csrf.secret").chmod(0o644)
    monkeypatch.setenv("HELSEVEV_DATA", str(settings.data))
    assert cli(["serve", "--port", "0"]) == 1
    told = capsys.readouterr().err
    assert "csrf.secret" in told
    assert secret(settings.data, "csrf") not in told


def test_no_secret_is_ever_an_argument_which_all_users_of_a_machine_can_read() -> None:
    words = {
        word for action in _actions(_arguments()) for word in (*action.option_strings, action.dest)
    }
    secretive = re.compile(r"password|passphrase|secret|token|credential|pin$|database.?url", re.I)
    assert [word for word in words if secretive.search(word)] == []
    assert "--port" in words


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word in action.choices.values():
                yield from _actions(word)
        else:
            yield action
