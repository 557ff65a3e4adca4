"""palitra beside libcurl's multi interface: GETs from an nginx on this machine, in turns.

    http_report.py PROGRAM [--rounds N]        PROGRAM: benches/http_requests.c, compiled

Prints the medians of both, in microseconds a request and microseconds of the processors a request, and the median of
the ratios of the pairs: rival to palitra, so that above 1 palitra is faster.
"""

import argparse
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

# Path, its length, requests in flight, requests.
CASES = [
    ("/small", 100, 1, 1000),
    ("/small", 100, 8, 4000),
    ("/small", 100, 64, 4000),
    ("/small", 100, 256, 4000),
    ("/large", 100_000, 32, 1000),
]

CONFIGURATION = """
daemon off; master_process off; pid nginx.pid; error_log error.log;
events {{ worker_connections 2000; }}
http {{
    access_log off; root www; keepalive_requests 1000000000;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{ listen 127.0.0.1:{port} backlog=1024; }}
}}
"""


class Nginx:
    """A server in a folder of its own, for the time of a with block."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        (self.folder / "www").mkdir()
        for path, length, *_ in CASES:
            (self.folder / "www" / path[1:]).write_bytes(b"." * length)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (self.folder / "nginx.conf").write_text(CONFIGURATION.format(port=port))
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = subprocess.Popen([program, "-p", self.folder, "-c", "nginx.conf", "-e", "error.log"])
        for _ in range(1000):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.01)
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)


def measure(program, subject, url, requests, in_flight):
    command = [program, subject, url, str(requests), str(in_flight)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    return [float(number) for number in output.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=11)
    arguments = parser.parse_args()
    os.environ["NO_PROXY"] = "127.0.0.1"
    print(f"load {os.getloadavg()[0]:.1f}; us a request / processors' us a request, {arguments.rounds} rounds")
    print(f"{'body':>8} {'in flight':>9} {'palitra':>15} {'curl multi':>15} {'time':>6} {'processors':>10}")
    with Nginx() as base:
        for path, length, in_flight, requests in CASES:
            pairs = []
            for turn in range(arguments.rounds):
                order = ["palitra", "curl"] if turn % 2 == 0 else ["curl", "palitra"]
                pair = {name: measure(arguments.program, name, base + path, requests, in_flight) for name in order}
                pairs.append((pair["palitra"], pair["curl"]))
            ours, theirs = ([statistics.median(pair[who][i] for pair in pairs) for i in (0, 1)] for who in (0, 1))
            ratios = [statistics.median(pair[1][i] / pair[0][i] for pair in pairs) for i in (0, 1)]
            print(
                f"{length:>8} {in_flight:>9} {ours[0]:>7.1f}/{ours[1]:>7.1f} {theirs[0]:>7.1f}/{theirs[1]:>7.1f}"
                f" {ratios[0]:>6.2f} {ratios[1]:>10.2f}"
            )


if __name__ == "__main__":
    main()
