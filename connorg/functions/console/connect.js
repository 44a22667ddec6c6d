// Connect one partner, with a dry run while its form is filled in; or all partners of a file.
import { useEffect, useState } from "./hooks.js";
import { call } from "./api.js";
import { html } from "./html.js";
import { Differences } from "./onboarding.js";
import { Fault, Field, Heading, explain } from "./parts.js";
import { FileForm } from "./file.js";
import { say, to, useAction } from "./state.js";
import { t } from "./texts.js";

const PAUSE = 600; // milliseconds after the last letter
const SOURCES = {
  domainIdentitySource: ["domainName"],
  azureActiveDirectoryTenant: ["tenantId"],
  externalDomainFederation: ["domainName", "issuerUri"],
  crossCloudAzureActiveDirectoryTenant: ["tenantId", "cloudInstance"],
};

export function Connect({ filters, rights }) {
  const isFile = filters.way === "file";
  const ways = [["", t.connect.one], ["file", t.connect.file]];
  return html`<${Heading} page=${t.pages.connect} />
    <nav class="tabs" aria-label=${t.connect.ways}><ul>${ways.map(([way, word]) => html`<li key=${way}>
      <a href=${to("connect", { way })} aria-current=${isFile === (way === "file") ? "page" : undefined}>${word}</a>
    </li>`)}</ul></nav>
    ${isFile ? html`<${FileForm} />` : html`<${OneForm} rights=${rights} />`}`;
}

/** Return the body of a request, or nothing where it names no partner yet. */
function bodyOf(typed) {
  const value = (name) => typed[name]?.trim();
  const keys = SOURCES[typed.type];
  if (!value("displayName") || keys.some((name) => !value(name))) return undefined;
  const source = { "@odata.type": `#microsoft.graph.${typed.type}` };
  for (const name of keys) source[name] = value(name);
  const body = {
    displayName: value("displayName"),
    description: value("description") || value("displayName"),
    identitySources: [source],
    state: typed.state,
  };
  for (const name of ["reference", "ifExists"]) if (value(name)) body[name] = value(name);
  for (const name of ["internalSponsors", "externalSponsors"]) {
    const sponsors = (value(name) ?? "").split(/[\s;,]+/).filter(Boolean);
    if (sponsors.length) body[name] = sponsors;
  }
  return body;
}

/** Return faults by the field that each is about. */
function faultsOf(error) {
  const found = {};
  for (const { pointer, detail } of error?.errors ?? []) {
    const [, first, ...rest] = pointer.split("/");
    const name = first === "identitySources" ? rest.at(-1) : first;
    found[name] = [found[name], detail].filter(Boolean).join(" ");
  }
  return found;
}

function OneForm({ rights }) {
  const [typed, type] = useState({ type: "domainIdentitySource", state: "configured" });
  const [forecast, tell] = useState({});
  const [busy, run] = useAction(explain);
  const body = bodyOf(typed);
  const text = JSON.stringify(body);
  useEffect(() => {
    if (!text) return tell({});
    const abort = new AbortController();
    const ask = async () => {
      try {
        const parameters = { dryRun: true };
        const { data } = await call("POST", "connected-organizations", { parameters, body, signal: abort.signal });
        tell({ data });
      } catch (error) {
        if (!abort.signal.aborted) tell({ error });
      }
    };
    const timer = setTimeout(ask, PAUSE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  const submit = (event) => {
    event.preventDefault();
    run(async () => {
      try {
        const { data } = await call("POST", "connected-organizations", { body, headers: { Prefer: "wait=5" } });
        say(t.connect.accepted[data.status] ?? t.connect.accepted.other);
        location.hash = to(["onboardings", data.id]);
      } catch (error) {
        if (error.onboardingId) location.hash = to(["onboardings", error.onboardingId]);
        throw error;
      }
    });
  };
  const faults = faultsOf(forecast.error ?? forecast.data);
  const set = (name) => (event) => type({ ...typed, [name]: event.target.value });
  const field = (name, options = {}) => html`<${Field} name=${name} label=${t.fields[name]} help=${options.help}
    fault=${faults[name]}>${(described) => html`<${options.as ?? "input"} ...${described} value=${typed[name] ?? ""}
      required=${options.required} onInput=${set(name)} autocomplete="off" />`}<//>`;
  const words = t.connect;
  const choice = (name, label, options) => html`<${Field} name=${name} label=${label}>${(described) => html`<select ...${described}
    value=${typed[name] ?? ""} onChange=${set(name)}>${options.map(
      ([value, word]) => html`<option value=${value} selected=${(typed[name] ?? "") === value}>${word}</option>`,
    )}</select>`}<//>`;
  const ifExists = Object.entries(words.ifExists).filter(([value]) => value !== "update" || rights.manage);
  return html`<form class="columns" onSubmit=${submit}>
    <section aria-label=${words.one}>
      ${field("displayName", { required: true })}
      ${choice("type", t.fields.identitySources, Object.entries(words.sources))}
      ${SOURCES[typed.type].map((name) => field(name, { required: true, help: words.help[name] }))}
      ${field("description", { as: "textarea", help: words.help.description })}
      <fieldset class="choice field"><legend>${t.fields.state}</legend>${Object.entries(t.states).map(
        ([value, word]) => html`<label><input type="radio" name="state" value=${value} checked=${typed.state === value}
          onChange=${set("state")} /> ${word}</label>`,
      )}</fieldset>
      ${field("internalSponsors", { help: words.help.sponsors })} ${field("externalSponsors")}
      ${field("reference", { help: words.help.reference })}
      ${choice("ifExists", t.fields.ifExists, ifExists)}
      <p><button type="submit" class="main" disabled=${busy || !body}>${words.submit}</button></p>
    </section>
    <section aria-labelledby="forecast"><h2 id="forecast">${words.forecast}</h2>
      <div aria-live="polite"><${Forecast} ...${forecast} isBlank=${!body} faults=${faults} /></div>
    </section>
  </form>`;
}

function Forecast({ data, error, isBlank, faults }) {
  const words = t.connect;
  if (isBlank) return html`<p class="quiet">${words.fillIn}</p>`;
  if (error?.errors.length) {
    return html`<p class="notice bad">${words.hasFaults}</p><ul>${Object.entries(faults).map(
      ([name, detail]) => html`<li>${t.fields[name] ?? name}: ${detail}</li>`,
    )}</ul>`;
  }
  if (error) return html`<${Fault} error=${error} />`;
  if (!data) return html`<p class="quiet">${t.loading}</p>`;
  const { prospect, tenant, organization, differences, onboardingId } = data;
  const tone = { refused: "bad", create: "good" }[prospect] ?? "warn";
  return html`<p class="notice ${tone}">${words.prospects[prospect] ?? prospect}</p>
    ${data.error && html`<p>${data.error.message}</p>`}
    ${data.error?.action && html`<p class="advice">${data.error.action}</p>`}
    ${data.errors?.length > 0 && html`<ul>${data.errors.map((each) => html`<li>${each.detail}</li>`)}</ul>`}
    ${tenant && html`<p>${words.tenant(tenant.displayName ?? tenant.tenantId, tenant.defaultDomainName ?? t.none)}</p>`}
    ${organization && html`<p><a href=${to(["partners", organization.id])}>${organization.displayName}</a></p>`}
    ${differences?.length > 0 && html`<h3>${t.onboarding.differences}</h3><${Differences} of=${differences} />`}
    ${onboardingId && html`<p><a href=${to(["onboardings", onboardingId])}>${words.openOnboarding}</a></p>`}`;
}
