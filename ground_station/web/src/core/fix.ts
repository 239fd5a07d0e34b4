import type { VehicleView } from "../api-types";
import { metres } from "./format";
import type { Words } from "./words";

/** What a receiver says of itself, as one phrase: how it knows the place, how well, with how many satellites. */
export function fixText(
  words: Pick<Words, "fixStatus">,
  status: VehicleView["fix_status"],
  sigma_m: number | null,
  satellites: number | null,
  satelliteWord: string,
): string {
  const believed = status === "fix_2d" || status === "fix_3d" || status === "fixed_survey";
  return [
    words.fixStatus[status],
    believed && sigma_m !== null ? `±${metres(sigma_m)}` : "",
    satellites === null ? "" : `${satellites} ${satelliteWord}`,
  ].filter(Boolean).join(", ");
}
