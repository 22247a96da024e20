// A real S3 server for machines without Go: OpenStack Swift with its S3 interface, from Debian's packages. Four small
// servers (proxy, account, container, object) over one folder, without replicas, daemons or anything below /etc.
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.mjs";
import { has, run } from "./test-redis.mjs";

// The system's own: packages are not seen by another Python that may come first on the PATH.
const PYTHON = "/usr/bin/python3";
const PACKAGE = "python3-swift";
const UPDATES_WITHIN = 180_000;
const ANSWERS_WITHIN = 20_000;
const BACKENDS = ["account", "container", "object"];

/** Whether Swift is here, or can be installed. */
export function canHaveSwift() {
  return isInstalled() || (process.getuid?.() === 0 && has("apt-get"));
}

/** Starts Swift, after installing it where it is not; resolves to what tests find it by. */
export async function startSwift(stage, say) {
  if (!isInstalled()) await install(say);
  const key = "sluice:test";
  const secret = randomBytes(20).toString("hex");
  const folder = folderFor(stage);
  mkdirSync(join(folder, "devices", "one"), { recursive: true });
  const ports = { proxy: await freePort() };
  for (const name of BACKENDS) ports[name] = await otherPort(Object.values(ports));

  // The secret is in a file that only this user may read: an argument would show it to everyone who lists processes.
  const write = (name, text) => writeFileSync(join(folder, name), text, { mode: 0o600 });
  write("one_disk.py", SERVERS);
  write("swift.conf", `[swift-hash]\nswift_hash_path_suffix = ${randomBytes(8).toString("hex")}\n`);
  for (const name of BACKENDS) write(`${name}.conf`, backendConfig(folder, name, ports[name]));
  write("proxy.conf", proxyConfig(folder, ports.proxy, key, secret));

  // No threads for the disk: with them an object that is being replaced is not found for a moment, when it was looked up
  // before and opened after. Where there are replicas another one answers then; here there is one.
  const env = { PATH: process.env.PATH, HOME: folder, EVENTLET_THREADPOOL_SIZE: "0" };
  const script = join(folder, "one_disk.py");
  await run(PYTHON, [script, "rings", folder, ...BACKENDS.map((name) => String(ports[name]))], env);
  await Promise.all(
    [...BACKENDS, "proxy"].map(async (name) => {
      const port = ports[name];
      await stage.serve(`swift-${name}`, PYTHON, [script, name, folder], { port, env, cwd: folder });
      await ready(name, port);
    }),
  );
  return { S3_TEST_ENDPOINT: `http://127.0.0.1:${ports.proxy}`, S3_TEST_KEY: key, S3_TEST_SECRET: secret };
}

function isInstalled() {
  return spawnSync(PYTHON, ["-c", "import swift.common.wsgi, lxml"], { stdio: "ignore" }).status === 0;
}

/**
 * Only the library that all of Swift's servers are in. The packages swift-proxy, swift-object, … would add system services,
 * cron jobs and files below /etc, and memcached one more service: none of them is needed.
 */
async function install(say) {
  say(`Installing the S3 server for the tests (OpenStack Swift: apt-get install ${PACKAGE}; about a minute, once) …`);
  // LC_ALL: what apt says about locks is read below.
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  const until = Date.now() + UPDATES_WITHIN;
  for (;;) {
    try {
      await run("apt-get", ["update", "-qq"], env);
      break;
    } catch (error) {
      // Redis may be being installed beside this, and apt-get waits only for the lock of the installation itself.
      if (!/lock/i.test(error.message) || Date.now() > until) throw error;
      await sleep(1_000);
    }
  }
  await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", PACKAGE], env);
  if (!isInstalled()) throw new Error(`${PACKAGE} was installed, but ${PYTHON} does not find it`);
}

/** Swift keeps an object's metadata in extended attributes, which some temporary file systems have not. */
function folderFor(stage) {
  const parents = [...new Set([tmpdir(), "/tmp", "/var/tmp"])];
  for (const parent of parents) {
    const folder = stage.folder("swift", parent);
    const tried = spawnSync(PYTHON, ["-c", "import os, sys; os.setxattr(sys.argv[1], 'user.sluice', b'1')", folder], { stdio: "ignore" });
    if (tried.status === 0) return folder;
  }
  throw new Error(`Swift needs a file system with extended attributes, which none of ${parents.join(", ")} has`);
}

