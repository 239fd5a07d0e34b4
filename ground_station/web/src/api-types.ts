// Made from ground_station/views.py and views_watch.py by make_api_types.py. Do not edit.

/** 90 % error ellipse on the ground; azimuth of the long axis, true, clockwise. */
export interface Ellipse {
  semi_major_m: number;
  semi_minor_m: number;
  azimuth_deg: number;
}

/** One camera on the map. */
export interface SensorView {
  sensor_id: string;
  name: string;
  spectrum: "day" | "thermal";
  status: "online" | "offline" | "frozen" | "starting" | "unknown";
  fps: number | null;
  lon_deg: number | null;
  lat_deg: number | null;
  azimuth_deg: number | null;
  horizontal_fov_deg: number | null;
  field_of_view_lonlat: [number, number][];
  network: string;
}

/** Where a node says that it is, and whether its receiver is to be believed. */
export interface FixView {
  status: "none" | "fix_2d" | "fix_3d" | "fixed_survey" | "stale" | "jammed" | "jumped";
  lon_deg: number | null;
  lat_deg: number | null;
  horizontal_sigma_m: number | null;
  satellites: number | null;
}

/** One drone, now. */
export interface VehicleView {
  node_id: string;
  vehicle_id: string;
  simulated: boolean;
  silent: boolean;
  age_s: number;
  lon_deg: number | null;
  lat_deg: number | null;
  position_is_old: boolean;
  alt_above_takeoff_m: number | null;
  alt_hae_m: number | null;
  heading_deg: number | null;
  speed_m_s: number | null;
  footprint_lonlat: [number, number][];
  battery_fraction: number | null;
  battery_remaining_s: number | null;
  mode: string;
  armed: boolean;
  in_air: boolean;
  pilot_in_control: boolean;
  fix_status: "none" | "fix_2d" | "fix_3d" | "fixed_survey" | "stale" | "jammed" | "jumped";
  horizontal_sigma_m: number | null;
  satellites: number | null;
}

/** One node: a dot in the bar. */
export interface NodeView {
  node_id: string;
  name: string;
  state: "online" | "degraded" | "storage_full" | "goodbye" | "offline" | "silent";
  reason: string;
  simulated: boolean;
  last_word_age_s: number | null;
  outbox_depth: number | null;
  outbox_oldest_age_s: number | null;
  clock_source: string;
  clock_error_s: number | null;
  temperature_c: number | null;
  lost_key: number;
  zones_in_force: boolean | null;
  fix: FixView | null;
  sensors: SensorView[];
}

/** Where a target was. */
export interface TailPoint {
  t_utc: string;
  lon_deg: number;
  lat_deg: number;
}

/** One object in the world, now. */
export interface TargetView {
  target_id: string;
  object_class: "Human" | "Boat" | "Vehicle" | "Animal" | "Unknown";
  count: number;
  confidence: number;
  t_utc: string;
  lon_deg: number;
  lat_deg: number;
  ellipse90: Ellipse;
  speed_m_s: number | null;
  course_deg: number | null;
  signed_distance_to_line_m: number | null;
  probability_our_side: number | null;
  sensors: string[];
  tail: TailPoint[];
  coasting: boolean;
  alert_id: string | null;
  simulated: boolean;
}

/** Why a rule spoke, as data and in both languages. */
export interface Reason {
  rule: string;
  sentence_vi: string;
  sentence_en: string;
  numbers: Record<string, number>;
  sensors: string[];
  time_by_arrival: boolean;
}

/** One act on an alert, from the audit. */
export interface ActView {
  t_utc: string;
  act: string;
  by: string;
  detail: string;
}

/** One human event, as a guard handles it. */
export interface AlertView {
  alert_id: string;
  revision: number;
  level: "information" | "caution" | "warning";
  state: "raised" | "acknowledged" | "assigned" | "closed";
  rule: string;
  direction: "in" | "out" | "none";
  object_class: "Human" | "Boat" | "Vehicle" | "Animal" | "Unknown";
  count: number;
  t_event_utc: string;
  t_raised_utc: string;
  lon_deg: number;
  lat_deg: number;
  ellipse90: Ellipse;
  nearest_marker: string;
  distance_to_marker_m: number | null;
  azimuth_from_marker_deg: number | null;
  distance_to_line_m: number | null;
  probability: number | null;
  sentence_vi: string;
  sentence_en: string;
  reasons: Reason[];
  sensors: string[];
  target_ids: string[];
  finding_ids: string[];
  media_ids: string[];
  acknowledged_by: string | null;
  assigned_to: string | null;
  outcome: "confirmed" | "local_people" | "permitted" | "own_patrol" | "animal" | "weather" | "device_fault" | "nothing" | null;
  closed_by: string | null;
  note: string;
  late: boolean;
  lowered_because: string;
  silent: boolean;
  silenced_until_utc: string | null;
  silenced_by: string | null;
  silenced_reason: string;
  handed_to: string | null;
  seen_by: string[];
  folded_into: string | null;
  folded: number;
  simulated: boolean;
  acts: ActView[];
}

