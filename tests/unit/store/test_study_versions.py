"""A ledger carries every version of its study: patients and replay need no folder outside."""

import json

import pytest

from escalon.conduct import commands as c
from escalon.conduct.capture.commands import AmendStudy
from escalon.protocol import StudyFolder, load_study
from escalon.protocol.load import folder_hash
from escalon.store.connection import LedgerUnavailable
from escalon.store.execute import LedgerWriter
from escalon.store.study_versions import check_version, load_version, read_versions
from tests import act
from tests.databases import ask, disarm
from tests.study_files import balli_files
from tests.unit.store.acts import commands, story


@pytest.fixture(scope="module")
def amended() -> StudyFolder:
    files = balli_files()
    text = files["forms/vs.yaml"].replace("range: [25, 250]", "range: [20, 250]")
    return load_study({**files, "forms/vs.yaml": text})


def write(url: str, folder: StudyFolder) -> None:
    with LedgerWriter(url, folder) as writer:
        for signed in commands(folder):
            assert not isinstance(writer.execute(signed), c.Refused)


def test_an_amendment_finds_the_earlier_version_in_the_ledger(
    url: str, balli: StudyFolder, amended: StudyFolder
) -> None:
    write(url, balli)
    now = story(balli).now
    with LedgerWriter(url, amended) as writer:
        amend = c.Signed(AmendStudy(amended.hash, "lighter patients"), act.SPONSOR, now)
        assert not isinstance(writer.execute(amend), c.Refused)
        values = {"VSDTC": now.isoformat(), "WEIGHT": 22}
        light = c.Signed(c.RecordForm("001", "VS", "VS-1", values), act.COORDINATOR, now)
        refused = writer.execute(light)
    assert isinstance(refused, c.Refused)
    assert "outside 25 to 250 kg" in refused.reason  # patient 001 consented to the first version
    kept = read_versions(url, "BALLI-01")
    assert set(kept) == {balli.hash, amended.hash}
    assert kept[balli.hash].forms == balli.forms
    with LedgerWriter(url, amended) as writer:
        assert writer.state.capture.versions == {"001": balli.hash, "002": balli.hash}


def test_a_writer_with_the_old_folder_is_refused_after_an_amendment(
    url: str, balli: StudyFolder, amended: StudyFolder
) -> None:
    write(url, balli)
    now = story(balli).now
    with LedgerWriter(url, amended) as writer:
        writer.execute(c.Signed(AmendStudy(amended.hash, "lighter patients"), act.SPONSOR, now))
    with LedgerWriter(url, balli) as writer:
        values = {"VSDTC": now.isoformat(), "WEIGHT": 70}
        refused = writer.execute(c.Signed(c.RecordForm("001", "VS", "VS-1", values), act.COORDINATOR, now))
    assert isinstance(refused, c.Refused)
    assert refused.rule == "study-version"


@pytest.mark.parametrize("statement", ["UPDATE study_version SET texts = '{}'", "DELETE FROM study_version"])
def test_a_kept_version_is_not_changed(url: str, balli: StudyFolder, statement: str) -> None:
    write(url, balli)
    with pytest.raises(Exception, match="versions of the study are kept"):
        ask(url, statement)
    assert set(read_versions(url, "BALLI-01")) == {balli.hash}


def test_a_version_altered_behind_the_software_is_found(url: str, balli: StudyFolder) -> None:
    write(url, balli)
    disarm(url)
    ask(url, "UPDATE study_version SET texts = replace(texts, 'Vital signs', 'Vital sign')")
    with pytest.raises(LedgerUnavailable, match="is not what its hash says"):
        read_versions(url, "BALLI-01")


def test_a_version_of_other_software_is_vouched_for_but_not_read(balli: StudyFolder) -> None:
    """Its model had no such section: the texts are what the hash says, and the fault is named."""
    files = {**balli.texts, "study.yaml": balli.texts["study.yaml"].replace("rp2d:", "rp2d_rules:", 1)}
    texts, digest = json.dumps(files), folder_hash(files)
    assert check_version("BALLI-01", digest, texts) == files
    with pytest.raises(
        LedgerUnavailable, match=r"unchanged, but this software cannot read it: study.yaml:\d+"
    ):
        load_version("BALLI-01", digest, texts)
    for wrong in ("{}", "[]", "no JSON", texts.replace("NCT04150497", "NCT04150498")):
        with pytest.raises(LedgerUnavailable, match="is not what its hash says"):
            check_version("BALLI-01", digest, wrong)


def test_the_hash_needs_no_reading(balli: StudyFolder) -> None:
    assert folder_hash(balli.texts) == balli.hash
