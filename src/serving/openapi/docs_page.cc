#include "serving/openapi/docs_page.h"

namespace slipway::serving::openapi {
namespace {

constexpr std::string_view kPage = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slipway</title>
<link rel="stylesheet" href="docs/page.css">
<script src="docs/page.js" defer></script>
</head>
<body>
<header><h1>Slipway</h1><p>Models served here. Programs read <a href="openapi.json">openapi.json</a>.</p></header>
<nav id="names" aria-label="Models"></nav>
<main id="models"><p>Loading …</p></main>
<noscript><p>This page needs JavaScript; <a href="openapi.json">openapi.json</a> says the same.</p></noscript>
</body>
</html>
)html";

constexpr std::string_view kStyle =
    R"css(:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0b6bcb; }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1rem 1.25rem 4rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; border-bottom: 1px solid var(--line); }
h1 { font-size: 1.35rem; margin: .25rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .25rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .35rem; }
nav { display: flex; flex-wrap: wrap; gap: .35rem 1rem; padding: .6rem 0; }
a { color: var(--accent); }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
code, pre, textarea { font: .875rem/1.5 ui-monospace, monospace; }
textarea { width: 100%; min-height: 9rem; padding: .5rem; border: 1px solid var(--line); border-radius: .35rem; resize: vertical; }
pre { margin: .5rem 0; padding: .6rem; overflow-x: auto; background: var(--soft); border-radius: .35rem; white-space: pre-wrap; word-break: break-word; }
button, select { font: inherit; padding: .3rem .9rem; border-radius: .35rem; border: 1px solid var(--line); cursor: pointer; }
button { background: var(--accent); color: #fff; border-color: transparent; }
.row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin: .5rem 0; }
.good { border-left: 4px solid #2a9d4a; }
.bad { border-left: 4px solid #c9362b; }
.muted { opacity: .7; }
)css";

constexpr std::string_view kScript = R"js('use strict';

const base = location.pathname.replace(/\/docs\/?$/, '');

function element(name, content, attributes = {}) {
  const node = document.createElement(name);
  for (const part of [content].flat()) if (part !== undefined && part !== null) node.append(part);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function resolve(api, schema) {
  while (schema && schema.$ref) schema = schema.$ref.slice(2).split('/').reduce((at, key) => at[key.replace('~1', '/')], api);
  return schema || {};
}

function words(schema) {
  if (schema.anyOf) return schema.anyOf.map(words).join(' or ');
  if (schema.enum) {
    const shown = schema.enum.slice(0, 12).map((value) => JSON.stringify(value)).join(', ');
    return schema.enum.length > 12 ? `${shown}, … (${schema.enum.length} values)` : shown;
  }
  if (schema.type === 'array') {
    const size = schema.minItems === undefined ? '' : `${schema.minItems} × `;
    return `list of ${size}${words(schema.items)}`;
  }
  if (schema.type === 'object') return `{${Object.keys(schema.properties || {}).join(', ')}}`;
  const notes = [];
  const low = schema.minimum, high = schema.maximum;
  const far = (bound) => bound === undefined || Math.abs(bound) > 9e18;
  if (!far(low) && !far(high)) notes.push(`${low} to ${high}`);
  else if (!far(low)) notes.push(`at least ${low}`);
  else if (!far(high)) notes.push(`at most ${high}`);
  if (schema.minLength !== undefined) notes.push(`at least ${schema.minLength} characters`);
  if (schema.maxLength !== undefined) notes.push(`at most ${schema.maxLength} characters`);
  if (schema.pattern) notes.push(`matches ${schema.pattern}`);
  const type = schema.format === 'date-time' ? 'timestamp' : schema.type || 'anything';
  return notes.length ? `${type}, ${notes.join(', ')}` : type;
}

function fields(schema, required) {
  const rows = Object.entries(schema.properties || {}).map(([name, column]) => element('tr', [
    element('td', element('code', name)), element('td', words(column)),
    ...(required ? [element('td', (schema.required || []).includes(name) ? 'required' : 'optional')] : []),
    element('td', column.description || ''),
  ]));
  const head = ['name', 'value', ...(required ? [''] : []), ''].map((text) => element('th', text));
  return element('div', element('table', [element('thead', element('tr', head)), element('tbody', rows)]), {class: 'table'});
}

function sample(schema) {
  if (schema.default !== undefined) return schema.default;
  if (schema.anyOf) return sample(schema.anyOf[0]);
  if (schema.enum) return schema.enum[0];
  if (schema.type === 'array') return Array.from({length: schema.minItems ?? 1}, () => sample(schema.items));
  if (schema.type === 'boolean') return false;
  if (schema.format === 'date-time') return '2024-01-31T12:00:00Z';
  if (schema.type === 'string') return 'x'.repeat(schema.minLength || 0);
  if (schema.type === 'integer' || schema.type === 'number') return Math.min(Math.max(0, schema.minimum ?? 0), schema.maximum ?? 0);
  return null;
}

function tryOut(path, examples, record) {
  const first = Object.keys(examples)[0];
  const show = (value) => JSON.stringify(value, null, 1).replace(/\n\s*/g, ' ').replace(/, "/g, ',\n "');
  const made = Object.fromEntries(Object.entries(record.properties || {})
    .filter(([name]) => (record.required || []).includes(name)).map(([name, column]) => [name, sample(column)]));
  const input = element('textarea', show(first ? examples[first].value : made), {'aria-label': 'Record', spellcheck: 'false'});
  const choice = element('select', Object.keys(examples).map((name) => element('option', name, {value: name})), {'aria-label': 'Example'});
  choice.addEventListener('change', () => { input.value = show(examples[choice.value].value); });
  const button = element('button', 'Predict', {type: 'button'});
  const status = element('span', '', {class: 'muted', role: 'status'});
  const answer = element('pre', '', {hidden: ''});
  const command = element('pre', '', {hidden: ''});
  button.addEventListener('click', async () => {
    const begun = performance.now();
    try {
      const response = await fetch(base + path, {method: 'POST', headers: {'Content-Type': 'application/json'}, body: input.value});
      const text = await response.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* as it came */ }
      status.textContent = `${response.status}, ${(performance.now() - begun).toFixed(1)} ms`;
      answer.textContent = shown;
      answer.className = response.ok ? 'good' : 'bad';
    } catch (error) {
      status.textContent = '';
      answer.textContent = `No answer: ${error.message}`;
      answer.className = 'bad';
    }
    const quoted = input.value.replace(/\n\s*/g, '').replace(/'/g, `'\\''`);
    command.textContent = `curl ${location.origin}${base}${path} -d '${quoted}'`;
    answer.hidden = command.hidden = false;
  });
  return element('div', [input, element('div', [button, ...(first ? [choice] : []), status], {class: 'row'}), answer, command]);
}

function model(api, path, operation) {
  const name = path.slice('/predict/'.length);
  const record = resolve(api, {$ref: `#/components/schemas/${name}.Record`});
  const prediction = resolve(api, {$ref: `#/components/schemas/${name}.Prediction`});
  const examples = operation.requestBody.content['application/json'].examples || {};
  return element('section', [
    element('h2', name), element('p', operation.summary), element('p', operation.description, {class: 'muted'}),
    element('h3', 'Record'), fields(record, true), ...(record.description ? [element('pre', record.description)] : []),
    element('h3', 'Prediction'), fields(prediction, false),
    element('h3', 'Try it'), tryOut(path, examples, record),
  ], {id: `model-${name}`});
}

async function main() {
  const place = document.getElementById('models');
  try {
    const api = await (await fetch(`${base}/openapi.json`)).json();
    const paths = Object.entries(api.paths).filter(([path]) => path.startsWith('/predict/'));
    place.replaceChildren(...paths.map(([path, item]) => model(api, path, item.post)));
    if (!paths.length) place.replaceChildren(element('p', 'No model is served yet.'));
    document.getElementById('names').replaceChildren(...paths.map(([path]) => {
      const name = path.slice('/predict/'.length);
      return element('a', name, {href: `#model-${name}`});
    }));
  } catch (error) {
    place.replaceChildren(element('p', `openapi.json cannot be read: ${error.message}`));
  }
}

main();
)js";

}  // namespace

std::string_view DocsPage() {
  return kPage;
}

std::string_view DocsScript() {
  return kScript;
}

std::string_view DocsStyle() {
  return kStyle;
}

}  // namespace slipway::serving::openapi
