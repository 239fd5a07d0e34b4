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


def test_half_open_accepts_newcomers_and_leads_them_nowhere():
    """Who connects to a dead link is let in, hears nothing, and is cut when the link lives again."""

    async def body(link):
        link.change(Weather(half_open=True))
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(b"anybody?")
        await writer.drain()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.3)
        assert link.counters.bytes_swallowed == 8
        link.change(Weather())
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(1), 5.0) == b""
        writer.close()
        assert await said(link, b"hello") == b"hello"

    run(body)


def test_half_open_hides_that_an_end_has_gone():
    """The far side of a dead link goes on waiting for one who has long left."""
    came, ended = asyncio.Event(), asyncio.Event()

    async def waiting(reader, writer):
        with contextlib.suppress(ConnectionError):
            while await reader.read(100):
                came.set()
        ended.set()
        writer.close()

    async def body(_):
        server = await asyncio.start_server(waiting, "127.0.0.1", 0)
        link = Link(target_host="127.0.0.1", target_port=server.sockets[0].getsockname()[1])
        await link.start()
        _, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(b"here")
        await writer.drain()
        await asyncio.wait_for(came.wait(), 5.0)
        link.change(Weather(half_open=True))
        writer.close()
        await asyncio.sleep(0.3)
        assert not ended.is_set()
        link.change(Weather())
        await asyncio.wait_for(ended.wait(), 5.0)
        await link.stop()
        server.close()

    run(body)


def test_a_connection_that_lost_nothing_outlives_a_dead_spell():
    """Only those whose ends no longer agree are cut."""

    async def body(link):
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(b"a")
        assert await reader.readexactly(1) == b"a"
        link.change(Weather(half_open=True))
        await asyncio.sleep(0.1)
        link.change(Weather())
        writer.write(b"b")
        assert await reader.readexactly(1) == b"b"
        assert link.counters.cuts == 0
        writer.close()

    run(body)


def test_a_thin_cable_is_shared():
    """Two connections over 256 kB/s take as long as one with twice the bytes."""

    async def body(link):
        link.change(Weather(bytes_per_s=256_000.0))
        loop = asyncio.get_running_loop()
        start = loop.time()
        data = b"z" * 32_000
        assert await asyncio.gather(said(link, data), said(link, data)) == [data, data]
        assert loop.time() - start >= 0.25

    run(body)


def test_a_thin_cable_stops_the_sender():
    """At 64 kbit/s a megabyte is not taken in and queued: the sender's window fills."""

    async def body(link):
        link.change(Weather(bytes_per_s=8_000.0))
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(b"z" * 4_000_000)
        await asyncio.sleep(0.5)
        assert writer.transport.get_write_buffer_size() > 0
        assert link.counters.bytes_up <= 8_000 * 0.6 + 1460
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await reader.read(1)

    run(body)


def test_what_is_no_mqtt_is_never_doubled():
    """An echo of plain bytes comes back once, whatever the weather."""

    async def body(link):
        link.change(Weather(duplicate=True))
        assert await said(link, b"\x16\x03\x01plain") == b"\x16\x03\x01plain"
        assert link.counters.packets_doubled == 0

    run(body)
