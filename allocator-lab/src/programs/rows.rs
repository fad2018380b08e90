//! What is run: programs of the machine, each with an input that is made here,
//! the same every time.
//!
//! rustc is not among them: it has its own jemalloc in the executable, where no
//! other can be put before it.

use super::process::{Call, TIMEOUT_SECONDS};
use crate::race::report::Raced;
use crate::race::rounds::Course;
use crate::sample::Figures;
use crate::workloads::Size;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// One program, with what it does.
pub struct Program {
    /// How it is called on the command line and in the tables.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// The programs that the machine must have.
    pub needs: &'static [&'static str],
    /// Makes the input.
    make: fn(&Workbench) -> Result<Work, String>,
}

/// What is done in a run.
pub enum Work {
    /// One command, from start to end.
    Command(Call),
    /// A redis server, and the command that sends it requests.
    Redis {
        /// The server.
        server: Call,
        /// The command, but for the port.
        benchmark: Vec<OsString>,
    },
}

/// Every program, in the order of the tables.
pub static PROGRAMS: [Program; 11] = [
    Program {
        name: "python",
        about: "python3: records to JSON and back, words in a dict, strings joined",
        needs: &["python3"],
        make: |bench| bench.python(&[]),
    },
    Program {
        name: "python-malloc",
        about: "the same, without Python's own allocator before malloc",
        needs: &["python3"],
        make: |bench| bench.python(&[("PYTHONMALLOC", "malloc")]),
    },
    Program {
        name: "perl",
        about: "perl: a hash of lists, sorted, and regular expressions over its text",
        needs: &["perl"],
        make: |bench| {
            let script = bench.file("work.pl", include_str!("../../programs/work.pl"))?;
            bench.command("perl", &[script, bench.count(120_000).into()])
        },
    },
    Program {
        name: "sqlite",
        about: "sqlite3: a table in memory with two indices, filled, changed and asked",
        needs: &["sqlite3"],
        make: |bench| {
            let count = bench.count(100_000);
            let script = include_str!("../../programs/work.sql").replace("COUNT", &count);
            bench.file("work.sql", &script)?;
            let arguments = ["-batch", ":memory:", ".read work.sql"];
            bench.command("sqlite3", &arguments.map(OsString::from))
        },
    },
    Program {
        name: "git",
        about: "git log --stat -p over a repository of 600 commits",
        needs: &["git"],
        make: |bench| {
            bench.repository(600)?;
            let arguments = ["log", "--stat", "-p"];
            bench.command("git", &arguments.map(OsString::from))
        },
    },
    Program {
        name: "z3",
        about: "z3: eight pigeons do not fit seven holes, three times",
        needs: &["z3"],
        make: |bench| {
            let holes = if bench.size == Size::Quick { 4 } else { 7 };
            let file = bench.file("pigeons.smt2", &pigeons(holes).repeat(3))?;
            bench.command("z3", &[file])
        },
    },
    Program {
        name: "ghostscript",
        about: "gs: a page of curves and text, drawn to a bitmap",
        needs: &["gs"],
        make: |bench| {
            let count = bench.count(6_000);
            let page = include_str!("../../programs/work.ps");
            bench.file("work.ps", &format!("%!PS\n/count {count} def\n{page}"))?;
            let arguments = [
                "-q",
                "-dBATCH",
                "-dNOPAUSE",
                "-dSAFER",
                "-sDEVICE=ppmraw",
                "-r72",
                "-sOutputFile=-",
                "work.ps",
            ];
            bench.command("gs", &arguments.map(OsString::from))
        },
    },
    Program {
        name: "redis",
        about: "redis-server under redis-benchmark: SET, GET, LPUSH, HSET, ZADD of 100 bytes",
        needs: &["redis-server", "redis-benchmark"],
        make: Workbench::redis,
    },
    Program {
        name: "c++",
        about: "C++: a tree of shared pointers, maps of strings, in four threads",
        needs: &["c++"],
        make: |bench| {
            bench.file("objects.cpp", include_str!("../../programs/objects.cpp"))?;
            let options = [
                "-O2",
                "-std=c++17",
                "-pthread",
                "-o",
                "objects",
                "objects.cpp",
            ];
            let compiler = bench.call("c++", &options.map(OsString::from))?;
            compiler.output().map_err(|why| format!("c++ {why}"))?;
            let mut call = compiler;
            let program = bench.folder.join("objects").into();
            call.command = vec![program, bench.count(50_000).into()];
            Ok(Work::Command(call))
        },
    },
    Program {
        name: "gcc",
        about: "gcc -O1 -S of a C file of 120 functions",
        needs: &["gcc"],
        make: |bench| {
            let count = if bench.size == Size::Quick { 4 } else { 120 };
            bench.file("unit.c", &functions(count))?;
            let arguments = ["-O1", "-S", "-o", "-", "unit.c"];
            bench.command("gcc", &arguments.map(OsString::from))
        },
    },
    Program {
        name: "pipeline",
        about: "sh: sort | awk | sed | sort over a text of 12 MB",
        needs: &["sh", "sort", "awk", "sed"],
        make: |bench| {
            let lines = bench.lines(200_000);
            bench.file("lines", &lines)?;
            let script = "sort -k2 lines | awk '{ n[$2]++; s[$2] = s[$2] $3 } \
                          END { for (w in n) print n[w], w, length(s[w]), s[w] }' | \
                          sed 's/\\([0-9a-f]\\{4\\}\\)[0-9a-f]*/\\1-/g' | sort -n -k1 -k2";
            bench.command("sh", &["-c".into(), script.into()])
        },
    },
];

