// The way through the gateway: a sealed vector goes, sealed sums come. Whatever else an answer asks for, it gets nothing.

import { CIPHERTEXT_BYTES } from './ring.js';

const JSON_TYPE = 'application/fhir+json';
const KNOWN = new Set(['request', 'sums', 'engine', 'vector-kept', 'sums-kept']);

/** A gateway or an engine that wants more than ciphertext. */
export class KeyWanted extends Error {
  constructor() {
    super('This page was asked for more than a sealed vector. It sends nothing else, least of all a key; do not use a gateway or an engine that asks for one.');
  }
}

/** Send a sealed vector; gives `{sums, vectorKept, sumsKept}`. */
export async function evaluate(address, { profile, panel, request, vector }) {
  const parameter = [
    { name: 'profile', valueCode: profile },
    { name: 'panel', valueString: panel },
    { name: 'request', valueString: request },
    { name: 'vector', valueBase64Binary: base64(vector) },
  ];
  const answer = await call(address, {
    method: 'POST',
    body: JSON.stringify({ resourceType: 'Parameters', parameter }),
    headers: { 'Content-Type': JSON_TYPE, Accept: JSON_TYPE },
  });
  const told = Object.fromEntries((answer.parameter ?? []).map((one) => [one.name, one]));
  if (Object.keys(told).some((name) => !KNOWN.has(name))) {
    throw new KeyWanted();
  }
  if (answer.resourceType !== 'Parameters' || told.request?.valueString !== request) {
    throw new Error('The answer is not one to this request, so it was thrown away.');
  }
  return {
    sums: bytes(told.sums?.valueBase64Binary),
    vectorKept: told['vector-kept']?.valueReference?.reference ?? '',
    sumsKept: told['sums-kept']?.valueReference?.reference ?? '',
  };
}

/** Sealed sums that the gateway keeps. */
export async function kept(address, reference) {
  const id = reference.replace(/^Binary\//, '');
  const resource = await call(`${address}/${encodeURIComponent(id)}`, { headers: { Accept: JSON_TYPE } });
  return bytes(resource.data);
}

async function call(address, options) {
  const answer = await fetch(address, { ...options, redirect: 'error', credentials: 'same-origin', cache: 'no-store' });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const reasons = (body.issue ?? []).map(({ diagnostics }) => diagnostics).join(' ');
    throw new Error(`The gateway refuses with status ${answer.status}. ${reasons}`.trim());
  }
  return body;
}

export function base64(data) {
  let text = '';
  for (let start = 0; start < data.length; start += 0x8000) {
    text += String.fromCharCode(...data.subarray(start, start + 0x8000));
  }
  return btoa(text);
}

/** One ciphertext, of exactly its length. */
function bytes(text) {
  const data = typeof text === 'string' ? Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0)) : [];
  if (data.length !== CIPHERTEXT_BYTES) {
    throw new Error('The answer holds no ciphertext of the right length, so it was thrown away.');
  }
  return data;
}
