// What came in and what became of it, what failed and why, and what waits for what.
import { useState } from "./hooks.js";
import { changeMany, get, list } from "./api.js";
import { html } from "./html.js";
import { Chart, grouped } from "./chart.js";
import { Heading, Onboarding, Read, Time, explain } from "./parts.js";
import { say, to, useAction, useLive } from "./state.js";
import { sayChanged } from "./onboardings.js";
import { t } from "./texts.js";

const WEEK = { since: "7d" };
const HOUR = 3_600_000; // milliseconds

async function load(signal) {
  const [week, failed, waiting, health] = await Promise.all([
    get("onboardings/summary", WEEK, signal),
    get("onboardings/summary", { ...WEEK, status: "Failed" }, signal),
    get("onboardings/summary", { status: "Waiting" }, signal),
    healthOf(signal),
  ]);
  const [oldest] = await Promise.all([
    oldestOf(waiting, signal),
    ...[...failed.byCode, ...waiting.byCode].map((cause) => readExample(cause, signal)),
  ]);
  return { week, failed, waiting, health, oldest };
}

/** Return the health, also where nothing can be accepted. */
async function healthOf(signal) {
  try {
    return await get("health", {}, signal);
  } catch (error) {
    if (error.checks) return error;
    throw error;
  }
}

const examples = new Map(); // by id: each is read once, until it has another error

async function readExample({ code, example }, signal) {
  if (examples.get(example)?.lastError?.code !== code) {
    examples.set(example, await get(`onboardings/${example}`, {}, signal));
  }
}

/** Return the one that waits longest. Lists begin with the newest; so only its hour is listed. */
async function oldestOf({ byHour }, signal) {
  if (!byHour.length) return undefined;
  const since = byHour[0].hour;
  const until = new Date(Date.parse(since) + HOUR).toISOString();
  const { value } = await list("onboardings", { status: "Waiting", since, until }, 10, signal);
  return value.at(-1);
}

export function Overview({ rights }) {
  const live = useLive(load, []);
  return html`<${Heading} page=${t.pages.overview} />
    <${Read} live=${live}>${(data) => html`<${Content} ...${data} rights=${rights} refresh=${live.refresh} />`}<//>`;
}

function Content({ week, failed, waiting, health, oldest, rights, refresh }) {
  return html`<div class="overview">
    <${Flow} week=${week} rights=${rights} />
    <${Failures} failed=${failed} rights=${rights} refresh=${refresh} />
    <${Waiting} week=${week} waiting=${waiting} oldest=${oldest} />
    <${Health} health=${health} gate=${week.gate} />
  </div>`;
}

function Flow({ week, rights }) {
  const [hours, set] = useState(168);
  const periods = [[24, t.overview.day], [168, t.overview.week]];
  const bars = grouped(week.byHour, hours);
  if (!week.total) {
    return html`<section aria-labelledby="flow">
      <h2 id="flow">${t.overview.chartTitle}</h2>
      <p>${t.overview.empty} ${rights.submit && html`<a href=${to("connect")}>${t.overview.connectFirst}</a>`}</p>
    </section>`;
  }
  return html`<section class="wide" aria-labelledby="flow">
    <div class="row">
      <h2 id="flow">${t.overview.chartTitle}</h2>
      <fieldset class="choice"><legend class="unseen">${t.overview.period}</legend>
        ${periods.map(([value, label]) => html`<label>
          <input type="radio" name="period" checked=${hours === value} onChange=${() => set(value)} />
          ${label}
        </label>`)}
      </fieldset>
    </div>
    <${Chart} bars=${bars} period=${periods.find(([value]) => value === hours)[1]} />
  </section>`;
}

