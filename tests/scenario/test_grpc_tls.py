"""gRPC behind TLS: the certificate of HTTP, renewed while serving, and client certificates."""

import signal

import grpc
import pytest
from certificates import Authority
from conftest import until
from grpc_client import INFERENCE, Client, message

LIVE = f"{INFERENCE}/ServerLive"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


def credentials(authority, certificate=None):
    pair = [path.read_bytes() for path in reversed(certificate)] if certificate else [None, None]
    return grpc.ssl_channel_credentials(authority.path.read_bytes(), *pair)


def serving(slipway, bundle, certificate, *options):
    return slipway.serving(bundle, options=["--grpc", "127.0.0.1:0", "--tls-cert", certificate[0], "--tls-key", certificate[1], *options])


def live(server, authority, certificate=None):
    """True, or the status of the failure."""
    address = "localhost:" + server.grpc.rsplit(":", 1)[1]
    with Client(address, credentials(authority, certificate)) as client:
        try:
            return client.method(LIVE)(message("inference.ServerLiveRequest")(), timeout=10).live
        except grpc.RpcError as error:
            return error.code().name


def test_calls_are_encrypted(slipway, bundle, authority):
    with serving(slipway, bundle, authority.issue("server")) as server:
        assert live(server, authority) is True
        with Client(server.grpc) as plain, pytest.raises(grpc.RpcError):
            plain.method(LIVE)(message("inference.ServerLiveRequest")(), timeout=5)
        stranger = Authority(slipway.folder / "other")
        assert live(server, stranger) == "UNAVAILABLE"


@pytest.mark.parametrize("mode, without", [("require", "UNAVAILABLE"), ("optional", True)])
def test_clients_show_certificates(slipway, bundle, authority, mode, without):
    options = ["--tls-client-ca", authority.path, "--tls-client-auth", mode]
    with serving(slipway, bundle, authority.issue("server"), *map(str, options)) as server:
        assert live(server, authority, authority.issue("client", "batch")) is True
        assert live(server, authority) == without
        stranger = Authority(slipway.folder / "other").issue("client")
        assert live(server, authority, stranger) == "UNAVAILABLE"


def test_a_renewed_certificate_is_shown_to_new_connections(slipway, bundle, authority):
    successor = Authority(slipway.folder / "successor")
    certificate = authority.issue("server")
    with serving(slipway, bundle, certificate) as server:
        address = "localhost:" + server.grpc.rsplit(":", 1)[1]
        with Client(address, credentials(authority)) as old:
            call, asked = old.method(LIVE), message("inference.ServerLiveRequest")()
            assert call(asked).live
            for mine, theirs in zip(certificate, successor.issue("server")):
                mine.write_bytes(theirs.read_bytes())
            server.process.send_signal(signal.SIGHUP)
            until(lambda: live(server, successor) is True)
            assert live(server, authority) == "UNAVAILABLE"
            assert call(asked).live  # goes on as it was
            certificate[0].write_text("rubbish")
            server.process.send_signal(signal.SIGHUP)
            until(lambda: "tls.reload_failed" in server.log.read_text())
            assert live(server, successor) is True
