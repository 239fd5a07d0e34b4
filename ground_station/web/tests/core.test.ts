import { describe, expect, it } from "vitest";
import { audible, loudest, ringing } from "../src/core/alarm";
import { toDegrees, toMgrs, toVn2000 } from "../src/core/coordinates";
import { fold, matches } from "../src/core/fold";
import { ahead, bounds, delta, ellipseRing, offset } from "../src/core/geometry";
import { byRank, neighbour, newer } from "../src/core/rank";
import { EventParser } from "../src/core/sse";
import { alert } from "./samples";

describe("search", () => {
  it("finds Vietnamese words typed without diacritics", () => {
    expect(matches("Cách mốc 309 khoảng 180 m, phường Hà Tiên", "ha tien")).toBe(true);
    expect(matches("Đồn Biên phòng", "don bien")).toBe(true);
    expect(matches("Đồn Biên phòng", "ha tien")).toBe(false);
  });
  it("folds composed and decomposed spellings alike", () => {
    expect(fold("Hoà Điền".normalize("NFD"))).toBe(fold("Hoà Điền".normalize("NFC")));
  });
});

describe("event stream", () => {
  it("reads the same events wherever the pieces are cut", () => {
    const text = ': ping\r\nid: 7\r\nevent: alert\r\ndata: {"a":\r\ndata: 1}\r\n\r\nid: 8\ndata: x\n\n';
    const whole = new EventParser().push(text);
    expect(whole).toEqual([
      { id: "7", event: "alert", data: '{"a":\n1}' },
      { id: "8", event: "message", data: "x" },
    ]);
    for (let cut = 1; cut < text.length; cut += 1) {
      const parser = new EventParser();
      expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))]).toEqual(whole);
      expect(parser.lastId).toBe("8");
    }
  });
  it("does not count an unfinished event as seen", () => {
    const parser = new EventParser();
    parser.push("id: 1\ndata: a\n\nid: 2\ndata: b\n");
    expect(parser.lastId).toBe("1");
  });
});

describe("rank", () => {
  it("puts open before closed, then the level, then the newest event", () => {
    const rows = [
      alert({ alert_id: "closed", level: "warning", state: "closed", t_event_utc: "2026-11-23T09:00:00.000Z" }),
      alert({ alert_id: "old", level: "caution", t_event_utc: "2026-11-23T01:00:00.000Z" }),
      alert({ alert_id: "info", level: "information", t_event_utc: "2026-11-23T08:00:00.000Z" }),
      alert({ alert_id: "new", level: "caution", t_event_utc: "2026-11-23T02:00:00.000Z" }),
      alert({ alert_id: "warn", level: "warning", t_event_utc: "2026-11-23T00:00:00.000Z" }),
    ];
    expect(rows.sort(byRank).map((row) => row.alert_id)).toEqual(["warn", "new", "old", "info", "closed"]);
  });
  it("puts a late alert that never sounded on top until somebody takes it", () => {
    const untold = alert({ alert_id: "untold", late: true, silent: true, t_event_utc: "2026-11-22T20:00:00.000Z" });
    const warning = alert({ alert_id: "warn", level: "warning", t_event_utc: "2026-11-23T02:00:00.000Z" });
    const order = (...rows: (typeof untold)[]) => rows.sort(byRank).map((row) => row.alert_id);
    expect(order(warning, untold)).toEqual(["untold", "warn"]);
    expect(order({ ...untold, state: "acknowledged" }, warning)).toEqual(["warn", "untold"]);
  });
  it("steps through a list and stays at its ends", () => {
    const ids = ["a", "b", "c"];
    expect(neighbour(ids, null, 1)).toBe("a");
    expect(neighbour(ids, null, -1)).toBe("c");
    expect(neighbour(ids, "b", 1)).toBe("c");
    expect(neighbour(ids, "c", 1)).toBe("c");
    expect(neighbour(ids, "gone", 1)).toBe("a");
    expect(neighbour([], "a", 1)).toBe(null);
  });
  it("keeps the newer revision whichever comes last", () => {
    const old = alert({ revision: 1 });
    const late = alert({ revision: 2, state: "acknowledged" });
    expect(newer(late, old)).toBe(late);
    expect(newer(old, late)).toBe(late);
    expect(newer(undefined, old)).toBe(old);
  });
});

describe("alarm", () => {
  it("rings a warning until somebody takes it", () => {
    const rung = new Set(["A"]);
    expect(ringing([alert({ level: "warning" })], rung).length).toBe(1);
    expect(ringing([alert({ level: "warning", state: "acknowledged" })], rung).length).toBe(0);
  });
  it("rings a late one once, and a silent one never", () => {
    expect(ringing([alert({ late: true })], new Set()).length).toBe(1);
    expect(ringing([alert({ late: true })], new Set(["A"])).length).toBe(0);
    expect(ringing([alert({ silent: true })], new Set()).length).toBe(0);
  });
  it("mutes alerts, never the loss of the station", () => {
    expect(audible("warning", true)).toBe("none");
    expect(audible("station_lost", true)).toBe("station_lost");
    expect(audible("warning", false)).toBe("warning");
  });
  it("puts the loss of the station above every alert", () => {
    const rows = [alert({ level: "caution" }), alert({ level: "warning" })];
    expect(loudest(rows, false)).toBe("warning");
    expect(loudest(rows, true)).toBe("station_lost");
    expect(loudest([], false)).toBe("none");
  });
});

describe("coordinates", () => {
  // Border marker 314; the expected figures are PROJ's for EPSG:9207, 9208 and 3405
  // through the pinned transformation; the other one lies 0.8 m away.
  const [lon, lat] = [104.440722, 10.423528];
  it.each([
    ["TM-3 104°30'", 493314.187, 1152697.544],
    ["TM-3 104°45'", 465943.253, 1152713.627],
    ["UTM 48N", 438590.139, 1152405.461],
  ] as const)("agrees with PROJ to a centimetre in %s", (system, east, north) => {
    const point = toVn2000(lon, lat, system);
    expect(Math.abs(point.east_m - east)).toBeLessThan(0.01);
    expect(Math.abs(point.north_m - north)).toBeLessThan(0.01);
  });
  it("writes MGRS and degrees the way they are read over the radio", () => {
    expect(toMgrs(lon, lat)).toBe("48P VS 38785 52293");
    expect(toDegrees(lon, lat)).toBe("10.423528° N, 104.440722° E");
  });
});

describe("geometry", () => {
  it("draws an ellipse with its long axis on the azimuth", () => {
    const ring = ellipseRing(104.44, 10.42, { semi_major_m: 30, semi_minor_m: 10, azimuth_deg: 90 });
    const from = (point: [number, number]) => delta([104.44, 10.42], point);
    expect(from(ring[0]!).east_m).toBeCloseTo(30, 3);
    expect(from(ring[8]!).north_m).toBeCloseTo(-10, 3);
    expect(ring[0]).toEqual(ring[32]);
  });
  it("points the motion arrow along the course", () => {
    const tip = delta([104.44, 10.42], ahead(104.44, 10.42, 1.5, 180, 10));
    expect(tip.north_m).toBeCloseTo(-15, 3);
    expect(tip.east_m).toBeCloseTo(0, 3);
  });
  it("bounds all points", () => {
    expect(bounds([])).toBe(null);
    expect(bounds([offset(104, 10, 0, 0), [105, 9]])).toEqual([104, 9, 105, 10]);
  });
});
