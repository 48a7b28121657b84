//! What is generated from the list of commands is what is committed.

use std::path::Path;

#[test]
fn the_committed_typescript_is_the_one_the_commands_make() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/bindings/generated.ts");
    let made = super::super::typescript::file();
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed != made {
        std::fs::write(&path, &made).unwrap();
        panic!("ui/src/bindings/generated.ts was out of date and has been written again: look at it and commit it");
    }
}

#[test]
fn the_openapi_document_describes_every_command() {
    let document = super::super::openapi::document();
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), super::super::COMMANDS.len());
    insta::assert_json_snapshot!("openapi", document);
}
