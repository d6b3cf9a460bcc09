"""What the medication chapter holds: orders, statements of use and the products they name."""

from helsevev.kit.chapter import Chapter
from helsevev.medication import administration, administration_rules, prescription
from helsevev.medication.catalogue import pages as catalogue_pages
from helsevev.medication.catalogue.command import MEDICINES

CHAPTER = Chapter(
    name="medication",
    owns=(
        "Medication", "MedicationRequest", "MedicationStatement", "MedicationAdministration",
        "MedicationDispense", "MedicationKnowledge",
    ),
    routes=(*catalogue_pages.ROUTES,),
    commands=(MEDICINES,),
    rules={
        "MedicationRequest": prescription.check,
        "MedicationAdministration": administration.check,
    },
    rules_beside={"MedicationAdministration": administration_rules.RULE},
)  # fmt: skip
