import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { type JobQueueOptions, openJobQueue } from "@sluice/core/adapters/bullmq/job-queue";
import { servers } from "./job-queue.config.ts";
import { type QueueHarness, jobQueueContract } from "./job-queue.contract.ts";
import { tcpProxy } from "./tcp-proxy.ts";

const name = () => `sluice_test_${randomBytes(6).toString("hex")}`;

async function onRedis(url: string): Promise<QueueHarness> {
  const to = new URL(url);
  const line = await tcpProxy(to.hostname, Number(to.port || 6379));
  const redis = new Redis(url);
  const prefix = `{${name()}}`;
  const through = new URL(url);
  through.hostname = "127.0.0.1";
  through.port = String(line.port);
  const wipe = async () => {
    const keys = await redis.keys(`${prefix}*`);
    if (keys.length > 0) await redis.del(keys);
  };
  return {
    line,
    wipe,
    open: (options) => openJobQueue({ redisUrl: through.href, databaseUrl: "", prefix, ...options }),
    async close() {
      await wipe();
      await redis.quit();
      await line.close();
    },
  };
}

async function onPostgres(url: string): Promise<QueueHarness & { dropSchema(): Promise<void> }> {
  const database = name();
  const admin = new Client(url);
  await admin.connect();
  await admin.query(`CREATE DATABASE ${database}`);
  const direct = new URL(url);
  direct.pathname = `/${database}`;
  const inside = new Client(direct.href);
  await inside.connect();
  const line = await tcpProxy(direct.hostname, Number(direct.port || 5432));
  direct.hostname = "127.0.0.1";
  direct.port = String(line.port);
  return {
    line,
    open: (options: Pick<JobQueueOptions, "log" | "clock" | "deadlineMs">) => openJobQueue({ databaseUrl: direct.href, ...options }),
    async wipe() {
      await inside.query("TRUNCATE bullmq.job CASCADE");
    },
    async dropSchema() {
      // The workers go on meanwhile, and the server may choose the drop as the one to give way.
      const drop = () => inside.query("DROP SCHEMA IF EXISTS bullmq CASCADE");
      while (await drop().then(() => false, isDeadlock)) continue;
    },
    async close() {
      await inside.end();
      await line.close();
      await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await admin.end();
    },
  };
}

reached("BullMQ on Redis", "TEST_REDIS_URL", servers.redisUrl, (url) => jobQueueContract("on Redis", () => onRedis(url)));
reached("BullMQ on PostgreSQL", "TEST_DATABASE_URL", servers.databaseUrl, (url) => {
  jobQueueContract("on PostgreSQL", () => onPostgres(url));

  it("a queue whose schema was dropped makes it again and its workers go on", async () => {
    const harness = await onPostgres(url);
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const queue = await harness.open({ log, clock: Date });
    const handled = Promise.withResolvers<unknown>();
    await queue.consume(1, async (job) => handled.resolve(job));
    await harness.dropSchema();
    const job = { kind: "file", file: "after-the-drop", epoch: 0 } as const;
    await expect
      .poll(
        () =>
          queue.add([job]).then(
            () => "added",
            () => "refused",
          ),
        { timeout: 10_000 },
      )
      .toBe("added");
    expect(await handled.promise).toEqual(job);
    await queue.close();
    await harness.close();
  });
});

/** True for a deadlock; anything else is thrown. */
function isDeadlock(error: unknown): true {
  if ((error as { code?: string }).code === "40P01") return true;
  throw error;
}

/** Runs the suite where its server is known; where it is not, says so, and fails in CI: a skipped contract proves nothing. */
function reached(adapter: string, variable: string, url: string | undefined, suite: (url: string) => void): void {
  if (url !== undefined) {
    suite(url);
    return;
  }
  const message = `NOT REACHED: the job queue's contract did not run for ${adapter}, because ${variable} is not set`;
  if (!servers.ci) process.stderr.write(`\n${message}\n`);
  describe(adapter, () => {
    it.runIf(servers.ci)("is reached", () => expect.fail(message));
    it.skipIf(servers.ci)(message, () => undefined);
  });
}
