import type { Ellipse } from "../api-types";

export type LonLat = [number, number];

const EARTH_M_PER_DEG = 111_319.49;

/**
 * Moves a point by metres on the ground.
 *
 * A local plane is enough for drawing: over 1 km the error stays below a pixel.
 */
export function offset(lon_deg: number, lat_deg: number, east_m: number, north_m: number): LonLat {
  const shrink = Math.cos((lat_deg * Math.PI) / 180);
  return [lon_deg + east_m / (EARTH_M_PER_DEG * shrink), lat_deg + north_m / EARTH_M_PER_DEG];
}

/** Metres east and north from one point to another, on the local plane of the first. */
export function delta(from: LonLat, to: LonLat): { east_m: number; north_m: number } {
  const shrink = Math.cos((from[1] * Math.PI) / 180);
  return {
    east_m: (to[0] - from[0]) * EARTH_M_PER_DEG * shrink,
    north_m: (to[1] - from[1]) * EARTH_M_PER_DEG,
  };
}

/** A closed ring around the 90 % error ellipse; azimuth is true, clockwise. */
export function ellipseRing(
  lon_deg: number,
  lat_deg: number,
  ellipse: Ellipse,
  corners = 32,
): LonLat[] {
  const azimuth = (ellipse.azimuth_deg * Math.PI) / 180;
  const ring: LonLat[] = [];
  for (let i = 0; i <= corners; i += 1) {
    const t = (2 * Math.PI * (i % corners)) / corners;
    const along = ellipse.semi_major_m * Math.cos(t);
    const across = ellipse.semi_minor_m * Math.sin(t);
    ring.push(
      offset(
        lon_deg,
        lat_deg,
        along * Math.sin(azimuth) + across * Math.cos(azimuth),
        along * Math.cos(azimuth) - across * Math.sin(azimuth),
      ),
    );
  }
  return ring;
}

/** Where a target will be if it walks on: the tip of its motion arrow. */
export function ahead(
  lon_deg: number,
  lat_deg: number,
  speed_m_s: number,
  course_deg: number,
  seconds: number,
): LonLat {
  const course = (course_deg * Math.PI) / 180;
  const way_m = speed_m_s * seconds;
  return offset(lon_deg, lat_deg, way_m * Math.sin(course), way_m * Math.cos(course));
}

/** West, south, east, north of some points, or null without any. */
export function bounds(points: Iterable<LonLat>): [number, number, number, number] | null {
  let box: [number, number, number, number] | null = null;
  for (const [lon, lat] of points) {
    box = box
      ? [Math.min(box[0], lon), Math.min(box[1], lat), Math.max(box[2], lon), Math.max(box[3], lat)]
      : [lon, lat, lon, lat];
  }
  return box;
}
