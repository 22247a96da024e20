import { createHash } from "node:crypto";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

/** How to reach one bucket. */
export interface S3Access {
  readonly region: string;
  /** Absent: AWS's own for the region. */
  readonly endpoint?: string;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`; most servers but AWS want it. */
  readonly forcePathStyle: boolean;
  /** Absent: the SDK's own search (environment, profile, role of the machine). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };
}

const CONNECT_MS = 2_000;
const IDLE_MS = 30_000;
const SOCKETS = 128;

/**
 * A client that gives up soon: 2 s to connect, 30 s without a byte (once), three attempts. Checksums only where S3 requires them:
 * with the SDK's default many servers store or reject its trailer frames, and presigned URLs carry an empty body's CRC.
 * The body's SHA-256 is in the signature anyway, so a server that checks signatures checks the bytes.
 */
export function s3Client(access: S3Access): S3Client {
  const agent = { keepAlive: true, maxSockets: SOCKETS };
  const config: S3ClientConfig = {
    region: access.region,
    forcePathStyle: access.forcePathStyle,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 3,
    retryMode: "standard",
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: IDLE_MS, httpAgent: agent, httpsAgent: agent },
    ...(access.endpoint === undefined ? {} : { endpoint: access.endpoint }),
    ...(access.credentials === undefined ? {} : { credentials: access.credentials }),
  };
  const client = new S3Client(config);
  addContentMd5(client);
  endAfterOneIdleTimeout(client);
  return client;
}

/**
 * A server that accepts and never answers: the SDK retries timeouts, and only after 99 s did a HEAD fail (measured). An
 * attempt that idled away is renamed to what no retry rule knows; a connect timeout is over in 2 s and still retried.
 */
function endAfterOneIdleTimeout(client: S3Client): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const started = performance.now();
      try {
        return await next(args);
      } catch (error) {
        if (error instanceof Error && error.name === "TimeoutError" && performance.now() - started >= IDLE_MS) error.name = "IdleTimeout";
        throw error;
      }
    },
    { step: "finalizeRequest", priority: "low", name: "sluiceIdleTimeout" },
  );
}

/** DeleteObjects with Content-MD5: Swift's s3api and older servers refuse it without, and ignore the newer checksums. */
function addContentMd5(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => (args) => {
      const { request } = args;
      if (context.commandName === "DeleteObjectsCommand" && isRequest(request)) {
        request.headers["content-md5"] = createHash("md5").update(request.body).digest("base64");
      }
      return next(args);
    },
    { step: "build", name: "sluiceContentMd5" },
  );
}

interface HttpRequest {
  headers: Record<string, string>;
  body: string | Uint8Array;
}

function isRequest(request: unknown): request is HttpRequest {
  if (typeof request !== "object" || request === null || !("headers" in request) || !("body" in request)) return false;
  return typeof request.body === "string" || request.body instanceof Uint8Array;
}
