// The list of onboardings: filters in the address, live, retry and cancel of many.
import { useEffect, useRef, useState } from "./hooks.js";
import { changeMany, download, list } from "./api.js";
import { html } from "./html.js";
import { Fault, Field, Heading, Onboarding, Question, Status, Ticket, Time, explain, partnerName, sourceName } from "./parts.js";
import { replacePlace, say, to, useAction, useLive } from "./state.js";
import { t } from "./texts.js";

const FILTERS = ["text", "status", "code", "since", "until", "channel", "reference", "batch"];
const REST = ["code", "channel", "reference", "batch", "until"];
const PAUSE = 300; // milliseconds after the last letter
const OPEN = new Set(["NotStarted", "Waiting"]);

/** Say how many were changed, and why the others were not. */
export function sayChanged({ changed, others }, words) {
  const text = words(changed) + (others.length ? t.notChanged(others.length) : "");
  say(text, { isError: !changed && others.length > 0, others });
}

export function Onboardings({ filters: all, rights }) {
  const filters = Object.fromEntries(FILTERS.map((name) => [name, all[name] ?? ""]));
  const where = JSON.stringify(filters);
  const [pages, setPages] = useState(1);
  const [selected, select] = useState(new Set());
  useEffect(() => {
    setPages(1);
    select(new Set());
  }, [where]);
  const live = useLive((signal) => list("onboardings", filters, pages, signal), [where, pages]);
  const shown = live.data?.value ?? [];
  const toggle = (id, on) => {
    const next = new Set(selected);
    if (on) next.add(id);
    else next.delete(id);
    select(next);
  };
  return html`<${Heading} page=${t.pages.onboardings} />
    <${Filters} filters=${filters} where=${where} />
    <${Fault} error=${live.error} />
    ${live.data && html`<${Actions} filters=${filters} shown=${shown} selected=${selected} select=${select}
      hasMore=${live.data.continuationToken} refresh=${live.refresh} rights=${rights} />
      ${shown.length
        ? html`<${Table} shown=${shown} selected=${selected} toggle=${toggle} select=${select} rights=${rights} />`
        : html`<p>${t.onboardings.none}</p>`}
      ${live.data.continuationToken && html`<p><button type="button" onClick=${() => setPages(pages + 1)}>${t.more}</button></p>`}`}
    ${!live.data && !live.error && html`<p class="quiet">${t.loading}</p>`}`;
}

function Filters({ filters, where }) {
  const [typed, type] = useState(filters);
  const timer = useRef();
  useEffect(() => type(filters), [where]);
  const change = (name, wait) => (event) => {
    const next = { ...typed, [name]: event.target.value };
    type(next);
    clearTimeout(timer.current);
    const go = () => {
      const trimmed = Object.entries(next).map(([key, value]) => [key, value.trim()]);
      replacePlace(to("onboardings", Object.fromEntries(trimmed)));
    };
    timer.current = setTimeout(go, wait);
  };
  const words = t.onboardings;
  const text = (name, label, help) => html`<${Field} name="filter-${name}" label=${label} help=${help}>${(field) =>
    html`<input ...${field} type="search" value=${typed[name]} onInput=${change(name, PAUSE)} />`}<//>`;
  const choice = (name, label, options) => html`<${Field} name="filter-${name}" label=${label}>${(field) =>
    html`<select ...${field} value=${typed[name]} onChange=${change(name, 0)}>
      ${options.map(([value, word]) => html`<option value=${value} selected=${typed[name] === value}>${word}</option>`)}
    </select>`}<//>`;
  const periods = Object.entries(words.periods);
  if (typed.since && !(typed.since in words.periods)) periods.push([typed.since, typed.since]);
  return html`<form class="filters" role="search" aria-label=${words.filters} onSubmit=${(event) => event.preventDefault()}>
    ${text("text", words.search, words.searchHelp)}
    ${choice("status", words.status, [["", words.anyStatus], ...Object.entries(t.statuses).filter(([name]) => name !== "Invalid")])}
    ${choice("since", words.since, periods)}
    <details open=${REST.some((name) => filters[name])}>
      <summary>${words.moreFilters}</summary>
      <div class="filters">
        ${text("code", words.code)} ${text("channel", words.channel)} ${text("reference", words.reference)}
        ${text("batch", words.batch)} ${text("until", words.until, words.untilHelp)}
      </div>
    </details>
    ${FILTERS.some((name) => filters[name]) && html`<a class="clear" href=${to("onboardings")}>${words.clear}</a>`}
  </form>`;
}

