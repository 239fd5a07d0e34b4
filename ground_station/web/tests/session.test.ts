import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { alert } from "./samples";

const json = (body: unknown, status = 200): Response =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

describe("the whole picture", () => {
  let stream: ReadableStreamDefaultController<Uint8Array>;
  let alertsAsked: number;
  let answerAlerts: (time: number) => Promise<Response>;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.resetModules();
    alertsAsked = 0;
    vi.stubGlobal("fetch", (path: string) => {
      const name = path.replace("/api/v1/", "");
      if (name === "events") {
        return Promise.resolve(new Response(new ReadableStream({ start: (sink) => void (stream = sink) })));
      }
      if (name === "login") return Promise.resolve(json({ csrf_token: "t" }));
      if (name === "alerts") return answerAlerts(++alertsAsked);
      return Promise.resolve(json(name === "site" ? {} : []));
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  async function watching(): Promise<typeof import("../src/app/state")> {
    const session = await import("../src/app/session");
    await session.login({ user: "an", password: "p" });
    await vi.advanceTimersByTimeAsync(0);
    return import("../src/app/state");
  }

  it("is asked for again where the station failed, while the stream stays open", async () => {
    answerAlerts = (time) => Promise.resolve(time === 1 ? json({}, 503) : json([alert()]));
    const state = await watching();
    expect(state.loaded.value).toBe(false);
    await vi.advanceTimersByTimeAsync(1000);
    expect([...state.alerts.value.keys()]).toEqual(["A"]);
    expect(state.loaded.value).toBe(true);
    await vi.advanceTimersByTimeAsync(3000);
    expect(alertsAsked).toBe(2);
  });

  it("is asked for once more where a resync came during the asking", async () => {
    let answer: (response: Response) => void = () => undefined;
    answerAlerts = (time) =>
      time === 1 ? new Promise((done) => void (answer = done)) : Promise.resolve(json([alert()]));
    const state = await watching();
    stream.enqueue(new TextEncoder().encode("id: 1\nevent: resync\ndata: {}\n\n"));
    await vi.advanceTimersByTimeAsync(0);
    answer(json([]));
    await vi.advanceTimersByTimeAsync(0);
    expect([...state.alerts.value.keys()]).toEqual(["A"]);
    expect(alertsAsked).toBe(2);
  });

  it("is asked for by a new login while an older one still waits", async () => {
    answerAlerts = (time) => (time === 1 ? new Promise(() => undefined) : Promise.resolve(json([alert()])));
    await watching();
    const state = await watching();
    expect([...state.alerts.value.keys()]).toEqual(["A"]);
  });
});
