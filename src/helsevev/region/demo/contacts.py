"""Who meets the inhabitant, when and where: Encounter, EpisodeOfCare, CareTeam, Appointment."""

from __future__ import annotations

from datetime import UTC, timedelta

from .codes import Resource, coding, concept, hl7, no_basis, volven
from .story import Story, organisation, ref, staff
from .units import place_name, unit

_CLASSES = {
    "home": ("HH", "home health"),
    "ambulatory": ("AMB", "ambulatory"),
    "inpatient": ("IMP", "inpatient encounter"),
    "emergency": ("EMER", "emergency"),
    "virtual": ("VR", "virtual"),
}


def encounter(
    story: Story,
    slug: str,
    kind: str,
    text: str,
    at: str,
    by: str,
    start: str,
    end: str | None,
    *,
    reason: str | None = None,
    place: str | None = None,
    episode: str | None = None,
    part_of: str | None = None,
    diagnoses: tuple[str, ...] = (),
    discharged_to: str | None = None,
) -> str:
    """A contact. `kind` is a class of `_CLASSES`; without an end it is going on now."""
    period = {"start": story.time.stamp(start)}
    if end is not None:
        period["end"] = story.time.stamp(end)
    stay = None
    if discharged_to is not None:
        stay = {"dischargeDisposition": concept(discharged_to)}
    return story.add(
        "Encounter",
        f"kontakt-{slug}",
        status="in-progress" if end is None else "finished",
        **{"class": coding(hl7("v3-ActCode"), *_CLASSES[kind])},
        type=[concept(text)],
        subject=story.subject(),
        episodeOfCare=None if episode is None else [ref(episode)],
        participant=[
            {
                "type": [concept("Ansvarlig", coding(hl7("v3-ParticipationType"), "PPRF"))],
                "individual": staff(by),
            }
        ],
        period=period,
        reasonCode=None if reason is None else [concept(reason)],
        diagnosis=[{"condition": ref(each)} for each in diagnoses] or None,
        hospitalization=stay,
        location=None if place is None else [_located(place, done=end is not None)],
        serviceProvider=organisation(at),
        partOf=ref(part_of),
    )


def episode(
    story: Story,
    slug: str,
    text: str,
    at: str,
    since: str,
    *,
    until: str | None = None,
    manager: str | None = None,
    municipal: str | None = None,
    status: str | None = None,
    conditions: tuple[str, ...] = (),
) -> str:
    """A course of care at a unit; `municipal` is the service's code in Volven 9151."""
    period = {"start": story.time.day(since)}
    if until is not None:
        period["end"] = story.time.day(until)
    codings = () if municipal is None else (coding(volven(9151), municipal, text),)
    return story.add(
        "EpisodeOfCare",
        f"forlop-{slug}",
        status=status or ("active" if until is None else "finished"),
        type=[concept(text, *codings)],
        diagnosis=[{"condition": ref(each)} for each in conditions] or None,
        patient=story.subject(),
        managingOrganization=organisation(at),
        period=period,
        careManager=staff(manager),
    )


def care_team(
    story: Story,
    slug: str,
    name: str,
    at: str,
    since: str,
    members: tuple[tuple[str, str], ...],
    *,
    units: tuple[tuple[str, str], ...] = (),
    relatives: tuple[tuple[str, str], ...] = (),
) -> None:
    """Those who look after the inhabitant together; each member is (role, staff, unit or ref)."""
    participants: list[Resource] = []
    for role, member_id in members:
        participants.append({"role": [concept(role)], "member": staff(member_id)})
    for role, unit_id in units:
        participants.append({"role": [concept(role)], "member": organisation(unit_id)})
    for role, reference in relatives:
        participants.append({"role": [concept(role)], "member": ref(reference)})
    story.add(
        "CareTeam",
        f"team-{slug}",
        status="active",
        name=name,
        subject=story.subject(),
        period={"start": story.time.day(since)},
        participant=participants,
        managingOrganization=[organisation(at)],
    )


def appointment(
    story: Story,
    slug: str,
    text: str,
    at: str,
    start: str,
    minutes: int,
    *,
    by: str | None = None,
    status: str = "booked",
    instruction: str | None = None,
    based_on: str | None = None,
) -> str:
    """A time that is booked, met, missed or cancelled, at the unit's place."""
    begins = story.time.at(start)
    accepted = "accepted"
    participants: list[Resource] = [
        {"actor": story.subject(), "required": "required", "status": accepted},
        {
            "actor": {"reference": f"Location/{at}", "display": unit(at).name},
            "required": "required",
            "status": accepted,
        },
    ]
    if by is not None:
        participants.append({"actor": staff(by), "required": "required", "status": accepted})
    return story.add(
        "Appointment",
        f"time-{slug}",
        meta={"profile": [no_basis("Appointment")]},
        status=status,
        description=text,
        start=begins.isoformat(),
        end=_later(story, start, minutes),
        minutesDuration=minutes,
        patientInstruction=instruction,
        basedOn=None if based_on is None else [ref(based_on)],
        participant=participants,
    )


def _later(story: Story, start: str, minutes: int) -> str:
    begins = story.time.at(start)
    ends = begins.astimezone(UTC) + timedelta(minutes=minutes)
    return ends.astimezone(begins.tzinfo).isoformat()


def _located(place: str, *, done: bool) -> Resource:
    return {
        "location": {"reference": f"Location/{place}", "display": place_name(place)},
        "status": "completed" if done else "active",
    }
