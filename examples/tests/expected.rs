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

#[path = "../03_a_probe_of_your_own.rs"]
#[expect(dead_code, reason = "main is not called here")]
mod a_probe_of_your_own;

#[path = "../04_a_story.rs"]
#[expect(dead_code, reason = "main is not called here")]
mod a_story;

use std::path::Path;

#[test]
fn one_server_prints_what_is_expected() {
    check("01_one_server", &one_server::lesson().unwrap());
}

#[test]
fn three_tiers_print_what_is_expected() {
    check("02_three_tiers", &three_tiers::lesson().unwrap());
}

#[test]
fn the_picture_of_the_night_is_what_a_probe_draws() {
    check_file("../docs/night.svg", &a_probe_of_your_own::lesson().unwrap());
}

#[test]
fn a_story_prints_what_is_expected() {
    check("04_a_story", &a_story::lesson().unwrap());
}

fn check(name: &str, printed: &str) {
    check_file(&format!("expected/{name}.txt"), printed);
}

fn check_file(name: &str, printed: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("OUTGROW_BLESS").is_some() {
        std::fs::write(&file, printed).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    assert_eq!(printed, expected, "{name} prints something else than {}", file.display());
}
