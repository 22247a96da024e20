// Where PostgreSQL runs from, where its data is, and as whom.
// It refuses to run as root, and another user may be unable to reach a checkout in root's home: then its binaries
// are copied, and its data is put, where that user can go.
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, tools } from "./setup.mjs";

const ELSEWHERE = "/var/lib/sluice";
const USERS = ["postgres", "_postgres", "nobody"];
const OWN_USER = "sluice-postgres";

/**
 * @typedef {object} Place
 * @property {string} binaries  folder with bin/, lib/, share/
 * @property {string} home      ours: password, port and owner beside PostgreSQL's own `data`
 * @property {{ name: string, uid: number, gid: number } | null} user  whom to become; null: stay who we are
 */

/**
 * The place for a service whose data is in `dataDir`. `given`: the folder was named by the user and is used as it is.
 * @returns {Place}
 */
export function placeFor(dataDir, given, say) {
  const user = serverUser();
  const binaries = binariesFor(user, say);
  const here = join(dataDir, "postgres");
  if (user === null) return { binaries, home: ours(here, null), user };

  // A database once made stays where it is, also when the folders around it were opened or closed since.
  const pointer = join(dataDir, "postgres-is-at");
  const recorded = existsSync(pointer) ? readFileSync(pointer, "utf8").trim() : null;
  if (recorded !== null) {
    say(`PostgreSQL's data is in ${recorded} (as ${pointer} says).`);
    return { binaries, home: ours(recorded, user), user };
  }
  if (reaches(user, ours(here, user))) return { binaries, home: here, user };
  if (given) {
    throw new Error(
      `PostgreSQL cannot run as root, and the user "${user.name}" it would run as cannot reach ${here}: a folder above is closed to others. ` +
        `Open it (chmod o+x), use another SLUICE_DATA_DIR, start as an ordinary user, or give a DATABASE_URL.`,
    );
  }
  if (existsSync(join(here, "data"))) {
    throw new Error(
      `the user "${user.name}" can no longer reach the database in ${here}; open the folders above it (chmod o+x) and start again`,
    );
  }
  rmSync(here, { recursive: true, force: true });
  // The name is new each time: a .sluice that was removed to begin anew must not come upon the records of the old one.
  const home = ours(join(elsewhere(), `postgres-${randomBytes(4).toString("hex")}`), user);
  writeFileSync(pointer, `${home}\n`);
  say(`This folder is closed to the user "${user.name}", as whom PostgreSQL has to run: its data goes to ${home}.`);
  return { binaries, home, user };
}

/** A place in the first of the temporary folders that the server's user can reach. The caller removes `home`'s parent. */
export function temporaryPlace(temporaryFolders, say) {
  const user = serverUser();
  const binaries = binariesFor(user, say);
  for (const folder of temporaryFolders) {
    chmodSync(folder, 0o711);
    const home = ours(join(folder, "postgres"), user);
    if (user === null || reaches(user, home)) return { binaries, home, user };
  }
  throw new Error(`the user "${user?.name}" can reach none of ${temporaryFolders.join(", ")}`);
}

function serverUser() {
  if (process.getuid?.() !== 0) return null;
  const found = USERS.concat(OWN_USER)
    .map(lookUp)
    .find((user) => user !== null);
  if (found !== undefined) return found;
  spawnSync("useradd", ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", OWN_USER]);
  const made = lookUp(OWN_USER);
  if (made === null)
    throw new Error("PostgreSQL cannot run as root and no user for it could be made; start as an ordinary user, or give a DATABASE_URL");
  return made;
}

function lookUp(name) {
  const id = (flag) => {
    const { status, stdout } = spawnSync("id", [flag, name], { encoding: "utf8" });
    return status === 0 ? Number(stdout) : null;
  };
  const uid = id("-u");
  const gid = id("-g");
  return uid === null || gid === null || uid === 0 ? null : { name, uid, gid };
}

function ours(home, user) {
  // Traversable, not listable: the server's user has to get through to its own folder `data` inside.
  mkdirSync(home, { recursive: true, mode: user === null ? 0o700 : 0o711 });
  return home;
}

/** Asked of the kernel, not worked out from mode bits: ACLs, id maps and mount options count too. */
function reaches(user, folder) {
  const probe = join(folder, `.probe-${randomBytes(4).toString("hex")}`);
  mkdirSync(probe);
  chownSync(probe, user.uid, user.gid);
  const { status } = spawnSync("/bin/sh", ["-c", 'cd "$1" && : > written', "sh", probe], {
    uid: user.uid,
    gid: user.gid,
    cwd: "/",
    stdio: "ignore",
  });
  rmSync(probe, { recursive: true });
  return status === 0;
}

function elsewhere() {
  const folder = join(ELSEWHERE, createHash("sha256").update(root).digest("hex").slice(0, 16));
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}

function binariesFor(user, say) {
  const { postgres } = tools();
  if (!existsSync(join(postgres, "bin", "postgres"))) {
    throw new Error(`there are no PostgreSQL binaries for ${process.platform}-${process.arch} here; give a DATABASE_URL`);
  }
  if (user === null || runs(postgres, user)) return postgres;
  const { version } = JSON.parse(readFileSync(join(postgres, "..", "package.json"), "utf8"));
  const copy = join(elsewhere(), `postgresql-${version}`);
  if (!runs(copy, user)) {
    say(`Copying PostgreSQL's binaries to ${copy}, where the user "${user.name}" can reach them …`);
    const half = `${copy}.${process.pid}`;
    cpSync(postgres, half, { recursive: true, verbatimSymlinks: true });
    spawnSync("chmod", ["-R", "a+rX", half]);
    rmSync(copy, { recursive: true, force: true });
    try {
      renameSync(half, copy);
    } catch (error) {
      // Someone else's copy was faster; theirs is as good.
      rmSync(half, { recursive: true, force: true });
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    }
    if (!runs(copy, user)) throw new Error(`${copy}/bin/postgres does not run as the user "${user.name}"`);
  }
  return copy;
}

function runs(binaries, user) {
  return (
    spawnSync(join(binaries, "bin", "postgres"), ["--version"], { uid: user.uid, gid: user.gid, cwd: "/", stdio: "ignore" }).status === 0
  );
}
