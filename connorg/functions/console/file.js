// A file of partners: its faults, what would become of it, and its start.
import { useRef, useState } from "./hooks.js";
import { call } from "./api.js";
import { html } from "./html.js";
import { Fault, Field, Time, explain } from "./parts.js";
import { knownBatches, to, useAction } from "./state.js";
import { t } from "./texts.js";

const TYPES = { csv: "text/csv", json: "application/json", ndjson: "application/x-ndjson", jsonl: "application/x-ndjson" };
const SHOWN = 200; // rows at once

const typeOf = (file) => TYPES[file.name.split(".").at(-1).toLowerCase()] ?? "application/octet-stream";

export function FileForm() {
  const [chosen, choose] = useState(null); // {file, id, forecast, error}
  const [isOver, over] = useState(false);
  const latest = useRef();
  const words = t.file;
  const check = async (file) => {
    if (!file) return;
    latest.current = file;
    const about = { file, id: crypto.randomUUID() };
    choose(about);
    let told;
    try {
      const { data } = await call("POST", "batches", { parameters: { dryRun: true }, body: file, type: typeOf(file) });
      told = { forecast: data };
    } catch (error) {
      told = { error };
    }
    if (latest.current === file) choose({ ...about, ...told });
  };
  const drop = (event) => {
    event.preventDefault();
    over(false);
    check(event.dataTransfer.files[0]);
  };
  const drag = (on) => (event) => {
    event.preventDefault();
    over(on);
  };
  return html`<section aria-label=${t.connect.file}>
      <label class="drop ${isOver ? "over" : ""}" onDragOver=${drag(true)} onDragLeave=${drag(false)} onDrop=${drop}>
        <span>${words.drop}</span> <span class="quiet">${words.kinds}</span>
        <input type="file" class="unseen" accept=".csv,.json,.ndjson,.jsonl,.txt" onChange=${(event) => {
          check(event.target.files[0]);
          event.target.value = ""; // so that the corrected file of the same name can be chosen
        }} />
      </label>
      <div aria-live="polite">${chosen && html`<p><b>${chosen.file.name}</b>${
        !chosen.forecast && !chosen.error && html` · <span class="quiet">${words.checking}</span>`
      }</p>`}</div>
      <${Fault} error=${chosen?.error} />
    </section>
    ${!chosen && knownBatches().length > 0 && html`<section aria-labelledby="batches"><h2 id="batches">${words.batches}</h2>
      <ul>${knownBatches().map(({ id, createdDateTime }) => html`<li key=${id}>
        <a href=${to(["batches", id])}>${t.batch.title}, <${Time} at=${createdDateTime} /></a></li>`)}</ul>
    </section>`}
    ${chosen?.forecast && html`<${Checked} key=${chosen.id} ...${chosen} />`}`;
}

function Checked({ file, id, forecast }) {
  const [skips, skip] = useState(false);
  const [reference, refer] = useState("");
  const [busy, run] = useAction(explain);
  const words = t.file;
  const { rows, counts, ignoredColumns } = forecast;
  const faulty = rows.filter((row) => row.errors?.length);
  const good = rows.length - faulty.length;
  const start = (event) => {
    event.preventDefault();
    run(async () => {
      const parameters = { onInvalid: skips ? "skip" : "reject", reference: reference.trim() };
      // The same click twice, or again after an answer that was lost, is the same batch.
      const headers = { "Idempotency-Key": `${id}-${parameters.onInvalid}-${encodeURIComponent(parameters.reference)}` };
      const { data } = await call("POST", "batches", { parameters, body: file, type: typeOf(file), headers });
      location.hash = to(["batches", data.id]);
    });
  };
  return html`<section aria-labelledby="checked">
      <h2 id="checked">${words.rows(rows.length)}</h2>
      <ul class="legend">${Object.entries(counts).filter(([, count]) => count).map(
        ([prospect, count]) => html`<li key=${prospect}><b>${count}</b> ${words.prospects[prospect] ?? prospect}</li>`,
      )}</ul>
      ${ignoredColumns.length > 0 && html`<p class="quiet">${words.ignored(ignoredColumns.join(", "))}</p>`}
      <form onSubmit=${start}>
        <${Field} name="reference" label=${t.fields.reference} help=${words.referenceHelp}>${(field) => html`<input ...${field}
          value=${reference} onInput=${(event) => refer(event.target.value)} autocomplete="off" />`}<//>
        ${faulty.length > 0 && good > 0 && html`<div class="choice field"><label><input type="checkbox" checked=${skips}
          onChange=${(event) => skip(event.target.checked)} /> ${words.skip(faulty.length)}</label></div>`}
        <p><button type="submit" class="main" disabled=${busy || !good || (faulty.length > 0 && !skips)}>${words.start(good)}</button></p>
      </form>
    </section>
    ${faulty.length > 0 && html`<${Faults} of=${faulty} />`}
    <${Rows} of=${rows.filter((row) => !row.errors?.length)} />`;
}

function Faults({ of }) {
  const words = t.file;
  const faults = of.flatMap((row) => row.errors.map((fault) => ({ ...fault, name: row.name })));
  return html`<section aria-labelledby="faults"><h2 id="faults">${words.faults(faults.length)}</h2>
    <div class="scroll"><table class="list">
      <thead><tr>${[words.row, words.column, t.fields.displayName, words.fault].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${faults.slice(0, SHOWN).map((fault) => html`<tr>
        <th scope="row">${words.rowNumber(fault.row)}</th>
        <td data-label=${words.column}>${fault.column ?? fault.pointer}</td>
        <td data-label=${t.fields.displayName}>${fault.name}</td><td data-label=${words.fault}>${fault.detail}</td>
      </tr>`)}</tbody>
    </table></div>
    ${faults.length > SHOWN && html`<p class="quiet">${words.notShown(faults.length - SHOWN)}</p>`}
  </section>`;
}

function Rows({ of }) {
  const words = t.file;
  if (!of.length) return null;
  return html`<section aria-labelledby="rows"><h2 id="rows">${words.forecast}</h2>
    <div class="scroll"><table class="list">
      <thead><tr>${[words.row, t.fields.displayName, words.prospect].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${of.slice(0, SHOWN).map((row) => html`<tr key=${row.row}>
        <th scope="row">${words.rowNumber(row.row)}</th><td data-label=${t.fields.displayName}>${row.name}</td>
        <td data-label=${words.prospect}>${words.prospects[row.prospect] ?? row.prospect}${
          row.duplicateOf && ` (${words.rowNumber(row.duplicateOf)})`
        } ${row.error && html`<span class="quiet under">${row.error.message}</span>`}</td>
      </tr>`)}</tbody>
    </table></div>
    ${of.length > SHOWN && html`<p class="quiet">${words.notShown(of.length - SHOWN)}</p>`}
  </section>`;
}
