import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from escalon.analysis.pk import AUC_METHODS, BlqRule, Exclusion, PkUnits, SlopeChoice, nca
from escalon.analysis.pk.areas import segment_areas

TIME = [0, 2, 6, 24, 48, 96, 168, 336]
CONC = [0, 2.0, 1.6, 1.1, 0.7, 0.3, 0.0, 0.0]


def infusion(**options):
    return nca(TIME, CONC, **({"dose": 20, "route": "infusion", "duration": 2, "lloq": 0.05} | options))


def test_linear_areas_by_hand():
    r = infusion(method="linear")
    auclast = 2 * 1.0 + 4 * 1.8 + 18 * 1.35 + 24 * 0.9 + 48 * 0.5
    assert r.value("AUCLST") == pytest.approx(auclast, rel=1e-14)
    assert r.value("AUCALL") == pytest.approx(auclast + 72 * 0.15, rel=1e-14)
    assert (r.value("CMAX"), r.value("TMAX"), r.value("TLST"), r.value("CLST")) == (2.0, 2.0, 96.0, 0.3)
    assert r.value("LAMZNPT") == 3
    lz = r.value("LAMZ")
    assert r.value("AUCIFO") == pytest.approx(auclast + 0.3 / lz, rel=1e-14)
    assert r.value("CLO") == pytest.approx(20 / r.value("AUCIFO"), rel=1e-14)
    assert r.value("VZO") == pytest.approx(r.value("CLO") / lz, rel=1e-14)


def test_one_compartment_infusion_is_recovered():
    """Exact after the end of infusion.

    The fine grid leaves only the error of the trapezoid during the infusion.
    """
    k, volume, dose, length = 0.01, 10.0, 20.0, 2.0
    t = np.concatenate([np.linspace(0, length, 401), np.arange(3.0, 1000, 3)])
    up = dose / length / (k * volume) * (1 - np.exp(-k * np.minimum(t, length)))
    r = nca(t, up * np.exp(-k * np.maximum(t - length, 0)), dose=dose, route="infusion", duration=length)
    assert r.value("LAMZ") == pytest.approx(k, rel=1e-10)
    assert r.value("CLO") == pytest.approx(k * volume, rel=1e-7)
    assert r.value("VSSO") == pytest.approx(volume, rel=1e-5)
    assert r.value("MRTICIFO") == pytest.approx(1 / k, rel=1e-5)


def test_slope_starts_after_the_end_of_the_last_infusion():
    t = [0, 2, 24, 26, 48, 49, 50, 72, 96, 120]
    c = [0, 1.0, 0.5, 1.4, 0.8, 2.0, 1.9, 1.2, 0.8, 0.5]
    r = nca(t, c, dose=20, route="infusion", duration=2, dose_times=[0, 24, 48])
    assert (r.value("LAMZLL"), r.value("LAMZNPT")) == (72.0, 3)
    assert r.value("CLO") == pytest.approx(60 / r.value("AUCIFO"))
    assert (
        r.reason("MRTICIFO") == r.reason("VSSO") == "several doses: a mean residence time belongs to one dose"
    )


@pytest.mark.parametrize(
    ("tail", "beyond"),
    [
        ("last", lambda r: 0.0),
        ("all", lambda r: 72 * 0.15),
        ("inf-obs", lambda r: 0.3 * (1 - math.exp(-r.value("LAMZ") * (336 - 96))) / r.value("LAMZ")),
        (
            "inf-pred",
            lambda r: r.value("CLSTP") * (1 - math.exp(-r.value("LAMZ") * (336 - 96))) / r.value("LAMZ"),
        ),
    ],
)
def test_the_tail_of_a_partial_area_is_declared(tail, beyond):
    r = infusion(tail=tail, partial=[(0, 336), (0, 96), (100, 120)])
    assert r.value("AUCINT", (0, 336)) == pytest.approx(r.value("AUCLST") + beyond(r), rel=1e-13)
    assert r.value("AUCINT", (0, 96)) == pytest.approx(r.value("AUCLST"), rel=1e-13)
    assert f"tail {tail}" in r.rows()[0]["PPANMETH"]
    inside = r.value("AUCINT", (100, 120))
    if tail == "last":
        assert inside == 0.0
    elif tail == "all":
        assert inside == pytest.approx(20 * 0.3 * (1 - 14 / 72), rel=1e-13)


