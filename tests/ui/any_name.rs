//! compiles

// Whatever the functions and their types are called, what the attribute writes does not hide them.

use palitra::job;

#[job("ui.request")]
async fn request(text: String) -> String {
    text
}

#[job("ui.register")]
async fn register() {}

#[job("ui.call")]
async fn call(argument_0: String) -> String {
    argument_0
}

type Taken = String;
type Left = String;
type Contract = String;

#[job("ui.types")]
async fn types(taken: Taken, _also: palitra::Context) -> Left {
    taken
}

#[job("ui.contract")]
async fn contract(contract: Contract) -> Contract {
    contract
}

fn main() {}
