/** The WebGL map. Loaded after the login, since the library is the largest part of the page. */
import { addProtocol, type GeoJSONSource, Map as GlMap, type MapMouseEvent, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";
import { Protocol } from "pmtiles";
import type { SiteView } from "../api-types";
import { bounds, delta, type LonLat } from "../core/geometry";
import type { Words } from "../core/words";
import { siteFeatures, wholeLine } from "./features";
import { ICON_RATIO, icons } from "./icons";
import { FONT } from "./palette";
import { type LiveSource, style } from "./style";

setWorkerUrl(workerUrl);
addProtocol("pmtiles", new Protocol().tile);

export interface MapListener {
  alert(alert_id: string): void;
  /** What lies under the pointer, or null; in pixels of the map. */
  hover(hit: { layer: string; properties: Record<string, unknown>; x_px: number; y_px: number } | null): void;
}

const TOUCH_PX = 14;
const HOVER_LAYERS = ["alerts", "targets", "cameras", "markers", "zones", "line", "line-open"];

/** The drawn site with its live layers. */
export class SiteMap {
  readonly #map: GlMap;
  #course: LonLat[] = [];
  #ourSide: "left" | "right" = "left";
  #sideWords: Pick<Words, "ourSide" | "otherSide"> = { ourSide: "", otherSide: "" };

  private constructor(map: GlMap) {
    this.#map = map;
  }

  /** Draws a site; resolves when its style stands. Throws when the browser has no WebGL. */
  static async open(container: HTMLElement, site: SiteView, listener: MapListener): Promise<SiteMap> {
    await Promise.all([document.fonts.load(`16px "${FONT}"`, "Hà Tiên"), document.fonts.load(`600 16px "${FONT}"`, "mốc")]);
    const { ourSide } = siteFeatures(site, "vi");
    const basemap = site.basemap_url === null ? null : new URL(site.basemap_url, location.href).href;
    const map = new GlMap({
      container,
      style: style(basemap, site.centre_lonlat[1], ourSide),
      center: site.centre_lonlat,
      zoom: 12,
      maxZoom: 20,
      attributionControl: false,
      pitchWithRotate: false,
      dragRotate: false,
      fadeDuration: 0,
    });
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    for (const [name, image] of icons()) map.addImage(name, image, { pixelRatio: ICON_RATIO });
    await new Promise<void>((done) => {
      if (map.isStyleLoaded()) done();
      else map.once("style.load", () => done());
    });
    const drawn = new SiteMap(map);
    drawn.#ourSide = ourSide;
    drawn.#listen(listener);
    return drawn;
  }

  #listen(listener: MapListener): void {
    const map = this.#map;
    const near = (event: MapMouseEvent, layers: string[], by_px: number) =>
      map.queryRenderedFeatures(
        [
          [event.point.x - by_px, event.point.y - by_px],
          [event.point.x + by_px, event.point.y + by_px],
        ],
        { layers },
      );
    map.on("click", (event) => {
      const hit = near(event, ["alerts", "targets"], TOUCH_PX).find((row) => row.properties["alert_id"]);
      if (hit) listener.alert(String(hit.properties["alert_id"]));
    });
    map.on("mousemove", (event) => {
      const hit = near(event, HOVER_LAYERS, 4)[0];
      map.getCanvas().style.cursor = hit?.properties["alert_id"] ? "pointer" : "";
      listener.hover(
        hit
          ? { layer: hit.layer.id, properties: hit.properties, x_px: event.point.x, y_px: event.point.y }
          : null,
      );
    });
    map.on("mouseout", () => listener.hover(null));
    map.on("movestart", () => listener.hover(null));
    map.on("moveend", () => this.#nameSides());
  }

  set(source: LiveSource, data: GeoJSON.FeatureCollection): void {
    void this.#map.getSource<GeoJSONSource>(source)?.setData(data);
  }

  setSite(site: SiteView, words: Words, language: "vi" | "en"): void {
    const { line, zones, zoneNames, markers, places } = siteFeatures(site, language);
    this.#course = wholeLine(line);
    this.#sideWords = words;
    this.set("line", line);
    this.set("zones", zones);
    this.set("zone-names", zoneNames);
    this.set("markers", markers);
    this.set("places", places);
    this.set("course", {
      type: "FeatureCollection",
      features: [
        { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: this.#course } },
      ],
    });
    this.#nameSides();
  }

  /** Writes whose side is whose along the longest visible piece of the line. */
  #nameSides(): void {
    const view = this.#map.getBounds();
    const size = this.#map.getCanvas().getBoundingClientRect();
    const onScreen = (p: LonLat): boolean => view.contains(p);
    let best: { a: LonLat; b: LonLat; away: number } | null = null;
    for (let i = 0; i + 1 < this.#course.length; i += 1) {
      const [from, to] = [this.#course[i]!, this.#course[i + 1]!];
      // Long pieces are walked in tenths, so that one that only passes through the picture counts.
      for (let k = 0; k < 10; k += 1) {
        const at = (t: number): LonLat => [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t];
        const middle = at((k + 0.5) / 10);
        if (!onScreen(middle)) continue;
        const p = this.#map.project(middle);
        // A little right of the middle reads best: the tools are at the left and bottom.
        const away = Math.hypot(p.x - size.width * 0.6, p.y - size.height / 2);
        if (!best || away < best.away) best = { a: at(k / 10), b: at((k + 1) / 10), away };
      }
    }
    const features: GeoJSON.Feature[] = [];
    if (best) {
      const a = this.#map.project(best.a);
      const b = this.#map.project(best.b);
      const long = Math.hypot(b.x - a.x, b.y - a.y) || 1;
      // Screen y grows downwards: the right hand of a line is (-dy, dx).
      const right = { x: -(b.y - a.y) / long, y: (b.x - a.x) / long };
      let turn_deg = (Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI;
      if (turn_deg > 90) turn_deg -= 180;
      if (turn_deg < -90) turn_deg += 180;
      for (const ours of [true, false]) {
        const way = (this.#ourSide === "right") === ours ? 32 : -32;
        const at = this.#map.unproject([(a.x + b.x) / 2 + right.x * way, (a.y + b.y) / 2 + right.y * way]);
        features.push({
          type: "Feature",
          properties: { ours, turn_deg, label: ours ? this.#sideWords.ourSide : this.#sideWords.otherSide },
          geometry: { type: "Point", coordinates: [at.lng, at.lat] },
        });
      }
    }
    this.set("side-names", { type: "FeatureCollection", features });
  }

  fit(points: LonLat[], animate: boolean): void {
    const box = bounds(points);
    if (!box) return;
    this.#map.fitBounds(box, { padding: 70, maxZoom: 18, animate, duration: 500 });
  }

  /** Brings a place into the picture; stays still when it is well inside already. */
  show(place: LonLat): void {
    const p = this.#map.project(place);
    const { width, height } = this.#map.getCanvas().getBoundingClientRect();
    const inside = p.x > width * 0.12 && p.x < width * 0.88 && p.y > height * 0.12 && p.y < height * 0.88;
    const centre = this.#map.getCenter();
    const away = delta([centre.lng, centre.lat], place);
    if (inside && this.#map.getZoom() >= 14) return;
    const far = Math.hypot(away.east_m, away.north_m) > 3000;
    const to = { center: place, zoom: Math.max(this.#map.getZoom(), 16.5) };
    if (far) this.#map.jumpTo(to);
    else this.#map.easeTo({ ...to, duration: 400 });
  }

  zoom(by: 1 | -1): void {
    if (by === 1) this.#map.zoomIn();
    else this.#map.zoomOut();
  }

  focus(): void {
    this.#map.getCanvas().focus();
  }

  hasFocus(): boolean {
    return document.activeElement === this.#map.getCanvas();
  }

  close(): void {
    this.#map.remove();
  }
}
