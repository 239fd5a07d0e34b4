/** How the map is drawn: dark neutral ground, our line bright, everything else as quiet as can be. */
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import { COLOUR, FONT, LEVEL_COLOUR, ZONE_COLOUR } from "./palette";

type Expression = ["get", string] | unknown[];

const byLevel = (fallback: string): Expression => [
  "match", ["get", "level"],
  "warning", LEVEL_COLOUR.warning,
  "caution", LEVEL_COLOUR.caution,
  "information", LEVEL_COLOUR.information,
  fallback,
];
const byRole: Expression = [
  "match", ["get", "role"], ...Object.entries(ZONE_COLOUR).flat(), COLOUR.faint,
];
const byStatus: Expression = [
  "match", ["get", "status"],
  "online", COLOUR.accent,
  "starting", COLOUR.faint,
  COLOUR.trouble,
];

const byDrone: Expression = [
  "match", ["get", "status"],
  ["lost", "doubt"], COLOUR.trouble,
  COLOUR.drone,
];

/** Sources that the page fills; each starts empty. */
export const LIVE_SOURCES = [
  "zones", "zone-names", "line", "course", "side-names", "markers", "places", "camera-views", "cameras",
  "drone-views", "drones",
  "tails", "ellipses", "arrows", "targets", "alert-ellipse", "alert-leader", "alerts",
] as const;
export type LiveSource = (typeof LIVE_SOURCES)[number];

/** Width in pixels of a width in metres, at any zoom (Web Mercator, 512 px tiles). */
function metresWide(width_m: unknown, lat_deg: number): Expression {
  const metresPerPixelAt0 = (40_075_016.7 / 512) * Math.cos((lat_deg * Math.PI) / 180);
  const at = (zoom: number): Expression => ["*", width_m, 2 ** zoom / metresPerPixelAt0];
  return ["interpolate", ["exponential", 2], ["zoom"], 6, at(6), 22, at(22)];
}

const label = { "text-font": [FONT], "text-letter-spacing": 0.01 } as const;
const halo = { "text-halo-color": COLOUR.halo, "text-halo-width": 1.6 } as const;

/** Base map layers, by the names that such tiles use; one that the file lacks draws nothing. */
function baseLayers(): unknown[] {
  const fill = (id: string, colour: string) => ({
    id: `base-${id}`, type: "fill", source: "base", "source-layer": id, paint: { "fill-color": colour },
  });
  return [
    fill("land", COLOUR.land),
    fill("earth", COLOUR.land),
    fill("sea", COLOUR.water),
    fill("water", COLOUR.water),
    {
      id: "base-shore", type: "line", source: "base", "source-layer": "water",
      paint: { "line-color": "#2a343b", "line-width": 0.8 },
    },
    {
      id: "base-roads", type: "line", source: "base", "source-layer": "roads",
      paint: { "line-color": "#333a3f", "line-width": 1.2 },
    },
    {
      // Context for the wide view only: close by, a second line beside the site's own would confuse.
      id: "base-border", type: "line", source: "base", "source-layer": "border", maxzoom: 11,
      paint: { "line-color": "#4b555b", "line-width": 1.2, "line-dasharray": [4, 3] },
    },
  ];
}

