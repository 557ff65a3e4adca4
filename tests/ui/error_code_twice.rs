//! error: 7 is the code of `First` already

#[derive(Debug, palitra::ErrorCodes)]
enum Wrong {
    #[code = 7]
    First,
    #[code = 7] // here
    Second,
}

fn main() {}
