"""The region's medicines have strengths that people can take."""

from __future__ import annotations

from decimal import Decimal

import pytest

from helsevev.region.products import PRODUCTS

# The strongest tablet of the substance that is made, in milligrams.
STRONGEST = {"H03AA01": "0.2", "B01AA03": "5", "C01AA05": "0.25", "L04AX03": "10", "H02AB02": "20"}


@pytest.mark.parametrize("atc", sorted(STRONGEST))
def test_no_tablet_holds_a_thousand_times_its_dose(atc: str) -> None:
    for product in PRODUCTS.values():
        if product.atc == atc and product.ratio is not None and product.ratio[1] == "mg":
            assert Decimal(product.ratio[0]) <= Decimal(STRONGEST[atc]), product.name
