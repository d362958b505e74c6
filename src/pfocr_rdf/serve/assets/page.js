// Fills the editor with a question. Its parameters are terms of SPARQL, each checked before it takes its place.
"use strict";

const asked = JSON.parse(document.getElementById("questions").textContent);
const endpoint = new URL("sparql", document.baseURI).href;
const term = /(?:<[^<>"{}|^`\\\s]*>|"(?:[^"\\\n]|\\.)*"(?:\^\^<[^<>"{}|^`\\\s]+>|@[A-Za-z0-9-]+)?|[0-9]+(?:\.[0-9]+)?)/;
const one = new RegExp(`^${term.source}$`);
const several = new RegExp(`^${term.source}(?:\\s+${term.source})*$`);
const each = new RegExp(term.source, "g");
const select = document.getElementById("question");
const about = document.getElementById("about");
const fields = document.getElementById("parameters");
const button = document.getElementById("run");

Yasgui.Yasqe.defaults.autocompleters = []; // they ask other servers
Yasgui.Yasqe.defaults.value = "SELECT ?graph (COUNT(*) AS ?triples) WHERE {\n  GRAPH ?graph { ?s ?p ?o }\n} GROUP BY ?graph ORDER BY ?graph\n";
const yasgui = new Yasgui(document.getElementById("editor"), {
  persistenceId: "pfocr-rdf",
  requestConfig: { endpoint, method: "POST" },
  endpointCatalogueOptions: { getData: () => [{ endpoint }], keys: [] },
  copyEndpointOnNewTab: true,
});

const groups = new Map();
for (const question of asked) {
  if (!groups.has(question.category)) {
    const group = document.createElement("optgroup");
    group.label = question.category;
    groups.set(question.category, group);
    select.append(group);
  }
  const option = new Option(question.title, question.name);
  groups.get(question.category).append(option);
}

function picked() {
  return asked.find((question) => question.name === select.value);
}

function value(name) {
  return fields.querySelector(`[name="${name}"]`).value.trim();
}

function filled(part) {
  if (typeof part === "string") return part;
  const given = value(part.parameter);
  return "tail" in part ? given.match(each).length + part.tail : given;
}

function fill() {
  const question = picked();
  if (!question || !check()) return false;
  const text = question.query.map(filled).join("");
  const tab = yasgui.getTab();
  tab.setEndpoint(endpoint);
  tab.getYasqe().setValue(`# ${question.title}\n${text}`);
  return true;
}

function check() {
  let good = true;
  for (const field of fields.querySelectorAll("input")) {
    const list = picked().lists.includes(field.name);
    const is = (list ? several : one).test(field.value.trim());
    field.setCustomValidity(is ? "" : `Give ${list ? "IRIs" : "one IRI"} in <>, one text in "", or one number`);
    good &&= is;
  }
  return good;
}

select.addEventListener("change", () => {
  const question = picked();
  about.hidden = button.hidden = !question;
  fields.replaceChildren();
  if (!question) return;
  about.textContent = question.description;
  for (const [name, given] of Object.entries(question.parameters)) {
    const label = document.createElement("label");
    const field = document.createElement("input");
    Object.assign(field, { name, value: given, spellcheck: false, required: true });
    field.addEventListener("input", fill);
    label.append(name, field);
    fields.append(label);
  }
  fill();
});

document.getElementById("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (fill()) yasgui.getTab().getYasqe().query();
});
