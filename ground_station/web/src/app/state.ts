/** What the page knows, as signals: the only mutable state, written by session.ts and acts.ts alone. */
import { computed, signal } from "@preact/signals";
import type {
  AlertView,
  NodeView,
  SessionView,
  SiteView,
  StationView,
  TargetView,
  VehicleView,
} from "../api-types";
import { fold, matches } from "../core/fold";
import { clockDate, faults, vehicleFaults } from "../core/format";
import { byRank, byTime, isOpen } from "../core/rank";
import { SILENCE_MS } from "../core/stream";
import { type Language, WORDS } from "../core/words";

export type Dialog = "help" | "about" | "assign" | "close" | "reopen";

/** undefined: not yet asked; null: nobody is logged in. */
export const session = signal<SessionView | null | undefined>(undefined);
/** The watch ended without anybody ending it: nobody is told of anything until somebody logs in. */
export const sessionEnded = signal(false);
export const site = signal<SiteView | null>(null);
export const station = signal<StationView | null>(null);
export const nodes = signal<ReadonlyMap<string, NodeView>>(new Map());
export const targets = signal<ReadonlyMap<string, TargetView>>(new Map());
/** Drones by node and name. */
export const vehicles = signal<ReadonlyMap<string, VehicleView>>(new Map());
export const alerts = signal<ReadonlyMap<string, AlertView>>(new Map());
/** Whether the first picture of everything is there. */
export const loaded = signal(false);

/** Monotonic milliseconds at which the station was last heard, and each node's and station's word came. */
export const heardAt_ms = signal(0);
export const stationAt_ms = signal(0);
export const nodesAt_ms = new Map<string, number>();

/** Set by the ticker: monotonic time, and the station's idea of UTC. */
export const monotonic_ms = signal(0);
export const stationClock_ms = signal(Date.now());

export const language = signal<Language>("vi");
export const words = computed(() => WORDS[language.value]);
export const timeZone = computed(() => site.value?.time_zone ?? "Asia/Ho_Chi_Minh");

/** The station's local date; changes once a day, so that what depends on it rests. */
export const today = computed(() => clockDate(stationClock_ms.value, timeZone.value));

/** The station decides who may handle alerts; a technician is not offered what would be refused. */
export const mayHandle = computed(() => session.value?.role !== "technician");

export const selectedId = signal<string | null>(null);
export const query = signal("");
export const dialog = signal<Dialog | null>(null);
export const showClosed = signal(false);
export const busy = signal<ReadonlySet<string>>(new Set());
export const undo = signal<{ alert_id: string; until_ms: number } | null>(null);
export const complaint = signal<string | null>(null);

export const soundUnlocked = signal(false);
export const mutedUntil_ms = signal(0);
export const muteLeft_s = computed(() => Math.max(0, (mutedUntil_ms.value - monotonic_ms.value) / 1000));

export const silence_s = computed(() => Math.max(0, (monotonic_ms.value - heardAt_ms.value) / 1000));
export const stationLost = computed(
  () => session.value !== null && session.value !== undefined && silence_s.value * 1000 > SILENCE_MS,
);

const EXPIRY_WARNING_S = 15 * 60;
/** Seconds until the login ends, when that is soon; else null. */
export const endsSoon_s = computed(() => {
  if (!session.value) return null;
  const left_s = (Date.parse(session.value.expires_utc) - stationClock_ms.value) / 1000;
  return left_s < EXPIRY_WARNING_S ? Math.max(0, left_s) : null;
});

const searched = (alert: AlertView): boolean =>
  query.value.trim() === "" ||
  matches(
    [
      alert.sentence_vi,
      alert.sentence_en,
      alert.nearest_marker,
      alert.assigned_to ?? "",
      alert.acknowledged_by ?? "",
      alert.note,
      ...alert.sensors,
      words.value.rule[alert.rule] ?? alert.rule,
    ].join(" "),
    query.value,
  );

export const openAlerts = computed(() => [...alerts.value.values()].filter(isOpen).sort(byRank));
export const closedAlerts = computed(() =>
  [...alerts.value.values()].filter((alert) => !isOpen(alert)).sort(byTime),
);
export const shownOpen = computed(() => openAlerts.value.filter(searched));
export const shownClosed = computed(() => closedAlerts.value.filter(searched));
export const listedIds = computed(() =>
  [...shownOpen.value, ...(showClosed.value ? shownClosed.value : [])].map((alert) => alert.alert_id),
);
export const selected = computed(() =>
  selectedId.value === null ? null : (alerts.value.get(selectedId.value) ?? null),
);

/** Nodes with the age of their last word counted on, sorted as people name them. */
export const nodesNow = computed<NodeView[]>(() =>
  [...nodes.value.values()]
    .map((node) => ({
      ...node,
      last_word_age_s:
        node.last_word_age_s === null
          ? null
          : node.last_word_age_s +
            Math.max(0, monotonic_ms.value - (nodesAt_ms.get(node.node_id) ?? 0)) / 1000,
    }))
    .sort((a, b) => a.name.localeCompare(b.name, "vi", { numeric: true })),
);
/** When each drone's word came, by the key of `vehicles`. */
export const vehiclesAt_ms = new Map<string, number>();
/** Drones with the age of their last word counted on. */
export const vehiclesNow = computed<VehicleView[]>(() =>
  [...vehicles.value].map(([key, one]) => ({
    ...one,
    age_s: one.age_s + Math.max(0, monotonic_ms.value - (vehiclesAt_ms.get(key) ?? monotonic_ms.value)) / 1000,
  })),
);
export const faultsNow = computed(() => [
  ...faults(nodesNow.value, words.value, language.value),
  ...vehicleFaults(vehiclesNow.value, words.value, language.value),
]);
export const simulated = computed(
  () => !!site.value?.simulated || !!station.value?.simulated || nodesNow.value.some((n) => n.simulated),
);

export interface Spot {
  key: string;
  label: string;
  lon_deg: number;
  lat_deg: number;
}

/** Everything with a name on the map that a search may find. */
export const spots = computed<Spot[]>(() => {
  const found: Spot[] = [];
  for (const feature of featuresOf(site.value)) {
    if (feature.geometry.type !== "Point") continue;
    const [lon_deg, lat_deg] = feature.geometry.coordinates as [number, number];
    const { role, number, name, name_vi } = feature.properties as Record<string, string | undefined>;
    const label = role === "marker" ? words.value.marker(number ?? "") : (name ?? name_vi ?? "");
    if (label) found.push({ key: `${role}/${label}`, label, lon_deg, lat_deg });
  }
  for (const node of nodes.value.values()) {
    for (const sensor of node.sensors) {
      if (sensor.lon_deg === null || sensor.lat_deg === null) continue;
      found.push({
        key: `camera/${sensor.sensor_id}`,
        label: sensor.name,
        lon_deg: sensor.lon_deg,
        lat_deg: sensor.lat_deg,
      });
    }
  }
  return found;
});
export const foundSpots = computed(() =>
  query.value.trim() === "" ? [] : spots.value.filter((spot) => matches(fold(spot.label), query.value)).slice(0, 6),
);

/** The drawn features of the site, typed. */
export function featuresOf(view: SiteView | null): GeoJSON.Feature[] {
  const features = (view?.features as { features?: GeoJSON.Feature[] } | undefined)?.features;
  return (features ?? []).filter((feature) => feature.geometry && feature.properties);
}
