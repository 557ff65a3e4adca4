"""GETs of one page with keep-alive from Python, by the subjects that http_report.py compares.

    http_python.py palitra|pycurl|aiohttp URL REQUESTS IN_FLIGHT

Prints microseconds a request, and of the processors. Each keeps the bodies until all have come. palitra's client has
256 requests in flight by itself, so that is what the others get, too.
"""

import asyncio
import io
import resource
import sys
import time


def with_palitra(url, in_flight):
    import palitra

    def fetch(requests):
        return palitra.gather(*(palitra.job("http.bytes", url=url) for _ in range(requests)))

    return fetch


def with_pycurl(url, in_flight):
    import pycurl

    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_MAXCONNECTS, in_flight)
    handles = [pycurl.Curl() for _ in range(in_flight)]

    def begin(handle):
        handle.body = io.BytesIO()
        handle.setopt(pycurl.WRITEDATA, handle.body)
        multi.add_handle(handle)

    for handle in handles:
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.NOPROXY, "*")

    def fetch(requests):
        bodies, left = [], requests
        for handle in handles[:requests]:
            begin(handle)
            left -= 1
        while len(bodies) < requests:
            multi.perform()
            _, done, failed = multi.info_read(in_flight)
            assert not failed
            for handle in done:
                multi.remove_handle(handle)
                bodies.append(handle.body.getvalue())
                if left:
                    begin(handle)
                    left -= 1
            if len(bodies) < requests:
                multi.select(1.0)
        return bodies

    return fetch


def with_aiohttp(url, in_flight):
    import aiohttp

    loop = asyncio.new_event_loop()

    async def open_session():
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight))

    session = loop.run_until_complete(open_session())

    async def body():
        async with session.get(url) as response:
            return await response.read()

    async def bodies(requests):
        return await asyncio.gather(*(body() for _ in range(requests)))

    return lambda requests: loop.run_until_complete(bodies(requests))


def processor_time():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main():
    subject, url, requests, in_flight = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    subjects = {"palitra": with_palitra, "pycurl": with_pycurl, "aiohttp": with_aiohttp}
    fetch = subjects[subject](url, in_flight)
    fetch(2 * in_flight)  # the connections are made
    began, processors = time.perf_counter(), processor_time()
    bodies = fetch(requests)
    took, used = time.perf_counter() - began, processor_time() - processors
    assert len(bodies) == requests and all(bodies)
    print(f"{took * 1e6 / requests:.3f} {used * 1e6 / requests:.3f}")


main()
