import { once } from "node:events";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { mkdtemp, mkdir, readdir, realpath, rm, symlink, writeFile, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { keyOfLink, verifyLink } from "@sluice/core/adapters/disk/link";
import { diskObjectStore } from "@sluice/core/adapters/disk/object-store";
import { s3ObjectStore } from "@sluice/core/adapters/s3/object-store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fault, objectStoreContract, type StoreUnderTest } from "./object-store.contract.ts";
import { Bytes, chunks, collect, hanging } from "./sources.ts";

const SECRET = "a secret of the tests";
const { S3_TEST_ENDPOINT: endpoint, S3_TEST_KEY: accessKeyId = "", S3_TEST_SECRET: secretAccessKey = "", CI } = process.env;

objectStoreContract("disk", onDisk);

if (endpoint !== undefined && endpoint !== "") {
  objectStoreContract("S3", () => onS3(endpoint));
} else {
  describe("object store on S3", () => {
    const missed = "S3_TEST_ENDPOINT is not set: the object-store contract did NOT reach the S3 adapter";
    it.skipIf(CI !== "true")(missed, () => expect.fail(missed));
    console.warn(`\n!!! ${missed} !!!\n`);
  });
}

async function onDisk(): Promise<StoreUnderTest> {
  const root = await mkdtemp(join(tmpdir(), "sluice-objects-"));
  // The route that the API serves, in small: what verifyLink promises is only worth what a plain fetch gets.
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://x");
    const key = keyOfLink(url.pathname.split("/").at(-1) ?? "");
    const [expires = "", name = "", signature = ""] = ["expires", "name", "signature"].map((field) => url.searchParams.get(field) ?? "");
    if (request.method !== "GET" || key === null || !verifyLink(SECRET, { key, expires, name, signature }, Date.now())) {
      response.writeHead(403).end();
      return;
    }
    response.setHeader("content-disposition", "attachment");
    void store
      .get(key)
      .then(collect)
      .then((body) => response.end(body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const store = diskObjectStore({ root, minFreeBytes: 0, linkSecret: SECRET, linkBase: `http://127.0.0.1:${port}` });
  return {
    store,
    leftovers: () => readdir(join(root, ".tmp")),
    abandon: () => writeFile(join(root, ".tmp", "of-a-dead-process.1"), "half"),
    follow,
    withOtherKey: (url, from, to) => url.replace(Buffer.from(from).toString("base64url"), Buffer.from(to).toString("base64url")),
    close: async () => {
      server.close();
      server.closeAllConnections();
      await rm(root, { recursive: true });
    },
  };
}

async function onS3(endpoint: string): Promise<StoreUnderTest> {
  const access = { endpoint, region: "us-east-1", forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } };
  const bucket = `sluice-contract-${Date.now()}`;
  const client = new S3Client({ ...access, requestChecksumCalculation: "WHEN_REQUIRED" });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  const prefix = "some/prefix";
  const store = s3ObjectStore({ ...access, bucket, prefix, copyPartBytes: 8 << 20 });
  return {
    store,
    leftovers: async () => {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
      return Uploads.map(({ Key }) => Key ?? "");
    },
    abandon: async () => {
      const at = { Bucket: bucket, Key: `${prefix}/abandoned` };
      const { UploadId } = await client.send(new CreateMultipartUploadCommand(at));
      await client.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: "half" }));
    },
    follow,
    withOtherKey: (url, from, to) => {
      const other = new URL(url);
      other.pathname = other.pathname.replace(from.split("/").map(encodeURIComponent).join("/"), to);
      return other.toString();
    },
    close: async () => {
      const keys = await Array.fromAsync(store.list(""), ({ key }) => key);
      await store.remove(keys);
      client.destroy();
    },
  };
}

async function follow(url: string, method = "GET"): Promise<{ status: number; body: Uint8Array; disposition: string | null }> {
  const answer = await fetch(url, { method });
  return { status: answer.status, body: await answer.bytes(), disposition: answer.headers.get("content-disposition") };
}

