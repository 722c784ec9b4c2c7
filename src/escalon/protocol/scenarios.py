"""What a simulated trial assumes: true toxicity scenarios, and how virtual patients live through it.

Nothing here is a fact of the study. Each value of ``scenarios.yaml`` carries its own provenance tag, and a
report of a simulated trial prints them.
"""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Variance = Annotated[float, Field(ge=0, le=9)]
"""Variance of a log-normal deviate between patients (omega squared)."""


def _ordered(interval: tuple[float, float]) -> tuple[float, float]:
    if interval[0] > interval[1]:
        raise ValueError(f"an interval needs its lower end first; found {interval[0]:g} to {interval[1]:g}")
    return interval


def _shares(weights: dict[str, float]) -> dict[str, float]:
    if not weights or min(weights.values()) < 0 or abs(sum(weights.values()) - 1) > 1e-9:
        raise ValueError(f"shares are not negative and add up to 1; found {weights}")
    return weights


def _grade_shares(weights: tuple[float, ...]) -> tuple[float, ...]:
    if not weights or min(weights) < 0 or abs(sum(weights) - 1) > 1e-9:
        raise ValueError(f"shares per grade are not negative and add up to 1; found {weights}")
    return weights


Interval = Annotated[tuple[float, float], AfterValidator(_ordered)]
Shares = Annotated[dict[str, float], AfterValidator(_shares)]
GradeShares = Annotated[tuple[float, ...], AfterValidator(_grade_shares)]


class Model(BaseModel):
    """Frozen, and closed to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Scenario(Model):
    """A truth the trial does not know: probabilities per dose level, first level first."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{1,39}$")
    title: str
    prob_tox: tuple[float, ...] = Field(min_length=1, description="probability of a DLT per dose level")
    prob_response: tuple[float, ...] = Field(
        min_length=1,
        description="probability of CR, CRi or MLFS at D28 per dose level, with CLLS52 in the regimen",
    )
    prob_not_infused: Probability = Field(description="lymphodepleted, never infused")
    accrual_per_month: Positive = Field(description="patients ready for a seat per month of 30.4375 days")


class Site(Model):
    """A site and its share of the patients."""

    id: str = Field(pattern=r"^\d{2}$")
    country: Literal["USA", "FRA", "GBR"]
    share: Probability


class Population(Model):
    """Who enters the trial."""

    age_mean: Positive = Field(description="years")
    age_sd: Positive = Field(description="years")
    female: Probability
    race: Shares
    ethnicity: Shares
    weight_median: dict[Literal["M", "F"], Positive] = Field(description="kg, adult")
    weight_sd_log: Positive = Field(description="standard deviation of log weight")
    height_mean: dict[Literal["M", "F"], Positive] = Field(description="cm")
    height_sd: Positive = Field(description="cm")
    prior_lines: Shares = Field(description="share per number of earlier lines of therapy")
    prior_transplant: Probability
    prior_cd19: Probability
    cd22_positive: Interval = Field(description="percent of blasts")
    marrow_blasts: Interval = Field(description="percent of marrow cells at screening")
    marrow_blasts_shape: tuple[Positive, Positive] = Field(description="beta shape over that interval")
    blood_blasts_present: Probability
    blood_blasts_median: Positive = Field(description="10^9/L, when present")
    blood_blasts_sd_log: Positive
    extramedullary: Probability
    lymphocytes_median: Positive = Field(description="10^9/L before lymphodepletion")
    lymphocytes_sd_log: Positive
    ecog: Shares


class Clls52Kinetics(Model):
    """CLLS52 (alemtuzumab): two compartments, linear and saturable clearance, at 70 kg."""

    v1: Positive = Field(description="central volume, L")
    v2: Positive = Field(description="peripheral volume, L")
    q: Positive = Field(description="intercompartmental clearance, L/h")
    half_life: Interval = Field(description="terminal half-life of the linear path, days")
    vmax: Positive = Field(description="ug/h at 1 x 10^9/L lymphocytes")
    km: Positive = Field(description="ug/L")
    weight_on_clearance: float = Field(ge=0, le=2, description="exponent of weight / 70 kg")
    weight_on_volume: float = Field(ge=0, le=2, description="exponent of weight / 70 kg")
    lymphocytes_on_vmax: float = Field(ge=0, le=2, description="exponent of lymphocytes / 1 x 10^9/L")
    omega2_v1: Variance
    omega2_v2: Variance
    omega2_vmax: Variance
    residual_proportional: float = Field(ge=0, lt=1, description="coefficient of variation")
    residual_additive: float = Field(ge=0, description="standard deviation, ug/mL")


