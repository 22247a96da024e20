// A real S3 server for the tests: one that is given, or versitygw over a temporary folder, or Debian's Swift. Never a double
// of our own: the ones on npm were found to corrupt streamed bodies and to accept wrong signatures.
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.mjs";
import { has, run } from "./test-redis.mjs";
import { canHaveSwift, startSwift } from "./test-swift.mjs";

const VERSION = "v1.8.0";
const MODULE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;

export async function startS3(stage, say) {
  const { S3_TEST_ENDPOINT, S3_TEST_KEY, S3_TEST_SECRET } = process.env;
  if (S3_TEST_ENDPOINT) {
    if (!S3_TEST_KEY || !S3_TEST_SECRET) throw new Error("S3_TEST_ENDPOINT is given without S3_TEST_KEY and S3_TEST_SECRET");
    return { S3_TEST_ENDPOINT, S3_TEST_KEY, S3_TEST_SECRET };
  }
  const binary = await findOrBuild(say);
  if (binary === null) return startSwift(stage, say);
  const key = "sluice-test";
  const secret = randomBytes(20).toString("hex");
  const folder = stage.folder("s3");
  const buckets = join(folder, "buckets");
  const metadata = join(folder, "metadata");
  for (const path of [buckets, metadata]) mkdirSync(path);

  const start = async (options) => {
    const port = await freePort();
    const args = ["--port", `127.0.0.1:${port}`, "--quiet", "posix", ...options, buckets];
    // By environment: an argument would show the secret to everyone who lists processes.
    const env = { PATH: process.env.PATH, HOME: folder, ROOT_ACCESS_KEY: key, ROOT_SECRET_KEY: secret };
    await stage.serve("versitygw", binary, args, { port, env, cwd: folder });
    return { S3_TEST_ENDPOINT: `http://127.0.0.1:${port}`, S3_TEST_KEY: key, S3_TEST_SECRET: secret };
  };
  try {
    return await start([]);
  } catch {
    // It keeps metadata in extended attributes, which not every file system has; else in files beside.
    return await start(["--sidecar", metadata]);
  }
}

/** The versitygw to use; null where there is none and no Go to build it with, but Swift can stand in. */
async function findOrBuild(say) {
  if (has("versitygw")) return "versitygw";
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "sluice");
  const binary = join(cache, `versitygw-${VERSION}`);
  if (existsSync(binary)) return binary;
  const go = ["go", "/usr/local/go/bin/go"].find(has);
  if (go === undefined) {
    if (canHaveSwift()) {
      say("There is neither versitygw nor Go to build it with: the S3 server for the tests is OpenStack Swift, which is slower.");
      return null;
    }
    throw new Error(
      "there is neither versitygw nor Go to build it with; install one of them, or run the tests once as root on Debian, " +
        "or give S3_TEST_ENDPOINT, S3_TEST_KEY and S3_TEST_SECRET",
    );
  }
  say(`Building the S3 server for the tests (versitygw ${VERSION}, with Go; once, then kept in ${cache}) …`);
  mkdirSync(cache, { recursive: true });
  const half = mkdtempSync(join(cache, "build-"));
  try {
    await run(go, ["install", MODULE], { ...process.env, GOBIN: half, GOFLAGS: "-buildvcs=false", CGO_ENABLED: "0" });
    chmodSync(join(half, "versitygw"), 0o755);
    renameSync(join(half, "versitygw"), binary);
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
  return binary;
}
