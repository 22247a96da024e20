import { connect, type Socket } from "node:net";

/** An answer as it came over the wire, and how long it took from the first byte sent. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly ms: number;
}

export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  /** As written, also twice the same. */
  readonly headers: readonly (readonly [string, string])[];
  /** null: no Host header but what `headers` holds. */
  readonly host?: null;
  readonly body?: Uint8Array | string;
  /** Sent as the Content-Length; null sends none. Default: the body's. */
  readonly length?: number | null;
  /** Chunks sent after the body until the answer comes, or for ever when it is `hold`. */
  readonly after?: "end" | "hold" | "flood";
}

/** Sends exactly these bytes and reads one answer with a Content-Length, even while it still sends. */
export async function rawHttp(port: number, request: RawRequest): Promise<RawAnswer> {
  const socket = connect(port, "127.0.0.1");
  const startedAt = performance.now();
  try {
    const answer = readAnswer(socket);
    send(socket, port, request);
    return { ...(await answer), ms: performance.now() - startedAt };
  } finally {
    socket.destroy();
  }
}

/** Sends the bytes and gives the open socket to the caller. */
export function rawSend(port: number, request: RawRequest): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  send(socket, port, request);
  return socket;
}

function send(socket: Socket, port: number, request: RawRequest): void {
  const body = Buffer.from(request.body ?? "");
  const length = request.length === undefined ? body.length : request.length;
  const headers = [
    ...(request.host === null ? [] : [["Host", `127.0.0.1:${port}`] as const]),
    ...request.headers,
    ...(length === null ? [] : [["Content-Length", String(length)] as const]),
  ];
  socket.write(
    `${request.method ?? "POST"} ${request.path} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}`).join("\r\n")}\r\n\r\n`,
  );
  socket.write(body);
  if (request.after === "end") socket.end();
  if (request.after === "flood") flood(socket);
}

/** Writes zeros as fast as the other side takes them. */
function flood(socket: Socket): void {
  const zeros = Buffer.alloc(65_536);
  const more = () => {
    while (!socket.destroyed && socket.writable && socket.write(zeros));
  };
  socket.on("drain", more);
  more();
}

function readAnswer(socket: Socket): Promise<Omit<RawAnswer, "ms">> {
  return new Promise((resolve, reject) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
      const answer = parse(text);
      if (answer) resolve(answer);
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error(`closed without a whole answer: ${text.slice(0, 300)}`)));
  });
}

function parse(text: string): Omit<RawAnswer, "ms"> | null {
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const status = Number(first.split(" ")[1]);
  if (status === 100) return parse(text.slice(end + 4));
  const body = text.slice(end + 4);
  return Buffer.byteLength(body) >= Number(headers["content-length"] ?? 0) ? { status, headers, body } : null;
}

export interface FormPart {
  readonly headers: string;
  readonly content: string | Uint8Array;
}

/** A form part that is a file. */
export function filePart(name: string, content: string | Uint8Array): FormPart {
  return { headers: `Content-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream`, content };
}

/** A form part that is a field. */
export function fieldPart(name: string, value: string): FormPart {
  return { headers: `Content-Disposition: form-data; name="${name}"`, content: value };
}

export const BOUNDARY = "------------------------d74496d66958873e";

/** A multipart body under `BOUNDARY`. */
export function form(...parts: readonly FormPart[]): Buffer {
  const pieces = parts.flatMap((part) => [
    Buffer.from(`--${BOUNDARY}\r\n${part.headers}\r\n\r\n`),
    Buffer.from(part.content),
    Buffer.from("\r\n"),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

export const FORM_TYPE = ["Content-Type", `multipart/form-data; boundary=${BOUNDARY}`] as const;
