import type { Problem } from "../api-types";

/** The station said no; it says which field, what is allowed and what to do. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem | null,
  ) {
    super(
      problem
        ? [problem.detail || problem.title, problem.next_step].filter(Boolean).join(" · ")
        : `HTTP ${status}`,
    );
  }
}

/** The station did not answer at all. */
export class Unreachable extends Error {}

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

/** 128 random bits in hex; crypto.randomUUID is missing on plain HTTP within a LAN. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

const TRIES = 3;
const TIMEOUT_MS = 8000;

/** The station's HTTP interface, in JSON, with its session, CSRF token and repeat-safe writes. */
export class Api {
  csrf_token = "";

  constructor(
    private readonly fetch: Fetch,
    private readonly pause: (ms: number) => Promise<void>,
  ) {}

  async get<T>(path: string): Promise<T> {
    return this.#once<T>(path, { method: "GET" });
  }

  /**
   * Sends an act. A lost answer is asked for again under the same key, so that an act that the station
   * has done already is not done twice.
   */
  async post<T>(path: string, body: unknown): Promise<T> {
    const headers = {
      "Content-Type": "application/json",
      "X-CSRF-Token": this.csrf_token,
      "Idempotency-Key": randomKey(),
    };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once<T>(path, { method: "POST", headers, body: JSON.stringify(body) });
      } catch (error) {
        if (!(error instanceof Unreachable) || attempt === TRIES) throw error;
        await this.pause(500 * attempt);
      }
    }
  }

  async #once<T>(path: string, init: RequestInit): Promise<T> {
    let answer: Response;
    try {
      answer = await this.fetch(`/api/v1/${path}`, {
        ...init,
        credentials: "same-origin",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      throw new Unreachable(String(error));
    }
    if (answer.status === 502 || answer.status === 503 || answer.status === 504) {
      throw new Unreachable(`HTTP ${answer.status}`);
    }
    const text = await answer.text();
    const json: unknown = text === "" ? null : safeParse(text);
    if (!answer.ok) {
      const problem = json && typeof json === "object" && "title" in json ? (json as Problem) : null;
      throw new Refused(answer.status, problem);
    }
    return json as T;
  }
}

function safeParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
