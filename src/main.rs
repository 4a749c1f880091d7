//! Parses the command line and runs one command.

use std::process::ExitCode;

fn main() -> ExitCode {
    weft::runtime::sandbox::enter_if_helper();
    weft::runtime::outbound::install_crypto();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("the machine has threads");
    runtime.block_on(weft::cli::main())
}