def test_open_end_is_flagged():
    r = nca([0, 1, 2, 3, 4], [0, 4, 3, 2, 1], partial=[(0, 10)])
    assert r.flag("AUCINT") == "no sample after 4: the area stops there"


@pytest.mark.parametrize("method", AUC_METHODS)
def test_time_above_a_threshold(method):
    r = nca([0, 1, 2, 4], [0, 4, 1, 0.25], method=method, threshold=2.0)
    falling = 0.5 if method != "linear" else 2 / 3
    assert r.value("TAT") == pytest.approx(0.5 + falling)


def test_time_above_a_threshold_below_quantification_is_not_observable():
    r = infusion(lloq=0.5, threshold=0.16)
    assert r.value("TAT") is None
    assert r.reason("TAT") == "the threshold 0.16 lies below the limit of quantification 0.5"
    extrapolated = infusion(lloq=0.5, threshold=0.16, tail="inf-obs")
    assert extrapolated.value("TAT") > extrapolated.value("TLST")


def test_values_below_quantification_by_position():
    t, c = [0, 1, 2, 3, 4, 5, 6, 7], [0.01, 4, 0.01, 3, 2, 1, 0.01, 0.01]
    kept = {"method": "linear", "lloq": 0.1}
    assert nca(t, c, **kept).value("AUCLST") == pytest.approx(2 + 7 + 2.5 + 1.5)
    zero = nca(t, c, blq=BlqRule(between="zero"), **kept)
    assert zero.value("AUCLST") == pytest.approx(2 + 2 + 1.5 + 2.5 + 1.5)
    half = nca(t, c, blq=BlqRule("lloq/2", "lloq/2", "lloq/2"), **kept)
    assert half.value("AUCALL") == pytest.approx(
        (0.05 + 4) / 2 + 4.05 / 2 + 3.05 / 2 + 2.5 + 1.5 + 1.05 / 2 + 0.05
    )
    assert nca(t, c, blq=BlqRule(after="drop"), **kept).value("AUCALL") == pytest.approx(13.0)
    assert nca(t, c, **kept).n_blq == 4
    assert nca(t, c, blq=BlqRule(between="lloq"), **kept).value("LAMZNPT") == 3


def test_missing_is_not_below_quantification():
    r = nca([0, 1, 2, 3, 4, 5], [0, 4, None, 2, 1, float("nan")], method="linear")
    assert (r.n_missing, r.n_blq) == (2, 1)
    assert r.value("AUCALL") == pytest.approx(2 + 6 + 1.5)


def test_nothing_quantifiable_is_a_reason_everywhere():
    r = nca([0, 1], [0, 0.01], lloq=0.05, partial=[(0, 28)], threshold=0.16)
    assert r.table()["PPSTRESN"].null_count() == r.table().height
    assert r.reason("CMAX") == r.reason("AUCINT") == "all 2 samples are below quantification"
    assert nca([0, 1], [None, None]).reason("CMAX") == "no sample was measured"
    assert nca([], []).reason("CMAX") == "no sample was measured"


def test_a_reason_travels_to_what_depends_on_it():
    r = nca([0, 1, 2], [0, 4, 2], dose=10)
    for code in ("LAMZ", "LAMZHL", "AUCIFO", "CLFO", "VZFO", "AUCPEO"):
        assert r.reason(code) == "quantifiable samples after the peak: 1, needed: 3"
    rising = nca([0, 1, 2, 3, 4], [0, 9, 2, 3, 4])
    assert rising.reason("LAMZ") == "the concentration does not fall over any terminal window"
    assert nca([0, 1, 2, 3, 4], [0, 8, 4, 2, 1]).reason("CLFO") == "dose missing"
    assert r.reason("CLO") == "not a parameter of the route extravascular"


