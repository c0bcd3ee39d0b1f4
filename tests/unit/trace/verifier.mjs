// Runs the browser's checker under node: one JSON request a line on stdin, one answer a line on stdout.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const checker = await import(pathToFileURL(process.argv[2]));
const bytes = (base64) => Uint8Array.from(Buffer.from(base64, "base64"));

async function answered(asked) {
  if (asked.do === "included") {
    return checker.isIncluded(asked.index, asked.size, bytes(asked.leaf), asked.proof.map(bytes), bytes(asked.root));
  }
  if (asked.do === "consistent") {
    return checker.isConsistent(asked.old, asked.now, bytes(asked.oldRoot), bytes(asked.newRoot), asked.proof.map(bytes));
  }
  const trust = await checker.trusting(asked.keys, asked.witnesses ?? [], asked.handovers ?? "");
  const read = async (path) => new Uint8Array(await readFile(join(asked.folder, path)));
  if (asked.do === "receipt") return (await checker.verifyReceipt(asked.receipt, trust)).entry;
  if (asked.do === "against") return (await checker.verifyAgainstLog(asked.receipt, trust, read)).now.size;
  if (asked.do === "growth") return (await checker.verifyGrowth(asked.older, trust, read)).now.size;
  throw new Error(`unknown request ${asked.do}`);
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { holds: await answered(JSON.parse(line)) };
  } catch (error) {
    const isOurs = error instanceof checker.Refused || error.code === "ENOENT";
    answer = isOurs ? { refused: error.message } : { failed: String(error.stack) };
  }
  console.log(JSON.stringify(answer));
}
