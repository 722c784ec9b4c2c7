"""Stein 2019, CPT Pharmacometrics Syst Pharmacol 8:285, doi 10.1002/psp4.12388 (tisagenlecleucel, 90 patients).

Typical values as printed; the courses and areas are computed from them by the printed equations.
"""

TYPICAL = {"foldx": 3900.0, "tmax": 9.3, "cmax": 24000.0, "alpha": 0.16, "fb": 0.0079, "beta": 0.0032}
COPIES = {7.0: 3105.3, 9.3: 24000.0, 14.0: 11411.5, 28.0: 1373.6, 90.0: 146.5, 365.0: 60.7}
DOUBLING_DAYS = 0.780
AUC_0_28, AUC_0_84 = 171774.0, 188398.0
