//! A small asynchronous server under load: client and server in this process,
//! on the loopback address, each connection a task, tasks on two threads.

use crate::corpus::{self, Corpus};
use crate::workloads::{Size, mix};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;

/// Threads that run the tasks.
const THREADS: usize = 2;

/// Clients at the same time.
const CLIENTS: u64 = 32;

/// Connections that each client makes, one after the other.
const CONNECTIONS: u64 = 6;

/// Requests on each connection, sent in groups without waiting for answers between.
const REQUESTS: u64 = 64;

/// Requests in a group.
const GROUP: u64 = 8;

pub(super) fn work(_: &Corpus, size: Size) -> u64 {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_io()
        .build()
        .expect("threads can be started");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let server = tokio::spawn(accept(listener));
        let clients: Vec<_> = (0..size.repeat(CLIENTS))
            .map(|client| tokio::spawn(ask(address, client, size.repeat(CONNECTIONS))))
            .collect();
        let mut checksum = 0;
        for client in clients {
            let part = client.await.expect("no answer was wrong");
            checksum = mix(checksum, part.expect("the connection holds"));
        }
        server.abort();
        checksum
    })
}

/// The server: a task for each connection.
async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream));
    }
}

/// One connection of the server: a line in, a line out.
async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.split();
    let mut requests = BufReader::new(reader).lines();
    while let Some(request) = requests.next_line().await? {
        let mut answer = answer(&request);
        answer.push('\n');
        writer.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

/// `GET /path?a=1&b=2` as a document in JSON, with as many items as it asks for.
fn answer(request: &str) -> String {
    let (path, query) = request.split_once('?').unwrap_or((request, ""));
    let parameters: BTreeMap<String, String> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_uppercase()))
        .collect();
    let count = parameters.get("count").and_then(|count| count.parse().ok());
    let items: Vec<serde_json::Value> = (0..count.unwrap_or(0_u64))
        .map(|number| serde_json::json!({ "number": number, "name": format!("{path}/{number}") }))
        .collect();
    serde_json::json!({ "path": path, "parameters": parameters, "items": items }).to_string()
}

/// One client: connects, asks, checks every answer.
async fn ask(address: SocketAddr, client: u64, connections: u64) -> io::Result<u64> {
    let mut checksum = client;
    for connection in 0..connections {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (reader, mut writer) = stream.split();
        let mut answers = BufReader::new(reader).lines();
        for first in (0..REQUESTS).step_by(GROUP as usize) {
            let requests: Vec<String> = (first..first + GROUP)
                .map(|number| request(client, connection, number))
                .collect();
            writer
                .write_all((requests.join("\n") + "\n").as_bytes())
                .await?;
            for request in &requests {
                let found = answers.next_line().await?.unwrap_or_default();
                assert_eq!(found, answer(request), "an answer changed on its way");
                checksum = mix(checksum, corpus::digest(found.as_bytes()));
            }
        }
    }
    Ok(checksum)
}

fn request(client: u64, connection: u64, number: u64) -> String {
    let count = mix(client, number) % 12;
    format!("GET /clients/{client}/{connection}?user=u{client}&number={number}&count={count}")
}
