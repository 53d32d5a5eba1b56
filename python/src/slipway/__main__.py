"""`python -m slipway …` is the program that the wheel holds."""

import os
import pathlib
import sys

program = pathlib.Path(__file__).parent / "slipway"
if not program.exists():
    sys.exit("this package was installed without the program slipway")
os.execv(program, [str(program), *sys.argv[1:]])
