//! A redis server under load: the load is not measured, the server is.

use super::process::{Call, Ended};
use crate::corpus::digest;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the server, has the benchmark send its requests, and ends it. What it
/// comes to is what the server then says of itself.
///
/// # Errors
/// What went wrong, in half a line.
pub fn run(server: &Call, benchmark: &[OsString], object: &Path) -> Result<Ended, String> {
    let port = free_port().map_err(|error| format!("there is no free port: {error}"))?;
    let mut server = server.clone();
    let mut load = server.clone();
    server
        .command
        .extend(["--port".into(), port.to_string().into()]);
    load.command = benchmark.to_vec();
    load.command.extend(["-p".into(), port.to_string().into()]);

    let running = server.start(object)?;
    let answer = await_server(port)
        .and_then(|()| load.output().map_err(|why| format!("its benchmark {why}")))
        .and_then(|_| ask(port, QUESTIONS).map_err(|error| format!("gave no answer: {error}")));
    running.terminate();
    // A server that crashed says more than that it gave no answer.
    let ended = running.end()?;
    Ok(Ended {
        output: digest(&answer?),
        ..ended
    })
}

/// Only what does not depend on which keys the benchmark drew.
const QUESTIONS: &str = "LLEN mylist\r\nLRANGE mylist 0 9\r\nLRANGE mylist -10 -1\r\nQUIT\r\n";

/// A port that is free now; it will be when the server asks for it, unless
/// somebody is as quick, and then the server fails and says so.
fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn await_server(port: u16) -> Result<(), String> {
    let end = Instant::now() + PATIENCE;
    loop {
        match ask(port, "PING\r\nQUIT\r\n") {
            Ok(answer) if answer.starts_with(b"+PONG") => return Ok(()),
            _ if Instant::now() > end => return Err("did not begin to serve".to_owned()),
            _ => thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Sends these lines, and returns all that is answered.
fn ask(port: u16, lines: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(lines.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
