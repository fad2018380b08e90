//! The report in a real browser, where chromium is installed: no error on its console, and no request.
//! `cargo test -p allocator-lab --test browser`; without chromium it says that nothing was looked at.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_allocator-lab");

/// What chromium is called.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A page with everything that the report must not have.
const BAD: &str = "<!doctype html><title>bad</title><img src=\"https://example.invalid/a.png\">\
                   <script>nothing();</script>";

/// What the browser noticed of a page.
struct Seen {
    /// The page as it was understood.
    document: String,
    /// Lines of the console.
    console: Vec<String>,
    /// Requests to elsewhere that the page made.
    requests: Vec<String>,
}

#[test]
fn a_browser_finds_no_error_and_no_request() {
    let is_there = |name: &&&str| {
        let mut command = Command::new(name);
        let command = command.arg("--version").stdout(Stdio::null());
        command
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|it| it.success())
    };
    let Some(browser) = BROWSERS.iter().find(is_there) else {
        // Past the test harness, which shows nothing of a test that passes.
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "SKIPPED: no chromium; nobody looked at the report in a browser"
        )
        .unwrap();
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);

    // That it would notice.
    fs::write(place("bad.html"), BAD).unwrap();
    let seen = look(browser, folder.path(), "bad.html");
    assert!(
        seen.console
            .iter()
            .any(|line| line.contains("nothing is not defined"))
    );
    assert!(
        seen.requests
            .iter()
            .any(|url| url.contains("example.invalid"))
    );

    let profile = "size,allocs,live_at_peak,avg_live\n24,90000,9000,100\n264,90000,30000,20000\n";
    fs::write(place("run.csv"), profile).unwrap();
    fs::write(place("ab.json"), include_str!("session.json")).unwrap();
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder.path());
    command.args([
        "report",
        "run.csv",
        "ab.json",
        "--holdout",
        "run.csv",
        "-o",
        "r.html",
    ]);
    assert!(command.status().unwrap().success());
    let seen = look(browser, folder.path(), "r.html");
    assert_eq!(seen.console, Vec::<String>::new());
    assert_eq!(seen.requests, Vec::<String>::new());
    assert!(seen.document.contains("forest-0") && seen.document.ends_with("</html>\n"));
}

/// Opens a page and waits until it rests.
fn look(browser: &str, folder: &Path, page: &str) -> Seen {
    let log = folder.join("net.json");
    let mut command = Command::new(browser);
    for flag in [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--enable-logging=stderr",
        "--virtual-time-budget=2000",
        "--dump-dom",
    ] {
        command.arg(flag);
    }
    command.arg(format!(
        "--user-data-dir={}",
        folder.join("profile").display()
    ));
    command.arg(format!("--log-net-log={}", log.display()));
    command.arg(format!("file://{}", folder.join(page).display()));
    let output = command.output().unwrap();
    let messages = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{messages}");
    let console = messages.lines().filter(|line| line.contains(":CONSOLE"));

    // The browser has requests of its own; those of a page name the page's origin.
    let log: serde_json::Value = serde_json::from_str(&fs::read_to_string(&log).unwrap()).unwrap();
    let requests = log["events"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| {
            let (url, origin) = (
                &event["params"]["url"],
                &event["params"]["network_isolation_key"],
            );
            let is_elsewhere = url.as_str().is_some_and(|url| url.starts_with("http"));
            let is_the_pages = origin.as_str().is_some_and(|it| it.contains("file://"));
            (is_elsewhere && is_the_pages).then(|| url.to_string())
        });
    Seen {
        document: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: console.map(str::to_owned).collect(),
        requests: requests.collect(),
    }
}
