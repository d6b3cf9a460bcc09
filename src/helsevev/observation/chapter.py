"""What the observation chapter holds: what was measured, and the form that measures it."""

from helsevev.kit.chapter import Chapter
from helsevev.observation import brought, pages, vital_signs

CHAPTER = Chapter(
    name="observation",
    owns=("Observation", "DiagnosticReport", "ImagingStudy", "Specimen", "Media", "ServiceRequest"),
    routes=(pages.vital_signs_form, pages.live_score, pages.sign_vital_signs),
    rules={"Observation": vital_signs.check},
    brought={"measured": brought.measured},
)
