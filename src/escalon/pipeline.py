"""The whole study on one page: read the folder, run the trial, derive the datasets, analyse, report."""

import itertools
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from escalon import __version__
from escalon.protocol import Fault, StudyFolder, StudyFolderError, load_study

if TYPE_CHECKING:
    import polars as pl

    from escalon.conduct.state import Fact, State
    from escalon.criteria.dictionaries import DrugDictionary, EventDictionary
    from escalon.design import EscalationPlan
    from escalon.report.run_info import RunInfo
    from escalon.virtual.trial import Progress

LEDGER, SDTM, ADAM, ENDPOINTS, REPORT = "ledger.db", "sdtm", "adam", "endpoints.json", "report.html"
Step = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything derived from one ledger: frames by name, and the registered endpoints."""

    sdtm: "dict[str, pl.DataFrame]"
    adam: "dict[str, pl.DataFrame]"
    endpoints: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run."""

    folder: StudyFolder
    state: "State"
    analysis: Analysis
    info: "RunInfo"
    out: Path


def open_study(path: Path) -> StudyFolder:
    """Read and check the study folder at ``path``; StudyFolderError lists every fault."""
    if not path.is_dir():
        raise StudyFolderError([Fault(str(path), None, "", "", "there is no study folder at this path")])
    files: dict[str, str] = {}
    faults: list[Fault] = []
    for file in sorted(path.rglob("*.yaml")):
        name = file.relative_to(path).as_posix()
        try:
            files[name] = file.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            faults.append(
                Fault(name, None, "", "", f"a study file is UTF-8 text: {error.reason} at byte {error.start}")
            )
    if faults:
        raise StudyFolderError(faults)
    return load_study(files)


def open_plan(path: Path) -> "EscalationPlan":
    """Read an escalation plan from a YAML or JSON file; a file with an ``escalation:`` block gives that block."""
    from escalon.design import EscalationPlan
    from escalon.protocol.tagged_yaml import parse

    document = parse(path.name, path.read_text(encoding="utf-8"))
    if document.faults:
        raise StudyFolderError(document.faults)
    data = document.data
    return EscalationPlan.model_validate(data.get("escalation", data) if isinstance(data, dict) else data)


def open_dictionary(path: Path, kind: str, version: str) -> "EventDictionary | DrugDictionary":
    """Read a licensed dictionary: ``kind`` event (MedDRA) or drug (WHODrug); ValueError names line and rule."""
    from escalon.criteria.dictionaries import load_drug_dictionary, load_event_dictionary
    from escalon.criteria.meddra import FILES, load_meddra

    if path.is_dir() and kind == "event":
        files = {name.name.lower(): name for name in path.iterdir()}
        return load_meddra({name: _ascii(files[name]) for name in FILES if name in files}, version)
    text = path.read_text(encoding="utf-8")
    if kind == "event":
        return load_event_dictionary(text, version)
    if kind == "drug":
        return load_drug_dictionary(text, version)
    raise ValueError(f"--kind: {kind!r} is unknown; use event or drug")


