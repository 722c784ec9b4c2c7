"""Concentrations, parameters and laboratory values for the patients of ``example``."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from tests.unit.report.example import make_marrows
from tests.unit.report.example_course import Course, infusion, keys


def make_adpc(courses: Iterable[Course], rng: np.random.Generator) -> pl.DataFrame:
    """CLLS52 and UCART22 samples."""
    rows: list[dict[str, Any]] = []
    plans = {
        "CLLS52": (
            [
                -5.0,
                -4.9,
                -4.0,
                -3.9,
                -3.0,
                -2.9,
                -1.0,
                0.0,
                1.0,
                3.0,
                7.0,
                10.0,
                14.0,
                21.0,
                28.0,
                42.0,
                56.0,
            ],
            0.05,
            "ug/mL",
        ),
        "UCART22": ([1.0, 3.0, 7.0, 10.0, 14.0, 21.0, 28.0, 42.0, 56.0, 84.0], 50.0, "copies/ug DNA"),
    }
    for course in courses:
        if course.fate.infused is None:
            continue
        for analyte, (days, lloq, unit) in plans.items():
            if analyte == "CLLS52" and course.fate.cohort <= 2:
                continue
            for sequence, day in enumerate(d for d in days if d <= course.last):
                if analyte == "CLLS52":
                    doses = [
                        5.0 * 70 / course.weight * np.exp(-(day - s) * 0.13)
                        for s in (-4.9, -3.9, -2.9)
                        if day >= s
                    ]
                    value = sum(doses) * 0.17 * float(rng.lognormal(0, 0.15))
                else:
                    peak = 24000.0 if course.responds else 1500.0
                    value = (
                        peak
                        * np.exp(-abs(day - 10) * (0.6 if day < 10 else 0.16))
                        * float(rng.lognormal(0, 0.4))
                    )
                low = value < lloq
                rows.append(
                    keys(course.fate)
                    | {
                        "PARAMCD": analyte,
                        "AVAL": None if low else float(value),
                        "AVALU": unit,
                        "AVALC": "<LLOQ" if low else f"{value:.3g}",
                        "BLQFL": "Y" if low else "N",
                        "LLOQ": lloq,
                        "ARRLT": (day + (5 if analyte == "CLLS52" else 0)) * 24,
                        "NFRLT": (day + (5 if analyte == "CLLS52" else 0)) * 24,
                        "ARDY": day,
                        "PCTPT": f"Day {day:g}",
                        "SRCSEQ": sequence + 1,
                    }
                )
    return pl.DataFrame(rows, infer_schema_length=None)


def make_adpp(courses: Iterable[Course], rng: np.random.Generator) -> pl.DataFrame:
    """Parameters of both analytes; LAMZHL of one patient is not calculated."""
    rows: list[dict[str, Any]] = []
    for course in courses:
        if course.fate.infused is None:
            continue
        entries: list[tuple[str, str, float | None, str]] = []
        if course.fate.cohort > 2:
            spread = float(rng.lognormal(0, 0.1))
            entries += [
                ("CLLS52", "CMAX", 2.4 * 70 / course.weight * spread, "ug/mL"),
                ("CLLS52", "TMAX", 2.1, "day"),
                ("CLLS52", "AUC0_28", course.auc * 0.9, "day*ug/mL"),
                ("CLLS52", "AUC0_56", course.auc, "day*ug/mL"),
                ("CLLS52", "AUCLST", course.auc * 0.98, "day*ug/mL"),
                ("CLLS52", "TAT", course.auc / 4, "day"),
                ("CLLS52", "CDAY0", 1.3 * 70 / course.weight, "ug/mL"),
                ("CLLS52", "LAMZHL", None if course.fate.patient == "012" else 5.5 * spread, "day"),
            ]
        peak = (24000.0 if course.responds else 1500.0) * float(rng.lognormal(0, 0.5))
        entries += [
            ("UCART22", "CMAX", peak, "copies/ug DNA"),
            ("UCART22", "TMAX", 10.0, "day"),
            ("UCART22", "AUC0_28", peak * 9, "day*copies/ug DNA"),
            ("UCART22", "PERSDAYS", 35.0, "day"),
        ]
        for analyte, code, value, unit in entries:
            rows.append(
                keys(course.fate)
                | {
                    "ANALYTE": analyte,
                    "PARAMCD": code,
                    "PARAM": code,
                    "AVAL": value,
                    "AVALU": unit,
                    "AVALC": None if value else "NC",
                    "REASON": None if value else "Fewer than 3 points",
                }
            )
    return pl.DataFrame(rows, infer_schema_length=None)


def make_adlb(courses: Iterable[Course], rng: np.random.Generator) -> pl.DataFrame:
    """Lymphocytes, neutrophils and platelets, and the marrow blasts of the disease assessments."""
    rows: list[dict[str, Any]] = []
    for course in courses:
        zero = infusion(course.fate)
        rows += [
            keys(course.fate)
            | {
                "PARAMCD": "BMBLAST",
                "AVAL": record.values["BMBLAST"],
                "AVALU": "%",
                "ADT": date.fromisoformat(str(record.values["RSDTC"])),
                "ARDY": (date.fromisoformat(str(record.values["RSDTC"])) - zero).days,
                "AVISIT": "UNSCHEDULED",
                "ATOXGR": None,
                "SRCSEQ": 100 + place,
            }
            for place, record in enumerate(make_marrows(course.fate).values())
        ]
        for sequence, day in enumerate((-14, -5, 0, 1, 3, 7, 10, 14, 21, 28, 42, 56, 84)):
            if day > course.last or (day >= 0 and course.fate.infused is None):
                continue
            base = {"LYM": 1.2, "NEUT": 2.5, "PLAT": 90.0}
            for code, level in base.items():
                fall = 1.0 if day <= -5 else 0.02 + max(0.0, day - 10) / 120
                rows.append(
                    keys(course.fate)
                    | {
                        "PARAMCD": code,
                        "AVAL": float(level * fall * rng.lognormal(0, 0.3)),
                        "AVALU": "10*9/L",
                        "ADT": zero + timedelta(days=day),
                        "ARDY": day,
                        "AVISIT": f"D{day}",
                        "ATOXGR": None,
                        "SRCSEQ": sequence + 1,
                    }
                )
    return pl.DataFrame(rows, infer_schema_length=None)