function Actions({ filters, shown, selected, select, hasMore, refresh, rights }) {
  const [busy, run] = useAction(explain);
  const [asks, ask] = useState(false);
  const words = t.onboardings;
  const ids = [...selected];
  const has = (fits) => shown.some((each) => selected.has(each.id) && fits(each.status));
  const change = (verb, which, said) =>
    run(async () => {
      say(t.working);
      sayChanged(await changeMany(verb, which), said);
      select(new Set());
      await refresh();
    });
  const canRetryAll = rights.manage && !ids.length && filters.status === "Failed" && shown.length > 0;
  return html`<div class="row toolbar">
    <p aria-live="polite">${ids.length ? words.selected(ids.length) : words.count(shown.length, hasMore)}</p>
    ${ids.length > 0 && html`
      ${has((status) => status === "Failed") && html`<button type="button" class="main" disabled=${busy}
        onClick=${() => change("retry", { ids }, t.retried)}>${words.retrySelected}</button>`}
      ${has((status) => OPEN.has(status)) && html`<button type="button" class="danger" disabled=${busy}
        onClick=${() => ask(true)}>${words.cancelSelected}</button>`}
      <button type="button" onClick=${() => select(new Set())}>${words.clearSelection}</button>`}
    ${canRetryAll && html`<button type="button" class="main" disabled=${busy}
      onClick=${() => change("retry", { filters }, t.retried)}>${words.retryMatching}</button>`}
    ${!ids.length && shown.length > 0 && html`<button type="button"
      onClick=${() => run(() => download("onboardings", { ...filters, top: 100 }, "onboardings.csv"))}>${words.export}</button>`}
    ${asks && html`<${Question} title=${t.cancelTitle(ids.length)} confirm=${t.cancelManyConfirm} danger
      onNo=${() => ask(false)}
      onYes=${() => {
        ask(false);
        change("cancel", { ids }, t.canceled);
      }}><p>${t.cancelText}</p><//>`}
  </div>`;
}

function Table({ shown, selected, toggle, select, rights }) {
  const words = t.onboardings.columns;
  const selectable = shown.filter((each) => each.status === "Failed" || OPEN.has(each.status));
  const isAll = selectable.length > 0 && selectable.every((each) => selected.has(each.id));
  const selectAll = (event) => select(new Set(event.target.checked ? selectable.map((each) => each.id) : []));
  return html`<div class="scroll"><table class="list">
    <caption class="unseen">${t.onboardings.table}</caption>
    <thead><tr>
      ${rights.manage && html`<td class="tick"><input type="checkbox" aria-label=${t.onboardings.selectAll}
        checked=${isAll} disabled=${!selectable.length} onChange=${selectAll} /></td>`}
      ${["partner", "status", "reason", "reference", "channel", "accepted", "changed"].map(
        (name) => html`<th scope="col">${words[name]}</th>`,
      )}
    </tr></thead>
    <tbody>${shown.map((each) => html`<tr key=${each.id} class=${selected.has(each.id) ? "selected" : ""}>
      ${rights.manage && html`<td class="tick">${selectable.includes(each) && html`<input type="checkbox"
        aria-label=${t.onboardings.selectOne(partnerName(each))} checked=${selected.has(each.id)}
        onChange=${(event) => toggle(each.id, event.target.checked)} />`}</td>`}
      <th scope="row"><${Onboarding} of=${each} />
        <span class="quiet under">${sourceName(each.request?.identitySources[0])}</span></th>
      <td data-label=${words.status}><${Status} of=${each.status} /></td>
      <td data-label=${words.reason} class="reason">${each.lastError && html`<span>${each.lastError.code}</span>
        <span class="quiet under clamped" title=${each.lastError.message}>${each.lastError.message}</span>`}</td>
      <td data-label=${words.reference}>${each.reference && html`<${Ticket} reference=${each.reference} />`}</td>
      <td data-label=${words.channel}>${each.source}</td>
      <td data-label=${words.accepted}><${Time} at=${each.createdDateTime} /></td>
      <td data-label=${words.changed}><${Time} at=${each.lastActionDateTime} /></td>
    </tr>`)}</tbody>
  </table></div>`;
}
