"""Naive second readings of leukemia response, visit assignment, ICAHT and long-lasting events, from the written rules.

They take plain numbers, know every input is present unless it is None, and share nothing with the product.
"""

SETS = {
    # blast limit inclusive?, anc inclusive?, CRh, CRi rule, MLFS, guard, PR, relapse, PD known?, relapse after PR above
    "platform": (False, False, "fold", "one", True, True, "eln", (">=", 5), True, None),
    "eln_2024": (False, False, "off", "any", True, True, "eln", (">=", 5), True, None),
    "cibmtr_2010": (False, True, "off", "any", False, False, "cibmtr", (">=", 25), True, 25),
    "crh_trial": (True, False, "report", "one", False, False, "off", (">", 5), False, None),
    "nccn": (False, False, "report", "any", False, False, "off", (">", 5), True, None),
}
REMISSION = {"CR", "CRh", "CRi", "MLFS"}


def naive_response(name, a):  # noqa: C901  one long reading, step by step, on purpose
    """``a`` is a mapping with every field of an assessment; the order of the steps is that of the written algorithm."""
    blast_inclusive, count_inclusive, crh, cri, mlfs, guard, pr, (sign, relapse), progresses, after_pr = SETS[
        name
    ]
    bm, pb, anc, plt = a["bm"], a["pb"], a["anc"], a["plt"]
    emd = None if a["emd"] in (None, "not_assessed") else a["emd"] in ("present", "new")
    remission = a["prior"] in REMISSION

    if remission:
        if bm is not None and (bm >= relapse if sign == ">=" else bm > relapse):
            return "RELAPSE"
        if pb is not None and pb > 0:
            return "RELAPSE"
        if emd or (a["cns"] or "").startswith("CNS3"):
            return "RELAPSE"
    elif a["prior"] == "PR" and after_pr is not None and bm is not None and bm > after_pr:
        return "RELAPSE"
    elif progresses:
        if a["emd"] == "new" or (a["emd"] == "present" and a["base_emd"] == "absent"):
            return "PD"
        if (a["cns"] or "").startswith("CNS3") and not (a["base_cns"] or "").startswith("CNS3"):
            return "PD"
        known = [x for x in (a["base_bm"], a["nadir_bm"]) if x is not None and x > 0]
        if bm is not None and bm >= 5 and known and bm >= 1.25 * min(known):
            return "PD"
        if pb is not None and a["base_pb"] is not None and a["base_pb"] > 0 and pb >= 1.25 * a["base_pb"]:
            return "PD"

    csf_needed = a["base_cns"] not in (None, "CNS1")
    if bm is None or pb is None or emd is None or (csf_needed and a["cns"] is None):
        return "NE"

    def counts():
        full_anc = anc >= 1.0 if count_inclusive else anc > 1.0
        full_plt = plt >= 100 if count_inclusive else plt > 100
        half_anc, half_plt = anc > 0.5, plt > 50
        if a["transfused"]:
            full_plt = half_plt = False
        if a["gcsf"]:
            full_anc = half_anc = False
        return full_anc, full_plt, half_anc, half_plt

    clear = (bm <= 5 if blast_inclusive else bm < 5) and pb == 0 and not emd and a["cns"] in (None, "CNS1")
    if clear:
        if guard and a["mrd"] is not None and a["mrd"] >= 0.01:
            return "NR"
        if anc is None or plt is None:
            return "NE"
        full_anc, full_plt, half_anc, half_plt = counts()
        if full_anc and full_plt:
            return "CR"
        if half_anc and half_plt and crh != "off":
            return "CRh" if crh == "report" else "CRi"
        if cri == "any" or (cri == "one" and full_anc != full_plt):
            return "CRi"
        if not mlfs:
            return "NR"
        if (a["cells"] or 0) >= 200 or (a["cellularity"] or 0) >= 10:
            return "MLFS"
        return "NE" if a["cells"] is None and a["cellularity"] is None else "NE_APLASTIC"
    if remission:
        return "INDETERMINATE"
    return _naive_partial(pr, a, emd, counts)


