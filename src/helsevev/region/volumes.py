"""What a generated region amounts to, counted from its bundles, beside what is stated of the real.

`python -m helsevev.region.volumes` generates a region and prints the table of the documentation.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from bisect import bisect_left
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from .catalogue import lineage
from .facts import facts
from .generate import Plan, bundles

HOSPITAL_CLASSES = ("IMP",)
ON_TIME_MINUTES = 60
READMITTED_DAYS = 30


class Figure(NamedTuple):
    """One row of the table: what it is, what is stated, what was generated."""

    name: str
    stated: float
    generated: float
    unit: str


class Volumes:
    """Counts one region. Feed it every bundle in `add`, then read the figures."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.inhabitants = 0
        self.by_type: Counter[str] = Counter()
        self.contacts: Counter[str] = Counter()
        """Contacts by the kind of unit."""
        self.municipal = 0
        self.kept = self.missed = 0
        self.doses = self.on_time = self.doses_due = 0
        self.stays = self.discharges_67 = self.readmitted_67 = 0
        self._municipal: dict[str, tuple[bool, str]] = {}
        self._born: str | None = None
        self._due: dict[str, list[int]] = {}
        self._stays: list[tuple[str, str | None, bool]] = []

    @property
    def days(self) -> int:
        """Days told."""
        return self.plan.last - self.plan.first

    def add(self, bundle: bytes) -> None:
        """Count the resources of an inhabitant's bundle; the stories and all else are passed over.

        A bundle that does not begin with a Patient goes on about the one before.
        """
        entries = msgspec.json.decode(bundle)["entry"]
        first = entries[0]["resource"]
        if first["resourceType"] == "Patient":
            self._finish()
            self._born = first["birthDate"] if first["id"].startswith("r") else None
            self.inhabitants += self._born is not None
        if self._born is None:
            return
        given: list[dict[str, Any]] = []
        for entry in entries:
            resource = entry["resource"]
            kind = resource["resourceType"]
            self.by_type[kind] += 1
            if kind == "Encounter":
                self._contact(resource)
            elif kind == "Appointment":
                self.kept += resource["status"] == "fulfilled"
                self.missed += resource["status"] == "noshow"
            elif kind == "MedicationRequest":
                self._due[f"MedicationRequest/{resource['id']}"] = _due(resource)
            elif kind == "MedicationAdministration":
                given.append(resource)
        for resource in given:
            self._dose(resource)

    def _finish(self) -> None:
        """Count what can only be counted of a whole life."""
        if self._born is not None:
            self._readmissions(self._born)
        self._due.clear()
        self._stays.clear()

    def _contact(self, resource: dict[str, Any]) -> None:
        unit = resource["serviceProvider"]["reference"].split("/")[1]
        if unit not in self._municipal:
            chain = list(lineage(unit))
            hospital = any(each.code is not None and each.code[1] == "01" for each in chain)
            self._municipal[unit] = (not hospital, chain[0].kind)
        municipal, kind = self._municipal[unit]
        self.municipal += municipal
        self.contacts[kind] += 1
        if resource["class"]["code"] == "IMP" and "hospitalization" in resource:
            acute = resource["hospitalization"]["admitSource"]["coding"][0]["code"] == "emd"
            self._stays.append((resource["period"]["start"], resource["period"].get("end"), acute))

    def _dose(self, resource: dict[str, Any]) -> None:
        self.doses += 1
        times = self._due[resource["request"]["reference"]]
        if resource["status"] != "completed" or not times:
            return
        written = resource["effectiveDateTime"]
        minute = int(written[11:13]) * 60 + int(written[14:16])
        place = bisect_left(times, minute)
        near = min(abs(minute - each) for each in (*times[max(place - 1, 0) : place + 1],))
        self.doses_due += 1
        self.on_time += near <= ON_TIME_MINUTES

    def _readmissions(self, born: str) -> None:
        stays = sorted(self._stays, key=lambda stay: stay[0])
        self.stays += len(stays)
        for number, (start, end, _) in enumerate(stays, start=1):
            following = stays[number] if number < len(stays) else None
            if end is None or int(start[:4]) - int(born[:4]) < 67:
                continue
            self.discharges_67 += 1
            if following is not None and following[2]:
                away = datetime.fromisoformat(following[0]) - datetime.fromisoformat(end)
                self.readmitted_67 += 8 * 3600 <= away.total_seconds() <= READMITTED_DAYS * 86400

    def daily(self, count: float) -> float:
        """A count as so many a day in a region of 740,000."""
        whole: int = facts("population")["inhabitants"]
        return count / self.days * whole / max(self.inhabitants, 1)

    def figures(self) -> list[Figure]:
        """Generated against stated."""
        self._finish()
        self._born = None
        contacts = self.contacts.total()
        stated = facts("rates")["stated"]
        return [
            Figure("patient contacts a day", stated["contacts"], self.daily(contacts), ""),
            Figure("of them municipal", 85, 100 * self.municipal / max(contacts, 1), "%"),
            Figure("medicines given a day", stated["administrations"], self.daily(self.doses), ""),
            Figure("chat messages a day", stated["messages"],
                   self.daily(self.by_type["Communication"]), ""),
            Figure("missed appointments", stated["no_shows"],
                   100 * self.missed / max(self.kept + self.missed, 1), "%"),
            Figure("acute readmission within 30 days, 67 and over", stated["readmission_67"],
                   100 * self.readmitted_67 / max(self.discharges_67, 1), "%"),
            Figure("doses within 60 minutes", stated["right_time"],
                   100 * self.on_time / max(self.doses_due, 1), "%"),
            Figure("hospital stays a year per 1,000", stated["stays"],
                   1000 * self.stays / max(self.inhabitants, 1) / self.days * 365.25, ""),
        ]  # fmt: skip

    def table(self) -> str:
        """The figures as Markdown."""
        lines = ["| figure | stated | generated |", "|---|---|---|"]
        for name, stated, generated, unit in self.figures():
            digits = ".1f" if unit else ",.0f"
            lines.append(f"| {name} | {stated:,g} {unit} | {generated:{digits}} {unit} |")
        return "\n".join(line.replace("  |", " |") for line in lines)

    def contacts_table(self) -> str:
        """Contacts a day at scale 1 by the kind of unit, as Markdown."""
        lines = ["| unit | contacts a day |", "|---|---|"]
        lines += [f"| {kind} | {self.daily(n):,.0f} |" for kind, n in self.contacts.most_common()]
        return "\n".join(lines)


def _due(request: dict[str, Any]) -> list[int]:
    repeat = request["dosageInstruction"][0].get("timing", {}).get("repeat", {})
    times = repeat.get("timeOfDay", ())
    return sorted(int(each[:2]) * 60 + int(each[3:5]) for each in times)


def main() -> None:
    """Generate a region and print its tables."""
    parser = ArgumentParser(description=main.__doc__)
    parser.add_argument("--scale", type=float, default=0.01)
    parser.add_argument("--years", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    plan = Plan(arguments.scale, arguments.years, arguments.seed)
    volumes = Volumes(plan)
    for told in bundles(plan, arguments.processes):
        volumes.add(told.json)
    sys.stdout.write(f"{volumes.table()}\n\n{volumes.contacts_table()}\n\n")
    by_type: dict[str, float] = defaultdict(float)
    for kind, count in volumes.by_type.most_common():
        by_type[kind] = count / volumes.inhabitants
        sys.stdout.write(f"| {kind} | {count:,} | {by_type[kind]:.2f} |\n")


if __name__ == "__main__":
    main()
