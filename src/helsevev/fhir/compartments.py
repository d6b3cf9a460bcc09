"""Which parameters place a resource in the compartment of an Encounter, a Practitioner and others.

R4's own CompartmentDefinitions (http://hl7.org/fhir/R4/compartmentdefinition.html); `{def}` there,
the resource itself, is `_id` here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from helsevev.fhir.definitions import PATIENT_COMPARTMENT

_ENCOUNTER: Final = """
CarePlan CareTeam Claim ClinicalImpression Communication CommunicationRequest Composition Condition
DeviceRequest DiagnosticReport DocumentReference ExplanationOfBenefit Media MedicationRequest
NutritionOrder Observation Procedure QuestionnaireResponse RequestGroup ServiceRequest
VisionPrescription: encounter
ChargeItem MedicationAdministration: context
DocumentManifest: related-ref
Encounter: _id
"""

_RELATED_PERSON: Final = """
AdverseEvent: recorder
AllergyIntolerance Condition: asserter
Appointment AppointmentResponse Schedule: actor
Basic Composition DocumentReference: author
CarePlan MedicationAdministration Observation Procedure ServiceRequest: performer
CareTeam Encounter RequestGroup: participant
ChargeItem: enterer performer-actor
Claim ExplanationOfBenefit: payee
Communication: sender recipient
CommunicationRequest: sender recipient requester
Coverage: policy-holder subscriber payor
DocumentManifest: author recipient
Invoice: recipient
MedicationStatement: source
Patient Person: link
Provenance: agent
QuestionnaireResponse: author source
RelatedPerson: _id
SupplyRequest: requester
"""

_PRACTITIONER: Final = """
Account: subject
AdverseEvent: recorder
AllergyIntolerance: recorder asserter
Appointment AppointmentResponse Schedule: actor
AuditEvent Provenance: agent
Basic DetectedIssue Flag Linkage: author
CarePlan DiagnosticReport Immunization MedicationAdministration Observation Procedure
RiskAssessment: performer
CareTeam Invoice: participant
ChargeItem: enterer performer-actor
Claim ExplanationOfBenefit: enterer provider payee care-team
ClaimResponse CoverageEligibilityResponse PaymentReconciliation: requestor
ClinicalImpression: assessor
Communication: sender recipient
CommunicationRequest: sender recipient requester
Composition: subject author attester
Condition: asserter
CoverageEligibilityRequest: enterer provider
DeviceRequest ServiceRequest: requester performer
DocumentManifest: subject author recipient
DocumentReference: subject author authenticator
Encounter: practitioner participant
EpisodeOfCare: care-manager
Group: member
List MedicationStatement: source
Media: subject operator
MedicationDispense: performer receiver
MedicationRequest SupplyRequest: requester
MessageHeader: receiver author responsible enterer
NutritionOrder PaymentNotice: provider
Patient: general-practitioner
Person PractitionerRole: practitioner
Practitioner: _id
QuestionnaireResponse: author source
RequestGroup: participant author
ResearchStudy: principalinvestigator
Specimen: collector
SupplyDelivery: supplier receiver
VisionPrescription: prescriber
"""

_DEVICE: Final = """
Account DiagnosticReport Media Specimen: subject
Appointment AppointmentResponse Schedule: actor
AuditEvent Provenance: agent
ChargeItem: enterer performer-actor
Claim ExplanationOfBenefit: procedure-udi item-udi detail-udi subdetail-udi
Communication CommunicationRequest: sender recipient
Composition DetectedIssue Flag QuestionnaireResponse RequestGroup: author
DeviceRequest: device subject requester performer
DeviceUseStatement MedicationAdministration: device
DocumentManifest DocumentReference: subject author
Group: member
Invoice: participant
List: subject source
MessageHeader: target
Observation: subject device
RiskAssessment: performer
ServiceRequest: performer requester
SupplyRequest: requester
"""


def _read(text: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    types: list[str] = []
    for line in text.strip().splitlines():
        named, colon, parameters = line.partition(":")
        types += named.split()
        if colon:
            found |= dict.fromkeys(types, tuple(parameters.split()))
            types = []
    return MappingProxyType(found)


COMPARTMENTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "Patient": MappingProxyType({k: tuple(v) for k, v in PATIENT_COMPARTMENT.items()}),
        "Encounter": _read(_ENCOUNTER),
        "Practitioner": _read(_PRACTITIONER),
        "RelatedPerson": _read(_RELATED_PERSON),
        "Device": _read(_DEVICE),
    }
)
"""Type of compartment -> resource type -> the parameters of which one names its resource."""