def _naive_partial(pr, a, emd, counts):
    bm, pb = a["bm"], a["pb"]
    if pr == "off" or bm > 25 or (pr == "eln" and bm < 5):
        return "NR"
    facts = [None if a["base_bm"] is None else (a["base_bm"] > 0 and bm <= 0.5 * a["base_bm"])]
    if pr == "cibmtr":
        if pb > 0:
            facts.append(None if a["base_pb"] is None else (a["base_pb"] > 0 and pb <= 0.5 * a["base_pb"]))
        if emd:
            facts.append(None)  # no lesion sizes in this reading
    if a["anc"] is None or a["plt"] is None:
        some = {k: (9999 if a[k] is None else a[k]) for k in ("anc", "plt")}
        inclusive = pr == "cibmtr"
        anc_low = (some["anc"] < 1.0 or (some["anc"] == 1.0 and not inclusive)) or (
            a["gcsf"] and a["anc"] is not None
        )
        plt_low = (some["plt"] < 100 or (some["plt"] == 100 and not inclusive)) or (
            a["transfused"] and a["plt"] is not None
        )
        facts.append(False if anc_low or plt_low else None)
    else:
        facts.append(all(counts()[:2]))
    if False in facts:
        return "NR"
    return "NE" if None in facts else "PR"


def naive_visits(days, visits):
    """``visits`` are (id, nominal, low, high); for each day the visit it fills, or None."""
    choice = []
    for day in days:
        best = None
        for ident, nominal, low, high in sorted(visits, key=lambda v: v[1]):
            if low <= day <= high and (best is None or abs(day - nominal) < best[0]):
                best = (abs(day - nominal), ident)
        choice.append(best)
    answer = [None] * len(days)
    for ident in {c[1] for c in choice if c}:
        rivals = [i for i, c in enumerate(choice) if c and c[1] == ident]
        nearest = min(choice[i][0] for i in rivals)
        tied = [i for i in rivals if choice[i][0] == nearest]
        last = max(days[i] for i in tied)
        answer[max(i for i in tied if days[i] == last)] = ident
    return answer


def naive_icaht_early(counts):
    """Counts per uL of day 0 to 30, one per day."""
    at_500 = sum(c <= 500 for c in counts)
    at_100 = sum(c <= 100 for c in counts)
    if at_500 == 31 or at_100 >= 14:
        return 4
    if at_500 >= 14 or at_100 >= 7:
        return 3
    if at_500 >= 7:
        return 2
    return 1 if at_500 >= 1 else 0


def naive_t_icaht_early(counts):
    """Platelets, 10^9/L, of day 0 to 30, one per day."""
    low_50 = sum(c < 50 for c in counts)
    low_20 = sum(c < 20 for c in counts)
    if low_20 >= 14:
        return 4
    if low_20 >= 1:
        return 3
    if low_50 >= 7:
        return 2
    return 1 if low_50 >= 1 else 0


def naive_lasts(grades, grade, improve_to, hours):
    """Whether hourly ``grades`` hold a run that starts at ``grade`` and needs more than ``hours`` to improve."""
    for start, value in enumerate(grades):
        before = grades[:start]
        already = False
        for old in before:
            if old >= grade:
                already = True
            elif old <= improve_to:
                already = False
        if value < grade or already:
            continue
        end = next((i for i in range(start, len(grades)) if grades[i] <= improve_to), None)
        if (len(grades) if end is None else end) - start > hours:
            return True
    return False


def naive_magic(skin, liver, upper_gi, lower_gi):
    """Overall grade from organ stages."""
    if 4 in (skin, liver, lower_gi):
        return 4
    if max(liver, lower_gi) >= 2:
        return 3
    if skin == 3 or liver == 1 or upper_gi == 1 or lower_gi == 1:
        return 2
    return 1 if skin in (1, 2) else 0
