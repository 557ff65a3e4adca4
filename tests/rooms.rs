//! The rooms of src: each uses only rooms above it, and none is on a circle.
//!
//! The order of the rooms is that of the table in src/lib.rs. Rooms of one folder have no order of their own, but no
//! two of them use each other, however far around. A page such as src/token.rs and its folder's rooms may use each
//! other; what the page exports from a room counts as that room's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The name of a room from the outside in: `["runner", "core"]` is src/runner/core.rs.
type Room = Vec<String>;

/// A room's code, without comments and tests.
struct Source {
    room: Room,
    code: String,
}

#[test]
fn each_room_uses_only_rooms_above_it() {
    let order = order();
    let place = |room: &str| order.iter().position(|known| known == room);
    let mut upward = BTreeSet::new();
    for Source { room, code } in &sources() {
        let own = place(&room[0]).unwrap_or_else(|| panic!("{} is not in the table of src/lib.rs", room[0]));
        for path in paths(room, code) {
            // The crate's own names, as `crate::job`, are no room's.
            if let Some(used) = path.first().and_then(|used| place(used))
                && used > own
            {
                upward.insert(format!("{} uses {}", room.join("::"), path.join("::")));
            }
        }
    }
    assert!(upward.is_empty(), "{} imports go upward:\n{}", upward.len(), lines(&upward));
}

#[test]
fn no_rooms_of_one_folder_are_on_a_circle() {
    let sources = sources();
    let rooms: BTreeSet<&Room> = sources.iter().map(|source| &source.room).collect();
    let exports: BTreeMap<&Room, BTreeMap<String, Room>> =
        sources.iter().map(|source| (&source.room, exports(&source.room, &source.code))).collect();
    // By folder: which of its rooms uses which.
    let mut uses: BTreeMap<Room, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for Source { room, code } in &sources {
        for path in paths(room, code) {
            let used = home(&path, &rooms, &exports);
            let common = room.iter().zip(&used).take_while(|(one, other)| one == other).count();
            if let (Some(from), Some(to)) = (room.get(common), used.get(common)) {
                uses.entry(room[..common].to_vec()).or_default().entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    let circles: BTreeSet<String> = uses
        .iter()
        // Between the folders themselves the order above holds.
        .filter(|(folder, _)| !folder.is_empty())
        .flat_map(|(folder, uses)| {
            uses.keys().filter_map(|room| circle(room, uses)).map(|circle| format!("{}: {circle}", folder.join("::")))
        })
        .collect();
    assert!(circles.is_empty(), "{} rooms are on a circle:\n{}", circles.len(), lines(&circles));
}

#[test]
fn unsafe_code_is_allowed_in_sys_and_ffi_alone() {
    // In abi only the attributes of its exported names are unsafe, and what the macros of ffi expand to.
    let allowed = ["sys", "ffi", "abi"];
    for Source { room, code } in sources() {
        let is_allowed = allowed.contains(&room[0].as_str());
        assert!(is_allowed || !code.contains("allow(unsafe_code"), "{} allows unsafe code", room.join("::"));
    }
}

#[test]
fn system_calls_are_in_sys_alone() {
    for Source { room, code } in sources() {
        assert!(room[0] == "sys" || !code.contains("libc::"), "{} has a system call", room.join("::"));
    }
}

/// Promise 9: a fork harms neither parent nor child. A child that is forked while a thread makes such a value waits for
/// it forever.
#[test]
fn no_static_has_threads_wait_for_the_one_that_makes_it() {
    // Of these the first two move a pointer that is made already, the third is set by a program as it begins, and the
    // fourth is not of Linux; the last is a macro for models.
    let allowed = ["configuration", "registry", "panics", "sys::clock", "sync"];
    for Source { room, code } in sources() {
        let room = room.join("::");
        let is_static = |line: &&str| line.split_whitespace().take(2).any(|word| word == "static");
        let waits = |line: &&str| ["OnceLock", "LazyLock", "Once "].iter().any(|kind| line.contains(kind));
        let found = code.lines().filter(is_static).find(waits);
        assert!(found.is_none() || allowed.contains(&room.as_str()), "{room}: {}", found.unwrap_or_default());
    }
}

#[test]
fn each_room_says_what_it_is_for() {
    for (room, text) in files() {
        assert!(text.starts_with("//! "), "{} does not begin with its purpose", room.join("::"));
    }
}

fn lines(lines: &BTreeSet<String>) -> String {
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

/// The rooms in the order of the table in src/lib.rs.
fn order() -> Vec<String> {
    let lib = fs::read_to_string(source_folder().join("lib.rs")).unwrap();
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | `")?.split_once('`'));
    let order: Vec<String> = rows.map(|(room, _)| room.to_string()).collect();
    for room in &order {
        assert!(
            source_folder().join(room).with_extension("rs").exists(),
            "{room}, in the table of src/lib.rs, is no room"
        );
    }
    order
}

fn source_folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))
}

/// Every file of src but lib.rs, whose names are those of the crate, and the models.
fn files() -> Vec<(Room, String)> {
    let mut files = Vec::new();
    let mut folders = vec![source_folder().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(source_folder()).unwrap().with_extension("");
            let room: Room = name.iter().map(|part| part.to_str().unwrap().to_string()).collect();
            if room != ["lib"] && room.last().unwrap() != "model" {
                files.push((room, fs::read_to_string(path).unwrap()));
            }
        }
    }
    files
}

