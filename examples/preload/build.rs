//! How a shared object that is a `malloc` is linked.

fn main() {
    for argument in [
        // Once loaded it stays: threads that end call it, and its blocks outlive who loaded it.
        "-Wl,-z,nodelete",
        // Nothing in it can panic, so nothing needs Rust's standard library. lld keeps 320 KB of it all
        // the same, and a thread-local of its own, for the sake of unwind tables; GNU ld does not.
        "-fuse-ld=bfd",
    ] {
        println!("cargo::rustc-link-arg={argument}");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
