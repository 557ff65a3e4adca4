//! Which job a host may have meant, where there is none of the name that it asked for.

use super::jobs;
use crate::job::Job;
use crate::reply::{Error, Status};

/// A longer name is nobody's typing error, and comparing it would take long.
const LONGEST: usize = 256;

/// How much of an unknown name a message repeats, in characters.
const SHOWN: usize = 100;

/// The registered job whose name is the most like this one; `None` where none is much like it. Upper and lower
/// case are alike here, so that "HTTP.get" finds its job.
pub(crate) fn nearest(name: &str) -> Option<&'static Job> {
    if name.len() > LONGEST {
        return None;
    }
    // A third of the name may be wrong, and one letter of a short one.
    let most = (name.chars().count() / 3).max(1);
    let near = |job: &'static Job| Some((distance(name, job.name())?, job)).filter(|(distance, _)| *distance <= most);
    jobs().into_iter().filter_map(near).min_by_key(|(distance, _)| *distance).map(|(_, job)| job)
}

/// The error for a name that no job has.
pub(crate) fn unknown_job(name: &str) -> Error {
    let cut = name.char_indices().nth(SHOWN).map_or(name.len(), |(end, _)| end);
    let (shown, more) = (&name[..cut], if cut < name.len() { "..." } else { "" });
    let hint = nearest(name).map(|job| format!("; the nearest is \"{}\"", job.name())).unwrap_or_default();
    Error::new(Status::UnknownJob, format!("no job is registered as \"{shown}{more}\"{hint}"))
}

/// How many letters must be inserted, removed or replaced to make one name of the other. `None`: a name is longer
/// than any that is compared.
fn distance(one: &str, other: &str) -> Option<usize> {
    if one.len().max(other.len()) > LONGEST {
        return None;
    }
    let letters = |name: &str| name.chars().map(|letter| letter.to_ascii_lowercase()).collect::<Vec<_>>();
    let other = letters(other);
    // A row of the table of distances between all beginnings: of `one` so far, to each beginning of `other`.
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for letter in letters(one) {
        let mut diagonal = row[0];
        row[0] += 1;
        for (i, wanted) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *wanted);
            diagonal = row[i + 1];
            row[i + 1] = replaced.min(diagonal + 1).min(row[i] + 1);
        }
    }
    row.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_the_number_of_letters_to_change() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("http.get", "http.get", 0),
            ("http.gett", "http.get", 1),
            ("HTTP.GET", "http.get", 0),
            ("htp.get", "http.get", 1),
            ("kitten", "sitting", 3),
            ("größe", "grösse", 2),
        ] {
            assert_eq!(distance(one, other), Some(expected), "{one} {other}");
            assert_eq!(distance(other, one), Some(expected), "{other} {one}");
        }
    }

    #[test]
    fn the_nearest_job_is_one_that_may_have_been_meant() {
        let nearest = |name| nearest(name).map(Job::name);
        assert_eq!(nearest("palitra.ecko"), Some("palitra.echo"));
        assert_eq!(nearest("palitra.slep"), Some("palitra.sleep"));
        assert_eq!(nearest("palitra.echo"), Some("palitra.echo"));
        for far in ["", "x", "something else", &"palitra.echo".repeat(1000)] {
            assert_eq!(nearest(far), None, "{far}");
        }
    }

    #[test]
    fn an_unknown_name_is_named_and_a_long_one_is_cut() {
        assert_eq!(unknown_job("none.such").to_string(), "no job is registered as \"none.such\"");
        let message = unknown_job("palitra.ecko").to_string();
        assert_eq!(message, "no job is registered as \"palitra.ecko\"; the nearest is \"palitra.echo\"");
        let message = unknown_job(&"ö".repeat(100_000)).to_string();
        assert_eq!(message, format!("no job is registered as \"{}...\"", "ö".repeat(SHOWN)));
    }
}
