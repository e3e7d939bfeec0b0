// The mathematics of profile P1-mask in the browser: Microsoft SEAL as WebAssembly (node-seal), wrapped once.
//
// node-seal encodes real numbers only, and a slot of ours holds a complex pair. So re + i·im is sealed as
// Enc(im) · X^(n/2) + re: multiplying by that monomial turns every slot by a quarter, and changes no noise. It is the
// one plaintext that is built by hand here, from a real one of the right level whose coefficients are overwritten.

import initialize from './node-seal/index_throws.js';

export const DEGREE = 4096;
export const SLOTS = DEGREE / 2;
export const CIPHERTEXT_BYTES = 113 + 2 * 8 * DEGREE;
export const INPUT_SCALE = 2 ** 28;
export const PRODUCT_SCALE = 2 ** 52;

// The data prime of P1-mask alone: its other prime is for keys that are sent, and none is sent from here. SEAL gives
// ciphertexts over the data prime the same mark either way, and makes a context of one prime in a third of the time.
const DATA_PRIME_BITS = 60;
const DATA_PRIME = 1152921504606830593n;

/** SEAL, loaded once for a page, with the context of the pinned profile. */
export async function load(options = {}) {
  const seal = await initialize(options);
  const parameters = new seal.EncryptionParameters(seal.SchemeType.ckks);
  parameters.setPolyModulusDegree(DEGREE);
  const primes = seal.CoeffModulus.Create(DEGREE, Int32Array.of(DATA_PRIME_BITS));
  parameters.setCoeffModulus(primes);
  const context = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128);
  if (!context.parametersSet() || BigInt(primes.get(0).value()) !== DATA_PRIME) {
    throw new Error('SEAL does not accept the parameters of profile P1-mask, or makes others of them.');
  }
  return new Ring(seal, context);
}

/** Seals and opens under keys that it is handed; it holds none itself. */
class Ring {
  constructor(seal, context) {
    this.seal = seal;
    this.context = context;
    this.encoder = new seal.CKKSEncoder(context);
    this.evaluator = new seal.Evaluator(context);
    this.quarter = this.#quarterTurn(DATA_PRIME);
  }

  /** A new secret key, serialised. */
  makeKey() {
    const generator = new this.seal.KeyGenerator(this.context);
    const key = generator.secretKey();
    const bytes = this.#saved(key);
    release(key, generator);
    return bytes;
  }

  /** Seal one complex number a slot. */
  encrypt(re, im, keyBytes) {
    const { seal, context, evaluator } = this;
    const key = this.#key(keyBytes);
    const generator = new seal.KeyGenerator(context, key);
    const publicKey = generator.createPublicKey();
    const encryptor = new seal.Encryptor(context, publicKey, key);
    const [real, imaginary] = [this.#encoded(re, INPUT_SCALE), this.#encoded(turned(im), INPUT_SCALE)];
    const sealed = new seal.Ciphertext();
    encryptor.encryptSymmetric(imaginary, sealed);
    evaluator.multiplyPlainInplace(sealed, this.quarter);
    evaluator.addPlainInplace(sealed, real);
    const bytes = this.#saved(sealed);
    release(sealed, real, imaginary, encryptor, publicKey, generator, key);
    if (bytes.length !== CIPHERTEXT_BYTES) {
      throw new Error('SEAL wrote a ciphertext of another length than this profile has.');
    }
    return bytes;
  }

  /** Open an answer: real and imaginary part of every slot. Precise enough to give the key away: round it at once. */
  decrypt(bytes, keyBytes) {
    const { seal, context, evaluator } = this;
    const key = this.#key(keyBytes);
    const decryptor = new seal.Decryptor(context, key);
    const sealed = new seal.Ciphertext();
    const plain = new seal.Plaintext();
    try {
      if (bytes.length !== CIPHERTEXT_BYTES) {
        throw new Error('An answer has the wrong length.');
      }
      sealed.loadFromArray(context, bytes);
      if (sealed.size() !== 2 || sealed.scale() !== PRODUCT_SCALE) {
        throw new Error('An answer is not of the size and scale expected.');
      }
      // What SEAL passes over in reading is not written again: there is one way to say the same.
      const again = this.#saved(sealed);
      if (!again.every((byte, place) => byte === bytes[place])) {
        throw new Error('An answer has bytes that mean nothing.');
      }
      decryptor.decrypt(sealed, plain);
      const re = Float64Array.from(this.encoder.decodeFloat64(plain));
      evaluator.multiplyPlainInplace(sealed, this.quarter);
      decryptor.decrypt(sealed, plain);
      const im = turned(this.encoder.decodeFloat64(plain)).map((value) => -value);
      return { re, im };
    } finally {
      release(plain, sealed, decryptor, key);
    }
  }

  #key(bytes) {
    const key = new this.seal.SecretKey();
    key.loadFromArray(this.context, bytes);
    return key;
  }

  #encoded(values, scale) {
    if (values.length !== SLOTS || !values.every(Number.isFinite)) {
      throw new Error('A vector to seal must have one finite number for each slot.');
    }
    const plain = new this.seal.Plaintext();
    this.encoder.encode(Float64Array.from(values), scale, plain);
    return plain;
  }

  #saved(object) {
    return Uint8Array.from(object.saveToArray(this.seal.ComprModeType.none));
  }

  /** X^(n/2) at scale 1. In SEAL's order of evaluation points it is a root of -1 in one half and its negative in the other. */
  #quarterTurn(prime) {
    const model = this.#encoded(new Float64Array(SLOTS).fill(1), 1);
    const bytes = this.#saved(model);
    const root = squareRootOfMinusOne(prime);
    const view = new DataView(bytes.buffer, bytes.length - 8 * DEGREE);
    for (let place = 0; place < DEGREE; place += 1) {
      view.setBigUint64(8 * place, place < SLOTS ? root : prime - root, true);
    }
    model.loadFromArray(this.context, bytes);
    return model;
  }
}

/** SEAL puts slot j at the 3^j-th power of a root of unity, where a quarter turn goes left for even j, right for odd. */
function turned(values) {
  return Float64Array.from(values, (value, slot) => (slot % 2 ? -value : value));
}

function release(...objects) {
  objects.forEach((object) => object.delete());
}

/** The power that SEAL's X^(n/2) has: of its least primitive 2n-th root of unity. */
function squareRootOfMinusOne(prime) {
  return power(leastRootOfUnity(prime), BigInt(SLOTS), prime);
}

function leastRootOfUnity(prime) {
  const order = BigInt(2 * DEGREE);
  let root = 0n;
  for (let base = 2n; !root; base += 1n) {
    const found = power(base, (prime - 1n) / order, prime);
    root = power(found, order / 2n, prime) === prime - 1n ? found : 0n;
  }
  const square = (root * root) % prime;
  let least = root;
  for (let step = 0; step < DEGREE; step += 1, root = (root * square) % prime) {
    least = root < least ? root : least;
  }
  return least;
}

function power(base, exponent, modulus) {
  let result = 1n;
  for (let left = exponent, square = base % modulus; left; left >>= 1n, square = (square * square) % modulus) {
    result = left & 1n ? (result * square) % modulus : result;
  }
  return result;
}
