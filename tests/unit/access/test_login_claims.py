"""Whom a provider vouches for, read from its claims: cases as data, and nothing below the top."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from helsevev.access.identity import claims as names
from helsevev.access.identity.claims import inhabitant_claims, staff_claims
from helsevev.access.identity.devices import PIN_FORM, PIN_WEAK, pin_problem
from helsevev.access.identity.door import local, origins_of
from helsevev.access.identity.profile import PROFILES, key_from, own_key
from helsevev.access.identity.refusals import LoginRefused
from helsevev.kit.settings import BadSetting, Issuer, Settings

GOOD = {
    names.HPR_NUMBER: "999000001",
    names.SECURITY_LEVEL: "4",
    names.ASSURANCE_LEVEL: "high",
    "sid": "s1",
}
ATTEST: dict[str, Any] = {
    "practitioner": {
        "identifier": {"id": "13116900216"},
        "authorization": {"code": "LE", "system": "urn:oid:2.16.578.1.12.4.1.1.9060"},
    },
    "care_relation": {
        "purpose_of_use": {"code": "TREAT", "system": "urn:oid:2.16.840.1.113883.1.11.20448"},
        "decision_ref": {"id": "BEHANDLER", "user_selected": False},
    },
    "patients": [{"identifier": {"id": "13116900216"}}],
}


def test_a_health_worker_is_known_by_the_hpr_number_and_the_organisation_signed_in_for() -> None:
    told = staff_claims(GOOD | {names.ORGANISATION: "883974832", names.UNIT: "974749025"})
    assert told.hpr_number == "999000001"
    assert (told.organisation, told.unit) == ("883974832", "974749025")
    assert (told.provider_session, told.attest) == ("s1", None)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({names.SECURITY_LEVEL: "3"}, names.LEVEL_TOO_LOW),
        ({names.SECURITY_LEVEL: None}, names.LEVEL_TOO_LOW),
        ({names.ASSURANCE_LEVEL: "substantial"}, names.LEVEL_TOO_LOW),
        ({names.HPR_NUMBER: ""}, names.NO_HPR_NUMBER),
        ({names.HPR_NUMBER: "9990|0001"}, names.NO_HPR_NUMBER),
        ({names.HPR_NUMBER: "1,2"}, names.NO_HPR_NUMBER),
        ({names.HPR_NUMBER: ["999000001"]}, names.NO_HPR_NUMBER),
    ],
)
def test_a_health_worker_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(LoginRefused, match=reason[:30]):
        staff_claims(GOOD | changed)


@pytest.mark.parametrize("way", ["details", "claim"])
def test_the_attest_s_coded_grounds_are_kept_and_national_numbers_are_not(way: str) -> None:
    offered = {"nhn:tillitsrammeverk:parameters": ATTEST} if way == "claim" else {}
    details = [{"type": "nhn:tillitsrammeverk:parameters", **ATTEST}] if way == "details" else []
    attest = staff_claims(GOOD | offered, details).attest
    assert attest is not None
    assert attest["care_relation"]["purpose_of_use"]["code"] == "TREAT"
    assert attest["practitioner"]["authorization"]["code"] == "LE"
    assert "13116900216" not in json.dumps(attest)
    assert "identifier" in ATTEST["practitioner"], "the provider's own claims stay as they came"


@pytest.mark.parametrize(
    ("acr", "pid", "is_let_in"),
    [
        (acr, pid, (acr, pid) == ("idporten-loa-high", "13116900216"))
        for acr, pid in product(
            ("idporten-loa-high", "idporten-loa-substantial", "IDPORTEN-LOA-HIGH", "", None),
            ("13116900216", "99999900216", "1311690021", "", None, 13116900216),
        )
    ],
)
def test_an_inhabitant_needs_the_highest_level_and_a_national_number(
    acr: str | None, pid: Any, is_let_in: bool
) -> None:
    told = {"acr": acr, "pid": pid}
    if is_let_in:
        assert inhabitant_claims(told).national_number == pid
    else:
        with pytest.raises(LoginRefused):
            inhabitant_claims(told)


@pytest.mark.parametrize(
    ("pin", "problem"),
    [
        ("2580", ""), ("91734682", ""), ("1357", ""), ("123", PIN_FORM), ("123456789", PIN_FORM),
        ("12a4", PIN_FORM), ("²³²³", PIN_FORM), ("", PIN_FORM), ("0000", PIN_WEAK),
        ("1234", PIN_WEAK), ("9876", PIN_WEAK), ("7890", PIN_WEAK),
    ],
)  # fmt: skip
def test_a_pin_is_digits_that_nobody_guesses_first(pin: str, problem: str) -> None:
    assert pin_problem(pin) == problem


@pytest.mark.parametrize(
    "page",
    [
        "//evil.example/x",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "x",
        "/sign-in",
        "/locked?next=/x",
        "",
    ],
)
def test_nobody_is_sent_elsewhere_or_in_circles_after_signing_in(page: str) -> None:
    assert local(page) == "/"


def test_one_machine_has_two_names_and_any_other_address_has_one() -> None:
    assert origins_of("http://127.0.0.1:8000") == ("http://127.0.0.1:8000", "http://localhost:8000")
    assert origins_of("https://journal.example/") == ("https://journal.example",)


def test_each_profile_asks_for_what_its_provider_demands() -> None:
    staff, inhabitants = PROFILES["staff"], PROFILES["inhabitants"]
    assert (staff.dpop, staff.request_object) == (True, True)
    assert (inhabitants.acr, inhabitants.dpop) == ("idporten-loa-high", False)
    assert "pid" not in staff.scope, "a health worker's national number is nobody's business here"


def test_a_key_file_is_made_once_for_its_owner_and_any_other_file_is_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keys" / "client.pem"
    made = own_key(path)
    assert own_key(path).thumbprint() == made.thumbprint() == key_from(path).thumbprint()
    assert path.stat().st_mode & 0o077 == 0
    as_jwk = tmp_path / "client.json"
    as_jwk.write_text(json.dumps(made.as_dict(private=True)))
    assert key_from(as_jwk).thumbprint() == made.thumbprint()
    for text in ("", "{}", "secret", json.dumps(made.as_dict(private=False))):
        as_jwk.write_text(text)
        with pytest.raises(BadSetting, match="client.json"):
            key_from(as_jwk)
    with pytest.raises(BadSetting, match="nowhere"):
        key_from(tmp_path / "nowhere.pem")


def test_an_issuer_is_set_whole_or_not_at_all() -> None:
    whole = {
        "HELSEVEV_STAFF_ISSUER": "https://helseid.example",
        "HELSEVEV_STAFF_CLIENT_ID": "us",
        "HELSEVEV_STAFF_KEY_FILE": "/etc/helsevev/staff.pem",
    }
    settings = Settings.from_environment(whole)
    assert settings.staff_issuer == Issuer(
        "https://helseid.example", "us", Path("/etc/helsevev/staff.pem")
    )
    assert settings.inhabitant_issuer is None
    for missing in list(whole)[1:]:
        with pytest.raises(BadSetting, match=missing):
            Settings.from_environment({k: v for k, v in whole.items() if k != missing})
    for minutes in ("0", "241", "soon", "-5"):
        with pytest.raises(BadSetting, match="HELSEVEV_LOCK_AFTER"):
            Settings.from_environment({"HELSEVEV_LOCK_AFTER": minutes})
