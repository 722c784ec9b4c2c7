"""BF-BOIN written plainly from Zhao et al. 2024, one trial at a time; imports nothing from the package."""

from math import log

from scipy.special import betaincc


def limits(phi):
    low, high = 0.6 * phi, 1.4 * phi
    return (
        log((1 - low) / (1 - phi)) / log(phi * (1 - low) / (low * (1 - phi))),
        log((1 - phi) / (1 - high)) / log(high * (1 - phi) / (phi * (1 - high))),
    )


def eliminated(n, y, phi):
    return n >= 3 and betaincc(1 + y, 1 + n - y, phi) > 0.95


def word(n, y, phi):
    """E, S or D."""
    low, high = limits(phi)
    if n == 0:
        return "E"
    if eliminated(n, y, phi):
        return "D"
    return "E" if y / n <= low else ("D" if y / n >= high else "S")


def next_level(n, y, d, phi):
    """0-based next level, None when the trial stops for safety."""
    low, high = limits(phi)
    words = [word(n[j], y[j], phi) for j in range(d + 1)]
    against = ("S", "D") if words[d] == "E" else ("D",)
    clash = [j for j in range(d) if words[j] in against]
    if clash:
        star = max(clash)
        rate = sum(y[star : d + 1]) / sum(n[star : d + 1])
        if rate <= low:
            wanted = d + 1
        elif rate >= high:
            wanted = star - 1
            for k in range(star, d + 1):
                if sum(y[star : k + 1]) / sum(n[star : k + 1]) < high:
                    wanted = k
        else:
            wanted = d
    else:
        wanted = d + {"E": 1, "S": 0, "D": -1}[words[d]]
    first_closed = next((j for j in range(len(n)) if eliminated(n[j], y[j], phi)), len(n))
    if first_closed == 0:
        return None
    if wanted > d and (wanted >= len(n) or wanted >= first_closed):
        wanted = d
    return max(0, min(wanted, first_closed - 1))


def open_levels(n, y, held, responded, d, phi, cap):
    high = limits(phi)[1]
    found = []
    for b in range(d):
        alone = n[b] == 0 or y[b] / n[b] < high
        both = n[b] + n[b + 1] == 0 or (y[b] + y[b + 1]) / (n[b] + n[b + 1]) < high
        if not (alone or both):
            break
        if responded[b] and held[b] < cap:
            found.append(b)
    return found


def tally(patients, before, levels):
    known = [one for one in patients if one["end"] < before]
    n = [sum(one["level"] == j for one in known) for j in range(levels)]
    y = [sum(one["level"] == j and one["dlt"] for one in known) for j in range(levels)]
    return n, y


def highest_open(patients, clock, d, phi, cap, levels):
    n, y = tally(patients, clock, levels)
    held = [sum(one["level"] == j for one in patients) for j in range(levels)]
    seen = [
        any(one["level"] == j and not one["backfill"] and one["answer"] < clock for one in patients)
        for j in range(levels)
    ]
    return max(open_levels(n, y, held, seen, d, phi, cap), default=None)


def run_trial(p, q, uniforms, phi, size, total, cap, enough, accrual, count_backfill=True):
    """One trial, event by event; `uniforms`: rows (DLT, DLT time, arrival, response), one column per arrival.

    Returns level, DLT and backfill flag of every counted patient, the reason of the end and the duration.
    """
    levels, d, clock = len(p), 0, 0.0
    patients, cohort, treated, k, stop = [], [], 0, 0, None
    while stop is None:
        if k:
            clock += -log(1 - uniforms[2][k]) / accrual

        goal = min(size, total - (treated - len(cohort)))
        if len(cohort) >= goal and max(one["end"] for one in cohort) < clock:
            deciding = [one for one in patients if count_backfill or not one["backfill"]]
            n, y = tally(deciding, clock, levels)
            following = next_level(n, y, d, phi)
            if following is None:
                stop = "unsafe"
            elif following == d and n[d] >= enough:
                stop = "enough"
            elif treated >= total:
                stop = "full"
            if stop is not None:
                break
            d, cohort = following, []
            goal = min(size, total - treated)
        join = len(cohort) < goal
        level = d if join else highest_open(patients, clock, d, phi, cap, levels)
        if level is not None:
            dlt = uniforms[0][k] < p[level]
            one = {
                "level": level,
                "dlt": dlt,
                "end": clock + (uniforms[1][k] if dlt else 1.0),
                "backfill": not join,
                "answer": clock + 1.0 if uniforms[3][k] < q[level] else float("inf"),
            }
            patients.append(one)
            if join:
                cohort.append(one)
                treated += 1
        k += 1
    end = max(one["end"] for one in cohort)
    counted = [(one["level"], one["dlt"], one["backfill"]) for one in patients if one["end"] <= end]
    return counted, stop, end
