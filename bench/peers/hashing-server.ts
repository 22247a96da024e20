// The least that a server which keeps uploads has to do: hash the body, write it, fsync it. `node hashing-server.ts <folder>`
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const folder = process.argv[2] ?? "";
let count = 0;
const server = createServer((req, res) => {
  void (async () => {
    const file = await open(join(folder, `${++count}.bin`), "wx");
    const hash = createHash("sha256");
    for await (const chunk of req as AsyncIterable<Buffer>) {
      hash.update(chunk);
      await file.write(chunk);
    }
    await file.sync();
    await file.close();
    res.end(JSON.stringify({ sha256: hash.digest("hex") }));
  })();
});
// A request of 1 GiB may take longer than Node's five minutes on a slow disk.
server.requestTimeout = 0;
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
// Ends with whoever started it.
process.stdin.resume().on("close", () => process.exit(0));
