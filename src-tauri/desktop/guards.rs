//! What protects the window, held fast: these tests fail when somebody loosens it, on purpose or in passing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

fn config() -> Value {
    serde_json::from_str(include_str!("../../tauri.conf.json")).expect("tauri.conf.json is JSON")
}

#[test]
fn the_content_security_policy_is_as_agreed() {
    let config = config();
    assert_eq!(
        config["app"]["security"]["csp"],
        json!({
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "font-src": "'self'",
            "connect-src": "ipc: http://ipc.localhost",
            "img-src": "'self' blob: data: shopbell-media: http://shopbell-media.localhost",
            "media-src": "'self' blob:",
            "frame-src": "blob:",
            "base-uri": "'none'",
            "form-action": "'none'"
        })
    );
    assert_eq!(config["app"]["security"]["freezePrototype"], true);
    assert_eq!(config["app"]["withGlobalTauri"], false);
    for loosened in ["devCsp", "dangerousDisableAssetCspModification", "assetProtocol", "pattern"] {
        assert!(config["app"]["security"].get(loosened).is_none(), "{loosened} is not needed");
    }
}

#[test]
fn the_window_may_call_five_commands_of_ours_and_no_plugin() {
    let capability: Value = serde_json::from_str(include_str!("../capabilities/main.json")).expect("capabilities/main.json is JSON");
    assert_eq!(capability["permissions"], json!(["allow-call", "allow-changes", "allow-media", "allow-open-external", "allow-open-lab"]));
    assert_eq!(capability["windows"], json!(["main"]));
    assert!(capability.get("remote").is_none(), "no website may call anything");
    assert_eq!(config()["app"]["security"]["capabilities"], json!(["main"]));
}

#[test]
fn no_other_file_grants_anything() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src-tauri/capabilities");
    let files: Vec<_> = std::fs::read_dir(folder).expect("the folder is there").map(|file| file.expect("a file").file_name()).collect();
    assert_eq!(files, ["main.json"]);
}

#[test]
fn every_registered_command_has_its_permission() {
    let granted: BTreeSet<&str> = include_str!("../permissions/commands.toml")
        .lines()
        .filter_map(|line| line.strip_prefix("commands.allow = [\"")?.strip_suffix("\"]"))
        .collect();
    let registered: BTreeSet<&str> = include_str!("../lib.rs")
        .split_once("generate_handler![")
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(list, _)| list.split(',').map(|path| path.trim().trim_start_matches("bridge::")).collect())
        .expect("lib.rs registers commands");
    assert_eq!(granted, registered);
}

#[test]
fn the_installed_package_hands_links_over() {
    assert!(include_str!("shopbell.desktop").contains("Exec={{exec}} %u"));
    assert_eq!(config()["plugins"]["deep-link"], json!({ "desktop": { "schemes": ["shopbell"] } }));
    let identifier = config()["identifier"].as_str().expect("an identifier").to_owned();
    assert!(!identifier.ends_with(".app"), "macOS takes it for a bundle");
}
