"""A Flask view that gathers three URLs. Run it: gunicorn --chdir examples/python --workers 2 flask_app:app

curl http://127.0.0.1:8000/
curl 'http://127.0.0.1:8000/?url=http://127.0.0.1/&url=...'
"""

import asyncio

import palitra
from flask import Flask, request

app = Flask(__name__)

URLS = ["https://www.python.org/", "https://flask.palletsprojects.com/", "https://www.rust-lang.org/"]


@app.get("/")
def lengths():
    urls = request.args.getlist("url") or URLS
    pages = palitra.gather(*(palitra.job("http.get", url=url) for url in urls), timeout=10)
    return {url: len(page["body"]) for url, page in zip(urls, pages)}


# Flask's own asynchronous views run on palitra's loop too, and what they keep there lives from request to request.
app.async_to_sync = palitra.to_sync


@app.get("/async")
async def first_length():
    async def length(url):
        page = await palitra.job("http.get", url=url)
        return {url: len(page["body"])}

    urls = request.args.getlist("url") or URLS
    for first in asyncio.as_completed(map(length, urls), timeout=10):
        return await first
