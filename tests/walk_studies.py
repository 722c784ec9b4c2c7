"""The studies a walk goes through: the reference study and variants with what it leaves out, from three starts."""

from datetime import timedelta
from functools import cache

from escalon.conduct import commands as c
from escalon.conduct.slots import commands as slots
from escalon.protocol import StudyFolder, load_study
from tests import act
from tests.conduct_walk import WISHES, Walk, Wish
from tests.conduct_watch import Chance
from tests.study_files import backfill_files, balli_files
from tests.walk_further import AGAIN, BELOW, approve_again

BELOW_HIGHEST = (
    "cap: !assumption 8, order: !assumption highest, "
    "need_response: !assumption false, counts_in_escalation: !assumption true"
)
BELOW_BY_LOT = (
    "cap: !assumption 8, order: !assumption random, "
    "need_response: !assumption false, counts_in_escalation: !assumption false"
)
BELOW_AFTER_RESPONSE = (
    "cap: !assumption 8, order: !assumption lowest, counts_in_escalation: !assumption false"
)
TWICE = "most_exposures: 2, days_between: 42"
OFTEN = "most_exposures: 4, days_between: 10, window_days: 14, count_dlts: true, opens_stagger: true"
SHORT = "most_exposures: 3, days_between: 21, window_days: 7"
VARIANTS: dict[str, tuple[str, str, str, str]] = {
    # name: plan of backfill, rules of further infusions, scope of every hold, clearances across strata
    "reference": ("", "", "study", "both"),
    "twice": ("", TWICE, "study", "both"),
    "often": ("", OFTEN, "level_and_above", "both"),
    "strata": ("", SHORT, "stratum_level_and_above", "none"),
    "below": (BELOW_HIGHEST, "", "level_and_above", "both"),
    "lot": (BELOW_BY_LOT, SHORT, "level_and_above", "regimen"),
    "response": (BELOW_AFTER_RESPONSE, TWICE, "stratum", "none"),
}
STARTS = 5
"""Where a walk begins: the first cohort open; its three patients judged without a DLT; the second cohort open; its
three patients judged, two with a DLT, while one of the first cohort may have the cells again at its level; or, after
three without, the third cohort open."""
LATE = {"strata": 240, "response": 185}
"""Days by which a variant begins later, so that the regimen changes between or within its first cohorts."""
LENIENT_FORM = ("often", "lot")
"""Variants whose form takes a planned dose that is not the assigned one: the dose lock alone refuses it."""


@cache
def study_of(name: str) -> StudyFolder:
    """Return a variant of the reference study."""
    plan, again, scope, across = VARIANTS[name]
    files = backfill_files(plan) if plan else balli_files()
    text = files["conduct.yaml"]
    if again:
        text = text.replace("redosing: !assumption null", f"redosing: !assumption {{{again}}}")
    if scope != "study":
        causes = "".join(
            f"    {cause}: !assumption {scope}\n" for cause in ("susar", "death", "stopping_rule")
        )
        text = text.replace("  zone: !assumption", f"  hold_scope:\n{causes}  zone: !assumption", 1)
    text = text.replace("clear_across_strata: !assumption both", f"clear_across_strata: !assumption {across}")
    changed = {**files, "conduct.yaml": text}
    if name in LENIENT_FORM:
        told, strict = files["forms/ex.yaml"], "{patient: assigned_dose}, by_more_than: 0.001"
        assert strict in told
        changed["forms/ex.yaml"] = told.replace(strict, strict.replace("0.001", "1000"))
    return load_study(changed)


def wishes_of(name: str) -> tuple[Wish, ...]:
    """Return the wishes drawn in a variant."""
    plan, again, _, _ = VARIANTS[name]
    return WISHES + (AGAIN if again else AGAIN[:4]) + (BELOW if plan else BELOW[:1])


@cache
def _begun(name: str, start: int) -> Walk:
    if start == 0:
        walk = Walk(study_of(name), lambda low, high: low)
        walk.now += timedelta(days=LATE.get(name, 0))
        walk.start()
        return walk
    walk = _begun(name, start - 1 if start < 4 else 2).copied(lambda low, high: low)
    if start == 1:
        act.observe_cohort(walk, ["001", "002", "003"])
    if start == 2:
        _next_cohort(walk, 2)
    if start == 3:
        _toxic(walk)
    if start == 4:
        act.observe_cohort(walk, ["004", "005", "006"])
        _next_cohort(walk, 3)
        _approve_above(walk)
    assert walk.violations == [], walk.violations
    return walk


def _next_cohort(walk: Walk, level: int) -> None:
    walk.must(act.STATISTICIAN, c.RequestRecommendation())
    act.meet(walk, "escalate", level)
    for coordinator in (act.COORDINATOR, act.COORDINATOR_2):
        act.acknowledge(walk, coordinator)


def _toxic(walk: Walk) -> None:
    _approve_above(walk)
    if walk.folder.study.escalation.backfill is not None:
        _below(walk)
    act.observe_cohort(walk, ["004", "005", "006"], dlts=("004", "005"))


def _approve_above(walk: Walk) -> None:
    """A patient of the first cohort may have the cells at level 2, unless that is not cleared in the stratum."""
    if walk.folder.conduct.slots.redosing is not None:
        approve_again(walk, walk.state.patients["001"], 2, 0, wrong=False)


def _below(walk: Walk) -> None:
    """Four backfill places at level 1: one or two patients with a DLT, one enrolled, one place only reserved."""
    if walk.folder.study.escalation.backfill.order == "random":
        walk.must(act.STATISTICIAN, c.RecordBackfillSeed(7))
    if walk.folder.study.escalation.backfill.need_response:
        values = {"RSDTC": walk.now.date().isoformat(), "RSORRES": "CR", "BMBLAST": 2}
        walk.must(act.COORDINATOR, c.RecordForm("001", "RS", "RS-1", values))
    today = walk.now.date().isoformat()
    for name in ("B01", "B02", "B03", "B04"):
        walk.must(act.COORDINATOR, slots.RequestSlot("01", f"C-{name}", backfill=True))
        if name < "B04":
            walk.must(act.INVESTIGATOR, slots.ConfirmSlot(len(walk.state.slots.slots), name, today))
            walk.must(act.COORDINATOR, c.EnrolPatient(name, "01", today))
    for name in ("B01", "B02"):
        _treated_below(walk, name)


def _treated_below(walk: Walk, name: str) -> None:
    study, day = walk.folder.study, walk.now.date()
    assign = c.AssignDose(name, 1, study.regimen_on(day).id, study.process_on(day) or "")
    walk.must(act.INVESTIGATOR, assign)
    act.lymphodeplete(walk, name)
    walk.now += timedelta(days=5)
    dose = study.dose_level(1).dose
    cells = act.exposure(walk, "UCART22", walk.now, dose, dose)
    walk.must(act.COORDINATOR, c.RecordForm(name, "EX", "EX-CELLS-1", cells))
    if walk.folder.study.escalation.backfill.counts_in_escalation or name == "B01":
        walk.must(act.COORDINATOR, c.RecordForm(name, "AE", "AE-1", act.adverse_event(walk)))
        act.judge(walk, name)


def walk_of(name: str, start: int, chance: Chance) -> Walk:
    """Return a walk through variant ``name`` from one of the ``STARTS``."""
    walk = _begun(name, start).copied(chance)
    walk.wishes = wishes_of(name)
    return walk
