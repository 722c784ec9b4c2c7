"""One concentration profile made ready.

Checked, values below quantification placed, start imputed, slope chosen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from escalon.analysis.pk.areas import AUC_METHODS, compute_running_areas
from escalon.analysis.pk.blq import BlqRule, CleanProfile, apply_blq
from escalon.analysis.pk.slope import Slope, fit_best_slope, fit_slope

__all__ = ["ROUTES", "TAILS", "Declaration", "Exclusion", "Profile", "SlopeChoice", "build_profile"]

ROUTES = ("infusion", "bolus", "extravascular")
TAILS = ("last", "all", "inf-obs", "inf-pred")
PREDOSE = ("error", "carry")
MISSING_PREDOSE = ("none", "last")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A sample taken out of the analysis by a person: which, why, who, when; kept with the result."""

    time: float
    reason: str
    user: str = ""
    decided_at: str = ""

    def __post_init__(self) -> None:
        if not self.reason:
            raise ValueError(f"the exclusion of the sample at {self.time:g} has no reason")


@dataclass(frozen=True, slots=True)
class SlopeChoice:
    """Terminal slope chosen by a person: the times of the samples, why, who, when; replayed, never overwritten."""

    times: tuple[float, ...]
    reason: str
    user: str = ""
    decided_at: str = ""

    def __post_init__(self) -> None:
        if len(self.times) < 3 or not self.reason:
            raise ValueError("a chosen slope names three or more samples and its reason")


@dataclass(frozen=True, slots=True)
class Declaration:
    """Everything an analysis decides before it sees the data; it travels with the result (PPANMETH)."""

    route: str
    method: str
    tail: str
    blq: BlqRule
    lloq: float | None
    predose: str
    dose_times: tuple[float, ...]
    doses: tuple[float, ...] | None
    durations: tuple[float, ...]
    missing_predose: str = "none"
    slope: SlopeChoice | None = None

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("route", self.route, ROUTES),
            ("method", self.method, AUC_METHODS),
            ("tail", self.tail, TAILS),
            ("predose", self.predose, PREDOSE),
            ("missing_predose", self.missing_predose, MISSING_PREDOSE),
        ):
            if value not in allowed:
                raise ValueError(f"{name} is {value!r}: one of {', '.join(allowed)} is expected")
        if self.lloq is not None and not (isinstance(self.lloq, int | float) and 0 < self.lloq < math.inf):
            raise ValueError(f"lloq is {self.lloq!r}: the lower limit of quantification is above 0")
        if self.blq.needs_lloq and self.lloq is None:
            raise ValueError(
                "the rule for values below quantification puts in a part of the limit: lloq is needed"
            )

    @property
    def total_dose(self) -> float | None:
        """Sum of all administrations."""
        return None if self.doses is None else sum(self.doses)

    @property
    def last_end(self) -> float:
        """End of the last administration."""
        return max(start + length for start, length in zip(self.dose_times, self.durations, strict=True))

    def describe(self) -> str:
        """Method and conventions in one line, for PPANMETH."""
        blq = f"{self.blq.before}/{self.blq.between}/{self.blq.after}"
        return f"{self.method} trapezoid; tail {self.tail}; BLQ {blq}"


@dataclass(slots=True)
class Profile:
    """Samples from the first dose on.

    ``n_core`` of the points run to Tlast; later ones are below quantification. ``areas``: AUC from the first point
    to each.
    """

    declared: Declaration
    time: list[float]
    conc: list[float]
    n_core: int
    cmax: float
    tmax: float
    slope: Slope | None
    slope_reason: str
    c0: float | None
    first_measured: float
    tlag: float
    n_blq: int
    n_missing: int
    notes: list[str]
    excluded: tuple[Exclusion, ...]
    areas: list[float] = field(default_factory=list)
    auc_last: float = 0.0
    auc_all: float = 0.0
    aumc_last: float = 0.0

    @property
    def start(self) -> float:
        """Time of the first dose."""
        return self.declared.dose_times[0]

    @property
    def tlast(self) -> float:
        """Time of the last quantifiable sample."""
        return self.time[self.n_core - 1]

    @property
    def clast(self) -> float:
        """Last quantifiable concentration."""
        return self.conc[self.n_core - 1]


def build_profile(
    time: Sequence[float], conc: Sequence[float], declared: Declaration, exclude: Sequence[Exclusion] = ()
) -> Profile | str:
    """Check and prepare; the reason where no sample is quantifiable.

    ValueError for input that has no reading.
    """
    t, c, notes = _checked(list(time), list(conc), declared)
    for exclusion in exclude:
        if exclusion.time not in t:
            raise ValueError(f"exclusion at {exclusion.time:g}: there is no sample at that time")
        place = t.index(exclusion.time)
        del t[place], c[place]
        who = _decided(exclusion.user, exclusion.decided_at)
        notes.append(f"sample at {exclusion.time:g} excluded{who}: {exclusion.reason}")
    lloq = declared.lloq or 0.0
    blq = [x == 0.0 or x < lloq for x in c]
    clean = apply_blq(t, c, blq, declared.blq, declared.lloq)
    measured = [i for i, q in enumerate(clean.quantifiable) if q]
    if not measured:
        if clean.n_blq == 0:
            return "no sample was measured"
        return f"all {clean.n_blq} samples are below quantification"
    return _assemble(clean, measured, declared, notes, tuple(exclude))


