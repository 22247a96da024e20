import { availableParallelism } from "node:os";
import { type ConvertLimits, DEFAULT_LIMITS } from "./domain/convert-limits.ts";

/** One environment variable: what it is when it is not set, and what it does. The README's table is this one. */
export interface Setting {
  readonly name: string;
  readonly default: string;
  readonly meaning: string;
}

const MIB = 2 ** 20;
const GIB = 2 ** 30;

export const SETTINGS: readonly Setting[] = [
  { name: "DATABASE_URL", default: "(required)", meaning: "the records: postgres://user:password@host:port/database" },
  { name: "REDIS_URL", default: "(none)", meaning: "the queue on Redis: redis://host:port; without it the queue is in PostgreSQL as well" },
  {
    name: "STORAGE_URL",
    default: "(required)",
    meaning: "the objects: s3://bucket/prefix?region=…&endpoint=…&public_endpoint=… or file:///folder",
  },
  { name: "HOST", default: "127.0.0.1", meaning: "address the API listens on" },
  { name: "PORT", default: "8080", meaning: "port of the API; 0 takes a free one" },
  { name: "WORKER_PORT", default: "8081", meaning: "port of the worker's /readyz and /metrics, loopback only; 0 takes a free one" },
  { name: "SLUICE_API_KEY", default: "(none)", meaning: "presets this key, an admin's; 16 characters or more" },
  { name: "SLUICE_PUBLIC_URL", default: "(none)", meaning: "how clients reach the service; makes its links absolute" },
  {
    name: "SLUICE_TRUST_PROXY",
    default: "false",
    meaning: "whose X-Forwarded-For is believed: true, false, a number of hops, or addresses",
  },
  { name: "SLUICE_SECRET", default: "(made once, kept in the records)", meaning: "signs links; 32 characters or more" },
  { name: "SLUICE_MAX_UPLOAD", default: "5GiB", meaning: "most bytes of one upload request: 500MB, 2GiB or a number of bytes" },
  { name: "SLUICE_LINK_MINUTES", default: "15", meaning: "how long a signed link works" },
  { name: "SLUICE_TRASH_DAYS", default: "30", meaning: "how long what was replaced can be restored" },
  { name: "SLUICE_RAW_DAYS", default: "(for ever)", meaning: "how long the bytes of finished files are kept" },
  { name: "SLUICE_SYNC_IDLE_HOURS", default: "24", meaning: "an open full sync without uploads for so long expires" },
  {
    name: "SLUICE_MIN_FREE_DISK",
    default: "512MiB",
    meaning: "with objects on disk: uploads are refused (507) below this much free space",
  },
  { name: "SLUICE_OPEN_UPLOADS", default: "false", meaning: "DataInsider uploads, list and history need no key from this very machine" },
  { name: "SLUICE_PER_ORG_QUEUE", default: "200", meaning: "files of one org in the queue at once; the others wait in the records" },
  { name: "SLUICE_WORKER_CONCURRENCY", default: "8", meaning: "files one worker holds at once" },
  { name: "SLUICE_CHILDREN", default: "(number of cores)", meaning: "sandboxed processes of one worker that convert files" },
  { name: "SLUICE_MAX_DECODED", default: "64GiB", meaning: "most bytes of one file after decompression" },
  { name: "SLUICE_MAX_RATIO", default: "1000", meaning: "most decompressed bytes for each compressed one, asked from 64 MiB on" },
  { name: "SLUICE_MAX_RECORD", default: "16MiB", meaning: "most bytes of one record; at most 128MiB" },
  {
    name: "SLUICE_MAX_HELD",
    default: "256MiB",
    meaning: "most bytes held in memory of a compressed file that is not read from front to back; at most 512MiB",
  },
  { name: "SLUICE_DB_POOL", default: "10", meaning: "connections of one process to PostgreSQL" },
  { name: "SLUICE_LEASE_SECONDS", default: "6", meaning: "a worker silent for so long has lost its files" },
  { name: "SLUICE_PARENT_FD", default: "(none)", meaning: "a pipe whose end stops the process; npm start sets it" },
  { name: "LOG_LEVEL", default: "info", meaning: "trace, debug, info, warn, error, fatal or silent" },
];

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** All settings of API and worker, checked. Times as their names say, sizes in bytes. */
export interface Config {
  readonly databaseUrl: string;
  readonly redisUrl: string | null;
  readonly storageUrl: string;
  readonly host: string;
  readonly port: number;
  readonly workerPort: number;
  readonly apiKey: string | null;
  /** Without a trailing slash. */
  readonly publicUrl: string | null;
  /** What Express takes as `trust proxy`. */
  readonly trustProxy: boolean | number | string;
  readonly secret: string | null;
  readonly maxUploadBytes: number;
  readonly linkMinutes: number;
  readonly trashDays: number;
  /** Null: for ever. */
  readonly rawDays: number | null;
  readonly syncIdleHours: number;
  readonly minFreeDiskBytes: number;
  readonly openUploads: boolean;
  readonly perOrgQueue: number;
  readonly workerConcurrency: number;
  readonly children: number;
  /** The defaults with what the operator raised or lowered. */
  readonly limits: ConvertLimits;
  readonly dbPool: number;
  readonly leaseMs: number;
  readonly parentFd: number | null;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that is wrong with the configuration. A main that catches it prints it and exits with `CONFIG_EXIT_CODE`. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configuration is wrong:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** EX_CONFIG of sysexits.h: a supervisor should not try again. */
export const CONFIG_EXIT_CODE = 78;

/**
 * Reads the environment. An empty variable counts as not set. `moreProblems` are a caller's own findings, reported
 * together with these. Throws `ConfigError`; its texts never hold a value that may be secret.
 */
export function readConfig(env: Environment, moreProblems: readonly string[] = []): Config {
  const read = reader(env);
  const config: Config = {
    databaseUrl: read.url("DATABASE_URL", ["postgres:", "postgresql:"]) ?? read.missing("DATABASE_URL"),
    redisUrl: read.url("REDIS_URL", ["redis:", "rediss:"]),
    storageUrl: read.text("STORAGE_URL") ?? read.missing("STORAGE_URL"),
    host: read.text("HOST") ?? "127.0.0.1",
    port: read.integer("PORT", 0, 65_535) ?? 8_080,
    workerPort: read.integer("WORKER_PORT", 0, 65_535) ?? 8_081,
    apiKey: read.secret("SLUICE_API_KEY", 16),
    publicUrl: read.url("SLUICE_PUBLIC_URL", ["http:", "https:"])?.replace(/\/+$/, "") ?? null,
    trustProxy: trustProxy(read.text("SLUICE_TRUST_PROXY") ?? "false"),
    secret: read.secret("SLUICE_SECRET", 32),
    maxUploadBytes: read.size("SLUICE_MAX_UPLOAD", 1) ?? 5 * GIB,
    linkMinutes: read.number("SLUICE_LINK_MINUTES", 7 * 24 * 60) ?? 15,
    trashDays: read.number("SLUICE_TRASH_DAYS", 36_500) ?? 30,
    rawDays: read.number("SLUICE_RAW_DAYS", 36_500),
    syncIdleHours: read.number("SLUICE_SYNC_IDLE_HOURS", 24 * 366) ?? 24,
    minFreeDiskBytes: read.size("SLUICE_MIN_FREE_DISK", 0) ?? 512 * MIB,
    openUploads: read.boolean("SLUICE_OPEN_UPLOADS") ?? false,
    perOrgQueue: read.integer("SLUICE_PER_ORG_QUEUE", 1, 100_000) ?? 200,
    workerConcurrency: read.integer("SLUICE_WORKER_CONCURRENCY", 1, 1_000) ?? 8,
    children: read.integer("SLUICE_CHILDREN", 1, 1_000) ?? availableParallelism(),
    limits: {
      ...DEFAULT_LIMITS,
      decodedBytes: read.size("SLUICE_MAX_DECODED", MIB) ?? DEFAULT_LIMITS.decodedBytes,
      ratio: read.integer("SLUICE_MAX_RATIO", 2, 100_000_000) ?? DEFAULT_LIMITS.ratio,
      recordBytes: read.size("SLUICE_MAX_RECORD", 1_024, 128 * MIB) ?? DEFAULT_LIMITS.recordBytes,
      heldBytes: read.size("SLUICE_MAX_HELD", MIB, 512 * MIB) ?? DEFAULT_LIMITS.heldBytes,
    },
    dbPool: read.integer("SLUICE_DB_POOL", 2, 1_000) ?? 10,
    leaseMs: (read.number("SLUICE_LEASE_SECONDS", 3_600) ?? 6) * 1_000,
    parentFd: read.integer("SLUICE_PARENT_FD", 3, 1_024),
    logLevel: read.choice("LOG_LEVEL", LOG_LEVELS) ?? "info",
  };
  const problems = [...read.problems, ...moreProblems];
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** Readers of one variable each: null when it is not set or wrong; what is wrong is noted in `problems`. */
function reader(env: Environment) {
  const problems: string[] = [];
  const text = (name: string): string | null => env[name] || null;
  const wrong = (problem: string): null => {
    problems.push(problem);
    return null;
  };
  const number = (name: string, max: number): number | null => {
    const value = text(name);
    if (value === null) return null;
    const parsed = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
    return parsed > 0 && parsed <= max ? parsed : wrong(`${name} must be a number above 0, at most ${max}, not "${value}"`);
  };
  return {
    problems,
    text,
    number,
    missing(name: string): string {
      if (text(name) === null) wrong(`${name} is not set`);
      return "";
    },
    secret(name: string, least: number): string | null {
      const value = text(name);
      if (value === null || value.length >= least) return value;
      return wrong(`${name} has ${value.length} characters, it needs at least ${least}`);
    },
    url(name: string, protocols: readonly string[]): string | null {
      const value = text(name);
      if (value === null) return null;
      const url = URL.parse(value);
      return url && protocols.includes(url.protocol)
        ? value
        : wrong(`${name} must be a URL that begins with ${protocols.join("// or ")}//`);
    },
    integer(name: string, min: number, max: number): number | null {
      const value = text(name);
      if (value === null) return null;
      const parsed = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
      return parsed >= min && parsed <= max ? parsed : wrong(`${name} must be a whole number from ${min} to ${max}, not "${value}"`);
    },
    size(name: string, min: number, max = Number.MAX_SAFE_INTEGER): number | null {
      const value = text(name);
      if (value === null) return null;
      const bytes = parseSize(value);
      if (bytes !== null && (bytes < min || bytes > max)) {
        const most = max < Number.MAX_SAFE_INTEGER ? ` to ${max}` : " or more";
        return wrong(`${name} must be ${min}${most} bytes, not "${value}"`);
      }
      return bytes ?? wrong(`${name} must be a size such as 500MB, 2GiB or 1048576, not "${value}"`);
    },
    boolean(name: string): boolean | null {
      const value = text(name);
      if (value === null || value === "true" || value === "false") return value === null ? null : value === "true";
      return wrong(`${name} must be true or false, not "${value}"`);
    },
    choice<const T extends string>(name: string, list: readonly T[]): T | null {
      const value = text(name);
      if (value === null) return null;
      return list.find((one) => one === value) ?? wrong(`${name} must be one of ${list.join(", ")}, not "${value}"`);
    },
  };
}

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: MIB,
  GIB: GIB,
  TIB: 2 ** 40,
};

/** Bytes of `500MB` (powers of 1,000), `2GiB` (powers of 1,024) or `1048576`; null when it is none of them. */
export function parseSize(text: string): number | null {
  const found = /^(\d+(?:\.\d+)?)\s*([KMGT]?i?B|)$/i.exec(text.trim());
  const unit = found ? UNITS[(found[2] ?? "").toUpperCase()] : undefined;
  if (!found || unit === undefined) return null;
  const bytes = Math.floor(Number(found[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

function trustProxy(text: string): boolean | number | string {
  if (text === "true" || text === "false") return text === "true";
  return /^\d{1,3}$/.test(text) ? Number(text) : text;
}
