"""Every interaction of any FHIR R4 server over HTTP: `python -m bench.interactions URL [TOKEN]`.

Stores people and measurements of its own by transactions, then asks for them at 1, 8 and 32
clients, and prints JSON. The URL is the base, such as http://127.0.0.1:8000/fhir. Knows nothing
about who answers, so that servers can be compared; TLS is left to whoever needs it.
"""

from __future__ import annotations

import json
import random
import sys
import uuid
from argparse import ArgumentParser
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench import load
from bench.fhir_server import Place, Server
from bench.input import observation, person_bundle

CLIENTS = (1, 8, 32)
PEOPLE = 40
MEASUREMENTS = 100
SECONDS = 1.5
SIZES = {"transaction": (1, 10, 100, 1000), "batch": (10, 100)}
"""Entries of the Bundles that are measured."""

_SYSTEM = "urn:helsevev:benchmark"
_CODES = [f"http://loinc.org%7C{code}" for code in ("8867-4", "8310-5")]
_SPARE = 500
"""Resources in one transaction that fills a pool."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An interaction: its requests for each number of clients, and the status that is right.

    `once` says that no request can be repeated. `resources` is how many one request is about.
    """

    name: str
    requests: Sequence[Sequence[bytes]]
    expected: int = 200
    once: bool = False
    resources: int = 1


class Stock:
    """What the benchmark stored at a server, marked as of this run."""

    def __init__(self, server: Server, people: int, measurements: int) -> None:
        self.server = server
        self._chance = random.Random(11)
        self.run = uuid.uuid4().hex[:12]
        self.bundles = [person_bundle(n, self._chance, measurements) for n in range(people)]
        for n, bundle in enumerate(self.bundles):
            bundle["entry"][0]["resource"]["identifier"] = [self.identifier(n)]
        self.stored = [server.store(bundle) for bundle in self.bundles]

    def identifier(self, n: int) -> dict[str, str]:
        """The identifier of the person with this number."""
        return {"system": _SYSTEM, "value": f"{self.run}-{n}"}

    @property
    def people(self) -> list[Place]:
        """The Patients."""
        return [places[0] for places in self.stored]

    @property
    def measurements(self) -> list[Place]:
        """The Observations."""
        return [place for places in self.stored for place in places[1:]]

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The Observations' content, by their places."""
        return {
            place.path: {**entry["resource"], "subject": {"reference": places[0].path}}
            for bundle, places in zip(self.bundles, self.stored, strict=True)
            for entry, place in zip(bundle["entry"][1:], places[1:], strict=True)
        }

    def pool(self, size: int) -> list[Place]:
        """So many measurements more, to be changed or deleted."""
        found: list[Place] = []
        while len(found) < size:
            number = min(_SPARE, size - len(found))
            subject = self._chance.choice(self.people).path
            found += self.server.store(_creates("transaction", subject, number, self._chance))
        return found


def measured(
    base: str,
    token: str = "",
    *,
    only: Collection[str] = (),
    seconds: float = SECONDS,
    clients: Sequence[int] = CLIENTS,
    people: int = PEOPLE,
    measurements: int = MEASUREMENTS,
    spare: int = 6000,
) -> dict[str, Any]:
    """Rates and percentiles of each interaction (or of `only` some) at each number of clients.

    `spare` is how many resources there are to patch, and as many to delete; when they are used
    up, a measurement ends. What a server does not offer is told with the status it answered.
    """
    server = Server(base, token)
    stock = Stock(server, people, measurements)
    found: dict[str, Any] = {}
    for each in asked_of(stock, len(clients), spare, only):
        found[each.name] = _measured(server, each, seconds, clients)
    if not only or "bulk_export" in only:
        found["bulk_export"] = server.export("_type=Patient,Observation")
    return found


def _measured(
    server: Server, asked: Asked, seconds: float, clients: Sequence[int]
) -> dict[str, Any]:
    first = asked.requests[0]
    status = load.status(server.host, server.port, first[0])
    if status != asked.expected:
        return {"not_offered": status}
    found: dict[str, Any] = {}
    for n, (number, requests) in enumerate(zip(clients, asked.requests, strict=True)):
        left = requests[1:] if asked.once and n == 0 else requests
        told = load.summary(
            *load.measured(
                server.host, server.port, list(left), number, seconds, asked.expected,
                once=asked.once,
            )
        )  # fmt: skip
        if asked.resources > 1:
            told["resources_per_second"] = round(told["per_second"] * asked.resources, 1)
        found[str(number)] = told
    return found


def asked_of(stock: Stock, levels: int, spare: int, only: Collection[str] = ()) -> Iterator[Asked]:
    """Every interaction (or `only` some) with its requests for so many numbers of clients."""

    def wanted(name: str) -> bool:
        return not only or name in only

    for name, paths in _reads(stock).items():
        if wanted(name):
            requests = [stock.server.request("GET", f"/{path}") for path in paths]
            yield Asked(name, [requests] * levels)
    for make in (_posted_search, _creating, _conditional_creates, _updating, _bundles):
        yield from (asked for asked in make(stock, levels) if wanted(asked.name))
    for name, make_requests, expected in (("patch", _patches, 200), ("delete", _deletions, 204)):
        if wanted(name):
            requests = make_requests(stock, stock.pool(spare))
            yield Asked(name, _shares(requests, levels), expected, once=True)


