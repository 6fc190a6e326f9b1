//! `--report FILE`: a report as a web page, written whole or not at all.

use crate::term;
use anyhow::{anyhow, bail};
use scenarios::report::html::MARKER;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The file a report goes to, known to take it.
pub(crate) struct ReportFile {
    /// As it was typed.
    shown: String,
    /// Where it stands, behind all links.
    path: PathBuf,
}

impl ReportFile {
    /// Finds out before anything is run whether a report can be written there, and that nothing but an earlier report
    /// is lost.
    ///
    /// # Errors
    /// What stands in the way, and what to do.
    pub(crate) fn check(path: &Path) -> anyhow::Result<Self> {
        let shown = term::printable(&path.display().to_string());
        if path.is_dir() || ends_as_folder(path) {
            bail!("`{shown}` is no file: name one, for example --report {}", path.join("report.html").display());
        }
        // Behind a link it is the file that is written, not the link.
        let file = Self { path: path.canonicalize().unwrap_or_else(|_| path.to_owned()), shown };
        file.would_lose_nothing()?;
        let beside = file.beside();
        let made = File::create_new(&beside).and_then(|_| std::fs::remove_file(&beside));
        made.map_err(|error| file.cannot(&error))?;
        Ok(file)
    }

    /// Writes the report in place of an earlier one, and says so.
    ///
    /// # Errors
    /// What stands in the way; an earlier report is then still there.
    pub(crate) fn write(&self, html: &str) -> anyhow::Result<()> {
        self.would_lose_nothing()?;
        let beside = self.beside();
        let write = || -> std::io::Result<()> {
            let mut file = File::create_new(&beside)?;
            file.write_all(html.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&beside, &self.path)
        };
        if let Err(error) = write() {
            let _ = std::fs::remove_file(&beside);
            return Err(self.cannot(&error));
        }
        term::say(format_args!("report: {}", self.shown));
        Ok(())
    }

    /// What is there is an earlier report, or empty, or nothing; and may be written over.
    fn would_lose_nothing(&self) -> anyhow::Result<()> {
        let file = match OpenOptions::new().read(true).append(true).open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(|error| self.cannot(&error))?,
        };
        let is_file = file.metadata().is_ok_and(|about| about.is_file());
        let mut begins = Vec::new();
        if is_file {
            let read = (&file).take(MARKER.len() as u64).read_to_end(&mut begins);
            read.map_err(|error| self.cannot(&error))?;
        }
        if !is_file || !(begins.is_empty() || begins == MARKER.as_bytes()) {
            bail!("`{}` is there already and is no report of ours: name another file, --report OTHER", self.shown);
        }
        Ok(())
    }

    /// A file in the same folder, so that renaming it is all there is to do.
    fn beside(&self) -> PathBuf {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
    }

    fn cannot(&self, why: &std::io::Error) -> anyhow::Error {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
        match folder {
            Some(folder) => anyhow!(
                "the report cannot be written: there is no folder `{}`; make it, or name another file, --report OTHER",
                term::printable(&folder.display().to_string())
            ),
            None => {
                anyhow!("the report cannot be written to `{}`: {why}; name another file, --report OTHER", self.shown)
            }
        }
    }
}

/// Whether a path can only be that of a folder: `reports/`.
fn ends_as_folder(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with(std::path::is_separator) || path.file_name().is_none()
}
