/** From what the station says to what is drawn: plain GeoJSON, used by the map and by the sketch. */
import type { AlertView, NodeView, SiteView, TargetView, VehicleView } from "../api-types";
import { featuresOf } from "../app/state";
import { ahead, delta, ellipseRing, type LonLat, offset } from "../core/geometry";
import { isOpen, isRaised } from "../core/rank";

type Collection = GeoJSON.FeatureCollection;

const collect = (features: GeoJSON.Feature[]): Collection => ({ type: "FeatureCollection", features });
const point = (at: LonLat, properties: GeoJSON.GeoJsonProperties): GeoJSON.Feature => ({
  type: "Feature",
  properties,
  geometry: { type: "Point", coordinates: at },
});
const way = (coordinates: LonLat[], properties: GeoJSON.GeoJsonProperties): GeoJSON.Feature => ({
  type: "Feature",
  properties,
  geometry: { type: "LineString", coordinates },
});
const area = (ring: LonLat[], properties: GeoJSON.GeoJsonProperties): GeoJSON.Feature => ({
  type: "Feature",
  properties,
  geometry: { type: "Polygon", coordinates: [ring] },
});

const TAIL_PIECES = 4;
/** How far ahead the motion arrow of a target points. */
const AHEAD_S = 10;

export interface SiteFeatures {
  /** One feature per segment, so that each wears its own doubt. */
  line: Collection;
  zones: Collection;
  /** One point per zone: a name on the polygon itself is repeated in every tile. */
  zoneNames: Collection;
  markers: Collection;
  places: Collection;
  ourSide: "left" | "right";
}

export function siteFeatures(site: SiteView, language: "vi" | "en"): SiteFeatures {
  const all = featuresOf(site);
  const role = (name: string) => all.filter((feature) => feature.properties?.["role"] === name);
  const segments: GeoJSON.Feature[] = [];
  let ourSide: "left" | "right" = "left";
  for (const feature of role("line")) {
    if (feature.geometry.type !== "LineString") continue;
    const properties = feature.properties as {
      our_side?: "left" | "right";
      accuracy_sigma_m?: number;
      segments?: { accuracy_sigma_m?: number; status?: string }[];
    };
    ourSide = properties.our_side ?? ourSide;
    const course = feature.geometry.coordinates as LonLat[];
    for (let i = 0; i + 1 < course.length; i += 1) {
      const own = properties.segments?.[i];
      segments.push(
        way([course[i]!, course[i + 1]!], {
          sigma_m: own?.accuracy_sigma_m ?? properties.accuracy_sigma_m ?? 0,
          demarcated: (own?.status ?? "demarcated") === "demarcated",
        }),
      );
    }
  }
  const named = (feature: GeoJSON.Feature): GeoJSON.Feature => ({
    ...feature,
    properties: {
      ...feature.properties,
      label:
        feature.properties?.[language === "vi" ? "name_vi" : "name_en"] ??
        feature.properties?.["name"] ??
        feature.properties?.["number"] ??
        "",
    },
  });
  const zoneRoles = ["restricted", "watch", "ignore", "gate", "no_go", "go"];
  const zones = zoneRoles.flatMap(role).map(named);
  const zoneNames = zones.flatMap((zone) =>
    zone.geometry.type === "Polygon"
      ? [point(middle(zone.geometry.coordinates[0] as LonLat[]), zone.properties)]
      : [],
  );
  return {
    line: collect(segments),
    zones: collect(zones),
    zoneNames: collect(zoneNames),
    markers: collect(role("marker").map(named)),
    places: collect(role("place").map(named)),
    ourSide,
  };
}

/** The middle of a ring's corners: good enough to hang a name on. */
function middle(ring: LonLat[]): LonLat {
  const corners = ring.slice(0, -1);
  const mean = (axis: 0 | 1) => corners.reduce((sum, at) => sum + at[axis], 0) / corners.length;
  return [mean(0), mean(1)];
}

/** The whole course as one line, for teeth and side names. */
export function wholeLine(line: Collection): LonLat[] {
  return line.features.flatMap((feature, i) => {
    const [from, to] = (feature.geometry as GeoJSON.LineString).coordinates as [LonLat, LonLat];
    return i === 0 ? [from, to] : [to];
  });
}

