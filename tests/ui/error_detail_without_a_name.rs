//! error: a detail has a name: write the variant with braces

#[derive(Debug, palitra::ErrorCodes)]
enum Wrong {
    #[code = 1]
    First(#[detail] u32), // here
}

fn main() {}
