//! Programs, set up to be run with any of the shared objects.

use super::entrants::{self, PRELOADED};
use super::redis;
use super::rows::{Program, Work};
use crate::race::build::Executables;
use crate::race::entrants::Entrant;
use crate::race::report::LeftOut;
use crate::race::rounds::Runs;
use crate::sample::Sample;
use crate::workloads::Size;
use tempfile::TempDir;

/// Programs and their input.
pub struct Stage<'a> {
    objects: &'a Executables,
    works: Vec<(&'static str, Work)>,
    /// What is left out.
    left_out: Vec<LeftOut>,
    /// Where the input is; removed when dropped.
    _folder: TempDir,
}

impl<'a> Stage<'a> {
    /// Makes the input of all programs that this machine has.
    ///
    /// # Errors
    /// A sentence, if there is no room for it.
    pub fn new(
        programs: &[&'static Program],
        objects: &'a Executables,
        size: Size,
    ) -> Result<Self, String> {
        let folder = tempfile::tempdir()
            .map_err(|error| format!("cannot make a temporary folder: {error}"))?;
        let (mut works, mut left_out) = (Vec::new(), Vec::new());
        for program in programs {
            let made = match program.missing() {
                Some(need) => Err(format!("there is no program {need}")),
                None => program.make(folder.path(), size),
            };
            let name = program.name;
            match made {
                Ok(work) => works.push((name, work)),
                Err(reason) => left_out.push(LeftOut { name, reason }),
            }
        }
        Ok(Self {
            objects,
            works,
            left_out,
            _folder: folder,
        })
    }

    /// Whether it can be run.
    #[must_use]
    pub fn has(&self, program: &Program) -> bool {
        self.works.iter().any(|(name, _)| *name == program.name)
    }

    /// The programs that cannot be run, each with the reason.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}

impl Runs<Program> for Stage<'_> {
    fn run(&self, program: &Program, entrant: &Entrant) -> Result<Sample, String> {
        let mut works = self.works.iter();
        let work = works.find(|(name, _)| *name == program.name);
        let (_, work) = work.ok_or("was left out")?;
        let object = &self.objects[entrant.executable];
        let ended = match work {
            Work::Command(call) => call.start(object)?.end(),
            Work::Redis { server, benchmark } => redis::run(server, benchmark, object),
        }?;
        Ok(Sample {
            allocator: entrant.served_by.to_owned(),
            checksum: ended.output,
            figures: ended.figures,
        })
    }

    fn judge(&self) -> Option<&'static Entrant> {
        Some(entrants::system())
    }
}

/// Those of `entrants` that have an object, in their order.
#[must_use]
pub fn present(entrants: &[&'static Entrant], objects: &Executables) -> Vec<&'static Entrant> {
    let has_object = |it: &&Entrant| objects.contains_key(it.executable);
    let wanted = |it: &&Entrant| entrants.iter().any(|other| other.name == it.name);
    PRELOADED.iter().filter(wanted).filter(has_object).collect()
}

#[cfg(test)]
mod tests {
    use super::super::rows::PROGRAMS;
    use super::*;

    #[test]
    fn every_program_that_is_here_says_the_same_twice() {
        let (objects, _) = entrants::objects(&[], |_| {}).unwrap();
        let programs: Vec<&Program> = PROGRAMS.iter().collect();
        let stage = Stage::new(&programs, &objects, Size::Quick).unwrap();
        for program in programs {
            if !stage.has(program) {
                eprintln!("skipped: {}", program.name);
                assert!(program.missing().is_some(), "{:?}", stage.left_out());
                continue;
            }
            let run = || stage.run(program, entrants::system());
            let (first, second) = (run().unwrap(), run().unwrap());
            assert_eq!(first.checksum, second.checksum, "{}", program.name);
            assert_ne!(
                first.checksum,
                crate::corpus::digest(&[]),
                "{}",
                program.name
            );
            assert!(first.figures.peak_rss_bytes > 1 << 20, "{}", program.name);
        }
    }
}
