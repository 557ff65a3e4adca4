//! compiles

use std::fmt;

use palitra::{ErrorCodes, job};

/// Its variants are of every shape, and its codes from both ends.
#[derive(Debug, ErrorCodes)]
enum Right {
    #[code(-2147483648)]
    Unit,
    #[code = 2147483647]
    Tuple(String, u32),
    /// Of two
    /// lines.
    #[code = 0x10]
    Struct {
        #[detail]
        r#type: u32,
        left_alone: String,
    },
}

#[derive(Debug, ErrorCodes)]
enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Never {}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Right::Unit => f.write_str("unit"),
            Right::Tuple(text, number) => write!(f, "{text} {number}"),
            Right::Struct { left_alone, .. } => f.write_str(left_alone),
        }
    }
}

impl std::error::Error for Right {}

const _: () = assert!(Right::CODES.len() == 3 && Right::CODES[2].1 == 16 && Never::CODES.is_empty());

#[job("ui.right_error_codes")]
async fn fails(kind: String) -> Result<(), Right> {
    match &*kind {
        "" => Err(Right::Unit),
        "tuple" => Err(Right::Tuple(kind, 1)),
        _ => Err(Right::Struct { r#type: 1, left_alone: kind }),
    }
}

fn main() {}
