"""Writes an edition of made-up concepts in SNOMED CT's release format, of any size."""

from __future__ import annotations

import random
from pathlib import Path

ROOT = 138875005
FULLY, SYNONYM = "900000000000003001", "900000000000013009"
PREFERRED, ACCEPTABLE = "900000000000548007", "900000000000549004"
MODULE = "51000202101"
DATE = "20260415"
_HEADS = [
    "akutt", "kronisk", "bilateral", "høyre", "venstre", "medfødt", "ervervet", "primær",
    "sekundær", "uspesifisert", "alvorlig", "mild", "residiverende", "traumatisk",
    "postoperativ", "øvre", "nedre", "åpen", "lukket",
]  # fmt: skip
_TAILS = [
    "betennelse", "brudd", "svulst", "infeksjon", "smerte", "skade", "sykdom", "prosedyre",
    "struktur", "funn",
]  # fmt: skip
_SYLLABLES = [
    "hjer", "te", "lun", "ge", "ny", "re", "le", "ver", "ma", "hud", "øy", "e", "bein", "kne",
    "hof", "ryg", "nak", "ske", "år",
]  # fmt: skip


def word(chance: random.Random) -> str:
    """A word that does not exist and could."""
    return "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4)))


class Edition:
    """Concepts with one to three parents among those before them, and some names each."""

    def __init__(self, concepts: int, names: int, seed: int = 1) -> None:
        chance = random.Random(seed)
        self.words = [word(chance) for _ in range(max(50, concepts // 20))]
        self.parents: list[tuple[int, ...]] = [()]
        self.names = names
        self._chance = chance
        for n in range(1, concepts):
            # Broad at the top and deep below; further parents are near the first one, as a fracture
            # of the left hip is a fracture of the hip and an injury of the left side.
            first = int(n * chance.random() ** 1.5)
            others = chance.choice((0, 0, 0, 1, 2))
            near = [max(0, first - chance.randint(1, 8)) for _ in range(others)]
            reach = [first, *near]
            self.parents.append(tuple(dict.fromkeys(reach)))

    def code(self, n: int) -> str:
        """The code of the n-th concept."""
        return str(ROOT + n * 1000)

    def term(self) -> str:
        """One name."""
        middle = " ".join(self._chance.choices(self.words, k=self._chance.randint(1, 3)))
        return f"{self._chance.choice(_HEADS)} {self._chance.choice(_TAILS)} i {middle}"

    def write(self, folder: Path) -> Path:
        """The snapshot's files. Returns their folder."""
        terms = folder / "Snapshot" / "Terminology"
        languages = folder / "Snapshot" / "Refset" / "Language"
        terms.mkdir(parents=True)
        languages.mkdir(parents=True)
        stamp = f"NO1000202_{DATE}.txt"
        with (terms / f"sct2_Concept_Snapshot_{stamp}").open("w") as out:
            out.write("id\teffectiveTime\tactive\tmoduleId\tdefinitionStatusId\r\n")
            for n in range(len(self.parents)):
                out.write(f"{self.code(n)}\t{DATE}\t1\t{MODULE}\t900000000000074008\r\n")
        with (terms / f"sct2_Relationship_Snapshot_{stamp}").open("w") as out:
            out.write(
                "id\teffectiveTime\tactive\tmoduleId\tsourceId\tdestinationId\t"
                "relationshipGroup\ttypeId\tcharacteristicTypeId\tmodifierId\r\n"
            )
            for n, parents in enumerate(self.parents):
                for each in parents:
                    out.write(
                        f"{n}{each}\t{DATE}\t1\t{MODULE}\t{self.code(n)}\t{self.code(each)}\t0\t"
                        "116680003\t900000000000011006\t900000000000451002\r\n"
                    )
        self._names(terms / f"sct2_Description_Snapshot-no_{stamp}",
                    languages / f"der2_cRefset_LanguageSnapshot-no_{stamp}")  # fmt: skip
        return folder

    def _names(self, descriptions: Path, refset: Path) -> None:
        key = 0
        with descriptions.open("w") as out, refset.open("w") as used:
            out.write(
                "id\teffectiveTime\tactive\tmoduleId\tconceptId\tlanguageCode\ttypeId\tterm\t"
                "caseSignificanceId\r\n"
            )
            used.write(
                "id\teffectiveTime\tactive\tmoduleId\trefsetId\treferencedComponentId\t"
                "acceptabilityId\r\n"
            )
            for n in range(len(self.parents)):
                for place in range(self.names):
                    key += 10
                    kind = FULLY if place == 0 else SYNONYM
                    language, group = [("en", "900000000000509007"), ("no", "61000202103")][
                        0 if place < 2 else 1
                    ]
                    wanted = PREFERRED if place in (0, 1, 2) else ACCEPTABLE
                    head = f"\t{DATE}\t1\t{MODULE}\t"
                    out.write(
                        f"{key}{head}{self.code(n)}\t{language}\t{kind}\t{self.term()}\t"
                        "900000000000448009\r\n"
                    )
                    used.write(f"u{key}{head}{group}\t{key}\t{wanted}\r\n")
