"""Random streams by counter: each (patient, purpose) has its own, so no draw depends on another's order."""

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np


@dataclass(frozen=True, slots=True)
class Streams:
    """Streams of one simulated trial; ``seed`` from 0 to 2**64 - 1."""

    seed: int

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**64:
            raise ValueError(
                f"seed {self.seed} is out of range; a whole number from 0 to 2**64 - 1 is needed"
            )

    def generator(self, patient: int | str, purpose: str) -> np.random.Generator:
        """Return a fresh generator for ``purpose`` of ``patient``; a repeated call repeats the numbers.

        The Philox key is the seed and 64 bits of BLAKE2 over patient and purpose (Salmon et al. 2011,
        doi 10.1145/2063384.2063405).
        """
        digest = blake2b(f"{patient}|{purpose}".encode(), digest_size=8).digest()
        key = np.array([self.seed, int.from_bytes(digest, "big")], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=key))


def uniform(rng: np.random.Generator, interval: tuple[float, float]) -> float:
    """Draw from an interval, both ends included."""
    low, high = interval
    return float(low + (high - low) * rng.random())


def pick(rng: np.random.Generator, shares: dict[str, float]) -> str:
    """Draw a key of ``shares`` (they add up to 1), in the order of the mapping."""
    u, total = rng.random(), 0.0
    for key, share in shares.items():
        total += share
        if u < total:
            return key
    return next(key for key in reversed(shares) if shares[key] > 0)


def pick_grade(rng: np.random.Generator, shares: tuple[float, ...]) -> int:
    """Draw a grade, 1-based, from shares per grade."""
    return int(pick(rng, {str(grade): share for grade, share in enumerate(shares, start=1)}))


def significant(value: float, digits: int = 3) -> float:
    """Round to ``digits`` significant digits, as a laboratory prints a concentration."""
    return float(f"{value:.{digits}g}")
