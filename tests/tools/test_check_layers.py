"""tools/check_layers finds each kind of fault it promises to find."""
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.fixture
def check(tmp_path):
    """Runs the checker over a made-up checkout of the given files and gives what it says."""

    def run(files, architecture=None):
        if architecture is None:
            with open(os.path.join(ROOT, 'ARCHITECTURE.md'), encoding='utf-8') as file:
                architecture = file.read()
        for path, text in {'ARCHITECTURE.md': architecture, **files}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding='utf-8')
        done = subprocess.run([os.path.join(ROOT, 'tools/check_layers'), tmp_path], capture_output=True, text=True)
        assert (done.returncode == 0) == ('keep the layers' in done.stdout), done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


HEADER = '#pragma once\n'


def test_accepts_what_the_table_allows(check):
    said = check({'src/base/a.h': HEADER, 'src/data/b.h': HEADER + '#include "base/a.h"\n#include <vector>\n',
                  'src/net/c.cc': '#include <boost/asio.hpp>\n#include <sys/stat.h>\n#include "base/a.h"\n'})
    assert 'keep the layers' in said


def test_refuses_an_arrow_outside_the_table(check):
    said = check({'src/data/b.h': HEADER, 'src/base/a.h': HEADER + '\n#include "data/b.h"\n'})
    assert 'src/base/a.h:3: base may not include data/' in said


def test_refuses_a_folder_that_is_no_room(check):
    assert 'src/stuff/a.h:1: stuff/ is no room' in check({'src/stuff/a.h': HEADER})


def test_refuses_a_library_in_a_room_that_does_not_adapt_it(check):
    said = check({'src/schema/a.cc': '#include <openssl/sha.h>\n'})
    assert 'src/schema/a.cc:1: <openssl/sha.h> is adapted in bundle, net, storage only' in said


def test_refuses_a_library_in_a_header(check):
    assert '<simdjson.h> in a header' in check({'src/data/a.h': HEADER + '#include <simdjson.h>\n'})


def test_refuses_an_unknown_library(check):
    assert '<foo/bar.h> is of no library' in check({'src/data/a.cc': '#include <foo/bar.h>\n'})


def test_refuses_test_code_in_the_program(check):
    said = check({'src/data/a_fixture.h': HEADER + '#include <gtest/gtest.h>\n',
                  'src/data/a.cc': '#include "data/a_fixture.h"\n'})
    assert 'src/data/a.cc:1: "data/a_fixture.h" belongs to tests' in said
    assert 'a_fixture.h:2' not in said


@pytest.mark.parametrize('path, limit', [('a.h', 350), ('a.cc', 700), ('a_test.cc', 800)])
def test_refuses_long_files(check, path, limit):
    assert 'keep the layers' in check({f'src/data/{path}': HEADER + '\n' * (limit - 1)})
    assert f'{limit + 1} lines' in check({f'src/data/{path}': HEADER + '\n' * limit})


def test_refuses_a_header_without_guard(check):
    assert 'src/data/a.h:1: a header starts with #pragma once' in check({'src/data/a.h': 'struct A {};\n'})


def test_refuses_paths_of_one_machine(check):
    assert 'README.md:1: a path of one machine' in check({'README.md': 'see /ho' + 'me/me/notes\n'})


def test_refuses_arrows_of_the_build_outside_the_table(check):
    said = check({'src/CMakeLists.txt': 'slipway_room(data ROOMS base net PRIVATE_LIBRARIES simdjson)\n'})
    assert 'src/CMakeLists.txt:1: data may not link net' in said


def test_refuses_a_circle_of_rooms(check):
    rooms = '| room | what | may include |\n|---|---|---|\n| `a/` | x | b |\n| `b/` | x | a |\n'
    libraries = '\n| library | headers | rooms |\n|---|---|---|\n'
    done = check({}, rooms + libraries)
    assert 'a circle of rooms: a -> b -> a' in done
