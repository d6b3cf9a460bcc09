"""What the patient chapter holds: the person and everything that says who treats them and why."""

from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="patient",
    owns=(
        "Patient", "RelatedPerson", "EpisodeOfCare", "Encounter", "CareTeam", "Condition",
        "AllergyIntolerance", "Flag", "Procedure", "Immunization",
        # Until appointments have a chapter of their own.
        "Appointment",
    ),
)  # fmt: skip
