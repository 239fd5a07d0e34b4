import type { AlertView, SensorView, TargetView } from "../api-types";
import type { vehicleStatus } from "./features";
import { COLOUR, LEVEL_COLOUR } from "./palette";

type Draw = (pen: CanvasRenderingContext2D) => void;

/** Paths of the three levels in a 24 x 24 box, told apart by shape as much as by colour. */
export const LEVEL_PATH: Record<AlertView["level"], string> = {
  warning: "M12 1.5 22.5 12 12 22.5 1.5 12Z",
  caution: "M12 2.5 22.8 21H1.2Z",
  information: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z",
};

/** Small signs of what a target is, in a 24 x 24 box. */
export const CLASS_PATH: Record<TargetView["object_class"], string> = {
  Human: "M12 4a2.6 2.6 0 1 0 0 5.2A2.6 2.6 0 0 0 12 4ZM8.2 20v-5.6c0-2.4 1.5-4 3.8-4s3.8 1.6 3.8 4V20h-2.2v-4h-3.2v4Z",
  Boat: "M3 14h18l-3 5.5H6ZM11 4h2v8.5h-2ZM14 5.5l5 7h-5Z",
  Vehicle: "M3 15v-4l3-1 2.2-4h7l3 4 2.8 1v4h-2.2a2.4 2.4 0 0 1-4.6 0H9.8a2.4 2.4 0 0 1-4.6 0Z",
  Animal: "M4 9l2.4-2.4L9 9h7.5L20 7v3l-1.5 2v6.5h-2V15H9v3.5H7V13L4 12Z",
  Unknown: "M9 9.2C9 7.2 10.3 6 12.1 6S15 7.2 15 8.9c0 2.6-2.6 2.7-2.6 5.1h-1.6c0-3 2.5-3.2 2.5-5 0-.9-.5-1.5-1.3-1.5s-1.4.6-1.4 1.7ZM10.7 15.6h1.9v1.9h-1.9Z",
};

function scaled(pen: CanvasRenderingContext2D, size: number, path: string): Path2D {
  pen.setTransform(size / 24, 0, 0, size / 24, 0, 0);
  return new Path2D(path);
}

function level(name: AlertView["level"], taken: boolean, size: number): Draw {
  return (pen) => {
    const shape = scaled(pen, size, LEVEL_PATH[name]);
    pen.lineJoin = "round";
    pen.strokeStyle = COLOUR.halo;
    pen.lineWidth = 4;
    pen.stroke(shape);
    const hollow = name === "information" || taken;
    pen.fillStyle = hollow ? COLOUR.halo : LEVEL_COLOUR[name];
    pen.fill(shape);
    pen.strokeStyle = LEVEL_COLOUR[name];
    pen.lineWidth = 2.4;
    pen.stroke(shape);
  };
}

function target(kind: TargetView["object_class"], edge: string, coasting: boolean, size: number): Draw {
  return (pen) => {
    pen.setTransform(size / 24, 0, 0, size / 24, 0, 0);
    pen.globalAlpha = coasting ? 0.7 : 1;
    pen.beginPath();
    pen.arc(12, 12, 10.4, 0, 2 * Math.PI);
    pen.fillStyle = COLOUR.halo;
    pen.fill();
    pen.lineWidth = 1.8;
    pen.strokeStyle = edge;
    if (coasting) pen.setLineDash([3, 2.5]);
    pen.stroke();
    pen.setLineDash([]);
    pen.translate(3.2, 3.2);
    pen.scale(0.73, 0.73);
    pen.fillStyle = COLOUR.ink;
    pen.fill(new Path2D(CLASS_PATH[kind]));
  };
}

/** A camera seen from above, looking north; a cross over it when there is no picture. */
function camera(status: SensorView["status"], size: number): Draw {
  const colour = status === "online" ? COLOUR.accent : status === "starting" ? COLOUR.faint : COLOUR.trouble;
  return (pen) => {
    const shape = scaled(pen, size, "M7 10h10v10H7ZM8.5 10 6 4h12l-2.5 6Z");
    pen.lineJoin = "round";
    pen.strokeStyle = COLOUR.halo;
    pen.lineWidth = 4;
    pen.stroke(shape);
    pen.fillStyle = status === "online" ? colour : COLOUR.halo;
    pen.fill(shape);
    pen.strokeStyle = colour;
    pen.lineWidth = 1.6;
    pen.stroke(shape);
    if (status === "offline" || status === "frozen") {
      pen.beginPath();
      pen.moveTo(4, 4);
      pen.lineTo(20, 20);
      if (status === "offline") {
        pen.moveTo(20, 4);
        pen.lineTo(4, 20);
      }
      pen.strokeStyle = COLOUR.halo;
      pen.lineWidth = 5;
      pen.stroke();
      pen.strokeStyle = colour;
      pen.lineWidth = 2.4;
      pen.stroke();
    }
  };
}

