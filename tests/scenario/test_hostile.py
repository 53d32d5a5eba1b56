"""Whatever is thrown at the program ends in a message that names the fault: no crash, no hang, no flood of memory."""

import io
import json
import pickle
import random
import resource
import subprocess
import tarfile

import pytest
from conftest import MANIFEST, PROGRAM

HEAD = "slipway: 1\nname: x\nversion: 1.0.0\n"
MODEL = "model: {engine: onnx, file: model.onnx}\n"


def refused(slipway, *arguments, stdin=None):
    """Exit code 1 with one clear error, within 20 s and 2 GiB."""
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)], cwd=slipway.folder, input=stdin, capture_output=True, timeout=20,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30)),
    )
    text = done.stderr.decode(errors="replace")
    assert done.returncode == 1, f"exit {done.returncode}: {text}"
    assert "error:" in text and len(text) < 4000, text
    return text


@pytest.mark.parametrize(
    "content, hint",
    [
        (pickle.dumps({"a": 1}), "pickle"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "h5"),
        (b"PK\x03\x04" + b"\0" * 100, ""),
        (b"", "empty"),
        (b"\x08\x07" + b"\xff" * 200, ""),
        (b"tree\nversion=v4\nnum_class=1\n", "onnxmltools"),
        (b'{"learner":{"attributes":{}}}', "onnxmltools"),
        (bytes(random.Random(1).randrange(256) for _ in range(5000)), ""),
    ],
)
def test_files_that_are_no_onnx_models(slipway, content, hint):
    slipway.write("x/slipway.yaml", HEAD + MODEL)
    slipway.write("x/model.onnx", content)
    assert hint in refused(slipway, "pack", "x").lower()


def test_an_altered_model_never_crashes(loans_folder, slipway):
    original = (loans_folder / "loans/model.onnx").read_bytes()
    slipway.write("x/slipway.yaml", HEAD + MODEL)
    for seed in range(25):
        chance = random.Random(seed)
        data = bytearray(original)
        for _ in range(chance.randrange(1, 30)):
            data[chance.randrange(min(len(data), 2000))] = chance.randrange(256)
        slipway.write("x/model.onnx", bytes(data[: chance.randrange(10, len(data))]))
        done = subprocess.run([PROGRAM, "inspect", "x"], cwd=slipway.folder, capture_output=True, timeout=60)
        assert done.returncode in (0, 1), done.stderr


