/** The keyboard: every act of the page has a key, and none fires while somebody types. */
import { acknowledge, localPeople, select, step, toggleMute, undoLocalPeople } from "./acts";
import { setLanguage } from "./session";
import * as state from "./state";

export interface KeyTargets {
  focusMap(): void;
  focusSearch(): void;
  focusList(): void;
}

/** Runs the act of a key; returns whether the key meant something. */
export function press(key: string, targets: KeyTargets): boolean {
  const alert = state.mayHandle.value ? state.selected.value : null;
  switch (key) {
    case "j":
    case "J":
    case "k":
    case "K":
      step(key.toLowerCase() === "j" ? 1 : -1);
      targets.focusList();
      return true;
    case "a":
    case "A":
      if (alert) void acknowledge(alert);
      return alert !== null;
    case "f":
    case "F":
      if (alert) void localPeople(alert);
      return alert !== null;
    case "d":
    case "D":
      if (alert && alert.state !== "closed") state.dialog.value = "assign";
      return alert !== null;
    case "c":
    case "C":
      if (alert) state.dialog.value = alert.state === "closed" ? "reopen" : "close";
      return alert !== null;
    case "z":
    case "Z":
      void undoLocalPeople();
      return state.undo.value !== null;
    case "m":
    case "M":
      targets.focusMap();
      return true;
    case "/":
      targets.focusSearch();
      return true;
    case "s":
    case "S":
      toggleMute();
      return true;
    case "l":
    case "L":
      setLanguage(state.language.value === "vi" ? "en" : "vi");
      return true;
    case "?":
      state.dialog.value = "help";
      return true;
    case "Escape":
      if (state.query.value) state.query.value = "";
      else select(null);
      return true;
    default:
      return false;
  }
}

/** Listens on the whole page. */
export function listen(targets: KeyTargets): () => void {
  const handler = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (!state.session.value || state.dialog.value !== null) return;
    const element = event.target as HTMLElement;
    const typing = element.matches("input, textarea, select");
    if (typing && event.key !== "Escape") return;
    if (typing) element.blur();
    if (press(event.key, targets)) event.preventDefault();
  };
  addEventListener("keydown", handler);
  return () => removeEventListener("keydown", handler);
}
