"""Data sets of published analyses, read once."""

import csv
from functools import cache
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"


@cache
def lung():
    """Time in days, dead, sex (1 male, 2 female) and the other columns of R's lung."""
    with (DATA / "lung.csv").open() as file:
        rows = list(csv.DictReader(file))
    time = np.array([float(r["time"]) for r in rows])
    return time, np.array([r["status"] == "1" for r in rows]), np.array([int(r["sex"]) for r in rows])


# R survival data set aml (Miller 1981): remission of acute myelogenous leukemia in weeks, + censored.
AML = {
    "Maintained": "9 13 13+ 18 23 28+ 31 34 45+ 48 161+",
    "Nonmaintained": "5 5 8 8 12 16+ 23 27 30 33 43 45",
}


def parse_times(text):
    """Times and events from "9 13 13+"."""
    words = text.split()
    return [float(w.rstrip("+")) for w in words], np.array([not w.endswith("+") for w in words])


@cache
def profiles(name, time_column):
    """Subject -> (times, concentrations) of nca/NAME.csv."""
    out = {}
    with (DATA / "nca" / f"{name}.csv").open() as file:
        for row in csv.DictReader(file):
            t, c = out.setdefault(row["Subject"], ([], []))
            t.append(float(row[time_column]))
            c.append(float(row["conc"]))
    return out


@cache
def winnonlin(name):
    """Rows of one WinNonlin result file as mappings of text."""
    with (DATA / "nca" / f"Final_Parameters_Pivoted_{name}.csv").open() as file:
        return list(csv.DictReader(file))
