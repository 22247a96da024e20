import type { Request, Response } from "express";
import { accept, type UploadFacts } from "@sluice/core/accept";
import type { Caller } from "@sluice/core/domain/access";
import type { AcceptedFile } from "@sluice/core/ports/uploads";
import type { ApiDeps } from "./api-deps.ts";
import { openUpload, type UploadRules } from "./body.ts";
import { exchangeOf } from "./exchange.ts";
import { type Answer, beginUpload, factsOf, fingerprintOf, recalled, remembered, sameRequest } from "./idempotency.ts";
import type { Fields } from "./query.ts";

/** One surface's way to take uploads. */
export interface UploadSurface {
  readonly form: Omit<UploadRules, "maxBytes" | "given">;
  /** The facts that the fields tell; called with the query's alone first. Throws what is wrong with them. */
  readonly facts: (fields: Fields) => UploadFacts;
  /** The answer to the files, which a repetition under the same Idempotency-Key gets again. */
  readonly answer: (accepted: readonly AcceptedFile[]) => Answer;
}

/** Takes one upload request through the accept door, at most once for its Idempotency-Key. Resolves to the answer, unsent. */
export async function takeUpload(
  deps: ApiDeps,
  at: { readonly req: Request; readonly res: Response; readonly caller: Caller; readonly query: Fields },
  surface: UploadSurface,
): Promise<{ readonly answer: Answer; readonly replayed: boolean }> {
  const { req, res, caller, query } = at;
  const startedAtMs = performance.now();
  const early = surface.facts(query);
  const begun = await beginUpload(deps, req, caller);
  await using held = begun.kind === "running" ? begun.held : null;
  using upload = openUpload(req, res, { ...surface.form, maxBytes: deps.maxUploadBytes, given: query });
  const formFields = () => new Map([...upload.fields].filter(([name]) => !query.has(name)));
  if (begun.kind === "answered") {
    const files = await factsOf(upload.files);
    sameRequest(begun.answer, fingerprintOf(req, query, { fields: formFields(), files }));
    return { answer: recalled(begun.answer), replayed: true };
  }
  const accepted = await accept(
    deps.accept,
    caller,
    { early, files: upload.files, final: () => surface.facts(upload.fields) },
    {
      signal: upload.signal,
      ...(begun.kind === "running"
        ? {
            idempotency: {
              running: begun.running,
              answer: (accepted, files) => remembered(fingerprintOf(req, query, { fields: formFields(), files }), surface.answer(accepted)),
            },
          }
        : {}),
    },
  );
  held?.keep();
  exchangeOf(req).files = accepted.map((file) => file.id);
  deps.onAccepted({ seconds: (performance.now() - startedAtMs) / 1_000, files: accepted.length, bytes: upload.received() });
  return { answer: surface.answer(accepted), replayed: false };
}
