"""Models come, are replaced, fail and go while `slipway serve` answers."""

import http.client
import json
import os
import shutil
import signal
import threading
import time

import pytest
from conftest import until
from shifts import write_shift

ADMIN = ("--admin", "127.0.0.1:0")
FAST = ("--watch-interval", "20ms")
WRONG = '{"record":{"x":1},"prediction":{"y":1000.0}}'


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def put(models, name, version, shift, **more):
    """As an operator should: made elsewhere, and renamed into place."""
    made = write_shift(models.parent / "made" / f"{name}-{version}", name, version, shift, **more)
    os.rename(made, models / made.name)
    return models / made.name


def ask(server, name, x=1.0):
    status, body = server.post(f"/predict/{name}", json.dumps({"x": x}))
    answer = json.loads(body)
    return (answer["version"], answer["prediction"]["y"]) if status == 200 else (status, answer["code"])


def bundle(server, name, version):
    entries = [entry for entry in json.loads(server.get("/models")[1])["bundles"]
               if (entry.get("model"), entry.get("version")) == (name, version)]
    return entries[0] if entries else None


def test_bundles_of_a_folder_are_served_replaced_and_withdrawn(slipway, models):
    put(models, "shift", "1.0.0", 1)
    with slipway.serving(options=["--watch", str(models), *FAST]) as server:
        assert ask(server, "shift") == ("1.0.0", 2.0)
        new = put(models, "shift", "1.1.0", 10)
        until(lambda: ask(server, "shift") == ("1.1.0", 11.0))
        assert ask(server, "shift@1.0.0") == ("1.0.0", 2.0)
        put(models, "other", "3.0.0", 100)
        until(lambda: ask(server, "other") == ("3.0.0", 101.0))
        shutil.rmtree(new)
        until(lambda: ask(server, "shift") == ("1.0.0", 2.0))
        shutil.rmtree(models / "other-3.0.0")
        until(lambda: ask(server, "other")[0] == 404)


def test_an_empty_folder_is_served_when_something_comes(slipway, models):
    with slipway.serving(options=["--watch", str(models), *FAST]) as server:
        assert server.get("/readyz")[0] == 503
        assert server.get("/livez")[0] == 200
        put(models, "shift", "1.0.0", 1)
        until(lambda: server.get("/readyz")[0] == 200)
        assert ask(server, "shift") == ("1.0.0", 2.0)


def test_a_version_that_answers_its_golden_records_wrongly_never_takes_traffic(slipway, models):
    old = put(models, "shift", "1.0.0", 1)
    with slipway.serving(options=["--watch", str(models), *FAST]) as server:
        put(models, "shift", "1.1.0", 10, golden=WRONG)
        shutil.rmtree(old)
        until(lambda: (bundle(server, "shift", "1.1.0") or {}).get("state") == "failed")
        assert bundle(server, "shift", "1.1.0")["error"]["code"] == "bundle.golden_mismatch"
        until(lambda: (bundle(server, "shift", "1.0.0") or {}).get("wanted") is False)
        time.sleep(0.1)
        assert ask(server, "shift") == ("1.0.0", 2.0)
        assert "slipway_versions_failed 1" in server.get("/metrics")[1]
        assert server.get("/readyz")[0] == 200
        put(models, "shift", "1.2.0", 20)
        until(lambda: ask(server, "shift") == ("1.2.0", 21.0))
        until(lambda: ask(server, "shift@1.0.0")[0] == 404)


def test_other_contents_under_a_served_version_are_refused(slipway, models):
    served = put(models, "shift", "1.0.0", 1)
    with slipway.serving(options=["--watch", str(models), *FAST]) as server:
        other = write_shift(models.parent / "other", "shift", "1.0.0", 5)
        shutil.copy(other / "model.onnx", served / "model.onnx")
        until(lambda: "live.version_conflict" in server.get("/models")[1])
        assert ask(server, "shift") == ("1.0.0", 2.0)


