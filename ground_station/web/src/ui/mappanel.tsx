import { useEffect, useRef, useState } from "preact/hooks";
import { effect } from "@preact/signals";
import { select } from "../app/acts";
import * as state from "../app/state";
import type { VehicleView } from "../api-types";
import { age, metres, parts, what } from "../core/format";
import { isRaised } from "../core/rank";
import {
  alertFeatures,
  cameraFeatures,
  homePoints,
  sectorPoints,
  siteFeatures,
  targetFeatures,
  vehicleFeatures,
  vehicleStatus,
  wholeLine,
} from "../map/features";
import type { SiteMap } from "../map/map";
import { sketch } from "../map/sketch";
import { Icon } from "./marks";

export interface MapHandle {
  /** Gives the keyboard to the map; with it already there, shows the whole sector. */
  focus(): void;
  show(lon_deg: number, lat_deg: number): void;
}

interface Hover {
  text: string;
  x_px: number;
  y_px: number;
}

function hasWebGl(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}

/** The left two thirds: the map, or a sketch and a table where WebGL is missing. */
export function MapPanel(props: { handle: { current: MapHandle | null } }) {
  const [webGl] = useState(hasWebGl);
  const words = state.words.value;
  const site = state.site.value;
  return (
    <section class={`map ${state.stationLost.value ? "stale" : ""}`} aria-label={words.map}>
      {site === null ? (
        <p class="waiting">{words.connecting}</p>
      ) : webGl ? (
        <GlPanel key={`${site.site_id}/${site.zones_version}`} handle={props.handle} />
      ) : (
        <SketchPanel handle={props.handle} />
      )}
      {site && (
        <div class="small-print">
          {!site.authoritative && <p>{state.language.value === "vi" ? site.notice_vi : site.notice_en}</p>}
          <p class="attribution">{site.attribution.join(" · ")}</p>
        </div>
      )}
    </section>
  );
}

function GlPanel(props: { handle: { current: MapHandle | null } }) {
  const container = useRef<HTMLDivElement>(null);
  const map = useRef<SiteMap | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const [baseMissing, setBaseMissing] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const words = state.words.value;
  const fitSector = (): void => {
    const site = state.site.peek();
    if (site) map.current?.fit(sectorPoints(site), true);
  };

  useEffect(() => {
    const site = state.site.peek();
    if (!container.current || !site) return undefined;
    let closed = false;
    const stops: (() => void)[] = [];
    void import("../map/map")
      .then(async ({ SiteMap }) => {
        const drawn = await SiteMap.open(container.current!, site, {
          alert: select,
          trouble: () => setBaseMissing(true),
          hover: (hit) =>
            setHover(hit && { text: say(hit.layer, hit.properties), x_px: hit.x_px, y_px: hit.y_px }),
        });
        if (closed) {
          drawn.close();
          return;
        }
        map.current = drawn;
        drawn.fit(homePoints(site, [...state.nodes.peek().values()], state.vehicles.peek().values()), false);
        stops.push(...feed(drawn));
        props.handle.current = {
          focus: () => (drawn.hasFocus() ? fitSector() : drawn.focus()),
          show: (lon_deg, lat_deg) => drawn.show([lon_deg, lat_deg]),
        };
      })
      .catch((error: unknown) => setFailure(String(error)));
    return () => {
      closed = true;
      for (const stop of stops) stop();
      map.current?.close();
      map.current = null;
      props.handle.current = null;
    };
  }, []);

  if (failure !== null) return <SketchPanel handle={props.handle} because={failure} />;
  return (
    <>
      <div class="gl" ref={container} />
      {baseMissing && <p class="base-missing" role="status">{words.baseMissing}</p>}
      <div class="map-tools">
        <button class="tool" aria-label={words.zoomIn} title={words.zoomIn} onClick={() => map.current?.zoom(1)}>
          <Icon name="plus" />
        </button>
        <button class="tool" aria-label={words.zoomOut} title={words.zoomOut} onClick={() => map.current?.zoom(-1)}>
          <Icon name="minus" />
        </button>
        <button class="tool" aria-label={words.sector} title={`${words.sector} (M)`} onClick={fitSector}>
          <Icon name="sector" />
        </button>
      </div>
      {hover?.text && (
        <div class="hover" ref={(box) => place(box, hover)}>
          {hover.text}
        </div>
      )}
    </>
  );
}

