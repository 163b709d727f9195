"""nginx on loopback, answering the usage report's path from a folder of pages."""
import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

PATH = "/v1/organization/usage/completions"

CONFIGURATION = """{user}worker_processes 1; daemon on; pid {work}/pid; error_log {work}/error.log;
events {{ worker_connections 64; }}
http {{ access_log off; default_type application/json; sendfile on;
  client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f; uwsgi_temp_path {work}/u;
  scgi_temp_path {work}/s;
  map $arg_page $name {{ default $arg_page; "" first; }}
  server {{ listen 127.0.0.1:{port}; root {root}; location = {path} {{ try_files /$name.json =404; }} }} }}
"""


def serve(folder):
    """Starts nginx over a folder of pages; it ends with this process. Returns the base URL."""
    work = tempfile.mkdtemp(prefix="cogni-bench-nginx-")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(work + "/nginx.conf", "w") as file:
        file.write(CONFIGURATION.format(user="user root; " if os.geteuid() == 0 else "", work=work, port=port,
                                        root=os.path.abspath(folder), path=PATH))
    subprocess.run(["nginx", "-c", work + "/nginx.conf"], check=True)
    atexit.register(stop, work)
    base = f"http://127.0.0.1:{port}/v1"
    for _ in range(500):
        try:
            urllib.request.urlopen(base + PATH.removeprefix("/v1"), timeout=10).close()
            return base
        except OSError:
            time.sleep(0.02)
    raise SystemExit(f"nginx does not answer: {open(work + '/error.log').read()[-500:]}")


def stop(work):
    try:
        os.kill(int(open(work + "/pid").read()), signal.SIGTERM)
    except (OSError, ValueError):
        pass
    shutil.rmtree(work, ignore_errors=True)
