//! Another Rust static library, of somebody else's: with a panic of its own that it catches.

/// How many bytes a text of these digits has; -1 if it panicked, which it does at 13.
#[unsafe(no_mangle)]
pub extern "C" fn other_digits(number: u32) -> i32 {
    std::panic::set_hook(Box::new(|_| ()));
    let digits = std::panic::catch_unwind(|| {
        assert_ne!(number, 13);
        number.to_string().len()
    });
    digits.map_or(-1, |length| length as i32)
}
