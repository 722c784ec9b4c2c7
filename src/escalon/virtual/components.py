"""What a site writes down of CRS, ICANS, GvHD and IEC-HS: findings that grade as the event does.

The same tables grade them again from the form (``escalon.criteria``); a test holds the two together.
"""

import numpy as np

Components = dict[str, float | int | str]


def crs_components(rng: np.random.Generator, grade: int) -> Components:
    """Return CRS items of the form that the ASTCT table grades as ``grade`` (1 to 4)."""
    temperature = round(38.2 + 0.5 * min(grade, 3) + 0.7 * rng.random(), 1)
    second = rng.random() < 0.5
    pressors = {1: 0, 2: 0, 3: int(second), 4: 2 if second else 1}[grade]
    oxygen: Components = {
        (1, False): {"CRSOXY": "NONE"},
        (1, True): {"CRSOXY": "NONE"},
        (2, False): {"CRSOXY": "NASAL_CANNULA", "CRSFLOW": 2, "CRSFIO2": 28},
        (2, True): {"CRSOXY": "NONE"},
        (3, False): {"CRSOXY": "NASAL_CANNULA", "CRSFLOW": 15, "CRSFIO2": 50},
        (3, True): {"CRSOXY": "NASAL_CANNULA", "CRSFLOW": 4, "CRSFIO2": 36},
        (4, False): {"CRSOXY": "BIPAP", "CRSFIO2": 60},
        (4, True): {"CRSOXY": "FACEMASK", "CRSFIO2": 50},
    }[grade, second]
    return {
        "CRSTEMP": temperature,
        "CRSATTR": "Y",
        "CRSSUPP": "N",
        "CRSHYPO": "Y" if pressors or (grade == 2 and second) else "N",
        "CRSPRESS": pressors,
        "CRSVASO": "Y" if grade == 4 and second else "N",
        "CRSPDOSE": ("NONE", "LOW", "HIGH")[pressors],
        **oxygen,
    }


def icans_components(rng: np.random.Generator, grade: int) -> Components:
    """Return ICANS items of the form that the ASTCT table grades as ``grade`` (1 to 3)."""
    low, high = {1: (7, 9), 2: (3, 6), 3: (0, 2)}[grade]
    awake = {1: "AWAKENS_SPONTANEOUSLY", 2: "AWAKENS_TO_VOICE", 3: "AWAKENS_TO_TOUCH"}[grade]
    return {
        "ICESCORE": int(rng.integers(low, high + 1)),
        "ICCONSC": awake if rng.random() < 0.5 else "ALERT",
        "ICSEIZ": "BRIEF" if grade == 3 and rng.random() < 0.3 else "NONE",
        "ICMOTOR": "TREMOR" if rng.random() < 0.3 else "NONE",
        "ICEDEMA": "NONE",
        "ICOTHER": "NONE",
        "ICDIFF": "Infection, drugs and metabolic causes looked for: none found",
    }


def gvhd_components(skin: int, lower_gut: int = 0, upper_gut: int = 0) -> Components:
    """Return the GvHD organ stages of the form, liver never involved."""
    return {"GVSKIN": skin, "GVLIVER": 0, "GVUGI": upper_gut, "GVLGI": lower_gut, "GVREFR": "N"}


def iec_hs_components(rng: np.random.Generator) -> Components:
    """Return IEC-HS items of the form that grade as 3."""
    return {
        "HSDIAG": "Y",
        "HSSEVER": "SEVERE",
        "HSFERR": round(15000 + 15000 * rng.random()),
        "HSFIBR": round(0.8 + 0.6 * rng.random(), 1),
        "HSTRIG": round(3.5 + 3.0 * rng.random(), 1),
        "HSHEMO": "Y" if rng.random() < 0.4 else "N",
        "HSSPLEEN": "Y" if rng.random() < 0.5 else "N",
    }
