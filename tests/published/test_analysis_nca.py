"""Phoenix WinNonlin on Theoph and Indometh: every column of all 30 result rows.

Tolerance 1e-8 relative, the target of the platform; the files print nine digits or more. Lambda-z of Theoph
prints nine decimals of a number near 0.05, so there half of the last decimal is 1e-8 relative as well.
"""

import csv

import pytest

from escalon.analysis.pk import nca
from escalon.analysis.pk.parameters import PARAMETERS
from tests.published.analysis_data import DATA, profiles, winnonlin

COMMON = {
    "Rsq": "R2",
    "Rsq_adjusted": "R2ADJ",
    "Corr_XY": "CORRXY",
    "No_points_lambda_z": "LAMZNPT",
    "Lambda_z": "LAMZ",
    "Lambda_z_lower": "LAMZLL",
    "Lambda_z_upper": "LAMZUL",
    "HL_Lambda_z": "LAMZHL",
    "Tmax": "TMAX",
    "Cmax": "CMAX",
    "Cmax_D": "CMAXD",
    "Tlast": "TLST",
    "Clast": "CLST",
    "AUClast": "AUCLST",
    "AUCall": "AUCALL",
    "AUCINF_obs": "AUCIFO",
    "AUCINF_D_obs": "AUCIFOD",
    "AUC_%Extrap_obs": "AUCPEO",
    "AUCINF_pred": "AUCIFP",
    "AUCINF_D_pred": "AUCIFPD",
    "AUC_%Extrap_pred": "AUCPEP",
    "AUMClast": "AUMCLST",
    "AUMCINF_obs": "AUMCIFO",
    "AUMC_%Extrap_obs": "AUMCPEO",
    "AUMCINF_pred": "AUMCIFP",
    "AUMC_%Extrap_pred": "AUMCPEP",
}
ORAL = COMMON | {
    "Tlag": "TLAG",
    "Vz_F_obs": "VZFO",
    "Cl_F_obs": "CLFO",
    "Vz_F_pred": "VZFP",
    "Cl_F_pred": "CLFP",
    "MRTlast": "MRTEVLST",
    "MRTINF_obs": "MRTEVIFO",
    "MRTINF_pred": "MRTEVIFP",
}
BOLUS = COMMON | {
    "C0": "C0",
    "AUC_%Back_Ext_obs": "AUCPBEO",
    "AUC_%Back_Ext_pred": "AUCPBEP",
    "Vz_obs": "VZO",
    "Cl_obs": "CLO",
    "Vz_pred": "VZP",
    "Cl_pred": "CLP",
    "Vss_obs": "VSSO",
    "Vss_pred": "VSSP",
    "MRTlast": "MRTIBLST",
    "MRTINF_obs": "MRTIBIFO",
    "MRTINF_pred": "MRTIBIFP",
}

CASES = [
    ("Theoph_Linear", "Theoph", "Time", "linear", "extravascular", 320, ORAL, 12),
    ("Theoph_Log", "Theoph", "Time", "lin-up log-down", "extravascular", 320, ORAL, 12),
    ("Indometh_Linear", "Indometh", "time", "linear", "bolus", 25, BOLUS, 6),
]


@pytest.mark.parametrize(
    ("file", "data", "column", "method", "route", "dose", "codes", "rows"), CASES, ids=[c[0] for c in CASES]
)
def test_winnonlin_in_full(file, data, column, method, route, dose, codes, rows):
    table = winnonlin(file)
    assert len(table) == rows
    samples = profiles(data, column)
    for row in table:
        result = nca(*samples[row["Subject"]], dose=dose, route=route, method=method)
        assert set(row) - {"Subject"} == set(codes)
        for name, code in codes.items():
            expected = float(row[name])
            assert result.value(code) == pytest.approx(expected, rel=1e-8, abs=1e-12), (row["Subject"], code)


def test_codes_and_names_are_those_of_cdisc():
    """One code of the table is our own spelling of none: LAMZSPN is younger than the table.

    The table has one mean residence time for both intravascular routes (MRTIV..); the current terminology tells a
    bolus (MRTIB.., "IV Bolus") from an infusion (MRTIC.., "IV Cont Inf").
    """
    with (DATA / "nca" / "RptCfg.csv").open(encoding="utf-8") as table:
        published = {row["PPTESTCD"]: row["SYNONYM"] for row in csv.DictReader(table)}
    ours = {p.code: p.name for p in PARAMETERS}
    assert {code: name for code, name in ours.items() if code in published} == {
        code: name for code, name in published.items() if code in ours
    }
    residence = {code.replace("IB", "IV"): name for code, name in ours.items() if code.startswith("MRTIB")}
    assert {code: name.replace("IV Bolus", "Intravasc") for code, name in residence.items()} == {
        code: name for code, name in published.items() if code.startswith("MRTIV")
    }
    infusion = {code.replace("IC", "IB"): name for code, name in ours.items() if code.startswith("MRTIC")}
    assert {code: name.replace("Cont Inf", "Bolus") for code, name in infusion.items()} == {
        code: name for code, name in ours.items() if code.startswith("MRTIB")
    }
    without = {code for code in ours if code not in published} - {"LAMZSPN"}
    assert {code[:5] for code in without} == {"MRTIB", "MRTIC"}
    assert max(len(name) for name in ours.values()) <= 40
