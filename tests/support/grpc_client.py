"""A gRPC client made from api/proto alone, and frames of HTTP/2 for what no client sends."""

import functools
import pathlib
import struct
import subprocess
import tempfile

import grpc
from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool

PROTOS = pathlib.Path(__file__).resolve().parents[2] / "api" / "proto"
INFERENCE = "inference.GRPCInferenceService"
PREDICTION = "tensorflow.serving.PredictionService"
HEALTH = "grpc.health.v1.Health"


@functools.cache
def pool():
    files = [str(path.relative_to(PROTOS)) for path in sorted(PROTOS.rglob("*.proto"))]
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc", f"-I{PROTOS}", "--include_imports", f"--descriptor_set_out={out.name}", *files], check=True)
        found = DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(out.name).read_bytes()).file:
            found.Add(file)
    return found


def message(name):
    return message_factory.GetMessageClass(pool().FindMessageTypeByName(name))


class Client:
    """client.unary("inference.GRPCInferenceService/ModelInfer")(request)"""

    def __init__(self, address, credentials=None, options=()):
        # A connection of its own, whatever other clients there are.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), *options]
        self.channel = grpc.secure_channel(address, credentials, options) if credentials else grpc.insecure_channel(address, options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def method(self, path):
        service, name = path.split("/")
        found = pool().FindServiceByName(service).FindMethodByName(name)
        make = {(False, False): self.channel.unary_unary, (True, True): self.channel.stream_stream, (False, True): self.channel.unary_stream}
        answer = message_factory.GetMessageClass(found.output_type)
        return make[found.client_streaming, found.server_streaming](
            "/" + path, lambda request: request.SerializeToString(), answer.FromString)

    def infer(self, request, **options):
        return self.method(f"{INFERENCE}/ModelInfer")(request, **options)


def infer_request(model, tensors, **fields):
    """`tensors`: name -> (datatype, array or list of texts)."""
    request = message("inference.ModelInferRequest")(model_name=model, **fields)
    for name, (datatype, values) in tensors.items():
        shape = list(values.shape) if hasattr(values, "shape") else [len(values), 1]
        request.inputs.add(name=name, datatype=datatype, shape=shape)
        if datatype == "BYTES":
            request.raw_input_contents.append(b"".join(struct.pack("<I", len(t)) + t for t in (v.encode() for v in values)))
        else:
            request.raw_input_contents.append(values.tobytes())
    return request


# HTTP/2, by hand.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def settings():
    return frame(4, 0, 0)


def headers(stream, path, end=False, **more):
    """A request's HEADERS, every field a literal that nobody need remember."""
    fields = {":method": "POST", ":scheme": "http", ":path": "/" + path, ":authority": "x", "content-type": "application/grpc", "te": "trailers", **more}
    block = b"".join(b"\0" + bytes([len(n)]) + n.encode() + bytes([len(v)]) + v.encode() for n, v in fields.items())
    return frame(1, 0x4 | (0x1 if end else 0), stream, block)


def reset(stream):
    return frame(3, 0, stream, struct.pack(">I", 8))


def data(stream, text, end=True):
    return frame(0, 1 if end else 0, stream, b"\0" + struct.pack(">I", len(text)) + text)
