//! Reading a scenario file, and saying why it cannot be read.

use super::Document;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// The largest scenario file, 16 MiB.
pub const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Why a file cannot be read as a scenario.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such file.
    #[error("there is no file `{file}`{}", did_you_mean(similar))]
    Missing {
        /// The file asked for.
        file: String,
        /// Files in the same folder with a similar name.
        similar: Vec<String>,
    },
    /// It is a folder.
    #[error("`{file}` is a folder, not a scenario file")]
    Directory {
        /// The path asked for.
        file: String,
    },
    /// It is larger than [`MAX_FILE_BYTES`].
    #[error(
        "`{file}` is larger than {} MiB, too large for a scenario: keep long series in a CSV file",
        MAX_FILE_BYTES / (1024 * 1024)
    )]
    TooLarge {
        /// The file.
        file: String,
    },
    /// It is not UTF-8 text.
    #[error("`{file}` is not UTF-8 text: byte {offset} (counted from 0) belongs to no character")]
    NotText {
        /// The file.
        file: String,
        /// The first byte that is not part of a character.
        offset: usize,
    },
    /// The operating system refused.
    #[error("cannot read `{file}`: {source}")]
    Io {
        /// The file.
        file: String,
        /// What the operating system says.
        source: io::Error,
    },
}

impl Document {
    /// Reads and parses a file. What is wrong with its text is found in the document's problems.
    ///
    /// # Errors
    /// If the file is missing, a folder, larger than [`MAX_FILE_BYTES`] (it is then not read), not
    /// UTF-8, or refused by the operating system.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let file = path.display().to_string();
        let io_error = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => ReadError::Missing { file: file.clone(), similar: similar_files(path) },
            _ => ReadError::Io { file: file.clone(), source },
        };
        let metadata = std::fs::metadata(path).map_err(io_error)?;
        if metadata.is_dir() {
            return Err(ReadError::Directory { file });
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(ReadError::TooLarge { file });
        }
        // What is no regular file has no length beforehand: the limit holds while reading, too.
        let mut bytes = Vec::new();
        let opened = File::open(path).map_err(io_error)?;
        opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(io_error)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(ReadError::TooLarge { file });
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self::parse(&file, &text)),
            Err(error) => Err(ReadError::NotText { file, offset: error.utf8_error().valid_up_to() }),
        }
    }
}

/// Files beside the missing one that may have been meant.
fn similar_files(path: &Path) -> Vec<String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Some(wanted) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(listed) else { return Vec::new() };
    let names = entries.take(10_000).filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut similar: Vec<String> = names.filter(|name| is_similar(&wanted, name)).collect();
    similar.sort();
    similar.truncate(3);
    similar.into_iter().map(|name| folder.join(name).display().to_string()).collect()
}

fn is_similar(wanted: &str, name: &str) -> bool {
    let stem = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    stem(wanted) == stem(name) || models::problem::are_similar(wanted, name)
}

fn did_you_mean(similar: &[String]) -> String {
    match similar {
        [] => String::new(),
        names => format!(" (did you mean `{}`?)", names.join("` or `")),
    }
}
