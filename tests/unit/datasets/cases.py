"""Patients written by hand: one state with the edges the data sets must get right."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from escalon.conduct.events import DltStatus
from escalon.conduct.state import Patient, Record, State
from escalon.protocol import StudyFolder, load_study

ROOT = Path(__file__).parents[3] / "studies" / "balli-01"
INFUSION = datetime(2021, 3, 10, 11, 30, tzinfo=UTC)


@cache
def folder() -> StudyFolder:
    files = [path for path in ROOT.rglob("*.yaml")]
    return load_study({path.relative_to(ROOT).as_posix(): path.read_text() for path in files})


def study():
    return folder().study


def moment(day: float, infusion: datetime = INFUSION) -> str:
    return (infusion + timedelta(days=day)).isoformat()


def day_text(day: float, infusion: datetime = INFUSION) -> str:
    return (infusion + timedelta(days=day)).date().isoformat()


class Builder:
    """Adds checked form records to one patient; days count from the planned infusion."""

    def __init__(
        self, patient: str, infused: bool = True, infusion: datetime = INFUSION, **known: Any
    ) -> None:
        self.infusion = infusion
        consent = day_text(-15, infusion)
        known = {"dose_level": 1, "regimen": "FCA", "process": "P1", "part": "escalation"} | known
        part = known.pop("part")
        enrolled = infusion - timedelta(days=14)
        self.patient = Patient(patient, "01", part, 1, consent, None, enrolled, **known)
        self.infused = infused
        self.records: dict[str, Record] = {}

    def add(self, form: str, visit: str | None = None, **values: Any) -> "Builder":
        problems = folder().forms[form].check(values)
        assert not problems, problems
        key = f"{form}-{sum(r.form == form for r in self.records.values()) + 1:03d}"
        at = self.infusion + timedelta(days=800)
        self.records[key] = Record(
            self.patient.patient, form, key, 1, visit, values, at, len(self.records) + 1
        )
        return self

    def screening(self, blasts: float = 60.0, **values: Any) -> "Builder":
        self.add("DM", "SCR", AGE=34, SEX="F", RACE="WHITE", ETHNIC="NOT REPORTED", COUNTRY="FRA")
        history = {"PRIORLIN": 3, "PRIORSCT": "Y", "PRIORCD19": "N", "CD22PCT": 92.5}
        self.add("MH", "SCR", MHTERM="B-cell acute lymphoblastic leukemia", **history)
        self.add("VS", "SCR", VSDTC=self.at(-14), WEIGHT=71.5, HEIGHT=168.0, ECOG=1)
        self.add("DS", "SCR", DSDECOD="INFORMED CONSENT OBTAINED", DSSTDTC=self.day(-15))
        self.labs(-14, "SCR", NEUT=2.1, PLAT=60.0, HGB=95.0, ALT=30.0, BILI=9.0, CREAT=70.0)
        return self.marrow(-13, visit="SCR", **{"BMBLAST": blasts, "PBBLAST": 0.4} | values)

    def lymphodepletion(self) -> "Builder":
        given = {
            "FCA": ("FLUDARABINE", "CYCLOPHOSPHAMIDE", "CLLS52"),
            "FC": ("FLUDARABINE", "CYCLOPHOSPHAMIDE"),
        }
        amounts = {
            "FLUDARABINE": (30.0, "mg/m2"),
            "CYCLOPHOSPHAMIDE": (500.0, "mg/m2"),
            "CLLS52": (20.0, "mg"),
        }
        for day in (-5, -4, -3):
            for product in given[self.patient.regimen]:
                amount, unit = amounts[product]
                self.dose(product, day, amount, unit)
        return self

    def dose(
        self, product: str, day: float, amount: float, unit: str, planned: float | None = None
    ) -> "Builder":
        known = {"EXPROC": "P1", "EXLOT": "LOT-7"} if product == "UCART22" else {}
        times = {"EXSTDTC": self.at(day), "EXENDTC": self.at(day + 2 / 24), "EXROUTE": "INTRAVENOUS"}
        doses = {"EXTRT": product, "EXDOSE": amount, "EXPDOSE": planned or amount, "EXDOSU": unit}
        return self.add("EX", "LD" if day < 0 else "D0", **doses, **times, **known)

    def infusion_given(self, fraction: float = 1.0) -> "Builder":
        planned = study().dose_level(self.patient.dose_level).dose
        return self.dose("UCART22", 0, planned * fraction, "CELLS/KG", planned)

    def labs(self, day: float, visit: str | None = None, **values: float) -> "Builder":
        return self.add("LB", visit, LBDTC=self.at(day), **values)

    def marrow(self, day: int, visit: str | None = None, **values: Any) -> "Builder":
        clear = {"BMBLAST": 1.0, "BMCOUNT": 300, "PBBLAST": 0.0, "NEUT": 2.0, "PLAT": 150.0}
        clear |= {"EMD": "ABSENT", "CNS": "CNS1", "PLTTRANS": "N", "GCSF": "N"}
        filled = {name: value for name, value in (clear | values).items() if value is not None}
        return self.add("RS", visit, RSDTC=self.day(day), **filled)

    def event(self, day: float, grade: int, **values: Any) -> "Builder":
        known = {"AETERM": "nausea", "AEDECOD": "Nausea", "AEBODSYS": "Gastrointestinal disorders"}
        known |= {"AECAT": "GENERAL", "AESTDTC": self.at(day), "AETOXGR": grade, "AEGRSYS": "CTCAE 5.0"}
        known |= {"AESER": "N", "AESDTH": "N", "AESLIFE": "N", "AESHOSP": "N", "AEEXPLD": "N"}
        known |= dict.fromkeys(("AERELUC", "AERELCL", "AERELFL", "AERELCY", "AERELDS"), "NOT RELATED")
        known |= {"AEOUT": "NOT RECOVERED/NOT RESOLVED"}
        return self.add("AE", None, **(known | values))

    def sample(self, product: str, day: float, value: float | None, blq: bool = False) -> "Builder":
        assay = {
            "CLLS52": ("SERUM", "IMMUNOASSAY", "ug/mL", 0.05),
            "UCART22": ("BLOOD", "QPCR", "copies/ug DNA", 50.0),
        }
        specimen, method, unit, lloq = assay[product]
        result = {} if value is None else {"PCORRES": value}
        known = {"PCTEST": product, "PCDTC": self.at(day), "PCSPEC": specimen, "PCMETHOD": method}
        limits = {"PCORRESU": unit, "PCBLQ": "Y" if blq else "N", "PCLLOQ": lloq, "PCTPT": f"Day {day:g}"}
        return self.add("PC", None, **known, **limits, **result)

    def alive(self, day: int) -> "Builder":
        return self.add("SS", None, SSDTC=self.day(day), SSORRES="ALIVE")

    def death(self, day: int, cause: str = "DISEASE PROGRESSION") -> "Builder":
        self.add("SS", None, SSDTC=self.day(day), SSORRES="DEAD")
        return self.add("DS", None, DSDECOD="DEATH", DSSTDTC=self.day(day), DTHCAUS=cause)

    def transplant(self, day: int) -> "Builder":
        return self.add("PR", None, PRTRT="ALLOGENEIC HSCT", PRSTDTC=self.day(day))

    def new_therapy(self, day: int) -> "Builder":
        return self.add(
            "CM", None, CMTRT="inotuzumab", CMCAT="NEW ANTI-LEUKEMIC THERAPY", CMSTDTC=self.day(day)
        )

    def at(self, day: float) -> str:
        return moment(day, self.infusion)

    def day(self, day: float) -> str:
        return day_text(day, self.infusion)

    def built(self) -> Patient:
        doses = [r.values for r in self.records.values() if r.form == "EX" and r.values["EXTRT"] == "UCART22"]
        given = {}
        if doses:
            fraction = doses[0]["EXDOSE"] / doses[0]["EXPDOSE"]
            given = {"infused_at": self.infusion, "dose_fraction": fraction}
        return replace(self.patient, records=self.records, **given)


def treated(patient: str, infusion: datetime = INFUSION, **known: Any) -> Builder:
    """A screened, lymphodepleted and infused patient; lymphodepletion starts on day -5."""
    return Builder(patient, infusion=infusion, **known).screening().lymphodepletion().infusion_given()


def make_state(*patients: Patient) -> State:
    return State(study_id="BALLI-01", patients={patient.patient: patient for patient in patients})


@cache
def edge_state() -> State:
    """Six patients: relapse, never infused, early death, transplant, one marrow for two visits, only enrolled."""
    one = treated("001", dlt_status=DltStatus.DLT, dlt_clause="2", dlt_reason="CRS grade 3 over 72 h")
    one.marrow(
        28,
        "D28",
        BMBLAST=2.0,
        MRDRES="DETECTED",
        MRDVAL=0.00005,
        MRDSENS=0.00001,
        MRDMETH="NGS",
        RSORRES="CR",
    )
    one.marrow(84, "D84", BMBLAST=40.0, RSORRES="RELAPSE").alive(84).new_therapy(90).death(150)
    crs = {"AECAT": "CRS", "AEGRSYS": "ASTCT 2019", "AEDECOD": "Cytokine release syndrome", "CRSTEMP": 39.4}
    ended = {"AEENDTC": one.at(8), "AEIMPDTC": one.at(6), "AEOUT": "RECOVERED/RESOLVED"}
    one.event(2, 3, AERELUC="PROBABLE", AESER="Y", AESHOSP="Y", **crs, **ended)
    one.event(-4, 2, AERELCY="POSSIBLE", AEENDTC=one.at(-2), AEOUT="RECOVERED/RESOLVED")
    one.event(-10, 1).labs(
        7, "D7", NEUT=0.1, PLAT=12.0, HGB=78.0, ALT=250.0, BILI=40.0, CREAT=150.0, CRP=80.0
    )
    for day, value in ((-4.9, 1.2), (-3.9, 2.1), (-2.9, 2.6), (0, 1.1), (7, 0.5), (14, 0.2), (28, 0.06)):
        one.sample("CLLS52", day, value)
    one.sample("CLLS52", -5, None, blq=True).sample("CLLS52", 42, None, blq=True).sample(
        "CLLS52", 56, None, blq=True
    )
    for day, value in ((3, 900.0), (7, 9000.0), (10, 20000.0), (14, 8000.0), (28, 400.0)):
        one.sample("UCART22", day, value)
    one.sample("UCART22", 1, None, blq=True).sample("UCART22", 42, None, blq=True)
    two = Builder("002", infused=False, released="infection").screening().lymphodepletion()
    two.add("DS", None, DSDECOD="NOT INFUSED", DSSTDTC=two.day(0), DSTERM="infection")
    two.event(-3, 3, AECAT="INFECTION", AEDECOD="Sepsis", AERELCL="POSSIBLE", AESER="Y", AESHOSP="Y").death(
        12
    )
    three = (
        treated("003", dlt_status=DltStatus.NOT_EVALUABLE)
        .death(20, "OTHER")
        .labs(14, "D14", NEUT=0.0, PLAT=5.0)
    )
    three.event(18, 5, AESER="Y", AESDTH="Y", AEOUT="FATAL", AEENDTC=three.at(20), AEDECOD="Sepsis")
    four = treated("004", dlt_status=DltStatus.NO_DLT, dose_level=2)
    four.marrow(28, "D28").marrow(56, "D56").transplant(70).marrow(200, None, BMBLAST=30.0).alive(400)
    five = treated("005", regimen="FC", dlt_status=DltStatus.NO_DLT, dose_level=3)
    five.marrow(28, "D28", NEUT=0.2, PLAT=30.0).marrow(57, "D56", BMBLAST=None).marrow(87, "D84").alive(200)
    five.sample("UCART22", 7, None, blq=True).sample("UCART22", 14, None)
    six = Builder("006", dose_level=None, regimen=None, process=None, part="expansion")
    return make_state(*(b.built() for b in (one, two, three, four, five, six)))
