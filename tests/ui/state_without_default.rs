//! error: the trait bound `Pool: Default` is not satisfied

struct Pool;

#[palitra::job("ui.state_without_default")]
async fn state_without_default(
    _pool: palitra::State<Pool>, // here
) {
}

fn main() {}
