import { describe, expect, it } from "vitest";
import { parseStorageUrl, type AwsEnvironment } from "./object-store-from-url.ts";

const problems = (url: string, env: AwsEnvironment = {}): readonly string[] => {
  const parsed = parseStorageUrl(url, env);
  return parsed.ok ? [] : parsed.problems;
};

describe("STORAGE_URL", () => {
  it("takes a folder, decoded", () => {
    expect(parseStorageUrl("file:///data/a%20b/%C3%A9", {})).toEqual({ ok: true, settings: { at: "disk", root: "/data/a b/é" } });
    expect(parseStorageUrl("file://localhost/data", {})).toEqual({ ok: true, settings: { at: "disk", root: "/data" } });
  });

  it("takes a bucket on AWS with the SDK's own credentials", () => {
    expect(parseStorageUrl("s3://lake?region=eu-central-1", {})).toEqual({
      ok: true,
      settings: { at: "s3", bucket: "lake", prefix: "", region: "eu-central-1", forcePathStyle: false },
    });
    expect(parseStorageUrl("s3://lake", { AWS_REGION: "eu-west-1" })).toMatchObject({ settings: { region: "eu-west-1" } });
  });

  it("takes another server with a public address, a prefix and a key pair", () => {
    const url = "s3://lake/some/prefix/?endpoint=http://seaweed:8333&public_endpoint=https://files.example.com";
    expect(parseStorageUrl(url, { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" })).toEqual({
      ok: true,
      settings: {
        at: "s3",
        bucket: "lake",
        prefix: "some/prefix",
        region: "us-east-1",
        forcePathStyle: true,
        endpoint: "http://seaweed:8333",
        publicEndpoint: "https://files.example.com",
        credentials: { accessKeyId: "id", secretAccessKey: "secret" },
      },
    });
  });

  it("reports every problem at once", () => {
    const url = "s3://LAKE_1//a?endpoint=ftp://x&public_endpoint=nonsense&path_style=yes&regoin=x&region=a_b&region=c";
    const said = problems(url, { AWS_ACCESS_KEY_ID: "id" });
    const named = [
      "bucket",
      "'s endpoint",
      "public_endpoint",
      "path_style",
      "regoin",
      "more than once",
      "region=…",
      "prefix",
      "AWS_SECRET_ACCESS_KEY",
    ];
    for (const name of named) expect(said.filter((problem) => problem.includes(name))).not.toEqual([]);
    expect(said).toHaveLength(named.length);
  });

  it("never repeats a secret that stands in the URL", () => {
    const said = problems("s3://AKIA:hunter2hunter2@lake?region=eu-west-1").join();
    expect(said).toContain("credentials");
    expect(said).not.toContain("hunter2");
  });

  it.each([
    ["", "no URL"],
    ["/data", "no URL"],
    ["https://bucket", "https://"],
    ["file://data/x", "three slashes"],
    ["file:///", "no folder"],
    ["file:///data?x=1", "parameters"],
    ["file:///a%2Fb", "encoded slash"],
    ["file:///a%zz", "escape"],
    ["s3://lake", "region"],
    ["s3://lake/%2e%2e%2fx?region=a", "prefix"],
  ])("refuses %j and says why", (url, why) => {
    expect(problems(url).join()).toContain(why);
  });
});
