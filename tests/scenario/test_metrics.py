"""What `slipway serve` shows at /metrics, as Prometheus reads it."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
from collector import closed_port
from conftest import ROOT, Slipway
from grpc_client import INFERENCE, Client, message
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

GOOD = {"income": 30000.0, "age": 30, "purpose": "car", "city": "city-1", "applied": "2024-03-01T10:00:00"}
BAD = dict(GOOD, age=7)
OPEN = {"Accept": "application/openmetrics-text; version=1.0.0"}
TRITON_COUNTERS = [
    "nv_inference_request_success", "nv_inference_request_failure", "nv_inference_count", "nv_inference_exec_count",
    "nv_inference_request_duration_us", "nv_inference_queue_duration_us", "nv_inference_compute_input_duration_us",
    "nv_inference_compute_infer_duration_us", "nv_inference_compute_output_duration_us"]
TRITON_HISTOGRAMS = [f"nv_inference_{what}_duration_histogram_us"
                     for what in ("request", "queue", "compute_input", "compute_infer", "compute_output")]


@pytest.fixture(scope="module")
def server(loans_folder, tmp_path_factory):
    """With a call of every kind behind it."""
    options = ("--otlp-endpoint", f"http://127.0.0.1:{closed_port()}", "--grpc", "127.0.0.1:0", "--cache-memory", "1MiB",
               "--cache-redis", f"redis://127.0.0.1:{closed_port()}")
    with Slipway(tmp_path_factory.mktemp("metrics")).serving(loans_folder / "loans-1.0.0.slipway", options=options) as running:
        for body in (GOOD, BAD, [GOOD, BAD], "{"):
            running.request("POST", "/predict/loans", body)
        running.request("POST", "/v1/models/loans:predict", {"instances": [GOOD]})
        running.request("POST", "/nothing", GOOD)
        with Client(running.grpc) as client:
            client.method(f"{INFERENCE}/ServerLive")(message("inference.ServerLiveRequest")())
        yield running


def scrape(server, headers=None):
    status, body, answered = server.request("GET", "/metrics", headers=headers or {})
    assert status == 200
    return body.decode(), answered["Content-Type"]


def samples(families):
    """The parser of plain text gives counters a _total that Triton's have not."""
    def name(sample):
        return sample.name.removesuffix("_total") if sample.name.startswith("nv_") else sample.name

    return {(name(s), tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_both_texts_parse_and_say_the_same(server):
    text, plain_type = scrape(server)
    open_text, open_type = scrape(server, OPEN)
    assert plain_type.startswith("text/plain; version=0.0.4") and open_type.startswith("application/openmetrics-text; version=1.0.0")
    plain, opened = samples(parse_text(text)), samples(parse_openmetrics(open_text))
    assert set(plain) == set(opened), set(plain) ^ set(opened)
    assert plain[("nv_inference_request_success", (("model", "loans"), ("version", "1.0.0")))] == 3


def test_tritons_series_have_their_names_types_and_labels(server):
    families = {family.name: family for family in parse_text(scrape(server)[0])}
    # The parser takes names of counters without their _total; Triton's have none.
    for name in TRITON_COUNTERS:
        assert families[name].type == "counter", name
        assert all(sample.name == name or sample.name == name + "_total" for sample in families[name].samples)
        assert f"\n{name}{{model=" in scrape(server)[0]
    for name in TRITON_HISTOGRAMS:
        assert families[name].type == "histogram", name
    assert families["nv_inference_pending_request_count"].type == "gauge"
    labels = {frozenset(s.labels) for name in TRITON_COUNTERS for s in families[name].samples}
    assert labels == {frozenset({"model", "version"}), frozenset({"model", "version", "reason"})}
    assert {s.labels["reason"] for s in families["nv_inference_request_failure"].samples} == {"REJECTED", "CANCELED", "BACKEND", "OTHER"}


def test_tritons_counters_and_histograms_agree(server):
    got = samples(parse_text(scrape(server)[0]))
    model = (("model", "loans"), ("version", "1.0.0"))
    value = lambda name: got[(name, model)]  # noqa: E731
    assert value("nv_inference_request_success") == 3 and value("nv_inference_count") == 3 and value("nv_inference_exec_count") == 3
    assert got[("nv_inference_request_failure", (("model", "loans"), ("reason", "REJECTED"), ("version", "1.0.0")))] == 2
    parts = [value(f"nv_inference_{part}_duration_us") for part in ("queue", "compute_input", "compute_infer", "compute_output")]
    assert value("nv_inference_request_duration_us") == pytest.approx(sum(parts)) and parts[2] > 0
    for what in ("request", "compute_input", "compute_infer", "compute_output"):
        assert value(f"nv_inference_{what}_duration_histogram_us_count") == 3
        assert value(f"nv_inference_{what}_duration_histogram_us_sum") == pytest.approx(value(f"nv_inference_{what}_duration_us"))


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing: run deps/install test")
@pytest.mark.parametrize("headers", [{}, OPEN], ids=["text", "openmetrics"])
def test_promtool_finds_fault_with_tritons_names_alone(server, headers):
    done = subprocess.run(["promtool", "check", "metrics"], input=scrape(server, headers)[0], capture_output=True, text=True, timeout=60)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if line]
    assert done.returncode in (0, 3), complaints  # 3: names that its style does not like; 1: not readable
    ours = [line for line in complaints if not line.startswith("nv_inference_")]
    assert not [line for line in ours if not line.split()[0].endswith("_total") or headers == {}], ours


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is missing: run deps/install test")
def test_a_real_prometheus_scrapes_and_answers_tritons_queries(server, tmp_path):
    address = server.url.removeprefix("http://")
    (tmp_path / "prometheus.yml").write_text(
        "scrape_configs:\n  - job_name: slipway\n    scrape_interval: 200ms\n    scrape_timeout: 200ms\n"
        f"    static_configs: [{{targets: ['{address}']}}]\n")
    port = closed_port()
    process = subprocess.Popen(
        ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
         f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=(tmp_path / "log").open("w"))

    def ask(query):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query}), timeout=5) as answer:
                return json.load(answer)["data"]["result"]
        except OSError:
            return []

    try:
        end = time.monotonic() + 60
        while not ask('up{job="slipway"} == 1'):
            assert process.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
            time.sleep(0.2)
        for name in TRITON_COUNTERS + ["nv_inference_pending_request_count"] + [h + "_bucket" for h in TRITON_HISTOGRAMS]:
            assert ask(f'{name}{{model="loans",version="1.0.0"}}'), name
        (success,) = ask("nv_inference_request_success")
        assert success["value"][1] == "3"
        assert ask("histogram_quantile(0.99, sum by (le) (slipway_prediction_duration_seconds_bucket))")
        assert ask("slipway_build_info") and ask("slipway_event_loop_lag_seconds_count")
        (fault,) = ask("scrape_samples_scraped")
        assert int(fault["value"][1]) > 100
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_the_page_lists_every_series_that_there_is(server):
    page = (ROOT / "docs" / "operations" / "metrics.md").read_text()
    rows = {line.split("|")[1].strip().strip("`").split("{")[0]: line for line in page.splitlines() if line.startswith("| `")}
    families = list(parse_text(scrape(server)[0]))
    for family in families:
        name = family.name + "_total" if family.type == "counter" and not family.name.startswith("nv_") else family.name
        assert name in rows, name
        for label in {label for sample in family.samples for label in sample.labels} - {"le"}:
            assert f"`{label}`" in rows[name] or f"{label}," in rows[name] or f"{label}}}" in rows[name], (name, label)
