import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api, type Fetch, Refused, Unreachable } from "../src/core/api";
import { SILENCE_MS, Stream, type StreamListener } from "../src/core/stream";

const json = (body: unknown, status = 200): Response =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
const now = (): Promise<void> => Promise.resolve();

describe("acts over HTTP", () => {
  it("repeats a lost act under the same key, so that it is done once", async () => {
    const keys: (string | null)[] = [];
    const fetch: Fetch = async (_path, init) => {
      keys.push(new Headers(init?.headers).get("Idempotency-Key"));
      if (keys.length < 3) throw new TypeError("network");
      return json({ done: true });
    };
    const api = new Api(fetch, now);
    expect(await api.post("alerts/A/acknowledge", {})).toEqual({ done: true });
    expect(keys.length).toBe(3);
    expect(new Set(keys).size).toBe(1);
    await api.post("alerts/A/acknowledge", {});
    expect(keys[3]).not.toBe(keys[0]);
  });
  it("gives up in words after three tries", async () => {
    let tries = 0;
    const api = new Api(() => {
      tries += 1;
      return Promise.resolve(json({}, 503));
    }, now);
    await expect(api.post("logout", {})).rejects.toBeInstanceOf(Unreachable);
    expect(tries).toBe(3);
  });
  it("does not repeat what the station refused, and keeps its words", async () => {
    let tries = 0;
    const problem = { type: "", title: "no", status: 409, detail: "closed already", field: "", allowed: "", next_step: "reopen it" };
    const api = new Api(() => {
      tries += 1;
      return Promise.resolve(json(problem, 409));
    }, now);
    const error = await api.post("alerts/A/close", {}).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Refused);
    expect((error as Refused).message).toBe("closed already · reopen it");
    expect(tries).toBe(1);
  });
  it("lives with an error page that is no JSON", async () => {
    const api = new Api(() => Promise.resolve(new Response("<h1>oops</h1>", { status: 500 })), now);
    await expect(api.get("site")).rejects.toThrow("HTTP 500");
  });
  it("sends the session's token with every act", async () => {
    let token: string | null = null;
    const api = new Api(async (_path, init) => {
      token = new Headers(init?.headers).get("X-CSRF-Token");
      return json(null);
    }, now);
    api.csrf_token = "t";
    await api.post("logout", {});
    expect(token).toBe("t");
  });
});

describe("event stream over the network", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function listener(): StreamListener & { told: string[]; openings: number; unauthorizeds: number } {
    return {
      told: [],
      openings: 0,
      unauthorizeds: 0,
      opened() { this.openings += 1; },
      event(event) { this.told.push(`${event.event}:${event.data}`); },
      heard() {},
      unauthorized() { this.unauthorizeds += 1; },
    };
  }
  const body = (text: string, stays: boolean, signal?: AbortSignal | null): Response =>
    new Response(
      new ReadableStream({
        start(sink) {
          sink.enqueue(new TextEncoder().encode(text));
          if (!stays) sink.close();
          signal?.addEventListener("abort", () => sink.error(new Error("aborted")));
        },
      }),
    );

  it("opens again after a cut and asks for what it missed", async () => {
    const asked: (string | null)[] = [];
    const heard = listener();
    const stream: Stream = new Stream("/events", heard, async (_url, init) => {
      asked.push(new Headers(init?.headers).get("Last-Event-ID"));
      if (asked.length === 3) stream.stop();
      return body(`id: ${asked.length}\nevent: alert\ndata: ${asked.length}\n\nid: 99\ndata: cut`, false);
    }, now);
    await stream.run();
    expect(asked).toEqual([null, "1", "2"]);
    expect(heard.told).toEqual(["alert:1", "alert:2", "alert:3"]);
  });
  it("gives up a connection that says nothing, and tries another", async () => {
    let connections = 0;
    const heard = listener();
    const stream: Stream = new Stream("/events", heard, async (_url, init) => {
      connections += 1;
      if (connections === 2) stream.stop();
      return body("", connections === 1, init?.signal);
    }, now);
    const running = stream.run();
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
    expect(connections).toBe(1);
    await vi.advanceTimersByTimeAsync(2);
    await running;
    expect(connections).toBe(2);
  });
  it("waits longer after each failure, and stops where the session ended", async () => {
    const waits: number[] = [];
    let calls = 0;
    const heard = listener();
    const stream = new Stream("/events", heard, async () => {
      calls += 1;
      if (calls <= 5) throw new TypeError("refused");
      return json({}, 401);
    }, async (ms) => void waits.push(ms));
    await stream.run();
    expect(waits).toEqual([1000, 2000, 4000, 4000, 4000]);
    expect(heard.unauthorizeds).toBe(1);
  });
});
