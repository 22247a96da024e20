import { randomBytes } from "node:crypto";
import { Client } from "pg";

/** URL of a superuser on the test server, or null where the suite was not given one. */
export const TEST_DATABASE_URL = process.env["TEST_DATABASE_URL"] ?? null;

export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  readonly name: string;
}

/** A new, empty database; disposing drops it with whatever is still connected. Throws loudly where there is no server. */
export async function testDatabase(): Promise<TestDatabase> {
  if (TEST_DATABASE_URL === null) throw new Error("TEST_DATABASE_URL is not set: run these tests through `npm test`");
  const name = `test_${randomBytes(6).toString("hex")}`;
  await onServer(`CREATE DATABASE ${name}`);
  const url = new URL(TEST_DATABASE_URL);
  url.pathname = `/${name}`;
  return { url: url.href, name, [Symbol.asyncDispose]: () => onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: TEST_DATABASE_URL ?? "" });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
