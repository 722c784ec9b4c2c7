from datetime import timedelta

import polars as pl
import pytest

from escalon.datasets import build_adam, build_sdtm
from escalon.datasets.adam.adtte import study_analyses
from tests.unit.datasets.cases import INFUSION, Builder, make_state, study, treated


def adtte(builder, rules=None) -> dict[str, dict]:
    state, plan = make_state(builder.built()), rules or study()
    frame = build_adam(build_sdtm(state, plan), state, plan)["ADTTE"]
    return {row["PARAMCD"]: row for row in frame.iter_rows(named=True)}


def result(row: dict) -> tuple:
    return row["AVAL"], row["CNSR"], row["RULEID"]


def with_rules(**changes):
    plan = study()
    return plan.model_copy(update={"time_to_event": plan.time_to_event.model_copy(update=changes)})


def test_the_settings_of_the_study_reach_every_analysis():
    analyses = study_analyses(study())
    codes = ["DOR", "DORS", "DORC", "PFS", "PFSS", "PFSI", "OS", "OSI"]
    assert [a.paramcd for a in analyses] == codes
    assert {(a.horizon_day, a.missed, len(a.visits)) for a in analyses} == {(731, 2, 11)}
    assert [(v.name, v.opens, v.closes) for v in analyses[0].visits[:3]] == [
        ("D28", 25, 31),
        ("D56", 49, 63),
        ("D84", 77, 91),
    ]


@pytest.mark.parametrize(
    ("build", "pfs"),
    [
        # A gap needs two missed visits whose windows have closed: D56 and the pair D84/M3 (closes on day 98).
        (lambda b: b.marrow(28).marrow(98, BMBLAST=50.0), (103.0, 0, "PROGRESSION")),
        (lambda b: b.marrow(28).marrow(99, BMBLAST=50.0), (33.0, 4, "MISSED_VISITS")),
        (lambda b: b.marrow(28).marrow(60, BMBLAST=None).death(120), (33.0, 4, "MISSED_VISITS")),
        (lambda b: b.marrow(28).marrow(70).death(120), (125.0, 0, "DEATH")),
        (lambda b: b.marrow(28).marrow(49).death(150), (155.0, 0, "DEATH")),
        (lambda b: b.death(63), (68.0, 0, "DEATH")),
        (lambda b: b.death(64), (0.0, 4, "MISSED_VISITS")),
        (lambda b: b.death(100), (0.0, 4, "MISSED_VISITS")),
        # Therapy: the earliest decides, at the last adequate assessment before it.
        (
            lambda b: b.marrow(28).new_therapy(40).marrow(56).transplant(70).death(90),
            (33.0, 3, "NEW_THERAPY"),
        ),
        (lambda b: b.marrow(28).transplant(40).marrow(56).new_therapy(70).death(90), (33.0, 2, "TRANSPLANT")),
        (
            lambda b: b.marrow(28, BMBLAST=50.0).marrow(56, BMBLAST=90.0).new_therapy(56),
            (61.0, 0, "PROGRESSION"),
        ),
        (lambda b: b.new_therapy(20), (0.0, 3, "NEW_THERAPY")),
        # Horizon: day 731 after the infusion is day 736 from the first dose.
        (lambda b: _followed(b).death(731), (736.0, 0, "DEATH")),
        (lambda b: _followed(b).death(732), (736.0, 5, "HORIZON")),
        (lambda b: _followed(b).marrow(745), (736.0, 5, "HORIZON")),
        (lambda b: _followed(b), (644.0, 1, "LAST_ASSESSMENT")),
        (lambda b: _followed(b).marrow(731), (736.0, 1, "LAST_ASSESSMENT")),
        (lambda b: b.alive(900), (0.0, 6, "NOT_ASSESSED")),
    ],
)
def test_progression_free_survival(build, pfs):
    assert result(adtte(build(treated("001")))["PFS"]) == pfs


def _followed(builder: Builder) -> Builder:
    for day in (28, 56, 84, 91, 183, 274, 365, 457, 548, 639):
        builder.marrow(day)
    return builder


def test_sensitivity_ignores_transplant_therapy_and_gaps_but_not_the_horizon():
    builder = treated("001").marrow(28).new_therapy(40).transplant(60).death(500)
    found = adtte(builder)
    assert result(found["PFS"]) == (33.0, 3, "NEW_THERAPY")
    assert result(found["PFSS"]) == (505.0, 0, "DEATH")
    assert result(found["DORS"]) == (472.0, 0, "DEATH")
    assert result(adtte(treated("001").marrow(28).death(800))["PFSS"]) == (736.0, 5, "HORIZON")


def test_switches_of_the_study_turn_censoring_off():
    builder = treated("001").marrow(28).transplant(40).marrow(56).new_therapy(70).death(90)
    both = adtte(builder, with_rules(censor_at_transplant=False, censor_at_new_therapy=False))
    assert result(both["PFS"]) == (95.0, 0, "DEATH")
    assert result(adtte(builder, with_rules(censor_at_transplant=False))["PFS"]) == (61.0, 3, "NEW_THERAPY")


