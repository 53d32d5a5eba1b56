"""The three kinds of listener that traffic goes through."""

import socket
import ssl
import struct


class Listener:
    def __init__(self, kind, address, authority=None):
        self.kind, self.address, self.authority = kind, address, authority

    def raw(self):
        sock = socket.socket(socket.AF_UNIX if self.kind == "unix" else socket.AF_INET)
        sock.settimeout(20)
        sock.connect(self.address)
        return sock

    def connect(self):
        sock = self.raw()
        if self.kind != "tls":
            return sock
        context = ssl.create_default_context(cafile=self.authority)
        try:
            return context.wrap_socket(sock, server_hostname="localhost")
        except (OSError, ssl.SSLError):
            sock.close()
            raise


def reset(sock):
    """Closes with RST instead of FIN (where the protocol has one)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
