"""Servers that tests start on loopback, on free ports, and stop: Redis, memcached; and a minimal client."""

import atexit
import os
import socket
import subprocess
import sys
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        try:
            return socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"no server on port {port} after {seconds} s")


class Server:
    """A process that listens on a port; stopped when the test ends, however that is."""

    def __init__(self, words, port, wait=True):
        self.words, self.port = words, port
        self.start(wait)
        atexit.register(self.stop)

    def start(self, wait=True):
        self.process = subprocess.Popen(self.words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if wait:
            wait_for(self.port)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def redis_server(*options, port=None):
    port = port or free_port()
    folder = f"redis-{port}"
    os.makedirs(folder, exist_ok=True)
    return Server(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder,
                   *map(str, options)], port)


def memcached_server(*options):
    port = free_port()
    return Server(["memcached", "-l", "127.0.0.1", "-p", str(port), "-U", "0", *(["-u", "nobody"] if os.getuid() == 0 else []),
                   *map(str, options)], port)


def python_with(*packages):
    """The Python of an environment that has these packages of PyPI; made once for a build."""
    folder = os.path.join(os.environ.get("AKIN_BUILD", "."), "python-" + "-".join(p.split("=")[0] for p in packages))
    python, ready = os.path.join(folder, "bin", "python"), os.path.join(folder, "ready-" + "-".join(p.split("=")[-1] for p in packages))
    if not os.path.exists(ready):
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, timeout=300)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], check=True, timeout=600)
        open(ready, "w").close()
    return python


class Redis:
    """Redis's protocol, as far as tests need it (RESP 2)."""

    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.file = self.socket.makefile("rb")

    def send(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))

    def receive(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server has gone")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        return None if rest == b"-1" else [self.receive() for _ in range(int(rest))]

    def __call__(self, *words):
        self.send(*words)
        return self.receive()

    def hash(self, key):
        flat = self("HGETALL", key)
        return {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}

    def close(self):
        self.file.close()
        self.socket.close()