def archive(entries, compress=True):
    """A .slipway archive out of (TarInfo, bytes) pairs."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for info, content in entries:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    if not compress:
        return raw.getvalue()
    return subprocess.run(["zstd", "-q", "-c"], input=raw.getvalue(), capture_output=True, check=True).stdout


def entry(name, content=b"", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info, content


@pytest.mark.parametrize(
    "extra",
    [
        entry("../escape"), entry("/etc/passwd"), entry("a/../../b"), entry("./slipway.yaml"), entry("a\\b"), entry("a//b"),
        entry("link", kind=tarfile.SYMTYPE, link="/etc/passwd"), entry("hard", kind=tarfile.LNKTYPE, link="slipway.yaml"),
        entry("device", kind=tarfile.CHRTYPE), entry("pipe", kind=tarfile.FIFOTYPE), entry("slipway.yaml", b"twice"),
        entry("x" * 300, b"long"), entry("new\nline", b""),
    ],
    ids=lambda pair: repr(pair[0].name[:20]) + str(pair[0].type),
)
def test_hostile_entries(slipway, extra):
    slipway.write("x.slipway", archive([entry("slipway.yaml", (HEAD + MODEL).encode()), entry("model.onnx", b"x"), extra]))
    refused(slipway, "inspect", "x.slipway")


def test_a_decompression_bomb(slipway):
    slipway.write("x.slipway", archive([entry("slipway.yaml", (HEAD + MODEL).encode()), entry("model.onnx", b"\0" * (600 << 20))]))
    assert "decompression bomb" in refused(slipway, "inspect", "x.slipway")


def test_broken_archives(bundle, slipway):
    original = bundle.read_bytes()
    for cut in [0, 1, 4, 100, len(original) // 2, len(original) - 1]:
        slipway.write("x.slipway", original[:cut])
        refused(slipway, "inspect", "x.slipway")
    for seed in range(20):
        data = bytearray(original)
        data[random.Random(seed).randrange(len(data))] ^= 0x55
        slipway.write("x.slipway", bytes(data))
        refused(slipway, "verify", "x.slipway")


@pytest.mark.parametrize(
    "yaml",
    [
        "", "[]", "slipway: 2\n", "a: &a [x]\nb: *a\n", "[" * 100_000, "a:\n" + " " * 5000 + "b: 1", "\xff\xfe", "x: \x00",
        HEAD + "version: 1.0.0\n" + MODEL, HEAD.replace("1.0.0", "1.0") + MODEL, HEAD + "inputs: {a: {type: complex}}\n" + MODEL,
        HEAD + 'inputs: {a: {type: string, pattern: "("}}\n' + MODEL, HEAD + "inputs: {a: {type: number, min: 3, max: 1}}\n" + MODEL,
        HEAD + 'inputs: {a: {type: number}}\nfeatures: [{as: f, expr: "a +"}]\n' + MODEL,
        HEAD + 'inputs: {a: {type: number}}\nfeatures: [{as: f, expr: "' + "(" * 5000 + '"}]\n' + MODEL,
        HEAD + "model: {engine: onnx, file: ../../etc/passwd}\n", HEAD + "model: {engine: pickle, file: m}\n",
        "a: " + "x" * (3 << 20),
    ],
    ids=range(18),
)
def test_hostile_manifests(slipway, yaml):
    slipway.write("x/slipway.yaml", yaml.encode("latin-1"))
    slipway.write("x/model.onnx", b"x")
    text = refused(slipway, "inspect", "x")
    assert "slipway.yaml" in text or "passwd" in text or "pickle" in text


@pytest.mark.parametrize(
    "line",
    [
        "", "{", "null", "[]", "12", '"x"', "{}}", '{"a":1}{"b":2}', "[" * 100_000, '{"a":' * 50_000, "\xff", "\x00",
        '{"income":1e999,"age":1e999}', '{"age":123456789012345678901234567890}', '{"income":NaN}', '{"' + "k" * 100_000 + '":1}',
        '{"a\\ud800":1}', '{"age":30,"age":31}', '{"\\u0061ge":30,"age":31}', "{" + ",".join(f'"k{i}":1' for i in range(20_000)) + "}",
    ],
    ids=range(20),
)
def test_hostile_records(bundle, slipway, line):
    good = b'{"income":1000,"age":30,"purpose":"car","city":"x","applied":"2024-01-01"}\n'
    done = subprocess.run([PROGRAM, "predict", str(bundle)], input=line.encode("latin-1") + b"\n" + good, capture_output=True, timeout=30)
    answers = [json.loads(answer) for answer in done.stdout.decode().splitlines()]
    assert done.returncode == 0 and "prediction" in answers[-1]
    assert all("error" in answer for answer in answers[:-1])


@pytest.mark.parametrize("text", ["", "a\n", 'a,b\n"open', "a,a\n1,2\n", "\ufeffa\n1\n", "a\n" + "x" * 1000 + "\n", "a\x00b\n1\n", '"a"b\n1\n'], ids=range(8))
def test_hostile_csv(bundle, slipway, text):
    slipway.write("t.csv", text)
    done = subprocess.run([PROGRAM, "predict", str(bundle), "--input", "t.csv"], cwd=slipway.folder, capture_output=True, timeout=30)
    assert done.returncode in (0, 1), done.stderr


def test_hostile_parquet(bundle, slipway):
    for content in [b"", b"PAR1", b"PAR1" + b"\xff" * 1000 + b"PAR1"]:
        slipway.write("t.parquet", content)
        refused(slipway, "predict", bundle, "--input", "t.parquet")


def test_fitted_json_of_another_manifest(loans_folder, slipway):
    import shutil

    shutil.copytree(loans_folder / "loans", slipway.folder / "x")
    slipway.write("x/slipway.yaml", MANIFEST.replace("smoothing: 10", "smoothing: 11"))
    assert "fit" in refused(slipway, "pack", "x")
    for text in ["{", "[]", '{"format":1,"features":{"income_z":{"step":"standardize"}}}', '{"columns":{"income":"x"}}']:
        slipway.write("x/fitted.json", text)
        refused(slipway, "pack", "x")