def test_doubtful_values_are_flagged():
    r = nca([0, 1, 2, 3, 4], [0, 8, 5, 4, 3.9], dose=10)
    assert r.flag("LAMZHL") == "R2 0.826 of the terminal slope is below 0.9"
    assert r.flag("AUCIFO").endswith("% of the area is extrapolated, above 20 %")
    assert r.flag("AUCLST") is None


def test_units_are_derived_and_applied():
    r = infusion(units=PkUnits("h", "ng/mL", "mg"))
    plain = infusion()
    assert (r.unit("CLO"), r.unit("VZO"), r.unit("AUCLST"), r.unit("LAMZ")) == ("L/h", "L", "h*ng/mL", "1/h")
    assert r.value("CLO") == pytest.approx(1000 * plain.value("CLO"))
    assert r.value("AUCLST") == plain.value("AUCLST")
    assert plain.unit("CLO") is None
    cells = nca(TIME, CONC, dose=5, units=PkUnits("day", "copies/ug", "cells"))
    assert cells.unit("VZFO") == "cells/(copies/ug)"


profiles = st.lists(st.tuples(st.floats(0.1, 50), st.floats(0.01, 100)), min_size=4, max_size=15)


@given(
    profiles,
    st.sampled_from(AUC_METHODS),
    st.sampled_from([0.5, 4.0, 24.0]),
    st.sampled_from([0.125, 2.0, 1000.0]),
)
def test_scaling_time_and_concentration(steps, method, time_scale, conc_scale):
    t = np.cumsum([s[0] for s in steps])
    c = np.array([s[1] for s in steps])
    one = nca(t, c, dose=3, method=method)
    other = nca(t * time_scale, c * conc_scale, dose=3, method=method)
    assert other.value("AUCLST") == pytest.approx(one.value("AUCLST") * time_scale * conc_scale, rel=1e-9)
    assert other.value("AUMCLST") == pytest.approx(
        one.value("AUMCLST") * time_scale**2 * conc_scale, rel=1e-9
    )
    assume(one.value("LAMZ") is not None and other.value("LAMZNPT") == one.value("LAMZNPT"))
    assert other.value("LAMZ") == pytest.approx(one.value("LAMZ") / time_scale, rel=1e-7)


@pytest.mark.parametrize("gap", [0.3, 1e-3, 1e-6, 1e-9, 1e-13, 2e-16])
def test_the_logarithmic_rule_survives_nearly_equal_ends(gap):
    """Area and moment tend to those of the constant; the textbook form is off by half at the last gap."""
    high, low = 100.0, 100.0 * (1 - gap)
    auc, aumc = segment_areas(5.0, high, 7.0, low, True)
    assert auc == pytest.approx(2 * (high + low) / 2, rel=gap**2 / 4 + 1e-15)
    assert aumc == pytest.approx(2 * (5 * high + 7 * low) / 2, rel=gap / 10 + 1e-15)


def test_a_cut_keeps_the_curve_of_its_segment():
    """On an exact exponential the area between any two times is known, samples there or not."""
    t = [0.0, 1.0, 5.0, 9.0]
    r = nca(t, [10 * math.exp(-0.3 * x) for x in t], route="bolus", partial=[(2, 3), (0.5, 7), (6, 9)])
    for a, b in ((2, 3), (0.5, 7), (6, 9)):
        exact = 10 / 0.3 * (math.exp(-0.3 * a) - math.exp(-0.3 * b))
        assert r.value("AUCINT", (a, b)) == pytest.approx(exact, rel=1e-12)


@given(profiles, st.sampled_from(AUC_METHODS), st.floats(0, 1))
def test_partial_areas_add_up(steps, method, share):
    t = np.cumsum([s[0] for s in steps])
    cut = float(share * t[-1])
    assume(0 < cut < t[-1])
    r = nca(t, [s[1] for s in steps], method=method, partial=[(0, cut), (cut, t[-1])])
    parts = r.value("AUCINT", (0, cut)) + r.value("AUCINT", (cut, t[-1]))
    assert parts == pytest.approx(r.value("AUCLST"), rel=1e-9)


