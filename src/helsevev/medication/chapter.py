"""What the medication chapter holds: orders, statements of use and the products they name."""

from helsevev.kit.chapter import Chapter
from helsevev.medication import (
    acts_pages,
    infusion_pages,
    infusion_rules,
    list_pages,
    order_duplicates,
    order_set_pages,
    outside_awaiting_pages,
    outside_plan_pages,
    pages,
    prescription,
    round_pages,
    unit_times_pages,
)
from helsevev.medication.catalogue import pages as catalogue_pages
from helsevev.medication.catalogue.command import MEDICINES
from helsevev.medication.catalogue.loading import load_catalogue
from helsevev.medication.catalogue.nightly import SentencesLearned
from helsevev.medication.figures import pages as figure_pages
from helsevev.medication.figures.command import FIGURES
from helsevev.medication.figures.keeping import FiguresKept
from helsevev.medication.national_list import pages as national_list_pages
from helsevev.medication.offline import doses as offline_doses
from helsevev.medication.offline import pages as offline_pages
from helsevev.medication.reconciliation import letter_pages, record_pages
from helsevev.medication.reconciliation import pages as reconcile_pages
from helsevev.medication.scanning import count_pages, print_pages, scan_pages
from helsevev.medication.scanning.demo import load_scans
from helsevev.medication.shelf import dispensing, taken
from helsevev.medication.stock import counting_pages, dosette_pages, order_pages
from helsevev.medication.stock import pages as stock_pages
from helsevev.medication.stock.demo import load_shelf
from helsevev.medication.stock.filled import FillingsFollowed

CHAPTER = Chapter(
    name="medication",
    owns=(
        "Medication", "MedicationRequest", "MedicationStatement", "MedicationAdministration",
        "MedicationDispense", "MedicationKnowledge", "DetectedIssue",
    ),
    routes=(
        list_pages.medicine_list, list_pages.medicine_rows, list_pages.medicine_print,
        list_pages.medicine_pdf,
        pages.new_order, pages.find_medicine, pages.choose_order, pages.preview, pages.sign_order,
        *order_set_pages.ROUTES,
        acts_pages.medicine_story, acts_pages.acts, acts_pages.meaning, acts_pages.act,
        *scan_pages.ROUTES, *print_pages.ROUTES, *count_pages.ROUTES,
        *catalogue_pages.ROUTES, *round_pages.ROUTES, *figure_pages.ROUTES,
        *stock_pages.ROUTES, *counting_pages.ROUTES, *order_pages.ROUTES, *dosette_pages.ROUTES,
        *reconcile_pages.ROUTES, *record_pages.ROUTES, *letter_pages.ROUTES,
        *outside_plan_pages.ROUTES, *outside_awaiting_pages.ROUTES, *infusion_pages.ROUTES,
        *unit_times_pages.ROUTES, *offline_pages.ROUTES, *national_list_pages.ROUTES,
    ),
    commands=(MEDICINES, FIGURES),
    brought=offline_doses.BROUGHT,
    rules={
        "MedicationDispense": dispensing.check,
        "MedicationRequest": prescription.check,
        "MedicationAdministration": infusion_rules.check,
    },
    rules_beside={
        "MedicationAdministration": infusion_rules.RULE,
        "MedicationRequest": order_duplicates.RULE,
    },
    projections=(taken.PROJECTION, dispensing.PROJECTION),
    jobs=(FiguresKept, FillingsFollowed, SentencesLearned),
    demo=(load_catalogue, load_scans, load_shelf),
)  # fmt: skip
