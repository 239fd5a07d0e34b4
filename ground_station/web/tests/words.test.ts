import { describe, expect, it } from "vitest";
import type { NodeView, SensorView, SiteView, StationView, VehicleView } from "../src/api-types";
import { age, countdown, eventTime, faults, metres, parts, pulse, vehicleFaults } from "../src/core/format";
import { mark, spread } from "../src/core/timeline";
import { WORDS } from "../src/core/words";
import { linkToken } from "../src/app/session";
import { delta, offset } from "../src/core/geometry";
import { homePoints, vehicleFeatures, vehicleStatus } from "../src/map/features";
import { sideNames } from "../src/map/sides";
import { projection } from "../src/map/sketch";
import { alert } from "./samples";

const ZONE = "Asia/Ho_Chi_Minh";

const sensor = (fields: Partial<SensorView> = {}): SensorView => ({
  sensor_id: "c", name: "Mốc 314 A", spectrum: "day", status: "online", fps: 7, lon_deg: null, lat_deg: null,
  azimuth_deg: null, horizontal_fov_deg: null, field_of_view_lonlat: [], network: "", ...fields,
});
const node = (fields: Partial<NodeView> = {}): NodeView => ({
  node_id: "n", name: "Chốt 1", state: "online", reason: "", simulated: false, last_word_age_s: 2, outbox_depth: 0,
  outbox_oldest_age_s: null, clock_source: "", clock_error_s: null, temperature_c: null, lost_key: 0,
  zones_in_force: true, fix: null, sensors: [sensor()], ...fields,
});

const drone = (fields: Partial<VehicleView> = {}): VehicleView => ({
  node_id: "n", vehicle_id: "1", simulated: true, silent: false, age_s: 0.4, lon_deg: 104.44, lat_deg: 10.42,
  position_is_old: false, alt_above_takeoff_m: 58.2, alt_hae_m: 46, heading_deg: 90, speed_m_s: 4.8,
  footprint_lonlat: [[104.44, 10.42], [104.441, 10.42], [104.441, 10.421]], battery_fraction: 0.81,
  battery_remaining_s: null, mode: "AUTO", armed: true, in_air: true, pilot_in_control: false, fix_status: "fix_3d",
  horizontal_sigma_m: 0.6, satellites: 14, ...fields,
});

describe("a drone on the map", () => {
  it("has a footprint while it is believed and none once it is lost", () => {
    const flying = vehicleFeatures([drone()]);
    expect(flying.drones.features.map((row) => row.properties?.["icon"])).toEqual(["drone-flying"]);
    expect((flying.views.features[0]?.geometry as GeoJSON.Polygon).coordinates[0]).toHaveLength(4);
    const silent = vehicleFeatures([drone({ silent: true })]);
    expect(silent.views.features).toEqual([]);
    expect(silent.drones.features[0]?.properties?.["status"]).toBe("lost");
  });
  it("stands nowhere before it told a place", () => {
    expect(vehicleFeatures([drone({ lon_deg: null, lat_deg: null })]).drones.features).toEqual([]);
  });
  it("is in doubt when its fix is jammed, and lost when only an old place is known", () => {
    expect(vehicleStatus(drone({ fix_status: "jammed" }))).toBe("doubt");
    expect(vehicleStatus(drone({ position_is_old: true }))).toBe("lost");
    expect(vehicleStatus(drone({ in_air: false }))).toBe("ground");
  });
  it("is a fault when it falls silent in the air or its place is not to be believed, and none at home", () => {
    const told = (one: VehicleView) => vehicleFaults([one], WORDS.vi, "vi").map((row) => row.text);
    expect(told(drone({ silent: true, age_s: 75 }))).toEqual(["UAV 1: mất liên lạc, tin cuối 1 phút trước"]);
    expect(told(drone({ fix_status: "jumped" }))).toEqual(["UAV 1: định vị nhảy, không tin cậy"]);
    expect(told(drone({ silent: true, in_air: false, armed: false }))).toEqual([]);
    expect(told(drone())).toEqual([]);
  });
  it("says its fix in words", () => {
    expect(WORDS.en.fix("fix_3d", 0.64, 12)).toBe("3D fix, ±0.6 m, 12 satellites");
    expect(WORDS.vi.fix("jammed", 0.64, null)).toBe("định vị bị gây nhiễu");
  });
});

describe("the first view", () => {
  it("holds a drone beside the masts, and lets one far away be", () => {
    const site = { features: {}, centre_lonlat: [104.44, 10.42] } as unknown as SiteView;
    const mast = node({ sensors: [sensor({ lon_deg: 104.44, lat_deg: 10.42 })] });
    const near = drone({ lon_deg: 104.4415, lat_deg: 10.4205 });
    expect(homePoints(site, [mast], [near])).toEqual([[104.44, 10.42], [104.4415, 10.4205]]);
    expect(homePoints(site, [mast], [drone({ lon_deg: 104.47, lat_deg: 10.42 })])).toEqual([[104.44, 10.42]]);
    expect(homePoints(site, [], [near])).toEqual([[104.4415, 10.4205]]);
  });
});

