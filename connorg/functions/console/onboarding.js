// One onboarding: why it is as it is, what happened, what was asked for, and what stands in Entra.
import { useState } from "./hooks.js";
import { call, get } from "./api.js";
import { html } from "./html.js";
import { Copy, Facts, Heading, Question, Read, Status, Ticket, Time, WithTimes, explain, partnerName, sourceName } from "./parts.js";
import { say, to, useAction, useLive } from "./state.js";
import { t } from "./texts.js";

export function OnboardingPage({ id, rights }) {
  const live = useLive((signal) => get(`onboardings/${encodeURIComponent(id)}`, {}, signal), [id]);
  const name = live.data ? partnerName(live.data) : id;
  return html`<p><a href=${to("onboardings")}>${t.pages.onboardings}</a></p>
    <${Heading} page=${name} />
    <${Read} live=${live}>${(data) => html`<${Content} of=${data} rights=${rights} refresh=${live.refresh} />`}<//>`;
}

function Content({ of, rights, refresh }) {
  const { request, result, lastError, status } = of;
  const words = t.onboarding;
  return html`<div class="row">
      <p class="lead"><${Status} of=${status} />${of.conclusion && html` · ${words.conclusions[of.conclusion]}`}</p>
      ${rights.manage && html`<${Buttons} of=${of} refresh=${refresh} />`}
    </div>
    <div class="columns">
      <div>
        ${lastError && html`<section aria-labelledby="why">
          <h2 id="why">${words.why[status] ?? words.why.other}</h2><${Trouble} of=${lastError} />
          ${of.nextAttemptDateTime && html`<p>${words.nextAttempt}: <${Time} at=${of.nextAttemptDateTime} /></p>`}
        </section>`}
        ${of.warnings?.length > 0 && html`<section aria-labelledby="warnings">
          <h2 id="warnings">${words.warnings}</h2>${of.warnings.map((each) => html`<${Trouble} of=${each} />`)}
        </section>`}
        ${of.differences?.length > 0 && html`<section aria-labelledby="differences">
          <h2 id="differences">${words.differences}</h2><${Differences} of=${of.differences} />
        </section>`}
        <section aria-labelledby="history"><h2 id="history">${words.history}</h2><${History} of=${of.history} /></section>
      </div>
      <div>
        <section aria-labelledby="request"><h2 id="request">${words.request}</h2>
          <${Facts} of=${[
            ...(request ? asked(request) : []),
            [t.fields.reference, of.reference && html`<${Ticket} reference=${of.reference} />`],
            [t.fields.channel, of.source],
            [words.attempts, of.attempts],
            [t.fields.createdDateTime, html`<${Time} at=${of.createdDateTime} />`],
            [words.id, html`<${Copy} text=${of.id} label=${words.id} />`],
          ]} />
        </section>
        ${result && html`<section aria-labelledby="organization"><h2 id="organization">${words.organization}</h2>
          ${of.deletedDateTime && html`<p class="notice warn">${words.deleted}, <${Time} at=${of.deletedDateTime} /></p>`}
          <${Facts} of=${[
            [t.fields.displayName, result.displayName],
            [t.fields.state, t.states[result.state] ?? result.state],
            [t.fields.tenant, result.tenant && `${result.tenant.displayName} (${result.tenant.tenantId})`],
            [t.fields.id, html`<${Copy} text=${result.id} label=${t.fields.id} />`],
          ]} />
          ${!of.deletedDateTime && html`<p><a href=${to(["partners", result.id])}>${words.openOrganization}</a></p>`}
        </section>`}
      </div>
    </div>`;
}

/** What was asked for, as facts. */
function asked(request) {
  const several = (values) => values?.join(", ");
  return [
    [t.fields.description, request.description],
    [t.fields.identitySources, sourceName(request.identitySources[0])],
    [t.fields.state, t.states[request.state] ?? request.state],
    [t.fields.internalSponsors, several(request.internalSponsors)],
    [t.fields.externalSponsors, several(request.externalSponsors)],
    [t.fields.ifExists, request.ifExists],
  ];
}

export function Differences({ of }) {
  return html`<ul>${of.map(
    ({ attribute, requested, actual }) => html`<li>${t.onboarding.difference(
      t.fields[attribute] ?? attribute, requested ?? t.none, actual ?? t.none,
    )}</li>`,
  )}</ul>`;
}

function Trouble({ of }) {
  const words = t.onboarding;
  return html`<p>${of.message}</p>
    ${of.action && html`<p class="advice">${of.action}</p>`}
    <${Facts} of=${[
      [words.code, of.code],
      [words.graphCode, of.graphCode],
      [words.graphRequestId, of.graphRequestId && html`<${Copy} text=${of.graphRequestId} label=${words.graphRequestId} />`],
    ]} />`;
}

function History({ of }) {
  const words = t.onboarding;
  if (!of.length) return html`<p class="quiet">${words.noHistory}</p>`;
  return html`<ol class="history">${of.map((step) => html`<li class=${step.code ? "troubled" : step.step}>
    <p><b>${words.steps[step.step] ?? step.step}</b> <${Time} at=${step.dateTime} /></p>
    ${step.outcome && html`<p><${WithTimes} text=${step.outcome} /></p>`}
    <p class="quiet">
      ${step.code && html`<span>${step.code}</span>`} ${step.graphStatus && html`<span>${words.graphStatus(step.graphStatus)}</span>`}${" "}
      ${step.by && html`<span>${words.by} ${step.by === "key" ? words.byKey : step.by}</span>`}
    </p>
    ${step.graphRequestId && html`<p class="quiet">${words.graphRequestId} <${Copy} text=${step.graphRequestId} label=${words.graphRequestId} /></p>`}
  </li>`)}</ol>`;
}

function Buttons({ of, refresh }) {
  const [busy, run] = useAction(explain);
  const [asks, ask] = useState(false);
  const change = (method, path, said) =>
    run(async () => {
      await call(method, path);
      say(said(1));
      await refresh();
    });
  const address = `onboardings/${of.id}`;
  return html`<p class="actions">
    ${of.status === "Failed" && html`<button type="button" class="main" disabled=${busy}
      onClick=${() => change("POST", `${address}/retry`, t.retried)}>${t.onboarding.retry}</button>`}
    ${["NotStarted", "Waiting"].includes(of.status) && html`<button type="button" class="danger" disabled=${busy}
      onClick=${() => ask(true)}>${t.onboarding.cancel}</button>`}
    ${asks && html`<${Question} title=${t.cancelTitle(1)} confirm=${t.cancelConfirm} danger onNo=${() => ask(false)}
      onYes=${() => {
        ask(false);
        change("DELETE", address, t.canceled);
      }}><p>${t.cancelText}</p><//>`}
  </p>`;
}
