"""The API's part of the application: no pages, no types of its own; `main` mounts it at /fhir."""

from helsevev.fhir_api.bulk_export.command import EXPORT
from helsevev.fhir_api.bulk_import.command import IMPORT
from helsevev.fhir_api.reindexing import REINDEX
from helsevev.kit.chapter import Chapter

CHAPTER = Chapter(name="fhir_api", commands=(EXPORT, IMPORT, REINDEX))
