//! How somebody else gets the same report.

use super::parts::{code, details};
use maud::{Markup, html};

/// Version, seed and commands, and the scenario's file with its name if it should stand in the report.
pub(crate) fn reproduce(commands: &[String], seed: u64, file: Option<(&str, &str)>) -> Markup {
    html! {
        p {
            "Made by Outgrow " (env!("CARGO_PKG_VERSION")) " with seed " (seed)
            ". The same version with the same files and the same seed gives the same figures, and this report, byte for byte, on any number of processors."
        }
        @if !commands.is_empty() { (code(&commands.join("\n"))) }
        @if let Some((name, text)) = file { (scenario_file(name, text)) }
    }
}

/// A file as it was when the report was made.
pub(crate) fn scenario_file(name: &str, text: &str) -> Markup {
    details(&format!("The file {name}"), code(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_files_stay_text() {
        let text = reproduce(&["outgrow run '<b>'".to_owned()], 7, Some(("a<b>.ron", "(\"</code>\")"))).into_string();
        assert!(text.contains("with seed 7.") && text.contains("outgrow run '&lt;b&gt;'"));
        assert!(text.contains("The file a&lt;b&gt;.ron") && text.contains("(&quot;&lt;/code&gt;&quot;)"));
        assert_eq!(text.matches("</code>").count(), 2);
    }
}
