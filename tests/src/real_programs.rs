//! Programs that know nothing of an allocator of ours, each run without and with a shared object that
//! is a `malloc`: what they say must be the same, to the byte.

use std::fmt;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A program, and something for it to do.
pub struct RealProgram {
    /// What is said about it.
    pub name: &'static str,
    /// The commands that the script needs, beside those of any Unix.
    pub commands: &'static [&'static str],
    /// Debian's packages that have them.
    pub packages: &'static [&'static str],
    /// Whether it takes no more than about a second.
    pub quick: bool,
    /// For `sh`, in an empty folder. `$REPOSITORY` is this one, `$PORT` one that nobody listens at.
    pub script: &'static str,
}

/// All of them.
pub const REAL_PROGRAMS: &[RealProgram] = &[
    RealProgram {
        name: "sh",
        commands: &[],
        packages: &[],
        quick: true,
        script: "echo $((6 * 7)); for i in 1 2 3; do (exit $i) & wait $!; echo $?; done; nobody; pwd",
    },
    RealProgram {
        name: "a pipeline of coreutils, sed and awk",
        commands: &["awk"],
        packages: &["mawk"],
        quick: true,
        script: "seq 1 200000 | sort -r | head -1000 | sed s/1/x/ | \
                 awk '{n += length($0)} END {print n}'; \
                 ls -lR /usr/include | wc -l",
    },
    RealProgram {
        name: "find, xargs and gzip",
        commands: &["find", "xargs", "gzip"],
        packages: &["findutils", "gzip"],
        quick: true,
        script: "find \"$REPOSITORY\" -name '*.rs' -not -path '*/target/*' | sort | xargs cat | \
                 gzip -n | tee packed | cksum; gunzip < packed | wc",
    },
    RealProgram {
        name: "perl",
        commands: &["perl"],
        packages: &["perl"],
        quick: true,
        script: r#"perl -e 'my %h; $h{$_ % 1000} .= "x$_" for 1 .. 200000;
                   print length(join "", map { "$_$h{$_}" } sort keys %h), "\n"'"#,
    },
    RealProgram {
        name: "python3",
        commands: &["python3"],
        packages: &["python3"],
        quick: true,
        script: "python3 -c '
import json
d = [{str(i): list(range(i % 50))} for i in range(20000)]
print(sum(len(x) for x in json.loads(json.dumps(d))))
'",
    },
    RealProgram {
        name: "python3, threads and processes",
        commands: &["python3"],
        packages: &["python3"],
        quick: true,
        script: "python3 -c '
import multiprocessing, threading
allocate = lambda: [bytes(i) for i in range(3000)]
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(multiprocessing.Pool(4).map(abs, range(-9, 0)))
'",
    },
    RealProgram {
        name: "sqlite3",
        commands: &["sqlite3"],
        packages: &["sqlite3"],
        quick: true,
        script: "sqlite3 data.sqlite \"
create table numbers (value integer, name text);
with recursive n(v) as (select 1 union all select v + 1 from n where v < 100000)
    insert into numbers select v, hex(v * 7919) from n;
create index names on numbers (name);
select count(*), sum(length(name)) from numbers where name like '3%';
select a.name, count(*) from numbers a join numbers b on a.name = hex(b.value) group by a.name
    order by 1 limit 20;
\"; cksum < data.sqlite",
    },
    RealProgram {
        name: "git",
        commands: &["git"],
        packages: &["git"],
        quick: true,
        script: "
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_DATE='2001-01-01T00:00:00Z'
export GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
git init -q -b main . && cp -r \"$REPOSITORY/allocator-core/src\" . && git add .
git -c user.name=nobody -c user.email=nobody@localhost commit -q -m everything
git rev-parse HEAD; git gc -q; git fsck --full; git grep -c unsafe | cksum
sed -i s/unsafe/safe/ src/*/*.rs; git diff --stat | tail -1; git diff | cksum",
    },
    RealProgram {
        name: "gcc",
        commands: &["gcc"],
        packages: &["gcc"],
        quick: true,
        script: "printf 'int main(void) { return 0; }' | gcc -O2 -x c - -S -o - | cksum",
    },
    RealProgram {
        name: "a program in C++",
        commands: &["c++"],
        packages: &["g++"],
        quick: true,
        script: "c++ -std=c++17 -O1 -pthread -o program \
                 \"$REPOSITORY/tests/foreign/new_and_delete.cpp\" && ./program",
    },
    RealProgram {
        name: "z3",
        commands: &["z3", "awk"],
        packages: &["z3", "mawk"],
        quick: false,
        // Eight pigeons do not fit seven holes; and a square root modulo 2^16.
        script: "
awk 'BEGIN {
    for (p = 0; p < 8; p++) for (h = 0; h < 7; h++) print \"(declare-const x\" p \"_\" h \" Bool)\"
    for (p = 0; p < 8; p++) {
        printf \"(assert (or\"; for (h = 0; h < 7; h++) printf \" x\" p \"_\" h; print \"))\"
        for (q = 0; q < p; q++) for (h = 0; h < 7; h++)
            print \"(assert (not (and x\" p \"_\" h \" x\" q \"_\" h \")))\"
    }
    print \"(check-sat)\"
}' > pigeons.smt2
z3 pigeons.smt2
echo '(declare-const x (_ BitVec 16)) (assert (= (bvmul x x) #x1a59))
      (assert (bvult x #x4000)) (check-sat) (get-value (x))' | z3 -in",
    },
    RealProgram {
        name: "ghostscript",
        commands: &["gs"],
        packages: &["ghostscript"],
        quick: false,
        script: "
cat > page.ps <<'PAGE'
%!PS
/Helvetica findfont 9 scalefont setfont
0 1 60 { /i exch def 40 i 12 mul 40 add moveto (line ) show i 10 string cvs show
    i 60 div 0.3 0.7 setrgbcolor i 5 mul 200 add i 11 mul 60 add i 2 div 3 add 0 360 arc fill } for
showpage
PAGE
gs -q -dSAFER -dNOPAUSE -dBATCH -sDEVICE=ppmraw -r150 -sOutputFile=page.ppm page.ps
cksum < page.ppm",
    },
    RealProgram {
        name: "cargo and rustc",
        commands: &["cargo"],
        packages: &[],
        quick: false,
        script: "
unset RUSTFLAGS; export CARGO_TARGET_DIR=$PWD/target; mkdir src
printf '[package]\\nname = \"small\"\\nedition = \"2021\"\\n[workspace]\\n' > Cargo.toml
cat > src/main.rs <<'SOURCE'
use std::collections::BTreeMap;
fn main() {
    let mut counts = BTreeMap::new();
    for word in include_str!(\"main.rs\").split_whitespace() {
        *counts.entry(word.to_owned()).or_insert(0) += 1;
    }
    println!(\"{counts:?}\");
}
SOURCE
cargo build --offline --quiet --release && ./target/release/small
cksum < target/release/small",
    },
    RealProgram {
        name: "redis-server under redis-benchmark",
        commands: &["redis-server", "redis-benchmark", "redis-cli", "awk"],
        packages: &["redis-server", "redis-tools", "mawk"],
        quick: false,
        script: "
redis-server --port $PORT --bind 127.0.0.1 --save '' --appendonly no \
    --enable-debug-command local > log 2>&1 &
server=$!
trap 'kill $server 2> killed' EXIT
tries=0
until redis-cli -p $PORT ping > pong 2>&1 && grep -q PONG pong; do
    tries=$((tries + 1)); [ $tries -lt 200 ] || { cat log; exit 1; }; sleep 0.05
done
# How fast it is, is different each time.
redis-benchmark -p $PORT -q -n 20000 -c 20 -P 8 > speed 2>&1; echo benchmark: $?
redis-benchmark -p $PORT -q -n 20000 -c 20 -t set,lpush,hset -d 3000 > speed 2>&1; echo large: $?
awk 'BEGIN { for (i = 0; i < 30000; i++) {
    print \"SET key:\" i \" \" i * i; print \"HSET hash:\" i % 100 \" \" i \" value\" i
    print \"RPUSH list:\" i % 7 \" \" i; if (i % 3 == 0) print \"DEL key:\" i / 3 } }' |
    redis-cli -p $PORT > answers
cksum < answers
redis-cli -p $PORT del counter:__rand_int__ mylist myset myhash myzset mystream > deleted
redis-cli -p $PORT dbsize; redis-cli -p $PORT debug digest
redis-cli -p $PORT shutdown nosave; wait $server; echo server: $?",
    },
];

/// How a program took to an object.
pub enum Verdict {
    /// Said the same under each object.
    Same,
    /// Cannot be run here, and why.
    LeftOut(String),
    /// Said something else.
    Different(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Same => f.write_str("same"),
            Verdict::LeftOut(why) => write!(f, "LEFT OUT: {why}"),
            Verdict::Different(how) => write!(f, "DIFFERENT: {how}"),
        }
    }
}

impl RealProgram {
    /// The commands that are not on this machine.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let is_missing = |command: &&&str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("command -v {command}")]);
            !shell.output().is_ok_and(|output| output.status.success())
        };
        self.commands.iter().filter(is_missing).copied().collect()
    }

    /// Runs the program without and then with each of the `objects`, in a folder below `temporary`.
    ///
    /// # Panics
    /// When there is no shell, or no folder can be made.
    #[must_use]
    pub fn compare(&self, objects: &[PathBuf], temporary: &Path) -> Verdict {
        let missing = self.missing();
        if !missing.is_empty() {
            return Verdict::LeftOut(format!("not installed: {}", missing.join(", ")));
        }
        let alone = self.run(None, temporary);
        if !alone.status.success() {
            let errors = String::from_utf8_lossy(&alone.stderr);
            let last = errors.lines().last().unwrap_or_default();
            return Verdict::LeftOut(format!("without an object it fails, too: {last}"));
        }
        for object in objects {
            let with = self.run(Some(object), temporary);
            if with != alone {
                let how = format!(
                    "under {}\n{with:?}\nand without\n{alone:?}",
                    object.display()
                );
                return Verdict::Different(how);
            }
        }
        Verdict::Same
    }

    fn run(&self, object: Option<&Path>, temporary: &Path) -> Output {
        // The same for all runs: some programs write their folder into what they make.
        let folder = temporary.join("real_program");
        // Is there only when a run before was ended.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("the folder is writable");
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let mut command = Command::new("timeout");
        command.args(["-k", "5", "300", "sh", "-c", self.script]);
        command.current_dir(&folder).env("LC_ALL", "C");
        command.env("PORT", port.map_or(0, |address| address.port()).to_string());
        command.env("REPOSITORY", repository());
        command.envs(object.map(|object| ("LD_PRELOAD", object)));
        let output = command.output().expect("there is a shell");
        fs::remove_dir_all(&folder).expect("nobody uses the folder any more");
        output
    }
}

fn repository() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests are in the repository")
}

/// A copy of a shared object, below `temporary`: the dynamic linker tells objects apart by their files.
///
/// # Panics
/// When it cannot be written.
#[must_use]
pub fn copy_of(object: &Path, temporary: &Path, name: &str) -> PathBuf {
    let copy = temporary.join(name);
    fs::copy(object, &copy).expect("the folder is writable");
    copy
}

/// The shared objects of `examples/preload`, the default first, built as users build them into a
/// folder below `temporary`: once, and found the next time.
///
/// # Panics
/// When they cannot be built.
#[must_use]
pub fn build_objects(temporary: &Path) -> Vec<PathBuf> {
    let target = temporary.join("preload");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--offline", "--quiet", "--release"]);
    cargo.args(["-p", "preload", "--lib", "--examples"]);
    cargo
        .current_dir(repository())
        .env("CARGO_TARGET_DIR", &target);
    let output = cargo.output().expect("cargo can be run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let of_preset = |preset| format!("examples/lib{preset}.so");
    let presets = [
        "seed",
        "stock",
        "compact",
        "throughput",
        "checked",
        "guarded",
        "recording",
    ];
    let presets = presets.map(of_preset);
    ["libpreload.so".to_owned()]
        .into_iter()
        .chain(presets)
        .map(|name| target.join("release").join(name))
        .collect()
}
