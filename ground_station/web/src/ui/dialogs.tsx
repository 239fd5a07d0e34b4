import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { assign, close, reopen } from "../app/acts";
import * as state from "../app/state";
import { parts } from "../core/format";
import type { Outcome } from "../core/words";
import { Icon } from "./marks";

/** A modal box: the browser keeps the focus inside and gives it back afterwards. */
function Box(props: { title: string; children: ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null);
  // Before the next painting: who types at once after the key must not lose a letter.
  useLayoutEffect(() => {
    box.current?.showModal();
    box.current?.querySelector<HTMLElement>("[data-first]")?.focus();
  }, []);
  return (
    <dialog
      ref={box}
      aria-label={props.title}
      onClose={() => (state.dialog.value = null)}
      onClick={(event) => {
        if (event.target === box.current) box.current?.close();
      }}
    >
      <div class="box">
        <header>
          <h2>{props.title}</h2>
          <button class="tool" aria-label={state.words.value.closeDialog} onClick={() => box.current?.close()}>
            <Icon name="close" />
          </button>
        </header>
        {props.children}
      </div>
    </dialog>
  );
}

export function Dialogs() {
  switch (state.dialog.value) {
    case "help":
      return <Help />;
    case "about":
      return <About />;
    case "assign":
      return <Assign />;
    case "close":
      return <Close />;
    case "reopen":
      return <Reopen />;
    default:
      return null;
  }
}

function Help() {
  const words = state.words.value;
  return (
    <Box title={words.help}>
      <table class="keys">
        <tbody>
          {words.keys.map(([key, meaning]) => (
            <tr key={key}>
              <th scope="row"><kbd>{key}</kbd></th>
              <td>{meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="faint">{words.humanDecides}</p>
    </Box>
  );
}

function About() {
  const words = state.words.value;
  const site = state.site.value;
  const attribution = site?.attribution ?? [];
  return (
    <Box title={words.about}>
      <p>{words.aboutText}</p>
      <p>{words.humanDecides}</p>
      <dl class="facts">
        <div><dt>{words.version}</dt><dd>{state.station.value?.version ?? ""}</dd></div>
        <div><dt>{words.licence}</dt><dd>AGPL-3.0-or-later</dd></div>
        <div><dt>{words.source}</dt><dd><a href="/api/v1/source" download>/api/v1/source</a></dd></div>
        <div>
          <dt>{words.mapData}</dt>
          <dd>{[...new Set(["© OpenStreetMap contributors (ODbL 1.0)", "GeoNames (CC BY 4.0)", ...attribution])].join(" · ")}</dd>
        </div>
        <div><dt>MapLibre GL, PMTiles, Preact, proj4, mgrs</dt><dd>BSD-3-Clause, MIT</dd></div>
        <div><dt>Be Vietnam Pro</dt><dd>OFL-1.1</dd></div>
      </dl>
    </Box>
  );
}

const TEAMS_KEY = "border-watch.teams";
const TEAMS_KEPT = 5;

function knownTeams(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(TEAMS_KEY) ?? "[]");
    return Array.isArray(list) ? list.filter((row) => typeof row === "string") : [];
  } catch {
    return [];
  }
}

function Assign() {
  const words = state.words.value;
  const alert = state.selected.value;
  const [team, setTeam] = useState("");
  if (!alert) return null;
  return (
    <Box title={`${words.dispatch}: ${parts(alert, words, state.language.value).what}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const name = team.trim();
          if (!name) return;
          const teams = [name, ...knownTeams().filter((row) => row !== name)].slice(0, TEAMS_KEPT);
          localStorage.setItem(TEAMS_KEY, JSON.stringify(teams));
          const note = String(new FormData(event.currentTarget).get("note") ?? "");
          void assign(alert, { team: name, note });
        }}
      >
        <label>
          {words.team}
          <input data-first name="team" required maxLength={100} value={team} onInput={(event) => setTeam(event.currentTarget.value)} autocomplete="off" />
        </label>
        <div class="choices">
          {knownTeams().map((name) => (
            <button type="button" class="action" key={name} onClick={() => setTeam(name)}>{name}</button>
          ))}
        </div>
        <label>{words.note}<input name="note" maxLength={500} autocomplete="off" /></label>
        <button class="action primary">{words.send}</button>
      </form>
    </Box>
  );
}

function Close() {
  const words = state.words.value;
  const alert = state.selected.value;
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const form = useRef<HTMLFormElement>(null);
  if (!alert) return null;
  const outcomes = Object.entries(words.outcome) as [Outcome, string][];
  return (
    <Box title={`${words.close}: ${parts(alert, words, state.language.value).what}`}>
      <form
        ref={form}
        onKeyDown={(event) => {
          // A digit chooses, unless it is being written into the note.
          if ((event.target as HTMLElement).matches("input[name=note]")) return;
          const chosen = outcomes[Number(event.key) - 1];
          if (!chosen) return;
          event.preventDefault();
          setOutcome(chosen[0]);
          form.current?.querySelector<HTMLInputElement>(`input[value=${chosen[0]}]`)?.focus();
        }}
        onSubmit={(event) => {
          event.preventDefault();
          if (!outcome) return;
          void close(alert, { outcome, note: String(new FormData(event.currentTarget).get("note") ?? "") });
        }}
      >
        <fieldset>
          <legend>{words.chooseOutcome}</legend>
          {outcomes.map(([key, label], i) => (
            <label class="choice" key={key}>
              <input
                type="radio"
                name="outcome"
                value={key}
                required
                checked={outcome === key}
                onChange={() => setOutcome(key)}
                {...(i === 0 ? { "data-first": true } : {})}
              />
              <span>{label}</span>
              <kbd>{i + 1}</kbd>
            </label>
          ))}
        </fieldset>
        <label>{words.note}<input name="note" maxLength={500} autocomplete="off" /></label>
        <button class="action primary" disabled={outcome === null}>{words.close}</button>
      </form>
    </Box>
  );
}

function Reopen() {
  const words = state.words.value;
  const alert = state.selected.value;
  if (!alert) return null;
  return (
    <Box title={`${words.reopen}: ${parts(alert, words, state.language.value).what}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void reopen(alert, { note: String(new FormData(event.currentTarget).get("note") ?? "") });
        }}
      >
        <label>{words.reason}<input data-first name="note" required maxLength={500} autocomplete="off" /></label>
        <button class="action primary">{words.reopen}</button>
      </form>
    </Box>
  );
}
