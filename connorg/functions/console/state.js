// What pages share of state: the address, what is read again and again, and what was said last.
import { useEffect, useRef, useState } from "./hooks.js";

const SECONDS = 5; // between two looks at what is shown

/** Return where the address leads: #/onboardings/ID?status=Failed is {path, filters}. */
export function place() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const steps = path.split("/").map(decoded);
  return { path: steps, filters: Object.fromEntries(new URLSearchParams(query)) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // somebody typed it
  }
}

/** Return the hash of a place: its steps, and the filters that have a value. */
export function to(steps, filters = {}) {
  const kept = Object.entries(filters).filter(([, value]) => value);
  const query = new URLSearchParams(kept).toString();
  return `#/${[steps].flat().map(encodeURIComponent).join("/")}${query ? `?${query}` : ""}`;
}

/** Go to a place without a step back to this one: filters change with each letter. */
export function replacePlace(hash) {
  history.replaceState(null, "", hash);
  dispatchEvent(new Event("hashchange"));
}

export function usePlace() {
  const [now, set] = useState(place);
  useEffect(() => {
    const note = () => set(place());
    addEventListener("hashchange", note);
    return () => removeEventListener("hashchange", note);
  }, []);
  return now;
}

let isPaused = false;

export function usePause() {
  const [paused, set] = useState(isPaused);
  return [paused, () => set((isPaused = !isPaused))];
}

/**
 * Read something now and, while the page can be seen, every few seconds.
 * What was read stays until there is more recent: nothing flickers.
 */
export function useLive(load, of, seconds = SECONDS) {
  const [state, set] = useState({});
  const again = useRef();
  useEffect(() => {
    const abort = new AbortController();
    let timer;
    const read = async () => {
      clearTimeout(timer);
      try {
        const data = await load(abort.signal);
        if (!abort.signal.aborted) set({ data });
      } catch (error) {
        if (!abort.signal.aborted) set((known) => ({ ...known, error }));
      }
      if (!abort.signal.aborted && seconds) timer = setTimeout(look, seconds * 1000);
    };
    const look = () => {
      if (document.hidden || isPaused) timer = setTimeout(look, 500);
      else read();
    };
    again.current = read;
    read();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, of);
  return { ...state, refresh: () => again.current() };
}

const BATCHES = "connorg-batches";
const MOST_BATCHES = 10;

/** Return the batches that this tab has looked at, the last one first: no route lists them. */
export const knownBatches = () => JSON.parse(sessionStorage.getItem(BATCHES) ?? "[]");

export function noteBatch({ id, createdDateTime }) {
  const others = knownBatches().filter((known) => known.id !== id);
  const known = [{ id, createdDateTime }, ...others].slice(0, MOST_BATCHES);
  sessionStorage.setItem(BATCHES, JSON.stringify(known));
}

/** Say something to whoever looks or listens: what an action has come to. */
export function say(text, { isError = false, others = [] } = {}) {
  dispatchEvent(new CustomEvent("connorg-said", { detail: { text, isError, others } }));
}

/** Return [busy, run]: run an action, one at a time, and say what went wrong. */
export function useAction(explain) {
  const [busy, set] = useState(false);
  const run = async (action) => {
    if (busy) return;
    set(true);
    try {
      await action();
    } catch (error) {
      say(explain(error), { isError: true });
    } finally {
      set(false);
    }
  };
  return [busy, run];
}
