//! The committed generated code is what `cargo xtask codegen` writes.

#[test]
fn generated_code_has_not_drifted_from_the_definitions() {
    xtask::codegen::check(&xtask::workspace_root()).unwrap();
}
