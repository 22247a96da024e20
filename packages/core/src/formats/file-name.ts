import type { CompressionName, FormatName } from "../domain/options.ts";

/** What a file's name says: its compression, and beneath it the format of a tabular extension, `txt`, or nothing. */
export interface NamedAs {
  readonly compression: CompressionName;
  readonly format: Exclude<FormatName, "opaque"> | null;
  readonly txt: boolean;
  /** The extension beneath the compression's, lower case, without its dot; "" for none. */
  readonly extension: string;
}

const COMPRESSED: Readonly<Record<string, CompressionName>> = {
  gz: "gzip",
  gzip: "gzip",
  bz2: "bz2",
  xz: "xz",
  zst: "zstd",
  zstd: "zstd",
  zip: "zip",
};

const TABULAR: Readonly<Record<string, Exclude<FormatName, "opaque">>> = {
  csv: "csv",
  tsv: "tsv",
  psv: "psv",
  parquet: "parquet",
  json: "json",
  ndjson: "ndjson",
  jsonl: "ndjson",
  xls: "xls",
  xlsx: "xlsx",
  xlsm: "xlsx",
  arrow: "arrow",
  arrows: "arrow",
  ipc: "arrow",
  feather: "feather",
  orc: "orc",
};

export function namedAs(name: string): NamedAs {
  const parts = name.toLowerCase().split(".").slice(1);
  const last = parts.at(-1) ?? "";
  const compression = Object.hasOwn(COMPRESSED, last) ? (COMPRESSED[last] ?? "none") : "none";
  const extension = (compression === "none" ? last : parts.at(-2)) ?? "";
  const format = Object.hasOwn(TABULAR, extension) ? (TABULAR[extension] ?? null) : null;
  return { compression, format, txt: extension === "txt", extension };
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  txt: "text/plain",
  md: "text/markdown",
  log: "text/plain",
  html: "text/html",
  htm: "text/html",
  xml: "application/xml",
  svg: "image/svg+xml",
  css: "text/css",
  js: "text/javascript",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  pdf: "application/pdf",
  doc: "application/msword",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ppt: "application/vnd.ms-powerpoint",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  mp3: "audio/mpeg",
  wav: "audio/wav",
  mp4: "video/mp4",
  mov: "video/quicktime",
  tar: "application/x-tar",
  yaml: "application/yaml",
  yml: "application/yaml",
  geojson: "application/geo+json",
  sql: "application/sql",
};

/** A guess from an extension; null where there is none. */
export function contentTypeOf(extension: string): string | null {
  return Object.hasOwn(CONTENT_TYPES, extension) ? (CONTENT_TYPES[extension] ?? null) : null;
}
