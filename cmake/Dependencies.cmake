# Third-party libraries. A room links only what it adapts.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(simdjson REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Boost 1.81 REQUIRED)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(grpcpp REQUIRED IMPORTED_TARGET grpc++)  # of the module libslipway_grpc.so alone
find_program(PROTOC protoc REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
# `deps/install build` brings no test libraries; then only the program is built.
if(SLIPWAY_TESTS)
  find_package(GTest QUIET)
  if(NOT TARGET GTest::gmock)  # a machine may have GoogleTest without its mocks
    if(SLIPWAY_CHECKS)
      message(FATAL_ERROR "GoogleTest and its mocks are missing: deps/install test brings them")
    endif()
    message(STATUS "GoogleTest and its mocks are missing: no unit tests (deps/install test brings them)")
    set(SLIPWAY_TESTS OFF)
  endif()
endif()
# Where tests find the libraries that are opened at run time.
set(SLIPWAY_TEST_ENVIRONMENT SLIPWAY_ONNXRUNTIME=${SLIPWAY_DEPS}/onnxruntime/lib/libonnxruntime.so
  SLIPWAY_DUCKDB=${SLIPWAY_DEPS}/duckdb/lib/libduckdb.so)

# Headers only: these libraries are opened at run time, when a command needs them.
add_library(onnxruntime_headers INTERFACE)
target_include_directories(onnxruntime_headers SYSTEM INTERFACE ${SLIPWAY_DEPS}/onnxruntime/include)
add_library(duckdb_headers INTERFACE)
target_include_directories(duckdb_headers SYSTEM INTERFACE ${SLIPWAY_DEPS}/duckdb/include)
# Linked into what ships where there is an archive of it: only what reads and writes tar is needed, and the linker leaves
# out the rest (--gc-sections), while the shared library brings libxml2 and ICU along.
find_path(SLIPWAY_ARCHIVE_INCLUDE archive.h REQUIRED)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(archive libarchive.a)
endif()
find_library(SLIPWAY_ARCHIVE_LIBRARY NAMES ${archive} archive REQUIRED)
add_library(libarchive UNKNOWN IMPORTED GLOBAL)
set_target_properties(libarchive PROPERTIES IMPORTED_LOCATION ${SLIPWAY_ARCHIVE_LIBRARY}
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${SLIPWAY_ARCHIVE_INCLUDE})
# The same: it is small, and one library less to install.
find_path(SLIPWAY_HIREDIS_INCLUDE hiredis/hiredis.h REQUIRED)
find_library(SLIPWAY_HIREDIS_LIBRARY NAMES libhiredis.a hiredis REQUIRED)
add_library(hiredis UNKNOWN IMPORTED GLOBAL)
set_target_properties(hiredis PROPERTIES IMPORTED_LOCATION ${SLIPWAY_HIREDIS_LIBRARY}
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${SLIPWAY_HIREDIS_INCLUDE})
find_path(SLIPWAY_SNAPPY_INCLUDE snappy.h REQUIRED)
find_library(SLIPWAY_SNAPPY_LIBRARY NAMES libsnappy.a snappy REQUIRED)
add_library(snappy UNKNOWN IMPORTED GLOBAL)
set_target_properties(snappy PROPERTIES IMPORTED_LOCATION ${SLIPWAY_SNAPPY_LIBRARY}
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${SLIPWAY_SNAPPY_INCLUDE})
find_path(SLIPWAY_CURL_INCLUDE curl/curl.h REQUIRED)
add_library(curl_headers INTERFACE)
target_include_directories(curl_headers SYSTEM INTERFACE ${SLIPWAY_CURL_INCLUDE})
find_path(SLIPWAY_SQLITE_INCLUDE sqlite3.h REQUIRED)
find_library(SLIPWAY_SQLITE_LIBRARY NAMES libsqlite3.a sqlite3 REQUIRED)
add_library(sqlite UNKNOWN IMPORTED GLOBAL)
set_target_properties(sqlite PROPERTIES IMPORTED_LOCATION ${SLIPWAY_SQLITE_LIBRARY}
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${SLIPWAY_SQLITE_INCLUDE} INTERFACE_LINK_LIBRARIES "${CMAKE_DL_LIBS};m")
# The calendar of time zones, from the archives of the Abseil that gRPC brings.
pkg_check_modules(absl_time REQUIRED absl_time)
add_library(absl_time INTERFACE)
foreach(library ${absl_time_STATIC_LIBRARIES})
  find_library(SLIPWAY_${library} NAMES lib${library}.a ${library})
  if(SLIPWAY_${library})
    target_link_libraries(absl_time INTERFACE ${SLIPWAY_${library}})
  endif()
endforeach()
target_include_directories(absl_time SYSTEM INTERFACE ${absl_time_INCLUDE_DIRS})
