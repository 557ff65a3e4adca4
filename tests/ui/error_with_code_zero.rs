//! error: 0 is the code of failures that have none

#[derive(Debug, palitra::ErrorCodes)]
enum Wrong {
    #[code = 0] // here
    First,
}

fn main() {}