/** Beside the pointer, on the side where there is room. */
function place(box: HTMLDivElement | null, hover: Hover): void {
  const room = box?.parentElement?.getBoundingClientRect();
  if (!box || !room) return;
  const left = hover.x_px + 16 + box.offsetWidth > room.width;
  box.style.left = `${hover.x_px + (left ? -box.offsetWidth - 12 : 16)}px`;
  box.style.top = `${Math.min(hover.y_px + 12, room.height - box.offsetHeight - 8)}px`;
}

/** Keeps every layer of the map equal to what the page knows; returns how to stop. */
function feed(drawn: SiteMap): (() => void)[] {
  const markersOf = (): GeoJSON.FeatureCollection => {
    const site = state.site.value;
    return site ? siteFeatures(site, "vi").markers : { type: "FeatureCollection", features: [] };
  };
  let shownId: string | null = null;
  const knownWarnings = new Set<string>();
  return [
    effect(() => {
      const site = state.site.value;
      if (site) drawn.setSite(site, state.words.value, state.language.value);
    }),
    effect(() => {
      const { views, posts } = cameraFeatures([...state.nodes.value.values()]);
      drawn.set("camera-views", views);
      drawn.set("cameras", posts);
    }),
    effect(() => {
      const { views, drones } = vehicleFeatures(state.vehicles.value.values());
      drawn.set("drone-views", views);
      drawn.set("drones", drones);
    }),
    effect(() => {
      const { points, tails, ellipses, arrows } = targetFeatures(state.targets.value.values(), state.alerts.value);
      drawn.set("targets", points);
      drawn.set("tails", tails);
      drawn.set("ellipses", ellipses);
      drawn.set("arrows", arrows);
    }),
    effect(() => {
      const { points, ellipse, leader } = alertFeatures(
        state.alerts.value.values(),
        state.selected.value,
        markersOf(),
        (alert) => (alert.distance_to_marker_m === null ? "" : metres(alert.distance_to_marker_m)),
      );
      drawn.set("alerts", points);
      drawn.set("alert-ellipse", ellipse);
      drawn.set("alert-leader", leader);
    }),
    // A new warning is brought into the picture unless somebody is at work on another alert.
    effect(() => {
      const warnings = state.openAlerts.value.filter((alert) => alert.level === "warning" && isRaised(alert));
      const fresh = warnings.find((alert) => !knownWarnings.has(alert.alert_id));
      for (const alert of warnings) knownWarnings.add(alert.alert_id);
      if (fresh && state.selectedId.peek() === null) drawn.show([fresh.lon_deg, fresh.lat_deg]);
    }),
    effect(() => {
      const alert = state.selected.value;
      if (alert && alert.alert_id !== shownId) drawn.show([alert.lon_deg, alert.lat_deg]);
      shownId = alert?.alert_id ?? null;
    }),
  ];
}

