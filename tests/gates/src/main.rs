//! Counts the instructions of the common path, and fails when there are too
//! many or when an option that is off is not free.
//!
//! The program is its own subject: its global allocator is the default one, and
//! `--run "VARIANT, LOOP" COUNT` runs a loop and nothing else. Without arguments
//! it runs itself so under valgrind, with two counts, and takes the difference.

mod cachegrind;
mod gate;
mod variants;
mod work;

use gate::Counted;
use std::env;
use std::process::ExitCode;
use variants::{Chosen, LOOPS, VARIANTS};

#[global_allocator]
static GLOBAL: Chosen = Chosen;

/// The loop that is no allocator's.
const LOOP_ALONE: &str = "the loop of random alone";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => count_and_judge(),
        ["--run", name, count] => run(name, count).map(|()| true),
        _ => Err("takes no arguments".to_owned()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("allocator-gates: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs one loop.
fn run(name: &str, count: &str) -> Result<(), String> {
    let count = count
        .parse()
        .map_err(|_| format!("`{count}` is no count"))?;
    if name == LOOP_ALONE {
        work::loop_alone(count);
        return Ok(());
    }
    let named = |(variant, work): &(&str, &str)| format!("{variant}, {work}") == name;
    for variant in &VARIANTS {
        for (work, run) in LOOPS.iter().zip(variant.loops) {
            if named(&(variant.name, work.name)) {
                run(count);
                return Ok(());
            }
        }
    }
    Err(format!("there is no loop `{name}`"))
}

/// Prints the table and the rules; whether all hold.
fn count_and_judge() -> Result<bool, String> {
    if cfg!(debug_assertions) {
        return Err(
            "counts a release build only: cargo run --release -p allocator-gates".to_owned(),
        );
    }
    if !cachegrind::is_installed()? {
        println!("SKIPPED: valgrind is not installed, so no instruction was counted");
        return Ok(true);
    }
    println!("Instructions per operation, the loop's own included:");
    for work in &LOOPS {
        println!("  {:<7} {}", work.name, work.about);
    }
    print!("{:18}", "");
    for work in &LOOPS {
        print!("{:>9}", work.name);
    }
    println!();
    let mut counts = Vec::new();
    for variant in &VARIANTS {
        print!("{:<18}", variant.name);
        for work in &LOOPS {
            let name = format!("{}, {}", variant.name, work.name);
            let instructions = cachegrind::instructions(&name)?;
            print!("{instructions:>9.2}");
            counts.push(Counted {
                variant: variant.name,
                work: work.name,
                instructions,
            });
        }
        println!();
    }
    println!(
        "({LOOP_ALONE}: {:.2})",
        cachegrind::instructions(LOOP_ALONE)?
    );
    let mut judged = gate::judge(&counts);
    judged.push((
        "`limit = 512MiB` refuses 513 MiB, the default does not".to_owned(),
        variants::the_limit_acts(),
    ));
    for (rule, holds) in &judged {
        println!("{:<6} {rule}", if *holds { "ok" } else { "BROKEN" });
    }
    Ok(judged.iter().all(|(_, holds)| *holds))
}
