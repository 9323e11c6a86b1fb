"""Authorities and certificates for the servers of a test, made by openssl."""
import shutil
import subprocess
import time

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def authority(folder):
    folder.mkdir()
    openssl("req", "-x509", *KEY, "-days", 2, "-subj", f"/CN={folder.name}", "-keyout", folder / "ca.key", "-out", folder / "ca.crt")
    return folder


def certify(server, by, name="127.0.0.1", expired=False):
    """A certificate for the server, signed by the authority, which it trusts."""
    folder = server.home / "certificates/cluster"
    (folder / "trusted").mkdir(parents=True)
    shutil.copy(by / "ca.crt", folder / "trusted")
    openssl("req", *KEY, "-subj", f"/CN={name}", "-keyout", folder / "private.key", "-out", folder / "request")
    (folder / "names").write_text(f"subjectAltName={'IP' if name[0].isdigit() else 'DNS'}:{name}\n")
    openssl("x509", "-req", "-in", folder / "request", "-CA", by / "ca.crt", "-CAkey", by / "ca.key", "-CAcreateserial", "-extfile", folder / "names",
            "-days", 0 if expired else 2, "-out", folder / "public.crt")
    if expired:
        time.sleep(1.1)  # it is valid in the second in which it was made
