import type { NodeView } from "../api-types";
import { toggleMute } from "../app/acts";
import { logout, setLanguage } from "../app/session";
import { unlock } from "../app/siren";
import * as state from "../app/state";
import { age, clockDate, clockTime, countdown, pulse } from "../core/format";
import { Icon, NodeDot } from "./marks";

/** The thin bar on top: where, when, who, and whether everything speaks. */
export function Bar(props: { onNode(node: NodeView): void }) {
  const words = state.words.value;
  const site = state.site.value;
  const zone = state.timeZone.value;
  const now = state.stationClock_ms.value;
  const watch = state.station.value?.on_watch ?? [];
  const session = state.session.value;
  return (
    <header class="bar">
      <div class="where">
        <strong>{site ? (state.language.value === "vi" ? site.name_vi : site.name_en) : words.title}</strong>
      </div>
      <time class="clock" dateTime={new Date(now).toISOString()}>
        <b>{clockTime(now, zone)}</b> <span>{clockDate(now, zone)}</span>
      </time>
      <ul class="nodes">
        {state.nodesNow.value.map((node) => (
          <NodeButton key={node.node_id} node={node} onNode={props.onNode} />
        ))}
      </ul>
      <Pulse />
      <div class="watch" title={words.onWatch}>
        <span class="faint">{words.onWatch}</span>
        <span>{watch.length > 0 ? watch.join(", ") : words.nobodyOnWatch}</span>
      </div>
      <SoundButton />
      <button class="tool" onClick={() => setLanguage(state.language.value === "vi" ? "en" : "vi")} lang={state.language.value === "vi" ? "en" : "vi"} title={`${words.otherLanguage} (L)`}>
        {state.language.value === "vi" ? "EN" : "VI"}
        <span class="unseen">{words.otherLanguage}</span>
      </button>
      <button class="tool round" title={`${words.help} (?)`} aria-label={words.help} onClick={() => (state.dialog.value = "help")}>
        <Icon name="help" />
      </button>
      <button class="tool round" title={words.about} aria-label={words.about} onClick={() => (state.dialog.value = "about")}>
        <Icon name="about" />
      </button>
      <button class="tool" title={`${words.logout}: ${session?.display_name ?? ""}`} aria-label={words.logout} onClick={() => void logout()}>
        <Icon name="out" />
      </button>
    </header>
  );
}

/** Cameras alive and the age of the last word, also while alerts are open; never claimed of a lost station. */
function Pulse() {
  const station = state.station.value;
  if (!station || state.stationLost.value) return null;
  const since_s = (state.monotonic_ms.value - state.stationAt_ms.value) / 1000;
  return <span class="pulse number">{pulse(station, since_s, state.words.value, state.language.value)}</span>;
}

function NodeButton(props: { node: NodeView; onNode(node: NodeView): void }) {
  const { node } = props;
  const words = state.words.value;
  const language = state.language.value;
  const troubled = state.faultsNow.value.some((fault) => fault.node_id === node.node_id);
  const last = node.last_word_age_s === null ? words.noWord : words.lastWord(age(node.last_word_age_s, language));
  return (
    <li>
      <button
        class="tool node"
        aria-label={`${node.name}: ${words.nodeState[node.state]}, ${last}`}
        onClick={() => props.onNode(node)}
      >
        <NodeDot state={node.state} troubled={troubled} known={!state.stationLost.value} />
      </button>
      <div class="tip" role="tooltip">
        <strong>{node.name}</strong>
        <p>{words.nodeState[node.state]}, {last}</p>
        <table>
          <tbody>
            {node.sensors.map((sensor) => (
              <tr key={sensor.sensor_id}>
                <td>{sensor.name}</td>
                <td class="faint">{words.spectrum[sensor.spectrum]}</td>
                <td>{words.sensorStatus[sensor.status]}</td>
                <td class="number">{sensor.fps === null ? "" : `${sensor.fps.toFixed(1)} fps`}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p class="faint">
          {[
            node.outbox_depth === null ? "" : `${words.outbox}: ${node.outbox_depth}`,
            node.temperature_c === null ? "" : `${words.temperature}: ${node.temperature_c.toFixed(0)} °C`,
            node.fix === null ? "" : words.fix(node.fix.status, node.fix.horizontal_sigma_m, node.fix.satellites),
            node.clock_source ? `${words.clock}: ${node.clock_source}${node.clock_error_s === null ? "" : ` ±${node.clock_error_s < 1 ? `${Math.round(node.clock_error_s * 1000)} ms` : `${node.clock_error_s.toFixed(1)} s`}`}` : "",
          ].filter(Boolean).join(" · ")}
        </p>
      </div>
    </li>
  );
}

function SoundButton() {
  const words = state.words.value;
  const left_s = state.muteLeft_s.value;
  const on = state.soundUnlocked.value && left_s === 0;
  const label = !state.soundUnlocked.value
    ? words.soundOff
    : left_s > 0
      ? words.soundMuted(countdown(left_s))
      : words.soundOn;
  return (
    <button
      class={`tool sound ${on ? "" : "trouble"}`}
      title={`${left_s > 0 ? words.unmute : words.mute} (S)`}
      onClick={() => (state.soundUnlocked.value ? toggleMute() : void unlock())}
    >
      <Icon name={on ? "sound" : "muted"} />
      <span>{label}</span>
    </button>
  );
}
