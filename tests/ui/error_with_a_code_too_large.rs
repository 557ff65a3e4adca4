//! error: a code is a number of 32 bits: #[code = 1]

#[derive(Debug, palitra::ErrorCodes)]
enum Wrong {
    #[code = 3000000000] // here
    First,
}

fn main() {}