async function otherPort(taken) {
  for (;;) {
    const port = await freePort();
    if (!taken.includes(port)) return port;
  }
}

/** The port is bound before the server has read its configuration; what connects meanwhile waits, or is cut off if that fails. */
async function ready(name, port) {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/healthcheck`, { signal: AbortSignal.timeout(ANSWERS_WITHIN) });
    const said = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} ${said}`);
  } catch (error) {
    throw new Error(`swift-${name} does not get ready: ${error.cause?.message ?? error.message}`, { cause: error });
  }
}

/**
 * What all four have in common. No worker processes, so that the pid is the server; the system's log is left alone (what
 * goes wrong is on standard error as well), hence the discard port.
 */
function common(folder, port) {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${userInfo().username}
swift_dir = ${folder}
devices = ${folder}/devices
mount_check = false
fallocate_reserve = 0
log_level = ERROR
log_udp_host = 127.0.0.1
log_udp_port = 9
`;
}

/**
 * Nobody runs the updater that repairs listings later, so a slow machine must not leave an update to it: the object server
 * waits for the listing instead of for one second.
 */
function backendConfig(folder, name, port) {
  return `${common(folder, port)}
[pipeline:main]
pipeline = healthcheck ${name}-server

[app:${name}-server]
use = egg:swift#${name}
conn_timeout = 10
node_timeout = 30
${name === "object" ? "container_update_timeout = 30\n" : ""}
[filter:healthcheck]
use = egg:swift#healthcheck
`;
}

/** As many parts as S3 allows, and half a second to connect would soon be over on a busy machine. */
function proxyConfig(folder, port, key, secret) {
  return `${common(folder, port)}
[pipeline:main]
pipeline = healthcheck cache s3api tempauth bulk slo dlo proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
conn_timeout = 10
node_timeout = 30
recoverable_node_timeout = 30
error_suppression_limit = 1000000

[filter:healthcheck]
use = egg:swift#healthcheck

[filter:cache]
paste.filter_factory = one_disk:cache

[filter:s3api]
use = egg:swift#s3api
location = us-east-1
max_upload_part_num = 10000
multi_delete_concurrency = 8

[filter:tempauth]
use = egg:swift#tempauth
user_${key.replace(":", "_")} = ${secret} .admin

[filter:bulk]
use = egg:swift#bulk

[filter:slo]
use = egg:swift#slo
max_manifest_segments = 10000

[filter:dlo]
use = egg:swift#dlo
`;
}

// One of the servers, or the rings that tell them where the others are. It is beside swift.conf, which is otherwise looked
// for in /etc/swift. A dictionary stands in for memcached, which is there to be shared by many proxies. Nothing is synced
// to the disk: it is thrown away after the tests, and the waiting took most of their time.
const SERVERS = `import json
import os
import sys
import time as clock

class Cache(object):
    def __init__(self):
        self.kept = {}

    def get(self, key, **kwargs):
        value, until = self.kept.get(key, ("null", 0))
        return json.loads(value) if clock.time() < until else None

    def set(self, key, value, time=0, **kwargs):
        self.kept[key] = (json.dumps(value), clock.time() + time if time else float("inf"))

    def delete(self, key, **kwargs):
        self.kept.pop(key, None)

def cache(global_conf, **local_conf):
    kept = Cache()
    def wrap(app):
        def call(env, start_response):
            env["swift.cache"] = kept
            return app(env, start_response)
        return call
    return wrap

def build_rings(folder, ports):
    from swift.common.ring import RingBuilder
    for name, port in zip(("account", "container", "object"), ports):
        builder = RingBuilder(4, 1, 0)
        where = {"ip": "127.0.0.1", "port": int(port), "replication_ip": "127.0.0.1", "replication_port": int(port)}
        builder.add_dev({"id": 0, "region": 1, "zone": 1, "device": "one", "weight": 1.0, "meta": "", **where})
        builder.rebalance()
        builder.get_ring().save(os.path.join(folder, name + ".ring.gz"))

if __name__ == "__main__":
    os.fsync = os.fdatasync = lambda fd: None
    from swift.common import utils
    what, folder = sys.argv[1:3]
    utils.set_swift_dir(folder)
    if what == "rings":
        build_rings(folder, sys.argv[3:])
    else:
        from swift.common.wsgi import run_wsgi
        sys.exit(run_wsgi(os.path.join(folder, what + ".conf"), what + "-server", verbose=True))
`;
