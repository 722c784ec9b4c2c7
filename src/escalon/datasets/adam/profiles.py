"""Concentration profiles of ADPC on the clock of the analyte's product, after the choices of a person."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from escalon.analysis.pk.profile import SlopeChoice
from escalon.datasets.adam.sources import Frames, Row, as_moment, by_patient
from escalon.protocol.pk_choices import PK_CHOICES_FILE, PkChoice, PkChoices
from escalon.protocol.study import Study

__all__ = ["SAME_HOURS", "Profile", "read_profiles"]

SAME_HOURS = 0.01
"""Hours within which a choice means a sample: more than the rounding of a printed time, less than a minute."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Samples of one patient and analyte on the clock of its first dose (hours), with the PC record of each.

    ``slope``: samples a person chose for the terminal slope; ``choices``: all choices that were applied.
    """

    usubjid: str
    analyte: str
    hours: list[float]
    values: list[float | None]
    seqs: list[int]
    doses: list[Row]
    infused: datetime | None
    reference: datetime
    unit: str
    method: str
    slope: SlopeChoice | None = None
    choices: tuple[PkChoice, ...] = ()

    def source(self, hours: float | None) -> Row:
        """Return the source of the sample at ``hours``; none when no sample is there."""
        for time, seq in zip(self.hours, self.seqs, strict=True):
            if hours is not None and abs(time - hours) < 1e-9:
                return {"SRCDOM": "PC", "SRCVAR": "PCSTRESN", "SRCSEQ": seq}
        return {}

    def infusions(self) -> tuple[list[float], list[float]]:
        """Start and length of every administration, in hours from the first."""
        starts: list[float] = []
        lengths: list[float] = []
        for row in self.doses:
            start, end = as_moment(row["EXSTDTC"]), as_moment(row["EXENDTC"])
            assert start is not None, "a dose has its time"
            assert end is not None, "a dose has its end"
            starts.append((start - self.reference).total_seconds() / 3600.0)
            lengths.append((end - start).total_seconds() / 3600.0)
        return starts, lengths

    def told(self) -> Row:
        """Return CHOICE, CHOICEBY and CHOICEDT: what a person chose and why, who, when; empty without a choice."""
        if not self.choices:
            return {}
        moments = [f"{one.decided_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for one in self.choices]
        return {
            "CHOICE": "; ".join(one.describe() for one in self.choices)[:200],
            "CHOICEBY": "; ".join(dict.fromkeys(one.user for one in self.choices))[:200],
            "CHOICEDT": "; ".join(dict.fromkeys(moments))[:200],
        }


def read_profiles(
    sdtm: Frames, adsl: pl.DataFrame, adpc: pl.DataFrame, study: Study, choices: PkChoices
) -> list[Profile]:
    """Return the profiles of both analytes, in order of analyte and patient, with the choices applied.

    Raises ValueError, naming the choice, when it means a profile or a sample that is not there, leaves no sample, or
    puts a sample below quantification into a slope.
    """
    infused = dict(adsl.select("USUBJID", "INFDTM").iter_rows())
    subjects = dict(adsl.select("USUBJID", "SUBJID").iter_rows())
    doses = by_patient(sdtm["EX"])
    made: dict[tuple[str, str], list[tuple[int, PkChoice]]] = {}
    for place, one in enumerate(choices.choices):
        made.setdefault((one.patient, one.analyte), []).append((place, one))
    profiles: list[Profile] = []
    for analyte in (study.pharmacokinetics.analyte, study.cell_kinetics.analyte):
        samples = by_patient(adpc.filter(PARAMCD=analyte, ANL01FL="Y"))
        for usubjid, own in samples.items():
            # A sample used has its reference: some of the product was given (see PCRFTDTC).
            given = [row for row in doses.get(usubjid, []) if row["EXTRT"] == analyte and row["EXDOSE"] > 0]
            profile = _profile(usubjid, analyte, own, given, infused[usubjid])
            profiles.append(_chosen(profile, made.pop((subjects[usubjid], analyte), [])))
    _check_used(made)
    return profiles


def _check_used(left: Mapping[tuple[str, str], list[tuple[int, PkChoice]]]) -> None:
    for (patient, analyte), own in left.items():
        raise ValueError(
            f"{PK_CHOICES_FILE}: choices.{own[0][0]}: patient {patient} has no {analyte} profile in the data; "
            "name a patient and an analyte with samples, or remove the choice"
        )


def _profile(
    usubjid: str, analyte: str, own: list[Row], given: list[Row], infused: datetime | None
) -> Profile:
    reference = as_moment(min(row["EXSTDTC"] for row in given))
    assert reference is not None, "a dose has its time"
    return Profile(
        usubjid,
        analyte,
        [row["ARRLT"] for row in own],
        [0.0 if row["BLQFL"] == "Y" else row["AVAL"] for row in own],
        [row["SRCSEQ"] for row in own],
        given,
        infused,
        reference,
        own[0]["AVALU"],
        own[0]["PCMETHOD"],
    )


def _chosen(profile: Profile, made: list[tuple[int, PkChoice]]) -> Profile:
    """Take samples out and name those of the slope, as the choices say."""
    out: set[int] = set()
    slope: SlopeChoice | None = None
    for place, one in made:
        found = [_sample(profile, hour, place) for hour in one.hours]
        if one.use == "exclude":
            out |= set(found)
            continue
        below = [profile.hours[i] for i in found if not profile.values[i]]
        if below:
            raise ValueError(
                f"{PK_CHOICES_FILE}: choices.{place}: the sample at {below[0]:.2f} h is below quantification; "
                "a slope is fitted to quantifiable samples"
            )
        times = tuple(profile.hours[i] for i in found)
        slope = SlopeChoice(times, one.reason, one.user, one.decided_at.isoformat())
    kept = [i for i in range(len(profile.hours)) if i not in out]
    if not kept:
        raise ValueError(
            f"{PK_CHOICES_FILE}: choices.{made[0][0]}: every {profile.analyte} sample of the patient is excluded; "
            "a profile keeps at least one"
        )
    return replace(
        profile,
        hours=[profile.hours[i] for i in kept],
        values=[profile.values[i] for i in kept],
        seqs=[profile.seqs[i] for i in kept],
        slope=slope,
        choices=tuple(one for _, one in made),
    )


def _sample(profile: Profile, hour: float, place: int) -> int:
    """Index of the sample a choice means."""
    near = min(range(len(profile.hours)), key=lambda i: abs(profile.hours[i] - hour))
    if abs(profile.hours[near] - hour) > SAME_HOURS:
        raise ValueError(
            f"{PK_CHOICES_FILE}: choices.{place}: {profile.usubjid} has no {profile.analyte} sample at {hour:g} h; "
            f"the nearest is at {profile.hours[near]:.2f} h (ADPC.ARRLT)"
        )
    return near
