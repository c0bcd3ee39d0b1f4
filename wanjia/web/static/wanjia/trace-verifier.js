// The second checker of the trace's public log, independent of the first (wanjia/trace/rules): what a resident's own browser, or node, makes sure
// of without trusting the server that sent the page. Formats: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature (Ed25519), tlog-proof,
// tlog-tiles; trees: RFC 6962, proofs checked as in RFC 9162 2.1.3.2 and 2.1.4.2. ML-DSA-44 lines are left to the other checker: browsers lack it.
// No dependency, no network of its own: `read(path)` is handed in and gives a public file's bytes (Uint8Array).

export class Refused extends Error {}

const HASH = 32;
const WIDTH = 256;
const ED25519 = 0x01;
const COSIGNED = 0x04;
const utf8 = new TextEncoder();
const strictly = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function ensure(holds, why) {
  if (!holds) throw new Refused(why);
}

function text(bytes) {
  try {
    return strictly.decode(bytes);
  } catch {
    throw new Refused("not text");
  }
}

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function equal(a, b) {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

// only the one canonical spelling: otherwise a changed byte could mean the same
function decoded(base64) {
  ensure(/^[A-Za-z0-9+/]*={0,2}$/.test(base64), "not Base64");
  let binary;
  try {
    binary = atob(base64);
  } catch {
    throw new Refused("not Base64");
  }
  ensure(btoa(binary) === base64, "not canonical Base64");
  return Uint8Array.from(binary, (sign) => sign.charCodeAt(0));
}

function natural(digits) {
  ensure(/^(0|[1-9]\d{0,15})$/.test(digits) && Number.isSafeInteger(Number(digits)), "not a number");
  return Number(digits);
}

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

const leafHash = (entry) => sha256(joined(Uint8Array.of(0), entry));
const nodeHash = (left, right) => sha256(joined(Uint8Array.of(1), left, right));

async function hmac(key, bytes) {
  const made = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", made, bytes));
}

// ---- keys, notes, checkpoints

async function parsedKey(vkey) {
  const [name, id, ...rest] = vkey.trim().split("+");
  const material = decoded(rest.join("+"));
  ensure(name && !/\s/.test(name) && material.length > 1, "not a verifier key");
  const digest = await sha256(joined(utf8.encode(`${name}\n`), material));
  const own = digest.slice(0, 4);
  ensure([...own].map((byte) => byte.toString(16).padStart(2, "0")).join("") === id, "the verifier key's id does not fit it");
  return { name, id: own, kind: material[0], material: material.slice(1), vkey: vkey.trim() };
}

// Which log and which witnesses to go by. `keys`, `witnesses`: verifier keys as text; of each only the Ed25519 ones can be checked here.
// `handovers`: the log's public file of that name, which leads from the given keys to those of other times.
export async function trusting(keys, witnesses = [], handovers = "") {
  const own = (await Promise.all(keys.map(parsedKey))).filter((key) => key.kind === ED25519);
  const others = (await Promise.all(witnesses.map(parsedKey))).filter((key) => key.kind === COSIGNED);
  ensure(own.length > 0 && new Set(own.map((key) => key.name)).size === 1, "give an Ed25519 key of one log");
  ensure(witnesses.length === 0 || others.length > 0, "give an Ed25519 key of the witness");
  const origin = own[0].name;
  return { origin, witnesses: others, generations: await generationsOf(origin, own, await parsedHandovers(handovers)) };
}

// ---- handovers: how a log came from one generation of keys to the next (wanjia/trace/rules/handover.py)

async function parsedHandovers(content) {
  const texts = content.split(/^(?=wanjia-handover\/v1\n)/m);
  ensure(content === "" || texts.every((one) => one.startsWith("wanjia-handover/v1\n")), "not a list of handovers");
  return Promise.all(texts.filter(Boolean).map(parsedHandover));
}

async function parsedHandover(content) {
  const cut = content.indexOf("\n\n");
  const lines = content.slice(0, cut).split("\n").slice(1);
  ensure(cut > 0 && lines.every((line) => /^(old|new) /.test(line)), "not a handover");
  const of = (word) => Promise.all(lines.filter((line) => line.startsWith(word)).map((line) => parsedKey(line.slice(4))));
  return { old: await of("old "), new: await of("new "), receipt: content.slice(cut + 2) };
}

const isAmong = (key, keys) => keys.some((one) => one.vkey === key.vkey);
const classic = (keys) => keys.filter((key) => key.kind === ED25519);

async function hashesOf(keys) {
  const digests = await Promise.all(keys.map((key) => sha256(utf8.encode(key.vkey))));
  return digests.map((digest) => [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")).sort();
}

// The head at which the old keys hand over, once both generations have signed it and the log's entry names just these keys.
async function handedOver(origin, one) {
  const signers = [...classic(one.old), ...classic(one.new)];
  ensure(classic(one.old).length > 0 && classic(one.new).length > 0, "not a handover");
  const held = await verifyReceipt(one.receipt, { origin, witnesses: [], generations: [{ keys: signers, first: 0, last: Infinity }] });
  const { kind, detail } = held.entry;
  const named = kind === "trace.new_keys" && JSON.stringify([detail?.old, detail?.new]);
  ensure(named === JSON.stringify([await hashesOf(one.old), await hashesOf(one.new)]), "the entry announces other keys");
  return held.head;
}

async function generationsOf(origin, own, handovers) {
  const chain = handovers.length ? [handovers[0].old, ...handovers.map((one) => one.new)] : [];
  const place = chain.findIndex((known) => own.every((key) => isAmong(key, known)));
  if (place < 0) return [{ keys: own, first: 0, last: Infinity }];
  const edges = [0];
  for (const [at, one] of handovers.entries()) {
    const { size } = await handedOver(origin, one);
    const isNext = one.old.length === chain[at].length && one.old.every((key) => isAmong(key, chain[at]));
    ensure(isNext && (at === 0 || size > edges[at]), "the handovers are no chain");
    edges.push(size);
  }
  return chain.map((keys, at) => ({ keys: at === place ? own : classic(keys), first: edges[at], last: edges[at + 1] ?? Infinity }));
}

function parsedNote(content) {
  // biome-ignore lint: control characters are what is looked for
  ensure(!/[\u0000-\u0009\u000b-\u001f]/.test(content), "not a signed note");
  const cut = content.lastIndexOf("\n\n");
  ensure(cut > 0 && content.endsWith("\n"), "not a signed note");
  const lines = content.slice(cut + 2, -1).split("\n");
  ensure(lines.length <= 64, "too many signatures");
  const signatures = lines.map((line) => {
    const parts = line.split(" ");
    ensure(parts.length === 3 && parts[0] === "—" && /^[^\s+]+$/.test(parts[1]), "not a signature line");
    const bytes = decoded(parts[2]);
    ensure(bytes.length > 4, "a signature is cut short");
    return { name: parts[1], id: bytes.slice(0, 4), bytes: bytes.slice(4) };
  });
  return { body: content.slice(0, cut + 1), signatures };
}

async function isSigned(body, key, signature) {
  let message = utf8.encode(body);
  let bytes = signature;
  if (key.kind === COSIGNED) {
    if (signature.length !== 72) return false;
    const at = new DataView(signature.buffer, signature.byteOffset, 8).getBigUint64(0);
    if (at === 0n || at >= 1n << 63n) return false;
    message = joined(utf8.encode(`cosignature/v1\ntime ${at}\n`), message);
    bytes = signature.slice(8);
  }
  if (bytes.length !== 64) return false;
  const made = await crypto.subtle.importKey("raw", key.material, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, made, bytes, message);
}

async function ensureSigned(note, keys) {
  for (const key of keys) {
    const own = note.signatures.filter((one) => one.name === key.name && equal(one.id, key.id));
    ensure(own.length === 1, `${key.name} did not sign once`);
    ensure(await isSigned(note.body, key, own[0].bytes), `the signature of ${key.name} is wrong`);
  }
}

// The head a signed checkpoint shows, once every trusted key of its time has signed it: {origin, size, root}.
export async function checkedHead(content, trust) {
  const note = parsedNote(content);
  const lines = note.body.split("\n");
  ensure(lines.length === 4 && lines[3] === "", "not a checkpoint");
  ensure(lines[0] === trust.origin, "the checkpoint is of another log");
  const [size, root] = [natural(lines[1]), decoded(lines[2])];
  ensure(root.length === HASH, "a root must be 32 bytes");
  let wrong = new Refused("the keys of that time did not sign");
  for (const { keys, first, last } of trust.generations) {
    if (size < first || size > last) continue;
    try {
      await ensureSigned(note, [...keys, ...trust.witnesses]);
      return { origin: lines[0], size, root };
    } catch (why) {
      if (!(why instanceof Refused)) throw why;
      wrong = why;
    }
  }
  throw wrong;
}

// ---- trees

export async function isIncluded(index, size, leaf, proof, root) {
  if (!(index >= 0 && index < size) || [leaf, root, ...proof].some((one) => one.length !== HASH)) return false;
  let [place, last, current] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      current = await nodeHash(sibling, current);
      while (place % 2 === 0 && place !== 0) [place, last] = [place / 2, Math.floor(last / 2)];
    } else {
      current = await nodeHash(current, sibling);
    }
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 && equal(current, root);
}

export async function isConsistent(old, now, oldRoot, newRoot, proof) {
  if (!(old >= 0 && old <= now) || [oldRoot, newRoot, ...proof].some((one) => one.length !== HASH)) return false;
  if (old === 0) {
    const empty = await sha256(new Uint8Array());
    return equal(oldRoot, empty) && proof.length === 0 && (now > 0 || equal(newRoot, empty));
  }
  if (old === now) return equal(oldRoot, newRoot) && proof.length === 0;
  if (proof.length === 0) return false;
  const path = Number.isInteger(Math.log2(old)) ? [oldRoot, ...proof] : [...proof];
  let [place, last] = [old - 1, now - 1];
  while (place % 2 === 1) [place, last] = [(place - 1) / 2, Math.floor(last / 2)];
  let [was, is] = [path[0], path[0]];
  for (const sibling of path.slice(1)) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      [was, is] = [await nodeHash(sibling, was), await nodeHash(sibling, is)];
      while (place % 2 === 0 && place !== 0) [place, last] = [place / 2, Math.floor(last / 2)];
    } else {
      is = await nodeHash(is, sibling);
    }
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 && equal(was, oldRoot) && equal(is, newRoot);
}

function splitAt(count) {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

function tilePath(level, index, width) {
  let digits = String(index);
  digits = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const parts = digits.match(/\d{3}/g);
  const number = parts.map((part, at) => (at < parts.length - 1 ? `x${part}` : part)).join("/");
  return `tile/${level}/${number}${width === WIDTH ? "" : `.p/${width}`}`;
}

// A tree that is read tile by tile through `read`.
class Tree {
  constructor(size, read) {
    this.size = size;
    this.read = read;
    this.tiles = new Map();
  }

  tile(level, index) {
    const place = `${level}/${index}`;
    if (!this.tiles.has(place)) this.tiles.set(place, this.fetched(level, index));
    return this.tiles.get(place);
  }

  async fetched(level, index) {
    const width = Math.min(WIDTH, Math.floor(this.size / WIDTH ** level) - index * WIDTH);
    let bytes;
    try {
      bytes = await this.read(tilePath(level, index, width));
    } catch (missing) {
      if (width === WIDTH) throw missing;
      bytes = await this.read(tilePath(level, index, WIDTH));
    }
    ensure(bytes.length >= width * HASH, `tile ${level}/${index} is cut short`);
    return bytes.slice(0, width * HASH);
  }

  async complete(height, index) {
    const [level, depth] = [Math.floor(height / 8), height % 8];
    const first = index * 2 ** depth;
    const tile = await this.tile(level, Math.floor(first / WIDTH));
    const start = (first % WIDTH) * HASH;
    let row = Array.from({ length: 2 ** depth }, (_, at) => tile.slice(start + at * HASH, start + (at + 1) * HASH));
    ensure(row.every((one) => one.length === HASH), `tile ${level} is cut short`);
    while (row.length > 1) {
      row = await Promise.all(Array.from({ length: row.length / 2 }, (_, at) => nodeHash(row[2 * at], row[2 * at + 1])));
    }
    return row[0];
  }

  async over(low, high) {
    const count = high - low;
    const height = Math.log2(count);
    if (Number.isInteger(height) && low % count === 0) return this.complete(height, low / count);
    const middle = low + splitAt(count);
    return nodeHash(await this.over(low, middle), await this.over(middle, high));
  }

  async inclusion(index) {
    const path = [];
    let [low, high] = [0, this.size];
    while (high - low > 1) {
      const middle = low + splitAt(high - low);
      if (index < middle) {
        path.push(await this.over(middle, high));
        high = middle;
      } else {
        path.push(await this.over(low, middle));
        low = middle;
      }
    }
    return path.reverse();
  }

  async consistency(old) {
    if (old === 0 || old === this.size) return [];
    const proof = [];
    let [low, high, isWhole] = [0, this.size, true];
    while (old !== high) {
      const middle = low + splitAt(high - low);
      if (old <= middle) {
        proof.push(await this.over(middle, high));
        high = middle;
      } else {
        proof.push(await this.over(low, middle));
        [low, isWhole] = [middle, false];
      }
    }
    if (!isWhole) proof.push(await this.over(low, high));
    return proof.reverse();
  }
}

// ---- receipts, and the log as it is now

function parsedReceipt(content) {
  const cut = content.indexOf("\n\n");
  ensure(cut > 0, "not a receipt");
  const lines = content.slice(0, cut).split("\n");
  ensure(lines[0] === "c2sp.org/tlog-proof@v1" && lines.length >= 3 && lines.length <= 66, "not a receipt");
  ensure(lines[1].startsWith("extra ") && lines[2].startsWith("index "), "not a receipt");
  const extra = decoded(lines[1].slice(6));
  ensure(extra.length > HASH, "not a receipt");
  const proof = lines.slice(3).map(decoded);
  return { nonce: extra.slice(0, HASH), entry: extra.slice(HASH), index: natural(lines[2].slice(6)), proof, note: content.slice(cut + 2) };
}

// That a receipt holds by itself, offline: {entry (as an object), index, head}.
export async function verifyReceipt(content, trust) {
  const receipt = parsedReceipt(content);
  const head = await checkedHead(receipt.note, trust);
  const leaf = await leafHash(await hmac(receipt.nonce, receipt.entry));
  ensure(await isIncluded(receipt.index, head.size, leaf, receipt.proof, head.root), "the entry is not at this place of the log");
  return { entry: JSON.parse(text(receipt.entry)), index: receipt.index, head, leaf };
}

async function newestHead(trust, read) {
  return checkedHead(text(await read("checkpoint")), { ...trust, witnesses: [] });
}

async function ensureBeginsWith(before, now, read) {
  ensure(before.size <= now.size, "the log is shorter than it was: rolled back");
  const proof = await new Tree(now.size, read).consistency(before.size);
  ensure(await isConsistent(before.size, now.size, before.root, now.root, proof), "the log does not go on from the older checkpoint: a fork");
}

// That the log as it is now still goes on from the receipt's checkpoint and still holds its entry at its place.
export async function verifyAgainstLog(content, trust, read) {
  const held = await verifyReceipt(content, trust);
  const now = await newestHead(trust, read);
  await ensureBeginsWith(held.head, now, read);
  const proof = await new Tree(now.size, read).inclusion(held.index);
  ensure(await isIncluded(held.index, now.size, held.leaf, proof, now.root), "the log no longer holds this entry");
  return { ...held, now };
}

// That the log as it is now goes on from an older signed checkpoint (text): {before, now}.
export async function verifyGrowth(older, trust, read) {
  const before = await checkedHead(older, trust);
  const now = await newestHead(trust, read);
  await ensureBeginsWith(before, now, read);
  return { before, now };
}
