"""The parameters, each one function and one declaration.

A declaration names the CDISC code, the name, the kind of unit, what it needs and how it is summarised.

Formulas: AUCinf,obs = AUClast + Clast/lz; pred takes the regression value at Tlast; percent extrapolated
100 (1 - AUClast/AUCinf); AUMCinf adds Tlast C/lz + C/lz^2; CL = total dose / AUCinf; Vz = CL/lz; MRT =
AUMC/AUC - duration/2; Vss = CL MRT. Moments count from the first dose; MRT and Vss are defined for one dose
only. Codes: CDISC SDTM terminology PKPARMCD.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from escalon.analysis.pk.profile import Profile

__all__ = ["PARAMETERS", "Parameter", "parameters_of"]

Values = Mapping[str, float]
Compute = Callable[[Profile, Values], "float | str"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """``compute`` gets the profile and the values of ``needs``; it returns a number or a reason."""

    code: str
    name: str
    kind: str
    needs: tuple[str, ...]
    compute: Compute
    routes: tuple[str, ...] = ("infusion", "bolus", "extravascular")
    summary: str = "geometric"


def _slope(name: str) -> Compute:
    def compute(p: Profile, v: Values) -> float | str:
        return p.slope_reason if p.slope is None else float(getattr(p.slope, name))

    return compute


def _correlation(p: Profile, v: Values) -> float | str:
    return p.slope_reason if p.slope is None else -(p.slope.r2**0.5)


def _span(p: Profile, v: Values) -> float | str:
    return p.slope_reason if p.slope is None else (p.slope.upper - p.slope.lower) / p.slope.half_life


def _clast_predicted(p: Profile, v: Values) -> float | str:
    return p.slope_reason if p.slope is None else p.slope.predict(p.tlast)


def _auc_inf(clast: str) -> Compute:
    return lambda p, v: v["AUCLST"] + v[clast] / v["LAMZ"]


def _aumc_inf(clast: str) -> Compute:
    return lambda p, v: v["AUMCLST"] + (p.tlast - p.start) * v[clast] / v["LAMZ"] + v[clast] / v["LAMZ"] ** 2


def _percent_beyond(part: str, whole: str) -> Compute:
    return lambda p, v: 100.0 * (1.0 - v[part] / v[whole])


def _back_extrapolated(whole: str) -> Compute:
    def compute(p: Profile, v: Values) -> float | str:
        if p.first_measured <= p.start:
            return 0.0
        first = p.areas[1]
        return 100.0 * first / v[whole]

    return compute


def _per_dose(code: str) -> Compute:
    def compute(p: Profile, v: Values) -> float | str:
        dose = p.declared.total_dose
        if dose is None:
            return "dose missing"
        if len(p.declared.dose_times) > 1 and code == "CMAX":
            return "several doses: the peak belongs to no single dose"
        return v[code] / dose

    return compute


def _clearance(area: str) -> Compute:
    def compute(p: Profile, v: Values) -> float | str:
        dose = p.declared.total_dose
        return "dose missing" if dose is None else dose / v[area]

    return compute


def _quotient(upper: str, lower: str) -> Compute:
    return lambda p, v: v[upper] / v[lower]


def _residence(moment: str, area: str) -> Compute:
    def compute(p: Profile, v: Values) -> float | str:
        if len(p.declared.dose_times) > 1:
            return "several doses: a mean residence time belongs to one dose"
        return v[moment] / v[area] - p.declared.durations[0] / 2.0

    return compute


def _product(one: str, other: str) -> Compute:
    return lambda p, v: v[one] * v[other]


def _bolus_start(p: Profile, v: Values) -> float | str:
    return "not a bolus" if p.c0 is None else p.c0


_IV, _BOLUS, _INFUSION, _EV = ("infusion", "bolus"), ("bolus",), ("infusion",), ("extravascular",)


def _residence_block(prefix: str, routes: tuple[str, ...], words: str) -> tuple[Parameter, ...]:
    """Mean residence times of one route."""
    return (
        Parameter(f"{prefix}LST", f"MRT {words} to Last Nonzero Conc", "time", ("AUMCLST", "AUCLST"),
                  _residence("AUMCLST", "AUCLST"), routes),
        Parameter(f"{prefix}IFO", f"MRT {words} Infinity Obs", "time", ("AUMCIFO", "AUCIFO"),
                  _residence("AUMCIFO", "AUCIFO"), routes),
        Parameter(f"{prefix}IFP", f"MRT {words} Infinity Pred", "time", ("AUMCIFP", "AUCIFP"),
                  _residence("AUMCIFP", "AUCIFP"), routes),
    )  # fmt: skip


PARAMETERS: tuple[Parameter, ...] = (
    Parameter("CMAX", "Max Conc", "conc", (), lambda p, v: p.cmax),
    Parameter("CMAXD", "Max Conc Norm by Dose", "conc per dose", ("CMAX",), _per_dose("CMAX")),
    Parameter("TMAX", "Time of CMAX", "time", (), lambda p, v: p.tmax, summary="median"),
    Parameter("TLAG", "Time Until First Nonzero Conc", "time", (), lambda p, v: p.tlag, _EV, "median"),
    Parameter("C0", "Initial Conc", "conc", (), _bolus_start, _BOLUS),
    Parameter("TLST", "Time of Last Nonzero Conc", "time", (), lambda p, v: p.tlast, summary="median"),
    Parameter("CLST", "Last Nonzero Conc", "conc", (), lambda p, v: p.clast),
    Parameter("CLSTP", "Last Nonzero Conc Pred", "conc", (), _clast_predicted),
    Parameter("LAMZ", "Lambda z", "rate", (), _slope("lambda_z")),
    Parameter("LAMZHL", "Half-Life Lambda z", "time", (), _slope("half_life")),
    Parameter("LAMZNPT", "Number of Points for Lambda z", "number", (), _slope("n"), summary="median"),
    Parameter("LAMZLL", "Lambda z Lower Limit", "time", (), _slope("lower"), summary="median"),
    Parameter("LAMZUL", "Lambda z Upper Limit", "time", (), _slope("upper"), summary="median"),
    Parameter("LAMZSPN", "Lambda z Span", "number", (), _span, summary="median"),
    Parameter("R2", "R Squared", "number", (), _slope("r2"), summary="median"),
    Parameter("R2ADJ", "R Squared Adjusted", "number", (), _slope("r2_adjusted"), summary="median"),
    Parameter(
        "CORRXY", "Correlation Between TimeX and Log ConcY", "number", (), _correlation, summary="median"
    ),
    Parameter("AUCLST", "AUC to Last Nonzero Conc", "auc", (), lambda p, v: p.auc_last),
    Parameter("AUCALL", "AUC All", "auc", (), lambda p, v: p.auc_all),
    Parameter("AUCIFO", "AUC Infinity Obs", "auc", ("AUCLST", "CLST", "LAMZ"), _auc_inf("CLST")),
    Parameter("AUCIFP", "AUC Infinity Pred", "auc", ("AUCLST", "CLSTP", "LAMZ"), _auc_inf("CLSTP")),
    Parameter("AUCIFOD", "AUC Infinity Obs Norm by Dose", "auc per dose", ("AUCIFO",), _per_dose("AUCIFO")),
    Parameter("AUCIFPD", "AUC Infinity Pred Norm by Dose", "auc per dose", ("AUCIFP",), _per_dose("AUCIFP")),
    Parameter(
        "AUCPEO",
        "AUC %Extrapolation Obs",
        "percent",
        ("AUCLST", "AUCIFO"),
        _percent_beyond("AUCLST", "AUCIFO"),
    ),
    Parameter(
        "AUCPEP",
        "AUC %Extrapolation Pred",
        "percent",
        ("AUCLST", "AUCIFP"),
        _percent_beyond("AUCLST", "AUCIFP"),
    ),
    Parameter(
        "AUCPBEO", "AUC %Back Extrapolation Obs", "percent", ("AUCIFO",), _back_extrapolated("AUCIFO"), _BOLUS
    ),
    Parameter(
        "AUCPBEP",
        "AUC %Back Extrapolation Pred",
        "percent",
        ("AUCIFP",),
        _back_extrapolated("AUCIFP"),
        _BOLUS,
    ),
    Parameter("AUMCLST", "AUMC to Last Nonzero Conc", "aumc", (), lambda p, v: p.aumc_last),
    Parameter("AUMCIFO", "AUMC Infinity Obs", "aumc", ("AUMCLST", "CLST", "LAMZ"), _aumc_inf("CLST")),
    Parameter("AUMCIFP", "AUMC Infinity Pred", "aumc", ("AUMCLST", "CLSTP", "LAMZ"), _aumc_inf("CLSTP")),
    Parameter(
        "AUMCPEO",
        "AUMC %Extrapolation Obs",
        "percent",
        ("AUMCLST", "AUMCIFO"),
        _percent_beyond("AUMCLST", "AUMCIFO"),
    ),
    Parameter(
        "AUMCPEP",
        "AUMC % Extrapolation Pred",
        "percent",
        ("AUMCLST", "AUMCIFP"),
        _percent_beyond("AUMCLST", "AUMCIFP"),
    ),
    *_residence_block("MRTIB", _BOLUS, "IV Bolus"),
    *_residence_block("MRTIC", _INFUSION, "IV Cont Inf"),
    *_residence_block("MRTEV", _EV, "Extravasc"),
    Parameter("CLO", "Total CL Obs", "clearance", ("AUCIFO",), _clearance("AUCIFO"), _IV),
    Parameter("CLP", "Total CL Pred", "clearance", ("AUCIFP",), _clearance("AUCIFP"), _IV),
    Parameter("VZO", "Vz Obs", "volume", ("CLO", "LAMZ"), _quotient("CLO", "LAMZ"), _IV),
    Parameter("VZP", "Vz Pred", "volume", ("CLP", "LAMZ"), _quotient("CLP", "LAMZ"), _IV),
    Parameter(
        "VSSO",
        "Vol Dist Steady State Obs",
        "volume",
        ("CLO", "MRTIBIFO"),
        _product("CLO", "MRTIBIFO"),
        _BOLUS,
    ),
    Parameter(
        "VSSP",
        "Vol Dist Steady State Pred",
        "volume",
        ("CLP", "MRTIBIFP"),
        _product("CLP", "MRTIBIFP"),
        _BOLUS,
    ),
    Parameter(
        "VSSO",
        "Vol Dist Steady State Obs",
        "volume",
        ("CLO", "MRTICIFO"),
        _product("CLO", "MRTICIFO"),
        _INFUSION,
    ),
    Parameter(
        "VSSP",
        "Vol Dist Steady State Pred",
        "volume",
        ("CLP", "MRTICIFP"),
        _product("CLP", "MRTICIFP"),
        _INFUSION,
    ),
    Parameter("CLFO", "Total CL Obs by F", "clearance", ("AUCIFO",), _clearance("AUCIFO"), _EV),
    Parameter("CLFP", "Total CL Pred by F", "clearance", ("AUCIFP",), _clearance("AUCIFP"), _EV),
    Parameter("VZFO", "Vz Obs by F", "volume", ("CLFO", "LAMZ"), _quotient("CLFO", "LAMZ"), _EV),
    Parameter("VZFP", "Vz Pred by F", "volume", ("CLFP", "LAMZ"), _quotient("CLFP", "LAMZ"), _EV),
)
"""In the order of computation: a parameter comes after those it needs."""

_BY_ROUTE = {r: tuple(p for p in PARAMETERS if r in p.routes) for r in ("infusion", "bolus", "extravascular")}


def parameters_of(route: str) -> tuple[Parameter, ...]:
    """The parameters of one route, in the order of computation."""
    return _BY_ROUTE[route]
