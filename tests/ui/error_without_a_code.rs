//! error: every variant has a code: #[code = 1]

#[derive(Debug, palitra::ErrorCodes)]
enum Wrong {
    #[code = 7]
    First,
    Second, // here
}

fn main() {}