/** Where we are and what is drawn: line, zones, markers, places as GeoJSON. */
export interface SiteView {
  site_id: string;
  name_vi: string;
  name_en: string;
  centre_lonlat: [number, number];
  time_zone: string;
  zones_version: number;
  authoritative: boolean;
  notice_vi: string;
  notice_en: string;
  features: Record<string, unknown>;
  basemap_url: string | null;
  attribution: string[];
  simulated: boolean;
}

/** The station itself, repeated every two seconds on the event stream. */
export interface StationView {
  site_id: string;
  t_utc: string;
  version: string;
  nodes_alive: number;
  nodes_total: number;
  cameras_alive: number;
  cameras_total: number;
  last_word_age_s: number | null;
  open_alerts: number;
  on_watch: string[];
  broker: string;
  broker_connected: boolean;
  simulated: boolean;
}

/** Whether the station works; open to everybody, so it names nobody. */
export interface HealthView {
  status: "ok" | "degraded";
  t_utc: string;
  version: string;
  database: boolean;
  broker_connected: boolean;
  workers_stale: string[];
}

/** What runs here, under which licence, and where its source is. */
export interface AboutView {
  name: string;
  version: string;
  licence: string;
  source_url: string;
  notices: string[];
}

/** Who is logged in; `csrf_token` goes into the X-CSRF-Token header of each POST. */
export interface SessionView {
  user: string;
  display_name: string;
  role: "guard" | "operator" | "technician" | "administrator";
  csrf_token: string;
  expires_utc: string;
}

/** An error: what, which field, what is allowed, what to do (RFC 9457 members). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  field: string;
  allowed: string;
  next_step: string;
}

/** Name and password. */
export interface LoginBody {
  user: string;
  password: string;
}

/** The one-time token of a loopback link (demonstration). */
export interface LinkLoginBody {
  token: string;
}

/** Nothing but an optional note. */
export interface AcknowledgeBody {
  note?: string;
}

/** Who goes. */
export interface AssignBody {
  team: string;
  note?: string;
}

/** What it turned out to be. */
export interface CloseBody {
  outcome: "confirmed" | "local_people" | "permitted" | "own_patrol" | "animal" | "weather" | "device_fault" | "nothing";
  note?: string;
}

/** Why it is open again. */
export interface ReopenBody {
  note: string;
}

/** Which camera takes one picture now. */
export interface StillBody {
  sensor_id: string;
}

/** A command on its way to a node, and what the node answered. */
export interface CommandView {
  command_id: string;
  node_id: string;
  verb: string;
  status: "SENT" | "NOT_SENT" | "ACCEPTED" | "REJECTED" | "COMPLETED" | "FAILED";
  reason: string;
  expires_utc: string;
}

/** A period in which something does not ring; it is still shown and still recorded. */
export interface SilenceView {
  silence_id: string;
  scope: "alert" | "sensor" | "zone" | "rule";
  subject: string;
  t_from_utc: string;
  t_until_utc: string;
  reason: string;
  by: string;
  ended_by: string | null;
  kept_quiet: number;
}

/** Is the desk's load bearable? Measures of ISA-18.2. */
export interface BudgetView {
  per_hour: number;
  rang_last_hour: number;
  rang_last_ten_minutes: number;
  level: "within" | "near" | "over" | "flood";
  flood_since_utc: string | null;
  folded: number;
  standing: number;
  chattering: string[];
}

/** How much one camera, zone or rule gave people to do. */
export interface ShareView {
  kind: "sensor" | "zone" | "rule";
  subject: string;
  name_vi: string;
  name_en: string;
  alerts: number;
  true: number;
  false: number;
  undecided: number;
}

/** One change of rules that a person may make; its effect was computed on what was stored. */
export interface ProposalView {
  proposal_id: string;
  kind: "threshold" | "schedule" | "mask";
  state: "open" | "applied" | "dismissed";
  title_vi: string;
  title_en: string;
  why_vi: string;
  why_en: string;
  effect_vi: string;
  effect_en: string;
  change: Record<string, unknown>;
  false_before: number;
  false_removed: number;
  true_before: number;
  true_removed: number;
  t_replayed_from_utc: string;
  t_replayed_to_utc: string;
  t_made_utc: string;
  decided_by: string | null;
  note: string;
}

/** The weekly page: how many alarms, who made them, and what could be better. */
export interface WeekView {
  t_from_utc: string;
  t_to_utc: string;
  alerts: number;
  rang: number;
  rang_per_hour_p50: number;
  rang_per_hour_worst: number;
  budget_per_hour: number;
  hours_over_budget: number;
  time_in_flood_fraction: number;
  acknowledged_after_s_p50: number | null;
  acknowledged_after_s_p95: number | null;
  outcomes: Record<string, number>;
  undecided: number;
  worst: ShareView[];
  proposals: ProposalView[];
}

/** For how long, and why; the scope says whether only this alert or all that its cause makes. */
export interface SilenceBody {
  minutes: number;
  reason: string;
  scope?: "alert" | "sensor" | "zone" | "rule";
  subject?: string;
}

/** Why it may ring again. */
export interface EndSilenceBody {
  note?: string;
}

/** To whom, with what he must know. */
export interface HandOverBody {
  to: string;
  note: string;
}

/** Why; it stands in the audit. */
export interface DecideProposalBody {
  note?: string;
}
