//! Each example prints what stands beside it in `expected`, byte for byte: randomness is named, so that
//! a run gives the same figures everywhere.
//!
//! After a change that is meant, `OUTGROW_BLESS=1 cargo test -p examples` writes the files anew.

#[path = "../01_one_server.rs"]
#[expect(dead_code, reason = "main is not called here")]
mod one_server;

#[path = "../02_three_tiers.rs"]
#[expect(dead_code, reason = "main is not called here")]
mod three_tiers;

use std::path::Path;

#[test]
fn one_server_prints_what_is_expected() {
    check("01_one_server", &one_server::lesson().unwrap());
}

#[test]
fn three_tiers_print_what_is_expected() {
    check("02_three_tiers", &three_tiers::lesson().unwrap());
}

fn check(name: &str, printed: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected").join(format!("{name}.txt"));
    if std::env::var_os("OUTGROW_BLESS").is_some() {
        std::fs::write(&file, printed).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    assert_eq!(printed, expected, "{name} prints something else than {}", file.display());
}