describe("object store on disk, beyond the contract", () => {
  let root: string;
  beforeAll(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), "sluice-disk-")));
  });
  afterAll(() => rm(root, { recursive: true }));

  const open = (minFreeBytes: number): ReturnType<typeof diskObjectStore> =>
    diskObjectStore({ root, minFreeBytes, linkSecret: SECRET, linkBase: "" });

  it("says disk_full below the free-space floor, before it reads the source, and leaves nothing", async () => {
    await fault("disk_full", open(2 ** 60).put("floor", chunks(new Uint8Array(10), 10)));
    await fault("disk_full", open(1).put("floor", chunks(new Uint8Array(10), 10), { bytes: 2 ** 60 }));
    expect(await open(0).head("floor")).toBeNull();
  });

  it("follows no symbolic link out of its folder", async () => {
    const outside = await mkdtemp(join(tmpdir(), "sluice-outside-"));
    await writeFile(join(outside, "secret"), "not yours");
    await mkdir(join(root, "in"), { recursive: true });
    await symlink(outside, join(root, "in", "folder"));
    await symlink(join(outside, "secret"), join(root, "in", "file"));
    const store = open(0);
    await expect(store.get("in/folder/secret")).rejects.toThrow(/symbolic link/);
    await expect(store.head("in/folder/secret")).rejects.toThrow(/symbolic link/);
    await expect(store.remove(["in/folder/secret"])).rejects.toThrow(/symbolic link/);
    await expect(store.put("in/folder/new", chunks(new Uint8Array(1), 1))).rejects.toThrow(/not a folder/);
    await expect(store.get("in/file")).rejects.toThrow();
    expect(await store.head("in/file")).toBeNull();
    await store.put("in/file", chunks(Buffer.from("ours"), 4));
    expect(await readFile(join(outside, "secret"), "utf8")).toBe("not yours");
    expect(await Array.fromAsync(store.list("in/"), ({ key }) => key)).toEqual(["in/file"]);
    await rm(outside, { recursive: true });
  });

  it("removes folders with their last object, and stores again where they were", async () => {
    const store = open(0);
    const put = (key: string): Promise<unknown> => store.put(key, chunks(Buffer.from(key), 3));
    for (let round = 0; round < 30; round++) {
      await Promise.all([put("deep/a/b/c/1"), put("deep/a/b/2"), store.remove(["deep/a/b/c/3", "deep/a/4"])]);
      await Promise.all([store.remove(["deep/a/b/c/1"]), put("deep/a/b/c/5"), store.remove(["deep/a/b/2"])]);
      expect(await Array.fromAsync(store.list("deep/"), ({ key }) => key)).toEqual(["deep/a/b/c/5"]);
      await store.remove(["deep/a/b/c/5"]);
      await expect(stat(join(root, "deep"))).rejects.toThrow(/ENOENT/);
    }
  });

  it("two stores on one folder, as two processes have, each take away folders that the other uses", async () => {
    const work = async (name: string): Promise<void> => {
      const store = open(0);
      for (let round = 0; round < 100; round++) {
        await store.put(`shared/a/b/${name}`, chunks(Buffer.from(name), 1));
        expect(await store.head(`shared/a/b/${name}`)).toEqual({ bytes: name.length });
        await store.remove([`shared/a/b/${name}`]);
      }
    };
    await Promise.all([work("one"), work("two"), work("three")]);
    expect(await Array.fromAsync(open(0).list("shared/"))).toEqual([]);
  });

  it("cuts a segment longer than the file system allows, and finds it again", async () => {
    const store = open(0);
    const keys = ["%".repeat(300), "漢".repeat(300), ".".repeat(600), `${"a".repeat(254)}%`].map((segment) => `long/${segment}`);
    for (const key of keys) await store.put(key, chunks(Buffer.from("x"), 1));
    expect(await Array.fromAsync(store.list("long/"), ({ key }) => key).then((found) => found.sort())).toEqual(keys.sort());
  });

  it("a link's fields cannot be shifted into one another", () => {
    const parts = { key: "k", expires: "99999999999", name: "n", signature: "" };
    expect(verifyLink(SECRET, parts, 0)).toBe(false);
    expect(keyOfLink("a=")).toBeNull();
    expect(keyOfLink(Buffer.from("é").toString("base64url"))).toBe("é");
  });
});

