import { fileURLToPath } from "node:url";
import type { ObjectStore } from "../ports/object-store.ts";
import { checkKey } from "./object-key.ts";
import { diskObjectStore, type DiskObjectStoreOptions } from "./disk/object-store.ts";
import { s3ObjectStore, type S3ObjectStoreOptions } from "./s3/object-store.ts";

/** What `STORAGE_URL` says. */
export type StorageSettings = { readonly at: "disk"; readonly root: string } | ({ readonly at: "s3" } & S3ObjectStoreOptions);

/** The environment's part of it; without a key pair the AWS SDK searches on its own (profile, role of the machine). */
export interface AwsEnvironment {
  readonly AWS_ACCESS_KEY_ID?: string | undefined;
  readonly AWS_SECRET_ACCESS_KEY?: string | undefined;
  readonly AWS_SESSION_TOKEN?: string | undefined;
  readonly AWS_REGION?: string | undefined;
}

/** The settings, or every reason why there are none, each naming the rule; never the URL itself, which may hold a secret. */
export type ParsedStorage =
  | { readonly ok: true; readonly settings: StorageSettings }
  | { readonly ok: false; readonly problems: readonly string[] };

const PARAMETERS = ["region", "endpoint", "public_endpoint", "path_style"];

/** Parses `file:///folder` or `s3://bucket/prefix?region=…&endpoint=…&public_endpoint=…&path_style=true|false`. */
export function parseStorageUrl(text: string, env: AwsEnvironment): ParsedStorage {
  const url = URL.parse(text);
  if (url === null) return failed(["STORAGE_URL is no URL: expected file:///folder or s3://bucket/prefix?region=…"]);
  if (url.protocol === "file:") return parseDisk(url);
  if (url.protocol === "s3:") return parseS3(url, env);
  return failed([`STORAGE_URL begins with ${url.protocol}// where file:// or s3:// was expected`]);
}

/** The store that the settings describe; `disk` is what only a disk store needs. */
export function openObjectStore(settings: StorageSettings, disk: Omit<DiskObjectStoreOptions, "root">): ObjectStore {
  switch (settings.at) {
    case "disk":
      return diskObjectStore({ ...disk, root: settings.root });
    case "s3":
      return s3ObjectStore(settings);
  }
}

function parseDisk(url: URL): ParsedStorage {
  const problems: string[] = [];
  if (url.host !== "" && url.host !== "localhost")
    problems.push(`STORAGE_URL names the host ${url.host}: a folder is written file:///folder, with three slashes`);
  if (url.search !== "" || url.hash !== "")
    problems.push("STORAGE_URL takes no parameters or fragment with file://; write ? as %3F and # as %23");
  if (url.pathname === "/") problems.push("STORAGE_URL names no folder");
  if (/%2f|%00/i.test(url.pathname)) problems.push("STORAGE_URL's folder holds an encoded slash or NUL");
  else if (!isDecodable(url.pathname)) problems.push("STORAGE_URL's folder holds a % that begins no valid escape");
  return problems.length > 0 ? failed(problems) : { ok: true, settings: { at: "disk", root: fileURLToPath(`file://${url.pathname}`) } };
}

function parseS3(url: URL, env: AwsEnvironment): ParsedStorage {
  const problems: string[] = [];
  const given = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;

  if (url.username !== "" || url.password !== "")
    problems.push("STORAGE_URL holds credentials: put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.hostname))
    problems.push("STORAGE_URL's bucket must be 3 to 63 lower-case letters, digits, dots and hyphens");
  if (url.port !== "" || url.hash !== "") problems.push("STORAGE_URL takes no port or fragment: a server's address goes into endpoint=");
  for (const name of new Set(url.searchParams.keys())) {
    if (!PARAMETERS.includes(name)) problems.push(`STORAGE_URL has the unknown parameter ${name}; known are ${PARAMETERS.join(", ")}`);
    else if (url.searchParams.getAll(name).length > 1) problems.push(`STORAGE_URL has ${name} more than once`);
  }
  const endpoint = given("endpoint");
  const publicEndpoint = given("public_endpoint");
  for (const [name, value] of [
    ["endpoint", endpoint],
    ["public_endpoint", publicEndpoint],
  ] as const) {
    if (value !== undefined && !isOrigin(value))
      problems.push(`STORAGE_URL's ${name} must be http(s)://host[:port], without credentials or parameters`);
  }
  const region = given("region") ?? (env.AWS_REGION || (endpoint === undefined ? undefined : "us-east-1"));
  if (region === undefined || !/^[A-Za-z0-9-]{1,64}$/.test(region))
    problems.push("STORAGE_URL needs region=… (or AWS_REGION), such as eu-central-1");
  const pathStyle = given("path_style");
  if (pathStyle !== undefined && pathStyle !== "true" && pathStyle !== "false")
    problems.push("STORAGE_URL's path_style must be true or false");
  const prefix = prefixOf(url.pathname);
  if (prefix === null) problems.push("STORAGE_URL's prefix must be a valid key: no empty, . or .. segment, no NUL, at most 1,024 bytes");
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  if (!accessKeyId !== !secretAccessKey) problems.push("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together: one of them is missing");

  if (problems.length > 0 || region === undefined || prefix === null) return failed(problems);
  const credentials =
    accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } : undefined;
  const settings: StorageSettings = {
    at: "s3",
    bucket: url.hostname,
    prefix,
    region,
    // Virtual hosts need DNS for every bucket: AWS has it, another server's operator must say so.
    forcePathStyle: pathStyle === undefined ? endpoint !== undefined : pathStyle === "true",
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(publicEndpoint === undefined ? {} : { publicEndpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  };
  return { ok: true, settings };
}

function failed(problems: readonly string[]): ParsedStorage {
  return { ok: false, problems };
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === "" && url.password === "" && url.search === "" && url.hash === "" && url.hostname !== "";
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/** The path without its outer slashes, decoded; null when no key could begin with it. */
function prefixOf(path: string): string | null {
  try {
    const prefix = decodeURIComponent(path.replace(/^\/|\/$/g, ""));
    if (prefix !== "") checkKey(prefix);
    return prefix;
  } catch {
    return null;
  }
}
