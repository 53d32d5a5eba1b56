"""Answers that servers share through a Redis: a real one, that is killed, held up, and fed with nonsense."""

import json
import re
import time

import pytest
from conftest import Server, Slipway, until
from load import Load, Replica, free_ports
from redis_server import Redis
from shifts import write_shift


def heavy(folder, version="1.0.0", shift=0):
    """A packed bundle: its golden record tells from the start what a row takes."""
    write_shift(folder / "shift", "shift", version, shift)
    slipway = Slipway(folder)
    slipway.write("golden.jsonl", '{"x": 1}\n')
    slipway("pack", "shift", "--golden", "golden.jsonl")
    return folder / f"shift-{version}.slipway"


@pytest.fixture
def redis(tmp_path):
    with Redis(tmp_path).running() as running:
        yield running


@pytest.fixture
def fleet(tmp_path):
    """Makes servers whose model counts as heavy, and ends them. Their budget is one that a busy machine keeps to."""
    started = []

    def make(redis, *options, bundle=None, ready=True, budget="1s"):
        number = len(started)
        bundle = bundle or heavy(tmp_path / f"bundle-{number}")
        [port] = free_ports(1)
        replica = Replica(tmp_path, f"replica-{number}", port, [bundle],
                          ["--heavy-from", "1ns", "--cache-memory", "16MiB", "--cache-redis", redis.url,
                           "--cache-redis-timeout", budget, "--max-queue-wait", "30s", *options])
        started.append(replica)
        replica.start()
        server = Server(f"http://127.0.0.1:{port}", replica.process, tmp_path / f"replica-{number}.log")
        if ready:
            until(lambda: metric(server, "up") == 1, what="it does not reach the Redis")
        return server

    yield make
    for replica in started:
        replica.stop()


def metric(server, name, outcome=None):
    label = f'{{outcome="{outcome}"}}' if outcome else ""
    found = re.search(rf"^slipway_cache_redis_{name}{re.escape(label)} (\S+)$", server.get("/metrics")[1], re.MULTILINE)
    assert found, (name, outcome)
    return float(found.group(1))


def ask(server, x, **headers):
    status, body, answered = server.request("POST", "/predict/shift", {"x": x}, {"X-Request-Id": "the-same", **headers})
    assert status == 200, body
    return body, answered.get("Slipway-Cache")


def ask_and_share(server, x):
    """Until the Redis has it."""
    before = metric(server, "writes_total", "written")
    body, _ = ask(server, x)
    until(lambda: metric(server, "writes_total", "written") > before, what="the answer is not written")
    return body


def test_two_servers_share_an_answer_with_the_same_bytes(redis, fleet):
    first, second = fleet(redis), fleet(redis)
    answers = [ask_and_share(first, x) for x in (0.1, 2.5, 1e300)]
    for x, answer in zip((0.1, 2.5, 1e300), answers):
        assert ask(second, x) == (answer, "hit")
    assert metric(second, "requests_total", "hit") == 3
    assert 'slipway_cache_requests_total{model="shift",version="1.0.0",outcome="hit"} 3' in second.get("/metrics")[1]
    assert ask(second, 0.1) == (answers[0], "hit")  # now from its own memory
    assert metric(second, "requests_total", "hit") == 3


def test_a_new_answer_may_be_asked_for(redis, fleet):
    first, second = fleet(redis), fleet(redis)
    answer = ask_and_share(first, 1)
    assert ask(second, 1, **{"Cache-Control": "no-cache"}) == (answer, None)
    assert ask(second, 2, **{"Cache-Control": "no-store"})[1] is None
    assert len(redis.keys()) == 1


def test_another_version_or_another_bundle_of_its_name_never_gives_old_answers(redis, fleet, tmp_path):
    old = fleet(redis)
    ask_and_share(old, 1)
    newer = fleet(redis, bundle=heavy(tmp_path / "newer", "2.0.0", 1000))
    other = fleet(redis, bundle=heavy(tmp_path / "other", "1.0.0", 500))
    for server, expected in ((newer, 1001), (other, 501)):
        body, cached = ask(server, 1)
        assert json.loads(body)["prediction"]["y"] == expected and cached is None


def test_what_is_shared_ends_with_its_lifetime(redis, fleet, tmp_path):
    ask_and_share(fleet(redis, "--cache-redis-prefix", "team:"), 1)
    ask_and_share(fleet(redis, "--cache-lifetime", "90s", "--cache-redis-prefix", "short:"), 1)
    lives = {key.split(":")[0]: int(redis.cli("PTTL", key)) for key in redis.keys()}
    assert 80_000 < lives["short"] <= 90_000 and 86_000_000 < lives["team"] <= 86_400_000