describe("object store on S3, when it does not answer", () => {
  it.skipIf(endpoint === undefined || endpoint === "")(
    "an outage in the middle of an upload ends it while its source still hangs",
    async () => {
      const target = new URL(endpoint ?? "");
      const gate = { open: true };
      const proxy = createTcpServer((socket) => {
        if (!gate.open) {
          socket.destroy();
          return;
        }
        const upstream = connect(Number(target.port), target.hostname);
        for (const end of [socket, upstream]) end.on("error", () => undefined);
        socket.pipe(upstream).pipe(socket);
        sockets.add(socket);
      }).listen(0, "127.0.0.1");
      const sockets = new Set<Socket>();
      await once(proxy, "listening");
      const bucket = `sluice-outage-${Date.now()}`;
      const credentials = { accessKeyId, secretAccessKey };
      const access = { region: "us-east-1", forcePathStyle: true, credentials };
      await new S3Client({ ...access, endpoint: target.href }).send(new CreateBucketCommand({ Bucket: bucket }));
      const store = s3ObjectStore({ ...access, bucket, prefix: "", endpoint: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` });
      await store.put("before", chunks(Bytes.random(9 << 20, 1), 65_536));
      const reading = (await store.get("before"))[Symbol.asyncIterator]();
      const first = await reading.next();
      for (const socket of sockets) socket.destroy();
      // A broken connection is resumed where it broke.
      const rest = await collect({ [Symbol.asyncIterator]: () => reading });
      expect(Buffer.concat([first.value ?? Buffer.alloc(0), rest]).equals(Bytes.random(9 << 20, 1))).toBe(true);

      gate.open = false;
      for (const socket of sockets) socket.destroy();
      const source = hanging(Bytes.random(9 << 20, 1));
      await fault("store_unavailable", store.put("during", source));
      expect(source.returned()).toBe(true);
      gate.open = true;
      expect(await store.head("during")).toBeNull();
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  );

  it.skipIf(endpoint === undefined || endpoint === "")("says store_unavailable, not not_found, when the bucket is missing", async () => {
    const credentials = { accessKeyId, secretAccessKey };
    const store = s3ObjectStore({
      bucket: "there-is-no-such-bucket",
      prefix: "",
      region: "us-east-1",
      endpoint: endpoint ?? "",
      forcePathStyle: true,
      credentials,
    });
    await fault("store_unavailable", store.put("a", chunks(new Uint8Array(10), 10)));
    await fault("store_unavailable", store.head("a"));
    await fault("store_unavailable", store.get("a"));
    await fault("store_unavailable", store.copy("a", "b"));
  });

  it("says store_unavailable within seconds, and gives the source back", async () => {
    const credentials = { accessKeyId: "x", secretAccessKey: "y" };
    const store = s3ObjectStore({
      bucket: "none",
      prefix: "",
      region: "us-east-1",
      endpoint: "http://127.0.0.1:9",
      forcePathStyle: true,
      credentials,
    });
    const started = performance.now();
    await fault("store_unavailable", store.put("a", chunks(new Uint8Array(10), 10)));
    await fault("store_unavailable", store.put("a", chunks(Bytes.random(9 << 20, 1), 1 << 20)));
    await fault("store_unavailable", store.get("a"));
    await fault("store_unavailable", store.head("a"));
    await fault("store_unavailable", store.copy("a", "b"));
    await fault("store_unavailable", store.remove(["a"]));
    await fault("store_unavailable", Array.fromAsync(store.list("")));
    await fault("store_unavailable", store.sweep(0));
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
