"""Codes drawn as pictures to print: DataMatrix of our own, and those that packages have."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import date
from typing import Final

import zxingcpp

_SIZE: Final = re.compile(r'<svg width="(\d+)" height="(\d+)"')
_FORMATS: Final = zxingcpp.BarcodeFormat


def datamatrix(code: str) -> str:
    """A square DataMatrix of a code of ours (ISO/IEC 16022), as the address of a picture."""
    return _picture(zxingcpp.create_barcode(code, _FORMATS.DataMatrix, force_square=True))


def gs1_datamatrix(gtin: str, expires: date, batch: str, serial: str) -> str:
    """A GS1 DataMatrix as on a package: (01) (17) (10) (21)."""
    elements = f"(01){gtin.zfill(14)}(17){expires:%y%m%d}(10){batch}(21){serial}"
    return _picture(zxingcpp.create_barcode(elements, _FORMATS.DataMatrix, gs1=True))


def ean13(number: str) -> str:
    """An EAN-13 of thirteen digits."""
    return _picture(zxingcpp.create_barcode(number, _FORMATS.EAN13))


def _picture(barcode: zxingcpp.Barcode) -> str:
    # A picture is scaled where it stands, which SVG does by its box alone.
    drawn = _SIZE.sub(r'<svg viewBox="0 0 \1 \2" width="\1" height="\2"', barcode.to_svg(), count=1)
    return f"data:image/svg+xml;base64,{b64encode(drawn.encode()).decode()}"
