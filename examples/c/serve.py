#!/usr/bin/env python3
"""A few pages on a free port of the loopback interface, for trying fetch without a network.

Prints the base URL and serves until SIGTERM or Ctrl-C:

    /small  /large      a response at once: 100 bytes, 1,000,000 bytes
    /slow               1,000 bytes after half a second
    /never              a response that does not come
    /moved              a redirect to /small
    anything else       404
"""

import http.server
import time

PAGES = {"/small": (100, 0.0), "/large": (1_000_000, 0.0), "/slow": (1_000, 0.5), "/never": (0, 3600.0)}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open from one request to the next
    disable_nagle_algorithm = True  # or a body waits for the acknowledgement of its headers

    def do_GET(self):
        if self.path == "/moved":
            self.respond(302, b"", ("Location", "/small"))
        elif self.path in PAGES:
            size, delay = PAGES[self.path]
            time.sleep(delay)
            self.respond(200, b"." * size)
        else:
            self.respond(404, b"no such page\n")

    def respond(self, status, body, *headers):
        self.send_response(status)
        for name, value in (("Content-Type", "text/plain"), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing: the client reports how it went."""


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024  # a program that fetches many pages at once connects that often

    def handle_error(self, *_):
        """A client that went away before its response is no news."""


def main():
    with Server(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
