"""Publishing to a Redis that speaks TLS only: encrypted, the certificate checked against authority and host name. A build
without TLS for Redis refuses such an address before anything is done."""

import os
import sys

import support
from picture_server import certificate
from servers import Redis, free_port, redis_server
from support import akin
from tables import lists_of, two_nights

os.chdir(support.fresh("redis_tls"))
OLD, NEW = two_nights()
PASSWORD = "pa/ss:word@x"
os.mkdir("certificates")
pem = os.path.abspath(certificate("certificates"))  # of localhost: key and certificate


def publish(table, to, expect=0, trusted=True, **more):
    env = {"SSL_CERT_FILE": pem if trusted else os.path.devnull, "SSL_CERT_DIR": "/nonexistent"}
    return akin("publish", table, "--to", to, "--json", "--timeout", "5", expect=expect, env=env, **more)


def has_tls():
    done = publish(OLD, "rediss://localhost:1/0?catalog=shop", expect=None)
    if done.code == 2:
        assert "tunnel" in done.err, done.err
    else:
        assert done.code == 1, done.err
    return done.code != 2


if not has_tls():
    print("this build has no TLS for Redis: hiredis 1.0 or newer has it", file=sys.stderr)
    sys.exit(77)
PLAIN, TLS = free_port(), free_port()
# The plain port is the test's own view; akin is given the other one.
SERVER = redis_server("--tls-port", TLS, "--tls-cert-file", pem, "--tls-key-file", pem, "--tls-auth-clients", "no",
                      "--requirepass", PASSWORD, port=PLAIN)
CLIENT = Redis(PLAIN)
CLIENT("AUTH", PASSWORD)
URL = f"rediss://:pa%2Fss%3Aword%40x@localhost:{TLS}/0?catalog=shop"


def live():
    return {name: len(lists) > 2 for name, lists in CLIENT.hash("akin:shop").items()}


def test_published_and_rolled_back():
    assert publish(OLD, URL, ranks=2).json["published"][0]["lists_sent"] == len(lists_of(OLD))
    assert set(live()) == set(lists_of(OLD))
    publish(NEW, URL)
    assert set(live()) == set(lists_of(NEW))
    env = {"SSL_CERT_FILE": pem}
    assert akin("status", "--to", URL, "--json", env=env).json["status"] == "ok"
    akin("rollback", "--to", URL, env=env)
    assert set(live()) == set(lists_of(OLD))


def test_what_is_not_trusted_gets_nothing():
    before = CLIENT("DBSIZE")
    for to, trusted in ((URL, False), (URL.replace("localhost", "127.0.0.1"), True)):
        done = publish(NEW, to, expect=1, trusted=trusted)
        assert "certificate" in done.err and "pa/ss" not in done.err and "pa%2F" not in done.err, done.err
    # A server that speaks no TLS, and the other way round.
    assert publish(NEW, URL.replace(str(TLS), str(PLAIN)), expect=1).json["exit"] == 1
    assert "is TLS expected on one side only?" in publish(NEW, URL.replace(str(TLS), str(PLAIN)), expect=1).json["message"]
    assert publish(NEW, URL.replace("rediss", "redis"), expect=1).json["exit"] == 1
    assert CLIENT("DBSIZE") == before and set(live()) == set(lists_of(OLD))


support.main(globals())
