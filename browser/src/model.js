// The public half of the model, as the page brings it: names, bounds, weights, what applies to whom. It is believed only
// as far as it asks for nothing but a sealed vector, and its digest is the one that is sent along.

import { KeyWanted } from './gateway.js';
import { Panel } from './panel.js';

const MEMBERS = ['digest', 'panel', 'predictors', 'profile', 'sends', 'settings'];
const PROFILE = 'P1-mask';

/** Read and check it: `{panel, digest, profile, settings, predictors}`, a predictor with its module. */
export async function read(told, modules) {
  const asked = [...(told.sends ?? []), told.profile === PROFILE ? '' : 'a key of another profile'];
  if (asked.join() !== 'vector,' || Object.keys(told).sort().join() !== MEMBERS.join()) {
    throw new KeyWanted();
  }
  const panel = new Panel(told.panel);
  if ((await panel.digest()) !== told.digest) {
    throw new Error('The weights of this page are not those that its digest names. Load the page anew.');
  }
  const predictors = told.predictors.filter(({ id, version }) => modules[id]?.version === version);
  return { panel, digest: told.digest, profile: told.profile, settings: told.settings, predictors };
}
