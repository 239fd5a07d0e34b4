/** Where on the screen to write whose side is whose. */
import type { LonLat } from "../core/geometry";

export interface Screen {
  width: number;
  height: number;
  project(point: LonLat): { x: number; y: number };
  /** Places where something else is written already, in pixels. */
  taken: { x: number; y: number }[];
}

export interface SideName {
  ours: boolean;
  x: number;
  y: number;
  /** Clockwise from level; never upside down. */
  turn_deg: number;
}

const AWAY_PX = 32;
const ELBOW_PX = 80;
const MARGIN_PX = 48;
const STEPS = 10;

/**
 * The two names, on either hand of the piece of the line that is best to write along: near the middle of
 * the picture and clear of other names. Empty when no part of the line is in the picture.
 */
export function sideNames(course: LonLat[], ourSide: "left" | "right", screen: Screen): SideName[] {
  let best: { a: { x: number; y: number }; b: { x: number; y: number }; cost: number } | null = null;
  for (let i = 0; i + 1 < course.length; i += 1) {
    const from = screen.project(course[i]!);
    const to = screen.project(course[i + 1]!);
    // Long pieces are walked in steps, so that one that only passes through the picture counts.
    for (let k = 0; k < STEPS; k += 1) {
      const at = (t: number) => ({ x: from.x + (to.x - from.x) * t, y: from.y + (to.y - from.y) * t });
      const [a, middle, b] = [at(k / STEPS), at((k + 0.5) / STEPS), at((k + 1) / STEPS)];
      const inside =
        middle.x > MARGIN_PX && middle.x < screen.width - MARGIN_PX &&
        middle.y > MARGIN_PX && middle.y < screen.height - MARGIN_PX;
      if (!inside) continue;
      const crowded = screen.taken.filter((p) => Math.hypot(p.x - middle.x, p.y - middle.y) < ELBOW_PX);
      // A little right of the middle reads best: the tools are at the left.
      const cost =
        Math.hypot(middle.x - screen.width * 0.6, middle.y - screen.height / 2) + 300 * crowded.length;
      if (!best || cost < best.cost) best = { a, b, cost };
    }
  }
  if (!best) return [];
  const { a, b } = best;
  const long = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  // Screen y grows downwards: the right hand of a way (dx, dy) is (-dy, dx).
  const right = { x: -(b.y - a.y) / long, y: (b.x - a.x) / long };
  let turn_deg = (Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI;
  if (turn_deg > 90) turn_deg -= 180;
  if (turn_deg <= -90) turn_deg += 180;
  return [true, false].map((ours) => {
    const way = (ourSide === "right") === ours ? AWAY_PX : -AWAY_PX;
    return { ours, x: (a.x + b.x) / 2 + right.x * way, y: (a.y + b.y) / 2 + right.y * way, turn_deg };
  });
}
