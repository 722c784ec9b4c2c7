"""The compiled loops without compilation and with checked bounds, each in a process of its own."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = """
import json
import numpy as np
from escalon.design import EscalationPlan, enumerate_plan, simulate_oc
np.seterr(over="ignore")
found = []
for rule in ({"kind": "boin", "target": 0.3, "extra_safe": True, "bound_mtd": True}, {"kind": "mtpi", "target": 0.3}):
    plan = EscalationPlan.model_validate({
        "rule": rule, "levels": 7, "cohort_size": [1, 2, 3], "max_patients": 12, "start_level": 2,
        "guards": [{"kind": "coherent"}, {"kind": "enough_at_dose", "n": 6}],
    })
    scenario = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    found.append(enumerate_plan(plan).oc(scenario).to_dict())
    found.append(simulate_oc(plan, scenario, trials=200, seed=3).to_dict())
from escalon.design import quadrature
quadrature.MANY = 1
crm = EscalationPlan.model_validate({
    "rule": {"kind": "crm", "target": 0.3, "skeleton": [0.1, 0.2, 0.3]}, "levels": 3, "max_patients": 9,
})
posterior = [*enumerate_plan(crm).oc([0.1, 0.2, 0.3]).mean_n, crm.fit([1, 2, 3], [0, 1, 0], [1, 1, 0.4]).estimate]
from escalon.design.rules.kernels import couple
first, second = np.array([[0.2, 0.7, 0.4], [0.5, 0.1, 0.9]]), np.array([[0.3, 0.6], [0.8, 0.2], [0.5, 0.5]])
joined = couple(first, second, np.array([0.4, 0.6]), np.array([-0.5, 0.1, 0.6]), np.array([0.2, 0.5, 0.3]),
                np.array([1.0, -1.0, 1.0]), np.array([2, 1, 3]))
posterior += joined.tolist()
print(json.dumps([found, [round(float(number), 12) for number in posterior]]))
"""


def run(**environment: str) -> list[dict]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def compiled() -> list[dict]:
    return run()


def test_uncompiled_kernels_give_the_same(compiled):
    assert run(NUMBA_DISABLE_JIT="1") == compiled


def test_no_kernel_reads_outside_its_arrays(compiled, tmp_path):
    # without optimisation it compiles in half the time
    assert run(NUMBA_BOUNDSCHECK="1", NUMBA_OPT="0", NUMBA_CACHE_DIR=str(tmp_path)) == compiled


def test_coupled_sum_is_its_formula(compiled):
    first, second = (
        np.array([[0.2, 0.7, 0.4], [0.5, 0.1, 0.9]]),
        np.array([[0.3, 0.6], [0.8, 0.2], [0.5, 0.5]]),
    )
    expected = [
        sum(
            weight * c_weight * np.prod((1 + np.array([1, -1, 1]) * c * row * column) ** np.array([2, 1, 3]))
            for column, weight in zip(second.T, (0.4, 0.6), strict=True)
            for c, c_weight in zip((-0.5, 0.1, 0.6), (0.2, 0.5, 0.3), strict=True)
        )
        for row in first
    ]
    assert compiled[1][-2:] == pytest.approx(expected, abs=1e-12)
