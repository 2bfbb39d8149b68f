"""What the simulator's program does not offer of Actions, in front of it: artifacts as act's server keeps them, and dispatches."""

import hashlib
import http.client
import http.server
import json
import re
import threading

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "host"}


class Front:
    """An address that answers for artifacts and dispatches itself, and hands on everything else."""

    def __init__(self, stage, *workflows):
        self.stage, self.workflows, self.behind = stage, workflows, stage.api.removeprefix("http://")
        self.dispatched = []
        front = self

        class Door(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                front.answer(self)

            do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.api = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, door):
        body = door.rfile.read(int(door.headers.get("content-length") or 0))
        repository = f"/repos/{self.stage.repository}/actions"
        for pattern, answers in (
            (rf"GET {repository}/runs/(\d+)/artifacts(?:\?.*)?", self.artifacts),
            (rf"GET {repository}/artifacts/(\d+)/zip", self.place),
            (r"GET /storage/(\d+)", self.bytes),
            (rf"POST {repository}/workflows/([^/]+)/dispatches", self.dispatch),
        ):
            if found := re.fullmatch(pattern, f"{door.command} {door.path}"):
                status, headers, answer = answers(found[1], door.headers, body)
                return send(door, status, headers, answer)
        return self.hand_on(door, body)

    def artifacts(self, run, headers, _):
        """act's server knows no numbers: an artifact's is the digest of its place."""
        assert headers["Authorization"], "artifacts are not listed without a token"
        folder = self.stage.folder / "artifacts" / run
        listed = [self.artifact(path) for path in sorted(folder.rglob("*.zip"))]
        return 200, {}, json.dumps({"total_count": len(listed), "artifacts": listed}).encode()

    def artifact(self, path):
        content = path.read_bytes()
        name = path.parent.name if not path.parent.name.isdigit() else path.stem
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        when = "2026-01-01T00:00:00Z"
        return {"id": number(path), "name": name, "size_in_bytes": len(content), "expired": False, "digest": digest, "created_at": when}

    def place(self, artifact, headers, _):
        assert headers["Authorization"], "an archive is not told of without a token"
        return 302, {"Content-Type": "text/html;charset=utf-8", "Location": f"{self.api}/storage/{artifact}"}, b""

    def bytes(self, artifact, headers, _):
        assert not headers["Authorization"], "a token was sent to the storage"
        [path] = [path for path in (self.stage.folder / "artifacts").rglob("*.zip") if number(path) == int(artifact)]
        return 200, {"Content-Type": "application/zip"}, path.read_bytes()

    def dispatch(self, workflow, headers, body):
        assert headers["Authorization"], "a workflow is not started without a token"
        asked = json.loads(body)
        if workflow not in self.workflows:
            return 404, {}, b'{"message":"Not Found"}'
        self.dispatched.append((workflow, asked["ref"], asked["inputs"]))
        page = f"https://github.com/{self.stage.repository}/actions/runs/2"
        return 200, {}, json.dumps({"workflow_run_id": 2, "run_url": page, "html_url": page}).encode()

    def hand_on(self, door, body):
        behind = http.client.HTTPConnection(self.behind)
        headers = {name: value for name, value in door.headers.items() if name.lower() not in HOP_BY_HOP}
        behind.request(door.command, door.path, body, headers)
        answer = behind.getresponse()
        send(door, answer.status, dict(answer.getheaders()), answer.read())


def send(door, status, headers, body):
    door.send_response_only(status)
    headers = {"Date": door.date_time_string(), "Content-Type": "application/json"} | {name.title(): value for name, value in headers.items()}
    for name, value in headers.items():
        if name.lower() not in HOP_BY_HOP:
            door.send_header(name, value)
    door.send_header("Content-Length", str(len(body)))
    door.end_headers()
    door.wfile.write(body)


def number(path):
    return int(hashlib.sha256(str(path).encode()).hexdigest()[:8], 16)
