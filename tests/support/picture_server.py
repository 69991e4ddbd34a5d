"""A server of pictures on loopback with every fault that a server may have; `rules` says what each path does.

A rule is a function (handler, nth) -> None that answers the nth request (from 1) of its path. Every request is kept in
`seen`: (path, status, seconds, headers); how many were under way at a time in `most`."""

import http.server
import ssl
import subprocess
import threading
import time


class Server:
    def __init__(self, tls=None, host="127.0.0.1"):
        self.rules, self.seen, self.lock = {}, [], threading.Lock()
        self.count, self.under_way, self.most = {}, 0, 0
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                path = self.path.split("?")[0]
                with owner.lock:
                    owner.count[path] = nth = owner.count.get(path, 0) + 1
                    owner.under_way += 1
                    owner.most = max(owner.most, owner.under_way)
                self.status = 0
                began = time.monotonic()
                try:
                    owner.rules.get(path, not_found)(self, nth)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                with owner.lock:
                    owner.under_way -= 1
                    owner.seen.append((self.path, self.status, began, dict(self.headers)))

            def log_message(self, *arguments):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, address):
                pass

        self.listener = Listener((host, 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self.listener.socket = context.wrap_socket(self.listener.socket, server_side=True)
        self.port = self.listener.server_address[1]
        self.base = f"{'https' if tls else 'http'}://{'localhost' if tls else host}:{self.port}"
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def requests(self, path=None):
        with self.lock:
            return [s for s in self.seen if path is None or s[0].split("?")[0] == path]

    def forget(self):
        with self.lock:
            self.seen.clear()
            self.most = 0

    def stop(self):
        self.listener.shutdown()
        self.listener.server_close()


def answer(handler, status, body=b"", headers=(), length=None):
    handler.status = status
    handler.send_response(status)
    for name, value in headers:
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def not_found(handler, nth):
    answer(handler, 404, b"<html>no such picture</html>")


def picture(body, seconds=0):
    def rule(handler, nth):
        time.sleep(seconds)
        answer(handler, 200, body, [("Content-Type", "image/png")])
    return rule


def tagged(body, tag, modified=None):
    """With an ETag, or Last-Modified: 304 to a client that has it."""
    def rule(handler, nth):
        headers = [("ETag", tag)] if tag else [("Last-Modified", modified)]
        has = handler.headers.get("If-None-Match") == tag if tag else handler.headers.get("If-Modified-Since") == modified
        answer(handler, 304 if has else 200, b"" if has else body, headers)
    return rule


def status(code, headers=(), body=b"", until=None, then=None):
    """That status, up to the request `until`; later ones are `then`'s."""
    def rule(handler, nth):
        if until is not None and nth > until:
            return then(handler, nth)
        answer(handler, code, body, headers)
    return rule


def redirect(to, code=302):
    return status(code, [("Location", to)])


def cut(body, part):
    """The length of all, the bytes of a part, and no more."""
    def rule(handler, nth):
        handler.close_connection = True
        answer(handler, 200, body[:part], length=len(body))
        handler.connection.close()
    return rule


def hang(seconds):
    def rule(handler, nth):
        handler.close_connection = True
        time.sleep(seconds)
    return rule


def trickle(body, seconds):
    """A byte now and then."""
    def rule(handler, nth):
        handler.close_connection = True
        handler.status = 200
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for byte in body:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(seconds)
    return rule


def certificate(folder):
    """A key and a certificate for localhost, in one file that is also its authority."""
    path = f"{folder}/localhost.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/key.pem", "-out",
                    f"{folder}/crt.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True)
    with open(path, "wb") as f:
        for name in ("key.pem", "crt.pem"):
            with open(f"{folder}/{name}", "rb") as part:
                f.write(part.read())
    return path
