"""Keys and ids: in the order of time, never twice, and never mistaken for one another."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from helsevev.fhir.compartment import is_clinical
from helsevev.fhir.definitions import RESOURCE_TYPES
from helsevev.record import keys

PATIENT = keys.patient_key("kari")


def test_keys_grow_and_never_repeat() -> None:
    made = [keys.next_key() for _ in range(50_000)]
    assert made == sorted(set(made))
    assert all(0 < key < 1 << 62 for key in made)


def test_a_later_key_is_greater() -> None:
    earlier = keys.next_key()
    time.sleep(0.002)
    assert keys.next_key() - earlier > 1 << 20


def test_processes_of_one_machine_never_make_the_same_key() -> None:
    script = (
        "from helsevev.record.keys import next_key\n"
        "import sys; sys.stdin.readline()\n"
        "print(*(next_key() for _ in range(20_000)))"
    )
    pipe = subprocess.PIPE
    made = [
        subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, text=True)
        for _ in range(4)
    ]
    for process in made:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    every = [int(key) for process in made for key in process.communicate()[0].split()]
    assert len(every) == 80_000
    assert len(set(every)) == 80_000


@pytest.mark.parametrize("kind", sorted(RESOURCE_TYPES))
def test_the_servers_own_ids_name_where_the_row_is_kept(kind: str) -> None:
    for patient in (PATIENT, keys.next_key(), keys.REFERENCE, keys.UNASSIGNED):
        made = keys.new_id(kind, patient)
        assert len(made) <= 64
        named = keys.locality(kind, made)
        if kind == "Patient":
            assert named == keys.patient_key(made) == int(made, 16)
        elif not is_clinical(kind):
            assert named == keys.REFERENCE
        elif patient == keys.REFERENCE:
            assert named in (keys.REFERENCE, None)
        else:
            assert named == patient
        assert not keys.misleads(kind, made, named if named is not None else patient)


@pytest.mark.parametrize(
    "chosen",
    ["bp-1", "0123456789abcdef", "0123456789ABCDEF-0123456789ABCDEF", "0123456789abcde-0",
     "8000000000000000-0000000000000001", "fffffffffffffffe-0000000000000001", "a" * 64,
     "0123456789abcdef-0123456789abcdef-1"],
)  # fmt: skip
def test_an_id_that_a_client_chose_is_looked_up(chosen: str) -> None:
    assert keys.locality("Observation", chosen) is None
    assert not keys.misleads("Observation", chosen, PATIENT)


def test_an_id_made_to_look_like_anothers_is_noticed() -> None:
    other = keys.new_id("Observation", keys.next_key())
    assert keys.misleads("Observation", other, PATIENT)
    assert keys.misleads("Observation", keys.new_id("Observation", keys.UNASSIGNED), PATIENT)
    assert not keys.misleads("Observation", keys.new_id("Observation", PATIENT), PATIENT)


@pytest.mark.parametrize(
    "chosen",
    ["kari", "0", "0000000000000000", "4000000000000000", "ffffffffffffffff", "00000000000000AB"],
)
def test_a_patients_chosen_id_gives_a_key_of_its_own(chosen: str) -> None:
    key = keys.patient_key(chosen)
    assert 1 << 62 <= key < 1 << 63
    assert key == keys.patient_key(chosen)
    assert keys.patient_key(keys.text_of(key)) != key


def test_no_two_chosen_ids_meet() -> None:
    assert len({keys.patient_key(f"p{n}") for n in range(100_000)}) == 100_000


def test_reference_data_needs_no_directory() -> None:
    assert keys.locality("Organization", "any-id") == keys.REFERENCE
    assert keys.locality("Practitioner", "0123456789abcdef") == keys.REFERENCE
