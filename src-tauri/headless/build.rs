//! Makes sure that the folder of the built screens exists: it is embedded, and a fresh clone has not built it yet.

fn main() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/dist");
    println!("cargo::rerun-if-changed={}", folder.display());
    if !folder.is_dir() {
        println!("cargo::warning=ui/dist is not built yet: a browser will be told so. `make run` builds it.");
        if let Err(error) = std::fs::create_dir_all(&folder) {
            println!("cargo::warning=ui/dist could not be made: {error}");
        }
    }
}
