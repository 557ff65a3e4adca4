"""A real nginx on a free loopback port, for the time of one benchmark."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time

#: The body of each page: enough to look like a page, little enough that the clients are measured.
PAGE = "x" * 512

CONFIGURATION = """\
daemon off;
worker_processes 1;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    client_body_temp_path {directory};
    proxy_temp_path {directory};
    fastcgi_temp_path {directory};
    uwsgi_temp_path {directory};
    scgi_temp_path {directory};
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location /page/ {{ default_type text/plain; return 200 "{page}"; }}
    }}
}}
"""


@contextlib.contextmanager
def serving():
    """Starts nginx and gives the address that its pages begin with."""
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if nginx is None:
        raise SystemExit("nginx is missing: apt-get install nginx-light")
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        configuration = os.path.join(directory, "nginx.conf")
        with open(configuration, "w") as file:
            file.write(CONFIGURATION.format(directory=directory, port=port, page=PAGE))
        server = subprocess.Popen([nginx, "-p", directory, "-c", configuration, "-e", f"{directory}/error.log"])
        try:
            wait_for(port)
            yield f"http://127.0.0.1:{port}/page/"
        finally:
            server.terminate()
            server.wait(10)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(port):
    end = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
