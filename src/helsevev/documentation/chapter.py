"""What the documentation chapter holds: notes and documents, written, signed and corrected."""

from helsevev.documentation import brought, note, pages
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(
    name="documentation",
    owns=("Composition", "DocumentReference"),
    routes=(
        pages.new_note, pages.sign_new_note, pages.save_draft, pages.discard_draft,
        pages.correction, pages.sign_correction,
    ),
    rules={"Composition": note.check},
    brought={"noted": brought.noted},
)  # fmt: skip