def test_origin_is_a_parameter():
    builder = treated("001").marrow(28).death(50)
    found = adtte(builder, with_rules(origin="first_ucart22"))
    assert (found["PFS"]["AVAL"], found["OS"]["AVAL"]) == (50.0, 50.0)
    assert (found["PFS"]["SRCDOM"], found["PFS"]["STARTDT"]) == ("DS", INFUSION.date())


def test_overall_survival_is_never_censored_at_therapy_or_gaps():
    found = adtte(treated("001").transplant(20).new_therapy(30).death(400))
    assert result(found["OS"]) == (405.0, 0, "DEATH")
    assert result(found["OSI"]) == (400.0, 0, "DEATH")


def test_overall_survival_uses_the_last_record_that_shows_life():
    found = adtte(treated("001").alive(40).labs(60, NEUT=1.0).alive(50))
    assert result(found["OS"]) == (65.0, 1, "LAST_ALIVE")
    assert (found["OS"]["SRCDOM"], found["OS"]["SRCVAR"]) == ("LB", "LBDTC")
    assert result(adtte(treated("001").alive(900))["OS"]) == (736.0, 5, "HORIZON")


def test_never_infused_counts_from_lymphodepletion_without_response_or_infusion_parameters():
    builder = Builder("001", infused=False).screening().lymphodepletion().death(12)
    found = adtte(builder)
    assert sorted(found) == ["OS", "PFS", "PFSS"]
    assert result(found["OS"]) == (17.0, 0, "DEATH")
    assert found["OS"]["SAFFL"] == "N"


def test_progression_and_death_on_one_day_is_progression():
    found = adtte(treated("001").marrow(28, BMBLAST=90.0).death(28))
    assert result(found["PFS"]) == (33.0, 0, "PROGRESSION")


def test_response_after_new_therapy_starts_no_duration():
    assert "DOR" not in adtte(treated("001").new_therapy(10).marrow(28))


def test_numerator_without_mlfs_starts_later():
    plan = study()
    narrow = plan.model_copy(
        update={"response": plan.response.model_copy(update={"numerator": ("CR", "CRi")})}
    )
    builder = treated("001").marrow(28, NEUT=0.2, PLAT=20.0).marrow(56).death(100)
    assert adtte(builder)["DOR"]["AVAL"] == 72.0
    assert adtte(builder, narrow)["DOR"]["AVAL"] == 44.0


def test_values_are_dates_apart_and_months_of_the_study(adam):
    frame = adam["ADTTE"]
    days = (frame["ADT"] - frame["STARTDT"]).dt.total_days()
    assert (frame["AVAL"] == days).all()
    assert (frame["AVALM"] - frame["AVAL"] / 30.4375).abs().max() < 1e-12
    assert frame.height == 32


def test_every_record_says_why_and_every_censoring_what_date(adam):
    frame = adam["ADTTE"]
    assert frame["EVNTDESC"].null_count() == 0
    assert (frame["CNSDTDSC"].is_null() == (frame["CNSR"] == 0)).all()
    assert frame.group_by("EVNTDESC").agg(pl.col("CNSR").n_unique())["CNSR"].max() == 1


def test_no_source_is_an_orphan_and_its_date_is_the_analysis_date(sdtm, adam):
    for row in adam["ADTTE"].iter_rows(named=True):
        domain, variable = row["SRCDOM"], row["SRCVAR"]
        parent = sdtm[domain].filter(
            (pl.col("USUBJID") == row["USUBJID"]) & (pl.col(f"{domain}SEQ") == row["SRCSEQ"])
        )
        assert parent.height == 1, row
        dates = {parent[variable][0][:10]}
        if row["RULEID"] != "HORIZON":
            assert row["ADT"].isoformat() in dates, row


def test_the_sentence_fits_a_transport_value_and_names_the_rule(adam):
    frame = adam["ADTTE"]
    assert frame["SENTENCE"].str.len_bytes().max() <= 200
    for code, rule, days, sentence in frame.select("PARAMCD", "RULEID", "AVAL", "SENTENCE").iter_rows():
        assert sentence.startswith(f"{code} ")
        assert f" {days:.0f} days from " in sentence
        assert f"({rule}, " in sentence


def test_horizon_date_is_counted_from_the_infusion():
    row = adtte(_followed(treated("001")).death(800))["PFSI"]
    assert row["ADT"] == INFUSION.date() + timedelta(days=731)
    assert result(row) == (731.0, 5, "HORIZON")


def test_a_response_after_the_time_frame_has_no_duration_inside_it():
    found = adtte(treated("001").marrow(735).marrow(745, BMBLAST=50.0))
    assert result(found["DOR"]) == (0.0, 5, "HORIZON")
    assert found["DOR"]["ADT"] == INFUSION.date() + timedelta(days=735)
