"""The study as a typed, frozen object: what the files of a study folder say, and nothing else."""

from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from escalon.criteria.dlt import DltDefinition
from escalon.criteria.seriousness import ReferenceSafetyInformation
from escalon.design import EscalationPlan
from escalon.protocol.checks import cross_checks
from escalon.protocol.tagged_yaml import dotted

PartId = Literal["escalation", "expansion"]


class Model(BaseModel):
    """Frozen, and closed to fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Identity(Model):
    """The registered identity of the study."""

    study_id: str = Field(pattern=r"^[A-Z0-9][A-Z0-9-]{1,19}$")
    registry_number: str = Field(pattern=r"^NCT\d{8}$")
    brief_title: str
    sponsor: str
    condition: str
    phase: str
    allocation: str
    intervention_model: str
    masking: str
    purpose: str
    status: str
    start_date: date
    enrolment: PositiveInt = Field(description="estimated number of patients")
    minimum_age: int = Field(ge=0, description="years")
    maximum_age: int = Field(ge=0, description="years")


class Amendment(Model):
    """A version of the registered study, with what it changed."""

    version: str
    effective: date
    enrolment: PositiveInt
    interventions: tuple[str, ...]
    expansion_dose: Literal["MTD", "RP2D"]
    primary_completion: date
    study_completion: date
    summary: str


class Process(Model):
    """A manufacturing process of a cell product, in use from ``used_from`` until a later one replaces it."""

    id: str
    used_from: date


class Product(Model):
    """A product of the study; ``investigational`` products have their own reference safety information."""

    name: str
    role: Literal["investigational cell product", "lymphodepletion"]
    investigational: bool
    description: str
    processes: tuple[Process, ...] = ()


class DoseLevel(Model):
    """One level of the escalation: ``dose`` in ``unit`` (viable CAR+ cells per kg body weight)."""

    level: PositiveInt
    label: str
    dose: float = Field(gt=0)
    unit: Literal["CELLS/KG"]


class RegimenDose(Model):
    """A drug of a lymphodepleting regimen: ``amount`` in ``unit`` on each of ``days`` (infusion is day 0)."""

    product: str
    amount: float = Field(gt=0)
    unit: Literal["mg", "mg/m2"]
    days: tuple[int, ...] = Field(min_length=1)
    infusion_hours: float = Field(gt=0)


class Regimen(Model):
    """A lymphodepleting regimen; used for patients enrolled from ``used_from`` on, until a later one replaces it."""

    id: str
    label: str
    used_from: date
    doses: tuple[RegimenDose, ...] = Field(min_length=1)

    @property
    def first_day(self) -> int:
        """Day of the first dose, negative: before the infusion."""
        return min(min(dose.days) for dose in self.doses)


class Part(Model):
    """A part of the study; ``patients`` is its planned size, without replacements."""

    id: PartId
    title: str
    patients: PositiveInt
    dose: str


class Stagger(Model):
    """Observation, in days, between infusions of one cohort."""

    after_first_days: int = Field(ge=0)
    after_next_days: int = Field(ge=0)


class Visit(Model):
    """A visit: nominal ``day`` after the first infusion and its inclusive ``window``, in days."""

    id: str
    label: str
    day: int
    window: tuple[int, int]
    forms: tuple[str, ...] = ()
    overlaps: tuple[str, ...] = Field(default=(), description="visits whose window this one may overlap")


class Endpoint(Model):
    """A registered outcome measure."""

    id: str
    kind: Literal["primary", "secondary"]
    measure: str
    time_frame: str


class ResponseRules(Model):
    """How response is assessed and counted."""

    criteria_set: str
    numerator: tuple[str, ...] = Field(min_length=1)
    visits: tuple[str, ...] = Field(min_length=1)
    overlap_policy: Literal["nearest_unique", "shared"]
    missing_as: Literal["no response"]
    visit_status_ends_at: tuple[Literal["new_therapy", "transplant"], ...] = Field(
        description="after these a remission no longer counts in the response at a visit"
    )


class TimeToEventRules(Model):
    """Origin, horizon and conventions of duration of response, PFS and OS."""

    origin: Literal["first_study_treatment", "first_ucart22"]
    horizon_day: PositiveInt = Field(
        description="days after the first infusion; later events are censored here"
    )
    days_per_month: float = Field(gt=0)
    conf_type: Literal["plain", "log", "log-log", "logit", "arcsin"]
    quantile_rule: Literal["r", "sas"]
    missed_visits: PositiveInt = Field(description="consecutive missed assessments that break the follow-up")
    censor_at_transplant: bool
    censor_at_new_therapy: bool


class Pharmacokinetics(Model):
    """CLLS52 sampling and parameters: days relative to the infusion, concentrations in ug/mL."""

    analyte: str
    unit: str
    lloq: float = Field(gt=0)
    sample_days: tuple[float, ...] = Field(min_length=3)
    method: Literal["linear", "lin-up log-down", "lin-log"]
    tail: Literal["last", "all", "inf_obs", "inf_pred"]
    partial_auc_days: tuple[float, ...]
    threshold: float = Field(gt=0, description="lympholytic concentration")


class CellKinetics(Model):
    """UCART22 transgene sampling: days after the infusion, copies per microgram of DNA."""

    analyte: str
    unit: str
    lloq: float = Field(gt=0)
    sample_days: tuple[float, ...] = Field(min_length=3)


class LaboratoryTerm(Model):
    """The CTCAE term a laboratory item is graded by, in each version; None: the version has no rule for it."""

    item: str
    unit: str = Field(description="UCUM code of the item on the form")
    ctcae_5: str | None
    ctcae_6: str | None


class Grading(Model):
    """Versions of the grading systems; they belong to the study and are never mixed."""

    ctcae: Literal["5.0", "6.0"]
    crs: str
    icans: str
    gvhd: str
    iec_hs: str
    laboratory: tuple[LaboratoryTerm, ...] = ()

    def system_of(self, category: str) -> str:
        """Return name and version of the system that grades adverse events of ``category`` (AECAT)."""
        systems = {"CRS": self.crs, "ICANS": self.icans, "GVHD": self.gvhd, "IEC-HS": self.iec_hs}
        return systems.get(category, f"CTCAE {self.ctcae}")

    def laboratory_terms(self) -> dict[str, LaboratoryTerm]:
        """Return the items that have a rule in the study's CTCAE version, by term."""
        column = f"ctcae_{self.ctcae[0]}"
        rows = ((getattr(row, column), row) for row in self.laboratory)
        return {term: row for term, row in rows if term is not None}


