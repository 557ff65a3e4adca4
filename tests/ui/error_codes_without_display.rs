//! error: the trait bound `Wrong: std::error::Error` is not satisfied

#[derive(Debug, palitra::ErrorCodes)]
enum Wrong { // here
    #[code = 1]
    First,
}

fn main() {}
