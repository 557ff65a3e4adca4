"""The HTTP jobs as Python calls them: their codes and their settings."""

from __future__ import annotations

import http.server
import threading

import palitra
import programs
import pytest


def test_the_code_of_a_failure_has_a_name() -> None:
    with pytest.raises(palitra.JobError) as failed:
        palitra.run(palitra.job("http.get", url="http://127.0.0.1:1/"))
    assert failed.value.code == palitra.HttpCode.CANNOT_CONNECT
    with pytest.raises(palitra.JobError) as failed:
        palitra.run(palitra.job("http.get", url="ftp://127.0.0.1/"))
    assert failed.value.code == palitra.HttpCode.INVALID_REQUEST


class UserAgent(http.server.BaseHTTPRequestHandler):
    """Answers with the user agent that asks."""

    def do_GET(self) -> None:
        body = self.headers["User-Agent"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None: ...


def test_the_settings_are_those_of_the_process() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), UserAgent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ended = programs.run(
            f"""
            import palitra
            palitra.configure({{"http": {{"user_agent": "shop/1"}}}})
            print(palitra.run(palitra.job("http.bytes", url="http://127.0.0.1:{server.server_port}/")))
            """
        )
        server.shutdown()
    assert ended.output == "b'shop/1'\n", ended
