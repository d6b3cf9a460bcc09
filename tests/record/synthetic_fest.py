"""Writes a made-up FEST (M30) of any size that fits its schema, with the real one's entries.

At full size it is as large as the real file, 118 MB, by the links that products carry there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID
from xml.sax.saxutils import escape

M30 = "http://www.kith.no/xmlstds/eresept/m30/2014-12-01"
FS = "http://www.kith.no/xmlstds/eresept/forskrivning/2014-12-01"
OID = "2.16.578.1.12.4.1.1."
COUNTS = {
    "substance": 8639, "strength": 7721, "brand": 8962, "package": 10828, "generic": 3500,
    "exchange": 1721, "interaction": 11000, "not-assessed": 454, "dose": 9467, "term": 1500,
    "reimbursement": 1158,
}  # fmt: skip
"""How many entries of each kind the real register has."""

_FORMS = [("53", "Tablett", "tab"), ("32", "Kapsel", "kaps"), ("25", "Depottablett", "depottab"),
          ("101", "Injeksjonsvæske", "inj"), ("9", "Mikstur", "mikst")]  # fmt: skip
_SYLLABLES = ["ka", "lo", "mi", "tra", "pro", "sul", "va", "be", "do", "fen", "xi", "ro", "zol",
              "ben", "tam", "ri", "cef", "met", "pir", "an", "glu", "ta"]  # fmt: skip
_ENDINGS = ["in", "ol", "at", "pam", "pril", "statin", "mab", "idin", "on", "azol"]
_CHANGED = "2026-11-01T03:10:47"


def identifier(kind: str, number: int) -> str:
    """The same id for the same entry each time."""
    return f"ID_{UUID(int=(sorted(COUNTS).index(kind) + 1) << 64 | number)}".upper()


@dataclass(frozen=True)
class Fest:
    """A register of `share` of the real one's size; `without` leaves brands out by number."""

    share: float = 1.0
    without: frozenset[int] = frozenset()
    padding: int = 17

    def count(self, kind: str) -> int:
        """How many entries of a kind there are."""
        return max(2, round(COUNTS[kind] * self.share))

    def write(self, path: Path) -> Path:
        """Write the file; gives its path."""
        with path.open("w", encoding="utf-8") as out:
            out.write(f'<?xml version="1.0" encoding="utf-8"?><FEST xmlns="{M30}">')
            out.write(f"<HentetDato>{_CHANGED}</HentetDato>")
            for catalogue, parts in (
                ("KatLegemiddelMerkevare", self._brands()),
                ("KatLegemiddelpakning", self._packages()),
                ("KatVirkestoff", self._substances()),
                ("KatLegemiddelVirkestoff", self._generics()),
                ("KatRefusjon", self._reimbursement()),
                ("KatVilkar", self._terms()),
                ("KatByttegruppe", self._exchange()),
                ("KatLegemiddeldose", self._doses()),
                ("KatInteraksjon", self._interactions()),
            ):
                out.write(f"<{catalogue}>")
                for part in parts:
                    out.write(part)
                out.write(f"</{catalogue}>")
            out.write("</FEST>")
        return path

    def substance(self, number: int) -> str:
        """What a substance is called."""
        chance = random.Random(number)
        return "".join(chance.choices(_SYLLABLES, k=3)).capitalize() + chance.choice(_ENDINGS)

    def trade(self, number: int) -> str:
        """What a brand is called."""
        chance = random.Random(-number - 1)
        return "".join(chance.choices(_SYLLABLES, k=chance.randint(2, 3))).capitalize()

    def atc(self, number: int) -> str:
        """The ATC code of a substance."""
        chance = random.Random(number * 7 + 1)
        letters = chance.choice("ABCDGHJLMNPRSV"), chance.choice("ABCDEFX"), chance.choice("ABCDX")
        return f"{letters[0]}{chance.randint(1, 16):02}{letters[1]}{letters[2]}{number % 100:02}"

    def _links(self) -> str:
        return "".join(
            f'<Preparatomtaleavsnitt><Avsnittoverskrift V="{place % 9 + 1}" DN="Avsnitt {place}"/>'
            f'<Lenke><Www V="https://register.example/preparatomtale/avsnitt-{place}/om-bruk"/>'
            "</Lenke></Preparatomtaleavsnitt>"
            for place in range(self.padding)
        )

    def _strength(self, number: int) -> int:
        return number % self.count("strength")

    def _product(self, number: int, named: str) -> str:
        substance = self._strength(number) % self.count("substance")
        code, form, short = _FORMS[number % len(_FORMS)]
        dose = 5 * (number % 40 + 1)
        return (
            f'<Atc V="{self.atc(substance)}" S="{OID}7180" DN="{self.substance(substance)}"/>'
            f"<NavnFormStyrke>{escape(named)} {short} {dose} mg</NavnFormStyrke>"
            f'<Reseptgruppe V="{"ABCCCF"[number % 6]}" DN="Reseptgruppe"/>'
            f'<LegemiddelformKort V="{code}" S="{OID}7448" DN="{form}"/>'
        )

    def _brands(self) -> Iterator[str]:
        for number in range(self.count("brand")):
            if number in self.without:
                continue
            key = identifier("brand", number)
            yield _entry("LegemiddelMerkevare", key, (
                self._product(number, self.trade(number // 3))
                + f"<RefVilkar>{identifier('term', number % self.count('term'))}</RefVilkar>"
                '<Preparattype V="7" DN="Legemiddel"/>'
                + self._refunds(number)
                + '<AdministreringLegemiddel>'
                f'<Administrasjonsvei V="53" S="{OID}7477" DN="Oral bruk"/>'
                '<KanKnuses V="2" DN="Nei"/><KanApnes V="9" DN="Ukjent"/>'
                '<Deling V="2" DN="Delbar i 2"/>'
                f'<EnhetDosering V="13" S="{OID}7480" DN="tablett"/></AdministreringLegemiddel>'
                f"<Id>{key}</Id><Varenavn>{self.trade(number // 3)}</Varenavn>"
                "<LegemiddelformLang>Tablett, filmdrasjert</LegemiddelformLang>"
                f"<SortertVirkestoffMedStyrke><Sortering>1</Sortering><RefVirkestoffMedStyrke>"
                f"{identifier('strength', self._strength(number))}</RefVirkestoffMedStyrke>"
                "</SortertVirkestoffMedStyrke>"
                "<ProduktInfo><Varseltrekant>true</Varseltrekant><Produsent>Eksempel AS</Produsent>"
                "</ProduktInfo>" + self._links()
            ))  # fmt: skip

    def _refunds(self, number: int) -> str:
        group = identifier("reimbursement", number % self.count("reimbursement"))
        return (
            f"<Refusjon><RefRefusjonsgruppe>{group}</RefRefusjonsgruppe>"
            "<GyldigFraDato>2023-01-01</GyldigFraDato></Refusjon>"
        )

    def _packages(self) -> Iterator[str]:
        for number in range(self.count("package")):
            brand = number % self.count("brand")
            if brand in self.without:
                continue
            key = identifier("package", number)
            group = identifier("exchange", number % self.count("exchange"))
            yield _entry("Legemiddelpakning", key, (
                self._product(brand, self.trade(brand // 3))
                + '<Preparattype V="7" DN="Legemiddel"/>' + self._refunds(number)
                + f"<PakningByttegruppe><RefByttegruppe>{group}</RefByttegruppe>"
                "<GyldigFraDato>2023-01-01</GyldigFraDato></PakningByttegruppe>"
                f"<Id>{key}</Id><Varenr>{100000 + number}</Varenr>"
                f"<Ean>{7040000000000 + number}</Ean>"
                '<Oppbevaring V="R" DN="Rom"/>'
                f"<Pakningsinfo><RefLegemiddelMerkevare>{identifier('brand', brand)}"
                "</RefLegemiddelMerkevare><Pakningsstr>100</Pakningsstr>"
                f'<EnhetPakning V="stk" S="{OID}7452" DN="stykk"/>'
                f'<Pakningstype V="169" S="{OID}7449" DN="Blisterpakning"/><Mengde>100</Mengde>'
                "</Pakningsinfo>"
                f'<PrisVare><Type V="4" S="{OID}7453" DN="AUP"/><Pris V="69.8" U="NOK"/>'
                "<GyldigFraDato>2023-01-01</GyldigFraDato></PrisVare>"
                "<Markedsforingsinfo><Markedsforingsdato>2023-01-01</Markedsforingsdato>"
                "</Markedsforingsinfo>" + self._links()
            ))  # fmt: skip

    def _substances(self) -> Iterator[str]:
        for number in range(self.count("substance")):
            key = identifier("substance", number)
            name = self.substance(number)
            yield _entry("Virkestoff", key, (
                f"<Id>{key}</Id><Navn>{name}</Navn><NavnEngelsk>{name}e</NavnEngelsk>"
            ))  # fmt: skip
        for number in range(self.count("strength")):
            key = identifier("strength", number)
            substance = identifier("substance", number % self.count("substance"))
            yield _entry("Virkestoff", key, (
                f'<Id>{key}</Id><Styrke V="{5 * (number % 40 + 1)}" U="mg"/>'
                f"<RefVirkestoff>{substance}</RefVirkestoff>"
                f'<Styrkeoperator V="1" S="{OID}7481" DN="lik"/>'
            ), "VirkestoffMedStyrke")  # fmt: skip

    def _generics(self) -> Iterator[str]:
        brands = self.count("brand")
        for number in range(self.count("generic")):
            key = identifier("generic", number)
            of = [n for n in (number, number + self.count("generic")) if n < brands]
            refers = "".join(
                f"<RefLegemiddelMerkevare>{identifier('brand', n)}</RefLegemiddelMerkevare>"
                for n in of if n not in self.without
            )  # fmt: skip
            substance = self.substance(self._strength(number) % self.count("substance"))
            yield _entry("LegemiddelVirkestoff", key, (
                self._product(number, substance)
                + f"<Id>{key}</Id><SortertVirkestoffMedStyrke><Sortering>1</Sortering>"
                f"<RefVirkestoffMedStyrke>{identifier('strength', self._strength(number))}"
                "</RefVirkestoffMedStyrke></SortertVirkestoffMedStyrke>" + refers
            ))  # fmt: skip

    def _reimbursement(self) -> Iterator[str]:
        for number in range(self.count("reimbursement")):
            yield _entry("Refusjon", identifier("reimbursement", 1 << 30 | number), (
                f'<Refusjonshjemmel V="200" S="{OID}7427" DN="§ 2"/>'
                "<KreverVarekobling>true</KreverVarekobling><KreverVedtak>false</KreverVedtak>"
                f"<Refusjonsgruppe><Id>{identifier('reimbursement', number)}</Id>"
                f'<GruppeNr V="{number}" S="{OID}7428" DN="Gruppe {number}"/>'
                "<KreverRefusjonskode>true</KreverRefusjonskode>"
                "<RefusjonsberettighetBruk>Ved sykdommen som er nevnt.</RefusjonsberettighetBruk>"
                f'<Refusjonskode><Refusjonskode V="K86" S="{OID}7434" DN="Hypertensjon"/>'
                "<GyldigFraDato>2023-01-01</GyldigFraDato></Refusjonskode></Refusjonsgruppe>"
            ), "Refusjonshjemmel", M30)  # fmt: skip

    def _terms(self) -> Iterator[str]:
        for number in range(self.count("term")):
            key = identifier("term", number)
            yield _entry("Vilkar", key, (
                f'<Id>{key}</Id><VilkarNr>{number}</VilkarNr><Gruppe V="1" S="{OID}7425" DN="SLV"/>'
                '<GjelderFor V="1" DN="Legemiddel"/>'
                f"<Tekst>Vilkår nummer {number} for forskrivning.</Tekst>"
            ), "", M30)  # fmt: skip

    def _exchange(self) -> Iterator[str]:
        for number in range(self.count("exchange")):
            key = identifier("exchange", number)
            yield _entry("Byttegruppe", key, (
                f'<Id>{key}</Id><Kode V="{number}" DN="Byttegruppe {number}"/>'
                "<MerknadTilByttbarhet>false</MerknadTilByttbarhet>"
                "<BeskrivelseByttbarhet>Kan byttes.</BeskrivelseByttbarhet>"
            ), "", M30)  # fmt: skip

    def _doses(self) -> Iterator[str]:
        for number in range(self.count("dose")):
            brand = number % self.count("brand")
            if brand in self.without:
                continue
            key = identifier("dose", number)
            package = identifier("package", brand)
            yield _entry("Legemiddeldose", key, (
                self._product(brand, self.trade(brand // 3))
                + f'<Id>{key}</Id><LmrLopenr>{900000 + number}</LmrLopenr><Mengde V="1" U="stk"/>'
                f"<RefLegemiddelMerkevare>{identifier('brand', brand)}</RefLegemiddelMerkevare>"
                f"<RefPakning>{package}</RefPakning>"
            ))  # fmt: skip

    def _interactions(self) -> Iterator[str]:
        substances = self.count("substance")
        for number in range(self.count("interaction")):
            key = identifier("interaction", number)
            one, other = number % substances, (number * 7 + 3) % substances
            yield _entry("Interaksjon", key, (
                f'<Id>{key}</Id><Relevans V="{number % 3 + 1}" DN="Relevans"/>'
                "<KliniskKonsekvens>Økt virkning av det ene.</KliniskKonsekvens>"
                f"<Interaksjonsmekanisme>{'Hemmer nedbrytningen. ' * 20}</Interaksjonsmekanisme>"
                '<Kildegrunnlag V="1" DN="Kasuistikker"/>'
                "<Handtering>Følg med på virkningen.</Handtering>"
                + self._side(one) + self._side(other)
            ), "", M30)  # fmt: skip
        for number in range(self.count("not-assessed")):
            yield _entry("Interaksjon", identifier("not-assessed", number), (
                f'<Atc V="Z{number // 100:02}AA{number % 100:02}" S="{OID}7180" DN="Ukjent"/>'
            ), "InteraksjonIkkeVurdert", M30)  # fmt: skip

    def _side(self, number: int) -> str:
        name = self.substance(number)
        return (
            f"<Substansgruppe><Navn>{name}</Navn><Substans><Substans>{name}</Substans>"
            f'<Atc V="{self.atc(number)}" S="{OID}7180" DN="{name}"/>'
            f"<RefVirkestoff>{identifier('substance', number)}</RefVirkestoff>"
            "</Substans></Substansgruppe>"
        )


def _entry(kind: str, key: str, inner: str, element: str = "", space: str = FS) -> str:
    name = element or kind
    # The entry has an id of its own beside what it holds.
    return (
        f"<Oppf{kind}><Id>{key.replace('ID_', 'ID_E')}</Id><Tidspunkt>{_CHANGED}</Tidspunkt>"
        f'<Status V="A" DN="Aktiv oppføring"/><{name} xmlns="{space}">{inner}</{name}>'
        f"</Oppf{kind}>"
    )
