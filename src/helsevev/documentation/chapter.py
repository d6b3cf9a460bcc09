"""What the documentation chapter holds: notes and documents, written, signed and corrected."""

from helsevev.documentation import brought, note, pages
from helsevev.documentation.forms import answer_pages, signing
from helsevev.documentation.forms import correcting_pages as form_correcting
from helsevev.documentation.forms import file_pages as form_files
from helsevev.documentation.forms import pages as form_pages
from helsevev.documentation.forms.demo import load_forms
from helsevev.documentation.notes import correcting_pages, cosigning_pages, file_pages, print_pages
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="documentation",
    owns=("Composition", "DocumentReference", "Questionnaire", "QuestionnaireResponse"),
    routes=(
        *pages.ROUTES, *correcting_pages.ROUTES, *cosigning_pages.ROUTES, *file_pages.ROUTES,
        *print_pages.ROUTES, *form_pages.ROUTES, *answer_pages.ROUTES,
        *form_correcting.ROUTES, *form_files.ROUTES,
    ),
    rules={"Composition": note.check, "QuestionnaireResponse": signing.check},
    brought={"noted": brought.noted},
    demo=(load_forms,),
)  # fmt: skip
