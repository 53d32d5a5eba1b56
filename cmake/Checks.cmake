# Everything `make test` runs beside the unit tests of this build folder, as ctest tests, so that one run tells it all and
# ends with one line. The programs built with sanitizers (and with them the fuzz targets) come from their own folders,
# which the Makefile has built before.
set(python ${SLIPWAY_DEPS}/venv/bin/python)
set(builds ${CMAKE_SOURCE_DIR}/build)
get_property(rooms GLOBAL PROPERTY SLIPWAY_TESTED_ROOMS)

# slipway_check(NAME LABEL SECONDS COMMAND…)
# CMake would split a line of shell at its semicolons, and a part of it could pass for the whole: no `bash -c` here.
function(slipway_check name label seconds)
  if("-c" IN_LIST ARGN)
    message(FATAL_ERROR "${name}: write a script in tools/ instead of a line of shell")
  endif()
  add_test(NAME ${name} COMMAND ${ARGN} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS ${label} TIMEOUT ${seconds})
endfunction()

set(SLIPWAY_TIDY_SECONDS 240 CACHE STRING "Time for clang-tidy in `make test`")
set(SLIPWAY_FUZZ_SECONDS 60 CACHE STRING "Time for fuzzing in `make test`, all targets together")

slipway_check(check.format check 120 tools/check_format)
slipway_check(check.layers check 60 tools/check_layers)
slipway_check(check.tools check 120 ${python} -m pytest -q -p no:cacheprovider tests/tools)
slipway_check(check.headers check 600 tools/check_headers)
slipway_check(check.tidy check 1200 tools/tidy --seconds ${SLIPWAY_TIDY_SECONDS} --build ${CMAKE_BINARY_DIR})
slipway_check(fuzz fuzz 900 tools/run_fuzz ${SLIPWAY_FUZZ_SECONDS})
set_tests_properties(check.headers check.tidy fuzz PROPERTIES PROCESSORS 2)

# The real program, by pytest.
# Scenarios of batch jobs are half of all: a process of their own works them beside the others.
slipway_check(scenario scenario 1800 ${python} -m pytest -q -ra -p no:cacheprovider tests/scenario --ignore-glob=*/test_batch*)
slipway_check(scenario.batch scenario 1800 ${python} -m pytest -q -ra -p no:cacheprovider tests/scenario
  --ignore-glob=*/test_[!b]*)
foreach(suite conformance performance)
  slipway_check(${suite} ${suite} 1200 ${python} -m pytest -q -ra -p no:cacheprovider tests/${suite})
endforeach()
foreach(suite scenario scenario.batch conformance performance)
  set_tests_properties(${suite} PROPERTIES ENVIRONMENT "SLIPWAY=${CMAKE_BINARY_DIR}/slipway;PYTHONDONTWRITEBYTECODE=1;SLIPWAY_DEPS=${SLIPWAY_DEPS}")
endforeach()
# The scorer in the process of others: the Python package, with the library of this build. Spark and Ray: make test-python-engines.
slipway_check(python python 600 ${python} -m pytest -q -ra -p no:cacheprovider tests/python --ignore tests/python/engines)
set_tests_properties(python PROPERTIES ENVIRONMENT "SLIPWAY=${CMAKE_BINARY_DIR}/slipway;PYTHONDONTWRITEBYTECODE=1;SLIPWAY_DEPS=${SLIPWAY_DEPS};SLIPWAY_LIBRARY=${CMAKE_BINARY_DIR}/lib/libslipway.so")
# The program again, by clients that other projects wrote; they have an environment of their own.
# KServe's client and Triton's declare the same messages, so no process can have both.
slipway_check(clients clients 1200 ${SLIPWAY_DEPS}/clients-venv/bin/python -m pytest -q -ra -p no:cacheprovider tests/clients
  --ignore tests/clients/kserve)
slipway_check(clients.kserve clients 600 ${SLIPWAY_DEPS}/clients-venv/bin/python -m pytest -q -ra -p no:cacheprovider tests/clients/kserve)
set_tests_properties(clients clients.kserve PROPERTIES ENVIRONMENT "SLIPWAY=${CMAKE_BINARY_DIR}/slipway;PYTHONDONTWRITEBYTECODE=1;SLIPWAY_DEPS=${SLIPWAY_DEPS}")
set_property(TEST conformance APPEND PROPERTY ENVIRONMENT ${SLIPWAY_TEST_ENVIRONMENT})

set(asan ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
  LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/lsan.supp:print_suppressions=0 UBSAN_OPTIONS=print_stacktrace=1)
set(tsan TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/cmake/tsan.supp:halt_on_error=1:second_deadlock_stack=1)
foreach(room ${rooms})
  slipway_check(asan.${room} asan 900 ${builds}/asan/src/${room}_test --gtest_brief=1)
  set_tests_properties(asan.${room} PROPERTIES ENVIRONMENT "${SLIPWAY_TEST_ENVIRONMENT};${asan}")
  if(room IN_LIST SLIPWAY_THREADED_ROOMS)
    slipway_check(tsan.${room} tsan 900 ${builds}/tsan/src/${room}_test --gtest_brief=1 ${SLIPWAY_TSAN_ONLY_${room}})
    set_tests_properties(tsan.${room} PROPERTIES ENVIRONMENT "${SLIPWAY_TEST_ENVIRONMENT};${tsan}")
  endif()
endforeach()