export function cameraFeatures(nodes: NodeView[]): { views: Collection; posts: Collection } {
  const views: GeoJSON.Feature[] = [];
  const posts: GeoJSON.Feature[] = [];
  for (const node of nodes) {
    const dead = node.state === "offline" || node.state === "silent" || node.state === "goodbye";
    for (const sensor of node.sensors) {
      const status = dead ? "offline" : sensor.status;
      const properties = {
        sensor_id: sensor.sensor_id,
        node_id: node.node_id,
        name: sensor.name,
        status,
        azimuth_deg: sensor.azimuth_deg ?? 0,
      };
      if (sensor.field_of_view_lonlat.length >= 3) {
        const ring = [...sensor.field_of_view_lonlat];
        const [first, last] = [ring[0]!, ring[ring.length - 1]!];
        if (first[0] !== last[0] || first[1] !== last[1]) ring.push(first);
        views.push(area(ring, properties));
      }
      if (sensor.lon_deg !== null && sensor.lat_deg !== null) {
        posts.push(point([sensor.lon_deg, sensor.lat_deg], properties));
      }
    }
  }
  return { views: collect(views), posts: collect(posts) };
}

/** How sure the station is of a drone: `lost` is silent or without a place, `doubt` a fix not to be believed. */
export function vehicleStatus(one: VehicleView): "flying" | "ground" | "doubt" | "lost" {
  if (one.silent || one.position_is_old) return "lost";
  const believed = one.fix_status === "fix_3d" || one.fix_status === "fix_2d" || one.fix_status === "fixed_survey";
  if (!believed) return "doubt";
  return one.in_air ? "flying" : "ground";
}

export function vehicleFeatures(vehicles: Iterable<VehicleView>): { views: Collection; drones: Collection } {
  const views: GeoJSON.Feature[] = [];
  const drones: GeoJSON.Feature[] = [];
  for (const one of vehicles) {
    if (one.lon_deg === null || one.lat_deg === null) continue;
    const status = vehicleStatus(one);
    const properties = {
      key: `${one.node_id}/${one.vehicle_id}`,
      status,
      heading_deg: one.heading_deg ?? 0,
      icon: `drone-${status}`,
    };
    // What a drone saw before it fell silent is not what it sees.
    if (status !== "lost" && one.footprint_lonlat.length >= 3) {
      const ring = [...one.footprint_lonlat];
      const [first, last] = [ring[0]!, ring[ring.length - 1]!];
      if (first[0] !== last[0] || first[1] !== last[1]) ring.push(first);
      views.push(area(ring, properties));
    }
    drones.push(point([one.lon_deg, one.lat_deg], properties));
  }
  return { views: collect(views), drones: collect(drones) };
}

export interface TargetFeatures {
  points: Collection;
  tails: Collection;
  ellipses: Collection;
  arrows: Collection;
}

export function targetFeatures(
  targets: Iterable<TargetView>,
  alerts: ReadonlyMap<string, AlertView>,
): TargetFeatures {
  const points: GeoJSON.Feature[] = [];
  const tails: GeoJSON.Feature[] = [];
  const ellipses: GeoJSON.Feature[] = [];
  const arrows: GeoJSON.Feature[] = [];
  for (const target of targets) {
    const at: LonLat = [target.lon_deg, target.lat_deg];
    const alert = target.alert_id === null ? undefined : alerts.get(target.alert_id);
    const level = alert && isOpen(alert) ? alert.level : "none";
    const properties = {
      target_id: target.target_id,
      alert_id: target.alert_id ?? "",
      level,
      coasting: target.coasting,
      icon: `target-${target.object_class}-${level}${target.coasting ? "-coasting" : ""}`,
      count: target.count > 1 ? `×${target.count}` : "",
    };
    points.push(point(at, properties));
    ellipses.push(area(ellipseRing(...at, target.ellipse90), properties));
    const tail: LonLat[] = [...target.tail.map((t): LonLat => [t.lon_deg, t.lat_deg]), at];
    // A few pieces, each with its age, 0 old to 1 now, so that the tail fades.
    const piece = Math.max(1, Math.ceil((tail.length - 1) / TAIL_PIECES));
    for (let i = 0; i + 1 < tail.length; i += piece) {
      const end = Math.min(i + piece, tail.length - 1);
      tails.push(way(tail.slice(i, end + 1), { level, fresh: end / (tail.length - 1) }));
    }
    if (target.speed_m_s !== null && target.course_deg !== null && target.speed_m_s > 0.2) {
      arrows.push(way([at, ahead(...at, target.speed_m_s, target.course_deg, AHEAD_S)], properties));
    }
  }
  return { points: collect(points), tails: collect(tails), ellipses: collect(ellipses), arrows: collect(arrows) };
}

