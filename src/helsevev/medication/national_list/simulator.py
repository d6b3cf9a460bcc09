"""A simulator of SFM Basis API: its two operations on invented lists, and its ways of failing.

It stands in for a service that can only be reached with agreements and certificates. What the
samples do not show is assumed: a message is known by the number of its Composition, so a repeat
gives the first receipt; one that replaces another list than the one that stands is refused (409).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from copy import deepcopy
from threading import Thread
from typing import Any, Final
from uuid import uuid4

import uvicorn
from litestar import Litestar, Request, Response, post

from helsevev.content import loading
from helsevev.fhir import serialization
from helsevev.fhir.reading import mapping, objects, text
from helsevev.kit import clock
from helsevev.medication.national_list.codes import AMENDMENT, DETAILS, ERROR_CODE, coded, parts
from helsevev.medication.national_list.simulated_list import bundle

Resource = dict[str, Any]
_JSON: Final = "application/fhir+json"
FAULTS: Final = (
    "slow", "down", "lost", "half", "stale", "mutated", "refused", "changed", "no-care-record",
)  # fmt: skip
"""What can be asked to go wrong once: with the next call, or ("second-…") the one after it."""


class Simulator:
    """The lists by national number, and what goes wrong with the next request."""

    def __init__(self, delay: float = 60.0) -> None:
        self.lists: dict[str, Resource] = {}
        self._earlier: dict[str, Resource] = {}
        self.receipts: dict[str, Resource] = {}
        self.received: list[str] = []
        """Numbers of the messages that were carried out, in order."""
        self.next: list[str] = []
        self.delay = delay

    def app(self) -> Litestar:
        """The service as an application."""

        @post("/patient/$getMedication", status_code=200)
        async def get_medication(request: Request[Any, Any, Any]) -> Response[Any]:
            return await self._respond(request, self._get)

        @post("/patient/$sendMedication", status_code=200)
        async def send_medication(request: Request[Any, Any, Any]) -> Response[Any]:
            return await self._respond(request, self._send)

        @post("/simulator/next/{fault:str}", status_code=204)
        async def go_wrong(request: Request[Any, Any, Any]) -> None:
            fault = request.path_params["fault"]
            kind = fault.removeprefix("second-")
            self.next = [*([""] if kind != fault else []), kind] if kind in FAULTS else []

        return Litestar([get_medication, send_medication, go_wrong], openapi_config=None)

    async def _respond(self, request: Request[Any, Any, Any], do: Any) -> Response[Any]:
        fault = self.next.pop(0) if self.next else ""
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return _outcome(401, "security", "A token is missing.")
        if fault == "down":
            return _outcome(503, "transient", "The service is not available.")
        try:
            asked = serialization.decode(await request.body())
            status, answer = do(asked, fault)
        except (ValueError, KeyError, IndexError, StopIteration) as problem:
            return _outcome(400, "invalid", f"The message cannot be read ({problem}).")
        if fault == "slow":
            await asyncio.sleep(self.delay)
        if fault == "lost":
            return _outcome(500, "exception", "The answer was lost.")
        body = serialization.encode(answer)
        if fault == "half":
            return Response(body[: len(body) // 2], media_type=_JSON)
        return Response(body, status_code=status, media_type=_JSON)

    def _get(self, asked: Resource, fault: str) -> tuple[int, Resource]:
        patient = next(p["resource"] for p in asked["parameter"] if p["name"] == "patient")
        number = patient["identifier"][0]["value"]
        now = clock.now()
        if number not in self.lists:
            given = patient.get("name", [{}])[0].get("given", [""])[0].split(" ")[0]
            held = next((e for e in loading.simulated_lists().list if e.given == given), None)
            self.lists[number] = bundle(held, patient, now)
        if fault == "changed":
            self.change(number, "Endret av fastlegen")
        found = self._earlier.get(number, self.lists[number]) if fault == "stale" else (
            self.lists[number])  # fmt: skip
        found = {**deepcopy(found), "timestamp": now.isoformat()}
        if fault == "mutated":
            _mutate(found)
        told: list[Resource] = [{"name": "medication", "resource": found}]
        told += [{"name": name, "valueDateTime": now.isoformat()}
                 for name in ("KJHentetTidspunkt", "RFHentetTidspunkt")]  # fmt: skip
        denied = fault == "no-care-record"
        no_right = coded(ERROR_CODE, "5", "Ingen rettighet til KJ oppslag")
        well = coded(ERROR_CODE, "0", "OK")
        told += [
            {"name": "KJFeilkode", "valueCodeableConcept": no_right if denied else well},
            {"name": "RFM96Feilkode", "valueCodeableConcept": well},
            {"name": "RFM912Feilkode", "valueCodeableConcept": well},
        ]
        told += [{"name": name, "valueBoolean": False}
                 for name in ("KJHarLegemidler", "KJHarLaste", "RFHarLaste")]  # fmt: skip
        return 200, {"resourceType": "Parameters", "parameter": told}

    def _send(self, asked: Resource, fault: str) -> tuple[int, Resource]:
        sent = next(p["resource"] for p in asked["parameter"] if p["name"] == "medication")
        composition = _composition(sent)
        number = _number(sent)
        message = composition["identifier"]["value"]
        if message in self.receipts:
            return 200, self.receipts[message]
        if fault == "changed" and number in self.lists:
            self.change(number, "Endret av fastlegen")
        stands = self.lists.get(number)
        replaces = [text(mapping(each.get("targetIdentifier")).get("value"))
                    for each in objects(composition.get("relatesTo"))]  # fmt: skip
        if stands and _composition(stands)["identifier"]["value"] not in replaces:
            return 409, _issues("conflict", "The list has been changed since it was fetched.")
        if nameless := _nameless(sent):
            return 400, _issues("invalid", nameless)
        refused = self._refuse(sent) if fault == "refused" else []
        self._earlier[number] = stands or sent
        self.lists[number] = sent
        self.received.append(message)
        told: list[Resource] = [
            {"name": "recallCount", "valueInteger": _recalled(sent, stands)},
            {"name": "prescriptionCount", "valueInteger": _prescribed(sent, stands)},
            *refused,
        ]
        self.receipts[message] = {"resourceType": "Parameters", "parameter": told}
        return 200, self.receipts[message]

    def _refuse(self, sent: Resource) -> list[Resource]:
        """Refuse the last line that is sent, and leave it out of the list."""
        section = next(s for s in _composition(sent)["section"] if s.get("entry"))
        url = section["entry"].pop()["reference"]
        entry = next(e for e in sent["entry"] if e["fullUrl"] == url)
        sent["entry"].remove(entry)
        number = entry["resource"]["identifier"][0]["value"]
        code = {"code": "9", "display": "Avvist av Reseptformidleren", "system": ERROR_CODE}
        return [{"name": "prescriptionOperationResult", "part": [
            {"name": "reseptID", "valueString": number},
            {"name": "resultCode", "valueCoding": code},
        ]}]  # fmt: skip

    def change(self, number: str, words: str) -> None:
        """Another changes the first line in between."""
        found = deepcopy(self.lists[number])
        _composition(found)["identifier"] = {"use": "official", "value": str(uuid4())}
        for entry in found["entry"]:
            if entry["resource"]["resourceType"] == "MedicationStatement":
                entry["resource"]["dosage"] = [{"sequence": 1, "text": words}]
                break
        self.lists[number] = found


def _composition(document: Mapping[str, Any]) -> Resource:
    return next(e["resource"] for e in document["entry"]
                if e["resource"]["resourceType"] == "Composition")  # fmt: skip


def _number(document: Mapping[str, Any]) -> str:
    subject = _composition(document)["subject"]["reference"]
    patient = next(e["resource"] for e in document["entry"] if e["fullUrl"] == subject)
    return str(patient["identifier"][0]["value"])


def _nameless(sent: Resource) -> str:
    """The service's own complaint about a medicine without a name."""
    for place, entry in enumerate(sent["entry"]):
        resource = entry["resource"]
        if resource["resourceType"] != "Medication" or resource.get("ingredient"):
            continue
        if not parts(resource, DETAILS):
            return (f"Medication.extension:medicationdetails.extension:name missing or invalid "
                    f"(Entry[{place}])")  # fmt: skip
    return ""