/** A copter seen from above, its nose to the north; crossed out when nobody knows where it is now. */
function drone(status: ReturnType<typeof vehicleStatus>, size: number): Draw {
  const colour = status === "lost" || status === "doubt" ? COLOUR.trouble : COLOUR.drone;
  const arms = "M6 6 18 18M18 6 6 18";
  const rotors: [number, number][] = [[5, 5], [19, 5], [5, 19], [19, 19]];
  return (pen) => {
    for (const [edge, wide] of [[COLOUR.halo, 4.6], [colour, 1.8]] as const) {
      pen.lineCap = "round";
      pen.strokeStyle = edge;
      pen.lineWidth = wide;
      pen.stroke(scaled(pen, size, arms));
      for (const [x, y] of rotors) {
        pen.beginPath();
        pen.arc(x, y, 3.4, 0, 2 * Math.PI);
        pen.fillStyle = COLOUR.halo;
        if (status === "flying" && edge === colour) pen.fillStyle = colour;
        pen.fill();
        pen.stroke();
      }
    }
    const nose = scaled(pen, size, "M12 5.5 15.6 14H8.4Z");
    pen.fillStyle = status === "ground" ? COLOUR.halo : colour;
    pen.strokeStyle = status === "ground" ? colour : COLOUR.halo;
    pen.lineWidth = 1.4;
    pen.fill(nose);
    pen.stroke(nose);
    if (status === "lost") {
      pen.strokeStyle = colour;
      pen.lineWidth = 2.2;
      pen.stroke(scaled(pen, size, "M1.5 12H22.5"));
    }
  };
}

/** A stone post; hollow when its place is only a sample. */
function post(built: boolean, size: number): Draw {
  return (pen) => {
    const shape = scaled(pen, size, "M8 21V7l4-4 4 4v14Z");
    pen.strokeStyle = COLOUR.halo;
    pen.lineWidth = 4;
    pen.lineJoin = "round";
    pen.stroke(shape);
    pen.fillStyle = built ? COLOUR.line : COLOUR.halo;
    pen.fill(shape);
    pen.strokeStyle = COLOUR.line;
    pen.lineWidth = 1.8;
    pen.stroke(shape);
  };
}

/** A tooth on the line that points to our side; icons follow the line, which runs to the right here. */
function tooth(size: number): Draw {
  return (pen) => {
    pen.fillStyle = COLOUR.accent;
    pen.fill(scaled(pen, size, "M5 2h14l-7 12Z"));
  };
}

const RATIO = 2;

/** Draws one icon; returns pixels for the map, at twice the size on the screen. */
function paint(size_px: number, draw: (size: number) => Draw): ImageData {
  const size = size_px * RATIO;
  const canvas = new OffscreenCanvas(size, size);
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("this browser draws no 2D canvas; a newer one is needed");
  draw(size)(pen as unknown as CanvasRenderingContext2D);
  return pen.getImageData(0, 0, size, size);
}

export const ICON_RATIO = RATIO;

/** Every icon of the map by name. */
export function icons(): Map<string, ImageData> {
  const all = new Map<string, ImageData>();
  for (const name of ["warning", "caution", "information"] as const) {
    all.set(`alert-${name}`, paint(30, (size) => level(name, false, size)));
    all.set(`alert-${name}-taken`, paint(30, (size) => level(name, true, size)));
  }
  for (const kind of ["Human", "Boat", "Vehicle", "Animal", "Unknown"] as const) {
    for (const [edge, colour] of [["none", COLOUR.ink], ...Object.entries(LEVEL_COLOUR)] as const) {
      all.set(`target-${kind}-${edge}`, paint(26, (size) => target(kind, colour, false, size)));
      all.set(`target-${kind}-${edge}-coasting`, paint(26, (size) => target(kind, colour, true, size)));
    }
  }
  for (const status of ["online", "offline", "frozen", "starting", "unknown"] as const) {
    all.set(`camera-${status}`, paint(26, (size) => camera(status, size)));
  }
  for (const status of ["flying", "ground", "doubt", "lost"] as const) {
    all.set(`drone-${status}`, paint(34, (size) => drone(status, size)));
  }
  all.set("post", paint(24, (size) => post(true, size)));
  all.set("post-sample", paint(24, (size) => post(false, size)));
  all.set("tooth", paint(14, (size) => tooth(size)));
  return all;
}
