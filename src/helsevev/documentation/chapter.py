"""What the documentation chapter holds: notes and documents, written, signed and corrected."""

from helsevev.documentation import brought, note, pages
from helsevev.documentation.forms import answer_pages, signing
from helsevev.documentation.forms import pages as form_pages
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="documentation",
    owns=("Composition", "DocumentReference", "Questionnaire", "QuestionnaireResponse"),
    routes=(
        pages.new_note, pages.sign_new_note, pages.save_draft, pages.discard_draft,
        pages.correction, pages.sign_correction, *form_pages.ROUTES, *answer_pages.ROUTES,
    ),
    rules={"Composition": note.check, "QuestionnaireResponse": signing.check},
    brought={"noted": brought.noted},
)  # fmt: skip
