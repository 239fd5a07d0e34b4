"""The bad cable cuts, delays, throttles and goes dead as told, over real sockets."""

import asyncio
import contextlib

import pytest

from simulations.link import Link, Weather


async def echo(reader, writer):
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def cable():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    link = Link(target_host="127.0.0.1", target_port=server.sockets[0].getsockname()[1])
    await link.start()
    try:
        yield link
    finally:
        await link.stop()
        server.close()


def run(body):
    async def whole():
        async with cable() as link:
            await asyncio.wait_for(body(link), 30)

    asyncio.run(whole())


async def said(link, data):
    reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
    try:
        writer.write(data)
        await writer.drain()
        return await reader.readexactly(len(data))
    finally:
        writer.close()


def test_carries_bytes_unchanged():
    """A megabyte comes back as it went, and is counted both ways."""
    data = bytes(range(256)) * 4096

    async def body(link):
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)

        async def send():
            writer.write(data)
            await writer.drain()

        _, back = await asyncio.gather(send(), reader.readexactly(len(data)))
        assert back == data
        assert (link.counters.bytes_up, link.counters.bytes_down) == (len(data), len(data))
        writer.close()

    run(body)


def test_cut_breaks_what_runs_and_refuses_new():
    """A cut cable ends the connection; once mended, a new one works."""

    async def body(link):
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        link.change(Weather(up=False))
        with contextlib.suppress(ConnectionError):
            assert await reader.read(1) == b""
        writer.close()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await said(link, b"hello")
        assert link.counters.refused == 1
        assert link.counters.cuts >= 1
        link.change(Weather())
        assert await said(link, b"hello") == b"hello"

    run(body)


def test_delay_holds_bytes_back_in_both_directions():
    """Bytes take at least the stated time each way."""

    async def body(link):
        link.change(Weather(delay_s=0.15))
        loop = asyncio.get_running_loop()
        start = loop.time()
        assert await said(link, b"hello") == b"hello"
        assert loop.time() - start >= 0.3

    run(body)


def test_throttle_takes_the_time_the_rate_says():
    """Sixty-four kilobytes at 256 kB/s cannot pass in under a quarter of a second."""

    async def body(link):
        link.change(Weather(bytes_per_s=256_000.0))
        loop = asyncio.get_running_loop()
        start = loop.time()
        data = b"z" * 64_000
        assert await said(link, data) == data
        assert loop.time() - start >= 0.25

    run(body)


def test_half_open_swallows_in_silence():
    """A dead link closes nothing and delivers nothing, and counts what it swallowed."""

    async def body(link):
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(b"a")
        assert await reader.readexactly(1) == b"a"
        link.change(Weather(half_open=True))
        writer.write(b"lost")
        await writer.drain()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.3)
        assert link.counters.bytes_swallowed == 4
        writer.close()

    run(body)


def test_no_target_is_a_refusal():
    """With nobody behind the cable the caller is refused, not left hanging."""

    async def body(link):
        dead = Link(target_host="127.0.0.1", target_port=1)
        await dead.start()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await said(dead, b"x")
        assert dead.counters.refused == 1
        await dead.stop()

    run(body)
