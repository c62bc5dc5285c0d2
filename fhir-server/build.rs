//! The migrations are compiled into the program, which cargo does not see by itself.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
