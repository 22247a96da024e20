import { type Processor, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { Clock } from "../../domain/ids.ts";
import type { Job } from "../../ports/job-queue.ts";
import { type QueueBackend, type QueueName, JOB_OPTIONS, STREAM_OPTIONS, WORKER_OPTIONS } from "./backend.ts";
import type { QueueLog } from "./calm-log.ts";

const CLOSE_MS = 2_000;
const ROOM_CACHED_MS = 1_000;
const ROOM = 0.7;

/**
 * BullMQ's own retry delay grows to 20 s, so a worker could sleep that long after an outage is over.
 * TCP keepalive finds a peer that vanished without a FIN; the system's default is two hours.
 */
const CONNECTION = {
  connectTimeout: 5_000,
  keepAlive: 10_000,
  retryStrategy: (times: number) => Math.min(50 * 2 ** times, 1_000),
};

/**
 * BullMQ on Redis. Opens at once and connects in the background: whoever only adds starts without Redis.
 * Calls on the shared connection fail after the second failed reconnect instead of piling up in memory.
 */
export function openRedisBackend(url: string, prefix: string, log: QueueLog, clock: Pick<Clock, "now">): QueueBackend {
  const redis = new Redis(url, { ...CONNECTION, maxRetriesPerRequest: 1, commandTimeout: 5_000 });
  redis.on("error", (error: Error) => log.warn({ err: error }, "queue: Redis connection failed"));
  redis.on("ready", () => void warnOfServer(redis, log));
  let room = { atMs: Number.NEGATIVE_INFINITY, is: true };

  return {
    queue(name: QueueName): Queue<Job> {
      // Without these two a Queue whose first connect fails keeps the rejected promise for ever.
      const options = { skipWaitingForReady: true, skipVersionCheck: true };
      return new Queue<Job>(name, { connection: redis, prefix, ...options, defaultJobOptions: JOB_OPTIONS, streams: STREAM_OPTIONS });
    },
    worker(name: QueueName, processor: Processor<Job>, concurrency: number): Worker<Job> {
      const connection = { url, ...CONNECTION, maxRetriesPerRequest: null };
      return new Worker<Job>(name, processor, { ...WORKER_OPTIONS, connection, prefix, concurrency });
    },
    async held(queue, ids) {
      // A job's hash exists exactly while it waits or runs, because finished jobs are removed.
      const answers = await redis.pipeline(ids.map((id) => ["exists", queue.toKey(id)])).exec();
      return new Set(
        ids.filter((_id, at) => {
          const [error, exists] = answers?.[at] ?? [new Error("Redis gave no answer"), 0];
          if (error) throw error;
          return exists === 1;
        }),
      );
    },
    async hasRoom() {
      if (clock.now() - room.atMs >= ROOM_CACHED_MS) room = { atMs: clock.now(), is: memoryShare(await redis.info("memory")) < ROOM };
      return room.is;
    },
    async probe() {
      await redis.ping();
    },
    async connections(worker) {
      const { client, blockingClient } = worker.getBackend();
      return (await Promise.all([client, blockingClient])).filter((each) => each !== undefined);
    },
    async close() {
      const bye = setTimeout(() => redis.disconnect(), CLOSE_MS);
      await redis.quit().catch(() => redis.disconnect());
      clearTimeout(bye);
    },
  };
}

/** Used memory as a share of `maxmemory`; 0 when there is no limit. */
export function memoryShare(info: string): number {
  const used = Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0);
  const limit = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0);
  return limit === 0 ? 0 : used / limit;
}

async function warnOfServer(redis: Redis, log: QueueLog): Promise<void> {
  try {
    const info = await redis.info();
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
    const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? "0";
    if (policy !== undefined && policy !== "noeviction") {
      log.warn({ policy }, "queue: Redis may evict jobs; set maxmemory-policy to noeviction");
    }
    if (Number.parseFloat(version) < 6.2) log.warn({ version }, "queue: Redis is older than 6.2");
  } catch (error) {
    log.warn({ err: error }, "queue: Redis did not tell its version");
  }
}