describe("a receiver that is not to be believed", () => {
  it("is a fault of its node; one that only starts is not", () => {
    const fix = { status: "jammed" as const, lon_deg: null, lat_deg: null, horizontal_sigma_m: null, satellites: 3 };
    expect(faults([node({ fix })], WORDS.en, "en").map((row) => row.text)).toEqual(["Chốt 1: position jammed"]);
    expect(faults([node({ fix: { ...fix, status: "none" } })], WORDS.en, "en")).toEqual([]);
  });
});

describe("words", () => {
  it("leave nothing untranslated between the two languages", () => {
    const paths = (value: unknown, at: string): string[] =>
      value !== null && typeof value === "object"
        ? Object.entries(value).flatMap(([key, inner]) => paths(inner, `${at}.${key}`))
        : [at];
    expect(paths(WORDS.en, "")).toEqual(paths(WORDS.vi, ""));
  });
  it("keep to short labels on Vietnamese buttons", () => {
    const { acknowledge, dispatch, localPeople, close, reopen, undo } = WORDS.vi;
    for (const label of [acknowledge, dispatch, localPeople, close, reopen, undo]) {
      expect(label.length).toBeLessThanOrEqual(14);
    }
  });
});

describe("the station's sentence", () => {
  const sentence_vi =
    "KHẨN CẤP · Nhóm 4 người · Cách mốc 309 khoảng 180 m về hướng Đông, gần đường biên (sai số 25 m), hướng vào phía ta · 02:40:12 (trễ) · Chưa tiếp nhận";
  it("is split into heading and place", () => {
    expect(parts(alert({ sentence_vi }), WORDS.vi, "vi")).toEqual({
      what: "Nhóm 4 người",
      where: "Cách mốc 309 khoảng 180 m về hướng Đông, gần đường biên (sai số 25 m), hướng vào phía ta",
    });
  });
  it("keeps a reason for a lowered rank", () => {
    const lowered = sentence_vi.replace(" · 02:", " · hạ mức: trong cửa khẩu · 02:");
    expect(parts(alert({ sentence_vi: lowered }), WORDS.vi, "vi").where).toContain("hạ mức: trong cửa khẩu");
  });
  it("is shown whole when it has another form", () => {
    expect(parts(alert({ sentence_en: "A boat. Somewhere.", object_class: "Boat", count: 2 }), WORDS.en, "en")).toEqual({
      what: "2 × Boat",
      where: "A boat. Somewhere.",
    });
  });
});

describe("what is broken", () => {
  it("is nothing when all is well", () => {
    expect(faults([node()], WORDS.vi, "vi")).toEqual([]);
  });
  it("names a silent node once and not each of its cameras", () => {
    const rows = faults(
      [node({ state: "silent", last_word_age_s: 95, sensors: [sensor({ status: "offline" })] })],
      WORDS.en,
      "en",
    );
    expect(rows.map((row) => row.text)).toEqual(["Node Chốt 1: silent, last word 1 min ago"]);
  });
  it("names lost messages, old zones and a frozen picture", () => {
    const rows = faults(
      [node({ lost_key: 2, zones_in_force: false, sensors: [sensor({ status: "frozen" })] })],
      WORDS.en,
      "en",
    );
    expect(rows.map((row) => row.text)).toEqual([
      "Chốt 1: 2 key messages lost",
      "Chốt 1: line and zones not up to date",
      "Camera Mốc 314 A: picture frozen",
    ]);
  });
});

describe("what makes a node's word doubtful", () => {
  it("is an untrusted clock or an old backlog", () => {
    const rows = faults(
      [
        node({ clock_source: "boot" }),
        node({ node_id: "m", name: "Chốt 2", outbox_depth: 40, outbox_oldest_age_s: 130 }),
        node({ node_id: "o", name: "Chốt 3", clock_source: "ntp", clock_error_s: 0.01, outbox_depth: 4, outbox_oldest_age_s: 2 }),
      ],
      WORDS.en,
      "en",
    );
    expect(rows.map((row) => row.text)).toEqual([
      "Chốt 1: clock not trusted",
      "Chốt 2: 40 messages waiting, oldest 2 min",
    ]);
  });
});

