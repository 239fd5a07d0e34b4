/** Logging in, the event stream, and the clockwork that notices silence. */
import { batch, effect } from "@preact/signals";
import type {
  AlertView,
  LinkLoginBody,
  LoginBody,
  NodeView,
  SessionView,
  SiteView,
  StationView,
  TargetView,
  VehicleView,
} from "../api-types";
import { Api, Refused } from "../core/api";
import { isRaised, newer } from "../core/rank";
import type { StreamEvent } from "../core/sse";
import { Stream } from "../core/stream";
import type { Language } from "../core/words";
import * as state from "./state";

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const browserFetch = (input: string, init?: RequestInit): Promise<Response> => fetch(input, init);

export const api = new Api(browserFetch, pause);

const LANGUAGE_KEY = "border-watch.language";
let stream: Stream | null = null;
let clockOffset_ms = 0;

/** Restores the language, takes a one-time link if there is one, else asks who is logged in. */
export async function start(): Promise<void> {
  setLanguage(localStorage.getItem(LANGUAGE_KEY) === "en" ? "en" : "vi");
  tick();
  setInterval(tick, 500);
  // A hidden tab still tells how many alerts wait.
  effect(() => {
    const waiting = state.openAlerts.value.filter(isRaised).length;
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${state.words.value.title}`;
  });
  // A link pasted into the open page changes only what stands behind the #: start anew with it.
  addEventListener("hashchange", () => {
    if (linkToken(location) !== null) location.reload();
  });
  const token = linkToken(location);
  if (token === null) {
    await resume();
    return;
  }
  // The token leaves the address bar before anything else, so that it is in no history or screenshot.
  history.replaceState(null, "", location.pathname);
  try {
    enter(await api.post<SessionView>("login/link", { token } satisfies LinkLoginBody));
  } catch {
    await resume();
    if (state.session.value === null) state.complaint.value = state.words.value.login.linkFailed;
  }
}

/** The token of a one-time link: after the #, where it never reaches a server's log, or as a parameter. */
export function linkToken(at: Pick<Location, "hash" | "search">): string | null {
  return (
    new URLSearchParams(at.hash.replace(/^#/, "")).get("link") ?? new URLSearchParams(at.search).get("link")
  );
}

async function resume(): Promise<void> {
  for (;;) {
    try {
      enter(await api.get<SessionView>("session"));
      return;
    } catch (error) {
      if (error instanceof Refused) {
        state.session.value = null;
        return;
      }
      // The station does not answer: the page says so (session stays undefined) and asks again.
      await pause(2000);
    }
  }
}

export async function login(body: LoginBody): Promise<void> {
  enter(await api.post<SessionView>("login", body));
}

export async function logout(): Promise<void> {
  try {
    await api.post("logout", {});
  } finally {
    leave();
  }
}

function enter(session: SessionView): void {
  api.csrf_token = session.csrf_token;
  batch(() => {
    state.complaint.value = null;
    state.sessionEnded.value = false;
    state.heardAt_ms.value = performance.now();
    state.monotonic_ms.value = performance.now();
    state.session.value = session;
  });
  stream?.stop();
  // What an earlier login still asks for is not this one's picture.
  loading = null;
  stream = new Stream(
    "/api/v1/events",
    { opened: () => void reload(), event: hear, heard, unauthorized: expire },
    browserFetch,
    pause,
  );
  void stream.run();
}

/** The station no longer knows this login: that is said and sounds, for nobody watches now. */
function expire(): void {
  leave();
  state.sessionEnded.value = true;
}

/** Ends everything of this person: nothing stays on the screen for the next one. */
function leave(): void {
  stream?.stop();
  stream = null;
  api.csrf_token = "";
  batch(() => {
    state.session.value = null;
    state.loaded.value = false;
    state.station.value = null;
    state.alerts.value = new Map();
    changes.clear();
    state.targets.value = new Map();
    state.nodes.value = new Map();
    state.vehicles.value = new Map();
    state.selectedId.value = null;
    state.dialog.value = null;
    state.undo.value = null;
  });
}

function heard(): void {
  state.heardAt_ms.value = performance.now();
}

/** The asking for the whole picture that is under way: what came meanwhile, and whether to ask anew. */
interface Loading {
  events: StreamEvent[];
  again: boolean;
}
let loading: Loading | null = null;
const ASK_AGAIN_MS = 1000;

/**
 * Asks for the whole picture until it is there. A stream that stays open asks only once, and what was
 * missed before it comes in no other way.
 */
async function reload(): Promise<void> {
  if (loading) {
    loading.again = true;
    return;
  }
  const mine = stream;
  const own: Loading = { events: [], again: true };
  loading = own;
  try {
    while (own.again && mine !== null && mine === stream) {
      own.again = false;
      own.events = [];
      try {
        await load(mine, own);
      } catch (error) {
        if (mine !== stream) return;
        if (error instanceof Refused && error.status === 401) {
          expire();
          return;
        }
        await pause(ASK_AGAIN_MS);
        own.again = true;
      }
    }
  } finally {
    if (loading === own) loading = null;
  }
}

/** Events that come while the answers are awaited are newer and are told again on top of them. */
async function load(mine: Stream, own: Loading): Promise<void> {
  const asked_ms = performance.now();
  const [site, nodes, vehicles, targets, latest, open] = await Promise.all([
    api.get<SiteView>("site"),
    api.get<NodeView[]>("nodes"),
    api.get<VehicleView[]>("vehicles"),
    api.get<TargetView[]>("targets"),
    api.get<AlertView[]>("alerts"),
    // An open alert is never too old to be shown.
    api.get<AlertView[]>("alerts?open=true&limit=1000"),
  ]);
  if (mine !== stream) return;
  batch(() => {
    if (JSON.stringify(site) !== JSON.stringify(state.site.value)) state.site.value = site;
    state.nodes.value = new Map(nodes.map((node) => [node.node_id, node]));
    for (const node of nodes) state.nodesAt_ms.set(node.node_id, asked_ms);
    for (const one of vehicles) state.vehiclesAt_ms.set(vehicleKey(one), asked_ms);
    state.vehicles.value = new Map(vehicles.map((one) => [vehicleKey(one), one]));
    state.targets.value = new Map(targets.map((target) => [target.target_id, target]));
    const known = state.alerts.value;
    state.alerts.value = new Map(
      [...latest, ...open].map((alert) => [alert.alert_id, newer(known.get(alert.alert_id), alert)]),
    );
    for (const event of own.events) take(event);
    state.loaded.value = true;
  });
}

const vehicleKey = (one: VehicleView): string => `${one.node_id}/${one.vehicle_id}`;

function hear(event: StreamEvent): void {
  if (event.event !== "resync") loading?.events.push(event);
  take(event);
}

function take(event: StreamEvent): void {
  switch (event.event) {
    case "station": {
      const view = JSON.parse(event.data) as StationView;
      clockOffset_ms = Date.parse(view.t_utc) - Date.now();
      batch(() => {
        state.stationAt_ms.value = performance.now();
        state.station.value = view;
      });
      break;
    }
    case "node": {
      const view = JSON.parse(event.data) as NodeView;
      state.nodesAt_ms.set(view.node_id, performance.now());
      state.nodes.value = new Map(state.nodes.value).set(view.node_id, view);
      break;
    }
    case "vehicle": {
      const view = JSON.parse(event.data) as VehicleView;
      state.vehiclesAt_ms.set(vehicleKey(view), performance.now());
      state.vehicles.value = new Map(state.vehicles.value).set(vehicleKey(view), view);
      break;
    }
    case "target": {
      const view = JSON.parse(event.data) as TargetView;
      changeTarget(view.target_id, view);
      break;
    }
    case "target_gone": {
      const { target_id } = JSON.parse(event.data) as { target_id: string };
      changeTarget(target_id, null);
      break;
    }
    case "alert":
      takeAlert(JSON.parse(event.data) as AlertView);
      break;
    case "resync":
      void reload();
      break;
    default:
      // A newer station may say more than this page knows.
      break;
  }
}

/** Changes of targets that wait to be shown; null is gone. */
const changes = new Map<string, TargetView | null>();
const SHOW_EVERY_MS = 250;

/** Hundreds of updates a second are shown four times a second, all of them; a node sends two per track. */
function changeTarget(target_id: string, view: TargetView | null): void {
  if (changes.size === 0) setTimeout(showTargets, SHOW_EVERY_MS);
  changes.set(target_id, view);
}

function showTargets(): void {
  const targets = new Map(state.targets.value);
  for (const [target_id, view] of changes) {
    if (view) targets.set(target_id, view);
    else targets.delete(target_id);
  }
  changes.clear();
  state.targets.value = targets;
}

/** A new or changed alert, from the stream or as the answer to an act. */
export function takeAlert(view: AlertView): void {
  const known = state.alerts.value.get(view.alert_id);
  if (newer(known, view) !== view) return;
  state.alerts.value = new Map(state.alerts.value).set(view.alert_id, view);
}

function tick(): void {
  batch(() => {
    state.monotonic_ms.value = performance.now();
    state.stationClock_ms.value = Date.now() + clockOffset_ms;
    const undo = state.undo.value;
    if (undo && undo.until_ms <= performance.now()) state.undo.value = null;
  });
}

export function setLanguage(language: Language): void {
  state.language.value = language;
  localStorage.setItem(LANGUAGE_KEY, language);
  document.documentElement.lang = language;
}