function Failures({ failed, rights, refresh }) {
  const [busy, run] = useAction(explain);
  const total = failed.byStatus.Failed;
  const retry = (filters) =>
    run(async () => {
      say(t.working);
      sayChanged(await changeMany("retry", { filters: { ...WEEK, status: "Failed", ...filters } }), t.retried);
      await refresh();
    });
  if (!total) {
    return html`<section aria-labelledby="failures">
      <h2 id="failures">${t.overview.failures}</h2><p class="quiet">${t.overview.noFailures}</p>
    </section>`;
  }
  return html`<section class="wide" aria-labelledby="failures">
    <div class="row">
      <h2 id="failures">${t.overview.failures} <span class="quiet">${t.overview.failuresSince}</span></h2>
      ${rights.manage && failed.byCode.length > 1 && html`<button
        type="button" disabled=${busy} onClick=${() => retry({})}
      >${t.overview.retryAll(total)}</button>`}
    </div>
    <ul class="causes">${failed.byCode.map((cause) => html`<li key=${cause.code}>
      <${Cause} cause=${cause} status="Failed" filters=${WEEK} />
      ${rights.manage && html`<button type="button" class="main" disabled=${busy}
        aria-describedby="cause-Failed-${cause.code}" onClick=${() => retry({ code: cause.code })}
      >${cause.count === 1 ? t.overview.retryThisOne : t.overview.retryThese(cause.count)}</button>`}
    </li>`)}</ul>
  </section>`;
}

function Cause({ cause, status, filters }) {
  const example = examples.get(cause.example);
  const listed = to("onboardings", { status, code: cause.code, ...filters });
  return html`<div>
    <h3 id="cause-${status}-${cause.code}"><span class="count">${cause.count}</span> ${cause.code}</h3>
    ${example?.lastError?.code === cause.code && html`<p>${example.lastError.message}</p>`}
    ${cause.action && html`<p class="advice">${cause.action}</p>`}
    <p class="quiet">
      ${t.overview.latest} ${example && html`<${Onboarding} of=${example} />`} ·${" "}
      <a href=${listed}>${t.overview.listed(cause.count)}</a>
    </p>
  </div>`;
}

function Waiting({ week, waiting, oldest }) {
  const { gate } = week;
  const isCause = waiting.byCode.some((cause) => cause.action && cause.action === gate.action);
  return html`<section class=${waiting.total ? "wide" : ""} aria-labelledby="waiting">
    <h2 id="waiting">${t.overview.waiting}</h2>
    ${gate.open
      ? !gate.reason && html`<p class="quiet">${t.overview.gateOpen}</p>`
      : html`<p class="notice warn">${t.overview.gateClosed}${
          gate.until && html` ${t.overview.until} <${Time} at=${gate.until} />`
        }.</p>`}
    ${!isCause && gate.reason && html`<p>${gate.reason}</p>`}
    ${!isCause && gate.action && html`<p class="advice">${gate.action}</p>`}
    ${!waiting.total && html`<p class="quiet">${t.overview.noWaiting}</p>`}
    ${waiting.byCode.length > 0 && html`<ul class="causes">${waiting.byCode.map(
      (cause) => html`<li key=${cause.code}>
        <${Cause} cause=${cause} status="Waiting" />
      </li>`,
    )}</ul>`}
    ${oldest && html`<p>${t.overview.oldest} <${Onboarding} of=${oldest} />, ${t.overview.since} <${Time}
      at=${oldest.createdDateTime} /></p>`}
  </section>`;
}

function Health({ health, gate }) {
  const wrong = health.checks.filter((check) => check.status !== "healthy");
  const isTold = (check) => check.action && check.action === gate.action; // under what waits
  return html`<section aria-labelledby="health">
    <h2 id="health">${t.overview.health} <span class="quiet">${health.version}</span></h2>
    ${!wrong.length && html`<p class="quiet">${t.overview.healthy}</p>`}
    ${wrong.map((check) => html`<div class="notice warn" key=${check.name}>
      <h3>${check.name}: ${check.status}</h3>
      ${check.detail && html`<p>${check.detail}</p>`}
      ${check.action && !isTold(check) && html`<p class="advice">${check.action}</p>`}
    </div>`)}
  </section>`;
}
