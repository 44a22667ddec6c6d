// One organization in Entra: its state, sources and sponsors, and what may be changed.
import { useState } from "./hooks.js";
import { call, get } from "./api.js";
import { html } from "./html.js";
import { Copy, Facts, Field, Heading, Question, Read, Time, explain } from "./parts.js";
import { State, sourcesOf } from "./partners.js";
import { say, to, useAction, useLive } from "./state.js";
import { t } from "./texts.js";

const KINDS = ["internalSponsors", "externalSponsors"];

async function load(id, signal) {
  const path = `connected-organizations/${encodeURIComponent(id)}`;
  const [organization, ...sponsors] = await Promise.all([
    call("GET", path, { signal }),
    ...KINDS.map((kind) => get(`${path}/${kind}`, {}, signal)),
  ]);
  return {
    path,
    organization: organization.data,
    etag: organization.headers.get("ETag"),
    sponsors: sponsors.map(({ value }) => value),
  };
}

export function PartnerPage({ id, rights }) {
  const live = useLive((signal) => load(id, signal), [id], 0);
  const name = live.data?.organization.displayName ?? id;
  return html`<p><a href=${to("partners")}>${t.pages.partners}</a></p>
    <${Heading} page=${name} />
    <${Read} live=${live}>${(data) => html`<${Content} ...${data} rights=${rights} refresh=${live.refresh} />`}<//>`;
}

function Content({ path, organization, etag, sponsors, rights, refresh }) {
  const words = t.partner;
  const { id, displayName, state } = organization;
  const [busy, run] = useAction(explain);
  const [asks, ask] = useState(null); // edit, delete
  const change = (body) =>
    run(async () => {
      await call("PATCH", path, { body, headers: { "If-Match": etag } });
      say(words.changed);
      ask(null);
      await refresh();
    });
  const remove = () =>
    run(async () => {
      await call("DELETE", path, { parameters: { displayName }, headers: { "If-Match": etag } });
      say(words.deleted(displayName));
      location.hash = to("partners");
    });
  const other = state === "proposed" ? "configured" : "proposed";
  return html`<div class="row">
      <p class="lead"><${State} of=${state} /></p>
      <p class="actions">
        ${rights.manage && html`<button type="button" class=${other === "configured" ? "main" : ""} disabled=${busy}
            onClick=${() => change({ state: other })}>${words.become[other]}</button>
          <button type="button" onClick=${() => ask("edit")}>${words.edit}</button>`}
        ${rights.remove && html`<button type="button" class="danger" onClick=${() => ask("delete")}>${words.delete}</button>`}
      </p>
    </div>
    <div class="columns">
      <div>${KINDS.map((kind, index) => html`<${Sponsors} key=${kind} kind=${kind} of=${sponsors[index]} path="${path}/${kind}"
        rights=${rights} refresh=${refresh} />`)}</div>
      <section aria-labelledby="organization"><h2 id="organization">${t.onboarding.organization}</h2>
        <${Facts} of=${[
          [t.fields.description, organization.description],
          [t.fields.identitySources, sourcesOf(organization) || t.none],
          [t.fields.createdDateTime, html`<${Time} at=${organization.createdDateTime} />`],
          [t.fields.modifiedDateTime, organization.modifiedDateTime && html`<${Time} at=${organization.modifiedDateTime} />`],
          [t.fields.id, html`<${Copy} text=${id} label=${t.fields.id} />`],
        ]} />
        <p><a href=${to("onboardings", { text: displayName })}>${words.onboardings}</a></p>
      </section>
    </div>
    ${asks === "edit" && html`<${Edit} of=${organization} busy=${busy} onYes=${change} onNo=${() => ask(null)} />`}
    ${asks === "delete" && html`<${Delete} name=${displayName} busy=${busy} onYes=${remove} onNo=${() => ask(null)} />`}`;
}

function Sponsors({ kind, of, path, rights, refresh }) {
  const words = t.partner;
  const [busy, run] = useAction(explain);
  const [text, type] = useState("");
  const add = (event) => {
    event.preventDefault();
    run(async () => {
      await call("POST", path, { body: { sponsor: text.trim() } });
      type("");
      say(words.sponsorAdded);
      await refresh();
    });
  };
  const remove = (id) =>
    run(async () => {
      await call("DELETE", `${path}/${encodeURIComponent(id)}`);
      say(words.sponsorRemoved);
      await refresh();
    });
  return html`<section aria-labelledby=${kind}><h2 id=${kind}>${t.fields[kind]}</h2>
    ${of.length === 0 && html`<p class="notice warn">${words.noSponsors}</p>`}
    <ul class="causes">${of.map((each) => html`<li key=${each.id}>
      <div>${each.displayName ?? each.userPrincipalName ?? each.id}
        <span class="quiet under">${each.displayName && each.userPrincipalName} ${each.id}</span></div>
      ${rights.manage && html`<button type="button" class="small" disabled=${busy}
        aria-label=${words.removeSponsor(each.displayName ?? each.id)} onClick=${() => remove(each.id)}>${words.remove}</button>`}
    </li>`)}</ul>
    ${rights.manage && html`<form onSubmit=${add}>
      <${Field} name="add-${kind}" label=${words.addSponsor} help=${words.sponsorHelp}>${(field) => html`<span class="inline">
        <input ...${field} required value=${text} onInput=${(event) => type(event.target.value)} />
        <button type="submit" disabled=${busy}>${words.add}</button></span>`}<//>
    </form>`}
  </section>`;
}

function Edit({ of, busy, onYes, onNo }) {
  const [typed, type] = useState({ displayName: of.displayName, description: of.description });
  const field = (name, as) => html`<${Field} name="edit-${name}" label=${t.fields[name]}>${(described) => html`<${as} ...${described}
    required value=${typed[name] ?? ""} onInput=${(event) => type({ ...typed, [name]: event.target.value })} />`}<//>`;
  return html`<${Question} title=${t.partner.editTitle} confirm=${t.partner.save} disabled=${busy} onNo=${onNo}
    onYes=${() => onYes(typed)}>${field("displayName", "input")} ${field("description", "textarea")}<//>`;
}

/** A delete is confirmed by the name, typed. */
function Delete({ name, busy, onYes, onNo }) {
  const [typed, type] = useState("");
  return html`<${Question} title=${t.partner.deleteTitle(name)} confirm=${t.partner.deleteConfirm} danger
    disabled=${busy || typed !== name} onYes=${onYes} onNo=${onNo}>
    <p>${t.partner.deleteText}</p>
    <${Field} name="confirm" label=${t.partner.typeName(name)}>${(field) => html`<input ...${field} autocomplete="off"
      value=${typed} onInput=${(event) => type(event.target.value)} />`}<//>
  <//>`;
}
