import type { AlertView } from "../api-types";

/** What the page should be sounding now, the loudest first. */
export type Alarm = "station_lost" | "warning" | "caution" | "information" | "none";

/** Seconds between repetitions; 0 rings once. */
export const REPEAT_S: Record<Exclude<Alarm, "none">, number> = {
  station_lost: 4,
  warning: 3,
  caution: 30,
  information: 0,
};

/**
 * Which alerts want a sound: raised, not silent by itself.
 *
 * A late alert and an information ring once; the others until somebody takes them.
 */
export function ringing(alerts: Iterable<AlertView>, rung: ReadonlySet<string>): AlertView[] {
  return [...alerts].filter(
    (alert) =>
      alert.state === "raised" &&
      !alert.silent &&
      !((alert.late || alert.level === "information") && rung.has(alert.alert_id)),
  );
}

/** The one alarm that sounds: the loss of the station drowns everything, then the highest level. */
export function loudest(ringingNow: AlertView[], stationLost: boolean): Alarm {
  if (stationLost) return "station_lost";
  for (const level of ["warning", "caution", "information"] as const) {
    if (ringingNow.some((alert) => alert.level === level)) return level;
  }
  return "none";
}

/** What is heard of it: silence asked for by the guard holds for alerts, never for the loss of the station. */
export const audible = (alarm: Alarm, muted: boolean): Alarm => (muted && alarm !== "station_lost" ? "none" : alarm);
