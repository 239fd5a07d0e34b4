/** Round local instants (quarter hours stay quarter hours in every zone) within a span. */
export function mark(from_ms: number, to_ms: number, every_ms: number, timeZone: string): number[] {
  const shift_ms = zoneOffset_ms(to_ms, timeZone);
  const marks: number[] = [];
  const first = Math.ceil((from_ms + shift_ms) / every_ms) * every_ms - shift_ms;
  for (let at = first; at <= to_ms; at += every_ms) marks.push(at);
  return marks;
}

/** How far local clocks are ahead of UTC at an instant. */
export function zoneOffset_ms(at_ms: number, timeZone: string): number {
  const parts = Object.fromEntries(
    new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    })
      .formatToParts(at_ms)
      .map((part) => [part.type, Number(part.value)]),
  ) as Record<"year" | "month" | "day" | "hour" | "minute" | "second", number>;
  const local = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
  return local - Math.floor(at_ms / 1000) * 1000;
}

/** Lifts marks that would cover one another into at most three lanes. */
export function spread<T extends { x_px: number }>(marks: T[], apart_px: number): (T & { lane: number })[] {
  const lanes = [-Infinity, -Infinity, -Infinity];
  return [...marks]
    .sort((a, b) => a.x_px - b.x_px)
    .map((row) => {
      const free = lanes.findIndex((last) => row.x_px - last >= apart_px);
      const lane = free < 0 ? lanes.length - 1 : free;
      lanes[lane] = row.x_px;
      return { ...row, lane };
    });
}
