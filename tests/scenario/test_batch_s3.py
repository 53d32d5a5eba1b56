"""`slipway batch` from and to an object store: the bits of a job over files, from and to names of every kind."""

import contextlib
import gzip
import http.server
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

import pandas as pd
import pytest
from certificates import Authority
from conftest import PROGRAM, ROOT, until
from lake import lake, local, meddler, rows, store  # noqa: F401  (fixtures)
from object_store import KEY, SECRET, tls_front


@pytest.mark.parametrize("source", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("sink", ["csv", "jsonl", "parquet"])
def test_every_format_gives_the_bits_of_a_job_over_files(lake, source, sink):
    lake.store.put(f"in/flights.{source}", lake.shop / f"flights.{source}")
    lake("--input", f"s3://lake/in/flights.{source}", "--output", f"s3://lake/out/scored.{sink}", "--keep", "flight")
    assert lake.store.get(f"out/scored.{sink}") == local(lake, lake.shop / f"flights.{source}", f"local.{sink}")
    assert lake.store.uploads() == []
    job = lake.folder / f"scored.{sink}.job"
    assert sorted(path.name for path in job.iterdir()) == ["job.json", "lock", "parts.jsonl", "tallies.txt"], "copies and parts are gone"
    assert SECRET not in (job / "job.json").read_text() and KEY not in (job / "job.json").read_text()


def test_folders_globs_and_packed_objects_are_read_in_the_order_of_their_names(lake, rows):
    store, parts = lake.store, {}
    parts["in/a.csv"] = rows[:3000].to_csv(index=False).encode()
    parts["in/b.csv.gz"] = gzip.compress(rows[3000:5000].to_csv(index=False).encode())
    parts["in/c.jsonl.zst"] = subprocess.run(["zstd", "-qc"], capture_output=True, check=True,
                                             input=rows[5000:6000].to_json(orient="records", lines=True).encode()).stdout
    parts["in/day=1/d.parquet"] = rows[6000:8000].to_parquet(index=False)
    parts["in/day=2/e.csv"] = rows[8000:9000].to_csv(index=False).encode()
    for key, content in parts.items():
        store.put(key, content)
    for key in "in/_SUCCESS", "in/.half.csv", "in/day=1/_temporary/x.csv", "in/notes.txt", "other/f.csv":
        store.put(key, b"no table")
    sources = {"folder": ["s3://lake/in/"], "globs": ["s3://lake/in/*.*z*", "s3://lake/in/day=?/*.*", "s3://lake/in/[a]*"],
               "folders of a glob": ["s3://lake/in/day=*/", "s3://lake/in/?.*sv*", "s3://lake/in/c*"]}
    for name, inputs in sources.items():
        flags = [word for source in inputs for word in ("--input", source)]
        lake(*flags, "--output", f"{name[:7]}.csv", "--keep", "flight", "--json")
    assert list(pd.read_csv(lake.folder / "folder.csv").flight) == list(rows.flight[:9000])
    assert sorted(pd.read_csv(lake.folder / "globs.csv").flight) == sorted(rows.flight[:9000])
    assert sorted(pd.read_csv(lake.folder / "folders.csv").flight) == sorted(rows.flight[:9000])
    assert "no table to read in s3://lake/nowhere/" in lake("--input", "s3://lake/nowhere/", "--output", "n.csv", expect=1).stderr


def test_the_commands_of_the_page_run(lake, rows):
    page = (ROOT / "docs/batch.md").read_text()
    lines = re.findall(r"^slipway batch run .*s3://.*$", page, re.M)
    assert len(lines) == 4
    shutil.copy(lake.shop / "flights-1.0.0.slipway", lake.folder / "flight-delay-1.0.0.slipway")
    lake.store.put("flights/day.csv.gz", gzip.compress(rows[:100].to_csv(index=False).encode()))
    lake.store.put("flights/1.csv", rows[100:300].to_csv(index=False))
    for line in lines:
        done = subprocess.run([PROGRAM, *shlex.split(line)[1:]], cwd=lake.folder, env=lake.store.environment(), capture_output=True, text=True)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert len(pd.read_parquet(io.BytesIO(lake.store.get("scored/day.parquet")))) == 100
    assert lake.store.keys("scored/all/") == ["scored/all/_SUCCESS", "scored/all/part-000000.csv"]
    assert len(pd.read_csv(lake.folder / "local.csv")) == 300


def test_more_objects_than_a_page_of_a_list_are_found(lake, rows):
    for n in range(1203):
        path = lake.store.folder / f"lake/many/{n:04}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(rows[n : n + 1].to_csv(index=False))
    done = lake("--input", "s3://lake/many/", "--output", "many.csv", "--keep", "flight", "--dry-run", "--json")
    files = json.loads(done.stdout)["files"]
    assert [file["path"] for file in files] == [f"s3://lake/many/{n:04}.csv" for n in range(1203)]


@pytest.mark.parametrize("name", ["with space", "plus+plus", "ünï/cödé", "per%20cent%", "a=b&c", "quo'te\"", "semi;colon,(x)~!"])
def test_odd_keys_are_signed_and_found_as_other_clients_name_them(lake, rows, name):
    content = rows[:2000].to_csv(index=False)
    lake.store.put(f"in/{name}/t.csv", content)
    lake.local.slipway.write("t.csv", content)
    expected = local(lake, "t.csv", "local.csv")
    lake("--input", f"s3://lake/in/{name}/t.csv", "--output", f"s3://lake/out/{name}/b.csv", "--keep", "flight", "--job", "one.job")
    lake("--input", f"s3://lake/in/{name}/", "--output", f"s3://lake/out/{name}-2.csv", "--keep", "flight", "--job", "two.job")
    assert lake.store.get(f"out/{name}/b.csv") == lake.store.get(f"out/{name}-2.csv") == expected


def test_a_folder_of_parts_is_complete_when_its_marker_stands_in_it(lake, rows, meddler):
    lake.store.put("in.csv", rows.to_csv(index=False))
    absent = []
    meddler.on_request = lambda asked: asked.startswith("PUT /lake/out/part") and absent.append(
        not (lake.store.folder / "lake/out/_SUCCESS").exists())
    lake("--input", "s3://lake/in.csv", "--output", "s3://lake/out/", "--keep", "flight", "--part-rows", 10_000,
         environment=lake.store.environment(meddler.url))
    assert absent == [True] * 4
    marker = json.loads(lake.store.get("out/_SUCCESS"))
    assert [part["name"] for part in marker["parts"]] == [f"part-00000{n}.csv" for n in range(4)]
    assert sum(part["rows"] for part in marker["parts"]) == len(rows)
    texts = [lake.store.get(f"out/{part['name']}").decode().split("\n", 1)[1] for part in marker["parts"]]
    lake.local.slipway.write("in.csv", rows.to_csv(index=False))
    assert "".join(texts) == local(lake, "in.csv", "whole.csv").decode().split("\n", 1)[1]
    again = lake("--input", "s3://lake/in.csv", "--output", "s3://lake/out/", "--keep", "flight", "--job", "2.job", expect=1)
    assert "has objects in it" in again.stderr
    # What was written is read again, but for its marker.
    assert len(json.loads(lake("--input", "s3://lake/out/", "--output", "x.csv", "--dry-run", "--json", expect=1).stdout
                          or "{}").get("files", [])) == 0


def test_shards_write_folders_of_their_own(lake, rows):
    lake.store.put("in.csv", rows.to_csv(index=False))
    for index in range(2):
        lake("--input", "s3://lake/in.csv", "--output", "s3://lake/out/", "--keep", "flight", "--part-rows", 5000, "--shard", f"{index}/2")
    keys = lake.store.keys("out/")
    assert [key for key in keys if key.endswith("_SUCCESS")] == [f"out/shard-{n}-of-2/_SUCCESS" for n in range(2)]
    assert len(keys) == 8 + 2


def test_rejects_go_to_an_object(lake, rows):
    rows = rows[:100].astype({"distance": object})
    rows.loc[7, "distance"] = "far"
    lake.store.put("in.csv", rows.to_csv(index=False))
    lake("--input", "s3://lake/in.csv", "--output", "s3://lake/good.csv", "--keep", "flight", "--rejects", "s3://lake/bad.csv")
    bad = lake.store.get("bad.csv").decode().splitlines()
    assert len(bad) == 2 and bad[1].startswith("s3://lake/in.csv,7,distance,schema.wrong_type,far")
    assert len(lake.store.get("good.csv").splitlines()) == 100


def test_an_empty_object_and_one_without_rows(lake, rows):
    lake.store.put("empty.csv", b"")
    lake.store.put("header.csv", rows[:0].to_csv(index=False))
    assert "empty.csv" in lake("--input", "s3://lake/empty.csv", "--output", "e.csv", "--keep", "flight", expect=1).stderr
    lake("--input", "s3://lake/header.csv", "--output", "s3://lake/out/", "--keep", "flight")
    assert lake.store.keys("out/") == ["out/_SUCCESS", "out/part-000000.csv"]
    assert lake.store.get("out/part-000000.csv") == b"flight,probability,late,model,version,error\n"


def test_the_answers_go_to_standard_output(lake, rows):
    lake.store.put("in.parquet", rows[:1000].to_parquet(index=False))
    done = lake("--input", "s3://lake/in.parquet", "--output", "-", "--output-format", "csv", "--keep", "flight")
    assert len(done.stdout.splitlines()) == 1001


def test_other_commands_read_and_write_objects_of_text(lake, rows):
    lake.store.put("in.csv.gz", gzip.compress(rows[:500].to_csv(index=False).encode()))

    def predict(source, sink):
        return subprocess.run([PROGRAM, "predict", lake.shop / "flights-1.0.0.slipway", "--input", source, "--output", sink, "--keep",
                               "flight"], cwd=lake.folder, env=lake.store.environment(), capture_output=True, text=True)

    assert predict("s3://lake/in.csv.gz", "s3://lake/out.jsonl").returncode == 0
    assert len(lake.store.get("out.jsonl").splitlines()) == 500
    assert "by `slipway batch` only" in predict("s3://lake/in.csv.gz", "s3://lake/out.parquet").stderr
    assert lake.store.keys("out.parquet") == []


def test_a_private_authority_is_trusted_by_name_only(lake, rows, tmp_path):
    lake.store.put("in.csv", rows.to_csv(index=False))
    authority = Authority(tmp_path / "ca")
    port, front = tls_front(tmp_path, authority, lake.store.port)
    try:
        url = f"https://localhost:{port}"
        probe = ["openssl", "s_client", "-connect", f"localhost:{port}"]
        until(lambda: subprocess.run(probe, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0, what="no TLS")
        options = ["--input", "s3://lake/in.csv", "--output", "s3://lake/out.csv", "--keep", "flight"]
        done = lake(*options, environment=lake.store.environment(url), expect=3)
        assert "certificate" in done.stderr and "AWS_CA_BUNDLE" in done.stderr
        lake(*options, environment=lake.store.environment(url, AWS_CA_BUNDLE=str(authority.path)))
        lake.local.slipway.write("in.csv", rows.to_csv(index=False))
        assert lake.store.get("out.csv") == local(lake, "in.csv", "local.csv")
    finally:
        front.kill()
        front.wait()


def test_a_profile_gives_credentials_endpoint_and_region(lake, rows):
    lake.store.put("in.csv", rows[:100].to_csv(index=False))
    home = lake.folder / "home"
    lake.local.slipway.write("home/.aws/config", f"[default]\nregion = nowhere\n[profile lake]\nregion = eu-west-1\nendpoint_url = {lake.store.url}\n")
    lake.local.slipway.write("home/.aws/credentials", f"[lake]\naws_access_key_id = {KEY}\naws_secret_access_key={SECRET}\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    lake("--input", "s3://lake/in.csv", "--output", "b.csv", "--keep", "flight",
         environment={**kept, "HOME": str(home), "AWS_PROFILE": "lake"})
    done = lake("--input", "s3://lake/in.csv", "--output", "c.csv", environment={**kept, "HOME": str(home), "AWS_PROFILE": "laek"}, expect=1)
    assert 'AWS_PROFILE names "laek"' in done.stderr


def test_memory_does_not_grow_with_the_object(lake):
    text = (lake.shop / "flights.csv").read_text()
    head, body = text.split("\n", 1)
    with open(lake.store.folder / "lake/large.csv", "w") as file:
        file.write(head + "\n")
        for _ in range((300 << 20) // len(body) + 1):
            file.write(body)
    lake.store.put("small.csv", text)
    peaks = {}
    for name in "small", "large":
        job = lake.start("--input", f"s3://lake/{name}.csv", "--output", f"s3://lake/{name}.out.csv", "--keep", "flight", "--memory",
                         "512MiB")
        while job.poll() is None:
            with contextlib.suppress(OSError, TypeError):
                peaks[name] = int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{job.pid}/status").read_text())[1])
            time.sleep(0.005)
        assert job.returncode == 0, job.communicate()
    print(peaks)
    assert peaks["large"] < 512 << 10
    assert (lake.store.folder / "lake/large.out.csv").read_text().count("\n") == 1 + body.count("\n") * ((300 << 20) // len(body) + 1)


class Lender:
    """What gives credentials that end, in the three ways of Amazon's: a container's agent, the machine's metadata, a role's service."""

    def __init__(self, seconds):
        self.seconds, self.seen = seconds, []
        lender = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, text):
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def ends(self):
                return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + lender.seconds))

            def lent(self):
                self.answer(json.dumps({"AccessKeyId": KEY, "SecretAccessKey": SECRET, "Token": "lent", "Expiration": self.ends()}))

            def do_GET(self):
                lender.seen.append(self.path)
                if self.path == "/agent" and self.headers["Authorization"] == "agent's word":
                    return self.lent()
                if self.headers["X-aws-ec2-metadata-token"] == "metadata's word":
                    return self.lent() if self.path.endswith("/a-role") else self.answer("a-role\n")
                self.send_error(403)

            def do_PUT(self):
                self.answer("metadata's word") if self.path == "/latest/api/token" else self.send_error(404)

            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                lender.seen.append(form["RoleArn"][0])
                if form["WebIdentityToken"] != ["pod's word/+="] or form["Action"] != ["AssumeRoleWithWebIdentity"]:
                    return self.send_error(403)
                keys = {"AccessKeyId": KEY, "SecretAccessKey": SECRET, "SessionToken": "lent", "Expiration": self.ends()}
                self.answer('<R xmlns="x"><AssumeRoleWithWebIdentityResult><Credentials>' + "".join(
                    f"<{name}>{value}</{name}>" for name, value in keys.items()) + "</Credentials></AssumeRoleWithWebIdentityResult></R>")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @contextlib.contextmanager
    def running(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()


LOGINS = {
    "container": lambda url, folder: {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/agent",
                                      "AWS_CONTAINER_AUTHORIZATION_TOKEN": "agent's word"},
    "machine": lambda url, folder: {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url},
    "role": lambda url, folder: {"AWS_ROLE_ARN": "arn:aws:iam::1:role/batch", "AWS_ENDPOINT_URL_STS": url,
                                 "AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "token")},
}


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("seconds", [3600, 60], ids=["for an hour", "for a minute"])
def test_credentials_that_end_are_fetched_and_fetched_again(lake, rows, meddler, login, seconds):
    lake.store.put("in.csv", rows[:100].to_csv(index=False))
    lake.local.slipway.write("token", "pod's word/+=\n")
    with Lender(seconds).running() as lender:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = {**kept, "HOME": str(lake.folder), "AWS_ENDPOINT_URL_S3": meddler.url, "AWS_REGION": "eu-west-1",
                       **LOGINS[login](lender.url, lake.folder)}
        lake("--input", "s3://lake/in.csv", "--output", "b.csv", "--keep", "flight", environment=environment)
        asked = len(lender.seen)
        assert asked in (1, 2) if seconds == 3600 else asked > 2
    assert all(headers["x-amz-security-token"] == "lent" for _, headers in meddler.requests)
    lake("--input", "s3://lake/in.csv", "--output", "c.csv", environment=environment, expect=3)


def test_an_agents_word_is_not_sent_to_strangers(lake):
    done = lake("--input", "s3://lake/in.csv", "--output", "c.csv", expect=3, environment={
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")}, "HOME": str(lake.folder),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1.example.com/agent", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "word"})
    assert "neither https nor an address of this machine" in done.stderr
