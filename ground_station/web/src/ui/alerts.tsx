import { useEffect, useRef } from "preact/hooks";
import type { AlertView } from "../api-types";
import { select } from "../app/acts";
import * as state from "../app/state";
import { eventTime, parts, pulse } from "../core/format";
import { isRaised } from "../core/rank";
import { Card } from "./card";
import { Icon, LevelMark } from "./marks";

/** The diary is for a glance back; more than this is the business of reports. */
const CLOSED_SHOWN = 200;

/** The right-hand column: what is broken, what is open, what was closed; never empty. */
export function Alerts(props: { onSpot(spot: state.Spot): void }) {
  const words = state.words.value;
  const open = state.shownOpen.value;
  const closed = state.shownClosed.value;
  return (
    <section class="alerts" aria-label={words.alerts}>
      <Search onSpot={props.onSpot} />
      <Faults />
      <div class="scroll" id="alert-list">
        {open.length === 0 && state.query.value.trim() === "" ? <Quiet /> : null}
        <ol>
          {open.map((alert) => (
            <Row key={alert.alert_id} alert={alert} />
          ))}
        </ol>
        {closed.length > 0 && (
          <details
            class="closed"
            open={state.showClosed.value}
            onToggle={(event) => (state.showClosed.value = event.currentTarget.open)}
          >
            <summary>
              {words.closedAlerts} <span class="number">{closed.length}</span>
            </summary>
            <ol>{state.showClosed.value && closed.slice(0, CLOSED_SHOWN).map((alert) => <Row key={alert.alert_id} alert={alert} />)}</ol>
          </details>
        )}
      </div>
    </section>
  );
}

function Search(props: { onSpot(spot: state.Spot): void }) {
  const words = state.words.value;
  const spots = state.foundSpots.value;
  const counts = (["warning", "caution", "information"] as const).map(
    (level) => [level, state.openAlerts.value.filter((alert) => alert.level === level).length] as const,
  );
  return (
    <div class="search">
      <div class="counts" role="group" aria-label={words.openAlerts}>
        {counts.map(([level, count]) => (
          <button
            key={level}
            class={`tool ${count > 0 ? "" : "zero"}`}
            title={words.level[level]}
            aria-label={`${words.level[level]}: ${count}`}
            onClick={() => select(state.openAlerts.value.find((alert) => alert.level === level)?.alert_id ?? null)}
          >
            <LevelMark level={level} size={18} />
            <b class="number">{count}</b>
          </button>
        ))}
      </div>
      <label class="field">
        <Icon name="search" size={18} />
        <span class="unseen">{words.search}</span>
        <input
          id="search"
          type="search"
          placeholder={words.search}
          value={state.query.value}
          onInput={(event) => (state.query.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return;
            const first = state.listedIds.value[0];
            if (spots[0]) props.onSpot(spots[0]);
            else if (first) select(first);
            event.currentTarget.blur();
          }}
        />
        <kbd>/</kbd>
      </label>
      {spots.length > 0 && (
        <ul class="spots" aria-label={words.searchPlaces}>
          {spots.map((spot) => (
            <li key={spot.key}>
              <button class="action" onClick={() => props.onSpot(spot)}>{spot.label}</button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Faults() {
  const faults = state.faultsNow.value;
  if (faults.length === 0) return null;
  return (
    <ul class="faults" role="status">
      {faults.map((fault) => (
        <li key={fault.key}>
          <Icon name="broken" size={18} />
          {fault.text}
        </li>
      ))}
    </ul>
  );
}

/** Peace is said aloud, with its proof; without proof it is not claimed. */
function Quiet() {
  const words = state.words.value;
  const station = state.station.value;
  if (state.stationLost.value) {
    return <div class="quiet trouble" role="status"><h2>{words.unknown}</h2></div>;
  }
  if (!state.loaded.value || !station) {
    return <div class="quiet waiting" role="status"><h2>{words.loading}</h2></div>;
  }
  const whole =
    station.cameras_alive === station.cameras_total &&
    station.cameras_total > 0 &&
    station.broker_connected &&
    state.faultsNow.value.length === 0;
  const since_s = (state.monotonic_ms.value - state.stationAt_ms.value) / 1000;
  return (
    <div class={`quiet ${whole ? "well" : "trouble"}`} role="status">
      <h2>{whole ? words.quiet : words.quietFaults}</h2>
      <p class="number">{pulse(station, since_s, words, state.language.value)}</p>
    </div>
  );
}

function Row(props: { alert: AlertView }) {
  const { alert } = props;
  const words = state.words.value;
  const chosen = state.selectedId.value === alert.alert_id;
  const button = useRef<HTMLButtonElement>(null);
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (!chosen) return;
    row.current?.scrollIntoView({ block: "nearest" });
    // The keyboard follows the selection, unless somebody is at work elsewhere.
    const at = document.activeElement;
    if (at === document.body || at?.closest(".alerts ol")) button.current?.focus({ preventScroll: true });
  }, [chosen]);
  const said = parts(alert, words, state.language.value);
  return (
    <li ref={row} class={`row ${alert.level} ${alert.state} ${chosen ? "chosen" : ""}`}>
      <button
        ref={button}
        class="head"
        aria-expanded={chosen}
        onClick={() => select(chosen ? null : alert.alert_id)}
      >
        <LevelMark level={alert.level} taken={!isRaised(alert)} />
        <span class="title">
          <span class="level">{words.level[alert.level]}</span>
          <span class="sep"> · </span>
          {said.what}
        </span>
        <time class="number">{eventTime(alert.t_event_utc, state.today.value, state.timeZone.value)}</time>
        <span class="where">{said.where}</span>
        <span class="state">
          {alert.late && <span class="tag">{words.late}</span>}
          {alert.silent && alert.state === "raised" && <span class="tag">{words.silent}</span>}
          {alert.state === "closed" && alert.outcome ? words.outcome[alert.outcome] : words.state[alert.state]}
          {alert.state === "assigned" && alert.assigned_to ? `: ${alert.assigned_to}` : ""}
        </span>
      </button>
      {chosen && <Card alert={alert} />}
    </li>
  );
}
