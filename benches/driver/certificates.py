# SPDX-License-Identifier: LGPL-2.1-or-later

"""A certificate authority and a server's certificate, for TLS."""

import subprocess

AUTHORITY = "cn = Benchmark\nca\ncert_signing_key\n"
SERVER = "cn = localhost\ndns_name = localhost\ntls_www_server\nsigning_key\n"


def certtool(directory, *words):
    subprocess.run(
        ["certtool", *words], cwd=directory, check=True, capture_output=True
    )


def make(directory):
    """Creates the files and returns their directory."""
    directory.mkdir()
    (directory / "authority").write_text(AUTHORITY)
    (directory / "server").write_text(SERVER)
    key = ["--generate-privkey", "--key-type", "rsa", "--bits", "2048"]
    key += ["--outfile"]
    certtool(directory, *key, "ca-key.pem")
    certtool(directory, *key, "server-key.pem")
    signed_by = ["--load-privkey", "ca-key.pem", "--template", "authority"]
    certtool(
        directory, "--generate-self-signed", *signed_by, "--outfile", "ca-cert.pem"
    )
    authority = ["--load-ca-certificate", "ca-cert.pem"]
    authority += ["--load-ca-privkey", "ca-key.pem"]
    server = ["--load-privkey", "server-key.pem", "--template", "server"]
    certtool(
        directory,
        "--generate-certificate",
        *authority,
        *server,
        "--outfile",
        "server-cert.pem",
    )
    return directory