function ownLayers(lat_deg: number, ourSide: "left" | "right"): unknown[] {
  // A line's right hand is +y on the screen of the line; a positive offset goes to the right.
  const inwards = ourSide === "right" ? 1 : -1;
  return [
    { id: "zones", type: "fill", source: "zones", paint: { "fill-color": byRole, "fill-opacity": 0.09 } },
    {
      id: "zones-edge", type: "line", source: "zones",
      paint: { "line-color": byRole, "line-width": 1.4, "line-opacity": 0.75, "line-dasharray": [3, 2] },
    },
    {
      id: "camera-views", type: "fill", source: "camera-views",
      paint: { "fill-color": byStatus, "fill-opacity": ["match", ["get", "status"], "online", 0.13, 0.07] },
    },
    {
      id: "camera-views-edge", type: "line", source: "camera-views",
      filter: ["==", ["get", "status"], "online"],
      paint: { "line-color": byStatus, "line-width": 1, "line-opacity": 0.55 },
    },
    {
      id: "camera-views-edge-off", type: "line", source: "camera-views",
      filter: ["!=", ["get", "status"], "online"],
      paint: { "line-color": byStatus, "line-width": 1.4, "line-opacity": 0.8, "line-dasharray": [2, 3] },
    },
    {
      id: "drone-views", type: "fill", source: "drone-views",
      paint: { "fill-color": byDrone, "fill-opacity": 0.16 },
    },
    {
      id: "drone-views-edge", type: "line", source: "drone-views",
      paint: { "line-color": byDrone, "line-width": 1.4, "line-opacity": 0.8 },
    },
    {
      // The doubt of the line itself, two sigma to each side, in metres on the ground.
      id: "line-doubt", type: "line", source: "line",
      layout: { "line-cap": "butt" },
      paint: {
        "line-color": COLOUR.line, "line-opacity": 0.1,
        "line-width": metresWide(["*", 4, ["get", "sigma_m"]], lat_deg),
      },
    },
    {
      // A soft shade on our side of the line: the hint that needs no words.
      id: "line-ours", type: "line", source: "course",
      layout: { "line-join": "round" },
      paint: {
        "line-color": COLOUR.accent, "line-opacity": 0.22, "line-width": 12, "line-offset": 7 * inwards,
        "line-blur": 5,
      },
    },
    {
      id: "line", type: "line", source: "line",
      filter: ["get", "demarcated"],
      layout: { "line-cap": "round" },
      paint: { "line-color": COLOUR.line, "line-width": 2.4 },
    },
    {
      id: "line-open", type: "line", source: "line",
      filter: ["!", ["get", "demarcated"]],
      paint: { "line-color": COLOUR.line, "line-width": 2.4, "line-dasharray": [2, 1.6] },
    },
    {
      id: "line-teeth", type: "symbol", source: "course",
      layout: {
        "symbol-placement": "line", "symbol-spacing": 90, "icon-image": "tooth",
        "icon-rotation-alignment": "map", "icon-keep-upright": false,
        "icon-rotate": inwards === 1 ? 0 : 180, "icon-offset": [0, 9],
        "icon-allow-overlap": true, "icon-ignore-placement": true,
      },
    },
    {
      id: "places", type: "symbol", source: "places",
      layout: { ...label, "text-field": ["get", "label"], "text-size": 15 },
      paint: { ...halo, "text-color": "#b9c2c8" },
    },
    {
      id: "zones-name", type: "symbol", source: "zone-names", minzoom: 15.5,
      layout: { ...label, "text-field": ["get", "label"], "text-size": 14, "text-max-width": 9 },
      paint: { ...halo, "text-color": byRole },
    },
    {
      id: "side-names", type: "symbol", source: "side-names",
      layout: {
        ...label, "text-field": ["get", "label"], "text-size": 14, "text-letter-spacing": 0.14,
        "text-rotate": ["get", "turn_deg"], "text-rotation-alignment": "map",
        "text-allow-overlap": true, "text-ignore-placement": true,
      },
      paint: { ...halo, "text-color": ["case", ["get", "ours"], COLOUR.accent, COLOUR.faint] },
    },
    {
      id: "markers", type: "symbol", source: "markers",
      layout: {
        ...label, "icon-image": ["match", ["get", "status"], ["built", "damaged"], "post", "post-sample"],
        "icon-anchor": "bottom", "icon-allow-overlap": true,
        "text-field": ["get", "number"], "text-size": 15, "text-anchor": "left", "text-offset": [0.7, -0.8],
        "text-optional": true, "text-allow-overlap": false,
      },
      paint: { ...halo, "text-color": COLOUR.line },
    },
    {
      id: "cameras", type: "symbol", source: "cameras",
      layout: {
        "icon-image": ["concat", "camera-", ["get", "status"]], "icon-rotate": ["get", "azimuth_deg"],
        "icon-rotation-alignment": "map", "icon-allow-overlap": true, "icon-ignore-placement": true,
        // Two cameras on one mast: the broken one lies on top.
        "symbol-sort-key": ["match", ["get", "status"], "online", 0, 1],
      },
    },
    {
      id: "drones", type: "symbol", source: "drones",
      layout: {
        "icon-image": ["get", "icon"], "icon-rotate": ["get", "heading_deg"],
        "icon-rotation-alignment": "map", "icon-allow-overlap": true, "icon-ignore-placement": true,
      },
    },
    {
      id: "ellipses", type: "fill", source: "ellipses",
      paint: { "fill-color": byLevel(COLOUR.ink), "fill-opacity": 0.1 },
    },
    {
      id: "ellipses-edge", type: "line", source: "ellipses",
      paint: { "line-color": byLevel(COLOUR.ink), "line-width": 1.2, "line-opacity": 0.7 },
    },
    {
      id: "tails", type: "line", source: "tails",
      layout: { "line-cap": "round" },
      paint: {
        "line-color": byLevel(COLOUR.ink), "line-width": 2.4,
        "line-opacity": ["interpolate", ["linear"], ["get", "fresh"], 0, 0.12, 1, 0.85],
      },
    },
    {
      id: "arrows", type: "line", source: "arrows",
      paint: { "line-color": byLevel(COLOUR.ink), "line-width": 2, "line-dasharray": [1.5, 1.5] },
    },
    {
      id: "alert-leader", type: "line", source: "alert-leader",
      paint: { "line-color": COLOUR.line, "line-width": 1.6, "line-dasharray": [1, 2] },
    },
    {
      id: "alert-ellipse", type: "line", source: "alert-ellipse",
      paint: { "line-color": byLevel(COLOUR.ink), "line-width": 1.8 },
    },
    {
      id: "targets", type: "symbol", source: "targets",
      layout: {
        ...label, "icon-image": ["get", "icon"], "icon-allow-overlap": true, "icon-ignore-placement": true,
        "text-field": ["get", "count"], "text-size": 14, "text-anchor": "left", "text-offset": [1, 0],
        "text-allow-overlap": true,
      },
      paint: { ...halo, "text-color": COLOUR.ink },
    },
    {
      id: "alerts-ring", type: "circle", source: "alerts",
      filter: ["get", "chosen"],
      paint: {
        "circle-radius": 23, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": COLOUR.ink,
        "circle-stroke-width": 2,
      },
    },
    {
      id: "alerts", type: "symbol", source: "alerts",
      layout: {
        "icon-image": ["get", "icon"], "icon-allow-overlap": true, "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "order"],
      },
    },
    {
      id: "alert-leader-name", type: "symbol", source: "alert-leader",
      layout: {
        ...label, "symbol-placement": "line-center", "text-field": ["get", "label"], "text-size": 14,
        "text-allow-overlap": true, "text-ignore-placement": true, "text-offset": [0, -0.8],
      },
      paint: { ...halo, "text-color": COLOUR.line },
    },
  ];
}

/** The whole style of a site; `basemap` is the absolute address of a .pmtiles file, or null. */
export function style(basemap: string | null, lat_deg: number, ourSide: "left" | "right"): StyleSpecification {
  const sources: StyleSpecification["sources"] = {};
  for (const name of LIVE_SOURCES) {
    sources[name] = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  }
  if (basemap !== null) sources["base"] = { type: "vector", url: `pmtiles://${basemap}` };
  return {
    version: 8,
    sources,
    layers: [
      { id: "ground", type: "background", paint: { "background-color": COLOUR.ground } },
      ...(basemap === null ? [] : (baseLayers() as LayerSpecification[])),
      ...(ownLayers(lat_deg, ourSide) as LayerSpecification[]),
    ],
  };
}
