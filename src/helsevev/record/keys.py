"""Keys of inhabitants and ids of resources: time-ordered, and naming where a row is kept.

An id that the server makes is `<inhabitant>-<row>` (16 hexadecimal digits each), so that a read
by id finds its row without asking a directory first. Patients and reference data, which are
their own locality, are `<row>`. Ids chosen by clients are kept as they came; a patient's key
is then derived from the id. Only an id that names another inhabitant than the resource does is
refused (`misleads`), since every look-up by id believes it.
"""

from __future__ import annotations

import os
import platform
import re
import time
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from helsevev.fhir.compartment import is_clinical
from helsevev.fhir.definitions import RESOURCE_TYPES

REFERENCE: Final = 0
"""The key of resources about no inhabitant: organisations, staff, content."""

UNASSIGNED: Final = -1
"""The key of clinical resources that name no inhabitant of this record."""

BEFORE_ALL: Final = (min(RESOURCE_TYPES), "")
"""A place in the order of types and ids that no resource comes before."""

_EPOCH_MS: Final = 1_735_689_600_000  # 2025-01-01: 40 bits of milliseconds last until 2059
_COUNTER_BITS: Final = 22
_MOST_STARTS: Final = 1 << (_COUNTER_BITS - 1)
_GOLDEN: Final = 1_296_111  # of 2**21: consecutive process numbers begin as far apart as can be
_HOST: Final = int.from_bytes(blake2b(platform.node().encode(), digest_size=4).digest())
_CLIENT_CHOSEN: Final = 1 << 62  # never set in a key made from the clock
_ROW: Final = re.compile(r"[0-9a-f]{16}")
_CLINICAL: Final = re.compile(r"([0-9a-f]{16})-[0-9a-f]{16}")
_NOBODY: Final = "f" * 16

_last: int = 0


def next_key() -> int:
    """A new key: greater than this process's earlier ones, ordered by time across processes."""
    global _last  # noqa: PLW0603 - one counter per process is the point
    stamp = (time.time_ns() // 1_000_000 - _EPOCH_MS) << _COUNTER_BITS
    if stamp > _last:
        # Where a process begins in a millisecond keeps it apart from the others of its machine.
        _last = stamp | ((_HOST + os.getpid() * _GOLDEN) % _MOST_STARTS)
    else:
        _last += 1
    return _last


def text_of(key: int) -> str:
    """The key as 16 hexadecimal digits."""
    return f"{key:016x}"


def new_id(resource_type: str, patient: int) -> str:
    """A new server-made id for a resource kept with inhabitant `patient`."""
    if resource_type == "Patient" or not is_clinical(resource_type):
        return text_of(next_key())
    if patient == UNASSIGNED:
        return f"{_NOBODY}-{next_key():016x}"
    return f"{patient:016x}-{next_key():016x}"


@lru_cache(maxsize=50_000)
def patient_key(patient_id: str) -> int:
    """The key of the inhabitant whose Patient resource has this id.

    Server-made ids spell the key; for others it is a 62-bit BLAKE2b hash, so that a resource
    can be stored before its Patient without asking anyone.
    """
    if _ROW.fullmatch(patient_id):
        key = int(patient_id, 16)
        if 0 < key < _CLIENT_CHOSEN:
            return key
    digest = blake2b(patient_id.encode(), digest_size=8, person=b"patient").digest()
    return (int.from_bytes(digest) >> 2) | _CLIENT_CHOSEN


def locality(resource_type: str, resource_id: str) -> int | None:
    """The key a resource is kept under, as far as its type and id tell; None: ask the directory."""
    if resource_type == "Patient":
        return patient_key(resource_id)
    if not is_clinical(resource_type):
        return REFERENCE
    match = _CLINICAL.fullmatch(resource_id)
    if match is None:
        return None
    if match[1] == _NOBODY:
        return UNASSIGNED
    key = int(match[1], 16)
    return key if key < 1 << 63 else None


def directory_key(resource_type: str, resource_id: str) -> int:
    """The signed 64-bit key under which the directory lists a resource with a client-chosen id.

    Two ids with the same key (one chance in five hundred among 290 million) cannot both be in the
    record: the second is refused as one that exists.
    """
    digest = blake2b(f"{resource_type}/{resource_id}".encode(), digest_size=8, person=b"directory")
    return int.from_bytes(digest.digest(), signed=True)


def misleads(resource_type: str, resource_id: str, patient: int) -> bool:
    """Whether the id has the form of the server's own and names another than `patient`."""
    named = locality(resource_type, resource_id)
    return named is not None and named != patient
