import { useState } from "preact/hooks";
import type { ActView, AlertView } from "../api-types";
import { acknowledge, localPeople } from "../app/acts";
import * as state from "../app/state";
import { toDegrees, toMgrs, toVn2000, VN2000_SYSTEMS, type Vn2000System } from "../core/coordinates";
import { eventTime, metres } from "../core/format";
import type { Words } from "../core/words";

/** Everything about the selected alert, in the order in which it is needed. */
export function Card(props: { alert: AlertView }) {
  const { alert } = props;
  const words = state.words.value;
  const vi = state.language.value === "vi";
  return (
    <div class="card">
      <Pictures alert={alert} />
      <Buttons alert={alert} />
      <dl class="facts">
        <Fact name={words.accuracy} value={`±${metres(alert.ellipse90.semi_major_m)} (90 %)`} />
        {alert.distance_to_line_m !== null && (
          <Fact name={words.distanceToLine} value={metres(Math.abs(alert.distance_to_line_m))} />
        )}
        {alert.probability !== null && (
          <Fact name={words.probability} value={`${Math.floor(alert.probability * 100)} %`} />
        )}
        {alert.sensors.length > 0 && <Fact name={words.seenBy} value={alert.sensors.map(sensorName).join(", ")} />}
        {alert.acknowledged_by && <Fact name={words.state.acknowledged} value={alert.acknowledged_by} />}
        {alert.assigned_to && <Fact name={words.state.assigned} value={alert.assigned_to} />}
        {alert.closed_by && <Fact name={words.state.closed} value={alert.closed_by} />}
        {alert.note && <Fact name={words.note} value={alert.note} />}
        {alert.lowered_because && <Fact name={words.lowered} value={alert.lowered_because} />}
      </dl>
      {alert.reasons.length > 0 && (
        <details>
          <summary>{words.why} <span class="number">{alert.reasons.length}</span></summary>
          <ul class="reasons">
            {alert.reasons.map((reason, i) => (
              <li key={i}>
                <p>{vi ? reason.sentence_vi : reason.sentence_en}</p>
                <p class="faint number">
                  {[
                    words.rule[reason.rule] ?? reason.rule,
                    ...Object.entries(reason.numbers).map(([name, value]) => `${name} ${round(value)}`),
                    ...reason.sensors.map(sensorName),
                  ].join(" · ")}
                </p>
              </li>
            ))}
          </ul>
        </details>
      )}
      <details>
        <summary>{words.coordinates}</summary>
        <Coordinates lon_deg={alert.lon_deg} lat_deg={alert.lat_deg} />
      </details>
      {alert.acts.length > 0 && (
        <details open>
          <summary>{words.history} <span class="number">{alert.acts.length}</span></summary>
          <ol class="acts">
            {alert.acts.map((act, i) => (
              <li key={i}>
                <time class="number">{eventTime(act.t_utc, state.today.value, state.timeZone.value)}</time>
                <span>{sayAct(act, words)}</span>
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}

const round = (value: number): string => String(Number(value.toPrecision(3)));

/** The station's own acts are told by their word alone; their detail is for the audit. */
function sayAct(act: ActView, words: Words): string {
  const name = words.act[act.act] ?? act.act;
  if (act.by === "system") return name;
  const detail = (words.outcome as Record<string, string>)[act.detail] ?? act.detail;
  return [name, act.by, detail].filter(Boolean).join(" · ");
}

/** A camera by the name that people gave it; the station says "node/sensor". */
function sensorName(sensor_id: string): string {
  for (const node of state.nodes.value.values()) {
    const sensor = node.sensors.find(
      (row) => row.sensor_id === sensor_id || `${node.node_id}/${row.sensor_id}` === sensor_id,
    );
    if (sensor) return sensor.name;
  }
  return sensor_id;
}

function Fact(props: { name: string; value: string }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd class="number">{props.value}</dd>
    </div>
  );
}

function Pictures(props: { alert: AlertView }) {
  const words = state.words.value;
  const ids = props.alert.media_ids;
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const shown = ids.filter((id) => !gone.has(id));
  if (shown.length === 0) return <p class="no-picture">{words.pictureGone}</p>;
  return (
    <div class="pictures">
      {shown.map((id, i) => (
        <img
          key={id}
          src={`/api/v1/media/${encodeURIComponent(id)}`}
          alt={words.picture(i + 1, shown.length)}
          onError={() => setGone((known) => new Set(known).add(id))}
        />
      ))}
    </div>
  );
}

function Buttons(props: { alert: AlertView }) {
  const { alert } = props;
  const words = state.words.value;
  const busy = state.busy.value.has(alert.alert_id);
  if (!state.mayHandle.value) return <p class="no-picture">{words.mayOnlyWatch}</p>;
  if (alert.state === "closed") {
    return (
      <div class="buttons">
        <button class="action" disabled={busy} onClick={() => (state.dialog.value = "reopen")}>
          {words.reopen} <kbd>C</kbd>
        </button>
      </div>
    );
  }
  return (
    <div class="buttons">
      {alert.state === "raised" && (
        <button class="action primary" disabled={busy} onClick={() => void acknowledge(alert)}>
          {words.acknowledge} <kbd>A</kbd>
        </button>
      )}
      <button class="action" disabled={busy} onClick={() => (state.dialog.value = "assign")}>
        {words.dispatch} <kbd>D</kbd>
      </button>
      <button class="action" disabled={busy} onClick={() => void localPeople(alert)}>
        {words.localPeople} <kbd>F</kbd>
      </button>
      <button class="action" disabled={busy} onClick={() => (state.dialog.value = "close")}>
        {words.close} <kbd>C</kbd>
      </button>
    </div>
  );
}

function Coordinates(props: { lon_deg: number; lat_deg: number }) {
  const words = state.words.value;
  const { lon_deg, lat_deg } = props;
  const rows: [string, string][] = [["WGS 84", toDegrees(lon_deg, lat_deg)]];
  for (const system of Object.keys(VN2000_SYSTEMS) as Vn2000System[]) {
    const { north_m, east_m } = toVn2000(lon_deg, lat_deg, system);
    rows.push([`VN-2000 ${system}`, `X (${words.north}) ${north_m.toFixed(1)}  Y (${words.east}) ${east_m.toFixed(1)}`]);
  }
  rows.push(["MGRS (WGS 84)", toMgrs(lon_deg, lat_deg)]);
  return (
    <table class="coordinates">
      <tbody>
        {rows.map(([name, text]) => (
          <tr key={name}>
            <th scope="row">
              {name}
              <span class="number">{text}</span>
            </th>
            <td><CopyButton text={text} words={words} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function CopyButton(props: { text: string; words: Words }) {
  const [done, setDone] = useState(false);
  // Browsers give the clipboard to secure pages only; elsewhere the text can be marked by hand.
  if (!navigator.clipboard) return null;
  return (
    <button
      class="tool"
      onClick={() => void navigator.clipboard.writeText(props.text).then(() => setDone(true), () => setDone(false))}
    >
      {done ? props.words.copied : props.words.copy}
    </button>
  );
}
