"""A Celery worker as the tests see it."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.result import AsyncResult
from processes import PATIENCE, Server


class Worker:
    """A Celery worker, and a client that sends it the tasks of its application."""

    def __init__(self, server: Server, client: Celery, application: str) -> None:
        self.server = server
        self.client = client
        self.application = application

    def send(self, task: str, *arguments: object, **options: Any) -> AsyncResult:
        return self.client.send_task(f"{self.application}.{task}", arguments, **options)

    def result(self, task: str, *arguments: object, **options: Any) -> Any:
        return self.send(task, *arguments, **options).get(timeout=PATIENCE)
