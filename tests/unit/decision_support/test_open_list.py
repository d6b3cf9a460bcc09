"""The open list of interactions is read as it is published, and asked by ATC at any level."""

from __future__ import annotations

from pathlib import Path

import pytest

from helsevev.decision_support.knowledge import BadList, decoded, encoded
from helsevev.decision_support.open_list import read_open_list

COLUMNS = (
    "Drug Interaction ID", "Drug 1 Name", "Drug 1 RxCUI", "Drug 1 Class Name", "Drug 1 Code",
    "Drug 2 Name", "Drug 2 RxCUI", "Drug 2 Class Name", "Drug 2 Code", "Clinical Source",
    "Source File", "Description", "Severity", "Comment",
)  # fmt: skip
TABLE = (
    "\t".join(COLUMNS)
    + """
0\t\t\tANTICOAGULANTS\tB01\tIBUPROFEN\t1\t\t\tANSM\ta.html\tBleeding\tNot recommended\tAvoid
1\tMETHOTREXATE\t2\t\t\tTRIMETHOPRIM\t3\t\t\tANSM\tb.html\tMarrow\tCONTRAINDICATION\t
2\tMETHOTREXATE\t2\t\t\tMOONDUST\t4\t\t\tANSM\tc.html\tUnknown\tPrecaution for use\t
3\tWARFARIN\t5\t\t\tTRIMETHOPRIM\t3\t\t\tANSM\td.html\tINR\tTake into account\t
"""
)
GROUPS = """Drug Name\tRxNorm\tSource File\tClinical Source\tClass Name\tClass Code
WARFARIN \t5\ta.html\tANSM\tANTICOAGULANTS\tB01
"""
CODES = """ATC Code\tDrug Name
B01AA03;\tWARFARIN
M01AE01\tIBUPROFEN
L04AX03\tMETHOTREXATE
J01EA01\tTRIMETHOPRIM
only\tMOONDUST
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the three files."""
    (tmp_path / "eng_tables2016-xml-v3.tsv").write_text(TABLE, "cp1252")
    (tmp_path / "eng_groups2016_xml-v3.tsv").write_text(GROUPS, "cp1252")
    (tmp_path / "eng_groups_tables_2016_xml_atc_codes-v2.tsv").write_text(CODES, "cp1252")
    return tmp_path


def test_severities_become_levels_and_rows_without_codes_are_counted(folder: Path) -> None:
    loaded = read_open_list(folder)
    assert (loaded.rows, loaded.left_out) == (4, 1)
    kept = decoded(encoded(loaded.list))
    found = [(rule.level, rule.relevance) for rule in kept.rules]
    assert found == [("interrupt", 1), ("stop", 1), (None, 3)]
    pair = next(kept.between(["M01AE01"], ["B01AA03"]))
    assert (pair[0].id, pair[1:]) == ("ansm-0", ("M01AE01", "B01AA03"))
    assert list(kept.between(["M01AE02"], ["B01AA03"])) == []


def test_a_folder_that_is_no_list_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(BadList, match="no file like"):
        read_open_list(tmp_path / "nowhere")
    (folder / "eng_tables2016-xml-v3.tsv").write_text("a\tb\n1\t2\n")
    with pytest.raises(BadList, match="no column"):
        read_open_list(folder)
    with pytest.raises(BadList):
        decoded(b"{}")
