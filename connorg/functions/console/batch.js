// A batch: how far it is, what failed first, and its results.
import { useEffect, useState } from "./hooks.js";
import { call, download, get } from "./api.js";
import { html } from "./html.js";
import { Copy, Facts, Heading, Question, Read, Status, Ticket, Time, explain } from "./parts.js";
import { noteBatch, say, to, useAction, useLive } from "./state.js";
import { t } from "./texts.js";

const SECONDS = 2; // between two looks

export function BatchPage({ id, rights }) {
  const path = `batches/${encodeURIComponent(id)}`;
  const live = useLive((signal) => get(path, {}, signal), [id], SECONDS);
  return html`<p><a href=${to("connect", { way: "file" })}>${t.connect.file}</a></p>
    <${Heading} page=${t.batch.title} />
    <${Read} live=${live}>${(data) => html`<${Content} of=${data} path=${path} rights=${rights} refresh=${live.refresh} />`}<//>`;
}

function timeLeft(seconds) {
  if (seconds === null) return null;
  const text = seconds < 90 ? t.batch.seconds(seconds) : t.batch.minutes(Math.round(seconds / 60));
  return t.batch.left(text);
}

function Content({ of, path, rights, refresh }) {
  const [busy, run] = useAction(explain);
  useEffect(() => noteBatch(of), [of.id]);
  const [asks, ask] = useState(false);
  const words = t.batch;
  const { counts, rows } = of;
  const open = (counts.NotStarted ?? 0) + (counts.Waiting ?? 0);
  const pace = [of.perSecond && words.rate(of.perSecond), timeLeft(of.secondsLeft)].filter(Boolean).join(" · ");
  const change = (method, at, said) =>
    run(async () => {
      await call(method, at);
      say(said);
      await refresh();
    });
  return html`<section aria-label=${words.title}>
      <div class="row">
        <p class="lead"><${Status} of=${of.status} /></p>
        <p class="actions">
          ${rights.manage && counts.Failed > 0 && html`<button type="button" class="main" disabled=${busy}
            onClick=${() => change("POST", `${path}/retry`, words.retried)}>${words.retry}</button>`}
          ${rights.manage && open > 0 && html`<button type="button" class="danger" disabled=${busy}
            onClick=${() => ask(true)}>${words.cancel}</button>`}
          <button type="button" disabled=${busy} onClick=${() =>
            run(() => download(`${path}/results`, {}, `${of.id}.csv`))}>${words.results}</button>
        </p>
      </div>
      <progress max=${rows} value=${rows - open} aria-label=${words.progress(rows - open, rows)}></progress>
      <p>${words.progress(rows - open, rows)}${pace && html` · <span class="quiet">${pace}</span>`}</p>
      <ul class="legend">${Object.entries(counts).filter(([, count]) => count).map(
        ([status, count]) => html`<li key=${status}><b>${count}</b> <${Status} of=${status} /></li>`,
      )}</ul>
      <${Facts} of=${[
        [t.fields.reference, of.reference && html`<${Ticket} reference=${of.reference} />`],
        [t.fields.createdDateTime, html`<${Time} at=${of.createdDateTime} />`],
        [t.fields.id, html`<${Copy} text=${of.id} label=${t.fields.id} />`],
      ]} />
      <p><a href=${to("onboardings", { batch: of.id })}>${words.onboardings}</a></p>
    </section>
    ${of.firstErrors.length > 0 && html`<section aria-labelledby="errors"><h2 id="errors">${words.errors}</h2>
      <ul class="causes">${of.firstErrors.map(({ row, name, error }) => html`<li key=${row}><div>
        <h3>${t.file.rowNumber(row)}: ${name}</h3>
        <p>${error.message}</p>${error.action && html`<p class="advice">${error.action}</p>`}
        <p class="quiet">${error.code}</p>
      </div></li>`)}</ul>
    </section>`}
    ${asks && html`<${Question} title=${words.cancelTitle} confirm=${words.cancelConfirm} danger onNo=${() => ask(false)}
      onYes=${() => {
        ask(false);
        change("DELETE", path, words.canceled);
      }}><p>${words.cancelText}</p><//>`}`;
}
