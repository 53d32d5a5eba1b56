"""Models that take milliseconds a row: others are answered meanwhile, calls share runs with the same bits, overload is refused."""

import concurrent.futures
import json
import threading
import time

import numpy as np
import pytest
import requests
from heavy_models import WIDTH, deep_network


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(6).normal(size=(64, WIDTH)).astype("float32")


@pytest.fixture
def heavy(slipway, rows):
    slipway.write("deep/model.onnx", deep_network())
    slipway.write("deep/slipway.yaml", "slipway: 1\nname: deep\nversion: 1.0.0\nmodel: {engine: onnx, file: model.onnx}\n")
    slipway.write("golden.jsonl", "".join(json.dumps({"x": row.tolist()}) + "\n" for row in rows[:8]))
    slipway("pack", "deep", "--golden", "golden.jsonl")
    return slipway.folder / "deep-1.0.0.slipway"


def ask(server, row, **options):
    return requests.post(server.url + "/predict/deep", json={"x": row.tolist()}, timeout=60, **options)


def workload(server):
    return requests.get(server.url + "/models/deep", timeout=10).json()["workload"]


def test_calls_share_runs_and_keep_their_bits(slipway, heavy, rows):
    with slipway.serving(heavy, options=["--threads", "1", "--heavy-from", "20us", "--max-queue-wait", "60s"]) as server:
        assert workload(server)["runs_on"] == "compute"  # known from its golden records
        alone = [ask(server, row).json()["prediction"]["y"] for row in rows]
        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            for _ in range(4):
                together = list(pool.map(lambda row: ask(server, row).json()["prediction"]["y"], rows))
                assert together == alone
        batching = workload(server)["batching"]
        assert batching["calls"] == 64 * 5 and batching["calls_together"] > 0, batching


def test_health_is_answered_while_heavy_calls_fill_the_server(slipway, heavy, rows):
    with slipway.serving(heavy, options=["--threads", "1", "--heavy-from", "20us"]) as server:
        stop, statuses, slowest = threading.Event(), set(), 0.0

        def press():
            while not stop.is_set():
                statuses.add(requests.post(server.url + "/v1/models/deep:predict", json={"instances": rows.tolist()}, timeout=60).status_code)

        threads = [threading.Thread(target=press) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(30):
            begun = time.monotonic()
            assert requests.get(server.url + "/livez", timeout=10).status_code == 200
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.02)
        stop.set()
        for thread in threads:
            thread.join()
        assert statuses <= {200, 429}, statuses
        assert slowest < 1.0


def test_what_cannot_be_answered_in_time_is_refused_at_once(slipway, heavy, rows):
    with slipway.serving(heavy, options=["--threads", "1", "--heavy-from", "20us", "--max-queue-wait", "1ms", "--max-batch-rows", "1"]) as server:
        with concurrent.futures.ThreadPoolExecutor(48) as pool:
            answers = list(pool.map(lambda i: ask(server, rows[i % 64]), range(400)))
        refused = [answer for answer in answers if answer.status_code != 200]
        assert refused and len(refused) < 400
        for answer in refused:
            assert answer.status_code == 429 and answer.json()["code"] == "overload.queue", answer.text
            assert int(answer.headers["Retry-After"]) >= 1
        assert workload(server)["refused"] == len(refused)
        assert ask(server, rows[0]).status_code == 200  # and it recovers at once


def test_a_swap_under_heavy_calls_loses_none(slipway, heavy, rows):
    """Calls that wait belong to the version that they were read for, also when it has been replaced meanwhile."""
    slipway.write("models/first.slipway", heavy.read_bytes())
    with slipway.serving(options=["--watch", str(slipway.folder / "models"), "--watch-interval", "20ms", "--heavy-from", "20us",
                                  "--threads", "1", "--keep-loaded", "0B", "--max-queue-wait", "60s"]) as server:
        versions, stop = [], threading.Event()

        def press():
            while not stop.is_set():
                answer = ask(server, rows[0])
                assert answer.status_code == 200, answer.text
                versions.append(answer.json()["version"])

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            pressing = [pool.submit(press) for _ in range(6)]
            for version in ("1.0.1", "1.0.2"):
                manifest = f"slipway: 1\nname: deep\nversion: {version}\nmodel: {{engine: onnx, file: model.onnx}}\n"
                slipway.write("deep/slipway.yaml", manifest)
                slipway("pack", "deep", "--golden", "golden.jsonl", "--output", "next.slipway")
                (slipway.folder / "next.slipway").replace(slipway.folder / "models" / "first.slipway")
                end = time.monotonic() + 60
                while (not versions or versions[-1] != version) and time.monotonic() < end:
                    time.sleep(0.05)
            stop.set()
            for each in pressing:
                each.result()
        assert set(versions) == {"1.0.0", "1.0.1", "1.0.2"}
