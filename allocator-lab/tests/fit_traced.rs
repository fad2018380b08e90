//! `allocator-lab fit --trace` from one end to the other: a declaration is built for a value, and one without it,
//! both are measured under a replay, and what was found is printed and written. No times are asserted.

use allocator_lab::trace::{Act, Event, Trace};
use serde_json::Value;
use std::fs;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_allocator-lab");

/// A value that takes more memory where there are few blocks of each of many sizes: a page makes 64 KiB of them
/// available at once in place of 16. So it is never kept, whatever the machine does meanwhile.
const VALUE: &str = "small_extend = batch(64KiB)";

/// Some 8 KiB of blocks of each of many classes, live at the same time: more than a class's first extension.
fn trace() -> Trace {
    let sizes = (1..=8).map(|step| step * 16);
    let sizes = sizes.chain((1..=3).flat_map(|log| (5..=8).map(move |step| (step << log) * 16)));
    let blocks = sizes.flat_map(|size| (0..8192 / size + 1).map(move |_| size));
    let come = (0..).zip(blocks);
    let come: Vec<_> = come
        .map(|(block, size)| Event::new(Act::Allocate, block, size))
        .collect();
    let count = come.len() as u32;
    let go = (0..count).map(|block| Event::new(Act::Free, block, 0));
    Trace {
        blocks: count,
        events: come.into_iter().chain(go).collect(),
    }
}

#[test]
// Two optimised builds, a minute where nothing is built yet: too long for the default command.
#[ignore = "builds two shared objects, optimised; .ci/run runs it, by `-- --ignored`"]
fn a_value_is_built_and_measured_and_what_was_found_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("app.trace", &trace().to_bytes());
    // Of sizes that are classes of the default: its table stays.
    write(
        "app.csv",
        b"size,allocs,live_at_peak,avg_live\n32,90000,30000,20000\n4096,5000,900,500\n",
    );
    let arguments = ["app.csv", "--trace", "app.trace", "--try", VALUE];
    let mut command = Command::new(PROGRAM);
    command
        .current_dir(folder.path())
        .arg("fit")
        .args(arguments);
    let output = command.args(["--json", "out.json"]).output().unwrap();
    let [printed, told] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{told}");

    let json = fs::read_to_string(folder.path().join("out.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    let [trial] = json["trials"].as_array().unwrap().as_slice() else {
        panic!("one value, one trial: {}", json["trials"]);
    };
    assert_eq!(trial["value"], VALUE);
    let ratio = |name: &str| trial[name].as_f64().unwrap();
    // Were the value not in what was built, it would take the same.
    assert!(ratio("memory_ratio") > 1.05, "{trial}");
    assert!(
        ratio("cpu_ratio") > 0.2 && ratio("cpu_ratio") < 5.0,
        "{trial}"
    );
    assert_eq!(trial["kept"], false, "{trial}");

    let row = printed.lines().find(|line| line.starts_with(VALUE));
    let row = row.unwrap_or_else(|| panic!("no row of the trial: {printed}"));
    let advice = "The default's other options stay: none was better.\n";
    assert!(
        row.ends_with("no better") && printed.ends_with(advice),
        "{printed}"
    );
    assert!(printed.contains("keep the default:"), "{printed}");
}
