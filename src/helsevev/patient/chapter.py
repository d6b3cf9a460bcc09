"""What the patient chapter holds: the person and everything that says who treats them and why."""

from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="patient",
    owns=(
        "Patient", "RelatedPerson", "EpisodeOfCare", "Encounter", "CareTeam", "Condition",
        "AllergyIntolerance", "Flag", "Procedure", "Immunization",
        # What is planned for the person stays here until care plans and appointments have
        # chapters of their own.
        "Appointment", "CarePlan", "Goal", "ServiceRequest", "Task",
    ),
)  # fmt: skip