def test_it_is_killed_and_comes_back_under_load(redis, fleet):
    server = fleet(redis)
    with Load(server.port, rate=150, shift=0) as load:
        time.sleep(0.5)
        redis.kill()
        until(lambda: metric(server, "up") == 0)
        time.sleep(0.5)
        redis.start()
        until(lambda: metric(server, "up") == 1)
        written = metric(server, "writes_total", "written")
        until(lambda: metric(server, "writes_total", "written") > written + 20)
    assert load.failures == []
    assert max(load.waits) < 2, sorted(load.waits)[-5:]
    log = server.log.read_text()
    assert log.count("cache.redis.down") == 1 and log.count("cache.redis.up") == 2, log


def test_one_that_answers_nothing_costs_a_few_budgets_and_no_request(redis, fleet):
    server = fleet(redis, budget="20ms")
    with Load(server.port, rate=150, shift=0) as load:
        time.sleep(0.5)
        before, skipped = metric(server, "requests_total", "timeout"), metric(server, "requests_total", "skipped")
        redis.hold()
        until(lambda: metric(server, "up") == 0)
        time.sleep(1.5)
        late = metric(server, "requests_total", "timeout") - before
        assert late <= 3 + 8  # in a row, and those on the other connections at that moment
        assert metric(server, "requests_total", "skipped") > skipped + 50
        redis.go_on()
        until(lambda: metric(server, "up") == 1)
        written = metric(server, "writes_total", "written")
        until(lambda: metric(server, "writes_total", "written") > written + 20)
    assert load.failures == []
    assert max(load.waits) < 2, sorted(load.waits)[-5:]
    slow = [line for line in server.get("/metrics")[1].splitlines() if line.startswith("slipway_cache_redis_lookup_seconds")]
    within = next(line for line in slow if 'le="0.5"' in line).split()[-1]
    assert within == next(line for line in slow if "_count" in line).split()[-1], slow


def test_a_server_starts_and_serves_without_it(redis, fleet):
    redis.kill()
    server = fleet(redis, ready=False)
    assert ask(server, 1)[1] is None
    assert metric(server, "up") == 0 and metric(server, "requests_total", "skipped") == 1
    redis.start()
    until(lambda: metric(server, "up") == 1)
    ask_and_share(server, 2)


def test_values_that_are_no_answers_are_misses(redis, fleet):
    writer = fleet(redis)
    ask_and_share(writer, 1)
    [key] = redis.keys()
    value = redis.cli("GET", key).removesuffix(b"\n")
    ask_and_share(writer, 2)
    [other] = set(redis.keys()) - {key}
    of_other = redis.cli("GET", other).removesuffix(b"\n")
    for wrong in (b"", b"hello", value[:-1], value + b"x", value[:60] + b"?" + value[61:], of_other, b"\xff" * 5000):
        redis.cli("SET", key, stdin=wrong)
        reader = fleet(redis)
        body, cached = ask(reader, 1)
        assert json.loads(body)["prediction"]["y"] == 1 and cached is None, wrong
        assert metric(reader, "requests_total", "wrong") == 1, wrong
    redis.cli("DEL", key)
    redis.cli("RPUSH", key, "a", "list")
    reader = fleet(redis)
    assert ask(reader, 1)[1] is None
    assert metric(reader, "requests_total", "wrong") == 1
    until(lambda: redis.cli("TYPE", key).strip() == b"string", what="it is not written over")
    assert metric(reader, "up") == 1


def test_a_password_is_used_and_never_shown(tmp_path, fleet, slipway):
    with Redis(tmp_path, password="s3cret").running() as redis:
        ask_and_share(fleet(redis), 1)
        server = fleet(redis)
        assert ask(server, 1)[1] == "hit"
        redis.password, right = "wr0ng", redis.password
        refused = fleet(redis, ready=False)
        redis.password = right
        until(lambda: "cache.redis.down" in refused.log.read_text())
        assert ask(refused, 3)[1] is None
        assert "WRONGPASS" in refused.log.read_text() and "wr0ng" not in refused.log.read_text()
        assert "s3cret" not in server.log.read_text()
        shown = slipway("serve", tmp_path / "bundle-0" / "shift-1.0.0.slipway", "--cache-memory", "1MiB", "--cache-redis", redis.url, "--check-config").stdout
        assert "s3cret" not in shown and "(hidden)" in shown


@pytest.mark.parametrize("options, words", [
    (["--cache-redis", "redis://localhost"], "add --cache-memory"),
    (["--cache-memory", "1MiB", "--cache-redis", "rediss://:s3cret@localhost"], "stunnel"),
    (["--cache-memory", "1MiB", "--cache-redis", "redis://localhost:s3cret"], "port is no number"),
])
def test_what_cannot_be_meant_is_refused_with_the_way_out(slipway, tmp_path, options, words):
    bundle = write_shift(tmp_path / "shift", "shift", "1.0.0", 0)
    refused = slipway("serve", bundle, *options, expect=2).stderr
    assert words in refused and "--cache-redis" in refused and "s3cret" not in refused
