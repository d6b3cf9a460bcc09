"""What the observation chapter holds: what was measured, and the form that measures it."""

from helsevev.kit.chapter import Chapter
from helsevev.observation import brought, pages, results_due, results_pages, vital_signs
from helsevev.observation.flowsheet import cell_pages
from helsevev.observation.flowsheet import pages as flowsheet_pages
from helsevev.observation.orders import pages as order_pages
from helsevev.observation.orders import rules as order_rules
from helsevev.observation.results_asking import ResultsFollowed

CHAPTER = Chapter(
    name="observation",
    owns=("Observation", "DiagnosticReport", "ImagingStudy", "Specimen", "Media", "ServiceRequest"),
    routes=(
        pages.vital_signs_form, pages.live_score, pages.sign_vital_signs, *order_pages.ROUTES,
        *flowsheet_pages.ROUTES, *cell_pages.ROUTES, *results_pages.ROUTES,
    ),
    projections=(results_due.PROJECTION,),
    jobs=(ResultsFollowed,),
    rules={"Observation": vital_signs.check, "ServiceRequest": order_rules.check},
    brought={"measured": brought.measured},
)  # fmt: skip