class ExpectedTerm(Model):
    """A term of the reference safety information and the highest grade at which it is expected."""

    term: str
    grade: int = Field(ge=1, le=5)


class ReferenceSafety(Model):
    """Reference safety information of one investigational product, in force from ``valid_from``."""

    product: str
    version: str
    valid_from: date
    expected: tuple[ExpectedTerm, ...]


class ReferenceRange(Model):
    """Normal limits of a laboratory item of the LB form, in the form's unit, for women and men; None: no limit."""

    item: str
    low_f: float | None = Field(ge=0)
    high_f: float | None = Field(gt=0)
    low_m: float | None = Field(ge=0)
    high_m: float | None = Field(gt=0)

    def limits(self, sex: str | None) -> tuple[float | None, float | None]:
        """Return lower and upper limit for ``sex`` (F or M); with the sex unknown only what both share."""
        if sex == "F":
            return self.low_f, self.high_f
        if sex == "M":
            return self.low_m, self.high_m
        low = self.low_f if self.low_f == self.low_m else None
        return low, self.high_f if self.high_f == self.high_m else None


class StoppingRule(Model):
    """A rule that holds enrolment by itself until the committee lifts the hold."""

    id: str
    kind: Literal["related_death", "gvhd_grade", "crs_icans_grade"]
    grade: int = Field(ge=1, le=5)
    count: PositiveInt
    within_days: PositiveInt
    text: str


