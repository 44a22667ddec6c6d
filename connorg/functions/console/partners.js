// The organizations in Entra: search, and reports of those that need somebody.
import { useEffect, useRef, useState } from "./hooks.js";
import { download, get, list } from "./api.js";
import { html } from "./html.js";
import { Fault, Field, Heading, Read, Time, explain, sourceName } from "./parts.js";
import { replacePlace, to, useAction, useLive } from "./state.js";
import { t } from "./texts.js";

const REPORTS = ["without-sponsors", "proposed", "unrequested"];
const PAUSE = 300; // milliseconds after the last letter
const ALL_PAGES = 30; // a tenant holds 2,500 organizations at most
const KEPT = 300_000; // milliseconds for which a search asks Graph nothing

let everything = { at: 0 };

/** Graph finds whole names alone. So all organizations are read, once for a while, and searched here. */
async function search(text, state, signal) {
  if (Date.now() - everything.at > KEPT) {
    everything = { ...(await list("connected-organizations", {}, ALL_PAGES, signal)), at: Date.now() };
  }
  const sought = text.toLowerCase();
  const isSought = (word) => word?.toLowerCase().includes(sought);
  const words = (each) => [
    each.displayName,
    each.description,
    each.id,
    ...(each.identitySources ?? []).flatMap((source) => [source.domainName, source.tenantId, source.displayName]),
  ];
  return {
    value: everything.value.filter((each) => (!state || each.state === state) && words(each).some(isSought)),
  };
}

export function Partners({ filters }) {
  const { view, text, state } = filters;
  const report = REPORTS.includes(view) ? `reports/${view}` : null;
  const [pages, setPages] = useState(1);
  const where = JSON.stringify([view, text, state]);
  useEffect(() => setPages(1), [where]);
  const load = (signal) => {
    if (report) return get(report, {}, signal);
    return text ? search(text, state, signal) : list("connected-organizations", { state }, pages, signal);
  };
  const live = useLive(load, [where, pages], 0);
  const refresh = () => {
    everything = { at: 0 };
    return live.refresh();
  };
  const words = t.partners;
  return html`<${Heading} page=${t.pages.partners} />
    <nav class="tabs" aria-label=${words.views}><ul>${["", ...REPORTS].map((name) => html`<li key=${name}>
      <a href=${to("partners", { view: name })} aria-current=${(report ? view : "") === name ? "page" : undefined}
        >${words.view[name]}</a></li>`)}</ul></nav>
    ${report ? html`<p class="quiet">${words.help[view]}</p>` : html`<${Search} text=${text} state=${state} />`}
    <${Fault} error=${live.error} />
    <${Read} live=${{ data: live.data }}>${({ value, continuationToken }) => html`
      <${Toolbar} count=${value.length} hasMore=${continuationToken} path=${report ?? "connected-organizations"}
        asked=${report ? {} : { state }} isSearch=${!report && text} refresh=${refresh} />
      ${value.length ? html`<${Table} of=${value} />` : html`<p>${words.none}</p>`}
      ${continuationToken && html`<p><button type="button" onClick=${() => setPages(pages + 1)}>${t.more}</button></p>`}`}<//>`;
}

function Search({ text = "", state = "" }) {
  const [typed, type] = useState(text);
  const timer = useRef();
  useEffect(() => type(text), [text]);
  const go = (next) => replacePlace(to("partners", next));
  const note = (event) => {
    const { value } = event.target;
    type(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => go({ text: value.trim(), state }), PAUSE);
  };
  const words = t.partners;
  return html`<form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
    <${Field} name="search" label=${words.search} help=${words.searchHelp}>${(field) =>
      html`<input ...${field} type="search" value=${typed} onInput=${note} />`}<//>
    <${Field} name="state" label=${t.fields.state}>${(field) => html`<select ...${field} value=${state}
      onChange=${(event) => go({ text: typed.trim(), state: event.target.value })}>
      ${[["", words.anyState], ...Object.entries(t.states)].map(
        ([value, word]) => html`<option value=${value} selected=${state === value}>${word}</option>`,
      )}
    </select>`}<//>
  </form>`;
}

function Toolbar({ count, hasMore, path, asked, isSearch, refresh }) {
  const [busy, run] = useAction(explain);
  return html`<div class="row toolbar">
    <p aria-live="polite">${t.partners.count(count, hasMore)}</p>
    <button type="button" disabled=${busy} onClick=${() => run(refresh)}>${t.refresh}</button>
    ${count > 0 && !isSearch && html`<button type="button" disabled=${busy} onClick=${() => run(() =>
      download(path, asked, "partners.csv"))}>${t.download}</button>`}
  </div>`;
}

export function State({ of }) {
  return html`<span class="status ${of}">${t.states[of] ?? of}</span>`;
}

export const sourcesOf = (organization) => organization.identitySources?.map(sourceName).join(", ");

function Table({ of }) {
  const { fields } = t;
  return html`<div class="scroll"><table class="list">
    <caption class="unseen">${t.pages.partners}</caption>
    <thead><tr>${["displayName", "state", "identitySources", "createdDateTime", "modifiedDateTime"].map(
      (name) => html`<th scope="col">${fields[name]}</th>`,
    )}</tr></thead>
    <tbody>${of.map((each) => html`<tr key=${each.id}>
      <th scope="row"><a href=${to(["partners", each.id])}>${each.displayName || each.id}</a>
        <span class="quiet under clamped">${each.description}</span></th>
      <td data-label=${fields.state}><${State} of=${each.state} /></td>
      <td data-label=${fields.identitySources}>${sourcesOf(each)}</td>
      <td data-label=${fields.createdDateTime}><${Time} at=${each.createdDateTime} /></td>
      <td data-label=${fields.modifiedDateTime}><${Time} at=${each.modifiedDateTime} /></td>
    </tr>`)}</tbody>
  </table></div>`;
}