def test_a_half_copied_bundle_is_left_alone(slipway, models, loans_folder):
    whole = (loans_folder / "loans-1.0.0.slipway").read_bytes()
    with slipway.serving(options=["--watch", str(models), "--watch-interval", "100ms"]) as server:
        with (models / "loans-1.0.0.slipway").open("wb") as file:
            for start in range(0, len(whole), len(whole) // 8 + 1):
                file.write(whole[start:start + len(whole) // 8 + 1])
                file.flush()
                time.sleep(0.05)
        until(lambda: server.get("/readyz")[0] == 200)
        assert "slipway_model_loads_total{outcome=\"failed\"} 0" in server.get("/metrics")[1]


def test_the_folder_may_vanish_for_a_while(slipway, models):
    put(models, "shift", "1.0.0", 1)
    with slipway.serving(options=["--watch", str(models), *FAST]) as server:
        os.rename(models, models.parent / "away")
        until(lambda: "live.source" in server.log.read_text())
        assert ask(server, "shift") == ("1.0.0", 2.0)
        os.rename(models.parent / "away", models)
        put(models, "shift", "1.1.0", 10)
        until(lambda: ask(server, "shift") == ("1.1.0", 11.0))
        assert server.log.read_text().count("live.source") == 1


def test_a_missing_folder_is_the_environments_fault(slipway):
    done = slipway("serve", "--watch", "nowhere", "--http", "127.0.0.1:0", expect=3)
    assert "nowhere" in done.stderr and "No such file or directory" in done.stderr


def test_other_bundles_of_the_configuration_file_are_taken_on_sighup(slipway, models):
    one, two = (put(models, "shift", version, shift) for version, shift in [("1.0.0", 1), ("2.0.0", 2)])
    slipway.write("serve.yaml", f"bundles: [{one}]\n")
    with slipway.serving(options=["--config", "serve.yaml"]) as server:
        assert ask(server, "shift") == ("1.0.0", 2.0)
        slipway.write("serve.yaml", f"bundles: [{two}]\n")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: ask(server, "shift") == ("2.0.0", 3.0))
        until(lambda: bundle(server, "shift", "1.0.0")["state"] == "resident")
        slipway.write("serve.yaml", f"bundles: [{one}]\n")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: ask(server, "shift") == ("1.0.0", 2.0))
        assert server.log.read_text().count('"model.ready"') == 2  # going back took no loading


def test_the_repository_is_operated_on_the_admin_listener_only(slipway, models):
    put(models, "shift", "1.0.0", 1)
    with slipway.serving(options=["--watch", str(models), *FAST, *ADMIN]) as server:
        status, body = server.post("/v2/repository/models/shift/unload", "")
        assert status == 501 and "admin listener" in body
        admin = server.admin
        assert admin.post("/v2/repository/models/shift/unload", "") == (200, "{}")
        assert ask(server, "shift")[0] == 404
        put(models, "shift", "1.1.0", 10)
        time.sleep(0.2)
        assert ask(server, "shift")[0] == 404
        assert admin.post("/v2/repository/models/shift/load", "") == (200, "{}")
        assert ask(server, "shift") == ("1.1.0", 11.0)
        put(models, "shift", "1.2.0", 20, golden=WRONG)
        status, body = admin.post("/v2/repository/models/shift/load", "")
        assert status == 500 and "golden" in body
        assert ask(server, "shift") == ("1.1.0", 11.0)
        status, body = admin.post("/v2/repository/models/shift/load", '{"parameters":{"config":"{}"}}')
        assert status == 501 and "as they were packed" in body
        assert admin.post("/v2/repository/models/nothing/load", "")[0] == 404


class Caller(threading.Thread):
    """Asks as fast as it can; every answer must be right for the version that it names."""

    def __init__(self, port, shifts, stop):
        super().__init__()
        self.port, self.shifts, self.stop = port, shifts, stop
        self.answers, self.wrong, self.versions = 0, [], set()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        while not self.stop.is_set():
            x = float(self.answers)
            connection.request("POST", "/predict/shift", json.dumps({"x": x}), {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                self.wrong.append((response.status, text))
                continue
            answer = json.loads(text)
            if answer["prediction"]["y"] != x + self.shifts[answer["version"]]:
                self.wrong.append(answer)
            if response.getheader("Slipway-Version") != answer["version"]:
                self.wrong.append((response.getheaders(), answer))
            self.versions.add(answer["version"])
            self.answers += 1


def test_a_hundred_swaps_under_load_give_no_wrong_answer_and_give_their_memory_back(slipway, models):
    swaps, early = 100, 20
    shifts = {f"1.{i}.0": i * 1000 for i in range(swaps + 1)}
    last = put(models, "shift", "1.0.0", 0)
    with slipway.serving(options=["--watch", str(models), "--watch-interval", "5ms", "--keep-loaded", "0B", "--threads", "2"]) as server:
        stop = threading.Event()
        callers = [Caller(server.port, shifts, stop) for _ in range(3)]
        for caller in callers:
            caller.start()
        for i in range(1, swaps + 1):
            version = f"1.{i}.0"
            new = put(models, "shift", version, shifts[version])
            shutil.rmtree(last)
            last = new
            until(lambda: version == bundle_in_service(server), seconds=60)
            if i == early:
                early_kib = server.resident() >> 10
        until(lambda: "slipway_versions_ready 1\n" in server.get("/metrics")[1])
        until(lambda: "slipway_versions_draining 0\n" in server.get("/metrics")[1])
        until(lambda: "slipway_versions_resident 0\n" in server.get("/metrics")[1])
        late_kib = server.resident() >> 10
        metrics = server.get("/metrics")[1]
        stop.set()
        for caller in callers:
            caller.join()
        assert [wrong for caller in callers for wrong in caller.wrong] == []
        answers = sum(caller.answers for caller in callers)
        seen = set.union(*(caller.versions for caller in callers))
        print(f"{answers} answers by {len(seen)} versions, {early_kib} KiB after {early} swaps, {late_kib} KiB after {swaps}")
        assert answers > 10 * swaps and len(seen) > swaps // 2
        # Loading a version takes some MiB; a version kept by mistake after each swap would take hundreds.
        assert late_kib - early_kib < 24 << 10
        # Versions that are gone are not counted for any more, and the last one has series of its own.
        assert f'slipway_predictions_total{{model="shift",version="1.{swaps}.0",door="native",outcome="ok"}}' in metrics
        assert 'version="1.1.0"' not in metrics and 'version="other"' not in metrics


def bundle_in_service(server):
    found = [model for model in json.loads(server.get("/models")[1])["models"] if model["name"] == "shift"]
    return found[0]["stable"] if found else None
