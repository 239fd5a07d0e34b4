import type { AlertView, NodeView, StationView, VehicleView } from "../api-types";
import type { Language, Words } from "./words";

/** Local wall time of an instant, 24 hours, seconds included; the zone is the site's, not the browser's. */
export function clockTime(instant: string | number, timeZone: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone,
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(new Date(instant));
}

/** Local date, day first. */
export function clockDate(instant: string | number, timeZone: string): string {
  return new Intl.DateTimeFormat("en-GB", {
    timeZone,
    day: "2-digit",
    month: "2-digit",
    year: "numeric",
  }).format(new Date(instant));
}

/** Time of an event; with its day when that is not today (a date as clockDate writes it). */
export function eventTime(instant: string, today: string, timeZone: string): string {
  const day = clockDate(instant, timeZone);
  const time = clockTime(instant, timeZone);
  return day === today ? time : `${day.slice(0, 5)} ${time}`;
}

/** How long ago, in the coarsest unit that is still honest. */
export function age(seconds: number, language: Language): string {
  const whole = Math.max(0, Math.round(seconds));
  const [minute, hour] = language === "vi" ? ["phút", "giờ"] : ["min", "h"];
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} ${minute}`;
  return `${Math.floor(whole / 3600)} ${hour} ${Math.floor((whole % 3600) / 60)} ${minute}`;
}

/** Minutes and seconds left. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Metres as people say them: no false digits. */
export function metres(value_m: number): string {
  const size = Math.abs(value_m);
  if (size >= 10_000) return `${(size / 1000).toFixed(1)} km`;
  if (size >= 1000) return `${(size / 1000).toFixed(2)} km`;
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} m`;
}

/** What a target or alert is about, as a heading: "Nhóm 4 người", "Xuồng, ghe". */
export function what(thing: Pick<AlertView, "object_class" | "count">, words: Words): string {
  if (thing.object_class === "Human" && thing.count > 1) return words.group(thing.count);
  const name = words.objectClass[thing.object_class];
  return thing.count > 1 ? `${thing.count} × ${name}` : name;
}

/**
 * The heading and the middle of the station's sentence.
 *
 * The station says "level · what · where, motion · time · state"; the row shows level, time and state in
 * places of their own, so only the rest is repeated. A sentence of another form is kept whole.
 */
export function parts(
  alert: Pick<AlertView, "object_class" | "count" | "sentence_vi" | "sentence_en">,
  words: Words,
  language: Language,
): { what: string; where: string } {
  const sentence = language === "vi" ? alert.sentence_vi : alert.sentence_en;
  const said = sentence.split(" · ");
  const time = said.findLastIndex((part) => /^\d{2}:\d{2}:\d{2}/.test(part));
  return time > 2 && said[1]
    ? { what: said[1], where: said.slice(2, time).join(" · ") }
    : { what: what(alert, words), where: sentence };
}

/** Beyond these a node's times, and the place of what moves, are not what they seem. */
const CLOCK_ERROR_S = 2;
const BACKLOG_AGE_S = 60;

export interface Fault {
  key: string;
  text: string;
  node_id: string;
}

const SILENT_STATES: ReadonlySet<NodeView["state"]> = new Set(["goodbye", "offline", "silent"]);

/** A receiver that says so is broken or deceived; one that never had a fix yet is only starting. */
const UNBELIEVED: ReadonlySet<string> = new Set(["stale", "jammed", "jumped"]);

/** Whether a node's word can no longer be trusted to be there. */
export const isSilent = (node: Pick<NodeView, "state">): boolean => SILENT_STATES.has(node.state);

/** Everything that is broken, one line each, so that silence is never mistaken for peace. */
export function faults(nodes: NodeView[], words: Words, language: Language): Fault[] {
  const found: Fault[] = [];
  for (const node of nodes) {
    const add = (key: string, text: string) =>
      found.push({ key: `${node.node_id}/${key}`, text, node_id: node.node_id });
    if (node.state !== "online") {
      const since = node.last_word_age_s === null ? "" : age(node.last_word_age_s, language);
      const said = words.nodeFault(node.name, words.nodeState[node.state], isSilent(node) ? since : "");
      add("state", node.reason ? `${said} (${node.reason})` : said);
    }
    if (node.clock_source === "boot" || (node.clock_error_s ?? 0) > CLOCK_ERROR_S) {
      add("clock", `${node.name}: ${words.clockUntrusted}`);
    }
    if (node.outbox_depth !== null && (node.outbox_oldest_age_s ?? 0) > BACKLOG_AGE_S) {
      add("backlog", `${node.name}: ${words.backlog(node.outbox_depth, age(node.outbox_oldest_age_s ?? 0, language))}`);
    }
    if (node.fix !== null && UNBELIEVED.has(node.fix.status)) {
      add("fix", `${node.name}: ${words.fixStatus[node.fix.status]}`);
    }
    if (node.lost_key > 0) add("lost", `${node.name}: ${words.lostKey(node.lost_key)}`);
    if (node.zones_in_force === false) add("zones", `${node.name}: ${words.zonesOld}`);
    // A silent node's cameras are told by the node's own line.
    if (isSilent(node)) continue;
    for (const sensor of node.sensors) {
      if (sensor.status === "offline" || sensor.status === "frozen") {
        add(sensor.sensor_id, words.cameraFault(sensor.name, words.sensorStatus[sensor.status]));
      }
    }
  }
  return found;
}

/** A drone that fell silent in the air, or flies by a place that is not to be believed. */
export function vehicleFaults(vehicles: Iterable<VehicleView>, words: Words, language: Language): Fault[] {
  const found: Fault[] = [];
  for (const one of vehicles) {
    if (!one.in_air && !one.armed) continue;
    const name = words.drone(one.vehicle_id);
    const key = `${one.node_id}/${one.vehicle_id}`;
    const add = (text: string) => found.push({ key, text: `${name}: ${text}`, node_id: one.node_id });
    if (one.silent) add(`${words.droneStatus.lost}, ${words.lastWord(age(one.age_s, language))}`);
    else if (UNBELIEVED.has(one.fix_status) || one.fix_status === "none") add(words.fixStatus[one.fix_status]);
  }
  return found;
}

/** "6/6 camera hoạt động, tin cuối 2 s trước". */
export function pulse(station: StationView, since_s: number, words: Words, language: Language): string {
  const word =
    station.last_word_age_s === null
      ? words.noWord
      : words.lastWord(age(station.last_word_age_s + since_s, language));
  return `${words.cameras(station.cameras_alive, station.cameras_total)}, ${word}`;
}
