"""The medicines of the region: the demo's products and those that its courses add."""

from __future__ import annotations

from collections.abc import Iterator

from .demo.codes import Resource
from .demo.medicines import product_resource
from .demo.products import PRODUCTS as DEMO_PRODUCTS
from .demo.products import Product, tablet

_OWN: dict[str, Product] = {
    "entresto-49": tablet("Entresto", "Sakubitril og valsartan", "C09DX04", "49"),
    "forxiga-10": tablet("Forxiga", "Dapagliflozin", "A10BK01", "10"),
    "eliquis-5": tablet("Eliquis", "Apiksaban", "B01AF02", "5"),
    "plavix-75": tablet("Plavix", "Klopidogrel", "B01AC04", "75"),
    "levaxin-50": Product("Levaxin", "Levotyroksin", "H03AA01", "Tablett", "53", "50 mikrog",
                          ("0.05", "mg", "1 tablett")),
    "spiriva": Product("Spiriva Respimat", "Tiotropium", "R03BB04", "Inhalasjonsvæske", "97",
                       "2,5 mikrog", None, "inhalasjon"),
    "apocillin-660": tablet("Apocillin", "Fenoksymetylpenicillin", "J01CE02", "660"),
    "selexid-200": tablet("Selexid", "Pivmecillinam", "J01CA08", "200"),
    "benzylpenicillin-iv": Product("Benzylpenicillin", "Benzylpenicillin", "J01CE01",
                                   "Pulver til injeksjonsvæske", "103", "1,2 g",
                                   ("1.2", "g", "1 hetteglass"), "intravenøs"),
    "quetiapin-25": tablet("Quetiapin", "Kvetiapin", "N05AH04", "25"),
    "olanzapin-10": tablet("Olanzapin", "Olanzapin", "N05AH03", "10"),
    "lamictal-100": tablet("Lamictal", "Lamotrigin", "N03AX09", "100"),
    "madopar-100": Product("Madopar", "Levodopa og benserazid", "N04BA02", "Kapsel", "32",
                           "100/25 mg", ("100", "mg", "1 kapsel")),
    "buprenorfin-8": Product("Buprenorfin", "Buprenorfin", "N07BC01", "Sublingvaltablett", "58",
                             "8 mg", ("8", "mg", "1 tablett")),
    "cipralex-10": tablet("Cipralex", "Escitalopram", "N06AB10", "10"),
    "morfin-sc": Product("Morfin", "Morfin", "N02AA01", "Injeksjonsvæske", "101", "10 mg/mL",
                         ("10", "mg", "1 mL"), "subkutan"),
    "midazolam-sc": Product("Midazolam", "Midazolam", "N05CD08", "Injeksjonsvæske", "101",
                            "5 mg/mL", ("5", "mg", "1 mL"), "subkutan"),
    "afipran-10": tablet("Afipran", "Metoklopramid", "A03FA01", "10"),
    "dexametason-4": tablet("Dexametason", "Deksametason", "H02AB02", "4"),
    "tamoxifen-20": tablet("Tamoxifen", "Tamoksifen", "L02BA01", "20"),
    "arimidex-1": tablet("Arimidex", "Anastrozol", "L02BG03", "1"),
    "zoladex": Product("Zoladex", "Goserelin", "L02AE03", "Implantat", "16", "10,8 mg",
                       ("10.8", "mg", "1 sprøyte"), "subkutan"),
    "oxycontin-10": Product("OxyContin", "Oksykodon", "N02AA05", "Depottablett", "25", "10 mg",
                            ("10", "mg", "1 tablett")),
    "ringer": Product("Ringer-acetat", "Elektrolytter", "B05BB01", "Infusjonsvæske", "101",
                      "1000 mL", ("1000", "mL", "1 pose"), "intravenøs"),
    "vagifem": Product("Vagifem", "Østradiol", "G03CA03", "Vagitorie", "77", "10 mikrog"),
    "zopiklon-7-5": tablet("Zopiclone", "Zopiklon", "N05CF01", "7.5"),
    "duroferon": Product("Duroferon", "Jernsulfat", "B03AA07", "Depottablett", "25", "100 mg",
                         ("100", "mg", "1 tablett")),
    "b-vitamin": tablet("Behepan", "Cyanokobalamin", "B03BA01", "1"),
    "kaleorid-750": Product("Kaleorid", "Kaliumklorid", "A12BA01", "Depottablett", "25", "750 mg",
                            ("750", "mg", "1 tablett")),
    "nitroglycerin": tablet("Nitroglycerin", "Glyseroltrinitrat", "C01DA02", "0.5"),
    "allopur-100": tablet("Allopur", "Allopurinol", "M04AA01", "100"),
    "prolia": Product("Prolia", "Denosumab", "M05BX04", "Injeksjonsvæske", "101", "60 mg",
                      ("60", "mg", "1 sprøyte"), "subkutan"),
}  # fmt: skip

PRODUCTS: dict[str, Product] = {**DEMO_PRODUCTS, **_OWN}


def resources() -> Iterator[Resource]:
    """Every product that the demo does not have, as a Medication."""
    for key, product in _OWN.items():
        yield product_resource(key, product)
