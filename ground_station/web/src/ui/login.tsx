import { useRef, useState } from "preact/hooks";
import { login, setLanguage } from "../app/session";
import * as state from "../app/state";
import { Refused } from "../core/api";

export function Login() {
  const words = state.words.value;
  const [error, setError] = useState<string | null>(null);
  const noticed = useRef(false);
  const [waiting, setWaiting] = useState(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setWaiting(true);
    setError(null);
    try {
      await login({ user: String(form.get("user")), password: String(form.get("password")) });
    } catch (problem) {
      setError(problem instanceof Refused ? `${words.login.wrong}: ${problem.message}` : words.notSent);
      setWaiting(false);
    }
  }

  return (
    <main class="login">
      {/* Whoever types has noticed: the alarm of an ended watch stops with the first letter. */}
      <form
        onSubmit={(event) => void submit(event)}
        onInput={() => {
          noticed.current ||= state.sessionEnded.value;
          state.sessionEnded.value = false;
        }}
      >
        <img src="./favicon.svg" width="56" height="56" alt="" />
        <h1>{words.title}</h1>
        {(state.sessionEnded.value || noticed.current) && (
          <p role="alert" class="error">{words.login.ended}</p>
        )}
        {state.complaint.value && <p role="alert" class="error">{state.complaint.value}</p>}
        <label>
          {words.login.user}
          <input name="user" autocomplete="username" required maxLength={64} autofocus />
        </label>
        <label>
          {words.login.password}
          <input name="password" type="password" autocomplete="current-password" required maxLength={256} />
        </label>
        {error && <p role="alert" class="error">{error}</p>}
        <button class="primary" disabled={waiting}>{words.login.enter}</button>
        <button type="button" class="quiet-button" onClick={() => setLanguage(state.language.value === "vi" ? "en" : "vi")}>
          {words.otherLanguage}
        </button>
      </form>
    </main>
  );
}