def _assemble(
    clean: CleanProfile,
    measured: list[int],
    declared: Declaration,
    notes: list[str],
    excluded: tuple[Exclusion, ...],
) -> Profile:
    """Peak, slope, start and areas."""
    first, last = measured[0], measured[-1]
    peak = max(measured, key=clean.conc.__getitem__)
    c0 = _initial_concentration(clean.time, clean.conc, declared) if declared.route == "bolus" else None
    # The sample before the first quantifiable one; when there is none, the dose itself.
    tlag = clean.time[first - 1] if first else declared.dose_times[0]
    profile = Profile(
        declared, clean.time, clean.conc, last + 1, clean.conc[peak], clean.time[peak], None, "",
        c0, clean.time[first], tlag, clean.n_blq, clean.n_missing, notes, excluded,
    )  # fmt: skip
    _choose_slope(profile, measured)
    if profile.time[0] > profile.start:
        profile.time.insert(0, profile.start)
        profile.conc.insert(0, 0.0 if c0 is None else c0)
        profile.n_core += 1
    _place_predose(profile)
    start = profile.start
    since = [t - start for t in profile.time]
    running = compute_running_areas(since, profile.conc, declared.method, profile.tmax - start)
    profile.areas = [auc for auc, _ in running]
    profile.auc_last, profile.aumc_last = running[profile.n_core - 1]
    profile.auc_all = profile.areas[-1]
    return profile


def _place_predose(profile: Profile) -> None:
    """Where a later dose has no sample at its start.

    Carry the last value there, or note that the area joins over it.
    """
    for dose in profile.declared.dose_times[1:]:
        if dose in profile.time or not profile.time[0] < dose < profile.tlast:
            continue
        if profile.declared.missing_predose == "none":
            profile.notes.append(f"no sample at the dose at {dose:g}: the area joins the samples around it")
            continue
        place = next(i for i, t in enumerate(profile.time) if t > dose)
        profile.time.insert(place, dose)
        profile.conc.insert(place, profile.conc[place - 1])
        profile.n_core += 1
        profile.notes.append(
            f"no sample at the dose at {dose:g}: the value at {profile.time[place - 1]:g} carried to it"
        )


def _checked(
    t: list[float], c: list[float], declared: Declaration
) -> tuple[list[float], list[float], list[str]]:
    """Times strictly ascending from the first dose, concentrations 0 or more or NaN."""
    if len(t) != len(c):
        raise ValueError(
            f"time has {len(t)} values and conc {len(c)}: one concentration per time is expected"
        )
    for i, (x, y) in enumerate(zip(t, c, strict=True)):
        if not math.isfinite(x):
            raise ValueError(f"time[{i}] is {x}: every sample needs its time")
        if i and x == t[i - 1]:
            raise ValueError(f"time[{i}] is {x:g} like the sample before it: two samples at one time")
        if i and x < t[i - 1]:
            raise ValueError(f"time[{i}] is {x:g} after {t[i - 1]:g}: times must ascend")
        if y < 0 or y == math.inf:
            raise ValueError(f"conc[{i}] is {y}: concentrations are finite and 0 or more")
    start = declared.dose_times[0]
    early = sum(1 for x in t if x < start)
    if not early:
        return t, c, []
    if declared.predose == "error":
        raise ValueError(
            f"time[0] is {t[0]:g}, before the first dose at {start:g}: "
            "give the pre-dose sample the time of the dose, or declare predose='carry'"
        )
    if early < len(t) and t[early] == start:
        return t[early:], c[early:], []
    return [start, *t[early:]], c[early - 1 :], [f"sample at {t[early - 1]:g} carried to the dose"]


def _initial_concentration(time: Sequence[float], conc: Sequence[float], declared: Declaration) -> float:
    """C0 of a bolus: the sample at the dose, else log-linear from the first two samples.

    Else the first sample.
    """
    start, c1 = declared.dose_times[0], conc[0]
    if time[0] <= start or len(time) < 2 or not c1 > conc[1] > 0.0:
        return c1
    return c1 * math.exp(math.log(c1 / conc[1]) * (time[0] - start) / (time[1] - time[0]))


def _choose_slope(profile: Profile, measured: Sequence[int]) -> None:
    """Fit lambda-z on the samples that may enter.

    After the peak of the last dose and, for infusion, after its end.
    """
    declared = profile.declared
    time, conc = profile.time, profile.conc
    if declared.slope is not None:
        _replay_slope(profile, declared.slope, [time[i] for i in measured])
        return
    last_dose = declared.dose_times[-1]
    after_last = [i for i in measured if time[i] >= last_dose]
    if not after_last:
        profile.slope_reason = "no quantifiable sample after the last dose"
        return
    peak = time[max(after_last, key=conc.__getitem__)]
    if declared.route == "bolus":
        usable = [i for i in after_last if time[i] >= peak and time[i] > last_dose]
    else:
        start = max(peak, declared.last_end)
        usable = [i for i in after_last if time[i] > start]
    found = fit_best_slope([time[i] for i in usable], [conc[i] for i in usable])
    if isinstance(found, str):
        profile.slope_reason = found
    else:
        profile.slope = found


def _replay_slope(profile: Profile, choice: SlopeChoice, measured: Sequence[float]) -> None:
    """Fit the samples a person chose; ValueError when one of them is not there or not quantifiable."""
    absent = [t for t in choice.times if t not in measured]
    if absent:
        raise ValueError(f"chosen slope: no quantifiable sample at {absent[0]:g}")
    times = sorted(choice.times)
    profile.slope = fit_slope(times, [math.log(profile.conc[profile.time.index(t)]) for t in times])
    profile.slope_reason = "the chosen samples do not fall"
    who = _decided(choice.user or "a person", choice.decided_at)
    profile.notes.append(f"terminal slope chosen{who}: {choice.reason}")


def _decided(user: str, at: str) -> str:
    """Who and when, as far as it is known."""
    return (f" by {user}" if user else "") + (f", {at}" if at else "")