@pytest.mark.parametrize(
    ("args", "options", "text"),
    [
        (([0, 2, 1], [1, 1, 1]), {}, "time\\[2\\] is 1 after 2: times must ascend"),
        (([0, 1, 1], [1, 1, 1]), {}, "two samples at one time"),
        (([-1, 1], [1, 1]), {}, "before the first dose"),
        (([0, float("nan")], [1, 1]), {}, "every sample needs its time"),
        (([0, 1], [1, -1]), {}, "0 or more"),
        (([0, 1], [1, "x"]), {}, "not a number"),
        (([0, 1], [1]), {}, "one concentration per time"),
        (([0, 1], [1, 1]), {"route": "oral"}, "route is 'oral'"),
        (([0, 1], [1, 1]), {"route": "infusion"}, "duration is missing"),
        (([0, 1], [1, 1]), {"route": "infusion", "duration": 0}, "lasts longer than 0"),
        (([0, 1], [1, 1]), {"duration": 2}, "only an infusion"),
        (([0, 1], [1, 1]), {"dose": 0}, "every dose is finite and above 0"),
        (([0, 1], [1, 1]), {"dose": [1, 2]}, "dose has 2 values"),
        (([0, 1], [1, 1]), {"dose_times": [2, 1]}, "ascending"),
        (([0, 1], [1, 1]), {"method": "log"}, "method is 'log'"),
        (([0, 1], [1, 1]), {"tail": "none"}, "tail is 'none'"),
        (([0, 1], [1, 1]), {"lloq": 0}, "lloq is 0"),
        (([0, 1], [1, 1]), {"partial": [(2, 2)]}, "start lies before the end"),
        (([0, 1], [1, 1]), {"threshold": 0}, "threshold is 0"),
        (([0, 1], [1, 1]), {"blq": BlqRule(between="lloq")}, "lloq is needed"),
    ],
)
def test_bad_input(args, options, text):
    with pytest.raises(ValueError, match=text):
        nca(*args, **options)


def test_bad_declarations():
    with pytest.raises(ValueError, match="before='half'"):
        BlqRule(before="half")
    with pytest.raises(ValueError, match="concentration without unit"):
        PkUnits("h", "")
    with pytest.raises(ValueError, match="time unit 'hours'"):
        PkUnits("hours", "ug/mL")
    with pytest.raises(ValueError, match="no parameter 'AUC'"):
        infusion().value("AUC")


def test_a_sample_before_the_dose_can_be_carried():
    r = nca([-0.5, 1, 2, 3, 4], [0.4, 4, 2, 1, 0.5], method="linear", predose="carry")
    assert r.value("AUCLST") == pytest.approx(2.2 + 3 + 1.5 + 0.75)
    assert r.notes == ("sample at -0.5 carried to the dose",)


def test_a_slope_chosen_by_a_person_is_replayed():
    choice = SlopeChoice((24, 48, 96), "first sample still distributes", "pk@site", "2024-05-01T10:00Z")
    r = infusion(slope=choice)
    assert (r.value("LAMZNPT"), r.value("LAMZLL")) == (3, 24.0)
    assert r.notes == ("terminal slope chosen by pk@site, 2024-05-01T10:00Z: first sample still distributes",)
    assert r.declared.slope is choice
    with pytest.raises(ValueError, match="no quantifiable sample at 168"):
        infusion(slope=SlopeChoice((48, 96, 168), "x"))
    with pytest.raises(ValueError, match="three or more samples"):
        SlopeChoice((48, 96), "x")
    rising = nca([0, 1, 2, 3], [0, 1, 2, 3], slope=SlopeChoice((1, 2, 3), "try"))
    assert rising.reason("LAMZ") == "the chosen samples do not fall"


