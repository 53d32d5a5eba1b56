"""The command line itself: usage, exit codes, completion, colours, progress."""

import json
import os
import pty
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
from conftest import PROGRAM, loans

COMMANDS = ["init", "fit", "transform", "pack", "inspect", "verify", "predict", "serve", "balance", "completion"]


@pytest.mark.parametrize(
    "arguments, hint",
    [
        (["inti"], 'did you mean "init"'),
        (["predict", "x", "--inptu", "y"], 'did you mean "--input"'),
        (["fit"], "folder is required"),
        (["init", "t.csv", "--rows", "0"], "not in range 1 to"),
        (["predict", "x", "--format", "xml"], "csv"),
        (["serve", "x", "--max-body", "lots"], "64MiB"),
        (["serve", "x", "--drain-delay", "soon"], "duration"),
        (["serve", "x", "--http", "nonsense"], "HOST:PORT"),
        (["serve", "x", "--log-level", "loud"], "warning"),
        (["balance", "haproxy"], "--replica HOST:PORT"),
        (["balance", "traefik", "--replica", "a:1"], "haproxy"),
        (["balance", "nginx", "--replica", "a"], "HOST:PORT"),
        (["balance", "nginx", "--replica", "a:0"], "from 1 to 65535"),
        (["balance", "nginx", "--replica", ":8080"], "names no machine"),
        (["balance", "nginx", "--replica", "a;b:1"], "no address"),
        (["balance", "nginx", "--replica", "a:1", "--replica", "a:1"], "named twice"),
        (["balance", "nginx", "--replica", "a:1", "--listen", "a:1"], "taken"),
        (["balance", "nginx", "--replica", "a:1", "--listen", ":80", "--stats", ":80"], "taken"),
        (["balance", "nginx", "--replica", "a:1", "--tls-key", "k.pem"], "--tls-cert"),
        (["balance", "nginx", "--replica", "a:1", "--tls-cert", "a b.pem"], "without blanks"),
        (["balance", "haproxy", "--replica", "a:1", "--tls-cert", "c.pem", "--tls-key", "k.pem"], "cat c.pem k.pem"),
        (["balance", "haproxy", "--replica", "a:1", "--check-interval", "1"], "--check-interval"),
        (["balance", "haproxy", "--replica", "a:1", "--check-interval", "1ms"], "from 50ms to"),
        (["balance", "haproxy", "--replica", "a:1", "--retry-body", "1GiB"], "16MiB"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_would_be_right(slipway, arguments, hint):
    assert hint in slipway(*arguments, expect=2).stderr
    if "--http" not in arguments:
        problem = json.loads(slipway(*arguments, "--json", expect=2).stdout)["error"]
        assert problem["reason"] == "usage" and hint in problem["message"]


def test_without_a_command_the_help_is_shown(slipway):
    done = slipway(expect=2)
    assert all(command in done.stderr for command in COMMANDS) and not done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(slipway, command):
    text = slipway(command, "--help").stdout
    assert "Example" in text and f"slipway {command}" in text.split("Example")[1]
    assert ("--json" in text) == (command != "completion")


def complete(folder, *words):
    """What bash offers for the last word."""
    script = f"""
      source <("$1" completion bash); shift
      COMP_WORDS=(slipway "$@"); COMP_CWORD=$#
      _slipway; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script, "bash", PROGRAM, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.split("\n")[:-1]


def test_bash_completes_commands_options_values_and_files(slipway):
    slipway.write("my model.slipway", "x")
    assert complete(slipway.folder, "in") == ["init", "inspect"]
    assert complete(slipway.folder, "predict", "--in") == ["--input"]
    assert complete(slipway.folder, "predict", "x", "--format", "js") == ["jsonl", "json"]
    assert complete(slipway.folder, "serve", "--log-level", "") == ["debug", "info", "warning", "error", "off"]
    assert complete(slipway.folder, "completion", "") == ["bash", "zsh", "fish"]
    assert complete(slipway.folder, "inspect", "my") == ["my model.slipway"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_an_apostrophe_in_a_summary_does_not_break_completion(slipway, shell):
    escaped = {"zsh": r"bundle'\''s", "fish": r"bundle\'s"}[shell]
    assert escaped in slipway("completion", shell).stdout


def on_a_terminal(arguments, folder, environment=None):
    """Output and errors of a run whose standard streams are a terminal."""
    parent, child = pty.openpty()
    process = subprocess.Popen([PROGRAM, *map(str, arguments)], cwd=folder, stdin=child, stdout=child, stderr=child,
                               env={**os.environ, "TERM": "xterm", **(environment or {})})
    os.close(child)
    text = b""
    while True:
        try:
            part = os.read(parent, 65536)
        except OSError:
            part = b""
        if not part:
            break
        text += part
    os.close(parent)
    process.wait()
    return text.decode()


def test_colours_are_for_terminals_and_not_with_NO_COLOR(slipway):
    coloured = {key: value for key, value in os.environ.items() if key == "NO_COLOR"}
    assert "\x1b[" not in slipway("inspect", "nothing", expect=1).stderr
    if not coloured:
        assert "\x1b[31merror:" in on_a_terminal(["inspect", "nothing"], slipway.folder)
    assert "\x1b[" not in on_a_terminal(["inspect", "nothing"], slipway.folder, {"NO_COLOR": "1"})


def test_progress_is_shown_on_a_terminal_only(slipway):
    with open(slipway.folder / "part.csv", "w") as file:
        file.writelines(f"{n},{n % 7},x{n % 90000},{n / 3:.3f},y{n % 80000},z{n % 70000}\n" for n in range(500_000))
    # Progress shows after a second: the table grows until this machine needs longer.
    seconds, parts = 0, 3
    while seconds < 2 and parts < 100:
        with open(slipway.folder / "t.csv", "w") as file:
            file.write("a,b,c,d,e,f\n" + (slipway.folder / "part.csv").read_text() * parts)
        begun = time.monotonic()
        text = on_a_terminal(["init", "t.csv", "--force", "--rows", 100_000_000], slipway.folder)
        seconds, parts = time.monotonic() - begun, parts * 3
    assert "reading" in text
    assert "reading" not in slipway("init", "t.csv", "--force", "--rows", 100_000_000).stderr


def test_a_reader_that_has_seen_enough_is_no_error(bundle, slipway):
    loans(30_000, 4).drop(columns="default").to_csv(slipway.folder / "t.csv", index=False)
    done = subprocess.run(f"'{PROGRAM}' predict '{bundle}' --input t.csv | head -1", shell=True, cwd=slipway.folder,
                          capture_output=True, text=True)
    assert done.stdout.startswith('{"row":0,') and not done.stderr


def test_a_table_may_still_hold_the_target(bundle, slipway):
    loans(50, 5).to_csv(slipway.folder / "t.csv", index=False)
    assert len(slipway.lines("predict", bundle, "--input", "t.csv", "--strict")) == 50


def test_other_columns_are_named_with_the_way_out(bundle, slipway):
    loans(50, 5).assign(branch="north").to_csv(slipway.folder / "t.csv", index=False)
    errors = slipway("predict", bundle, "--input", "t.csv", expect=1).stderr
    assert "(branch)" in errors and "--ignore-unknown" in errors and "--keep" in errors
    slipway("predict", bundle, "--input", "t.csv", "--keep", "branch")


def test_a_kept_column_that_clashes_with_the_answer_is_told(bundle, slipway):
    loans(50, 5).to_csv(slipway.folder / "t.csv", index=False)
    for form in ["csv", "parquet"]:
        done = slipway("predict", bundle, "--input", "t.csv", "--keep", "default", "--output", f"s.{form}", expect=1)
        assert '"default"' in done.stderr and "outputs:" in done.stderr
    assert "kept" in slipway.lines("predict", bundle, "--input", "t.csv", "--keep", "default")[0]


def test_a_kept_column_of_parquet_stays_what_it_is(bundle, slipway):
    table = loans(50, 5).drop(columns="default").assign(number=range(50), share=np.arange(50) / 7, code="007")
    table.to_parquet(slipway.folder / "t.parquet")
    slipway("predict", bundle, "--input", "t.parquet", "--keep", "number,share,code", "--output", "s.parquet")
    scored = pd.read_parquet(slipway.folder / "s.parquet")
    assert scored[["number", "share", "code"]].equals(table[["number", "share", "code"]])


def test_required_personal_columns_leave_golden_records_empty_handed_and_pack_says_so(loans_folder, slipway):
    manifest = (loans_folder / "loans/slipway.yaml").read_text()
    for name in ["model.onnx", "fitted.json", "baseline.json"]:
        slipway.write(f"p/{name}", (loans_folder / "loans" / name).read_bytes())
    slipway.write("p/slipway.yaml", manifest.replace("optional: true, personal: true", "personal: true"))
    loans(50, 6).assign(email="a@b.org").to_csv(slipway.folder / "t.csv", index=False)
    errors = slipway("pack", "p", "--golden", "t.csv").stderr
    assert "50 of 50 golden records break the schema (schema.missing)" in errors
    assert "(email)" in errors and "optional: true" in errors
