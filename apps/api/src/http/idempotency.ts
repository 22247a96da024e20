import { createHash } from "node:crypto";
import type { Request, Response } from "express";
import type { IncomingFile } from "@sluice/core/accept";
import type { Caller } from "@sluice/core/domain/access";
import { Fault, isFault } from "@sluice/core/domain/fault";
import type { Idempotency, RememberedAnswer, RunningKey } from "@sluice/core/ports/idempotency";
import { answerJson } from "./answer.ts";
import type { FaultShape } from "./fault.ts";
import type { JsonObject } from "./json.ts";
import type { Fields } from "./query.ts";
import { pathOf } from "./route.ts";

/** Well under the lease of 5 s, so that one lost renewal does not lose the key. */
const RENEW_MS = 1_500;
const HEADER = "Idempotency-Key";

/** What of a file tells one request from another. */
export interface FileFacts {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** An answer as a surface gives it. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** An answer as it is remembered: as text, because a database's JSON need not keep the order of names. */
export function remembered(fingerprint: string, answer: Answer): RememberedAnswer {
  return { fingerprint, status: answer.status, body: JSON.stringify(answer.body) };
}

/** A remembered answer as it was given. */
export function recalled(answer: RememberedAnswer): Answer {
  return { status: answer.status, body: JSON.parse(String(answer.body)) };
}

/** The request's key, or null when it has none. Throws `invalid_field`. */
export function keyOf(req: Request): string | null {
  const key = req.headers["idempotency-key"];
  if (key === undefined) return null;
  if (typeof key === "string" && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new Fault("invalid_field", `${HEADER}: must be 1 to 255 printable ASCII characters`, {
    field: HEADER,
    value: String(key),
    limit: 255,
  });
}

/** The same for the same request, whatever its boundary or its other headers. Keys are no part of it: one may be replaced meanwhile. */
export function fingerprintOf(
  req: Request,
  query: Fields,
  content: { readonly json: JsonObject } | { readonly fields: Fields; readonly files: readonly FileFacts[] },
): string {
  const body =
    "json" in content
      ? canonical({ ...content.json, api_key: undefined })
      : { fields: [...content.fields].sort(byName), files: content.files.map((file) => [file.name, file.bytes, file.sha256]) };
  return createHash("sha256")
    .update(JSON.stringify([req.method, pathOf(req), [...query].sort(byName), body]))
    .digest("hex");
}

export interface OnceDeps {
  readonly idempotency: Idempotency;
}

/**
 * Runs a request without files at most once for its key and answers it; a repetition gets the first answer. Refusals are
 * answers too; 5xx and 429 are forgotten.
 */
export async function once(
  deps: OnceDeps,
  at: { readonly req: Request; readonly res: Response; readonly caller: Caller; readonly fingerprint: string; readonly shape: FaultShape },
  run: () => Promise<Answer>,
): Promise<void> {
  const { req, res, caller } = at;
  const key = keyOf(req);
  if (key === null) return send(req, res, await run());
  const begun = await deps.idempotency.begin(caller.org, key);
  if ("answer" in begun) return replay(req, res, begun.answer, at.fingerprint);
  await using held = hold(deps.idempotency, caller, { key, token: begun.token });
  const answer = await run().catch((error: unknown) => refusal(error, at.shape));
  await deps.idempotency.finish(caller.org, key, begun.token, remembered(at.fingerprint, answer));
  held.keep();
  send(req, res, answer);
}

/** An upload under its key: `running` goes into the commit, which remembers the answer; or the answer of the first. */
export type BegunUpload =
  | { readonly kind: "none" }
  | { readonly kind: "running"; readonly running: RunningKey; readonly held: Held }
  | { readonly kind: "answered"; readonly answer: RememberedAnswer };

/** Begins an upload under the request's key, if it has one. Dispose `held` when the upload is over. */
export async function beginUpload(deps: OnceDeps, req: Request, caller: Caller): Promise<BegunUpload> {
  const key = keyOf(req);
  if (key === null) return { kind: "none" };
  const begun = await deps.idempotency.begin(caller.org, key);
  if ("answer" in begun) return { kind: "answered", answer: begun.answer };
  const running = { key, token: begun.token };
  return { kind: "running", running, held: hold(deps.idempotency, caller, running) };
}

/** Reads the files of a repeated upload only to tell whether it is the same. */
export async function factsOf(files: AsyncIterable<IncomingFile>): Promise<FileFacts[]> {
  const facts: FileFacts[] = [];
  for await (const file of files) {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of file.bytes) {
      hash.update(chunk);
      bytes += chunk.length;
    }
    facts.push({ name: file.name, bytes, sha256: hash.digest("hex") });
  }
  return facts;
}

/** Throws `idempotency_mismatch` unless the remembered answer was given to this very request. */
export function sameRequest(answer: RememberedAnswer, fingerprint: string): void {
  if (answer.fingerprint === fingerprint) return;
  throw new Fault("idempotency_mismatch", `${HEADER}: was used before for another request`, { field: HEADER });
}

function replay(req: Request, res: Response, answer: RememberedAnswer, fingerprint: string): void {
  sameRequest(answer, fingerprint);
  send(req, res, recalled(answer), { "Idempotency-Replayed": "true" });
}

/** A key kept alive while its request runs; forgotten on disposal unless its answer was remembered. */
export interface Held extends AsyncDisposable {
  keep(): void;
}

function hold(idempotency: Idempotency, caller: Caller, { key, token }: RunningKey): Held {
  let kept = false;
  // A renewal that fails is no reason to stop: the commit itself checks that the key is still ours.
  const timer = setInterval(() => void idempotency.renew(caller.org, key, token).catch(() => undefined), RENEW_MS);
  timer.unref();
  return {
    keep: () => (kept = true),
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      // Left alone, its lease is over in 5 s.
      if (!kept) await idempotency.release(caller.org, key, token).catch(() => undefined);
    },
  };
}

function refusal(error: unknown, shape: FaultShape): Answer {
  if (!isFault(error) || error.status >= 500 || error.code === "too_many_requests") throw error;
  return { status: error.status, body: shape(error) };
}

function send(req: Request, res: Response, answer: Answer, headers: Readonly<Record<string, string>> = {}): void {
  answerJson(req, res, answer.status, answer.body, headers);
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(byName)
      .map(([name, inner]) => [name, canonical(inner)]),
  );
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
