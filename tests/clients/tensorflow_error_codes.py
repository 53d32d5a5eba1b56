"""TensorFlow's error codes as tensorflow-serving-api expects them, where tensorflow-protobuf has older ones. Imported before the
messages of either."""

import sys
import types

import tensorflow.core.protobuf
from google.protobuf import descriptor_pb2, descriptor_pool

CODES = ["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
         "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
         "UNAUTHENTICATED"]
SOURCE, SHOWN = "xla/tsl/protobuf/error_codes.proto", "tensorflow/core/protobuf/error_codes.proto"
MODULE = "tensorflow.core.protobuf.error_codes_pb2"


def install():
    source = descriptor_pb2.FileDescriptorProto(name=SOURCE, package="tensorflow.error", syntax="proto3")
    code = source.enum_type.add(name="Code")
    for number, name in enumerate(CODES):
        code.value.add(name=name, number=number)
    shown = descriptor_pb2.FileDescriptorProto(name=SHOWN, package="tensorflow.error.dummy", syntax="proto3", dependency=[SOURCE], public_dependency=[0])
    inner, outer = types.ModuleType("error_codes_pb2"), types.ModuleType(MODULE)
    inner.DESCRIPTOR = descriptor_pool.Default().AddSerializedFile(source.SerializeToString())
    outer.DESCRIPTOR = descriptor_pool.Default().AddSerializedFile(shown.SerializeToString())
    outer.xla_dot_tsl_dot_protobuf_dot_error__codes__pb2 = inner
    sys.modules[MODULE] = tensorflow.core.protobuf.error_codes_pb2 = outer


if MODULE not in sys.modules:
    install()
