"""The layout of the MedDRA ASCII files, with an invented dictionary: no term or code of MedDRA stands here."""

from pathlib import Path

import pytest

from escalon.criteria.meddra import load_meddra
from escalon.pipeline import open_dictionary, store_dictionary

LLT = (
    "99000001$Toy cough$99100001$$$$$$$Y$$\n"
    "99000002$Toy hack$99100001$$$$$$$N$$\n"
    "99000003$Toy rash$99100002$$$$$$$Y$$\n"
)
PT = "99100001$Toy cough$$99400001$$$$$$$\n99100002$Toy rash$$99400002$$$$$$$\n"
HIERARCHY = (
    "99100001$99200001$99300001$99400001$Toy cough$Toy coughs$Toy airways$Toy lung$Lung$$99400001$Y$\n"
    "99100001$99200002$99300002$99400002$Toy cough$Toy signs$Toy group$Toy skin$Skin$$99400001$N$\n"
    "99100002$99200003$99300002$99400002$Toy rash$Toy rashes$Toy group$Toy skin$Skin$$99400002$Y$\n"
)
TOY = {"llt.asc": LLT, "pt.asc": PT, "mdhier.asc": HIERARCHY}


def test_a_term_is_placed_by_the_primary_path_of_its_preferred_term() -> None:
    found = load_meddra(TOY, "1.0").find("toy COUGH")
    assert (found.llt_code, found.pt_code, found.pt_term) == ("99000001", "99100001", "Toy cough")
    assert (found.hlt_term, found.hlgt_term, found.soc_code) == ("Toy coughs", "Toy airways", "99400001")
    assert found.current
    assert not load_meddra(TOY, "1.0").find("Toy hack").current


def test_a_current_term_stands_for_a_retired_one_of_the_same_name() -> None:
    twice = LLT + "99000004$Toy hack$99100002$$$$$$$Y$$\n"
    assert load_meddra(TOY | {"llt.asc": twice}, "1.0").find("toy hack").llt_code == "99000004"
    with pytest.raises(ValueError, match=r"llt.asc line 5: 'Toy hack' has codes 99000004 and 99000005"):
        load_meddra(TOY | {"llt.asc": twice + "99000005$Toy hack$99100002$$$$$$$Y$$\n"}, "1.0")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("llt.asc", "99000001$Toy cough\n", "llt.asc line 1: 2 fields, 10 are needed"),
        ("llt.asc", LLT.replace("99000002", "9900"), "llt.asc line 2: '9900' is no code of 8 digits"),
        ("llt.asc", LLT.replace("$Y$", "$X$"), "llt.asc line 1: 'X' is neither Y nor N"),
        (
            "llt.asc",
            LLT.replace("99100002", "99100009"),
            "llt.asc line 3: preferred term 99100009 has no primary",
        ),
        (
            "pt.asc",
            PT.replace("99400002", "99400001"),
            "mdhier.asc line 3: the primary SOC of 99100002 is 99400002",
        ),
        ("pt.asc", PT.splitlines()[0], "mdhier.asc line 3: preferred term 99100002 is not in pt.asc"),
        ("mdhier.asc", HIERARCHY + HIERARCHY.splitlines()[2], "mdhier.asc line 4: .* two primary paths"),
        ("pt.asc", "\n", "pt.asc: the file is empty"),
    ],
)
def test_files_that_are_damaged_or_do_not_fit_each_other_are_refused(name: str, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_meddra(TOY | {name: text}, "1.0")


def test_a_folder_is_opened_as_it_is(tmp_path: Path) -> None:
    for name, text in TOY.items():
        (tmp_path / name.upper()).write_bytes(text.replace("Toy rash", "Toy r\u00e4sh").encode("latin-1"))
    assert open_dictionary(tmp_path, "event", "1.0").find("toy r\u00e4sh")
    with pytest.raises(ValueError, match="is used as it is"):
        store_dictionary(tmp_path, "event", "1.0", tmp_path / "into")
    (tmp_path / "PT.ASC").unlink()
    with pytest.raises(ValueError, match=r"pt\.asc: missing"):
        open_dictionary(tmp_path, "event", "1.0")
    with pytest.raises(ValueError, match="version: empty"):
        load_meddra(TOY, " ")