def test_an_excluded_sample_leaves_its_reason():
    r = infusion(method="linear", exclude=[Exclusion(6, "haemolysed", "pk@site")])
    assert r.value("AUCLST") == pytest.approx(2 * 1.0 + 22 * 1.55 + 24 * 0.9 + 48 * 0.5)
    assert r.notes == ("sample at 6 excluded by pk@site: haemolysed",)
    assert r.excluded[0].user == "pk@site"
    with pytest.raises(ValueError, match="no sample at that time"):
        infusion(exclude=[Exclusion(7, "x")])


TWO = ([0, 2, 12, 26, 30, 48], [0, 4, 2, 5, 4, 1])


def test_a_dose_without_sample_before_it():
    options = {"dose": 10, "route": "infusion", "duration": 2, "dose_times": [0, 24], "method": "linear"}
    joined = nca(*TWO, partial=[(0, 12), (0, 24)], at=[12, 25], **options)
    assert joined.notes == ("no sample at the dose at 24: the area joins the samples around it",)
    assert joined.value("AUCINT", (0, 12)) == pytest.approx(4 + 30)
    assert (
        joined.reason("AUCINT", (0, 24))
        == "a dose at 24 lies between the samples at 12 and 26: no value at 24"
    )
    assert joined.value("CONCT", (12, 12)) == 2
    assert joined.reason("CONCT", (25, 25)).startswith("a dose at 24 lies")
    carried = nca(*TWO, partial=[(0, 24)], missing_predose="last", **options)
    assert carried.notes == ("no sample at the dose at 24: the value at 12 carried to it",)
    assert carried.value("AUCINT") == pytest.approx(4 + 30 + 24)


def test_concentration_at_a_time():
    r = infusion(at=[0, 1, 36, 96, 120, 400])
    found = [r.value("CONCT", (t, t)) for t in (0, 1, 36, 96)]
    assert found == pytest.approx([0, 1.0, math.sqrt(1.1 * 0.7), 0.3])
    assert r.reason("CONCT", (120, 120)) == "120 lies after the last quantifiable sample at 96"
    tail = infusion(at=[120, 400], tail="all")
    assert tail.value("CONCT", (120, 120)) == pytest.approx(0.3 * 48 / 72)
    assert tail.reason("CONCT", (400, 400)) == "400 lies after the last sample at 336"
    beyond = infusion(at=[400], tail="inf-pred")
    assert beyond.value("CONCT") == pytest.approx(
        beyond.value("CLSTP") * math.exp(-beyond.value("LAMZ") * 304)
    )


@pytest.mark.parametrize(
    ("start", "step", "side", "middle"),
    [(24.8, 2.4, 2.64, 3.18), (11.4, 4.7, 3.62, 0.22), (0.0, 1.0, 1.0, 2.0)],
)
def test_a_rise_that_cancels_the_fall_is_no_slope(start, step, side, middle):
    """The first two leave a slope of -2e-17: a half-life of a hundred billion years."""
    t = [start, *(start + 1 + k * step for k in range(3))]
    r = nca(t, [9.0, side, middle, side])
    assert r.reason("LAMZ") == "the concentration does not fall over any terminal window"


def test_lowest_and_trough_of_the_last_dosing_interval():
    t, c = [0, 12, 24, 30, 36, 50], [0, 4, 2, 6, 1, 0.5]
    r = nca(t, c, dose=10, dose_times=[0, 24], tau=24, method="linear")
    assert r.value("CMIN") == 1
    assert r.value("CTROUGH") == pytest.approx(1 - 0.5 * 12 / 14)
    below = nca(
        t, [*c[:-2], 0, 0.5], dose=10, dose_times=[0, 24], tau=24, lloq=0.1, blq=BlqRule(between="zero")
    )
    assert below.value("CMIN") == 0
    short = nca(t, c, dose=10, dose_times=[0, 24], tau=48)
    assert short.reason("CMIN") == "no sample from 72 on: the interval is not covered"
    assert short.reason("CTROUGH") == "72 lies after the last quantifiable sample at 50"
    assert nca(t, c, dose=10).reason("CMIN") == "not asked for"


