"""TITE-BOIN: BOIN that does not wait for pending patients.

At the current level with n treated, s of them with a DLT so far, c pending without a DLT, and STFT the sum of
the pending patients' follow-up in units of the DLT window, single mean imputation gives

    ptilde = (target/2 + s) / (1 + n - c),   phat = (s + ptilde/(1 - ptilde) (c - STFT)) / n,

which is compared with BOIN's lambda_e and lambda_d. Variant "ess": phat = s / (n - c + STFT).

Sources: Yuan, Lin, Li, Nie, Warren 2018, doi 10.1158/1078-0432.CCR-18-0246; Lin, Yuan 2020,
doi 10.1093/biostatistics/kxz007; variant "ess" as in the R package TITEgBOIN 0.4.0.

Conventions: enrolment pauses while c > n/2, unless the DLTs seen already call for de-escalation or
elimination; elimination counts all n treated patients. The dose is selected from complete data as in BOIN.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from escalon.design.rules.base import WAIT, FloatArray, IntArray, Proposal, States
from escalon.design.rules.boin import Boin

Numbers = FloatArray | IntArray


class TiteBoin(Boin):
    """TITE-BOIN; see the module. Follow-up arrives with each pending patient."""

    kind: Literal["tite_boin"] = "tite_boin"  # type: ignore[assignment]
    imputation: Literal["smi", "ess"] = "smi"
    max_pending_share: float = Field(0.5, gt=0, le=1, description="enrolment pauses above this share pending")

    @property
    def late_onset(self) -> bool:
        """Pending patients count."""
        return True

    @property
    def counts_only(self) -> bool:
        """Follow-up times matter."""
        return False

    def rate(self, n: Numbers, s: Numbers, c: Numbers, stft: Numbers) -> FloatArray:
        """phat, elementwise: n treated, s with a DLT, c pending, their summed follow-up."""
        if self.imputation == "ess":
            return np.asarray(s / np.maximum(n - c + stft, 1e-12))
        guess = (self.target / 2 + s) / (1 + n - c)
        return np.asarray((s + guess / (1 - guess) * (c - stft)) / n)

    def propose(self, states: States, max_n: int) -> Proposal:
        """BOIN's move on the imputed rate."""
        if states.pending_level is None:
            return super().propose(states, max_n)
        pending, followup = states.pending, states.followup
        rows, current = states.rows, states.current
        treated = states.n + pending
        complete = States(treated, states.y, current)
        # with no further DLT among the pending, this is the boldest and safest reading of the data
        boldest = super().propose(complete, max_n)
        n, s = treated[rows, current], states.y_current
        c, stft = pending[rows, current], followup[rows, current]
        phat = self.rate(np.maximum(n, 1), s, c, stft)
        table = self.table(max_n)
        eliminated = table.eliminate[n, s] | ((current == 0) & table.stop_lowest[n, s])
        top = states.n.shape[1] - 1
        above = np.minimum(current + 1, top)
        barred = (current == top) | ~boldest.open[rows, above]
        level = np.where((phat <= self.lambda_e) & ~barred, current + 1, current)
        level = np.where(phat >= self.lambda_d, np.maximum(current - 1, 0), level)
        seen_down = s >= n * self.lambda_d
        waiting = (c > self.max_pending_share * n) & ~seen_down
        level = np.where(waiting, WAIT, level)
        return Proposal(np.where(eliminated, boldest.level, level), boldest.open)

    def explain_pending(self, states: States) -> list[str]:
        """Pending patients, follow-up and the imputed rate."""
        d = int(states.current[0])
        c, stft = int(states.pending[0, d]), float(states.followup[0, d])
        n, s = int(states.n[0, d]) + c, int(states.y[0, d])
        if n == 0:
            return [f"No patient was treated at level {d + 1}."]
        phat = float(self.rate(np.array(n), np.array(s), np.array(c), np.array(stft)))
        words = [
            f"Level {d + 1}: {n} treated, {s} with a DLT so far, {c} pending with {stft:.2f} windows of follow-up.",
            f"TITE-BOIN: imputed rate {phat:.4f} against lambda_e {self.lambda_e:.4f} (escalate at or below) and "
            f"lambda_d {self.lambda_d:.4f} (de-escalate at or above).",
        ]
        if c > self.max_pending_share * n:
            words.append(f"More than {self.max_pending_share:.0%} of the patients at this level are pending.")
        return words