class HostLymphocytes(Model):
    """Depletion and recovery of the patient's own lymphocytes."""

    recovered_median: Positive = Field(description="10^9/L once recovered")
    recovered_sd_log: Positive
    regrowth: Positive = Field(description="logistic rate, 1/day")
    regrowth_sd_log: Positive
    influx: Positive = Field(description="10^9/L per day")
    log_kill_fludarabine: Positive = Field(description="per 30 mg/m2")
    log_kill_cyclophosphamide: Positive = Field(description="per 1000 mg/m2")
    kill_max: Positive = Field(description="CLLS52, 1/day")
    kill_ec50: Positive = Field(description="CLLS52, ug/mL")
    kill_hill: Positive


class Ucart22Kinetics(Model):
    """UCART22 in blood: growth to Tmax, two-phase loss, and rejection as host lymphocytes recover."""

    foldx: Positive = Field(description="Cmax over the extrapolated start")
    tmax: Positive = Field(description="days")
    tmax_bounds: Interval = Field(description="days")
    cmax: Positive = Field(description="copies/ug DNA at the reference depletion")
    alpha: Positive = Field(description="first loss, 1/day")
    fb: Probability = Field(description="share of Cmax in the slow phase")
    beta: Positive = Field(description="slow loss, 1/day")
    omega2_foldx: Variance
    omega2_tmax: Variance
    omega2_cmax: Variance
    omega2_alpha: Variance
    omega2_fb: Variance
    omega2_beta: Variance
    residual_log: Positive = Field(description="standard deviation on the log scale")
    reference_lymphocytes: Positive = Field(
        description="10^9/L, mean from infusion to Tmax, at which Cmax holds"
    )
    depletion_exponent: float = Field(ge=0, le=2, description="Cmax falls with lymphocytes to this power")
    depletion_floor: Positive = Field(description="10^9/L; deeper depletion adds nothing")
    rejection_max: Positive = Field(description="1/day, with recovered host lymphocytes")
    rejection_half: Positive = Field(description="10^9/L, half of it")


class Laboratory(Model):
    """Courses of blood counts and chemistry. Days count from the infusion."""

    neutrophils: Interval = Field(description="10^9/L at screening")
    neutrophil_nadir: Interval = Field(description="10^9/L")
    neutrophil_recovery: Interval = Field(description="day on which 1.0 x 10^9/L is reached")
    platelets: Interval = Field(description="10^9/L at screening")
    platelet_nadir: Interval = Field(description="10^9/L")
    platelet_recovery: Interval = Field(description="day on which 50 x 10^9/L is reached")
    nadir_from: Interval = Field(description="day on which the nadir begins")
    hemoglobin: Interval = Field(description="g/L at screening")
    hemoglobin_nadir: Interval = Field(description="g/L")
    alt: Interval = Field(description="U/L at screening")
    ast: Interval = Field(description="U/L at screening")
    ast_with_alt: float = Field(ge=0, le=2, description="rise of AST per rise of ALT")
    alp: Interval = Field(description="U/L at screening")
    bilirubin: Interval = Field(description="umol/L at screening")
    creatinine: Interval = Field(description="umol/L at screening")
    crp: Interval = Field(description="mg/L at screening")
    ferritin: Interval = Field(description="ug/L at screening")
    noise: float = Field(ge=0, le=0.5, description="coefficient of variation between samples")


Cause = Literal["UCART22", "CLLS52", "LYMPHODEPLETION", "DISEASE", "PROCEDURE", "INFECTION", "OTHER"]


