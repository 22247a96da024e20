import { parseArgs } from "node:util";
import { openRecords } from "@sluice/core/adapters/postgres/open-records";
import { type Scope, SCOPES } from "@sluice/core/domain/access";
import { Fault, isFault } from "@sluice/core/domain/fault";
import { type OrgId, parseCounter } from "@sluice/core/domain/ids";
import { createKey } from "@sluice/core/manage/access";
import type { Directory } from "@sluice/core/ports/directory";
import { systemClock as clock } from "./clock.ts";

const HELP = `npm run admin -- keys create --scopes upload,read --name <name> [--org 0]   makes a key and shows it, this once
npm run admin -- keys list                                                  all keys, without their secrets
npm run admin -- keys revoke <id|prefix>                                    ends a key, within seconds

Scopes: ${SCOPES.join(", ")} (admin includes the others). DATABASE_URL says where the records are.`;

const USAGE = 64;
const FAILED = 1;

/** A command that cannot be carried out as it was written. */
class UsageError extends Error {}

const { positionals, values } = parsedArguments();
if (values.help || positionals.length === 0) {
  console.log(HELP);
  process.exit(values.help ? 0 : USAGE);
}
const databaseUrl = process.env["DATABASE_URL"];
if (!databaseUrl) fail(new UsageError("DATABASE_URL is not set: it says where the records are"));
try {
  const records = await openRecords({ databaseUrl, poolSize: 2, clock, log: { info: () => undefined, warn: () => undefined } });
  try {
    await run(records.directory);
  } finally {
    await records.close();
  }
} catch (error) {
  fail(error);
}

async function run(directory: Directory): Promise<void> {
  const [noun, verb, which, ...more] = positionals;
  if (noun !== "keys" || more.length > 0) throw new UsageError(`there is no command "${positionals.join(" ")}"`);
  if (verb === "create") return create(directory);
  if (verb === "list") return list(directory);
  if (verb === "revoke") return revoke(directory, which);
  throw new UsageError(`there is no command "keys ${verb ?? ""}"`);
}

async function create(directory: Directory): Promise<void> {
  const scopes = (values.scopes ?? "").split(",").map((text): Scope => {
    const scope = SCOPES.find((one) => one === text.trim());
    if (!scope) throw new UsageError(`--scopes takes ${SCOPES.join(", ")}, separated by commas, not "${text}"`);
    return scope;
  });
  const org = parseCounter<OrgId>(values.org);
  if (org === null) throw new UsageError(`--org takes a number from 0, not "${values.org}"`);
  if (!values.name) throw new UsageError("--name is missing: what the key is for");
  await directory.ensureOrg(org, org === 0 ? "default" : `org ${org}`);
  const made = await createKey({ directory, clock }, { org, name: values.name, scopes });
  console.log(made.key);
  console.error(`The key above is shown this once. Its prefix ${made.prefix} names it in lists and revokes it.`);
}

async function list(directory: Directory): Promise<void> {
  const keys = await directory.listKeys();
  const rows = keys.map((key) => [
    key.prefix,
    String(key.org),
    key.scopes.join(","),
    key.revokedAtMs === null ? "active" : "revoked",
    new Date(key.createdAtMs).toISOString(),
    key.name,
  ]);
  const table = [["PREFIX", "ORG", "SCOPES", "STATE", "CREATED", "NAME"], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of table)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

async function revoke(directory: Directory, which: string | undefined): Promise<void> {
  if (!which) throw new UsageError("keys revoke takes the id or the prefix of a key");
  if (!(await directory.revokeKey(which))) throw new Fault("not_found", `there is no key ${which}`);
  console.log(`revoked ${which}; it stops working within 2 seconds`);
}

function parsedArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        scopes: { type: "string" },
        name: { type: "string" },
        org: { type: "string", default: "0" },
      },
    });
  } catch (error) {
    return fail(new UsageError(error instanceof Error ? error.message : String(error)));
  }
}

function fail(error: unknown): never {
  if (error instanceof UsageError) {
    console.error(`${error.message}\n\n${HELP}`);
    process.exit(USAGE);
  }
  console.error(isFault(error) ? error.message : error);
  process.exit(FAILED);
}
