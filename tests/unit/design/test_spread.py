"""Work on a real Dask cluster on this machine: a scheduler and worker processes of their own."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from escalon.design import EscalationPlan, compare, simulate_oc
from escalon.design.answers import oc_answer
from escalon.design.spread import spread

distributed = pytest.importorskip("distributed")

SCENARIO = [0.08, 0.2, 0.35, 0.5]
CRM = {"kind": "crm", "target": 0.3, "skeleton": [0.1, 0.2, 0.3, 0.45]}
PATIENCE = 60


def plan(rule: dict, **more: object) -> EscalationPlan:
    return EscalationPlan.model_validate({"rule": rule, "levels": 4, "max_patients": 18, **more})


class Cluster:
    """A scheduler and three workers; every process is ended at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, []
        contact = folder / "scheduler.json"
        where = ["--host", "127.0.0.1", "--scheduler-file", str(contact)]
        self.start("scheduler", *where, "--port", "0", "--dashboard-address", "127.0.0.1:0")
        limit = time.monotonic() + PATIENCE
        while not contact.exists() or not contact.read_text():
            assert time.monotonic() < limit, "the scheduler did not start"
            time.sleep(0.05)
        self.address = json.loads(contact.read_text())["address"]
        self.workers = [self.start("worker", *where, "--nthreads", "1", "--no-nanny") for _ in range(3)]

    def start(self, what: str, *arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "dask", what, *arguments]
        process = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    running = Cluster(tmp_path_factory.mktemp("dask"))
    try:
        with distributed.Client(running.address, set_as_default=False, timeout=PATIENCE) as client:
            client.wait_for_workers(3, timeout=PATIENCE)
        yield running
    finally:
        running.stop()


def test_trials_on_the_cluster_equal_trials_here(cluster):
    for design in (plan({"kind": "boin", "target": 0.3}), plan({"kind": "tite_boin", "target": 0.3})):
        here = simulate_oc(design, SCENARIO, trials=5_000, seed=4)
        there = simulate_oc(design, SCENARIO, trials=5_000, seed=4, cluster=cluster.address)
        assert there.to_dict() == here.to_dict()


def test_the_command_line_answer_is_the_same(cluster):
    design = plan(CRM)
    here = oc_answer(design, SCENARIO, "simulate", 5_000, 2)
    assert oc_answer(design, SCENARIO, "simulate", 5_000, 2, cluster=cluster.address) == here


def test_scenario_grids_on_the_cluster_equal_grids_here(cluster):
    plans = {
        "boin": plan({"kind": "boin", "target": 0.3}),
        "late": plan({"kind": "tite_boin", "target": 0.3}),
    }
    scenarios = {f"s{k}": [0.01 * k, 0.02 * k, 0.03 * k, 0.04 * k] for k in range(1, 8)}
    here = compare(plans, scenarios, trials=300)
    there = compare(plans, scenarios, trials=300, cluster=cluster.address)
    assert [row.to_dict() for row in there] == [row.to_dict() for row in here]


def test_a_worker_killed_half_way_changes_nothing(cluster, tmp_path):
    def slow(task: int) -> int:
        (tmp_path / f"{task}").touch()
        time.sleep(0.1)
        return task * task

    done: list[int] = []
    run = threading.Thread(target=lambda: done.extend(spread(slow, range(60), cluster.address)))
    run.start()
    limit = time.monotonic() + PATIENCE
    while len(list(tmp_path.iterdir())) < 15:
        assert time.monotonic() < limit, "no task was run"
        time.sleep(0.02)
    cluster.workers[0].kill()
    at_the_kill = len(list(tmp_path.iterdir()))
    run.join(PATIENCE)
    assert at_the_kill < 60
    assert done == [task * task for task in range(60)]
    design = plan(CRM)
    there = simulate_oc(design, SCENARIO, trials=9_000, seed=8, cluster=cluster.address)
    assert there.to_dict() == simulate_oc(design, SCENARIO, trials=9_000, seed=8).to_dict()


def test_an_address_without_scheduler_is_refused(monkeypatch):
    monkeypatch.setattr("escalon.design.spread.WAIT", 0.5)
    with pytest.raises(ValueError, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        simulate_oc(plan(CRM), SCENARIO, trials=10, cluster="tcp://127.0.0.1:9")


def test_without_the_extra_the_answer_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"pip install 'escalon\[dask\]'"):
        simulate_oc(plan(CRM), SCENARIO, trials=10, cluster="tcp://127.0.0.1:9")


def test_a_fault_in_a_task_is_raised_here(cluster):
    def fails(task: int) -> int:
        raise ValueError(f"task {task}")

    with pytest.raises(ValueError, match="task 3"):
        spread(fails, [3], cluster.address)