impl Program {
    /// The program of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        PROGRAMS.iter().find(|program| program.name == name)
    }

    /// What it needs and this machine has not got.
    #[must_use]
    pub fn missing(&self) -> Option<&'static str> {
        let mut needs = self.needs.iter().copied();
        needs.find(|need| tool(need).is_none())
    }

    /// Makes its input in a folder that is its own.
    ///
    /// # Errors
    /// What stands in the way, in half a line.
    pub fn make(&self, folder: &Path, size: Size) -> Result<Work, String> {
        let folder = folder.join(self.name);
        fs::create_dir(&folder).map_err(|error| error.to_string())?;
        (self.make)(&Workbench { folder, size })
    }
}

impl Course for Program {
    type Figures = Figures;

    fn name(&self) -> String {
        self.name.to_owned()
    }
}

impl Raced for Program {
    fn about(&self) -> &'static str {
        self.about
    }
}

/// Where the input of one program is made.
struct Workbench {
    folder: PathBuf,
    size: Size,
}

impl Workbench {
    /// How many, as an argument.
    fn count(&self, full: usize) -> String {
        match self.size {
            Size::Full => full,
            Size::Quick => full / 100,
        }
        .to_string()
    }

    /// Writes a file, and returns its name.
    fn file(&self, name: &str, contents: &str) -> Result<OsString, String> {
        let written = fs::write(self.folder.join(name), contents);
        written.map_err(|error| format!("cannot write {name}: {error}"))?;
        Ok(name.into())
    }

    fn command(&self, program: &str, arguments: &[OsString]) -> Result<Work, String> {
        Ok(Work::Command(self.call(program, arguments)?))
    }

    /// A call of a program with an environment in which it says the same every time.
    fn call(&self, program: &str, arguments: &[OsString]) -> Result<Call, String> {
        let program = tool(program).ok_or_else(|| format!("there is no program {program}"))?;
        let mut command = vec![program.into_os_string()];
        command.extend_from_slice(arguments);
        Ok(Call {
            command,
            environment: vec![
                ("HOME", self.folder.clone().into()),
                ("LC_ALL", "C".into()),
                ("GIT_CONFIG_NOSYSTEM", "1".into()),
                ("PERL_HASH_SEED", "0".into()),
                ("PYTHONHASHSEED", "0".into()),
            ],
            inherits: false,
            timeout_seconds: TIMEOUT_SECONDS,
            folder: self.folder.clone(),
        })
    }