class BackgroundEvent(Model):
    """An adverse event that is not dose limiting: how often, how severe, when, from what."""

    term: str = Field(description="CTCAE term")
    reported: str | None = Field(default=None, description="words of the site, where they are not the term")
    system: str
    category: Literal["GENERAL", "INFECTION", "INFUSION REACTION", "LABORATORY"]
    cause: Cause
    probability: Probability
    grades: GradeShares = Field(max_length=4, description="share of grades 1, 2, 3, 4")
    onset: Interval = Field(description="day")
    duration: Interval = Field(description="days")
    only_with_clls52: bool = False
    expected_after_lymphodepletion: bool = False

    @model_validator(mode="after")
    def _not_dose_limiting(self) -> Self:
        if self.cause == "UCART22" and sum(self.grades[2:]) > 0:
            raise ValueError(
                f"{self.term}: background events caused by UCART22 stay at grade 1 or 2; see dose_limiting"
            )
        return self


class Crs(Model):
    """Cytokine release syndrome outside the dose-limiting cases."""

    probability: Probability = Field(description="with CLLS52 in the regimen")
    odds_without_clls52: Positive
    expansion_correlation: float = Field(ge=0, lt=1, description="with log Cmax of UCART22")
    grades: GradeShares = Field(min_length=3, max_length=3, description="share of grades 1, 2, 3")
    recorded_lower: Probability = Field(description="of grade 2 events, recorded as grade 1 by the site")
    onset_before_peak: Interval = Field(description="days before Tmax of UCART22")
    duration: Interval = Field(description="days, grades 1 and 2")
    duration_grade3: Interval = Field(description="days to grade 2 or lower, from onset")


class Icans(Model):
    """ICANS outside the dose-limiting cases; only with CRS."""

    probability: Probability = Field(description="given CRS")
    grades: GradeShares = Field(min_length=2, max_length=2, description="share of grades 1, 2")
    delay: Interval = Field(description="days after CRS onset")
    duration: Interval = Field(description="days")


class Gvhd(Model):
    """Acute graft-versus-host disease outside the dose-limiting cases."""

    probability: Probability
    grades: GradeShares = Field(min_length=2, max_length=2, description="share of grades I, II")
    onset: Interval = Field(description="day")
    improvement: Interval = Field(description="days; steroid-sensitive")


class DoseLimiting(Model):
    """Of what kind a dose-limiting toxicity is, once the scenario says there is one."""

    kinds: Shares = Field(description="share per kind of event")
    onset: Interval = Field(description="day")

    @model_validator(mode="after")
    def _known_kinds(self) -> Self:
        unknown = [kind for kind in self.kinds if kind not in DLT_KINDS]
        if unknown:
            raise ValueError(
                f"dose_limiting.kinds: {unknown[0]} is unknown; known are {', '.join(DLT_KINDS)}"
            )
        if self.onset[0] < 1 or self.onset[1] > 16:
            raise ValueError(
                "dose_limiting.onset lies between day 1 and day 16, so that D28 shows the whole event"
            )
        return self


DLT_KINDS = (
    "CRS_4", "CRS_3_LONG", "CRS_5", "ICANS_3_LONG", "GVHD_3", "PNEUMONITIS_4", "ALT_3_LONG", "IEC_HS_3",
    "APLASIA_42", "SEPSIS_5",
)  # fmt: skip


class LeukemiaCourse(Model):
    """Response, relapse, transplant and death."""

    expansion_correlation: float = Field(ge=0, lt=1, description="of response with log Cmax of UCART22")
    odds_without_clls52: Positive = Field(description="odds ratio of response")
    response_depth: Shares = Field(description="share of CR, CRi, MLFS at D28 among responders")
    failure_depth: Shares = Field(description="share of PR, NR, PD at D28 among the others")
    count_recovery: Probability = Field(description="of CRi and MLFS, full counts later")
    count_recovery_day: Interval
    mrd_negative: Probability = Field(description="among responders")
    relapse_per_month: dict[Literal["MRD_NEGATIVE", "MRD_POSITIVE"], Positive] = Field(
        description="hazard from D28"
    )
    transplant: Probability = Field(description="among responders with CR or CRi")
    transplant_day: Interval
    transplant_relapse_factor: Positive = Field(description="hazard ratio")
    transplant_death_per_month: Positive = Field(description="hazard in the first 12 months after it")
    extramedullary_relapse: Probability = Field(description="share of relapses")
    detection_delay: Interval = Field(description="days from relapse to an unscheduled marrow")
    new_therapy: Probability = Field(description="after failure or relapse")
    new_therapy_delay: Interval = Field(description="days")
    death_after_failure_per_month: Positive = Field(description="hazard")
    death_in_remission_per_month: Positive = Field(description="hazard, from D42; infection")
    early_progression_death: Probability = Field(description="of the leukemia before D28, no DLT")


