//! One check: a program, what it is given, and how it must end.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use super::{LEVELS, Level};
use crate::program::{Outcome, Program};
use crate::real_programs::{REAL_PROGRAMS, Verdict, build_objects, copy_of};

/// How a program must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By an abort, with this message about what the program said it would be about.
    Aborts(&'static str),
    /// By a fault at the address that the program said.
    Faults,
    /// Well, with a heap that is as it should be.
    Unharmed,
    /// Well, having said this of its heap, which is spoilt or tells what it should not.
    Spoilt(&'static str),
    /// Well, having said this of what it saw, for which the table has another word.
    Says(&'static str, &'static str),
    /// By a fault, somewhere: the heap followed what was written into it.
    Crashes,
    /// Well; what it looked at, it looked at itself.
    Holds(&'static str),
    /// In any way, so that it is not run.
    Open,
}

impl End {
    /// As the table has it.
    #[must_use]
    pub fn mark(self) -> &'static str {
        match self {
            End::Aborts(_) => "A",
            End::Faults => "S",
            End::Unharmed => "U",
            End::Spoilt(_) | End::Crashes => "X",
            End::Holds(mark) | End::Says(mark, _) => mark,
            End::Open => "–",
        }
    }
}

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// That of the level, which has types to misuse, one of them its `malloc`.
    Own,
    /// That whose global allocator is of the level.
    Global,
    /// One that knows nothing, by its name, with the level's shared object before its C library.
    Preloaded(&'static str),
    /// One of the machine's, by its name, which must say the same with the level's object as without.
    OfTheMachine,
}

/// A program to run at a level.
#[derive(Debug, Clone)]
pub struct Check {
    pub(super) level: Level,
    pub(super) kind: Kind,
    pub(super) arguments: Vec<String>,
    pub(super) limits: Vec<(libc::__rlimit_resource_t, u64)>,
    /// How often, of what is a race.
    pub(super) runs: usize,
    pub(super) end: End,
    /// What distinguishes it from the row's others: size, face, and the like.
    pub(super) tags: Vec<String>,
}

/// Where the programs are.
pub struct Programs {
    /// A folder with the programs of this package.
    pub folder: PathBuf,
    /// The shared object of each level; none where there is none.
    pub objects: [Option<PathBuf>; 3],
    /// Objects that are loaded late at each level: of another type, and the level's twice.
    pub late: [Vec<PathBuf>; 3],
    /// A folder for what programs write.
    pub temporary: PathBuf,
}

impl Programs {
    /// Those that are in `folder`, and the objects, which are built into `temporary`.
    ///
    /// # Panics
    /// When they cannot be built.
    #[must_use]
    pub fn find(folder: &Path, temporary: &Path) -> Self {
        let objects = build_objects(temporary);
        let named = |name: &str| {
            let is_named = |path: &&PathBuf| path.ends_with(name);
            objects.iter().find(is_named).cloned()
        };
        let of_levels = ["libpreload.so", "libchecked.so", "libguarded.so"].map(named);
        let late = LEVELS.map(|level| {
            let another = named("libseed.so").into_iter();
            let twice = of_levels[level as usize].iter().flat_map(|object| {
                let names = ["one", "two"].map(|name| format!("{}_{name}.so", level.name()));
                names.map(|name| copy_of(object, temporary, &name))
            });
            another.chain(twice).collect()
        });
        Self {
            folder: folder.to_path_buf(),
            objects: of_levels,
            late,
            temporary: temporary.to_path_buf(),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = match self.kind {
            Kind::Own | Kind::Global => self.own_name(),
            Kind::Preloaded(name) => format!("{name} with the object of {}", self.level.name()),
            Kind::OfTheMachine => format!("with the object of {}:", self.level.name()),
        };
        write!(f, "{program} {}", self.arguments.join(" "))
    }
}

impl Check {
    /// How the program must end.
    #[must_use]
    pub fn end(&self) -> End {
        self.end
    }

    /// The same, that must end otherwise.
    #[must_use]
    pub fn ending(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// The same program, with other arguments.
    #[must_use]
    pub fn saying(mut self, words: &str) -> Self {
        self.arguments = words.split_whitespace().map(str::to_owned).collect();
        self
    }

    /// Runs it; what was not as it must be.
    ///
    /// # Errors
    /// How it ended instead.
    pub fn run(&self, programs: &Programs) -> Result<(), String> {
        if self.end == End::Open {
            return Ok(());
        }
        let (name, object) = match self.kind {
            Kind::Own | Kind::Global => (self.own_name(), None),
            Kind::Preloaded(name) => (name.to_owned(), Some(self.object(programs)?)),
            Kind::OfTheMachine => return self.run_of_the_machine(programs),
        };
        let path = programs.folder.join(name);
        let path = path.to_str().expect("a path of text");
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        for _ in 0..self.runs {
            let mut program = Program::new(path, &arguments).under(&self.limits);
            if let Some(object) = object {
                program = program.preloading(object);
            }
            self.judge(&program.run())?;
        }
        Ok(())
    }

    /// The name of a program that is the level's own.
    fn own_name(&self) -> String {
        match (self.kind, self.level) {
            (Kind::Global, Level::Off) => "global_as_it_comes".to_owned(),
            (Kind::Global, level) => format!("global_{}", level.name()),
            (_, level) => format!("misuse_{}", level.name()),
        }
    }

    fn object<'a>(&self, programs: &'a Programs) -> Result<&'a Path, String> {
        let object = programs.objects[self.level as usize].as_deref();
        object.ok_or_else(|| "there is no object of this level".to_owned())
    }

    fn run_of_the_machine(&self, programs: &Programs) -> Result<(), String> {
        let named = REAL_PROGRAMS
            .iter()
            .find(|program| program.name == self.arguments[0]);
        let program = named.expect("a program of this name");
        let object = [self.object(programs)?.to_path_buf()];
        // Others may be at it at the same time.
        let folder = self
            .to_string()
            .replace(|letter: char| !letter.is_alphanumeric(), "_");
        match program.compare(&object, &programs.temporary.join(folder)) {
            // Said by `real_programs`, which is run as well.
            Verdict::Same | Verdict::LeftOut(_) => Ok(()),
            Verdict::Different(how) => Err(how),
        }
    }

    /// Whether a program ended as it must.
    fn judge(&self, outcome: &Outcome) -> Result<(), String> {
        let last = outcome.output.lines().last().unwrap_or_default();
        let signal = outcome.status.and_then(|status| status.signal());
        let is_well = outcome.status.is_some_and(|status| status.success());
        // A program that is to end well says nothing about it.
        let is_quiet = outcome.errors.is_empty();
        let is_as_it_must_be = match self.end {
            End::Aborts(message) => {
                let name = self.type_name();
                signal == Some(libc::SIGABRT)
                    && outcome.errors == format!("allocator `{name}`: {message} {last}\n")
            }
            End::Faults | End::Crashes => signal == Some(libc::SIGSEGV) && is_quiet,
            End::Unharmed => is_well && is_quiet && last == "unharmed",
            End::Spoilt(what) | End::Says(_, what) => is_well && is_quiet && last == what,
            End::Holds(_) => is_well,
            End::Open => true,
        };
        if is_as_it_must_be {
            return Ok(());
        }
        Err(format!(
            "not {:?}, but {}\nlast line: {last}\nerrors: {}",
            self.end,
            match outcome.status {
                Some(status) => status.to_string(),
                None => "hung".to_owned(),
            },
            outcome.errors
        ))
    }

    /// The name of the type that speaks.
    fn type_name(&self) -> &'static str {
        match self.arguments.first().map(String::as_str) {
            Some("c") => "Malloc",
            _ if self
                .arguments
                .iter()
                .any(|word| word == "free_by_other_type") =>
            {
                "Other"
            }
            _ => "Rust",
        }
    }
}