/** What lies under the pointer, in words. */
function say(layer: string, properties: Record<string, unknown>): string {
  const words = state.words.peek();
  const text = (name: string): string => String(properties[name] ?? "");
  switch (layer) {
    case "alerts": {
      const alert = state.alerts.peek().get(text("alert_id"));
      if (!alert) return "";
      const said = parts(alert, words, state.language.peek());
      return `${words.level[alert.level]} · ${said.what} · ${said.where}`;
    }
    case "targets": {
      const target = state.targets.peek().get(text("target_id"));
      if (!target) return "";
      return [
        what(target, words),
        `±${metres(target.ellipse90.semi_major_m)}`,
        target.speed_m_s === null ? "" : `${target.speed_m_s.toFixed(1)} m/s`,
        target.signed_distance_to_line_m === null
          ? ""
          : `${words.distanceToLine} ${metres(Math.abs(target.signed_distance_to_line_m))}`,
        target.coasting ? words.coasting : "",
      ].filter(Boolean).join(" · ");
    }
    case "drones": {
      const drone = state.vehicles.peek().get(text("key"));
      return drone ? sayDrone(drone) : "";
    }
    case "cameras":
      return `${text("name")}: ${words.sensorStatus[properties["status"] as keyof typeof words.sensorStatus]}`;
    case "markers":
      return `${words.marker(text("number"))}${properties["status"] === "sample" ? ` (${words.sample})` : ""}`;
    case "zones":
      return `${words.zone[text("role")] ?? text("role")}: ${text("label")}`;
    case "line":
    case "line-open":
      return `σ ${metres(Number(properties["sigma_m"]))}`;
    default:
      return "";
  }
}

function sayDrone(drone: VehicleView): string {
  const words = state.words.peek();
  const status = vehicleStatus(drone);
  return [
    words.drone(drone.vehicle_id),
    status === "lost" ? words.lastWord(age(drone.age_s, state.language.peek())) : "",
    words.droneStatus[status],
    drone.mode,
    drone.pilot_in_control ? words.pilotFlies : "",
    drone.alt_above_takeoff_m === null ? "" : `${words.height} ${metres(drone.alt_above_takeoff_m)}`,
    drone.speed_m_s === null ? "" : `${drone.speed_m_s.toFixed(1)} m/s`,
    drone.battery_fraction === null ? "" : `${words.battery} ${Math.round(drone.battery_fraction * 100)} %`,
    words.fix(drone.fix_status, drone.horizontal_sigma_m, drone.satellites),
  ].filter(Boolean).join(" · ");
}

/** Without WebGL: the same features drawn plainly, and the numbers as a table. */
function SketchPanel(props: { handle: { current: MapHandle | null }; because?: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [sector, setSector] = useState(false);
  const words = state.words.value;
  useEffect(() => {
    props.handle.current = {
      focus: () => (document.activeElement === canvas.current ? setSector((was) => !was) : canvas.current?.focus()),
      show: () => setSector(false),
    };
    return () => {
      props.handle.current = null;
    };
  }, []);
  useEffect(
    () =>
      effect(() => {
        const site = state.site.value;
        const nodes = [...state.nodes.value.values()];
        if (!canvas.current || !site) return;
        const features = siteFeatures(site, state.language.value);
        sketch(canvas.current, {
          site: features,
          views: cameraFeatures(nodes).views,
          vehicles: vehicleFeatures(state.vehicles.value.values()),
          targets: targetFeatures(state.targets.value.values(), state.alerts.value),
          alerts: alertFeatures(state.alerts.value.values(), state.selected.value, features.markers, () => ""),
          sideWords: state.words.value,
          focus: sector ? wholeLine(features.line) : homePoints(site, nodes, state.vehicles.value.values()),
        });
      }),
    [sector],
  );
  const targets = [...state.targets.value.values()];
  return (
    <div class="sketch">
      <p class="banner trouble" role="status">{words.noWebGl} {props.because}</p>
      <canvas ref={canvas} tabIndex={0} aria-label={words.map} />
      <table>
        <caption>{words.targets}</caption>
        <tbody>
          {targets.length === 0 && <tr><td>{words.none}</td></tr>}
          {targets.map((target) => (
            <tr key={target.target_id}>
              <td>{what(target, words)}</td>
              <td class="number">{target.lat_deg.toFixed(6)}, {target.lon_deg.toFixed(6)}</td>
              <td class="number">±{metres(target.ellipse90.semi_major_m)}</td>
              <td class="number">{target.speed_m_s === null ? "" : `${target.speed_m_s.toFixed(1)} m/s`}</td>
              <td class="number">
                {target.signed_distance_to_line_m === null ? "" : metres(target.signed_distance_to_line_m)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
