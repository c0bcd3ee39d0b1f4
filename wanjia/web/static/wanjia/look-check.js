// The check of receipts on the residents' pages. The proof itself is trace-verifier.js; here are the buttons and the words. It fetches the log's public
// files and the own receipt from this site only, and keeps nothing.

const verifier = document.getElementById("look-check").dataset.verifier;
const words = document.getElementById("check-words").dataset;
const canCheck = Boolean(globalThis.crypto?.subtle);

async function fetched(address) {
  const answer = await fetch(address, { cache: "no-store", credentials: "same-origin", redirect: "error" });
  if (!answer.ok) throw new TypeError(`no answer at ${address}`);
  return new Uint8Array(await answer.arrayBuffer());
}

const asText = (bytes) => new TextDecoder().decode(bytes);
const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
const publicFile = (path) => fetched(`/trace/${path}`);

function say(place, state, sentence, facts = []) {
  place.hidden = false;
  place.dataset.state = state;
  place.replaceChildren(sentence);
  for (const [name, value] of facts) {
    const line = document.createElement("span");
    line.className = "checked-fact";
    line.textContent = `${name}: ${value}`;
    place.append(line);
  }
}

function factsOf(held) {
  const { entry } = held;
  return [
    [words.log, held.now.origin],
    [words.size, held.now.size],
    [words.place, held.index],
    [words.at, entry.at],
    [words.kind, entry.kind],
    [words.department, entry.department || "–"],
    [words.purpose, entry.purpose],
  ];
}

function agrees(held, shown) {
  const { entry } = held;
  return (
    String(held.index) === shown.place &&
    entry.kind === shown.kind &&
    entry.at === shown.at &&
    entry.department === shown.department &&
    entry.purpose.split(":")[0] === shown.purpose
  );
}

async function check(place, receipt, keys, witnesses, shown) {
  if (!canCheck) return say(place, "unable", words.unable);
  say(place, "working", words.working);
  let checker;
  try {
    checker = await import(verifier);
    const trust = await checker.trusting(lines(await keys()), lines(witnesses), asText(await publicFile("handovers")));
    const held = await checker.verifyAgainstLog(await receipt(), trust, publicFile);
    if (shown && !agrees(held, shown)) return say(place, "bad", words.other, factsOf(held));
    return say(place, "good", words.good, factsOf(held));
  } catch (error) {
    if (checker && error instanceof checker.Refused) return say(place, "bad", words.bad, [["", error.message]]);
    // a browser without Ed25519 says so when the key is read
    if (error.name === "NotSupportedError") return say(place, "unable", words.unable);
    return say(place, "unable", words.unreachable);
  }
}

for (const button of document.querySelectorAll("button[data-receipt]")) {
  const place = button.closest(".look-proof").querySelector(".checked");
  button.hidden = false;
  button.addEventListener("click", () => {
    const receipt = async () => asText(await fetched(button.dataset.receipt));
    const keys = async () => asText(await publicFile("keys"));
    check(place, receipt, keys, "", button.dataset);
  });
}

const form = document.getElementById("check-kept");
if (form) {
  const [file, keys, witness] = ["kept-receipt", "kept-keys", "kept-witness"].map((id) => document.getElementById(id));
  form.hidden = false;
  publicFile("keys").then(
    (content) => {
      if (!keys.value) keys.value = asText(content);
    },
    () => say(form.querySelector(".checked"), "unable", words.unreachable),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!file.files.length) return file.focus();
    check(form.querySelector(".checked"), () => file.files[0].text(), async () => keys.value, witness.value, null);
  });
}
