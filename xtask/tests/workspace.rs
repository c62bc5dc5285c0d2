//! The workspace as it is committed: generated code has not drifted, and the rules of the house hold.

use xtask::workspace_root;

#[test]
fn generated_code_is_what_codegen_writes() {
    xtask::codegen::check(&workspace_root()).unwrap();
}

#[test]
fn hand_written_code_is_tidy() {
    if let Err(broken) = xtask::tidy::check(&workspace_root()) {
        panic!("{broken}");
    }
}
