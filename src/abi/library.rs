//! Library: the versions of this header and of the library that is loaded.

use std::ffi::c_char;

/// The version of this ABI, and the number in libpalitra.so.1, the name that programs remember the
/// library by. It changes when programs that were built with an older header would no longer work.
pub const PALITRA_ABI_VERSION: u32 = 1;
/// The version of the library that this header belongs to: the first number.
pub const PALITRA_VERSION_MAJOR: u32 = 0;
/// The second number.
pub const PALITRA_VERSION_MINOR: u32 = 2;
/// The third number.
pub const PALITRA_VERSION_PATCH: u32 = 0;

// The numbers are those of Cargo.toml.
const _: () = {
    assert!(PALITRA_VERSION_MAJOR == number(env!("CARGO_PKG_VERSION_MAJOR")));
    assert!(PALITRA_VERSION_MINOR == number(env!("CARGO_PKG_VERSION_MINOR")));
    assert!(PALITRA_VERSION_PATCH == number(env!("CARGO_PKG_VERSION_PATCH")));
};

const fn number(digits: &str) -> u32 {
    let (mut number, mut i) = (0, 0);
    while i < digits.len() {
        number = 10 * number + (digits.as_bytes()[i] - b'0') as u32;
        i += 1;
    }
    number
}

/// Returns the version of the library that is loaded.
///
/// @return a text such as "1.2.3". It is never NULL and lives as long as the library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn palitra_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Returns the ABI version of the library that is loaded.
///
/// @return the number, to compare with PALITRA_ABI_VERSION
#[unsafe(no_mangle)]
pub extern "C" fn palitra_abi_version() -> u32 {
    PALITRA_ABI_VERSION
}
