import type { AlertView, NodeView } from "../api-types";
import { isSilent } from "../core/format";
import { LEVEL_PATH } from "../map/icons";

/** The sign of a level: filled while nobody has taken it, hollow after. */
export function LevelMark(props: { level: AlertView["level"]; taken?: boolean; size?: number }) {
  const hollow = props.taken || props.level === "information";
  return (
    <svg
      class={`mark ${props.level}`}
      viewBox="0 0 24 24"
      width={props.size ?? 24}
      height={props.size ?? 24}
      aria-hidden="true"
    >
      <path
        d={LEVEL_PATH[props.level]}
        fill={hollow ? "none" : "currentColor"}
        stroke="currentColor"
        stroke-width="2.4"
        stroke-linejoin="round"
      />
    </svg>
  );
}

/** A node's dot: full when all is well, half when not quite, an empty crossed ring when silent,
 * a dashed one when the station is lost and nobody knows. */
export function NodeDot(props: { state: NodeView["state"]; troubled: boolean; known: boolean }) {
  if (!props.known) {
    return (
      <svg class="dot faint" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
        <circle cx="12" cy="12" r="8" fill="none" stroke="currentColor" stroke-width="2.6" stroke-dasharray="4 3" />
      </svg>
    );
  }
  const silent = isSilent(props);
  const well = props.state === "online" && !props.troubled;
  return (
    <svg class={`dot ${well ? "well" : "trouble"}`} viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
      <circle cx="12" cy="12" r="8" fill={well ? "currentColor" : "none"} stroke="currentColor" stroke-width="2.6" />
      {!well && !silent && <path d="M12 4a8 8 0 0 0 0 16Z" fill="currentColor" />}
      {silent && <path d="M4 4 20 20M20 4 4 20" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" />}
    </svg>
  );
}

const PATHS = {
  sound: "M4 9v6h4l5 4V5L8 9ZM16 8.5a5 5 0 0 1 0 7M18.5 6a8.5 8.5 0 0 1 0 12",
  muted: "M4 9v6h4l5 4V5L8 9ZM16 9.5l5 5M21 9.5l-5 5",
  help: "M9 9.2a3 3 0 1 1 4.4 2.7c-.9.5-1.4 1-1.4 2.1M12 17.3v.2",
  about: "M12 11v6M12 7.3v.2",
  out: "M14 5h5v14h-5M4 12h10M10.5 8l4 4-4 4",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM15.5 15.5 21 21",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  sector: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  broken: "M9 15l-2 2a3.5 3.5 0 0 1-5-5l2-2M15 9l2-2a3.5 3.5 0 0 1 5 5l-2 2M8 3v3M3 8h3M16 21v-3M21 16h-3",
  close: "M5 5l14 14M19 5 5 19",
} as const;

/** A line drawing in the text's colour. */
export function Icon(props: { name: keyof typeof PATHS; size?: number }) {
  return (
    <svg viewBox="0 0 24 24" width={props.size ?? 22} height={props.size ?? 22} aria-hidden="true">
      <path d={PATHS[props.name]} fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  );
}
