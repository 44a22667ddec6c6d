// Has Microsoft's Kusto language service read the queries that it is given, against tables.json, the
// columns in use of "Azure Monitor Logs reference". Exit code 1 where it finds a fault.
"use strict";

const fs = require("fs");
const path = require("path");
const vm = require("vm");

// Transpiled from .NET, it expects to be loaded as a page does.
const service = path.join(__dirname, "node_modules/@kusto/language-service-next");
for (const script of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(service, script), "utf8"), script);
}
const { KustoCode, GlobalState, Symbols } = globalThis.Kusto.Language;
const { System } = globalThis;

function workspace() {
  const tables = new (System.Collections.Generic.List$1(Symbols.Symbol).ctor)();
  const described = JSON.parse(fs.readFileSync(path.join(__dirname, "tables.json"), "utf8"));
  for (const [name, columns] of Object.entries(described)) {
    const schema = Object.entries(columns).map(([column, type]) => `${column}: ${type}`).join(", ");
    tables.add(Symbols.TableSymbol.From(`(${schema})`).WithName(name));
  }
  return GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor1("workspace", tables));
}

function faults(text, globals) {
  const found = KustoCode.ParseAndAnalyze(text, globals).GetDiagnostics();
  return Array.from({ length: System.Array.getCount(found) }, (_, i) => System.Array.getItem(found, i));
}

const globals = workspace();
const queries = process.argv.slice(2);
for (const query of queries) {
  const text = fs.readFileSync(query, "utf8");
  for (const fault of faults(text, globals)) {
    const line = text.slice(0, fault.Start).split("\n").length;
    console.error(`${query}:${line}: ${fault.Message}`);
    process.exitCode = 1;
  }
}
console.log(`${queries.length} queries read`);