export interface AlertFeatures {
  points: Collection;
  /** Error ellipse of the selected alert, and the way from its marker: the sentence as a picture. */
  ellipse: Collection;
  leader: Collection;
}

export function alertFeatures(
  alerts: Iterable<AlertView>,
  selected: AlertView | null,
  markers: Collection,
  leaderLabel: (alert: AlertView) => string,
): AlertFeatures {
  const rank = { warning: 2, caution: 1, information: 0 };
  const points: GeoJSON.Feature[] = [];
  for (const alert of alerts) {
    const chosen = alert.alert_id === selected?.alert_id;
    if (!isOpen(alert) && !chosen) continue;
    points.push(
      point([alert.lon_deg, alert.lat_deg], {
        alert_id: alert.alert_id,
        icon: `alert-${alert.level}${isRaised(alert) ? "" : "-taken"}`,
        chosen,
        order: rank[alert.level] + (chosen ? 10 : 0) + (isRaised(alert) ? 3 : 0),
      }),
    );
  }
  const ellipse: GeoJSON.Feature[] = [];
  const leader: GeoJSON.Feature[] = [];
  if (selected) {
    const at: LonLat = [selected.lon_deg, selected.lat_deg];
    ellipse.push(area(ellipseRing(...at, selected.ellipse90), { level: selected.level }));
    const marker = markers.features.find(
      (feature) => String(feature.properties?.["number"]) === selected.nearest_marker,
    );
    if (marker?.geometry.type === "Point") {
      leader.push(way([marker.geometry.coordinates as LonLat, at], { label: leaderLabel(selected) }));
    }
  }
  return { points: collect(points), ellipse: collect(ellipse), leader: collect(leader) };
}

/** People are looked for this near; a camera sees on to the horizon, which is no place to point a map at. */
const HOME_REACH_M = 120;

/** A drone farther from every camera than this has a picture of its own to be looked for in. */
const HOME_DRONE_M = 600;

/** Where eyes are wanted at first: the ground near the cameras, in the direction in which they look, and drones there. */
export function homePoints(site: SiteView, nodes: NodeView[], vehicles: Iterable<VehicleView> = []): LonLat[] {
  const seen = nodes.flatMap((node) =>
    node.sensors.flatMap((sensor): LonLat[] => {
      if (sensor.lon_deg === null || sensor.lat_deg === null) return [];
      const post: LonLat = [sensor.lon_deg, sensor.lat_deg];
      const near = sensor.field_of_view_lonlat.map((corner): LonLat => {
        const { east_m, north_m } = delta(post, corner);
        const part = Math.min(1, HOME_REACH_M / Math.max(1, Math.hypot(east_m, north_m)));
        return offset(...post, east_m * part, north_m * part);
      });
      return [post, ...near];
    }),
  );
  const masts = [...seen];
  for (const one of vehicles) {
    if (one.lon_deg === null || one.lat_deg === null) continue;
    const place: LonLat = [one.lon_deg, one.lat_deg];
    const away = masts.map((mast) => delta(mast, place)).map(({ east_m, north_m }) => Math.hypot(east_m, north_m));
    if (masts.length === 0 || Math.min(...away) < HOME_DRONE_M) seen.push(place);
  }
  return seen.length > 0 ? seen : sectorPoints(site);
}

/** The whole line with its markers. */
export function sectorPoints(site: SiteView): LonLat[] {
  const points = featuresOf(site).flatMap((feature): LonLat[] => {
    if (feature.properties?.["role"] === "line" && feature.geometry.type === "LineString") {
      return feature.geometry.coordinates as LonLat[];
    }
    if (feature.properties?.["role"] === "marker" && feature.geometry.type === "Point") {
      return [feature.geometry.coordinates as LonLat];
    }
    return [];
  });
  return points.length > 0 ? points : [site.centre_lonlat];
}
