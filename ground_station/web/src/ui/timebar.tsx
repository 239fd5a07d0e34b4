import { useEffect, useRef, useState } from "preact/hooks";
import { select } from "../app/acts";
import * as state from "../app/state";
import { clockTime } from "../core/format";
import { isRaised } from "../core/rank";
import { LEVEL_PATH } from "../map/icons";
import { mark, spread } from "../core/timeline";

const HOUR_MS = 3_600_000;
const REACH_PX = 24;

/** The last hour or day along the bottom: when things happened, at a glance. */
export function TimeBar() {
  const words = state.words.value;
  const [hours, setHours] = useState<1 | 24>(24);
  const [width, setWidth] = useState(0);
  const strip = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const watch = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    if (strip.current) watch.observe(strip.current);
    return () => watch.disconnect();
  }, []);
  // Whole seconds are enough here, and spare the drawing.
  const to_ms = Math.floor(state.stationClock_ms.value / 1000) * 1000;
  const from_ms = to_ms - hours * HOUR_MS;
  const x = (at_ms: number): number => ((at_ms - from_ms) / (to_ms - from_ms)) * (width - 24) + 12;
  const shown = spread(
    [...state.alerts.value.values()]
      .filter((alert) => Date.parse(alert.t_event_utc) >= from_ms)
      .map((alert) => ({ alert, x_px: x(Date.parse(alert.t_event_utc)) })),
    13,
  );
  return (
    <footer class="timebar" aria-label={words.timeBar}>
      <div class="span">
        {([24, 1] as const).map((value) => (
          <button key={value} class="tool" aria-pressed={hours === value} onClick={() => setHours(value)}>
            {value === 24 ? words.hours24 : words.hour1}
          </button>
        ))}
      </div>
      <div
        class="strip"
        ref={strip}
        onClick={(event) => {
          const at = event.clientX - event.currentTarget.getBoundingClientRect().left;
          const near = shown
            .map((row) => ({ row, away: Math.abs(row.x_px - at) }))
            .sort((a, b) => a.away - b.away)[0];
          if (near && near.away <= REACH_PX) select(near.row.alert.alert_id);
        }}
      >
        <svg width={width} height={64} role="img" aria-label={`${words.timeBar}: ${shown.length}`}>
          <line class="axis" x1={12} x2={Math.max(12, width - 12)} y1={40} y2={40} />
          {mark(from_ms, to_ms, hours === 24 ? 3 * HOUR_MS : HOUR_MS / 6, state.timeZone.value)
            .filter((at_ms) => x(at_ms) > 30 && x(at_ms) < width - 30)
            .map((at_ms) => (
            <g key={at_ms}>
              <line class="tick" x1={x(at_ms)} x2={x(at_ms)} y1={36} y2={44} />
              <text x={x(at_ms)} y={59} text-anchor="middle">{clockTime(at_ms, state.timeZone.value).slice(0, 5)}</text>
            </g>
          ))}
          <line class="now" x1={width - 12} x2={width - 12} y1={8} y2={46} />
          {shown.map(({ alert, x_px, lane }) => (
            <path
              key={alert.alert_id}
              class={`mark ${alert.level} ${alert.state} ${alert.alert_id === state.selectedId.value ? "chosen" : ""}`}
              d={LEVEL_PATH[alert.level]}
              transform={`translate(${x_px - 7} ${26 - lane * 9 - 4}) scale(${14 / 24})`}
              fill={isRaised(alert) && alert.level !== "information" ? "currentColor" : "none"}
              stroke="currentColor"
              stroke-width="3"
            />
          ))}
        </svg>
      </div>
    </footer>
  );
}
