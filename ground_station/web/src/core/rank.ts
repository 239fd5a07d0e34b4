import type { AlertView } from "../api-types";

type Level = AlertView["level"];

const LEVEL_RANK: Record<Level, number> = { warning: 0, caution: 1, information: 2 };

/** Whether an alert still wants somebody. */
export const isOpen = (alert: AlertView): boolean => alert.state !== "closed";

/** Whether nobody has taken it yet. */
export const isRaised = (alert: AlertView): boolean => alert.state === "raised";

/** Whether it came too late to sound and nobody has taken it: only its place in the list tells of it. */
const isUntold = (alert: AlertView): boolean => isRaised(alert) && alert.late && alert.silent;

/** Open before closed, then what never sounded and nobody took, then by level, then the newest event first. */
export function byRank(a: AlertView, b: AlertView): number {
  return (
    Number(!isOpen(a)) - Number(!isOpen(b)) ||
    Number(!isUntold(a)) - Number(!isUntold(b)) ||
    LEVEL_RANK[a.level] - LEVEL_RANK[b.level] ||
    b.t_event_utc.localeCompare(a.t_event_utc) ||
    b.alert_id.localeCompare(a.alert_id)
  );
}

/** Closed alerts read as a diary: the newest event first, whatever the level. */
export function byTime(a: AlertView, b: AlertView): number {
  return b.t_event_utc.localeCompare(a.t_event_utc) || b.alert_id.localeCompare(a.alert_id);
}

/**
 * The neighbour of the selected alert in a list.
 *
 * @param step 1 for the next, -1 for the one before; without a selection the first or last.
 */
export function neighbour(ids: string[], selected: string | null, step: 1 | -1): string | null {
  if (ids.length === 0) return null;
  const at = selected === null ? -1 : ids.indexOf(selected);
  if (at < 0) return (step === 1 ? ids[0] : ids[ids.length - 1]) ?? null;
  return ids[Math.min(ids.length - 1, Math.max(0, at + step))] ?? null;
}

/** Keeps the newer of two versions of an alert: late answers never overwrite newer words. */
export function newer(known: AlertView | undefined, come: AlertView): AlertView {
  return known && known.revision > come.revision ? known : come;
}
