"""Codes of packages, wristbands and labels: read back as written, and never when damaged."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from string import ascii_uppercase, digits

import pytest
import zxingcpp
from biip.checksums import gs1_standard_check_digit
from hypothesis import example, given
from hypothesis import strategies as st

from helsevev.medication.catalogue import demo
from helsevev.medication.scanning import codes, own_codes
from helsevev.medication.scanning.codes import SEPARATOR, Pack, Recipient, Unreadable
from helsevev.medication.scanning.own_codes import Prepared, Wristband

_LETTERS = ascii_uppercase + digits
_GTINS = st.integers(1, 10**13 - 1).map(
    lambda n: f"{n:013}{gs1_standard_check_digit(f'{n:013}')}"
)  # fmt: skip
_BATCHES = st.text(_LETTERS + "-/", min_size=1, max_size=20)
_DAYS = st.dates(date(2020, 1, 1), date(2060, 12, 31))
_IDS = st.text(_LETTERS.lower() + "-.", min_size=1, max_size=64)


@pytest.mark.parametrize("aim", ["", SEPARATOR, "]d2", "]C1", "]Q3"])
@given(_GTINS, _DAYS, _BATCHES, _BATCHES)
def test_what_stands_on_a_package_is_read_back_in_any_order_that_separators_allow(
    aim: str, gtin: str, expires: date, batch: str, serial: str
) -> None:
    day = f"{expires:%y%m%d}"
    whole = Pack(gtin=gtin, batch=batch, serial=serial, expires=expires)
    one = f"{aim}01{gtin}17{day}10{batch}{SEPARATOR}21{serial}"
    other = f"{aim}01{gtin}21{serial}{SEPARATOR}10{batch}{SEPARATOR}17{day}"
    assert codes.read(one) == codes.read(other) == whole


@given(_GTINS, st.integers(0, 13), st.sampled_from(digits))
def test_a_gtin_with_one_wrong_digit_is_never_accepted(gtin: str, place: int, digit: str) -> None:
    damaged = gtin[:place] + digit + gtin[place + 1 :]
    if damaged == gtin:
        return
    for code in (damaged, f"01{damaged}", f"]d201{damaged}17271231"):
        with pytest.raises(Unreadable):
            codes.read(code)
    if not gtin.startswith("0"):
        return
    for code in (damaged[1:], f"]E0{damaged[1:]}"):
        if place:
            with pytest.raises(Unreadable):
                codes.read(code)


@given(_GTINS, _DAYS, st.text(_LETTERS, min_size=1, max_size=20),
       st.text(_LETTERS, min_size=1, max_size=20))  # fmt: skip
@example("09526064055028", date(2020, 1, 1), "AB", "1")
def test_a_scanner_that_drops_separators_hides_no_expiry(
    gtin: str, expires: date, batch: str, serial: str
) -> None:
    day = f"{expires:%y%m%d}"
    for code in (
        f"01{gtin}21{serial}17{day}10{batch}",
        f"01{gtin}10{batch}17{day}21{serial}",
        f"01{gtin}21{serial}10{batch}17{day}",
    ):
        with pytest.raises(Unreadable):
            codes.read(code)
    read = codes.read(f"01{gtin}17{day}10{batch}21{serial}") if len(batch + serial) < 18 else None
    assert read is None or (isinstance(read, Pack) and read.expires == expires and not read.batch)


def test_an_expiry_without_a_day_is_the_last_of_its_month() -> None:
    read = codes.read(f"]d20109526064055028{'17'}280200{'10'}A")
    assert isinstance(read, Pack)
    assert read.expires == date(2028, 2, 29)


@pytest.mark.parametrize(
    "code",
    ["", " ", "hello", "0", "123456", "]d29526064055028", "01095260640550281727133110A",
     "(01)09526064055028", "0" * 13, "HVP", "HVPAAAA", "HVD", "01" + "9" * 600,
     "010952606405502801095260640550350", "80181234567890123456 7"],
)  # fmt: skip
def test_what_is_no_code_of_a_package_or_of_ours_is_refused(code: str) -> None:
    with pytest.raises(Unreadable):
        codes.read(code)


def test_a_national_number_is_found_in_its_gtin_and_taken_alone_when_a_person_wrote_it() -> None:
    # Nordic Number Centre: 704626, the item number, and a check digit.
    gtin = "704626012345" + str(gs1_standard_check_digit("704626012345"))
    read = codes.read(gtin)
    assert isinstance(read, Pack)
    assert read.numbers == (f"0{gtin}", "012345")
    assert codes.read("012345", typed=True) == Pack(item="012345")
    with pytest.raises(Unreadable):
        codes.read("012345")


def test_a_gs1_wristband_is_read_and_one_with_a_wrong_digit_is_not() -> None:
    number = "70380000000000001" + str(gs1_standard_check_digit("70380000000000001"))
    assert codes.read(f"]d28018{number}") == Recipient(number)
    with pytest.raises(Unreadable):
        codes.read(f"]d28018{number[:-2]}9{number[-1]}")


@given(_IDS)
def test_a_wristband_says_whose_it_is_whatever_the_case_that_a_scanner_types_it_in(
    patient_id: str,
) -> None:
    code = own_codes.wristband(patient_id)
    assert set(code) <= set(_LETTERS)
    for sent in (code, code.lower(), f"]d1{code}", f" {code}\r"):
        assert codes.read(sent) == Wristband(patient_id)


@given(_IDS, st.datetimes(timezones=st.just(UTC)))
def test_a_label_says_which_dose_it_is_on_and_until_when_it_keeps(order: str, at: datetime) -> None:
    expires = at.replace(year=2000 + at.year % 80, day=1, second=0, microsecond=0)
    key = f"{order}/20261122T0800Z"
    assert codes.read(own_codes.prepared(key, expires)) == Prepared(key, expires)


@given(_IDS, st.data())
def test_a_code_of_ours_that_is_damaged_anywhere_is_never_accepted(
    patient_id: str, data: st.DataObject
) -> None:
    code = own_codes.wristband(patient_id)
    place = data.draw(st.integers(3, len(code) - 1))
    other = data.draw(st.sampled_from(_LETTERS).filter(lambda letter: letter != code[place]))
    swapped = code[:place] + code[place + 1 : place + 2] + code[place] + code[place + 2 :]
    for damaged in (
        code[:place] + other + code[place + 1 :],
        code[:place] + code[place + 1 :],
        code[:place] + other + code[place:],
        *([swapped] if swapped != code else []),
    ):
        with pytest.raises(Unreadable):
            codes.read(damaged)


def test_the_demo_packages_have_codes_of_their_own_that_are_read_as_they_are_drawn() -> None:
    packed = list(demo.packed())
    numbers = {package.barcodes[0] for _product, package in packed}
    assert len(numbers) == len(packed) > 200
    assert all(number.startswith("952") for number in numbers)
    number = min(numbers)
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    drawn = zxingcpp.create_barcode(
        f"(01)0{number}(17){day:%y%m%d}(10)A1(21)9", zxingcpp.BarcodeFormat.DataMatrix, gs1=True
    )
    assert drawn.content_type == zxingcpp.ContentType.GS1
    assert codes.read(number) == Pack(gtin=f"0{number}")
