"""The Kubernetes API, as far as servers ask it: the services of a namespace, and one StatefulSet. HTTPS on loopback, with a token.

`with Kubernetes(folder, "core") as api:` writes the files that a pod finds (ca.crt, token, namespace) into the folder.
"""
import http.server
import json
import ssl
import subprocess
import threading

NAMESPACE, TOKEN = "graphs", "to.ken"


class Kubernetes:
    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.services = {}  # name: discovery port
        self.replicas, self.deleted = 0, False
        self.refuses = False  # to tell of the StatefulSet
        self.asked = 0  # for it
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "ca.key", "-out", folder / "ca.crt"], check=True, stderr=subprocess.DEVNULL)
        (folder / "token").write_text(TOKEN + "\n")
        (folder / "namespace").write_text(NAMESPACE)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "ca.crt", folder / "ca.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def settings(self):
        return {
            "dbms.cluster.discovery.resolver_type": "K8S",
            "dbms.kubernetes.address": f"localhost:{self.server.server_port}",
            "dbms.kubernetes.ca_crt": str(self.folder / "ca.crt"),
            "dbms.kubernetes.token": str(self.folder / "token"),
            "dbms.kubernetes.namespace": str(self.folder / "namespace"),
            "dbms.kubernetes.label_selector": "app=quiver",
            "dbms.kubernetes.service_port_name": "discovery",
            "dbms.kubernetes.cluster_domain": "cluster.test",
        }

    @staticmethod
    def host(service):
        return f"{service}.{NAMESPACE}.svc.cluster.test"

    def service_list(self):
        return {"kind": "ServiceList", "items": [{"metadata": {"name": name}, "spec": {"ports": [{"name": "discovery", "port": port}]}}
                                                 for name, port in self.services.items()]}

    def stateful_set(self):
        deleted = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if self.deleted else {}
        return {"kind": "StatefulSet", "apiVersion": "apps/v1", "metadata": {"name": self.name, "namespace": NAMESPACE, **deleted}, "spec": {"replicas": self.replicas}}

    def answer(self, path, token):
        """Status and body."""
        if token != f"Bearer {TOKEN}":
            return 401, {}
        if path.startswith(f"/api/v1/namespaces/{NAMESPACE}/services?labelSelector=app%3Dquiver"):
            return 200, self.service_list()
        if path != f"/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/{self.name}":
            return 404, {}
        self.asked += 1
        return (403, {}) if self.refuses else (200, self.stateful_set())

    def handler(api):
        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self):
                status, body = api.answer(self.path, self.headers.get("Authorization"))
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        return Handler

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.server.shutdown()
        self.server.server_close()