def _recalled(sent: Resource, stands: Resource | None) -> int:
    return len(_prescriptions(stands, "active") & _prescriptions(sent, "stopped"))


def _prescribed(sent: Resource, stands: Resource | None) -> int:
    return len(_prescriptions(sent, "active") - _prescriptions(stands, "active"))


def _prescriptions(document: Resource | None, status: str) -> set[str]:
    return {
        text(number.get("value"))
        for entry in (document or {}).get("entry", [])
        if entry["resource"].get("status") == status and parts(entry["resource"], AMENDMENT)
        for number in objects(entry["resource"].get("identifier"))
        if mapping(number.get("type")).get("text") == "ReseptId"
    }


def _mutate(document: Resource) -> None:
    """A dose is another than what was sent, in words and structure."""
    for entry in document["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "MedicationStatement" and resource["status"] == "active":
            resource["dosage"][0]["text"] = "10 " + resource["dosage"][0]["text"]


def _issues(code: str, words: str) -> Resource:
    issue = {"severity": "error", "code": code, "diagnostics": words}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _outcome(status: int, code: str, words: str) -> Response[Any]:
    body = serialization.encode(_issues(code, words))
    return Response(body, status_code=status, media_type=_JSON)


def serve(listener: socket.socket) -> None:
    """Serve invented lists on a socket that listens, until standard input ends."""
    Thread(target=_end_with_input, daemon=True).start()
    config = uvicorn.Config(Simulator().app(), log_level="warning", lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A simulated national medication service.")
    parser.add_argument("--socket", type=int, required=True, help="a listening socket's number")
    serve(socket.socket(fileno=parser.parse_args().socket))
