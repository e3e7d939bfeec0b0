// The page: reads the form, runs the round trip, and puts what came of it where it is read and heard.

import * as keyring from './keyring.js';
import { read } from './model.js';
import { load } from './ring.js';
import { MODULES, Twin } from './twin.js';

const byId = (id) => document.getElementById(id);
const form = byId('my-twin');
const ready = start();
form.addEventListener('submit', (event) => run(event, calculate));
byId('passphrase').addEventListener('change', ({ target }) => keyring.begin(target.value));
byId('earlier').addEventListener('click', (event) => run(event, showEarlier));
byId('forget').addEventListener('click', (event) => run(event, forgetAll));

async function start() {
  try {
    const told = JSON.parse(byId('model').textContent);
    const [model, ring, known] = await Promise.all([read(told, MODULES), load(), keyring.isSet()]);
    choosing(!known);
    const { patient, evaluate, kept } = form.dataset;
    const twin = new Twin(model, ring, { evaluate, kept }, patient);
    document.querySelectorAll('#my-twin button').forEach((button) => { button.disabled = false; });
    say('Ready. Nothing has been sent.');
    return twin;
  } catch (error) {
    fail(error);
    throw error;
  }
}

async function calculate() {
  const twin = await ready;
  const values = answers();
  say('Sealing, sending, opening …');
  const { results, refusals } = await twin.assess(values, await unlocked());
  performance.mark('opened');
  say(results.length ? `Calculated: ${results.length} results, opened on this device.` : 'Nothing could be calculated, and nothing was sent.');
  byId('results').replaceChildren(...(results.length ? [table('Your results', results)] : []), ...refusals.map(refusal));
}

async function showEarlier() {
  const twin = await ready;
  const found = await twin.earlier(await unlocked());
  say(found.length ? `Opened ${found.length} earlier ${found.length === 1 ? 'request' : 'requests'}.` : 'There are no earlier results on this device.');
  byId('results').replaceChildren(
    ...found.map(({ when, results, problem }) => (problem ? paragraph(`${when}: ${problem}`) : table(`Calculated ${when}`, results))),
  );
}

async function forgetAll() {
  await keyring.forget();
  choosing(true);
  byId('results').replaceChildren();
  say('Every key on this device is gone. What the gateway keeps sealed can be opened by nobody now.');
}

async function unlocked() {
  const [given, again] = [byId('passphrase').value, byId('again').value];
  if (!byId('again-field').hidden && given !== again) {
    throw new Error('The two passphrases are not the same.');
  }
  const found = await keyring.unlock(given);
  choosing(false);
  return found;
}

function choosing(isNew) {
  byId('again-field').hidden = !isNew;
  byId('passphrase').autocomplete = isNew ? 'new-password' : 'current-password';
}

/** What was answered, by fact: numbers, words, yes and no. What was not answered is not there. */
function answers() {
  const values = {};
  form.querySelectorAll('[data-fact]').forEach((field) => {
    const text = field.value.trim();
    if (text) {
      values[field.dataset.fact] = valueOf(field, text);
    }
  });
  return values;
}

function valueOf(field, text) {
  if (field.dataset.kind === 'flag') {
    return text === 'yes';
  }
  if (field.dataset.kind === 'word') {
    return text;
  }
  if (!/^[0-9]+(\.[0-9]+)?$/.test(text)) {
    field.focus();
    throw new Error(`${field.labels[0].textContent.trim()}: write a number such as 120 or 3.5.`);
  }
  return field.dataset.fact === 'age' ? Math.floor(Number(text)) : Number(text);
}

/** Do one thing at a time, and tell what went wrong. */
async function run(event, work) {
  event.preventDefault();
  if (form.ariaBusy === 'true') {
    return;
  }
  form.ariaBusy = 'true';
  try {
    await work();
  } catch (error) {
    byId('results').replaceChildren();
    fail(error);
  } finally {
    form.ariaBusy = 'false';
  }
}

function say(text) {
  byId('status').className = '';
  byId('status').textContent = text;
}

function fail(error) {
  byId('status').className = 'banner failed';
  byId('status').textContent = error.message;
}

function table(title, rows) {
  const made = element('table');
  made.append(element('caption', title));
  const head = element('tr');
  head.append(...['What', 'Within', 'Risk', 'By'].map((text) => scoped('col', text)));
  made.createTHead().append(head);
  const body = made.createTBody();
  rows.forEach(({ predictor, outcome, years, percent }) => {
    const row = body.insertRow();
    row.append(scoped('row', outcome), element('td', `${years} years`), element('td', `${percent} %`), element('td', predictor));
  });
  const around = element('div');
  around.className = 'scroll';
  around.tabIndex = 0;
  around.setAttribute('role', 'region');
  around.setAttribute('aria-label', title);
  around.append(made);
  return around;
}

function refusal({ predictor, reasons }) {
  const list = element('ul');
  list.append(...reasons.map((reason) => element('li', reason)));
  const around = element('section');
  around.append(element('h3', `Not calculated, or not all of it: ${predictor}`), list);
  return around;
}

function paragraph(text) {
  return element('p', text);
}

function scoped(scope, text) {
  const cell = element('th', text);
  cell.scope = scope;
  return cell;
}

function element(name, text = '') {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
