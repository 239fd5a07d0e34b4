/** One event of a server-sent event stream. */
export interface StreamEvent {
  id: string;
  event: string;
  data: string;
}

/**
 * Reads the text/event-stream format piece by piece; a piece may end anywhere.
 *
 * The browser's own EventSource is not used: it hides keep-alive comments, status codes and the moment
 * of loss, and a guard must know within seconds that the station is gone.
 */
export class EventParser {
  #rest = "";
  #id = "";
  #event = "";
  #data: string[] = [];

  /** The id of the last whole event, to resume after a loss. */
  lastId = "";

  /** Takes the next piece of text and returns the events that it completes. */
  push(piece: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    const text = this.#rest + piece;
    // A lone CR at the end may be half of CRLF: it stays until the next piece.
    const end = text.endsWith("\r") ? text.length - 1 : text.length;
    const lines = text.slice(0, end).split(/\r\n|\n|\r/);
    this.#rest = (lines.pop() ?? "") + text.slice(end);
    for (const line of lines) {
      const event = this.#line(line);
      if (event) events.push(event);
    }
    return events;
  }

  #line(line: string): StreamEvent | null {
    if (line === "") return this.#dispatch();
    if (line.startsWith(":")) return null;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "event") this.#event = value;
    else if (field === "data") this.#data.push(value);
    return null;
  }

  #dispatch(): StreamEvent | null {
    const data = this.#data;
    const event = this.#event || "message";
    this.#data = [];
    this.#event = "";
    this.lastId = this.#id;
    return data.length === 0 ? null : { id: this.#id, event, data: data.join("\n") };
  }
}
