// Parts that several pages are made of.
import { useEffect, useLayoutEffect, useRef, useState } from "./hooks.js";
import { html } from "./html.js";
import { t } from "./texts.js";
import { to } from "./state.js";

const SIGNS = {
  NotStarted: "○",
  Running: "◐",
  Waiting: "◔",
  Succeeded: "✓",
  Failed: "✕",
  Canceled: "–",
  Invalid: "✕",
};

export function Status({ of }) {
  return html`<span class="status ${of}"><span aria-hidden="true">${SIGNS[of] ?? "?"}</span> ${
    t.statuses[of] ?? of
  }</span>`;
}

const format = (options) => new Intl.DateTimeFormat(undefined, options).format;
const date = format({ dateStyle: "medium" });
const today = format({ timeStyle: "medium" });
const thisYear = format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const earlier = format({ dateStyle: "medium", timeStyle: "short" });

function shortest(moment) {
  const now = new Date();
  if (date(moment) === date(now)) return today(moment);
  return (moment.getFullYear() === now.getFullYear() ? thisYear : earlier)(moment);
}

/** A moment in the viewer's zone, with UTC as its title. */
export function Time({ at }) {
  if (!at) return null;
  const moment = new Date(at);
  const utc = t.utc(moment.toISOString().slice(0, 19).replace("T", " "));
  return html`<time datetime=${at} title=${utc}>${shortest(moment)}</time>`;
}

/** A text of the API, with its moments in the viewer's zone. */
export function WithTimes({ text }) {
  const parts = text.split(/(\d{4}-\d\d-\d\dT[\d:.]+Z)/);
  return html`${parts.map((part, index) => (index % 2 ? html`<${Time} at=${part} />` : part))}`;
}

/** Say what went wrong in the API's words, and what to do. */
export function explain(error) {
  if (error.status === 0) return t.unreachable;
  const words = [error.message, ...error.errors.map((fault) => fault.detail), error.action];
  return words.filter(Boolean).join(" ") || t.noAnswer(error.status);
}

export function Fault({ error }) {
  return error && html`<p class="notice bad" role="alert">${explain(error)}</p>`;
}

/** What is read: a fault, the content, or a word that it is being read. */
export function Read({ live, children }) {
  return html`<${Fault} error=${live.error} />${
    live.data ? children(live.data) : !live.error && html`<p class="quiet">${t.loading}</p>`
  }`;
}

export function Copy({ text, label }) {
  const [done, set] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    set(true);
    setTimeout(() => set(false), 2000);
  };
  return html`<span class="copied"><code>${text}</code> <button
    type="button" class="small" onClick=${copy} aria-label="${t.copy}: ${label}"
  >${done ? t.copied : t.copy}</button></span>`;
}

/** Names and values, without those that have none. */
export function Facts({ of }) {
  const known = of.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return html`<dl class="facts">${known.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

/** Name an identity source by what it is known by. */
export function sourceName(source) {
  const { domainName, tenantId, cloudInstance, displayName } = source ?? {};
  const name = domainName ?? tenantId ?? displayName;
  return cloudInstance ? `${name} (${cloudInstance})` : name;
}

export function partnerName(onboarding) {
  return onboarding.request?.displayName ?? t.onboardings.unreadable;
}

const TICKET = document.documentElement.dataset.ticketLink;

/** A ticket, as a link where the app knows how. */
export function Ticket({ reference }) {
  if (!TICKET || !reference) return reference;
  const address = TICKET.split("{reference}").join(encodeURIComponent(reference));
  return html`<a href=${address} target="_blank" rel="noopener noreferrer">${reference}</a>`;
}

export function Onboarding({ of }) {
  return html`<a href=${to(["onboardings", of.id])}>${partnerName(of)}</a>`;
}

/** A question in front of everything else. It takes the focus, and gives it back. */
export function Question({ title, confirm, danger, disabled, onYes, onNo, children }) {
  const dialog = useRef();
  useLayoutEffect(() => dialog.current.showModal(), []);
  const answer = (event) => {
    event.preventDefault();
    onYes();
  };
  return html`<dialog ref=${dialog} aria-labelledby="question" onClose=${onNo}>
    <form onSubmit=${answer}>
      <h2 id="question">${title}</h2>
      ${children}
      <p class="actions">
        <button type="submit" class=${danger ? "danger" : "main"} disabled=${disabled}>${confirm}</button>
        <button type="button" onClick=${() => dialog.current.close()}>${t.keep}</button>
      </p>
    </form>
  </dialog>`;
}

/** A field with its label, a help text, and what is wrong with it. */
export function Field({ name, label, help, fault, children }) {
  const notes = [help && `${name}-help`, fault && `${name}-fault`].filter(Boolean).join(" ");
  const described = { id: name, "aria-describedby": notes || undefined };
  return html`<div class="field">
    <label for=${name}>${label}</label>
    ${children({ ...described, "aria-invalid": fault ? "true" : undefined })}
    ${help && html`<p class="quiet" id="${name}-help">${help}</p>`}
    ${fault && html`<p class="fault" id="${name}-fault">${fault}</p>`}
  </div>`;
}

/** The heading of a page. It takes the focus when the page opens, so that it is read aloud. */
export function Heading({ children, page }) {
  const heading = useRef();
  useEffect(() => {
    document.title = t.pageTitle(page);
    heading.current.focus({ preventScroll: true });
  }, [page]);
  return html`<h1 ref=${heading} tabindex="-1">${children ?? page}</h1>`;
}