def _ascii(path: Path) -> str:
    """The text of a distributed file: UTF-8, and Latin-1 before."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def store_dictionary(path: Path, kind: str, version: str, into: Path) -> dict[str, Any]:
    """Check a dictionary and keep a copy named after kind and version; a faulty file leaves nothing behind."""
    if not re.fullmatch(r"[0-9A-Za-z.-]{1,20}", version):
        raise ValueError(f"--dictionary-version: {version!r} must be letters, digits, dots and hyphens")
    if path.is_dir():
        raise ValueError(f"{path}: a folder of MedDRA files is used as it is; give it as --dictionary")
    dictionary = open_dictionary(path, kind, version)
    rows = dictionary.terms if kind == "event" else dictionary.names  # type: ignore[union-attr]
    into.mkdir(parents=True, exist_ok=True)
    target = into / f"{kind}-{version}.csv"
    shutil.copyfile(path, target.with_suffix(".part"))
    target.with_suffix(".part").replace(target)
    return {"kind": kind, "version": version, "rows": len(rows), "file": str(target)}


def run_study(
    path: Path,
    out: Path,
    *,
    seed: int,
    scenario: str | None = None,
    fresh: bool = False,
    progress: "Progress | None" = None,
    step: Step = lambda text: None,
) -> Run:
    """Run the virtual trial of a study folder and write ledger, datasets, endpoints and report to ``out``.

    A run that was interrupted is continued from its ledger; a finished one is derived again from it. With
    ``fresh`` a ledger that is there is set aside under another name, never overwritten.

    Raises:
        StudyFolderError: the folder has faults; nothing is written.
        ValueError: no such scenario; nothing is written.
        LedgerMismatch: ``out`` holds the ledger of another run.
    """
    from escalon.report.run_info import RunInfo
    from escalon.store.entropy import SeededEntropy
    from escalon.store.execute import LedgerWriter
    from escalon.virtual.trial import run_trial

    folder = open_study(path)
    chosen = folder.scenarios.scenario(scenario)
    out.mkdir(parents=True, exist_ok=True)
    if fresh:
        _set_aside(out / LEDGER)
    entropy = SeededEntropy(seed)
    with LedgerWriter(str(out / LEDGER), folder, resume=True, entropy=entropy, origin="virtual") as ledger:
        state = run_trial(
            ledger, folder, seed=seed, software=__version__, scenario=chosen.id, progress=progress
        )
        ledger.check_replayed()
        info = RunInfo(f"escalon {__version__}", ledger.head, seed, chosen.id)
    analysis = analyse(state, folder, step)
    write_outputs(out, analysis, state, folder, info, step)
    return Run(folder, state, analysis, info, out)


def _set_aside(ledger: Path) -> None:
    """Rename a ledger to the first free ``ledger-N.db``, with its write-ahead file if it has one."""
    if not ledger.exists():
        return
    number = next(n for n in itertools.count(1) if not ledger.with_name(f"ledger-{n}.db").exists())
    for suffix in ("", "-wal", "-shm"):
        part = ledger.with_name(ledger.name + suffix)
        if part.exists():
            part.rename(ledger.with_name(f"ledger-{number}.db{suffix}"))


def render_review(facts: "Sequence[Fact]", folder: StudyFolder, number: int, part: str) -> str:
    """Return the committee's page of review ``number``, from the facts it was opened on; 0: a preview as of now.

    Raises:
        ValueError: there is no such review or part.
    """
    from escalon.conduct.committee.events import ReviewOpened
    from escalon.conduct.fold import fold
    from escalon.conduct.replay import version_in_force
    from escalon.report.committee_packet import preview_cut, render_packet

    now = fold(facts)
    if number == 0:
        if part not in [one.id for one in version_in_force(now, folder).study.parts]:
            raise ValueError(f"--part: the study has no part {part!r}")
        return render_packet(now, now, version_in_force(now, folder), preview_cut(now, part), None)
    opened = [f for f in facts if isinstance(f.event, ReviewOpened) and f.event.review == number]
    if not opened:
        raise ValueError(f"there is no review {number}; the ledger holds {len(now.committee.reviews)}")
    shown = fold(fact for fact in facts if fact.seq < opened[0].seq)
    review = now.committee.reviews[number - 1]
    return render_packet(
        shown, now, version_in_force(shown, folder), now.committee.cuts[review.cut - 1], review
    )


def analyse(state: "State", folder: StudyFolder, step: Step = lambda text: None) -> Analysis:
    """Derive SDTM, ADaM and the registered endpoints from the state of a ledger."""
    from escalon.datasets import build_adam, build_sdtm
    from escalon.report.endpoints import build_endpoints

    step("SDTM datasets")
    sdtm = build_sdtm(state, folder.study)
    step("ADaM datasets")
    adam = build_adam(sdtm, state, folder.study, folder.pk_choices)
    step("Endpoints")
    return Analysis(sdtm, adam, build_endpoints(adam, state, folder.study))


def write_outputs(
    out: Path, analysis: Analysis, state: "State", folder: StudyFolder, info: "RunInfo", step: Step
) -> None:
    """Write all files beside the ledger; each replaces its predecessor only when it is complete."""
    from escalon.datasets import write_datasets
    from escalon.report.html import render_html

    assert state.at is not None
    with tempfile.TemporaryDirectory(dir=out) as scratch_name:
        scratch = Path(scratch_name)
        step("Dataset files")
        write_datasets(analysis.sdtm, scratch / SDTM, "sdtm", state.at)
        write_datasets(analysis.adam, scratch / ADAM, "adam", state.at)
        (scratch / ENDPOINTS).write_text(endpoints_json(analysis), encoding="utf-8")
        step("Report")
        page = render_html(analysis.adam, state, folder, analysis.endpoints, info)
        (scratch / REPORT).write_text(page, encoding="utf-8")
        for name in (SDTM, ADAM, ENDPOINTS, REPORT):
            target = out / name
            if target.is_dir():
                shutil.rmtree(target)
            (scratch / name).replace(target)


def endpoints_json(analysis: Analysis) -> str:
    """Return the endpoints as JSON text, sorted, the same for the same run."""
    return json.dumps(analysis.endpoints, indent=2, sort_keys=True, allow_nan=False) + "\n"
