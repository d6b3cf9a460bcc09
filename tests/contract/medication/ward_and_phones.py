"""A ward with its record, and phones that seal what they bring as the browser does."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from helsevev.access.actor import SYSTEM
from helsevev.access.services import Services

Resource = dict[str, Any]
WARD = "Organization/st-olavs-lunge"


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def seal(key: str, said: Any, public: dict[str, str]) -> str:
    """As offline_sealing.ts does."""
    x, y = (int.from_bytes(unpadded(public[name])) for name in "xy")
    theirs = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    own = ec.generate_private_key(ec.SECP256R1())
    numbers = own.public_key().public_numbers()
    point = b"\4" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32)
    info = b"helsevev done without contact"
    once = HKDF(hashes.SHA256(), 32, salt=point, info=info).derive(own.exchange(ec.ECDH(), theirs))
    nonce = os.urandom(12)
    sealed = AESGCM(once).encrypt(nonce, json.dumps(said).encode(), key.encode())
    return base64.urlsafe_b64encode(point + nonce + sealed).decode().rstrip("=")


@dataclass
class Phone:
    """A phone with somebody signed in on it."""

    browser: httpx.AsyncClient
    round: Resource

    async def post(self, path: str, body: Any) -> httpx.Response:
        told = (await self.browser.get("/rounds/contact")).json()
        return await self.browser.post(path, json=body, headers={"x-csrf-token": told["token"]})

    async def take(self) -> Resource:
        answer = await self.post("/rounds/take", {})
        assert answer.status_code == 200, answer.text
        self.round = answer.json()
        return self.round

    def patient(self, name: str) -> Resource:
        return next(each for each in self.round["patients"] if name in each["name"])

    def item(self, kind: str, patient: str, said: Resource, **more: Any) -> dict[str, str]:
        key = more.pop("key", str(uuid4()))
        at = more.pop("at", datetime.now(UTC)).isoformat()
        told = {"kind": kind, "patient": patient, "at": at, "said": said}
        told = {**told, "ticket": self.round["ticket"], **more}
        return {"key": key, "box": seal(key, told, self.round["seal"])}

    async def bring(self, *items: dict[str, str]) -> list[Resource]:
        answer = await self.post("/rounds/sync", {"items": list(items)})
        assert answer.status_code == 200, answer.text
        found: list[Resource] = answer.json()["answers"]
        return found


@dataclass
class Ward:
    """The site over a record with the demo's people."""

    app: Any
    services: Services
    key: str

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://127.0.0.1:8000", timeout=60
        )

    async def phone(self, persona: str) -> Phone:
        browser = self.browser()
        assert (
            await browser.get(f"/sign-in/{persona}", params={"key": self.key})
        ).status_code == 303
        return Phone(browser, {})

    async def keep(self, resource: Resource) -> str:
        written = await self.services.writer.write(SYSTEM, resource)
        return written.stored.id

    async def change(self, kind: str, name: str, **more: Any) -> None:
        stored = await self.services.gate.open_resource(SYSTEM, kind, name)
        await self.services.writer.write(
            SYSTEM, {**stored.resource, **more}, if_match=stored.version
        )

    async def found(self, kind: str, patient: str) -> list[Resource]:
        field = "patient" if kind != "Composition" else "subject"
        query = await self.services.searcher.read(
            kind, [(field, f"Patient/{patient}"), ("_count", "200")], strict=True, base=""
        )
        page = await self.services.searcher.search(SYSTEM, query)
        return [each.resource for each in page.matches]


def order(patient: str, name: str, minutes: int = 20, **more: Any) -> Resource:
    """Two doses a day, one of them some minutes from now."""
    start = (datetime.now(UTC) + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    repeat = {"frequency": 1, "period": 12, "periodUnit": "h"}
    amount = {"doseQuantity": {"value": 1, "unit": "tablett"}}
    atc = more.pop("atc", "")
    coding = {"coding": [{"system": "http://www.whocc.no/atc", "code": atc}]} if atc else {}
    timing = {"timing": {"repeat": {**repeat, "boundsPeriod": {"start": start.isoformat()}}}}
    return {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "requester": {"reference": "Practitioner/ingrid-solemdal", "display": "Ingrid Solemdal"},
        "medicationCodeableConcept": {"text": name, **coding},
        "dosageInstruction": [{**more.pop("dosage", timing), "doseAndRate": [amount]}], **more,
    }  # fmt: skip


def dose(found: Resource, name: str) -> Resource:
    listed = [*found["doses"], *found["needed"]]
    one = next(each for each in listed if each["name"] == name and not each.get("state"))
    said = {key: one[key] for key in ("order", "version", "place", "name", "amount")}
    return {**said, "due": one["key"]} if "at" in one else said


async def taken(ward: Ward, patient: str, persona: str = "ward-nurse") -> tuple[Phone, Resource]:
    phone = await ward.phone(persona)
    await phone.take()
    return phone, next(each for each in phone.round["patients"] if each["id"] == patient)
