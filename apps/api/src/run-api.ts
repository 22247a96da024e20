import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { RequestListener } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Logger, pino } from "pino";
import type { AcceptDeps } from "@sluice/core/accept";
import { openJobQueue } from "@sluice/core/adapters/bullmq/job-queue";
import { keyOfLink, verifyLink } from "@sluice/core/adapters/disk/link";
import { openObjectStore, type ParsedStorage, parseStorageUrl, type StorageSettings } from "@sluice/core/adapters/object-store-from-url";
import { openRecords } from "@sluice/core/adapters/postgres/open-records";
import { type Config, ConfigError, type Environment, readConfig } from "@sluice/core/config";
import { Fault, isFault } from "@sluice/core/domain/fault";
import type { OrgId } from "@sluice/core/domain/ids";
import type { InspectDeps } from "@sluice/core/inspect";
import type { ManageDeps } from "@sluice/core/manage";
import { ensurePresetKey, openAccess } from "@sluice/core/manage/access";
import { board } from "./board.ts";
import { systemClock as clock } from "./clock.ts";
import { answerJson } from "./http/answer.ts";
import type { ApiDeps } from "./http/api-deps.ts";
import { openMetrics } from "./metrics.ts";
import { createApp, createHttpServer } from "./server.ts";
import { closeServer, untilStopped } from "./stop.ts";
import { errorBody } from "./surfaces/v1/wire.ts";

const FIRST_ORG = 0 as OrgId;
const RETRY_MS = 1_000;
const GRACE_MS = 10_000;

/** What the doors of this process work with. */
export type DoorDeps = AcceptDeps & ManageDeps & InspectDeps;

/** Lets a test stand between the API and its ports, to end the process at a given step. */
export type Decorate = (deps: DoorDeps) => DoorDeps;

/** Everything that is open and must be closed, in that order. */
interface Service {
  readonly handler: RequestListener;
  close(): Promise<void>;
}

/** Runs the API until it is asked to stop. Throws `ConfigError` when the environment is wrong. */
export async function runApi(environment: Environment, decorate: Decorate = (deps) => deps): Promise<void> {
  const { config, storage } = configured(environment);
  // Written at once: with a line still on its way to a reader that is gone, pino's flush at exit would try for ever (sonic-boom 4.2.1).
  const log = pino(
    { level: config.logLevel, base: { service: "api" }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 1, sync: true }),
  );
  const stop = new AbortController();
  const stopped = untilStopped(config.parentFd).then((why) => {
    log.info({ why }, "stopping");
    stop.abort();
  });
  let service: Service | null = null;
  const server = createHttpServer(() => service?.handler ?? starting);
  server.listen(config.port, config.host);
  await once(server, "listening").catch((error: unknown) => {
    log.fatal({ err: error, host: config.host, port: config.port }, "cannot listen: is the port in use?");
    process.exit(1);
  });
  log.info({ host: config.host, port: (server.address() as AddressInfo).port }, "listening");

  service = await openUntil(stop.signal, log, () => openService({ config, storage, log, signal: stop.signal, decorate }));
  if (service) log.info("ready");
  await stopped;
  await closeServer(server, GRACE_MS);
  await service?.close();
  log.info("stopped");
}

/** The configuration. Throws `ConfigError` with everything that is wrong with it. */
function configured(env: Environment): { readonly config: Config; readonly storage: StorageSettings } {
  const parsed: ParsedStorage = env["STORAGE_URL"] ? parseStorageUrl(env["STORAGE_URL"], env) : { ok: false, problems: [] };
  const config = readConfig(env, parsed.ok ? [] : parsed.problems);
  if (parsed.ok) return { config, storage: parsed.settings };
  throw new ConfigError(parsed.problems);
}

/** Opens the service, again every second while the records cannot be reached: the API may well be up before them. Null: stopped first. */
async function openUntil(signal: AbortSignal, log: Logger, open: () => Promise<Service>): Promise<Service | null> {
  while (!signal.aborted) {
    try {
      return await open();
    } catch (error) {
      if (signal.aborted) break;
      if (!isFault(error) || error.blame !== "platform") throw error;
      log.warn({ err: error }, "cannot start yet");
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return null;
}

interface Opening {
  readonly config: Config;
  readonly storage: StorageSettings;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly decorate: Decorate;
}

async function openService({ config, storage, log, signal, decorate }: Opening): Promise<Service> {
  const records = await openRecords({ databaseUrl: config.databaseUrl, poolSize: config.dbPool, clock, log });
  try {
    const queue = await openJobQueue({
      ...(config.redisUrl === null ? {} : { redisUrl: config.redisUrl }),
      databaseUrl: config.databaseUrl,
      log,
      clock,
      signal,
    });
    const linkSecret = config.secret ?? (await records.directory.setting("secret", Buffer.from(clock.random(32)).toString("base64url")));
    if (config.apiKey !== null) await ensurePresetKey({ directory: records.directory, clock }, config.apiKey, FIRST_ORG);
    const objects = openObjectStore(storage, { minFreeBytes: config.minFreeDiskBytes, linkSecret, linkBase: config.publicUrl ?? "" });
    const metrics = openMetrics({ history: records.history, queue });
    const access = openAccess({ directory: records.directory, clock });
    const deps = decorate({
      ...records,
      queue,
      objects,
      clock,
      perOrg: config.perOrgQueue,
      dispatching: new Map(),
      trashDays: config.trashDays,
      linkMinutes: config.linkMinutes,
      syncIdleHours: config.syncIdleHours,
      onEnqueueError: (error) => log.warn({ err: error }, "could not enqueue; the dispatcher will"),
      onLeftover: (error, keys) => log.warn({ err: error, keys }, "could not take away what an upload left; the janitor will"),
    });
    const api: ApiDeps = {
      access,
      accept: deps,
      manage: deps,
      inspect: deps,
      idempotency: records.idempotency,
      maxUploadBytes: config.maxUploadBytes,
      openUploads: config.openUploads,
      onAccepted: metrics.onAccepted,
      verifyLink: storage.at === "disk" ? ownLinks(linkSecret) : null,
    };
    const handler = createApp({
      api,
      health: {
        directory: records.directory,
        objects,
        onFailedCheck: (check, error) => log.warn({ err: error, check }, "a readiness check failed"),
      },
      metrics,
      board: board(access, queue.queues),
      log,
      trustProxy: config.trustProxy,
      stopping: () => signal.aborted,
    });
    return {
      handler,
      close: async () => {
        await queue.close();
        await records.close();
      },
    };
  } catch (error) {
    await records.close();
    throw error;
  }
}

function ownLinks(secret: string): NonNullable<ApiDeps["verifyLink"]> {
  return ({ segment, ...link }) => {
    const key = keyOfLink(segment);
    return key !== null && verifyLink(secret, { ...link, key }, clock.now()) ? key : null;
  };
}

/** What is answered before the records could be opened. */
const starting: RequestListener = (req, res) => {
  if (req.url === "/livez") return answerJson(req, res, 200, { live: true });
  if (req.url === "/readyz") return answerJson(req, res, 503, { ready: false, checks: { records: "failed" } });
  const fault = new Fault("records_unavailable", "the service is starting; try again");
  answerJson(req, res, fault.status, errorBody(fault), { "Retry-After": 1 });
};
