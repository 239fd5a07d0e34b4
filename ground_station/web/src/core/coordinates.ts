import { forward as mgrsForward } from "mgrs";
import proj4 from "proj4";

/*
 * VN-2000, pinned to EPSG's "VN-2000 to WGS 84 (2)", the national seven parameters, so that results do
 * not depend on a library's choice between two transformations that differ by 0.8 m here.
 * EPSG gives the rotations for the coordinate frame convention; proj4's +towgs84 wants the position
 * vector convention, so their signs are turned.
 */
const TO_WGS84 =
  "-191.90441429,-39.30318279,-111.45032835,0.00928836,-0.01975479,0.00427372,0.252906278";

function transverseMercator(centralMeridianDeg: number, scale: number): string {
  return (
    `+proj=tmerc +lat_0=0 +lon_0=${centralMeridianDeg} +k=${scale} +x_0=500000 +y_0=0 ` +
    `+ellps=WGS84 +towgs84=${TO_WGS84} +units=m +no_defs`
  );
}

/** The plane systems in use along this border; the names are those on the sheets. */
export const VN2000_SYSTEMS = {
  "TM-3 104°30'": transverseMercator(104.5, 0.9999),
  "TM-3 104°45'": transverseMercator(104.75, 0.9999),
  "UTM 48N": transverseMercator(105, 0.9996),
} as const;

export type Vn2000System = keyof typeof VN2000_SYSTEMS;

/** A VN-2000 plane coordinate. In Vietnamese survey papers X is north and Y is east. */
export interface Vn2000 {
  north_m: number;
  east_m: number;
}

/** WGS84 degrees to a VN-2000 plane coordinate. */
export function toVn2000(lon_deg: number, lat_deg: number, system: Vn2000System): Vn2000 {
  const [east_m, north_m] = proj4("EPSG:4326", VN2000_SYSTEMS[system], [lon_deg, lat_deg]) as [
    number,
    number,
  ];
  return { north_m, east_m };
}

/** WGS84 degrees to MGRS at one metre, in the usual groups. */
export function toMgrs(lon_deg: number, lat_deg: number): string {
  const text = mgrsForward([lon_deg, lat_deg], 5);
  const parts = /^(\d{1,2}[A-Z])([A-Z]{2})(\d{5})(\d{5})$/.exec(text);
  return parts ? parts.slice(1).join(" ") : text;
}

/** WGS84 as people copy it: latitude first, decimal point, six places (0.1 m). */
export function toDegrees(lon_deg: number, lat_deg: number): string {
  const ns = lat_deg < 0 ? "S" : "N";
  const ew = lon_deg < 0 ? "W" : "E";
  return `${Math.abs(lat_deg).toFixed(6)}° ${ns}, ${Math.abs(lon_deg).toFixed(6)}° ${ew}`;
}
