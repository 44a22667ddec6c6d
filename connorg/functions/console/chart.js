// Bars of what was accepted, each divided by what became of it; the same as a table.
import { html } from "./html.js";
import { Time } from "./parts.js";
import { t } from "./texts.js";

const HOUR = 3_600_000; // milliseconds
const HEIGHT = 140;
const AXIS = 18;

/** Return the last hours in bars of one hour (a day) or six (a week), oldest first. */
export function grouped(byHour, hours) {
  const size = (hours > 48 ? 6 : 1) * HOUR;
  const start = (Math.floor(Date.now() / HOUR) + 1 - hours) * HOUR;
  const bars = Array.from({ length: (hours * HOUR) / size }, (_, index) => ({
    from: new Date(start + index * size),
    accepted: 0,
    succeeded: 0,
    failed: 0,
  }));
  for (const each of byHour) {
    const bar = bars[Math.floor((Date.parse(each.hour) - start) / size)];
    for (const name of ["accepted", "succeeded", "failed"]) if (bar) bar[name] += each[name];
  }
  return bars;
}

const moment = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

export function Chart({ bars, period }) {
  const sum = (name) => bars.reduce((total, bar) => total + bar[name], 0);
  const [accepted, succeeded, failed] = ["accepted", "succeeded", "failed"].map(sum);
  const most = Math.max(1, ...bars.map((bar) => bar.accepted));
  const width = Math.max(280, Math.min(1240, innerWidth - 100)); // so that texts keep their size
  const step = width / bars.length;
  const isDay = bars.length === 24;
  const day = width > 500 ? date : weekday;
  const label = (bar) => (isDay ? clock : day).format(bar.from);
  return html`<figure>
    <ul class="legend">
      <li><b>${accepted}</b> ${t.overview.accepted}</li>
      <li class="succeeded"><b>${succeeded}</b> ${t.overview.succeeded}</li>
      <li class="failed"><b>${failed}</b> ${t.overview.failed}</li>
      <li class="open"><b>${accepted - succeeded - failed}</b> ${t.overview.open}</li>
    </ul>
    <svg class="chart" viewBox="0 0 ${width} ${HEIGHT + AXIS}" role="img"
      aria-label=${t.overview.chart(accepted, succeeded, failed, period)}>
      <line class="axis" x1="0" x2=${width} y1=${HEIGHT} y2=${HEIGHT} />
      <text class="most" x="0" y="11">${most}</text>
      ${bars.map((bar, index) => {
        const parts = [
          ["succeeded", bar.succeeded],
          ["failed", bar.failed],
          ["open", bar.accepted - bar.succeeded - bar.failed],
        ];
        let y = HEIGHT;
        return html`<g key=${+bar.from}>
          <title>${t.overview.bar(moment.format(bar.from), bar.accepted, bar.succeeded, bar.failed)}</title>
          ${parts.map(([name, count]) => {
            const height = (count / most) * (HEIGHT - 16);
            y -= height;
            return count > 0 && html`<rect class=${name} x=${index * step + step * 0.12} y=${y}
              width=${step * 0.76} height=${Math.max(1, height)} />`;
          })}
          ${index % 4 === 0 && html`<text x=${index * step + step * 0.12} y=${HEIGHT + 14}>${label(bar)}</text>`}
        </g>`;
      })}
    </svg>
    <details>
      <summary>${t.overview.asTable}</summary>
      <table>
        <thead><tr><th scope="col">${t.overview.from}</th><th scope="col">${t.overview.accepted}</th>
          <th scope="col">${t.overview.succeeded}</th><th scope="col">${t.overview.failed}</th></tr></thead>
        <tbody>${bars.filter((bar) => bar.accepted).map((bar) => html`<tr key=${+bar.from}>
          <th scope="row"><${Time} at=${bar.from.toISOString()} /></th>
          <td>${bar.accepted}</td><td>${bar.succeeded}</td><td>${bar.failed}</td>
        </tr>`)}</tbody>
      </table>
    </details>
  </figure>`;
}
