"""A Django site whose synchronous views call coroutines: its tests serve it by ASGI. Settings, models and views.

python tests/python/hosts/django_site.py DATABASE        asks each view once and prints what it returned
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from typing import Any

import django
import palitra
from django.conf import settings
from django.db import connection, models
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone, translation

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    ROOT_URLCONF=__name__,
    SECRET_KEY="of the tests",
    TIME_ZONE="UTC",
    USE_TZ=True,
)
django.setup()

from asgiref.testing import ApplicationCommunicator  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402


class Note(models.Model):
    text = models.TextField()

    class Meta:
        app_label = "notes"


def in_view(call: Any) -> Any:
    """Where the database is used must be the view's own thread: SQLite's connection is bound to it."""
    thread = threading.current_thread()

    async def count() -> dict[str, Any]:
        await Note.objects.acreate(text="a")
        there = await palitra.to_async(threading.current_thread, thread_sensitive=True)()
        await palitra.to_async(Note.objects.create, thread_sensitive=True)(text="b")
        return {"count": await Note.objects.acount(), "same thread": there is thread}

    return JsonResponse(call(count))


def by_run(request: HttpRequest) -> JsonResponse:
    return in_view(lambda count: palitra.run(count()))


def by_to_sync(request: HttpRequest) -> JsonResponse:
    return in_view(lambda count: palitra.to_sync(count)())


def by_gather(request: HttpRequest) -> JsonResponse:
    return in_view(lambda count: palitra.gather(count(), asyncio.sleep(0))[0])


def in_transaction(request: HttpRequest) -> JsonResponse:
    """What the coroutine writes belongs to the view's transaction, and is rolled back with it."""
    from django.db import transaction

    before = Note.objects.count()
    try:
        with transaction.atomic():
            palitra.run(Note.objects.acreate(text="rolled back"))
            raise LookupError
    except LookupError:
        return JsonResponse({"kept": Note.objects.count() - before})


def languages(request: HttpRequest) -> JsonResponse:
    """Django's language and time zone go into a coroutine, out of it again, and into functions in threads."""

    async def inside() -> list[str]:
        before = [translation.get_language(), timezone.get_current_timezone_name()]
        in_thread = await palitra.to_async(translation.get_language)()
        translation.activate("fr")
        await palitra.to_async(timezone.activate)("Asia/Tokyo")
        return [*before, in_thread]

    with translation.override("de"), timezone.override("Europe/Paris"):
        seen = palitra.to_sync(inside)()
        after = [translation.get_language(), timezone.get_current_timezone_name()]
    return JsonResponse({"inside": seen, "after": after})


async def asynchronous(request: HttpRequest) -> JsonResponse:
    """In an asynchronous view Django's own thread for synchronous code is the one."""
    from asgiref.sync import sync_to_async

    own = await palitra.to_async(threading.current_thread, thread_sensitive=True)()
    return JsonResponse({"same thread": own is await sync_to_async(threading.current_thread)()})


VIEWS = [by_run, by_to_sync, by_gather, in_transaction, languages, asynchronous]
urlpatterns = [path(view.__name__, view) for view in VIEWS]


async def ask(view: str) -> Any:
    scope = {"type": "http", "method": "GET", "path": f"/{view}", "headers": [], "query_string": b""}
    communicator = ApplicationCommunicator(get_asgi_application(), scope)
    await communicator.send_input({"type": "http.request", "body": b""})
    start = await communicator.receive_output(20)
    body = await communicator.receive_output(20)
    await communicator.wait(20)
    assert start["status"] == 200, body["body"][:2000]
    return json.loads(body["body"])


if __name__ == "__main__":
    with connection.schema_editor() as editor:
        editor.create_model(Note)
    sys.modules["django_site"] = sys.modules[__name__]
    print(json.dumps({view.__name__: asyncio.run(ask(view.__name__)) for view in VIEWS}))
