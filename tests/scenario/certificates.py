"""A certificate authority for tests, by the openssl program."""

import subprocess


def openssl(*arguments, folder):
    done = subprocess.run(["openssl", *map(str, arguments)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Authority:
    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        folder.mkdir(parents=True, exist_ok=True)
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", folder=folder,
        )
        self.path = folder / f"{name}.pem"

    def issue(self, name, common_name="localhost", names="DNS:localhost,IP:127.0.0.1", days=2, rsa=False):
        """Writes NAME.pem and NAME.key; the paths of both."""
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        openssl(
            "req", "-new", "-newkey", *kind, "-nodes", "-subj", f"/O=Example/CN={common_name}",
            "-keyout", f"{name}.key.new", "-out", f"{name}.csr", folder=self.folder,
        )
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", self.path, "-CAkey", f"{self.name}.key", "-CAcreateserial",
            "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem.new", folder=self.folder,
        )
        for kind in ("key", "pem"):
            (self.folder / f"{name}.{kind}.new").replace(self.folder / f"{name}.{kind}")
        (self.folder / f"{name}.key").chmod(0o600)
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"
