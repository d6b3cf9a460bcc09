"""What the medication chapter holds: orders, statements of use and the products they name."""

from helsevev.kit.chapter import Chapter
from helsevev.medication import prescription

CHAPTER = Chapter(
    name="medication",
    owns=(
        "Medication", "MedicationRequest", "MedicationStatement", "MedicationAdministration",
        "MedicationDispense",
    ),
    rules={"MedicationRequest": prescription.check},
)  # fmt: skip