def test_accumulation_over_a_dosing_interval():
    t, c = [0, 12, 24, 36, 48], [0, 4, 2, 6, 3]
    r = nca(t, c, dose=10, dose_times=[0, 24], tau=24, method="linear")
    assert r.value("ARAUC") == pytest.approx((48 + 54) / (24 + 36))
    assert r.value("ARCMAX") == 1.5
    assert r.value("CAVG") == pytest.approx((48 + 54) / 24)
    assert (
        nca(t, c, dose=[10, 20], dose_times=[0, 24], tau=24).reason("ARAUC")
        == "the first and the last dose differ"
    )
    assert nca(t, c, dose=10, tau=24).reason("ARCMAX") == "one dose only"
    assert r.reason("TAT") == "not asked for"
    assert (r.value("CMIN"), r.value("CTROUGH")) == (2, 3)
    assert (r.get("CMIN").start, r.get("CMIN").end) == (24, 48)
    with pytest.raises(ValueError, match="tau is 0"):
        nca(t, c, tau=0)


def test_the_reference_infusion_course():
    """Three infusions of 20 mg on consecutive days, sampled to day 56 after the cells (hour 1464)."""
    t = [0, 2, 24, 26, 48, 50, 72, 96, 120, 168, 288, 456, 792, 1128, 1464]
    k, v = math.log(2) / (6 * 24), 12.0

    def at(x):
        return sum(
            20 / 2 / (k * v) * (1 - math.exp(-k * min(x - d, 2))) * math.exp(-k * max(x - d - 2, 0))
            for d in (0, 24, 48)
            if x > d
        )

    c = [0.0 if at(x) < 0.05 else at(x) for x in t]
    r = nca(t, c, dose=20, route="infusion", duration=2, dose_times=[0, 24, 48], lloq=0.05, partial=[(0, 1464)],
            threshold=0.16, tail="inf-obs", units=PkUnits("h", "ug/mL", "mg"))  # fmt: skip
    assert r.value("TMAX") == 50
    assert r.value("LAMZ") == pytest.approx(k, rel=1e-9)
    # The trapezoid is exact on the falling part; during the infusions it misses below half a percent.
    assert r.value("CLO") == pytest.approx(k * v, rel=5e-3)
    assert r.unit("CLO") == "L/h"
    peak = at(50)
    assert r.value("TAT") == pytest.approx(50 + math.log(peak / 0.16) / k, abs=2)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"dose": float("inf")}, "every dose is finite"),
        ({"duration": float("inf")}, "every infusion lasts|finite"),
        ({"duration": "2"}, "duration is '2'"),
        ({"dose": "20"}, "dose is '20'"),
        ({"lloq": "0.05"}, "lloq is '0.05'"),
        ({"partial": [5]}, "pairs of times"),
        ({"at": [float("nan")]}, "at holds a time"),
        ({"dose_times": [float("nan")]}, "strictly ascending"),
        ({"tau": float("nan")}, "tau is nan"),
    ],
)
def test_what_has_no_reading_is_refused(options, text):
    with pytest.raises(ValueError, match=text):
        nca([0, 2, 4], [0, 1, 0.5], **({"dose": 20, "route": "infusion", "duration": 2} | options))


def test_an_exclusion_states_its_reason():
    with pytest.raises(ValueError, match="sample at 1 has no reason"):
        Exclusion(1, "")


@pytest.mark.parametrize("options", [{"partial": [(5, 2)]}, {"threshold": -1}, {"tau": 0}])
def test_a_wrong_question_is_refused_without_any_quantifiable_sample(options):
    with pytest.raises(ValueError, match=r"the start lies before|above 0"):
        nca([0, 2, 4], [0, 0, 0], **options)


def test_the_slope_starts_after_the_longest_infusion_has_ended():
    """The first infusion runs past the second one; samples on it do not enter."""
    times, conc = [0, 2, 9, 11, 12, 13], [0, 9, 8, 4, 2, 1]
    r = nca(times, conc, dose=1, route="infusion", duration=[10, 1], dose_times=[0, 2])
    assert (r.value("LAMZLL"), r.value("LAMZNPT")) == (11.0, 3.0)
