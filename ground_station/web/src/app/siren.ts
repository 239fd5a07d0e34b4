/** Sound: a different one per level, told apart with closed eyes. Nothing sounds before the first touch. */
import { effect } from "@preact/signals";
import { type Alarm, audible, loudest, REPEAT_S, ringing } from "../core/alarm";
import * as state from "./state";

interface Tone {
  at_s: number;
  for_s: number;
  from_hz: number;
  to_hz: number;
  shape: OscillatorType;
}

const tone = (at_s: number, for_s: number, from_hz: number, to_hz = from_hz, shape: OscillatorType = "triangle"): Tone => ({
  at_s, for_s, from_hz, to_hz, shape,
});

const PATTERNS: Record<Exclude<Alarm, "none">, Tone[]> = {
  // Fast rising calls: get up.
  warning: [0, 0.22, 0.44, 0.9, 1.12, 1.34].map((at) => tone(at, 0.17, 780, 1240, "square")),
  // Two calm steps: look here.
  caution: [tone(0, 0.28, 620), tone(0.34, 0.4, 470)],
  // One soft drop.
  information: [tone(0, 0.22, 700, 660, "sine")],
  // A long fall, like something switched off: what is on the screen is old.
  station_lost: [tone(0, 0.9, 520, 130, "sawtooth"), tone(1.1, 0.9, 520, 130, "sawtooth")],
};

const LOUDNESS = 0.35;
let context: AudioContext | null = null;

/** To be called inside a touch or key press: only there a browser allows sound. */
export async function unlock(): Promise<void> {
  context ??= new AudioContext();
  if (context.state !== "running") await context.resume();
  state.soundUnlocked.value = context.state === "running";
  context.onstatechange = () => {
    state.soundUnlocked.value = context?.state === "running";
  };
}

function play(alarm: Exclude<Alarm, "none">): void {
  if (!context) return;
  const start = context.currentTime + 0.02;
  for (const { at_s, for_s, from_hz, to_hz, shape } of PATTERNS[alarm]) {
    const source = context.createOscillator();
    const volume = context.createGain();
    source.type = shape;
    source.frequency.setValueAtTime(from_hz, start + at_s);
    source.frequency.linearRampToValueAtTime(to_hz, start + at_s + for_s);
    // Short ramps at both ends: a hard edge clicks.
    const loud = shape === "square" || shape === "sawtooth" ? LOUDNESS / 2 : LOUDNESS;
    volume.gain.setValueAtTime(0, start + at_s);
    volume.gain.linearRampToValueAtTime(loud, start + at_s + 0.015);
    volume.gain.setValueAtTime(loud, start + at_s + for_s - 0.03);
    volume.gain.linearRampToValueAtTime(0, start + at_s + for_s);
    source.connect(volume).connect(context.destination);
    source.start(start + at_s);
    source.stop(start + at_s + for_s);
  }
}

/** Watches the alerts and the station, and sounds what is due; runs as long as the page. */
export function watch(): void {
  const rung = new Set<string>();
  let last: Alarm = "none";
  let lastAt_ms = 0;
  effect(() => {
    const now_ms = state.monotonic_ms.value;
    // What has been answered may ring again when it is reopened.
    for (const id of rung) if (state.alerts.value.get(id)?.state !== "raised") rung.delete(id);
    const due = ringing(state.alerts.value.values(), rung);
    const blind = state.stationLost.value || state.sessionEnded.value;
    const alarm = audible(loudest(due, blind), state.muteLeft_s.value > 0);
    if (!state.soundUnlocked.value || alarm === "none") {
      if (alarm === "none") last = "none";
      return;
    }
    // An alert that the loss of the station drowns has not rung: it does once the station is back.
    const heard = alarm === "station_lost" ? [] : due;
    const fresh = heard.some((alert) => !rung.has(alert.alert_id));
    const repeat_s = REPEAT_S[alarm];
    if (!fresh && alarm === last && (repeat_s === 0 || now_ms - lastAt_ms < repeat_s * 1000)) return;
    last = alarm;
    lastAt_ms = now_ms;
    for (const alert of heard) rung.add(alert.alert_id);
    play(alarm);
  });
}
