"""The wheel itself."""

import json
import pathlib
import subprocess
import sys

import slipway


def test_it_is_the_installed_one_with_its_own_libraries():
    package = pathlib.Path(slipway.__file__).parent
    assert "site-packages" in str(package)
    needed = subprocess.check_output(["ldd", package / "lib/libslipway.so"], text=True)
    foreign = [line for line in needed.splitlines() if "=>" in line and "slipway.libs" not in line]
    allowed = ("libc.so", "libm.so", "libstdc++.so", "libgcc_s.so", "libz.so", "ld-linux")
    assert all(line.split()[0].startswith(allowed) for line in foreign), foreign


def test_it_holds_the_program(shop):
    done = subprocess.run([sys.executable, "-m", "slipway", "inspect", shop / "flights-1.0.0.slipway", "--json"], capture_output=True,
                          text=True, check=True)
    assert json.loads(done.stdout)["digest"] == slipway.Scorer(shop / "flights-1.0.0.slipway").digest
