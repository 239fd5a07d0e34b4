/** The map's stand-in where WebGL is missing: a plain 2D drawing of the same features. */
import { bounds, type LonLat } from "../core/geometry";
import { type AlertFeatures, type SiteFeatures, type TargetFeatures, wholeLine } from "./features";
import { LEVEL_PATH } from "./icons";
import { COLOUR, LEVEL_COLOUR } from "./palette";
import { sideNames } from "./sides";

export interface SketchContent {
  site: SiteFeatures;
  views: GeoJSON.FeatureCollection;
  vehicles: { views: GeoJSON.FeatureCollection; drones: GeoJSON.FeatureCollection };
  targets: TargetFeatures;
  alerts: AlertFeatures;
  focus: LonLat[];
  sideWords: { ourSide: string; otherSide: string };
}

type Level = keyof typeof LEVEL_COLOUR;
type Project = (point: LonLat) => [number, number];

/** Fits the focus into the picture, north up, metres equal in both directions. */
export function projection(focus: LonLat[], width: number, height: number, margin = 48): Project {
  const [west, south, east, north] = bounds(focus) ?? [0, 0, 1, 1];
  const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180);
  // A point alone still gets a picture of about 200 m.
  const wide = Math.max((east - west) * shrink, 0.002);
  const high = Math.max(north - south, 0.002);
  const scale = Math.min((width - 2 * margin) / wide, (height - 2 * margin) / high);
  const [middleLon, middleLat] = [(west + east) / 2, (south + north) / 2];
  return ([lon, lat]) => [
    width / 2 + (lon - middleLon) * shrink * scale,
    height / 2 - (lat - middleLat) * scale,
  ];
}

function trace(pen: CanvasRenderingContext2D, to: Project, points: LonLat[]): void {
  pen.beginPath();
  points.forEach((point, i) => {
    const [x, y] = to(point);
    if (i === 0) pen.moveTo(x, y);
    else pen.lineTo(x, y);
  });
}

function outline(pen: CanvasRenderingContext2D, to: Project, feature: GeoJSON.Feature, colour: string): void {
  if (feature.geometry.type === "Polygon") trace(pen, to, feature.geometry.coordinates[0] as LonLat[]);
  else if (feature.geometry.type === "LineString") trace(pen, to, feature.geometry.coordinates as LonLat[]);
  else return;
  pen.strokeStyle = colour;
  pen.stroke();
}

const levelColour = (feature: GeoJSON.Feature): string =>
  LEVEL_COLOUR[feature.properties?.["level"] as Level] ?? COLOUR.ink;

const droneColour = (feature: GeoJSON.Feature): string =>
  ["lost", "doubt"].includes(String(feature.properties?.["status"])) ? COLOUR.trouble : COLOUR.drone;

/** Draws everything anew; cheap enough at a few times a second. */
export function sketch(canvas: HTMLCanvasElement, content: SketchContent): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = COLOUR.land;
  pen.fillRect(0, 0, width, height);
  pen.font = '15px "Be Vietnam Pro", sans-serif';
  pen.textBaseline = "middle";
  const to = projection(content.focus, width, height);

  pen.setLineDash([4, 4]);
  pen.lineWidth = 1;
  for (const zone of content.site.zones.features) outline(pen, to, zone, COLOUR.faint);
  pen.setLineDash([]);
  for (const view of content.views.features) {
    outline(pen, to, view, view.properties?.["status"] === "online" ? COLOUR.accent : COLOUR.trouble);
  }
  for (const view of content.vehicles.views.features) outline(pen, to, view, droneColour(view));
  pen.lineWidth = 2.5;
  for (const segment of content.site.line.features) outline(pen, to, segment, COLOUR.line);
  const places = content.site.markers.features.map((row) => (row.geometry as GeoJSON.Point).coordinates as LonLat);
  const onScreen = (point: LonLat) => {
    const [x, y] = to(point);
    return { x, y };
  };
  const names = sideNames(wholeLine(content.site.line), content.site.ourSide, {
    width, height, project: onScreen, taken: places.map(onScreen),
  });
  pen.textAlign = "center";
  for (const name of names) {
    pen.save();
    pen.translate(name.x, name.y);
    pen.rotate((name.turn_deg * Math.PI) / 180);
    pen.fillStyle = name.ours ? COLOUR.accent : COLOUR.faint;
    pen.fillText(name.ours ? content.sideWords.ourSide : content.sideWords.otherSide, 0, 0);
    pen.restore();
  }
  pen.textAlign = "left";
  for (const marker of content.site.markers.features) {
    const [x, y] = to((marker.geometry as GeoJSON.Point).coordinates as LonLat);
    pen.fillStyle = COLOUR.line;
    pen.fillRect(x - 4, y - 10, 8, 12);
    pen.fillText(String(marker.properties?.["number"] ?? ""), x + 9, y - 5);
  }
  pen.lineWidth = 1.5;
  for (const row of [
    ...content.targets.ellipses.features,
    ...content.targets.tails.features,
    ...content.targets.arrows.features,
    ...content.alerts.ellipse.features,
    ...content.alerts.leader.features,
  ]) {
    outline(pen, to, row, levelColour(row));
  }
  for (const target of content.targets.points.features) {
    const [x, y] = to((target.geometry as GeoJSON.Point).coordinates as LonLat);
    pen.beginPath();
    pen.arc(x, y, 6, 0, 2 * Math.PI);
    pen.fillStyle = levelColour(target);
    pen.fill();
    pen.fillText(String(target.properties?.["count"] ?? ""), x + 10, y);
  }
  for (const drone of content.vehicles.drones.features) {
    const [x, y] = to((drone.geometry as GeoJSON.Point).coordinates as LonLat);
    pen.save();
    pen.translate(x, y);
    pen.rotate((Number(drone.properties?.["heading_deg"] ?? 0) * Math.PI) / 180);
    pen.fillStyle = droneColour(drone);
    pen.fill(new Path2D("M0 -9 6 7 0 3.5 -6 7Z"));
    pen.restore();
  }
  for (const alert of content.alerts.points.features) {
    const [x, y] = to((alert.geometry as GeoJSON.Point).coordinates as LonLat);
    const level = /alert-(\w+?)(-taken)?$/.exec(String(alert.properties?.["icon"]))?.[1] as Level;
    pen.save();
    pen.translate(x - 12, y - 12);
    const shape = new Path2D(LEVEL_PATH[level]);
    pen.fillStyle = COLOUR.halo;
    pen.fill(shape);
    pen.lineWidth = 3;
    pen.strokeStyle = LEVEL_COLOUR[level];
    pen.stroke(shape);
    pen.restore();
  }
}