fn sources() -> Vec<Source> {
    let sources = files().into_iter().map(|(room, text)| {
        let text = text.split("mod tests {").next().unwrap();
        let lines = text.lines().map(|line| line.split("//").next().unwrap());
        Source { room, code: lines.collect::<Vec<_>>().join("\n") }
    });
    sources.collect()
}

/// Every path in the code that begins at the crate or at a room around this one, from the crate on.
fn paths(room: &Room, code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            // Not in the middle of a name, nor of a path.
            if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':') {
                continue;
            }
            for path in tree(&mut code[at..].chars().collect::<Vec<_>>().as_slice()) {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let base = if path[0] == "crate" { &[] } else { &room[..room.len() - ups] };
                paths.push(base.iter().chain(&path[ups.max(1)..]).cloned().collect());
            }
        }
    }
    paths
}

/// The paths of a use tree, of which the text is read: `a::{b, c::d}` is a::b and a::c::d.
fn tree(text: &mut &[char]) -> Vec<Vec<String>> {
    let is_of_name = |letter: &&char| letter.is_alphanumeric() || **letter == '_';
    let name: String = text.iter().take_while(is_of_name).collect();
    *text = &text[name.chars().count()..];
    if !text.starts_with(&[':', ':']) {
        return vec![vec![name]];
    }
    *text = &text[2..];
    let mut rest = Vec::new();
    if text.starts_with(&['{']) {
        while !text.is_empty() && !text.starts_with(&['}']) {
            // Past the brace or the comma, and blanks.
            let blanks = text[1..].iter().take_while(|letter| letter.is_whitespace()).count();
            *text = &text[1 + blanks..];
            if !text.starts_with(&['}']) {
                rest.extend(tree(text));
                // Past "as another".
                let more = text.iter().take_while(|letter| !matches!(letter, ',' | '}')).count();
                *text = &text[more..];
            }
        }
        *text = text.get(1..).unwrap_or_default();
    } else {
        rest = tree(text);
    }
    rest.into_iter().map(|path| [vec![name.clone()], path].concat()).collect()
}

/// What a page exports from the rooms of its folder: by its name, the path to it.
fn exports(room: &Room, code: &str) -> BTreeMap<String, Vec<String>> {
    let mut exports = BTreeMap::new();
    for line in code.split(';').map(str::trim).filter(|line| line.starts_with("pub")) {
        let Some((_, tree_text)) = line.split_once(" use ") else { continue };
        let tree_text = tree_text.trim_start_matches("self::");
        for path in tree(&mut tree_text.chars().collect::<Vec<_>>().as_slice()) {
            if path.len() > 1 && path[0] != "crate" {
                exports.insert(path[path.len() - 1].clone(), [room.as_slice(), &path].concat());
            }
        }
    }
    exports
}

/// The room that a path leads to, past what pages export from others.
fn home(path: &[String], rooms: &BTreeSet<&Room>, exports: &BTreeMap<&Room, BTreeMap<String, Room>>) -> Room {
    let depth = (0..=path.len()).rev().find(|depth| rooms.contains(&path[..*depth].to_vec())).unwrap_or(0);
    let (room, rest) = path.split_at(depth);
    let exported = rest.first().and_then(|name| exports.get(&room.to_vec())?.get(name));
    exported.map_or_else(|| room.to_vec(), |path| home(path, rooms, exports))
}

/// The way from a room back to itself, if there is one.
fn circle(start: &String, uses: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        for next in uses.get(way[way.len() - 1]).into_iter().flatten() {
            let longer: Vec<&String> = way.iter().copied().chain([next]).collect();
            if next == start {
                return Some(longer.into_iter().map(String::as_str).collect::<Vec<_>>().join(" -> "));
            }
            if seen.insert(next) {
                ways.push(longer);
            }
        }
    }
    None
}
