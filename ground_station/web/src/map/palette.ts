import type { AlertView } from "../api-types";

/** Colours that map, sketch and icons share with page.css; one accent, three levels, the rest is ground. */
export const COLOUR = {
  ground: "#15191c",
  land: "#1c2124",
  water: "#10161b",
  ink: "#e8ebed",
  faint: "#97a3ab",
  halo: "#0c0f11",
  accent: "#45c4b0",
  trouble: "#c07a2c",
  drone: "#86b7f2",
  line: "#f4f1e8",
} as const;

export const LEVEL_COLOUR: Record<AlertView["level"], string> = {
  warning: "#ff5a52",
  caution: "#ffb224",
  information: "#9db4c8",
};

export const FONT = "Be Vietnam Pro";

export const ZONE_COLOUR: Record<string, string> = {
  restricted: "#d98880",
  watch: "#45c4b0",
  ignore: "#7f8a91",
  gate: "#b9a6e0",
  no_go: "#d98880",
  go: "#45c4b0",
};
