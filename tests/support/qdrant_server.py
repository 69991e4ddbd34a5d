"""A small Qdrant: its REST paths, as far as akin uses them, over the real engine (qdrant-edge-py). Each request is checked
against the models that qdrant-client's makers generate from Qdrant's OpenAPI. usage: qdrant_server.py PORT [KEY]"""

import json
import re
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import qdrant_edge as edge
from pydantic import TypeAdapter
from qdrant_client.http.models import models

COLLECTIONS, ALIASES, LOCK = {}, {}, threading.RLock()
KEY = sys.argv[2] if len(sys.argv) > 2 else None
SETTINGS = {"fail_upserts_after": None, "delay": 0, "spoil": False, "hold": False}


class Refused(Exception):
    def __init__(self, code, text):
        self.code, self.text = code, text


def collection(name):
    name = ALIASES.get(name, name)
    if name not in COLLECTIONS:
        raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
    return COLLECTIONS[name]


def create(body, name):
    if name in COLLECTIONS or name in ALIASES:
        raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
    assert body.vectors.distance == models.Distance.COSINE
    vectors = edge.EdgeVectorParams(size=body.vectors.size, distance=edge.Distance.Cosine)
    COLLECTIONS[name] = edge.EdgeShard.create(tempfile.mkdtemp(), edge.EdgeConfig(vectors=vectors))
    return True


def upsert(body, name):
    if SETTINGS["fail_upserts_after"] is not None and not name.startswith("akin-lock-"):
        SETTINGS["fail_upserts_after"] -= 1
        if SETTINGS["fail_upserts_after"] < 0:
            raise Refused(507, "No space left on device")
    points = [edge.Point(p.id, [v * (2 if SETTINGS["spoil"] and i == 0 else 1) for i, v in enumerate(p.vector)], p.payload) for p in body.points]
    collection(name).update(edge.UpdateOperation.upsert_points(points))
    return {"operation_id": 0, "status": "completed"}


def retrieve(body, name):
    fields = body.with_payload if isinstance(body.with_payload, list) else None
    found = collection(name).retrieve([str(i) for i in body.ids], bool(body.with_payload), bool(body.with_vector))
    return [{"id": str(r.id), "vector": r.vector,
             "payload": {k: v for k, v in (r.payload or {}).items() if fields is None or k in fields}} for r in found]


def query(body, name):
    found = collection(name).query(edge.QueryRequest(limit=body.limit, query=edge.Query.Nearest(body.query), with_payload=True))
    return {"points": [{"id": str(p.id), "version": 0, "score": p.score, "payload": p.payload} for p in found]}


def change_aliases(body):
    after = dict(ALIASES)
    for action in body.actions:
        if isinstance(action, models.CreateAliasOperation):
            if action.create_alias.collection_name not in COLLECTIONS:
                raise Refused(404, f"Not found: Collection `{action.create_alias.collection_name}` doesn't exist!")
            after[action.create_alias.alias_name] = action.create_alias.collection_name
        else:
            after.pop(action.delete_alias.alias_name, None)
    ALIASES.clear()
    ALIASES.update(after)
    return True


def remove(name):
    for alias in [a for a, c in ALIASES.items() if c == name]:
        del ALIASES[alias]
    return COLLECTIONS.pop(name, None) is not None


# method, path, model of the body, what does it
PATHS = [
    ("GET", r"/collections", None, lambda: {"collections": [{"name": n} for n in COLLECTIONS]}),
    ("GET", r"/aliases", None, lambda: {"aliases": [{"alias_name": a, "collection_name": c} for a, c in ALIASES.items()]}),
    ("POST", r"/collections/aliases", models.ChangeAliasesOperation, change_aliases),
    ("PUT", r"/collections/([^/]+)", models.CreateCollection, create),
    ("DELETE", r"/collections/([^/]+)", None, remove),
    ("PUT", r"/collections/([^/]+)/points", models.PointsList, upsert),
    ("POST", r"/collections/([^/]+)/points", models.PointRequest, retrieve),
    ("POST", r"/collections/([^/]+)/points/count", models.CountRequest, lambda body, name: {"count": collection(name).count(edge.CountRequest(exact=body.exact))}),
    ("POST", r"/collections/([^/]+)/points/query", models.QueryRequest, query),
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0]
        if path == "/test-settings":
            SETTINGS.update(json.loads(raw))
            return self.answer(200, {"result": True})
        time.sleep(SETTINGS["delay"])
        while SETTINGS["hold"] and self.command == "PUT" and path.endswith("/points") and "akin-lock-" not in path:
            time.sleep(0.01)
        if KEY and self.headers.get("api-key") != KEY:
            return self.answer(401, {"status": {"error": "Must provide an API key or an Authorization bearer token"}, "time": 0})
        for method, pattern, model, use in PATHS:
            match = re.fullmatch(pattern, path)
            if self.command == method and match:
                try:
                    with LOCK:
                        body = [TypeAdapter(model).validate_json(raw, strict=False)] if model else []
                        result = use(*body, *match.groups())
                    return self.answer(200, {"result": result, "status": "ok", "time": 0.001})
                except Refused as refused:
                    return self.answer(refused.code, {"status": {"error": refused.text}, "time": 0})
                except ValueError as error:  # pydantic's too
                    return self.answer(400, {"status": {"error": f"Format error in JSON body: {error}"[:500]}, "time": 0})
        self.answer(404, {"status": {"error": f"no {self.command} {path}"}, "time": 0})

    do_GET = do_PUT = do_POST = do_DELETE = do

    def answer(self, code, what):
        body = json.dumps(what).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