    fn python(&self, environment: &[(&'static str, &str)]) -> Result<Work, String> {
        let script = self.file("work.py", include_str!("../../programs/work.py"))?;
        let mut call = self.call("python3", &[script, self.count(20_000).into()])?;
        let further = environment.iter();
        call.environment
            .extend(further.map(|&(name, value)| (name, value.into())));
        Ok(Work::Command(call))
    }

    fn redis(&self) -> Result<Work, String> {
        let options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let server = self.call("redis-server", &options.map(OsString::from))?;
        let requests = self.count(60_000);
        let options = [
            "-q",
            "-t",
            "set,get,lpush,hset,zadd",
            "-r",
            "20000",
            "-d",
            "100",
            "-P",
            "16",
            "-c",
            "20",
            "-n",
            &requests,
        ];
        let benchmark = self.call("redis-benchmark", &options.map(OsString::from))?;
        Ok(Work::Redis {
            server,
            benchmark: benchmark.command,
        })
    }

    /// A repository of so many commits, each changing a few of forty files.
    fn repository(&self, commits: u64) -> Result<(), String> {
        let commits = if self.size == Size::Quick {
            commits / 100
        } else {
            commits
        };
        let mut stream = String::new();
        let mut rng = fastrand::Rng::with_seed(commits);
        let mut files = vec![vec![0_u32; 150]; 40];
        for commit in 0..commits {
            // Writing to a `String` cannot fail.
            let _ = write!(
                stream,
                "commit refs/heads/main\ncommitter A <a@b.c> {} +0000\ndata <<END\nchange {commit}\nEND\n",
                1_700_000_000 + 60 * commit
            );
            for _ in 0..3 {
                let file = rng.usize(..files.len());
                for _ in 0..8 {
                    let line = rng.usize(..files[file].len());
                    files[file][line] = rng.u32(..);
                }
                let _ = writeln!(
                    stream,
                    "M 644 inline part{}/file{file}.txt\ndata <<END",
                    file % 5
                );
                for (number, line) in files[file].iter().enumerate() {
                    let _ = writeln!(stream, "line {number} of this file says {line:08x}");
                }
                stream.push_str("END\n");
            }
        }
        self.file("stream", &stream)?;
        let script = "git init -q -b main . && git fast-import --quiet < stream";
        let call = self.call("sh", &["-c".into(), script.into()])?;
        call.output().map_err(|why| format!("git {why}"))?;
        Ok(())
    }

    /// So many lines of a number, a word that others have, too, and a word of their own.
    fn lines(&self, full: usize) -> String {
        let count = if self.size == Size::Quick {
            full / 100
        } else {
            full
        };
        let mut rng = fastrand::Rng::with_seed(count as u64);
        let mut text = String::new();
        for number in 0..count {
            let (word, own) = (rng.usize(..count / 20 + 1), rng.u64(..));
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{number} word{word} {own:016x} and so on to the end");
        }
        text
    }
}

/// That one more pigeon than there are holes has a hole of its own, as SMT-LIB.
fn pigeons(holes: usize) -> String {
    let mut text = "(set-logic QF_UF)\n".to_owned();
    // Writing to a `String` cannot fail.
    for pigeon in 0..=holes {
        let places: Vec<String> = (0..holes).map(|hole| format!("p{pigeon}_{hole}")).collect();
        for place in &places {
            let _ = writeln!(text, "(declare-const {place} Bool)");
        }
        let _ = writeln!(text, "(assert (or {}))", places.join(" "));
    }
    for hole in 0..holes {
        for pigeon in 0..=holes {
            for other in 0..pigeon {
                let _ = writeln!(
                    text,
                    "(assert (not (and p{pigeon}_{hole} p{other}_{hole})))"
                );
            }
        }
    }
    text.push_str("(check-sat)\n(reset)\n");
    text
}

/// So many functions in C, no two alike.
fn functions(count: usize) -> String {
    let mut text = "struct item { int key; double value; struct item *next; };\n".to_owned();
    for number in 0..count {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "int work{number}(struct item *first, int limit)
{{
    int sum = {number};
    double most = {number}.5;
    for (struct item *item = first; item; item = item->next) {{
        if (item->key % {} == {}) {{
            sum += item->key * {number} - limit;
            most = item->value > most ? item->value : most;
        }} else if (item->key < limit) {{
            for (int i = 0; i < item->key; i++)
                sum ^= (sum << {}) + i * {};
        }} else {{
            switch (item->key & 7) {{
            case 0: sum += limit; break;
            case 1: sum -= {number}; break;
            case 3: item->value *= most; break;
            case 5: item->key = sum; /* falls through */
            default: sum *= 3;
            }}
        }}
    }}
    return sum + (int)most;
}}",
            number % 13 + 2,
            number % 2,
            number % 11 + 1,
            number % 29 + 3,
        );
    }
    text
}

/// A program on the search path. Scripts are passed over: what a wrapper does would be measured, too.
fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|place| is_executable(place))
}

fn is_executable(path: &Path) -> bool {
    let mut start = [0; 4];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && &start == b"\x7fELF"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_used_twice_and_none_has_what_ends_a_list_or_a_folder() {
        for program in &PROGRAMS {
            assert!(std::ptr::eq(
                Program::by_name(program.name).unwrap(),
                program
            ));
            assert!(!program.name.contains([',', '/']), "{}", program.name);
        }
    }

    #[test]
    fn a_wrapper_is_no_program() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        fs::write(&script, "#!/bin/sh\n").unwrap();
        assert!(!is_executable(&script));
        assert!(is_executable(&std::env::current_exe().unwrap()));
        assert!(tool("a program that nobody has").is_none());
    }
}
