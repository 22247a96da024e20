// node scripts/complete-lock.mjs: completes package-lock.json after `npm install` through a registry that lacks packages for
// other platforms. npm then leaves them out of the lock, and `npm ci` refuses such a lock everywhere. They are optional:
// an entry needs its exact version, and the platform it is for, which the package's name tells.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const file = join(import.meta.dirname, "..", "package-lock.json");
const lock = JSON.parse(readFileSync(file, "utf8"));
const { packages } = lock;
const OS = {
  darwin: /darwin|mac/,
  win32: /win32|windows/,
  freebsd: /freebsd/,
  openharmony: /openharmony/,
  android: /android/,
  linux: /linux/,
};
const CPU = { arm64: /arm64|aarch64/, x64: /x64|-64$/, ia32: /ia32/, ppc64: /ppc64/, riscv64: /riscv64/, s390x: /s390x/, arm: /arm/ };
const LIBC = { musl: /musl/, glibc: /gnu/ };

const told = (table, name, field) => {
  const found = Object.entries(table).find(([, pattern]) => pattern.test(name));
  return found ? { [field]: [found[0]] } : {};
};

/** Looks a name up from a package's folder outwards, as Node does. */
function isThere(from, name) {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("/node_modules/")))) {
    if (packages[`${at === "" ? "" : `${at}/`}node_modules/${name}`]) return true;
    if (at === "") return false;
  }
}

let added = 0;
for (const [path, entry] of Object.entries(packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isThere(path, name)) continue;
    const version = range.replace(/^[\^~]/, "");
    packages[`node_modules/${name}`] = {
      version,
      ...told(CPU, name, "cpu"),
      ...(entry.dev ? { dev: true } : {}),
      ...told(LIBC, name, "libc"),
      optional: true,
      ...told(OS, name, "os"),
    };
    added += 1;
  }
}
const [root, ...rest] = Object.entries(packages);
lock.packages = Object.fromEntries([root, ...rest.sort(([a], [b]) => (a < b ? -1 : 1))]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} packages for other platforms added`);
