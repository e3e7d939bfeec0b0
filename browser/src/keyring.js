// Keys on this device: one a request, each in IndexedDB with what judges its answer, under a passphrase.
//
// PBKDF2 makes an AES-GCM key of the passphrase, which no script can read out. What is stored is bound to its place.

const NAME = 'fhirtwin-my-twin';
const ITERATIONS = 600_000;
export const SHORTEST = 12;
const PROOF = 'fhirtwin my-twin';

/** Whether a passphrase was chosen on this device before. */
export async function isSet() {
  return (await lockOf(await database())) !== undefined;
}

let begun = { passphrase: null, key: null };

/** Begin to make the key of a passphrase that was typed, while the rest of the page loads; nothing is told of it. */
export function begin(passphrase) {
  const key = database().then(lockOf).then((lock) => lock && derived(passphrase, lock));
  key.catch(() => {}); // `unlock` tells, when somebody asks
  begun = { passphrase, key };
}

/** The keys under a passphrase; the first one ever given is the one that counts from then on. */
export async function unlock(passphrase) {
  const db = await database();
  const found = await lockOf(db);
  if (found === undefined && passphrase.length < SHORTEST) {
    throw new Error(`Choose a passphrase of at least ${SHORTEST} signs: it is all that protects the keys on this device.`);
  }
  const lock = found ?? { salt: random(16), iterations: ITERATIONS };
  const early = begun.passphrase === passphrase ? await begun.key : undefined;
  const key = early ?? (await derived(passphrase, lock));
  if (found === undefined) {
    const proof = await closed(key, 'lock', new TextEncoder().encode(PROOF));
    await done(db.transaction('lock', 'readwrite').objectStore('lock').put({ ...lock, proof }, 'lock'));
  } else {
    await opened(key, 'lock', found.proof).catch(() => {
      throw new Error('This is not the passphrase that was chosen on this device. It cannot be found out for you.');
    });
  }
  return new Keyring(db, key);
}

/** Forget every key on this device. What the gateway keeps sealed can then be opened by nobody. */
export async function forget() {
  begun = { passphrase: null, key: null };
  await done(indexedDB.deleteDatabase(NAME));
}

class Keyring {
  constructor(db, key) {
    this.db = db;
    this.key = key;
  }

  /** Store what belongs to one request. */
  async keep(id, patient, content) {
    const sealed = await closed(this.key, `${patient} ${id}`, new TextEncoder().encode(JSON.stringify(content)));
    await done(this.#store('readwrite').put({ patient, sealed }, id));
  }

  async remove(id) {
    await done(this.#store('readwrite').delete(id));
  }

  /** All requests of a patient, oldest first. */
  async all(patient) {
    const [ids, records] = await Promise.all([done(this.#store().getAllKeys()), done(this.#store().getAll())]);
    const ours = records.map((record, place) => ({ id: ids[place], ...record })).filter((one) => one.patient === patient);
    const contents = await Promise.all(
      ours.map(async ({ id, sealed }) => ({ id, ...JSON.parse(new TextDecoder().decode(await opened(this.key, `${patient} ${id}`, sealed))) })),
    );
    return contents.sort((one, other) => one.when.localeCompare(other.when));
  }

  #store(mode = 'readonly') {
    return this.db.transaction('requests', mode).objectStore('requests');
  }
}

async function database() {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore('lock');
    opening.result.createObjectStore('requests');
  };
  const db = await done(opening);
  db.onversionchange = () => db.close(); // so that nothing stands in the way of forgetting
  return db;
}

function lockOf(db) {
  return done(db.transaction('lock').objectStore('lock').get('lock'));
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function derived(passphrase, { salt, iterations }) {
  const text = new TextEncoder().encode(passphrase.normalize('NFC'));
  const material = await crypto.subtle.importKey('raw', text, 'PBKDF2', false, ['deriveKey']);
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations };
  return crypto.subtle.deriveKey(how, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

async function closed(key, place, data) {
  const iv = random(12);
  const how = { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(place) };
  return { iv, data: new Uint8Array(await crypto.subtle.encrypt(how, key, data)) };
}

async function opened(key, place, { iv, data }) {
  const how = { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(place) };
  return new Uint8Array(await crypto.subtle.decrypt(how, key, data));
}

function random(count) {
  return crypto.getRandomValues(new Uint8Array(count));
}
