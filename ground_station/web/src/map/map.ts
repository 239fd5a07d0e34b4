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
import { sideNames } from "./sides";
import { type LiveSource, style } from "./style";

setWorkerUrl(workerUrl);
addProtocol("pmtiles", new Protocol().tile);

export interface MapListener {
  alert(alert_id: string): void;
  /** What lies under the pointer, or null; in pixels of the map. */
  hover(hit: { layer: string; properties: Record<string, unknown>; x_px: number; y_px: number } | null): void;
  /** The base map cannot be read; everything else is drawn all the same. */
  trouble(): void;
}

const TOUCH_PX = 14;
const HOVER_LAYERS = ["alerts", "targets", "drones", "cameras", "markers", "zones", "line", "line-open"];

/** The drawn site with its live layers. */
export class SiteMap {
  readonly #map: GlMap;
  #course: LonLat[] = [];
  /** Markers and cameras: nothing else is written over them. */
  #taken: Record<"markers" | "cameras", LonLat[]> = { markers: [], cameras: [] };
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
    map.on("error", () => listener.trouble());
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
    if (source !== "markers" && source !== "cameras") return;
    this.#taken[source] = data.features.map((row) => (row.geometry as GeoJSON.Point).coordinates as LonLat);
    this.#nameSides();
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

  /** Writes whose side is whose beside the part of the line that is in the picture. */
  #nameSides(): void {
    const { width, height } = this.#map.getCanvas().getBoundingClientRect();
    const names = sideNames(this.#course, this.#ourSide, {
      width,
      height,
      project: (point) => this.#map.project(point),
      taken: Object.values(this.#taken).flat().map((point) => this.#map.project(point)),
    });
    this.set("side-names", {
      type: "FeatureCollection",
      features: names.map(({ ours, x, y, turn_deg }) => {
        const at = this.#map.unproject([x, y]);
        return {
          type: "Feature",
          properties: { ours, turn_deg, label: ours ? this.#sideWords.ourSide : this.#sideWords.otherSide },
          geometry: { type: "Point", coordinates: [at.lng, at.lat] },
        };
      }),
    });
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