class FollowUp(Model):
    """How visits and samples really happen."""

    missed_visit: Probability = Field(description="visits after D28")
    out_of_window: Probability = Field(description="visits from D56 on")
    marrow_not_done: Probability = Field(description="assessment without a marrow")
    marrow_once_around_d84: Probability = Field(description="one marrow serves Day 84 and Month 3")
    lost_per_year: float = Field(ge=0, description="hazard")
    withdrawn_per_year: float = Field(ge=0, description="hazard")
    missing_sample: Probability = Field(description="pharmacokinetic or cell sample")
    sample_delay: Interval = Field(description="hours from the planned time")
    underdosed: Probability = Field(description="less than the minimum fraction of the dose could be given")
    sponsor_raises: Probability = Field(
        description="per case and product, the sponsor's relation is one step stronger than the investigator's"
    )
    screening_days: Interval = Field(
        description="days from the screening visit to the first lymphodepletion dose"
    )


class VirtualPatientAssumptions(Model):
    """Everything a virtual patient is made of."""

    sites: tuple[Site, ...] = Field(min_length=1)
    population: Population
    clls52: Clls52Kinetics
    host_lymphocytes: HostLymphocytes
    ucart22: Ucart22Kinetics
    laboratory: Laboratory
    background_events: tuple[BackgroundEvent, ...]
    crs: Crs
    icans: Icans
    gvhd: Gvhd
    dose_limiting: DoseLimiting
    leukemia: LeukemiaCourse
    follow_up: FollowUp

    @model_validator(mode="after")
    def _site_shares(self) -> Self:
        _shares({site.id: site.share for site in self.sites})
        if len({site.id for site in self.sites}) != len(self.sites):
            raise ValueError("sites: a site id stands twice; each id is used once")
        return self


class Scenarios(Model):
    """The scenarios of a study folder and the assumptions they share; ``default`` names one scenario."""

    default: str
    scenarios: tuple[Scenario, ...] = Field(min_length=1)
    patients: VirtualPatientAssumptions

    def scenario(self, scenario_id: str | None = None) -> Scenario:
        """Return the scenario of that id, the default one for None; ValueError names the known ones."""
        wanted = self.default if scenario_id is None else scenario_id
        for scenario in self.scenarios:
            if scenario.id == wanted:
                return scenario
        raise ValueError(f"scenario {wanted} is unknown; known are {', '.join(s.id for s in self.scenarios)}")

    @model_validator(mode="after")
    def _default_exists(self) -> Self:
        ids = [scenario.id for scenario in self.scenarios]
        if len(set(ids)) != len(ids):
            raise ValueError("scenarios: an id stands twice; each id is used once")
        if self.default not in ids:
            raise ValueError(f"default: {self.default} is not a scenario; known are {', '.join(ids)}")
        return self


def check_scenarios(scenarios: Scenarios, n_levels: int) -> list[tuple[str, str, str]]:
    """Return every fault of the scenarios against a study with ``n_levels`` dose levels.

    Returns:
        Triples (dotted path, offending value as text, rule that says what would be right); empty when sound.
    """
    faults: list[tuple[str, str, str]] = []
    for index, scenario in enumerate(scenarios.scenarios):
        for name in ("prob_tox", "prob_response"):
            values: tuple[float, ...] = getattr(scenario, name)
            path = f"scenarios.{index}.{name}"
            text = ", ".join(f"{value:g}" for value in values)
            if len(values) != n_levels:
                rule = f"one probability per dose level: {n_levels} are needed, {len(values)} given"
                faults.append((path, text, rule))
            if not all(0 <= value <= 1 for value in values):
                faults.append((path, text, "probabilities lie between 0 and 1"))
        tox = scenario.prob_tox
        if any(after < before for before, after in pairwise(tox)):
            text = ", ".join(f"{value:g}" for value in tox)
            faults.append(
                (f"scenarios.{index}.prob_tox", text, "toxicity does not fall as the dose level rises")
            )
    return faults
