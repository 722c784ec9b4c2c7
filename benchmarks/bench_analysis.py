"""Analysis: profiles per second, one curve, all analyses of a study of 60 patients.

Against the limits of the roadmap.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from benchmarks.figure import Figure, best_of
from escalon.analysis.pk import cell_kinetics, derive_parameters, nca
from escalon.analysis.response import response_by_visit
from escalon.analysis.safety import incidence, max_grade, overview
from escalon.analysis.survival import (
    VisitWindow,
    derive_time_to_event,
    follow_up,
    kaplan_meier,
    load_analyses,
)

SAMPLES = [0, 2, 6, 12, 24, 26, 36, 48, 50, 72, 96, 120, 168, 240, 336, 504, 672, 1008, 1344]
OPTIONS = {"route": "infusion", "partial": [(0.0, 672.0), (0.0, 1344.0)], "threshold": 0.16}
N = 60


def profiles(n: int, samples: int) -> list[list[float]]:
    t = np.array(SAMPLES[:samples], dtype=float)
    noise = np.random.Generator(np.random.Philox(7)).lognormal(0, 0.2, (n, samples))
    return (2 * np.exp(-t / 200) * noise * (t > 0)).tolist()


def many_profiles(rows: list[list[float]]) -> None:
    for conc in rows:
        nca(SAMPLES, conc, dose=20, duration=2, dose_times=[0, 24, 48], lloq=0.05, **OPTIONS)


def study() -> dict[str, pl.DataFrame]:
    """Sixty patients with thirty events, eleven visits and a full concentration profile each."""
    rng = np.random.Generator(np.random.Philox(11))
    ids = [f"{i:03d}" for i in range(N)]
    adsl = pl.DataFrame({"USUBJID": ids, "TRT01A": [f"DL{i % 4 + 1}" for i in range(N)], "SAFFL": ["Y"] * N})
    events = 30 * N
    flags = {c: rng.choice(["Y", "N"], events).tolist() for c in ("AESER", "RELUC", "RELLD")}
    term = rng.integers(0, 80, events)
    adae = pl.DataFrame(
        {"USUBJID": ids * 30, "AEBODSYS": [f"S{x % 12}" for x in term], "AEDECOD": [f"T{x}" for x in term]}
        | flags
    ).with_columns(ATOXGRN=pl.Series(rng.integers(1, 6, events)))
    visits = [(u, f"V{k}", str(rng.choice(["CR", "NR"])), k) for u in ids for k in range(11)]
    facts = [(u, k, d) for u in ids for k, d in (("ORIGIN_TREATMENT", -5), ("ORIGIN_INFUSION", 0))]
    facts += [(u, "ASSESSMENT", d) for u in ids for d in (28, 56, 84, 183, 274)]
    facts += [(u, "PROGRESSION", int(d)) for u, d in zip(ids, rng.integers(285, 900, N), strict=True)]
    conc = [(u, "CLLS52", t, c, "ug/mL", 0.05) for u, row in zip(ids, profiles(N, 19), strict=True)
            for t, c in zip(SAMPLES, row, strict=True)]  # fmt: skip
    doses = [(u, float(t), 20.0, 2.0) for u in ids for t in (0, 24, 48)]
    return {
        "adsl": adsl, "adae": adae,
        "adrs": pl.DataFrame(visits, schema=["USUBJID", "AVISIT", "AVALC", "SRCSEQ"], orient="row"),
        "facts": pl.DataFrame(facts, schema=["USUBJID", "KIND", "ADT"], orient="row"),
        "conc": pl.DataFrame(conc, schema=["USUBJID", "PARAMCD", "TIME", "AVAL", "AVALU", "LLOQ"], orient="row"),
        "doses": pl.DataFrame(doses, schema=["USUBJID", "TIME", "DOSE", "DURATION"], orient="row"),
    }  # fmt: skip


def all_analyses(s: dict[str, pl.DataFrame]) -> None:
    overview(s["adae"], s["adsl"])
    incidence(s["adae"], s["adsl"], rows=("AEBODSYS", "AEDECOD"))
    max_grade(s["adae"], s["adsl"], rows=("AEBODSYS", "AEDECOD"))
    for to_date in (False, True):
        response_by_visit(s["adrs"], s["adsl"], [f"V{k}" for k in range(11)], to_date=to_date)
    visits = [VisitWindow(f"D{d}", d - 7, d + 7) for d in (28, 56, 84, 183, 274, 365, 457, 548, 639, 731)]
    analyses = load_analyses(horizon_day=731, missed=2, visits=visits)
    for (_,), rows in derive_time_to_event(s["facts"], analyses).drop_nulls("AVAL").group_by("PARAMCD"):
        event = (rows["CNSR"] == 0).to_numpy()
        kaplan_meier(rows["AVAL"], event).quantile(0.5)
        follow_up(rows["AVAL"], event).quantile(0.5)
    derive_parameters(s["conc"], s["doses"], **OPTIONS)
    days = [0, 3, 7, 10, 14, 21, 28, 42, 56]
    for _ in range(N):
        cell_kinetics(days, [0, 50, 900, 9000, 4000, 800, 300, 60, 0], "qPCR", "copies/ug", lloq=50)


def cpu_seconds(action: Callable[[], None], repeats: int = 3) -> float:
    """CPU time of the fastest call after a warm-up: other work on the machine does not count."""
    action()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        action()
        times.append(time.process_time() - start)
    return min(times)


def figures() -> Iterator[Figure]:
    rows = profiles(1000, 19)
    yield Figure("10,000 profiles of 19 samples, CPU", 10 * cpu_seconds(lambda: many_profiles(rows)), 2, "s")
    rng = np.random.Generator(np.random.Philox(3))
    days, event = rng.exponential(300, N), rng.random(N) < 0.6
    seconds = best_of(lambda: kaplan_meier(days, event).quantile(0.5), 200)
    yield Figure("Kaplan-Meier with interval, 60 patients", 1e3 * seconds, 1, "ms")
    s = study()
    yield Figure("all analyses of 60 patients", best_of(lambda: all_analyses(s), 2), 3, "s")
