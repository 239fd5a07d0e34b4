/** What a guard does: every act goes to the station, and the page shows what the station answers. */
import { batch } from "@preact/signals";
import type { AcknowledgeBody, AlertView, AssignBody, CloseBody, ReopenBody } from "../api-types";
import { Refused } from "../core/api";
import { isOpen, isRaised, neighbour } from "../core/rank";
import { api, takeAlert } from "./session";
import * as state from "./state";

export const UNDO_MS = 10_000;
export const MUTE_MS = 5 * 60_000;

async function act(alert_id: string, verb: string, body: object): Promise<boolean> {
  try {
    const answer = await api.post<AlertView | null>(`alerts/${encodeURIComponent(alert_id)}/${verb}`, body);
    if (answer?.alert_id) takeAlert(answer);
    return true;
  } catch (error) {
    const { failed, notSent } = state.words.value;
    state.complaint.value = error instanceof Refused ? `${failed}: ${error.message}` : notSent;
    return false;
  }
}

/** Runs one act at a time per alert, so that a key held down does nothing twice. */
async function alone(alert_id: string, work: () => Promise<void>): Promise<void> {
  if (state.busy.value.has(alert_id)) return;
  state.busy.value = new Set(state.busy.value).add(alert_id);
  state.complaint.value = null;
  try {
    await work();
  } finally {
    const left = new Set(state.busy.value);
    left.delete(alert_id);
    state.busy.value = left;
  }
}

export function acknowledge(alert: AlertView): Promise<void> {
  return alone(alert.alert_id, async () => {
    if (isRaised(alert)) await act(alert.alert_id, "acknowledge", { note: "" } satisfies AcknowledgeBody);
  });
}

export function assign(alert: AlertView, body: AssignBody): Promise<void> {
  return alone(alert.alert_id, async () => {
    if (await act(alert.alert_id, "assign", body)) state.dialog.value = null;
  });
}

export function close(alert: AlertView, body: CloseBody): Promise<void> {
  return alone(alert.alert_id, async () => {
    const next = nextOpen(alert.alert_id);
    if (!(await act(alert.alert_id, "close", body))) return;
    batch(() => {
      state.dialog.value = null;
      state.selectedId.value = next;
    });
  });
}

export function reopen(alert: AlertView, body: ReopenBody): Promise<void> {
  return alone(alert.alert_id, async () => {
    if (await act(alert.alert_id, "reopen", body)) state.dialog.value = null;
  });
}

/**
 * Local people: acknowledges and closes in one act (closing acknowledges what nobody had taken).
 *
 * The act is sent at once, so that nothing is lost when the page is closed; undoing reopens.
 */
export function localPeople(alert: AlertView): Promise<void> {
  return alone(alert.alert_id, async () => {
    if (!isOpen(alert)) return;
    const next = nextOpen(alert.alert_id);
    const body: CloseBody = { outcome: "local_people", note: "" };
    if (!(await act(alert.alert_id, "close", body))) return;
    batch(() => {
      state.undo.value = { alert_id: alert.alert_id, until_ms: performance.now() + UNDO_MS };
      state.selectedId.value = next;
    });
  });
}

export async function undoLocalPeople(): Promise<void> {
  const undo = state.undo.value;
  if (!undo) return;
  await alone(undo.alert_id, async () => {
    if (!(await act(undo.alert_id, "reopen", { note: state.words.value.undoneNote }))) return;
    batch(() => {
      state.undo.value = null;
      state.selectedId.value = undo.alert_id;
    });
  });
}

/** The open alert to look at after this one is dealt with. */
function nextOpen(alert_id: string): string | null {
  const ids = state.shownOpen.value.map((alert) => alert.alert_id);
  const next = neighbour(ids, alert_id, 1);
  return next !== alert_id ? next : (neighbour(ids.filter((id) => id !== alert_id), null, -1));
}

export function step(by: 1 | -1): void {
  state.selectedId.value = neighbour(state.listedIds.value, state.selectedId.value, by);
}

export function select(alert_id: string | null): void {
  const alert = alert_id === null ? undefined : state.alerts.value.get(alert_id);
  batch(() => {
    if (alert && !isOpen(alert)) state.showClosed.value = true;
    state.selectedId.value = alert_id;
  });
}

export function toggleMute(): void {
  state.mutedUntil_ms.value = state.muteLeft_s.value > 0 ? 0 : performance.now() + MUTE_MS;
}
