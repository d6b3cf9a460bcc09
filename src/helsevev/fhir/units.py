"""UCUM units that clinicians use, as exact factors: which measure the same, how they convert.

Prefixes, units, products, quotients and whole powers of https://ucum.org/ucum are understood;
annotations in braces count as 1. Units of arbitrary scale (`[iU]`, `[arb'U]`) convert to
themselves alone, and what is unknown converts to nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

_PREFIXES = {
    "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9,
    "p": -12, "f": -15,
}  # fmt: skip

# Unit -> (factor, base dimensions, whether it takes a prefix). Bases: m, g, s, mol, K, cd, C,
# 1, and each arbitrary unit for itself.
_Unit = tuple[Fraction, dict[str, int], bool]


def _unit(factor: str | int, metric: bool, **dimensions: int) -> _Unit:
    return Fraction(factor), dimensions, metric


_UNITS: dict[str, _Unit] = {
    "m": _unit(1, True, m=1), "g": _unit(1, True, g=1), "s": _unit(1, True, s=1),
    "mol": _unit(1, True, mol=1), "K": _unit(1, True, K=1), "rad": _unit(1, True, rad=1),
    "L": _unit("1/1000", True, m=3), "l": _unit("1/1000", True, m=3),
    "min": _unit(60, False, s=1), "h": _unit(3600, False, s=1), "d": _unit(86400, False, s=1),
    "wk": _unit(604800, False, s=1), "mo": _unit(2629800, False, s=1),
    "a": _unit(31557600, False, s=1), "mo_j": _unit(2629800, False, s=1),
    "a_j": _unit(31557600, False, s=1),
    "t": _unit(1_000_000, True, g=1), "u": _unit(1, True, u=1),
    "eq": _unit(1, True, eq=1), "osm": _unit(1, True, osm=1),
    "Hz": _unit(1, True, s=-1), "Bq": _unit(1, True, s=-1), "N": _unit(1000, True, g=1, m=1, s=-2),
    "Pa": _unit(1000, True, g=1, m=-1, s=-2), "bar": _unit(100_000_000, True, g=1, m=-1, s=-2),
    "J": _unit(1000, True, g=1, m=2, s=-2), "W": _unit(1000, True, g=1, m=2, s=-3),
    "cal": _unit(4184, True, g=1, m=2, s=-2), "[Cal]": _unit(4_184_000, False, g=1, m=2, s=-2),
    "m[Hg]": _unit(133_322_000, True, g=1, m=-1, s=-2),
    "m[H2O]": _unit(9_806_650, True, g=1, m=-1, s=-2),
    "kat": _unit(1, True, mol=1, s=-1), "U": _unit("1/60000000", True, mol=1, s=-1),
    "Gy": _unit(1, True, m=2, s=-2), "Sv": _unit(1, True, m=2, s=-2),
    "V": _unit(1000, True, g=1, m=2, s=-2, C=-1), "C": _unit(1, True, C=1),
    "A": _unit(1, True, C=1, s=-1), "Ohm": _unit(1000, True, g=1, m=2, s=-1, C=-2),
    "%": _unit("1/100", False), "[ppth]": _unit("1/1000", False),
    "[ppm]": _unit("1/1000000", False),
    "10*": _unit(10, False), "10^": _unit(10, False), "deg": _unit(1, False, deg=1),
    "[in_i]": _unit("254/10000", False, m=1), "[ft_i]": _unit("3048/10000", False, m=1),
    "[mi_i]": _unit("1609344/1000", False, m=1),
    "[lb_av]": _unit("45359237/100000", False, g=1),
    "[oz_av]": _unit("45359237/1600000", False, g=1),
    "[IU]": _unit(1, True, IU=1), "[iU]": _unit(1, True, IU=1), "[arb'U]": _unit(1, False, arb=1),
    "[CFU]": _unit(1, False, CFU=1), "[drp]": _unit("1/20000000", False, m=3),
    "B": _unit(1, True, B=1), "[pH]": _unit(1, False, pH=1), "[diop]": _unit(1, False, m=-1),
}  # fmt: skip

# Scales with a zero of their own: (factor, offset) to kelvin; they stand alone.
_SCALES = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67") * Fraction(5, 9)),
}

_LONGEST = 80
_MOST_POWER = 12
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_TERM = re.compile(r"(?P<unit>10[*^]|[A-Za-z%'_]*(?:\[[^\[\]]+\])?|)(?P<power>[+-]?\d{1,2})?")


@dataclass(frozen=True, slots=True)
class Scale:
    """How a unit measures: base amount = value * factor + offset, of some dimensions."""

    factor: Fraction
    offset: Fraction
    dimensions: tuple[tuple[str, int], ...]


def convert(value: Fraction, source: Scale, target: Scale) -> Fraction:
    """A value in `source` said in `target`; both have the same dimensions."""
    return (value * source.factor + source.offset - target.offset) / target.factor


@lru_cache(maxsize=4096)
def scale(code: str) -> Scale | None:
    """What a UCUM code measures; None when it is not understood."""
    if code in _SCALES:
        factor, offset = _SCALES[code]
        return Scale(factor, offset, (("K", 1),))
    bare = _ANNOTATION.sub("", code) or "1"
    if len(code) > _LONGEST or not bare.isascii() or any(sign in bare for sign in "() "):
        return None
    factor, dimensions = Fraction(1), Counter[str]()
    sign = 1
    for place, part in enumerate(re.split(r"([./])", bare)):
        if place % 2:
            sign = -1 if part == "/" else 1
            continue
        found = (Fraction(1), {}) if not part and not place else _term(part)
        if found is None:
            return None
        factor *= found[0] ** sign
        for name, power in found[1].items():
            dimensions[name] += power * sign
    return Scale(
        factor, Fraction(0), tuple(sorted((name, p) for name, p in dimensions.items() if p))
    )


def _term(text: str) -> tuple[Fraction, dict[str, int]] | None:
    if text.isdigit() and len(text) < _MOST_POWER:
        return (Fraction(int(text)), {}) if int(text) else None
    found = _TERM.fullmatch(text)
    if found is None or not found["unit"]:
        return None
    unit = _atom(found["unit"])
    power = int(found["power"] or 1)
    if unit is None or abs(power) > _MOST_POWER:
        return None
    return unit[0] ** power, {name: each * power for name, each in unit[1].items()}


def _atom(text: str) -> tuple[Fraction, dict[str, int]] | None:
    if text in _UNITS:
        return _UNITS[text][:2]
    for prefix, power in _PREFIXES.items():
        known = _UNITS.get(text[len(prefix) :]) if text.startswith(prefix) else None
        if known is not None and known[2]:
            return known[0] * Fraction(10) ** power, known[1]
    return None
