"""tools/tidy checks files together, blames each for its own faults only, remembers what passed, and keeps to its time."""
import json
import os
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLEAN = 'namespace slipway {\nint %s() {\n  return 1;\n}\n}  // namespace slipway\n'
NULL = 'namespace slipway {\nint* %s() {\n  return 0;\n}\n}  // namespace slipway\n'


class Checkout:
    """A made-up checkout with the real tool and the real list of checks."""

    def __init__(self, folder):
        self.folder = folder
        self.write('tools/tidy', open(os.path.join(ROOT, 'tools/tidy'), encoding='utf-8').read())
        os.chmod(folder / 'tools/tidy', 0o755)
        shutil.copy(os.path.join(ROOT, '.clang-tidy'), folder)

    def write(self, path, text):
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, encoding='utf-8')

    def tidy(self, *arguments):
        """Exit code and closing line, after the findings."""
        paths = sorted(str(path) for path in (self.folder / 'src').rglob('*.cc'))
        commands = [{'directory': str(self.folder), 'file': path, 'command': f'c++ -I{self.folder}/src -std=c++23 -c {path}'}
                    for path in paths]
        self.write('build/compile_commands.json', json.dumps(commands))
        done = subprocess.run([self.folder / 'tools/tidy', '--build', 'build', *arguments], cwd=self.folder, capture_output=True,
                              text=True, env=os.environ | {'XDG_CACHE_HOME': str(self.folder / 'cache')})
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout


@pytest.fixture
def checkout(tmp_path):
    if not shutil.which('clang-tidy-19'):
        pytest.skip('clang-tidy-19 is not installed: deps/install test')
    return Checkout(tmp_path)


def test_only_the_file_at_fault_is_blamed(checkout):
    checkout.write('src/base/good.cc', CLEAN % 'Good')
    checkout.write('src/base/wrong.cc', NULL % 'Wrong')
    code, said = checkout.tidy()
    assert code == 1 and 'src/base/wrong.cc:3:10: error: use nullptr' in said and 'good.cc' not in said
    assert '2 of 2 files checked, 0 unchanged since they passed, 0 left for want of time, 1 with findings' in said


def test_a_fault_in_a_header_is_found(checkout):
    checkout.write('src/base/a.h', '#pragma once\n' + NULL.replace('int*', 'inline int*') % 'Wrong')
    for name in ('one', 'two'):
        checkout.write(f'src/base/{name}.cc', '#include "base/a.h"\n' + CLEAN % name.capitalize())
    code, said = checkout.tidy()
    assert code == 1 and 'src/base/a.h:4:10: error: use nullptr' in said and '2 with findings' in said


def test_files_that_do_not_go_together_are_checked_alone(checkout):
    for name in ('one', 'two', 'three'):
        checkout.write(f'src/base/{name}.cc', f'namespace {{\nint same_name = 1;\n}}\nint {name.capitalize()}() {{\n  return same_name;\n}}\n')
    code, said = checkout.tidy()
    assert code == 0 and '3 of 3 files checked, 0 unchanged since they passed, 0 left for want of time, 0 with findings' in said


def test_a_file_is_checked_again_when_a_header_that_it_reaches_changed(checkout):
    checkout.write('src/base/inner.h', '#pragma once\n')
    checkout.write('src/base/outer.h', '#pragma once\n#include "base/inner.h"\n')
    checkout.write('src/base/reaches.cc', '#include "base/outer.h"\n' + CLEAN % 'Reaches')
    checkout.write('src/base/other.cc', CLEAN % 'Other')
    assert '2 of 2 files checked' in checkout.tidy()[1]
    assert '0 of 2 files checked, 2 unchanged' in checkout.tidy()[1]
    checkout.write('src/base/inner.h', '#pragma once\n// Another text.\n')
    assert '1 of 2 files checked, 1 unchanged' in checkout.tidy()[1]


def test_files_for_which_there_is_no_time_are_told_and_no_fault(checkout):
    checkout.write('src/base/wrong.cc', NULL % 'Wrong')
    code, said = checkout.tidy('--seconds', '0.000001')
    assert code == 0 and '0 of 1 files checked, 0 unchanged since they passed, 1 left for want of time' in said


def test_a_file_that_failed_is_checked_again(checkout):
    checkout.write('src/base/wrong.cc', NULL % 'Wrong')
    assert checkout.tidy()[0] == 1
    assert checkout.tidy()[0] == 1
