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
