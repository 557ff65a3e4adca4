//! error: codes are those of an enum: one for each of its variants

#[derive(Debug, palitra::ErrorCodes)]
struct Wrong; // here

fn main() {}