def _reads(stock: Stock) -> dict[str, Iterable[str]]:
    """The paths of each interaction by GET."""
    people, measurements = stock.people, [place.path for place in stock.measurements]
    families = [f"Familie{n}" for n in range(len(people))]
    return {
        "metadata": ["metadata"],
        "read": measurements,
        "vread": [f"{p.path}/_history/{p.etag[3:-1]}" for p in stock.measurements],
        "history_instance": [f"{path}/_history" for path in measurements],
        "history_type": ["Observation/_history?_count=20"],
        "history_system": ["_history?_count=20"],
        "search_patient_name": [f"Patient?family={name}" for name in families],
        "search_patient_id": [f"Patient?_id={place.id}" for place in people],
        "search_patient_identifier": [
            f"Patient?identifier={_SYSTEM}%7C{stock.identifier(n)['value']}"
            for n in range(len(people))
        ],
        "search_of_patient": [
            f"Observation?subject={place.path}&code={code}&_sort=-date&_count=50"
            for place in people for code in _CODES
        ],
        "search_across": [f"Observation?_count=20&code={code}" for code in _CODES],
        "search_include": [
            f"Observation?subject={place.path}&_count=20&_include=Observation:subject"
            for place in people
        ],
        "search_revinclude": [
            f"Patient?_id={place.id}&_revinclude=Observation:subject" for place in people
        ],
        "search_chained": [
            f"Observation?subject:Patient.family={name}&_count=20" for name in families
        ],
        "search_has": [
            f"Patient?_has:Observation:subject:code={_CODES[0]}&family={name}&_count=20"
            for name in families
        ],
        "everything": [f"{place.path}/$everything" for place in people],
    }  # fmt: skip


def _posted_search(stock: Stock, levels: int) -> Iterator[Asked]:
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    requests = [
        stock.server.request(
            "POST", "/Observation/_search", f"subject={place.path}&code={code}&_count=50", head
        )
        for place in stock.people for code in _CODES
    ]  # fmt: skip
    yield Asked("search_post", [requests] * levels)


def _creating(stock: Stock, levels: int) -> Iterator[Asked]:
    bodies = stock.resources.values()
    requests = [stock.server.request("POST", "/Observation", body) for body in bodies]
    yield Asked("create", [requests] * levels, 201)


def _conditional_creates(stock: Stock, levels: int) -> Iterator[Asked]:
    """Measurements that are known by their identifier already, and such that are not yet."""
    patients = [bundle["entry"][0]["resource"] for bundle in stock.bundles]
    known = [_conditional(stock, "Patient", patient) for patient in patients]
    yield Asked("conditional_create_known", [known] * levels)
    new = [
        _conditional(
            stock, "Observation", {**body, "identifier": [stock.identifier(10**6 + n)]}
        )
        for n, body in enumerate(stock.resources.values())
    ]  # fmt: skip
    yield Asked("conditional_create", _shares(new, levels), 201, once=True)


def _conditional(stock: Stock, kind: str, body: dict[str, Any]) -> bytes:
    condition = f"identifier={_SYSTEM}|{body['identifier'][0]['value']}"
    return stock.server.request("POST", f"/{kind}", body, {"If-None-Exist": condition})


def _updating(stock: Stock, levels: int) -> Iterator[Asked]:
    requests = [
        stock.server.request(
            "PUT", f"/{place.path}",
            {**stock.resources[place.path], "id": place.id, "status": "amended"},
            {"If-Match": place.etag},
        )
        for place in stock.measurements
    ]  # fmt: skip
    yield Asked("update", _shares(requests, levels), once=True)


def _patches(stock: Stock, places: Sequence[Place]) -> list[bytes]:
    change = [{"op": "replace", "path": "/status", "value": "amended"}]
    return [
        stock.server.request(
            "PATCH", f"/{place.path}", change,
            {"If-Match": place.etag, "Content-Type": "application/json-patch+json"},
        )
        for place in places
    ]  # fmt: skip


def _deletions(stock: Stock, places: Sequence[Place]) -> list[bytes]:
    return [stock.server.request("DELETE", f"/{place.path}") for place in places]


def _bundles(stock: Stock, levels: int) -> Iterator[Asked]:
    """Transactions and batches of creations by size, and batches of reads."""
    chance = random.Random(12)
    for kind, sizes in SIZES.items():
        for size in sizes:
            bodies = [
                _creates(kind, chance.choice(stock.people).path, size, chance)
                for _ in range(max(2, 20 // size))
            ]
            requests = [stock.server.request("POST", "", body) for body in bodies]
            yield Asked(f"{kind}_of_{size}", [requests] * levels, resources=size)
    reads = []
    for _ in range(20):
        entries = [
            {"request": {"method": "GET", "url": place.path}}
            for place in chance.choices(stock.measurements, k=10)
        ]
        bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
        reads.append(stock.server.request("POST", "", bundle))
    yield Asked("batch_of_10_reads", [reads] * levels, resources=10)


def _creates(kind: str, subject: str, size: int, chance: random.Random) -> dict[str, Any]:
    entries = [
        {
            "fullUrl": f"urn:uuid:{uuid.UUID(int=chance.getrandbits(128), version=4)}",
            "resource": observation(subject, chance),
            "request": {"method": "POST", "url": "Observation"},
        }
        for _ in range(size)
    ]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def _shares(requests: Sequence[bytes], levels: int) -> list[Sequence[bytes]]:
    """What can be asked once, shared among the numbers of clients."""
    return [requests[part::levels] for part in range(levels)]


def main() -> None:
    """Measure the server that the command line names, and print JSON."""
    parser = ArgumentParser(prog="python -m bench.interactions", description=__doc__)
    parser.add_argument("base", help="base URL, such as http://127.0.0.1:8000/fhir")
    parser.add_argument("token", nargs="?", default="", help="bearer token")
    parser.add_argument("--only", nargs="+", default=(), metavar="INTERACTION")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each measurement")
    given = parser.parse_args()
    found = measured(given.base, given.token, only=given.only, seconds=given.seconds)
    json.dump(found, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
