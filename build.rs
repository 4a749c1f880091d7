//! Makes the folder that the server embeds exist, so that a plain `cargo check` works before any site was built, and
//! has the server rebuilt when a new site is there. `scripts/build-site.mjs` fills the folder.

use std::{env, fs, io, path::Path};

const EMPTY_MANIFEST: &str = "{\"js\":null,\"wasm\":null,\"css\":null,\"chunks\":{},\"files\":{}}\n";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    // The browser half must not depend on the site: that is made from it.
    if env::var_os("CARGO_FEATURE_SSR").is_none() {
        return Ok(());
    }
    let manifest = Path::new("target/site/manifest.json");
    if !manifest.exists() {
        fs::create_dir_all("target/site")?;
        fs::write(manifest, EMPTY_MANIFEST)?;
    }
    println!("cargo::rerun-if-changed={}", manifest.display());
    Ok(())
}