describe("figures", () => {
  it("tell ages and distances without false digits", () => {
    expect([0.4, 59.4, 60, 3599, 7500].map((s) => age(s, "en"))).toEqual(["0 s", "59 s", "1 min", "59 min", "2 h 5 min"]);
    expect([0, 4.26, 180.4, 1234, 12_345].map(metres)).toEqual(["0.0 m", "4.3 m", "180 m", "1.23 km", "12.3 km"]);
    expect(countdown(299.2)).toBe("5:00");
    expect(countdown(9.01)).toBe("0:10");
  });
  it("show the day only when it is another one, in the site's zone", () => {
    expect(eventTime("2026-11-23T19:40:12.000Z", "24/11/2026", ZONE)).toBe("02:40:12");
    expect(eventTime("2026-11-23T16:59:59.000Z", "24/11/2026", ZONE)).toBe("23/11 23:59:59");
  });
  it("count the last word on while nothing comes", () => {
    const station: StationView = {
      site_id: "", t_utc: "", version: "", nodes_alive: 3, nodes_total: 3, cameras_alive: 6, cameras_total: 6,
      last_word_age_s: 1, open_alerts: 0, on_watch: [], broker: "", broker_connected: true, simulated: false,
    };
    expect(pulse(station, 1.2, WORDS.en, "en")).toBe("6 of 6 cameras alive, last word 2 s ago");
    expect(pulse({ ...station, last_word_age_s: null }, 0, WORDS.vi, "vi")).toBe("6/6 camera hoạt động, chưa có tin nào");
  });
});

describe("time bar", () => {
  it("marks round local hours", () => {
    const to = Date.parse("2026-11-23T20:04:00Z");
    const marks = mark(to - 24 * 3_600_000, to, 3 * 3_600_000, ZONE);
    expect(marks.map((at) => (at / 3_600_000 + 7) % 24)).toEqual([6, 9, 12, 15, 18, 21, 0, 3]);
  });
  it("lifts marks that would cover one another", () => {
    expect(spread([0, 5, 6, 30].map((x_px) => ({ x_px })), 13).map((row) => row.lane)).toEqual([0, 1, 2, 0]);
  });
});

describe("names of the sides", () => {
  const screen = { width: 400, height: 400, project: ([x, y]: [number, number]) => ({ x, y }), taken: [] };
  it("stand on the hand that the site says, above and below a line to the right", () => {
    const names = sideNames([[0, 200], [400, 200]], "right", screen);
    expect(names.find((name) => name.ours)?.y).toBeGreaterThan(200);
    expect(names.find((name) => !name.ours)?.y).toBeLessThan(200);
    const turned = sideNames([[400, 200], [0, 200]], "right", screen);
    expect(turned.find((name) => name.ours)?.y).toBeLessThan(200);
  });
  it("are never upside down and keep clear of markers", () => {
    for (const course of [[[0, 0], [400, 400]], [[400, 400], [0, 0]], [[200, 400], [200, 0]]] as [number, number][][]) {
      for (const name of sideNames(course, "left", screen)) {
        expect(name.turn_deg).toBeGreaterThan(-90);
        expect(name.turn_deg).toBeLessThanOrEqual(90);
      }
    }
    const [name] = sideNames([[0, 200], [400, 200]], "left", { ...screen, taken: [{ x: 240, y: 200 }] });
    expect(Math.abs((name?.x ?? 240) - 240)).toBeGreaterThan(60);
  });
  it("are not written when no part of the line is in the picture", () => {
    expect(sideNames([[500, 500], [900, 500]], "left", screen)).toEqual([]);
  });
});

describe("sketch", () => {
  it("fits its focus into the picture, north up", () => {
    const to = projection([[104.44, 10.42], [104.45, 10.43]], 800, 600);
    const [west, south] = to([104.44, 10.42]);
    const [east, north] = to([104.45, 10.43]);
    expect(west).toBeGreaterThanOrEqual(48);
    expect(east).toBeLessThanOrEqual(752);
    expect(south).toBeCloseTo(552, 6);
    expect(north).toBeCloseTo(48, 6);
  });
});

describe("first look at the map", () => {
  it("is on the ground near the cameras, however far they see", () => {
    const far = offset(104.44, 10.42, 0, 2000);
    const seen = homePoints({} as SiteView, [
      node({ sensors: [sensor({ lon_deg: 104.44, lat_deg: 10.42, field_of_view_lonlat: [far] })] }),
    ]);
    expect(seen.map((point) => Math.round(delta([104.44, 10.42], point).north_m))).toEqual([0, 120]);
  });
});

describe("one-time link", () => {
  it("is read after the # and as a parameter", () => {
    expect(linkToken({ hash: "#link=abc", search: "" })).toBe("abc");
    expect(linkToken({ hash: "", search: "?link=abc" })).toBe("abc");
    expect(linkToken({ hash: "#other", search: "" })).toBe(null);
  });
});
