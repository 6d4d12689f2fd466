# SPDX-License-Identifier: Apache-2.0
"""Servers over https: whose certificate is trusted, and what is said where it is not."""

import shutil
import ssl
import subprocess

import pytest

from scene_r1_ros.errors import ModelFailed
from test.reasoning.chat_server import says
from test.reasoning.server_client import KEY, REQUEST, failure, model_at, reply

pytest.importorskip("httpx2", reason="httpx2 is not installed: pip install httpx2")
pytestmark = [
    pytest.mark.usefixtures("quick"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl, which is missing"),
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The files of a certificate that 127.0.0.1 signed for itself, and of its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    options = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    made = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    command = [str(shutil.which("openssl")), "req", "-x509", *options.split(), *made]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return certificate, key


@pytest.fixture
def serve_tls(serve, certificate, monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return lambda *behaviours: serve(*behaviours, tls=context)


def test_an_unknown_certificate_is_refused_before_the_key_is_sent(serve_tls, monkeypatch):
    monkeypatch.setenv("SCENE_R1_API_KEY", KEY)
    server = serve_tls(says("yes"))
    told = str(failure(server))
    assert "cannot be trusted" in told and "self-signed certificate" in told
    assert "set SSL_CERT_FILE in the environment to a file with the certificate of whoever signed" in told
    assert server.asked == []


def test_a_certificate_of_ssl_cert_file_is_trusted(serve_tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    monkeypatch.setenv("SCENE_R1_API_KEY", KEY)
    server = serve_tls(says("yes"))
    assert reply(server).text == "yes"
    assert server.chats[0].headers["Authorization"] == f"Bearer {KEY}"


def test_a_certificate_for_another_host_is_refused(serve_tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    server = serve_tls(says("yes"))
    with pytest.raises(ModelFailed, match=r"cannot be trusted.* not valid for 'localhost'"):
        model_at(server.url.replace("127.0.0.1", "localhost")).reply(REQUEST, print, lambda: False)
    assert server.asked == []


def test_https_to_a_server_that_speaks_http(serve):
    server = serve(says("yes"))
    server.scheme = "https"
    told = str(failure(server))
    assert "speaks no TLS" in told and "correct the address in model.path (http or https)" in told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", "absent.pem"),
        ("SSL_CERT_FILE", __file__),
        ("HTTPS_PROXY", "foo:bar"),
        ("HTTPS_PROXY", "x://y"),
    ],
)
def test_an_environment_that_cannot_be_used_is_named(serve_tls, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert "correct in the environment what is set of SSL_CERT_FILE" in str(failure(serve_tls(says("yes"))))
