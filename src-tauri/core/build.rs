//! Makes sure that the folder of the built website chat exists: it is embedded, and a fresh clone has not built it yet.

fn main() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/dist-widget");
    println!("cargo::rerun-if-changed={}", folder.display());
    if !folder.is_dir() {
        println!("cargo::warning=ui/dist-widget is not built yet: the website chat will say so. `make run` builds it.");
        if let Err(error) = std::fs::create_dir_all(&folder) {
            println!("cargo::warning=ui/dist-widget could not be made: {error}");
        }
    }
}
