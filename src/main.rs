//! Parses the command line and runs one command.

use std::process::ExitCode;

fn main() -> ExitCode {
    weft::runtime::sandbox::enter_if_helper();
    weft::runtime::outbound::install_crypto();
    give_large_blocks_back();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the machine has threads");
    runtime.block_on(weft::cli::main())
}

/// Memory blocks of a mebibyte and more go back to the system as soon as they are free. By default glibc learns from the
/// first hashed password that blocks of 19 MiB come and go, and keeps them.
fn give_large_blocks_back() {
    #[cfg(target_env = "gnu")]
    {
        #[expect(unsafe_code, reason = "sets a parameter of the allocator; nothing runs beside it yet")]
        let _ = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20) }; // without it more stays resident
    }
}
