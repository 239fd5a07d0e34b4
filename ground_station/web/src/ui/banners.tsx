import { undoLocalPeople } from "../app/acts";
import { unlock } from "../app/siren";
import * as state from "../app/state";
import { age, clockTime, countdown } from "../core/format";
import { Icon } from "./marks";

/** What must not be overlooked, across the whole width: loss, simulation, no sound. */
export function Banners() {
  const words = state.words.value;
  const lost = state.stationLost.value;
  const silence_s = state.silence_s.value;
  return (
    <div class="banners">
      {lost && (
        <div class="banner lost" role="alert">
          <Icon name="broken" />
          <strong>
            {words.stationLost(
              clockTime(state.stationClock_ms.value - silence_s * 1000, state.timeZone.value),
              age(silence_s, state.language.value),
            )}
          </strong>
          <span>{words.stationLostHint}</span>
        </div>
      )}
      {!lost && state.station.value?.broker_connected === false && (
        <div class="banner trouble" role="alert">
          <Icon name="broken" />
          <strong>{words.brokerLost}</strong>
        </div>
      )}
      {state.endsSoon_s.value !== null && (
        <div class="banner trouble" role="status">
          <strong>{words.endsSoon(countdown(state.endsSoon_s.value))}</strong>
        </div>
      )}
      {state.simulated.value && <div class="banner simulated">{words.simulated}</div>}
      {!state.soundUnlocked.value && (
        <button class="banner no-sound" onClick={() => void unlock()}>
          <Icon name="muted" />
          <strong>{words.soundLocked}</strong>
          <span>{words.soundLockedHint}</span>
        </button>
      )}
    </div>
  );
}

/** Passing words at the bottom: what was refused, and the ten seconds to undo. */
export function Toasts() {
  const words = state.words.value;
  const undo = state.undo.value;
  return (
    <div class="toasts">
      {state.complaint.value && (
        <div class="toast error" role="alert">
          <span>{state.complaint.value}</span>
          <button class="tool" aria-label={words.closeDialog} onClick={() => (state.complaint.value = null)}>
            <Icon name="close" />
          </button>
        </div>
      )}
      {undo && (
        <div class="toast" role="status">
          <span>{words.closedAsLocal}</span>
          <button class="action" onClick={() => void undoLocalPeople()}>
            {words.undo} <kbd>Z</kbd>
            <span class="number">{countdown((undo.until_ms - state.monotonic_ms.value) / 1000)}</span>
          </button>
        </div>
      )}
    </div>
  );
}
