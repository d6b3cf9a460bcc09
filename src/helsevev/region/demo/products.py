"""The medicines that occur in the demo: name, ATC code, form (Volven 7448), strength and route."""

from __future__ import annotations

from typing import NamedTuple


class Product(NamedTuple):
    """One product; `ratio` is (number, unit, `1 tablett`) of active substance in one piece."""

    name: str
    substance: str
    atc: str
    form: str
    form_code: str
    strength: str
    ratio: tuple[str, str, str] | None = None
    route: str = "oral"


def tablet(name: str, substance: str, atc: str, mg: str) -> Product:
    """A tablet of so many milligrams, written with a point."""
    shown = mg.replace(".", ",")
    return Product(name, substance, atc, "Tablett", "53", f"{shown} mg", (mg, "mg", "1 tablett"))


PRODUCTS: dict[str, Product] = {
    "eliquis-2-5": tablet("Eliquis", "Apiksaban", "B01AF02", "2.5"),
    "marevan-2-5": tablet("Marevan", "Warfarin", "B01AA03", "2.5"),
    "selo-zok-50": Product("Selo-Zok", "Metoprolol", "C07AB02", "Depottablett", "25", "50 mg",
                           ("50", "mg", "1 tablett")),
    "selo-zok-100": Product("Selo-Zok", "Metoprolol", "C07AB02", "Depottablett", "25", "100 mg",
                            ("100", "mg", "1 tablett")),
    "diural-40": tablet("Diural", "Furosemid", "C03CA01", "40"),
    "spirix-25": tablet("Spirix", "Spironolakton", "C03DA01", "25"),
    "atacand-8": tablet("Atacand", "Kandesartan", "C09CA06", "8"),
    "jardiance-10": tablet("Jardiance", "Empagliflozin", "A10BK03", "10"),
    "lipitor-20": tablet("Lipitor", "Atorvastatin", "C10AA05", "20"),
    "lipitor-40": tablet("Lipitor", "Atorvastatin", "C10AA05", "40"),
    "paracet-500": tablet("Paracet", "Paracetamol", "N02BE01", "500"),
    "calcigran-forte": Product("Calcigran Forte", "Kalsium og kolekalsiferol", "A12AX",
                               "Tyggetablett", "57", "500 mg/800 IE"),
    "fosamax-70": tablet("Fosamax", "Alendronsyre", "M05BA04", "70"),
    "laktulose": Product("Laktulose", "Laktulose", "A06AD11", "Mikstur", "9", "667 mg/mL",
                         ("667", "mg", "1 mL")),
    "imovane-3-75": tablet("Imovane", "Zopiklon", "N05CF01", "3.75"),
    "oxynorm-5": Product("OxyNorm", "Oksykodon", "N02AA05", "Kapsel", "32", "5 mg",
                         ("5", "mg", "1 kapsel")),
    "somac-20": Product("Somac", "Pantoprazol", "A02BC02", "Enterotablett", "28", "20 mg",
                        ("20", "mg", "1 tablett")),
    "metformin-1000": tablet("Metformin", "Metformin", "A10BA02", "1000"),
    "ozempic-1": Product("Ozempic", "Semaglutid", "A10BJ06", "Injeksjonsvæske", "101", "1 mg",
                         ("1", "mg", "1 dose"), "subkutan"),
    "lantus": Product("Lantus", "Insulin glargin", "A10AE04", "Injeksjonsvæske", "101",
                      "100 E/mL", ("100", "E", "1 mL"), "subkutan"),
    "amlodipin-5": tablet("Amlodipin", "Amlodipin", "C08CA01", "5"),
    "albyl-e-75": Product("Albyl-E", "Acetylsalisylsyre", "B01AC06", "Enterotablett", "28",
                          "75 mg", ("75", "mg", "1 tablett")),
    "dalacin-300": Product("Dalacin", "Klindamycin", "J01FF01", "Kapsel", "32", "300 mg",
                           ("300", "mg", "1 kapsel")),
    "trelegy": Product("Trelegy Ellipta", "Vilanterol, umeklidinium og flutikason", "R03AL08",
                       "Inhalasjonspulver", "99", "92/55/22 mikrog", None, "inhalasjon"),
    "ventoline": Product("Ventoline", "Salbutamol", "R03AC02", "Inhalasjonsaerosol", "96",
                         "0,1 mg/dose", ("0.1", "mg", "1 inhalasjon"), "inhalasjon"),
    "ventoline-neb": Product("Ventoline", "Salbutamol", "R03AC02",
                             "Inhalasjonsvæske til nebulisator", "100", "1 mg/mL",
                             ("1", "mg", "1 mL"), "inhalasjon"),
    "atrovent-neb": Product("Atrovent", "Ipratropium", "R03BB01",
                            "Inhalasjonsvæske til nebulisator", "100", "0,25 mg/mL",
                            ("0.25", "mg", "1 mL"), "inhalasjon"),
    "prednisolon-20": tablet("Prednisolon", "Prednisolon", "H02AB06", "20"),
    "cefotaksim-iv": Product("Cefotaksim", "Cefotaksim", "J01DD01",
                             "Pulver til injeksjonsvæske", "103", "1 g",
                             ("1", "g", "1 hetteglass"), "intravenøs"),
    "fragmin-5000": Product("Fragmin", "Dalteparin", "B01AB04", "Injeksjonsvæske", "101",
                            "5000 IE", None, "subkutan"),
    "oksygen": Product("Oksygen", "Oksygen", "V03AN01", "Inhalasjonsgass", "98", "", None,
                       "inhalasjon"),
    "donepezil-10": tablet("Donepezil", "Donepezil", "N06DA02", "10"),
    "movicol": Product("Movicol", "Makrogol", "A06AD65", "Pulver til mikstur", "224", ""),
    "mirtazapin-15": tablet("Mirtazapin", "Mirtazapin", "N06AX11", "15"),
    "sertralin-50": tablet("Sertralin", "Sertralin", "N06AB06", "50"),
    "symbicort": Product("Symbicort Turbuhaler", "Formoterol og budesonid", "R03AK07",
                         "Inhalasjonspulver", "99", "160/4,5 mikrog", None, "inhalasjon"),
    "xolair-150": Product("Xolair", "Omalizumab", "R03DX05", "Injeksjonsvæske", "101", "150 mg",
                          ("150", "mg", "1 sprøyte"), "subkutan"),
    "aerius-5": tablet("Aerius", "Desloratadin", "R06AX27", "5"),
    "flutide-50": Product("Flutide", "Flutikason", "R03BA05", "Inhalasjonsaerosol", "96",
                          "50 mikrog/dose", None, "inhalasjon"),
    "folsyre-0-4": tablet("Folsyre", "Folsyre", "B03BB01", "0.4"),
    "nycoplus-jern": Product("Nycoplus Neo-Fer", "Ferrofumarat", "B03AA02", "Tablett", "53",
                             "27 mg", ("27", "mg", "1 tablett")),
    "d-vitamindraper": Product("D-vitamindråper", "Kolekalsiferol", "A11CC05", "Dråper", "6",
                               "80 IE/dråpe"),
    "jernmikstur": Product("Neo-Fer", "Ferrofumarat", "B03AA02", "Mikstur", "9", "9 mg Fe/mL",
                           ("9", "mg", "1 mL")),
    "voltaren-50": Product("Voltaren", "Diklofenak", "M01AB05", "Enterotablett", "28", "50 mg",
                           ("50", "mg", "1 tablett")),
}  # fmt: skip
