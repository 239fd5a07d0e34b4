import type { Fetch } from "./api";
import { EventParser, type StreamEvent } from "./sse";

/** The station speaks every two seconds; after this much silence it counts as lost. */
export const SILENCE_MS = 7000;
const BACK_OFF_MS = [500, 1000, 2000, 4000];

export interface StreamListener {
  /** A connection stands (first or again): what was missed may have to be asked for. */
  opened(): void;
  event(event: StreamEvent): void;
  /** Bytes arrived, be it a keep-alive comment. */
  heard(): void;
  /** The session is over. */
  unauthorized(): void;
}

/** Keeps one event stream open for ever, resumes it by id, and gives up a silent one. */
export class Stream {
  #stopped = false;
  #abort = new AbortController();
  #parser = new EventParser();
  #lastId = "";

  constructor(
    private readonly url: string,
    private readonly listener: StreamListener,
    private readonly fetch: Fetch,
    private readonly pause: (ms: number) => Promise<void>,
  ) {}

  stop(): void {
    this.#stopped = true;
    this.#abort.abort();
  }

  async run(): Promise<void> {
    for (let failures = 0; !this.#stopped; ) {
      const outcome = await this.#connect();
      if (outcome === "unauthorized") {
        this.listener.unauthorized();
        return;
      }
      failures = outcome === "spoke" ? 0 : failures + 1;
      if (!this.#stopped) await this.pause(BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length - 1)] ?? 0);
    }
  }

  async #connect(): Promise<"spoke" | "failed" | "unauthorized"> {
    this.#abort = new AbortController();
    // A connection cut in the middle of an event leaves half of it behind: start clean.
    this.#parser = new EventParser();
    let spoke = false;
    let watchdog = setTimeout(() => this.#abort.abort(), SILENCE_MS);
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (this.#lastId) headers["Last-Event-ID"] = this.#lastId;
      const answer = await this.fetch(this.url, {
        headers,
        credentials: "same-origin",
        cache: "no-store",
        signal: this.#abort.signal,
      });
      if (answer.status === 401 || answer.status === 403) return "unauthorized";
      if (!answer.ok || !answer.body) return "failed";
      this.listener.opened();
      const reader = answer.body.getReader();
      const decoder = new TextDecoder();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        spoke = true;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => this.#abort.abort(), SILENCE_MS);
        this.listener.heard();
        for (const event of this.#parser.push(decoder.decode(value, { stream: true }))) {
          if (event.id) this.#lastId = event.id;
          this.listener.event(event);
        }
      }
    } catch {
      // Any failure of the connection is the same to us: try again, and the page tells the loss.
    } finally {
      clearTimeout(watchdog);
    }
    return spoke ? "spoke" : "failed";
  }
}
