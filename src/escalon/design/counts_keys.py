"""Equal rows of counts: packed into few whole numbers, grouped by sorting."""

import numpy as np

from escalon.design.outcomes import IntArray


def pack_counts(n: IntArray, y: IntArray, extra: IntArray, largest: int) -> list[IntArray]:
    """(n, y, extra) of every row packed into as few 63-bit words as they need.

    `n`, `y`: shape (rows, levels), no entry above `largest`; `extra`: shape (rows,), 0 to 31.
    """
    bits = max(int(largest).bit_length(), 1)
    words, used = [extra.astype(np.int64)], 5
    for j in range(n.shape[1]):
        if used + 2 * bits > 63:
            words.append(np.zeros_like(words[0]))
            used = 0
        words[-1] = (words[-1] << (2 * bits)) | (n[:, j] << bits) | y[:, j]
        used += 2 * bits
    return words


def group_rows(words: list[IntArray]) -> tuple[IntArray, IntArray]:
    """Sorting order of the rows, and the start of each group of equal rows within it."""
    order = np.argsort(words[0], kind="stable") if len(words) == 1 else np.lexsort(words)
    differs = np.zeros(order.size, dtype=bool)
    differs[:1] = True
    for word in words:
        ordered = word[order]
        differs[1:] |= ordered[1:] != ordered[:-1]
    return order, np.flatnonzero(differs)


def distinct_counts(n: IntArray, y: IntArray) -> tuple[IntArray, IntArray]:
    """One row index per distinct (n, y), and for every row the place of its own among those."""
    largest = int(n.max(initial=0))
    order, first = group_rows(pack_counts(n, y, np.zeros(n.shape[0], np.int64), largest))
    place = np.empty(n.shape[0], np.int64)
    place[order] = np.repeat(np.arange(first.size), np.diff(np.append(first, n.shape[0])))
    return order[first], place
