// The whole round trip: answered values → features → sealed → gateway → engine → gateway → opened → percentages.

import { panelValues, prepare, results } from './assess.js';
import { base64, evaluate, kept } from './gateway.js';
import { AnswerRefused, hexadecimal, rounded } from './panel.js';
import * as kfre from './predictors/kfre-4-variable.js';
import * as prevent from './predictors/prevent-base.js';

export const MODULES = { 'kfre-4-variable': kfre, 'prevent-base': prevent };

export class Twin {
  constructor(model, ring, addresses, patient) {
    Object.assign(this, { model, ring, addresses, patient });
  }

  /** Seal, send, open, show. The key is kept before anything is sent, and gone when the answer was not right. */
  async assess(values, keyring) {
    const { model, ring } = this;
    const prepared = this.#prepared(values);
    if (prepared.every(({ outputs }) => !outputs.length)) {
      return { results: [], refusals: refusals(prepared) };
    }
    const { slots, secrets } = model.panel.lay(panelValues(model.panel, prepared));
    const key = ring.makeKey();
    const request = hexadecimal(crypto.getRandomValues(new Uint8Array(16)));
    const content = { when: new Date().toISOString(), key: base64(key), secrets, values, digest: model.digest };
    await keyring.keep(request, this.patient, content);
    try {
      const vector = ring.encrypt(slots.re, slots.im, key);
      const sent = { profile: model.profile, panel: model.digest, request, vector };
      const { sums, vectorKept, sumsKept } = await evaluate(this.addresses.evaluate, sent);
      const found = this.#opened(prepared, sums, key, secrets);
      await keyring.keep(request, this.patient, { ...content, vectorKept, sumsKept });
      return { results: found, refusals: refusals(prepared) };
    } catch (error) {
      await keyring.remove(request);
      throw error;
    }
  }

  /** Open again what the gateway keeps sealed: `{when, results}` or `{when, problem}` of each earlier request. */
  async earlier(keyring) {
    const found = [];
    for (const { when, key, secrets, values, digest, sumsKept } of await keyring.all(this.patient)) {
      try {
        if (digest !== this.model.digest) {
          throw new Error('It was calculated by other equations than this gateway has now.');
        }
        if (!sumsKept) {
          throw new Error('No answer to it was kept.');
        }
        const sums = await kept(this.addresses.kept, sumsKept);
        const bytes = Uint8Array.from(atob(key), (sign) => sign.charCodeAt(0));
        found.push({ when, results: this.#opened(this.#prepared(values), sums, bytes, secrets) });
      } catch (error) {
        found.push({ when, problem: error.message });
      }
    }
    return found;
  }

  #prepared(values) {
    return this.model.predictors.map((predictor) => prepare(predictor, MODULES[predictor.id], values));
  }

  #opened(prepared, sealed, key, secrets) {
    const { panel, settings } = this.model;
    let opened;
    try {
      opened = this.ring.decrypt(sealed, key);
    } catch {
      throw new AnswerRefused('The answer failed the checks and was thrown away; nothing was calculated from it.');
    }
    return results(panel, prepared, panel.sums(opened, secrets).map(rounded), settings);
  }
}

function refusals(prepared) {
  return prepared.filter(({ reasons }) => reasons.length).map(({ predictor, reasons }) => ({ predictor: predictor.title, reasons }));
}