class ExpansionMonitoring(Model):
    """Hold the expansion when P(DLT rate > ``max_dlt_rate``) exceeds ``certainty``, prior Beta(a, b)."""

    max_dlt_rate: float = Field(gt=0, lt=1)
    certainty: float = Field(gt=0.5, lt=1)
    prior: tuple[float, float]


class Rp2dRules(Model):
    """What the committee looks at before it names the recommended phase 2 dose."""

    not_above: Literal["mtd"]
    evidence: tuple[str, ...] = Field(min_length=1)


class Study(Model):
    """A whole study. ``sources`` gives the citation behind each provenance key."""

    identity: Identity
    amendments: tuple[Amendment, ...] = Field(min_length=1)
    products: tuple[Product, ...] = Field(min_length=1)
    dose_levels: tuple[DoseLevel, ...] = Field(min_length=1)
    regimens: tuple[Regimen, ...] = Field(min_length=1)
    parts: tuple[Part, ...] = Field(min_length=1)
    escalation: EscalationPlan
    stagger: Stagger
    dlt: DltDefinition
    visits: tuple[Visit, ...] = Field(min_length=1)
    endpoints: tuple[Endpoint, ...] = Field(min_length=1)
    response: ResponseRules
    time_to_event: TimeToEventRules
    pharmacokinetics: Pharmacokinetics
    cell_kinetics: CellKinetics
    grading: Grading
    reference_ranges: tuple[ReferenceRange, ...]
    reference_safety: tuple[ReferenceSafety, ...] = Field(
        description="what is expected of each investigational product, by version and date"
    )
    stopping_rules: tuple[StoppingRule, ...]
    expansion_monitoring: ExpansionMonitoring
    rp2d: Rp2dRules
    sources: dict[str, str]

    def visit(self, visit_id: str) -> Visit:
        """Return the visit of that id; KeyError if the study has none."""
        for visit in self.visits:
            if visit.id == visit_id:
                return visit
        raise KeyError(visit_id)

    def dose_level(self, level: int) -> DoseLevel:
        """Return dose level ``level`` (1-based)."""
        return self.dose_levels[level - 1]

    def part(self, part_id: PartId) -> Part:
        """Return the part of that id; KeyError if the study has none."""
        for part in self.parts:
            if part.id == part_id:
                return part
        raise KeyError(part_id)

    def regimen_on(self, day: date) -> Regimen:
        """Return the lymphodepleting regimen in use for a patient enrolled on ``day``."""
        in_use = [regimen for regimen in self.regimens if regimen.used_from <= day]
        return max(in_use, key=lambda regimen: regimen.used_from) if in_use else self.regimens[0]

    def process_on(self, day: date) -> str | None:
        """Return the manufacturing process of the cell product in use on ``day``; None if none is listed."""
        processes = [process for product in self.products for process in product.processes]
        in_use = [process for process in processes if process.used_from <= day] or processes[:1]
        return max(in_use, key=lambda process: process.used_from).id if in_use else None

    @property
    def safety_references(self) -> tuple[ReferenceSafetyInformation, ...]:
        """The reference safety information as the criteria read it."""
        return tuple(
            ReferenceSafetyInformation(
                row.product, row.version, row.valid_from, {one.term: one.grade for one in row.expected}
            )
            for row in self.reference_safety
        )

    @property
    def response_visits(self) -> tuple[Visit, ...]:
        """The visits at which overall response is registered, in order."""
        return tuple(self.visit(visit_id) for visit_id in self.response.visits)

    @model_validator(mode="after")
    def _cross_checks(self) -> Self:
        found = [f"{dotted(path)}: {rule}" for path, rule in cross_checks(dict(self))]
        if found:
            raise ValueError("; ".join(found))
        return self
