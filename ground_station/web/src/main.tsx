import "@fontsource/be-vietnam-pro/400.css";
import "@fontsource/be-vietnam-pro/600.css";
import "./page.css";
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { NodeView } from "./api-types";
import { listen } from "./app/keys";
import { start } from "./app/session";
import { unlock, watch } from "./app/siren";
import * as state from "./app/state";
import { Alerts } from "./ui/alerts";
import { Banners, Toasts } from "./ui/banners";
import { Bar } from "./ui/bar";
import { Dialogs } from "./ui/dialogs";
import { Login } from "./ui/login";
import { type MapHandle, MapPanel } from "./ui/mappanel";
import { TimeBar } from "./ui/timebar";

function Page() {
  const session = state.session.value;
  if (session === undefined) {
    return (
      <main class="login">
        <p class="waiting" role="status">{state.words.value.connecting}</p>
      </main>
    );
  }
  return session === null ? <Login /> : <Watch />;
}

/** The one screen. */
function Watch() {
  const map = useRef<MapHandle | null>(null);
  useEffect(
    () =>
      listen({
        focusMap: () => map.current?.focus(),
        focusSearch: () => document.getElementById("search")?.focus(),
        focusList: () => document.querySelector<HTMLElement>(".row.chosen .head")?.focus(),
      }),
    [],
  );
  const showNode = (node: NodeView): void => {
    const sensor = node.sensors.find((row) => row.lon_deg !== null && row.lat_deg !== null);
    if (sensor) map.current?.show(sensor.lon_deg!, sensor.lat_deg!);
  };
  return (
    <div class={`page ${state.stationLost.value ? "lost" : ""}`}>
      <Banners />
      <Bar onNode={showNode} />
      <main>
        <MapPanel handle={map} />
        <Alerts onSpot={(spot) => map.current?.show(spot.lon_deg, spot.lat_deg)} />
      </main>
      <TimeBar />
      <Toasts />
      <Dialogs />
    </div>
  );
}

// The browser gives sound inside a touch or key press only; any will do. Not on pointerdown: the banner
// that then goes away would move what is being touched from under the finger.
const wake = (): void => void unlock();
addEventListener("click", wake);
addEventListener("keydown", wake);

watch();
void start();
render(<Page />, document.getElementById("page")!);
